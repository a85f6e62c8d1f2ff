"""Halo, streak and gradient are counted where they are, and only there."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest

from engine.stylize.judging.flaws import flaws_of_light, gradient_kept, halo, streak

SIDE_PX = 256
Light = npt.NDArray[np.float64]


def edge() -> Light:
    """Dark on the left, light on the right."""
    return np.where(np.arange(SIDE_PX)[None] < SIDE_PX // 2, 60.0, 180.0) * np.ones((SIDE_PX, 1))


def sky() -> Light:
    """From light above to dark below."""
    return np.linspace(200, 120, SIDE_PX)[:, None] * np.ones((1, SIDE_PX))


def test_a_glow_beside_an_edge_is_a_halo_and_other_light_is_none() -> None:
    glow = edge()
    glow[:, SIDE_PX // 2 : SIDE_PX // 2 + 12] += 40
    assert halo(edge(), edge()) < 0.01
    assert halo(0.5 * edge() + 30, edge()) < 0.01
    assert halo(glow, edge()) > 0.1
    grain = np.random.default_rng(0).normal(0, 12, (SIDE_PX, SIDE_PX))
    assert halo(edge() + grain, edge()) < 0.05, "strokes aren't a halo"


def test_restless_flat_areas_are_streaks_unless_the_painting_is_as_restless() -> None:
    flat = np.full((SIDE_PX, SIDE_PX), 128.0)
    carpet = flat + 20 * np.sin(np.arange(SIDE_PX) * 2 * math.pi / 10)[:, None]
    assert streak(flat, flat, flat) < 0.01
    assert streak(carpet, flat, flat) > 5
    assert streak(carpet, carpet, flat) == pytest.approx(1, abs=0.1)
    assert streak(flat + np.linspace(0, 60, SIDE_PX)[None], flat, flat) < 0.2, "a slow change is no streak"


def test_a_gradient_is_kept_also_turned_round_and_lost_when_it_is_flattened_or_shuffled() -> None:
    assert gradient_kept(sky(), sky()) == pytest.approx(1)
    assert gradient_kept(255 - 0.5 * sky(), sky()) == pytest.approx(1)
    assert gradient_kept(np.full_like(sky(), 90.0), sky()) == 0
    rows = np.random.default_rng(1).permutation(SIDE_PX // 16)
    shuffled = sky().reshape(-1, 16, SIDE_PX)[rows].reshape(SIDE_PX, SIDE_PX)
    assert gradient_kept(shuffled, sky()) < 0.7


def test_without_anything_to_look_at_a_figure_is_not_a_number() -> None:
    busy = np.random.default_rng(0).uniform(0, 255, (SIDE_PX, SIDE_PX))
    assert all(math.isnan(value) for value in flaws_of_light(busy, busy, busy).values())

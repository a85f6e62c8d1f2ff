"""The terms against flaws cost where the flaw is, and nothing where the painting only has another contrast."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from engine.stylize.training.light import order_lost, restlessness, unevenness

SIDE_PX = 256


def sky() -> Tensor:
    return torch.linspace(0.8, 0.45, SIDE_PX)[:, None].expand(1, 1, SIDE_PX, SIDE_PX).contiguous()


def edge() -> Tensor:
    light = torch.full((1, 1, SIDE_PX, SIDE_PX), 0.2)
    light[..., SIDE_PX // 2 :] = 0.7
    return light


def carpet() -> Tensor:
    waves = 0.5 + 0.08 * torch.sin(torch.arange(SIDE_PX) * 2 * math.pi / 10)
    return waves[None, None, :, None].expand(1, 1, SIDE_PX, SIDE_PX).contiguous()


def test_light_out_of_order_costs_and_another_contrast_does_not() -> None:
    kept, milder = order_lost(sky(), sky()), order_lost(0.5 * sky() + 0.2, sky())
    assert float(kept) < 0.1
    assert float(milder) < 0.2
    assert float(order_lost(1 - sky(), sky())) > 1.5
    assert float(order_lost(torch.full_like(sky(), 0.5), sky())) > 0.7


def test_a_glow_beside_an_edge_costs_and_other_light_does_not() -> None:
    glow = edge()
    glow[..., SIDE_PX // 2 : SIDE_PX // 2 + 12] += 0.2
    assert float(unevenness(edge(), edge())) < 0.01
    assert float(unevenness(0.6 * edge() + 0.1, edge())) < 0.01
    assert float(unevenness(glow, edge())) > 0.03


def test_restless_flat_areas_cost_unless_the_painting_is_as_restless_or_the_photo_is() -> None:
    flat = torch.full((1, 1, SIDE_PX, SIDE_PX), 0.5)
    assert float(restlessness(flat, flat, flat)) == 0
    assert float(restlessness(carpet(), flat, flat)) > 1
    assert float(restlessness(carpet(), carpet(), flat)) < 0.6 < float(restlessness(carpet(), flat, flat))
    assert float(restlessness(carpet(), flat, carpet())) == 0


def test_the_terms_pull_the_flaw_out_of_the_picture() -> None:
    for term in (lambda x: order_lost(x, sky()), lambda x: restlessness(x, sky() * 0 + 0.5, sky() * 0 + 0.5)):
        painted = (0.5 * carpet() + 0.25 + 0.01 * torch.randn(1, 1, SIDE_PX, SIDE_PX)).requires_grad_()
        before = term(painted)
        before.backward()
        assert painted.grad is not None
        assert bool(torch.isfinite(painted.grad).all())
        after = term(painted.detach() - 5 * painted.grad / painted.grad.abs().max() / 255)
        assert float(after) < float(before.detach())

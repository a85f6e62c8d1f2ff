"""A classifier that sees only the outside of trials finds what is there, and nothing where nothing is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pretty_midi
import pytest
import torch

from benchmarks.listening.trials import bundled_sources, make_trials
from engine.jazz.combo import Combo
from engine.jazz.judging.outside import of_file, of_sound
from engine.jazz.judging.same_conditions import (
    Sides,
    report,
    tell_apart,
    tell_apart_in_pairs,
)
from engine.jazz.rendering.codec import encode_opus
from engine.jazz.rendering.samples import RATE_HZ
from engine.settings import JazzSettings

SMALL_SOUNDFONT = str(Path(pretty_midi.__file__).parent / "TimGM6mb.sf2")


def made_up(trials: int = 60, seed: int = 0, **planted: float) -> Sides:
    """Sides whose features differ by chance alone, and by `planted` standard deviations."""
    generator = np.random.default_rng(seed)
    names = ("a", "b", "c", "d", "e", "f")
    piece = {name: generator.normal(0, 2, trials) for name in names}  # what both sides share
    human, model = ({name: piece[name] + generator.normal(0, 1, trials) for name in names} for _ in range(2))
    for name, shift in planted.items():
        human[name] = human[name] + shift
    return Sides(human, model, np.array([f"tune {n // 2}" for n in range(trials)]))


@pytest.mark.parametrize("tell", [tell_apart, tell_apart_in_pairs])
def test_where_the_sides_are_alike_the_interval_holds_chance(tell, monkeypatch: pytest.MonkeyPatch) -> None:
    """In 19 of 20 made-up evaluations, about: it is a 95 % interval."""
    monkeypatch.setattr("engine.jazz.judging.same_conditions.SWAPS", 39)
    held = sum(tell(made_up(40, seed), seed).holds_chance for seed in range(20))
    assert held >= 16


@pytest.mark.parametrize(("tell", "shift"), [(tell_apart, 2.0), (tell_apart_in_pairs, 1.2)])
def test_a_difference_in_one_feature_is_found(tell, shift: float) -> None:
    verdict = tell(made_up(d=shift))
    assert verdict.low > 0.5
    assert not verdict.holds_chance


def test_what_doesnt_vary_tells_nothing() -> None:
    alike = Sides({"size": np.full(20, 9.0)}, {"size": np.full(20, 9.0)}, np.array(["x"] * 20))
    assert tell_apart(alike).holds_chance
    assert tell_apart_in_pairs(alike).auc == 0.5


def test_the_report_names_what_differs() -> None:
    told = report(made_up(d=3.0), 0)
    assert "MORE than chance" in told
    assert "| d | +" in told


def test_the_outside_of_a_file_shows_codec_silence_and_brightness() -> None:
    generator = np.random.default_rng(0)
    noise = generator.normal(0, 0.1, (2 * RATE_HZ, 2)).astype(np.float32)
    late = noise.copy()
    late[: RATE_HZ // 2] = 0
    assert of_sound(late)["silence before"] == pytest.approx(0.5, abs=0.03)
    assert of_sound(noise)["silence before"] == 0
    dull = np.repeat(noise[::4], 4, axis=0)
    assert of_sound(dull)["above 16 kHz"] < of_sound(noise)["above 16 kHz"] - 3
    constant, varying = (of_file(encode_opus(late, constant=constant)) for constant in (True, False))
    assert constant["packet sizes"] < varying["packet sizes"]
    assert constant["bytes before the music"] == varying["bytes before the music"] > 0


def test_real_trials_differ_in_nothing_that_a_file_shows(tmp_path: Path) -> None:
    """One here; sixty in `python -m benchmarks trials`."""
    combo = Combo(torch.device("cpu"), JazzSettings(soundfont=SMALL_SOUNDFONT, clip_duration_s=6.0, takes=1))
    sides = make_trials(combo, bundled_sources(2)[1:], 3, lambda done: None)
    sides.write(tmp_path / "trials.csv")
    assert (tmp_path / "trials.csv").read_text().count("\n") == 3
    for name in (*of_file(encode_opus(np.zeros((480, 2), np.float32))), "duration", "bit rate"):
        assert (sides.human[name] == sides.model[name]).all(), name
    assert np.abs(sides.human["loudness"] - sides.model["loudness"]).max() < 0.05
    for end in ("silence before", "silence after"):
        assert np.abs(sides.human[end] - sides.model[end]).max() <= 0.06

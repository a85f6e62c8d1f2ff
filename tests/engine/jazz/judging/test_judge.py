from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from jazz_solos import made_up_solo
from PIL import Image

from engine.jazz.judging.evaluate import lines_of_solos
from engine.jazz.judging.judge import judge, note_channels
from engine.jazz.judging.measures import (
    MEASURES,
    Line,
    grooving_similarity,
    longest_repeat,
    measure,
    off_beat_position,
    pitch_class_entropy,
    table,
)
from engine.jazz.judging.side_by_side import draw_all, values_of
from engine.jazz.model.logistic import auc
from engine.jazz.model.weights_file import Weights
from engine.jazz.model.window_statistics import statistics
from engine.jazz.model.windows import Window, cut, notes_of_solo, windows_of_solo
from engine.jazz.playing.matched import matched_clips
from engine.jazz.playing.soloist import Soloist
from engine.jazz.theory.score import ChordSpan, Note


def windows(seeds: range) -> list[Window]:
    return [window for seed in seeds for window in windows_of_solo(made_up_solo(seed, notes=160))]


def test_auc_is_the_chance_to_rank_a_pair_right() -> None:
    assert auc(np.array([2.0, 3.0]), np.array([0.0, 1.0])) == 1.0
    assert auc(np.array([0.0, 1.0]), np.array([2.0, 3.0])) == 0.0
    assert auc(np.array([1.0, 1.0]), np.array([1.0, 1.0])) == 0.5
    generator = np.random.default_rng(0)
    a, b = generator.integers(0, 5, 40) * 1.0, generator.integers(1, 6, 30) * 1.0
    pairs = np.mean([(x > y) + 0.5 * (x == y) for x in a for y in b])
    assert auc(a, b) == pytest.approx(pairs)


def test_the_judge_tells_shuffled_lines_and_not_more_of_the_same() -> None:
    human, others = windows(range(24)), windows(range(24, 48))
    shaken = [
        dataclasses.replace(w, onset=np.sort(np.mod(w.onset * 7.3, w.beats)), group=f"m {w.group}") for w in others
    ]
    assert judge(human, shaken, feel=False, folds=2, epochs=3).auc > 0.85
    same = judge(human, [dataclasses.replace(w, group=f"m {w.group}") for w in others], feel=False, folds=2, epochs=2)
    assert same.auc < 0.75
    assert same.interval[0] <= same.auc <= same.interval[1]


def test_what_the_judge_sees_without_feel_hides_the_performance() -> None:
    window = windows(range(1))[0]
    moved = dataclasses.replace(
        window, onset=window.onset + 0.0, duration=window.duration * 0.5, velocity=window.velocity // 2
    )  # fmt: skip
    assert np.allclose(statistics(window, False), statistics(moved, False))
    assert np.allclose(note_channels(window, False), note_channels(moved, False))
    assert not np.allclose(statistics(window, True), statistics(moved, True))


def test_windows_are_whole_and_start_on_bars() -> None:
    notes = tuple(Note(0.5 * i, 0.4, 60, 80) for i in range(200))
    parts = cut(notes, 120, "g", last_beat=100.0)
    assert len(parts) == 3
    assert all(len(part.pitch) == 64 and part.onset[0] == 0.0 for part in parts)
    assert notes_of_solo(made_up_solo(0))[0].velocity > 0


def test_entropies_and_groove_of_known_lines() -> None:
    onset = np.arange(0, 32, 0.5)
    assert pitch_class_entropy(onset, np.full(64, 60), 4) == 0.0
    assert pitch_class_entropy(onset, np.tile([60, 64], 32), 4) == pytest.approx(1.0)
    assert grooving_similarity(onset, 4) == 1.0
    assert grooving_similarity(np.array([0.0, 1.0, 2.0, 3.0, 4.5, 5.5, 6.5, 7.5]), 4) == pytest.approx(1 - 8 / 64)


def test_the_longest_repeat_ignores_transposition() -> None:
    motif = np.array([0, 2, 4, 7, 5])
    assert longest_repeat(np.concatenate([60 + motif, [40, 90], 65 + motif])) == 5
    assert longest_repeat(np.array([60, 61, 63, 66, 70])) == 0


def test_the_off_beat_is_found_where_it_was_put() -> None:
    onset = np.ravel([[beat, beat + 0.58] for beat in range(16)])
    assert off_beat_position(onset) == pytest.approx(0.58)


def test_measures_of_a_line_over_its_chord() -> None:
    chord = (ChordSpan(0.0, 8.0, "C7"),)
    line = Line(
        tuple(Note(0.5 * i, 0.45, pitch, 80) for i, pitch in enumerate([60, 64, 67, 70, 61, 62, 66, 72] * 2)), chord
    )
    found = measure(line)
    assert found["chord tones %"] == pytest.approx(100 * 5 / 8)
    assert found["notes a bar"] == 8
    assert found["range"] == 12
    text = table({"human": [line, line], "machine": [line]})
    assert all(name in text for name in MEASURES)


def test_solos_can_be_seen_side_by_side(tmp_path: Path, tiny_weights: Weights) -> None:
    tiny_weights.networks["notes"]["ask_timing.answer.bias"][:3] = 7.0  # many notes
    solos = [made_up_solo(seed, notes=160) for seed in range(3)]
    human = [window for solo in solos for window in windows_of_solo(solo)]
    clips = matched_clips(Soloist.of(tiny_weights), solos, 3, bars=8, takes=1)
    machine = [window for clip in clips for window in clip.windows()]
    pieces = [(line, 120.0) for line in lines_of_solos(solos, 16)]
    draw_all(tmp_path / "new", human, machine, pieces, clips)
    drawn = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert drawn == sorted(["histograms.png", *(f"people-{n + 1}.png" for n in range(len(pieces[:4]))),
                            "soloist-1.png", "soloist-2.png", "soloist-3.png"])  # fmt: skip
    for path in (tmp_path / "new").iterdir():
        assert np.asarray(Image.open(path)).std() > 5  # something is on it


def test_the_histograms_count_what_they_say() -> None:
    notes = tuple(Note(0.5 * i + (0.02 if i % 2 == 0 else 0.0), 0.25, 60 + 2 * (i % 2), 50 + i) for i in range(64))
    (window,) = cut(notes, 120.0, "", last_beat=32.0)
    values = values_of([window])
    assert values["on the beat: late by ms"] == pytest.approx(np.full(32, 10.0))
    assert set(values["interval, semitones"].tolist()) == {2, -2}
    assert values["beats between onsets"].mean() == pytest.approx(0.5, abs=0.01)
    assert values["velocity"].tolist() == list(range(50, 114))

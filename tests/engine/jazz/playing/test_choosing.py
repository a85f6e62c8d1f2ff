from __future__ import annotations

import dataclasses
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from jazz_solos import made_up_solo

from engine.jazz.model.changes import changes_of_spans
from engine.jazz.model.excerpt import Setting
from engine.jazz.model.logistic import Logistic, auc
from engine.jazz.model.rendition_net import RenditionNet, RenditionShape
from engine.jazz.model.soloist_net import SoloistNet, SoloistShape
from engine.jazz.model.take_critic import LOOKS, TakeCritic
from engine.jazz.model.tokens import POSITIONS, Events
from engine.jazz.model.weights_file import Weights
from engine.jazz.model.window_statistics import harmony_statistics, statistics
from engine.jazz.model.windows import Window, notated_columns, window_at
from engine.jazz.playing.choosing import Choice
from engine.jazz.playing.copying import KnownRuns
from engine.jazz.playing.matched import matched_clips
from engine.jazz.playing.performing import Interpreter
from engine.jazz.playing.sampling import ChangesTable, Improviser, Takes, draw, excerpt_of_takes
from engine.jazz.playing.soloist import Soloist
from engine.jazz.theory.score import ChordSpan
from engine.jazz.training.take_critic import train_take_critic, windows_of_humans

CHANGES = changes_of_spans((ChordSpan(0.0, 32.0, "F7"), ChordSpan(32.0, 96.0, "Bb7")), 128, 4)


def setting_of(rows: int) -> Setting:
    one = torch.ones(rows, dtype=torch.long)
    return Setting(torch.full((rows,), 180.0), one, one, one, one, 4 * one)


def improviser(rows: int, seed: int = 0) -> Improviser:
    torch.manual_seed(0)
    network = SoloistNet(SoloistShape(width=16, blocks=2, heads=2, performers=1, context=24)).eval()
    with torch.no_grad():
        network.ask_timing.answer.bias[:3] = 7.0  # many notes, few rests
    return Improviser(network, [CHANGES] * rows, setting_of(rows), torch.Generator().manual_seed(seed))


@torch.no_grad()
def state_heard_at_once(line: Improviser, row: int) -> torch.Tensor:
    """The network's state after the line of a row, read in one go without a cache."""
    takes = line.takes.keep(torch.tensor([row]))
    takes = Takes(*(getattr(takes, name)[:, : int(takes.count)] for name in ("timing", "beat", "position", "pitch")),
                  takes.count)  # fmt: skip
    excerpt = excerpt_of_takes(takes, ChangesTable.of([CHANGES], torch.device("cpu")))
    return line.network(excerpt, line.setting[row : row + 1])[0, -1]


def test_takes_that_wait_and_takes_that_are_copied_go_on_as_if_they_had_played_alone() -> None:
    line = improviser(4)
    for end, rows in ((8, [2, 2, 0, 1]), (12, [3, 0, 0, 1]), (14, [0, 1, 2, 3])):
        line.play(torch.full((4,), end))
        assert line.count.unique().numel() > 1  # so some have waited
        line.keep(torch.tensor(rows))
    short = [row for row in range(4) if line.count[row] < 24]  # within the context, where both must agree
    assert short
    for row in short:
        torch.testing.assert_close(line.state[row], state_heard_at_once(line, row), atol=1e-4, rtol=1e-3)


def test_what_is_played_after_a_break_starts_there_or_later() -> None:
    line = improviser(6)
    line.play(torch.full((6,), 10))
    before = line.takes
    assert all(int(before.beat[row, : before.count[row]].max()) < 10 for row in range(6) if before.count[row])
    line.play(torch.full((6,), 20))
    after = line.takes
    for row in range(6):
        old, new = int(before.count[row]), int(after.count[row])
        assert torch.equal(after.beat[row, :old], before.beat[row, :old])
        assert all(beat >= 10 for beat in after.beat[row, old:new].tolist())
        onset = after.beat[row, :new] + after.position[row, :new] / 100.0
        assert bool((onset.diff() > 0).all())


def test_a_line_does_not_depend_on_where_it_was_interrupted() -> None:
    """Breaks change which numbers are drawn, not how often what is played: here, notes in 24 beats."""
    whole, parts = improviser(400, seed=1), improviser(400, seed=2)
    whole.play(torch.full((400,), 24))
    for end in (5, 8, 13, 24):
        parts.play(torch.full((400,), end))
    counts = [line.takes.count.double() for line in (whole, parts)]
    error = float(torch.sqrt(sum(c.var() for c in counts) / 400))
    assert abs(float(counts[0].mean() - counts[1].mean())) < 4 * error


def test_renditions_that_are_copied_go_on_from_the_same_past() -> None:
    line = improviser(1)
    line.play(torch.tensor([40]))
    torch.manual_seed(1)
    network = RenditionNet(RenditionShape(width=16, blocks=2, heads=2, performers=1)).eval()
    takes = line.takes.keep(torch.zeros(3, dtype=torch.long))
    table = ChangesTable.of([CHANGES] * 3, torch.device("cpu"))
    interpreter = Interpreter(network, excerpt_of_takes(takes, table), setting_of(3), torch.Generator().manual_seed(0))
    interpreter.play(10)
    past = interpreter.offset[1].clone()
    interpreter.keep(torch.tensor([1, 1, 1]))
    interpreter.play(takes.pitch.shape[1])
    offset, loudness, length = interpreter.rendition()
    assert offset.shape == loudness.shape == length.shape == takes.pitch.shape
    assert all(torch.equal(row[:10], past) for row in offset)
    assert not torch.equal(offset[0, 10:], offset[1, 10:])


def choice(critic: TakeCritic | None, takes: int = 8, trust: float = 1.0, seed: int = 0) -> Choice:
    return Choice([32], [CHANGES], [180.0], 4, takes, lead=0, heard=0, critic=critic, trust=trust,
                  runs=KnownRuns(np.zeros(0, np.int64)), generator=torch.Generator().manual_seed(seed))  # fmt: skip


class Partial(TakeCritic):
    """Likes many notes."""

    def __init__(self) -> None:
        super().__init__(dict.fromkeys(LOOKS, 1))

    def log_odds(self, windows: list[Window], look: str) -> np.ndarray:
        return np.array([0.5 * len(window.pitch) for window in windows])


def test_the_draw_follows_the_critics_odds() -> None:
    line = improviser(8)
    line.play(torch.full((8,), 32))
    odds = torch.softmax(0.5 * line.takes.count.double(), 0).numpy()
    drawn = [int(choice(Partial(), seed=seed).of_lines(line.takes, [32], None)[0]) for seed in range(600)]
    shares = np.bincount(drawn, minlength=8) / 600
    assert np.abs(shares - odds).max() < 4 * np.sqrt(0.25 / 600)
    blind = [int(choice(None, seed=seed).of_lines(line.takes, [32], None)[0]) for seed in range(600)]
    assert np.abs(np.bincount(blind, minlength=8) / 600 - 1 / 8).max() < 0.06


def test_a_copy_is_never_drawn_while_there_is_another_line(monkeypatch: pytest.MonkeyPatch) -> None:
    line = improviser(8)
    line.play(torch.full((8,), 32))
    copies = iter([20, 20, 20, 0, 20, 20, 20, 20] * 20)
    monkeypatch.setattr(KnownRuns, "longest", lambda *_: next(copies))
    for seed in range(20):
        assert set(choice(Partial(), seed=seed).of_lines(line.takes, [32], None).tolist()) == {3}


def test_a_request_that_has_ended_is_left_as_it_is() -> None:
    both = Choice([32, 64], [CHANGES] * 2, [180.0, 180.0], 4, 4, lead=0, heard=0, critic=Partial(), trust=1.0,
                  runs=KnownRuns(np.zeros(0, np.int64)), generator=torch.Generator().manual_seed(0))  # fmt: skip
    assert both.block_ends() == [[32, 32], [32, 64]]
    line = improviser(8)
    line.play(torch.full((8,), 32))
    rows = both.of_lines(line.takes, [32, 64], [32, 32])
    assert rows[:4].tolist() == [0, 1, 2, 3]
    assert rows[4:].unique().numel() == 1


def test_drawing_follows_the_odds_and_never_takes_what_is_forbidden() -> None:
    odds = torch.tensor([0.5, 0.0, 0.125, 0.375, 0.0])
    drawn = draw(odds.log().expand(40_000, -1), 1.0, torch.Generator().manual_seed(0))
    shares = torch.bincount(drawn, minlength=5) / len(drawn)
    assert (shares - odds).abs().max() < 0.01
    assert shares[1] == shares[4] == 0
    hot = draw(odds.log().expand(40_000, -1), 2.0, torch.Generator().manual_seed(0))
    assert torch.bincount(hot, minlength=5)[2] / len(hot) > 0.2  # .125 ** .5 of the roots' sum 1.67


def line_of(pitches: list[int]) -> Events:
    """Eighths from beat 0."""
    count = len(pitches)
    beat, half = np.divmod(np.arange(count), 2)
    zeros = np.zeros(count, int)
    return Events(
        beat,
        zeros,
        np.diff(beat, prepend=0),
        half * POSITIONS.index(Fraction(1, 2)),
        np.array(pitches),
        zeros,
        zeros,
        zeros,
    )


def test_notes_are_told_by_their_chord_its_scale_and_what_lies_outside() -> None:
    spans = (ChordSpan(0.0, 2.0, "C7"), ChordSpan(2.0, 1.0, "Fm7"), ChordSpan(3.0, 1.0, "NC"))
    columns = notated_columns(line_of([60, 62, 63, 70, 60, 65, 60, 61]), changes_of_spans(spans, 4, 4))
    assert columns.belonging.tolist() == [2, 1, 0, 2, 2, 2, -1, -1]


def test_the_critic_hears_whether_a_line_fits_its_chords() -> None:
    """The same lines, over their own chords and over those a semitone higher: only the harmony tells them apart."""
    generator = np.random.default_rng(0)
    own, other = (changes_of_spans((ChordSpan(0.0, 32.0, chord),), 32, 4) for chord in ("Cmaj7", "C#maj7"))
    lines = [line_of(generator.choice([60, 62, 64, 65, 67, 69, 71, 72], 60).tolist()) for _ in range(60)]
    sides = [[window_at(notated_columns(line, changes), 0, 32, 180.0) for line in lines] for changes in (own, other)]
    assert all(np.array_equal(*(statistics(window, feel=True) for window in pair)) for pair in zip(*sides, strict=True))
    fits, misfits = (np.stack([harmony_statistics(window) for window in side]) for side in sides)
    assert fits.shape == misfits.shape
    human, machine = (dict.fromkeys(LOOKS, side[:40]) for side in sides)
    critic = TakeCritic.fit(human, machine)
    assert critic.log_odds(sides[0][40:], "score").min() > critic.log_odds(sides[1][40:], "score").max()


def test_logistic_regression_finds_a_difference_and_keeps_it_in_its_state() -> None:
    generator = np.random.default_rng(0)
    rows = generator.normal(size=(600, 3))
    labels = (generator.random(600) < 1 / (1 + np.exp(-2 * rows[:, 1]))).astype(int)
    model = Logistic.fit(rows, labels, penalty=1e-4)
    weight = model.weight.numpy()
    assert 1.4 < weight[1] < 2.6
    assert np.abs(np.delete(weight, 1)).max() < 0.5
    again = Logistic(3)
    again.load_state_dict(model.state_dict())
    assert np.allclose(again.log_odds(rows), model.log_odds(rows))
    assert auc(model.log_odds(rows[labels == 1]), model.log_odds(rows[labels == 0])) > 0.75


def test_the_critic_makes_the_solos_more_like_what_it_was_taught(tmp_path: Path, tiny_weights: Weights) -> None:
    """It learns long phrases of many notes as human; with it, there are more notes than without."""
    tiny_weights.networks["notes"]["ask_timing.answer.bias"][:2] = 5.0
    solos = [made_up_solo(seed, notes=160) for seed in range(6)]
    soloist = Soloist.of(tiny_weights.without("takes"))
    clips = matched_clips(soloist, solos, 30, bars=8, takes=1, batch=30)
    dense = [dataclasses.replace(solo, notes=solo.notes, split="train") for solo in solos]
    found = train_take_critic(dense, dense[:2], clips, tmp_path)
    assert set(found) == set(LOOKS)
    state = torch.load(tmp_path / "takes.pt", weights_only=True)
    weights = dataclasses.replace(
        tiny_weights,
        networks={**tiny_weights.networks, "takes": state["average"]},
        shapes={**tiny_weights.shapes, "takes": state["shape"]},
    )
    judged = TakeCritic(state["shape"])
    judged.load_state_dict(state["average"])

    def mean_odds(weights: Weights, takes: int) -> float:
        played = matched_clips(Soloist.of(weights), solos, 12, bars=8, seed=9, takes=takes, batch=6)
        windows = [window for clip in played for window in clip.windows()]
        return float(judged.log_odds(windows, "performance").mean())

    assert mean_odds(weights, 8) > mean_odds(tiny_weights.without("takes"), 1)


def test_both_looks_see_all_windows_of_a_human_solo() -> None:
    windows = windows_of_humans([made_up_solo(seed, notes=120) for seed in range(4)])
    assert len(windows["score"]) >= len(windows["performance"]) > 4
    assert {window.group for window in windows["score"]} == {window.group for window in windows["performance"]}
    score = windows["score"][0]
    assert np.allclose(np.rint(score.onset * 12 * 5 * 7), score.onset * 12 * 5 * 7, atol=0.2)  # nothing but fractions

"""Votes of a class, here simulated listeners whose taste is known, teach the soloist what they like."""

from __future__ import annotations

import csv
import dataclasses
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import torch
from jazz_solos import made_up_solo

from engine.errors import BadOption
from engine.jazz.model.batches import Encoded, encode_solos
from engine.jazz.model.perplexity import log_likelihoods, losses
from engine.jazz.model.soloist_net import SoloistNet, SoloistShape
from engine.jazz.model.weights_file import Weights
from engine.jazz.playing.matched import matched_clips
from engine.jazz.playing.soloist import Soloist
from engine.jazz.rendering.midi import write_midi
from engine.jazz.theory.score import ChordSpan, Note, Score
from engine.jazz.training.critic import encode_clips
from engine.jazz.training.stage import Group, load_checkpoint, save_checkpoint
from engine.jazz.training.voted import VotedPlan, VotedTrial, read_votes, train_voted

GROUP = Group(0, 1, torch.device("cpu"))
SOLOS = [made_up_solo(seed, notes=160) for seed in range(4)]
HUMANS = encode_solos(SOLOS, ("A",))
COLUMNS = ("voter", "series", "trial", "design", "catch", "choice", "answer", "confidence", "knows", "simulated")


def solo_midi(pitch: int = 60) -> bytes:
    notes = tuple(Note(float(n), 0.5, pitch + n % 5, 80) for n in range(16))
    return write_midi(Score(120.0, 4, (ChordSpan(0.0, 16.0, "C7"),), {"solo": notes}))


def vote(voter: str, choice: str, trial: int = 1, **more: object) -> dict[str, object]:
    values = {"series": 1, "design": "pair", "catch": 0, "answer": "A", "confidence": "", "knows": 0, "simulated": 0}
    return {**values, "voter": voter, "choice": choice, "trial": trial, **more}


def exported(folder: Path, votes: Sequence[dict[str, object]], trials: int = 1) -> Path:
    """The files of `/poll export` as far as they matter here."""
    with (folder / "votes.csv").open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(votes)
    with closing(sqlite3.connect(folder / "listening.sqlite3")) as connection:
        connection.execute(
            "CREATE TABLE trials (series, trial, design, answer, chords, bars, tempo_bpm, instrument, feel,"
            " beats_per_bar)"
        )
        connection.execute("CREATE TABLE solos (series, trial, side, midi)")
        for trial in range(1, trials + 1):
            row = (1, trial, "pair", "A", "C7", 4, 120.0, "trumpet", "swing", 4)
            connection.execute(f"INSERT INTO trials VALUES ({', '.join('?' * 10)})", row)
            for side in ("human", "model"):
                connection.execute("INSERT INTO solos VALUES (1, ?, ?, ?)", (trial, side, solo_midi()))
        connection.commit()
    return folder / "votes.csv"


def test_votes_weigh_by_confidence_and_known_pieces_simulated_and_careless_ones_are_left_out(tmp_path: Path) -> None:
    votes = exported(tmp_path, [
        vote("sure", "B", confidence=100), vote("silent", "A"), vote("guess", "B", confidence=50),
        vote("knows", "A", knows=1), vote("bot", "A", simulated=1),
        vote("careless", "B", confidence=100), vote("careless", "B", trial=2, catch=1),
    ])  # fmt: skip
    (trial,) = read_votes(votes)
    assert (trial.fooled, trial.spotted) == (1.0, 0.5)
    assert trial.human is not None
    assert len(trial.model.events) == len(trial.human.events) == 16
    (made_up,) = read_votes(votes, simulated=True)
    assert (made_up.fooled, made_up.spotted) == (0.0, 0.5)


def test_an_export_without_notes_is_named_with_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(BadOption, match="poll export"):
        read_votes(tmp_path / "votes.csv")
    votes = exported(tmp_path, [vote("a", "A")])
    with closing(sqlite3.connect(tmp_path / "listening.sqlite3")) as connection:
        connection.execute("DROP TABLE solos")
    with pytest.raises(BadOption, match="export the votes again"):
        read_votes(votes)


@pytest.mark.parametrize(
    "spoilt",
    [
        {"confidence": "nan"}, {"confidence": "inf"}, {"confidence": "-400"}, {"confidence": "=1+1"},
        {"series": "9" * 5000}, {"trial": "x"}, {"trial": ""},
    ],
)  # fmt: skip
def test_a_table_of_votes_that_somebody_has_forged_is_refused(tmp_path: Path, spoilt: dict[str, str]) -> None:
    votes = exported(tmp_path, [vote("a", "A"), vote("b", "B", **spoilt)])
    with pytest.raises(BadOption, match="isn't as"):
        read_votes(votes)


@pytest.mark.parametrize("spoilt", [b"", b"MThd", b"\x80\x04\x95pickle", "text", 7])
def test_notes_that_somebody_has_forged_are_refused(tmp_path: Path, spoilt: object) -> None:
    votes = exported(tmp_path, [vote("a", "A")])
    with closing(sqlite3.connect(tmp_path / "listening.sqlite3")) as connection:
        connection.execute("UPDATE solos SET midi = ?", (spoilt,))
        connection.commit()
    with pytest.raises(BadOption, match="isn't as"):
        read_votes(votes)


def test_a_trial_whose_solo_was_removed_is_left_out(tmp_path: Path) -> None:
    votes = exported(tmp_path, [vote("a", "A"), vote("a", "B", trial=2)], trials=2)
    with closing(sqlite3.connect(tmp_path / "listening.sqlite3")) as connection:
        connection.execute("DELETE FROM solos WHERE trial = 1 AND side = 'human'")
        connection.commit()
    assert len(read_votes(votes)) == 1


def test_the_likelihood_of_an_excerpt_is_what_the_loss_says() -> None:
    from engine.jazz.model.batches import collate

    network = SoloistNet(SoloistShape(width=16, blocks=1, heads=2, performers=1)).eval()
    batch = collate([(HUMANS[0], 0, 20, 0, 0)], 30)
    expected = -sum(value.item() for value in losses(network, batch).values())
    assert log_likelihoods(network, batch).item() == pytest.approx(expected, abs=1e-4)


def height(pitches: Sequence[int] | np.ndarray) -> float:
    """Mean, in octaves."""
    return float(np.mean(pitches)) / 12


def likes_it_high(model: Encoded, human: Encoded, voters: int = 20) -> VotedTrial:
    """Twenty simulated listeners who take the higher side for the human's."""
    lead = height(model.events.pitch) - height(human.events.pitch)
    share = 1 / (1 + np.exp(-40.0 * lead))
    return VotedTrial(model, human, voters * float(share), voters * float(1 - share))


def test_what_simulated_listeners_like_gets_likelier(tmp_path: Path, tiny_weights: Weights) -> None:
    tiny_weights.networks["notes"]["ask_timing.answer.bias"][:3] = 6.0
    lines = encode_clips(matched_clips(Soloist.of(tiny_weights.without("takes")), SOLOS, 40, bars=8, takes=1, batch=40))
    half = len(lines) // 2
    trials = [likes_it_high(*pair) for pair in zip(lines[:half], lines[half : 2 * half], strict=True)]
    start = tmp_path / "start.pt"
    save_checkpoint(start, average=tiny_weights.networks["notes"], shape=tiny_weights.shapes["notes"])
    plan = VotedPlan(
        steps=60, trials=8, likelihood_batch=1, notes=48, weight=20.0, peak=3e-3, average=0.5, max_rise=1e12
    )
    measured = train_voted(HUMANS, HUMANS[:1], trials, start, plan, tmp_path, GROUP, show_progress=False)
    assert measured["gain"] > 0
    learned = load_checkpoint(tmp_path / "voted.pt", GROUP.device)

    def played(weights: Weights) -> float:
        clips = matched_clips(Soloist.of(weights.without("takes")), SOLOS, 24, bars=8, seed=8, takes=1, batch=24)
        return height([note.pitch for clip in clips for note in clip.improvisation.notes])

    networks = {**tiny_weights.networks, "notes": learned["average"]}
    assert played(dataclasses.replace(tiny_weights, networks=networks)) > 0.1 + played(tiny_weights)


def test_too_few_trials_are_refused(tmp_path: Path, tiny_weights: Weights) -> None:
    save_checkpoint(tmp_path / "s.pt", average=tiny_weights.networks["notes"], shape=tiny_weights.shapes["notes"])
    trial = VotedTrial(HUMANS[0], HUMANS[1], 3.0, 2.0)
    with pytest.raises(BadOption, match="8 are needed"):
        train_voted(HUMANS, HUMANS[:1], [trial] * 7, tmp_path / "s.pt", VotedPlan(), tmp_path, GROUP)

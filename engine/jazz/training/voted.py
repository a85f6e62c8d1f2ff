"""The soloist learns from a class: which side of a trial its listeners took for the human.

Each pair of a closed series is a preference between two solos over the same chords. With the log likelihood ratio of
the learning network to the one it began as for a reward, the difference of the two rewards is fitted to the share of
votes (direct preference optimisation, Rafailov et al. 2023, eq. 7, with shares for labels as in Mitchell's note on
conservative DPO, 2023; likelihoods are means over a solo's notes, as in Meng et al., SimPO, 2024). Single clips have no
other side: their reward is compared with the mean of the model's clips (Jung et al., Binary Classifier Optimization,
2024). Always mixed with likelihood of the human solos. Some trials are held back, and without a gain on those nothing
is written.
"""

from __future__ import annotations

import csv
import io
import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from engine.errors import BadOption
from engine.jazz.corpus.solos import INSTRUMENTS
from engine.jazz.model.batches import Encoded, collate, excerpt_end, random_batch
from engine.jazz.model.perplexity import log_likelihoods, losses, to_device
from engine.jazz.model.soloist_net import SoloistNet
from engine.jazz.model.tokens import Events, events_of_notes
from engine.jazz.playing.request import Request
from engine.jazz.theory.feel import SOLOIST_FEELS
from engine.jazz.theory.harmony import parse_changes
from engine.jazz.theory.score import Note
from engine.jazz.training.fine_tuning import FineTuning, FineTuningPlan
from engine.jazz.training.stage import Group, total

UNSAID = 0.5
"""Weight of a vote whose voter didn't say how sure they are: as much as of one who said 75 %."""
TRUSTED_VOTES = 4.0
"""So many whole votes give a trial half of its weight."""
SHORTEST = 8
FEWEST_TRIALS = 8


@dataclass(frozen=True)
class VotedPlan(FineTuningPlan):
    """`trials` pairs and `likelihood_batch` human excerpts of `notes` notes a step. `sharpness`: by how much a nat a
    note moves the log odds of a vote."""

    steps: int = 24
    weight: float = 3.0
    max_rise: float = 0.027
    trials: int = 8
    likelihood_batch: int = 12
    notes: int = 96
    sharpness: float = 5.0


@dataclass(frozen=True)
class VotedTrial:
    """Both sides, and what was voted. `human` is None for a single clip, of the model's. `fooled`, `spotted`: votes
    that took the model's side for the human's, and those that didn't, each weighing 0 (guessed) to 1 (certain)."""

    model: Encoded
    human: Encoded | None
    fooled: float
    spotted: float

    @property
    def share(self) -> float:
        return (self.fooled + 0.5) / (self.fooled + self.spotted + 1.0)

    @property
    def weight(self) -> float:
        votes = self.fooled + self.spotted
        return votes / (votes + TRUSTED_VOTES)


def read_votes(votes: Path, *, simulated: bool = False) -> list[VotedTrial]:
    """The trials of an export of `/poll export`: `votes`, and `listening.sqlite3` beside it, with the notes.

    Left out: who knows the piece, catch trials and who missed one, simulated votes (or, with `simulated`, all others),
    and trials whose notes aren't kept. Raises `BadOption` with what to do."""
    database = votes.with_name("listening.sqlite3")
    for path in (votes, database):
        if not path.is_file():
            raise BadOption(f"There's no {path}. Unpack all files of `/poll export` into one folder.")
    try:
        return _trials(votes, database, simulated)
    except sqlite3.Error as error:
        raise BadOption(f"{database} has no notes in it. Please export the votes again.") from error
    except BadOption:
        raise
    except Exception as error:  # of whatever kind: a file that came from elsewhere may hold anything
        raise BadOption(f"{votes} or a file beside it isn't as `/poll export` wrote them ({error!r}).") from error


def _trials(votes: Path, database: Path, simulated: bool) -> list[VotedTrial]:
    with votes.open(newline="", encoding="utf-8-sig") as file:
        rows = [row for row in csv.DictReader(file) if row.get("choice")]
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        solos = {
            (row["series"], row["trial"], row["side"]): row["midi"]
            for row in connection.execute("SELECT series, trial, side, midi FROM solos")
        }
        trials = [dict(row) for row in connection.execute("SELECT * FROM trials")]
    missed = {(row["voter"], row["series"]) for row in rows if row["catch"] == "1" and row["choice"] != row["answer"]}
    counts: dict[tuple[int, int], list[float]] = defaultdict(lambda: [0.0, 0.0])
    for row in rows:
        counted = row["knows"] == "0" and row["catch"] == "0" and (row["simulated"] == "1") == simulated
        if counted and (row["voter"], row["series"]) not in missed:
            sure = _sureness(row["confidence"])
            right = row["choice"] == row["answer"]
            counts[int(row["series"]), int(row["trial"])][right] += sure
    found = []
    for trial in trials:
        key = (int(trial["series"]), int(trial["trial"]))
        fooled, spotted = counts.get(key, (0.0, 0.0))
        pair = trial["design"] == "pair"
        model = _encoded(solos.get((*key, "model")), trial)
        human = _encoded(solos.get((*key, "human")), trial) if pair else None
        if (
            fooled + spotted > 0
            and model is not None
            and (human is not None or not pair)
            and trial["answer"] != "human"
        ):
            found.append(VotedTrial(model, human, fooled, spotted))
    return found


def _sureness(confidence: str) -> float:
    """The weight of a vote: 0 (50 %: guessed) to 1 (100 %). Raises `ValueError`."""
    if not confidence:
        return UNSAID
    percent = float(confidence)
    if not 50 <= percent <= 100:
        raise ValueError(f"a confidence of {confidence} %")
    return 2 * (percent / 100 - 0.5)


def _encoded(midi: bytes | None, trial: dict[str, str]) -> Encoded | None:
    """The solo of a trial's MIDI file over the trial's chords, in tokens; None without one."""
    if midi is None:
        return None
    import pretty_midi  # slow to import, needed by this reader only

    tempo_bpm, bars, metre = float(trial["tempo_bpm"]), int(trial["bars"]), int(trial["beats_per_bar"]) or 4
    parts = [part for part in pretty_midi.PrettyMIDI(io.BytesIO(midi)).instruments if part.name == "solo"]
    beat_s = 60.0 / tempo_bpm
    notes = tuple(
        Note(note.start / beat_s, (note.end - note.start) / beat_s, note.pitch, note.velocity)
        for part in parts for note in part.notes if note.start / beat_s < bars * metre
    )  # fmt: skip
    if len(notes) < SHORTEST:
        return None
    instrument = trial["instrument"] if trial["instrument"] in INSTRUMENTS else "tenor sax"
    changes = parse_changes(trial["chords"], bars, metre)
    request = Request(changes, bars, tempo_bpm, instrument, metre, "", SOLOIST_FEELS.get(trial["feel"], ""))
    events = events_of_notes(notes, tempo_bpm)
    inside = int(np.searchsorted(events.beat, request.beats))  # the last note may count as one of the next bar
    events = Events(**{name: getattr(events, name)[:inside] for name in Events.__dataclass_fields__})
    return Encoded(events, request.table(), tempo_bpm, *request.numbers(), 0, metre)


def preference_loss(
    network: SoloistNet, start: SoloistNet, trials: Sequence[VotedTrial], shifts: Sequence[int], plan: VotedPlan,
    group: Group,
) -> Tensor:  # fmt: skip
    """The weighted mean cross-entropy of the votes, in nats. `shifts`: semitones up, of both sides of each trial."""

    def rewards(sides: Sequence[tuple[Encoded, int]]) -> Tensor:
        items = [(side, 0, excerpt_end(side, 0, plan.notes), shift, 0) for side, shift in sides]
        batch = to_device(collate(items, plan.notes), group.device)
        with torch.no_grad():
            before = log_likelihoods(start, batch)
        return plan.sharpness * (log_likelihoods(network, batch) - before)

    model = rewards([(trial.model, shift) for trial, shift in zip(trials, shifts, strict=True)])
    pairs = [n for n, trial in enumerate(trials) if trial.human is not None]
    other = model.detach().mean().expand(len(trials)).clone()
    if pairs:
        other[pairs] = rewards([(trials[n].human, shifts[n]) for n in pairs])  # type: ignore[misc]
    share = torch.tensor([trial.share for trial in trials], device=model.device)
    weight = torch.tensor([trial.weight for trial in trials], device=model.device)
    told = F.binary_cross_entropy_with_logits(model - other, share, reduction="none")
    return (told * weight).sum() / weight.sum()


def train_voted(
    solos: list[Encoded],
    held_out: list[Encoded],
    trials: Sequence[VotedTrial],
    start: Path,
    plan: VotedPlan,
    folder: Path,
    group: Group,
    *,
    show_progress: bool = True,
) -> dict[str, float]:
    """Go on from the checkpoint `start`; resumes from `folder`/voted.pt.

    Returns the measurement of what was kept, with `gain`: by how many nats a vote on the trials that were held back
    (one in five) is told better than before any learning. Raises `BadOption` for too few trials."""
    if len(trials) < FEWEST_TRIALS:
        raise BadOption(
            f"Those votes are on {len(trials)} trials that can be learned from; {FEWEST_TRIALS} are needed."
        )
    order = np.random.default_rng(plan.seed).permutation(len(trials))
    kept_back = max(2, len(trials) // 5)
    others, learned = ([trials[n] for n in part] for part in (order[:kept_back], order[kept_back:]))
    tuning = FineTuning("voted", start, plan, folder, group, corruption=0.0, dropout=0.0)
    network = tuning.network
    before = SoloistNet(tuning.shape).to(group.device)
    before.load_state_dict(network.state_dict())
    before.eval().requires_grad_(False)

    def take_step(generator: np.random.Generator) -> dict[str, float]:
        human = to_device(random_batch(solos, plan.likelihood_batch, plan.notes, generator), group.device)
        drawn = [learned[int(n)] for n in generator.integers(len(learned), size=plan.trials)]
        likelihood = total(losses(network, human))
        told = preference_loss(network, before, drawn, generator.integers(-6, 6, plan.trials).tolist(), plan, group)
        tuning.soloist.learn(likelihood + plan.weight * told)
        return {"likelihood": likelihood.item(), "votes": told.item()}

    measured = tuning.run(take_step, held_out, seed_offset=3_000_000, show_progress=show_progress)
    judge = SoloistNet(tuning.shape).to(group.device)
    judge.load_state_dict(tuning.kept())
    judge.eval()
    with torch.no_grad():
        unmoved, moved = (
            preference_loss(net, before, others, [0] * len(others), plan, group).item() for net in (before, judge)
        )
    return {**measured, "gain": unmoved - moved}

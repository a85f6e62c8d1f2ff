"""A class whose taste is known, and which doesn't exist, votes; the soloist learns from it and races its former self:
`python -m benchmarks taste --data DIR`. Everything that comes of it is marked as simulated.

The listeners take the side with more notes in small steps (up to a whole tone) for the human's. The votes are written
as `/poll export` writes them, and `python -m engine train jazz --votes --simulated` learns from them. Then both
versions play against people, over chords that nobody voted on before, for other simulated listeners, until the race is
decided.
"""

from __future__ import annotations

import csv
import random
import sqlite3
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import torch

from bot.rules.model_race import Race, Runner, race
from engine.command_line import Parser
from engine.jazz.corpus.shards import corpus_of
from engine.jazz.corpus.solos import Solo
from engine.jazz.model.weights_file import FILE_NAME, load_weights
from engine.jazz.model.windows import notes_of_solo
from engine.jazz.playing.matched import spans_of
from engine.jazz.playing.request import Request
from engine.jazz.playing.soloist import WEIGHTS_DIR, Soloist
from engine.jazz.rendering.midi import write_midi
from engine.jazz.theory.feel import feel_of_tempo
from engine.jazz.theory.harmony import format_changes
from engine.jazz.theory.score import Note, Score
from engine.jazz.training import train

BARS = 8
SHARPNESS = 12.0
"""Log odds of a simulated vote for each unit of the taste."""
SURE = (50, 60, 70, 80, 90, 100)
BATCH = 40


def taste(notes: Sequence[Note]) -> float:
    """The share of steps that are no larger than a whole tone."""
    pitches = [note.pitch for note in sorted(notes, key=lambda note: note.onset)]
    return float(np.mean(np.abs(np.diff(pitches)) <= 2)) if len(pitches) > 1 else 0.0


def excerpts(solos: Sequence[Solo], count: int, seed: int) -> list[tuple[Request, tuple[Note, ...]]]:
    """What people played, and the request that asks for the same."""
    generator = np.random.default_rng(seed)
    usable = [solo for solo in solos if solo.beats_per_bar == 4 and solo.instrument and len(solo.beats) > 4 * BARS + 8]
    found: list[tuple[Request, tuple[Note, ...]]] = []
    while len(found) < count:
        solo = usable[int(generator.integers(len(usable)))]
        bars = np.flatnonzero(solo.beats["beat_in_bar"] == 0)
        bars = bars[bars + 4 * BARS <= len(solo.beats)]
        start = int(generator.choice(bars))
        notes = tuple(
            Note(note.onset - start, note.duration, note.pitch, note.velocity)
            for note in notes_of_solo(solo) if start <= note.onset < start + 4 * BARS
        )  # fmt: skip
        tempo = float(np.clip(solo.tempo_bpm, 40, 320))
        if len(notes) >= 2 * BARS:
            changes = spans_of(solo.symbols()[start : start + 4 * BARS])
            found.append((Request(changes, BARS, tempo, solo.instrument, 4, "", solo.feel), notes))
    return found


def play(soloist: Soloist, requests: Sequence[Request], seed: int) -> list[tuple[Note, ...]]:
    """One take of each: nothing but the network chooses."""
    played: list[tuple[Note, ...]] = []
    for first in range(0, len(requests), BATCH):
        part = requests[first : first + BATCH]
        played += [line.notes for line in soloist.improvise_many(part, seed=seed + first, takes=1)]
    return played


def fooled(model: Sequence[Note], human: Sequence[Note]) -> float:
    """The probability that a simulated listener takes the model's side for the human's."""
    return float(1 / (1 + np.exp(-SHARPNESS * (taste(model) - taste(human)))))


def write_export(
    folder: Path, pairs: Sequence[tuple[Request, tuple[Note, ...], tuple[Note, ...]]], voters: int, rng: random.Random
) -> Path:
    """`votes.csv` and `listening.sqlite3`, every vote marked as simulated."""
    folder.mkdir(parents=True, exist_ok=True)
    database = folder / "listening.sqlite3"
    database.unlink(missing_ok=True)
    with (
        (folder / "votes.csv").open("w", newline="", encoding="utf-8-sig") as file,
        closing(sqlite3.connect(database)) as connection,
    ):
        writer = csv.writer(file)
        writer.writerow(
            ["voter", "series", "trial", "design", "catch", "choice", "answer", "confidence", "knows", "simulated"]
        )
        connection.execute(
            "CREATE TABLE trials (series, trial, design, answer, chords, bars, tempo_bpm, instrument, feel,"
            " beats_per_bar)"
        )
        connection.execute("CREATE TABLE solos (series, trial, side, midi)")
        for number, (request, human, model) in enumerate(pairs, start=1):
            answer, other = rng.sample(["A", "B"], 2)
            p = fooled(model, human)
            for voter in range(voters):
                choice = other if rng.random() < p else answer
                sure = min(SURE, key=lambda one: abs(one / 100 - max(p, 1 - p)))
                writer.writerow([f"simulated-{voter}", 1, number, "pair", 0, choice, answer, sure, 0, 1])
            chords, feel = format_changes(request.changes, 4), feel_of_tempo(request.tempo_bpm).name
            row = (1, number, "pair", answer, chords, BARS, request.tempo_bpm, request.instrument, feel, 4)
            connection.execute(f"INSERT INTO trials VALUES ({', '.join('?' * len(row))})", row)
            for side, notes in (("human", human), ("model", model)):
                score = Score(request.tempo_bpm, BARS, request.changes, {"solo": notes}, 4, (), request.instrument)
                connection.execute("INSERT INTO solos VALUES (1, ?, ?, ?)", (number, side, write_midi(score)))
        connection.commit()
    return folder / "votes.csv"


def run_race(
    old: Soloist, new: Soloist, settings: Sequence[tuple[Request, tuple[Note, ...]]], voters: int, seed: int
) -> tuple[Race, int]:
    """Both play half of the trials; looked at after every six. Where it stood when it was decided, or at the end, and
    after how many trials."""
    rng = random.Random(seed)
    requests = [request for request, _ in settings]
    sides = [play(soloist, requests[first::2], seed) for first, soloist in ((0, old), (1, new))]
    shares: list[list[float]] = [[], []]
    standing = None
    for n, (_, human) in enumerate(settings):
        p = fooled(sides[n % 2][n // 2], human)
        shares[n % 2].append(sum(rng.random() < p for _ in range(voters)) / voters)
        if n % 6 == 5:
            standing = race(Runner(old.version, tuple(shares[0])), Runner(new.version, tuple(shares[1])), rng)
            if standing.decided:
                return standing, n + 1
    assert standing is not None
    return standing, len(settings)


def main(argv: list[str]) -> int:
    parser = Parser(prog="python -m benchmarks taste", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the corpus that the soloist was trained on")
    parser.add_argument("--out", type=Path, default=Path("var/bench/taste"))
    parser.add_argument("--trials", type=int, default=80, help="that are voted on before the learning")
    parser.add_argument("--voters", type=int, default=20)
    parser.add_argument("--steps", type=int, default=24)
    parser.add_argument("--race", type=int, default=120, help="trials of the race at most")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    began = time.monotonic()
    splits = corpus_of(args.data, args.out, 1)
    shipped = Soloist.of(load_weights(WEIGHTS_DIR / FILE_NAME).without("takes"))
    settings = excerpts(splits["train"], args.trials, args.seed)
    played = play(shipped, [request for request, _ in settings], args.seed)
    pairs = [(request, human, model) for (request, human), model in zip(settings, played, strict=True)]
    votes = write_export(args.out, pairs, args.voters, random.Random(args.seed))
    candidate = args.out / "candidate.safetensors"
    (args.out / "voted.pt").unlink(missing_ok=True)
    code = train.main([
        "--data", str(args.data), "--out", str(args.out), "--votes", str(votes), "--simulated", "--threads", "1",
        "--candidate", str(candidate), "--steps", str(args.steps), "--device", "cpu",
    ])  # fmt: skip
    if code:
        return code
    learned = Soloist.of(load_weights(candidate).without("takes"))
    others = excerpts(splits["val"], args.race, args.seed + 1)
    standing, trials = run_race(shipped, learned, others, args.voters, args.seed)
    seconds = time.monotonic() - began
    word = "takes over" if standing.decided else "doesn't take over"
    sys.stdout.write(
        f"SIMULATED listeners who like small steps: {args.voters} of them on {args.trials} trials.\n"
        f"{standing.champion.version} is taken for the human in {standing.champion.share:.3f} of the votes, "
        f"{standing.candidate.version} in {standing.candidate.share:.3f}.\nAfter {trials} trials of the race the "
        f"posterior is {standing.posterior:.4f}: the new version {word}. {seconds:.0f} s in all.\n"
    )
    return 0

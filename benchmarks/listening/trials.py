"""Both sides of blind trials as a poll makes them, and whether anything but the notes tells them apart: `python -m
benchmarks trials`. With `--data` the human sides are excerpts of solos that no network learned from."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from engine.command_line import Parser
from engine.contract import engine_pb2 as pb
from engine.jazz.band import weights as band_weights
from engine.jazz.band.section import accompany
from engine.jazz.combo import Combo
from engine.jazz.corpus.shards import corpus_of
from engine.jazz.corpus.solos import Solo
from engine.jazz.finishing.work import Lead
from engine.jazz.importing.pieces import PIECES
from engine.jazz.judging.outside import features_of
from engine.jazz.judging.same_conditions import Sides, report
from engine.jazz.model.windows import first_bar, notes_of_solo
from engine.jazz.playing.matched import spans_of
from engine.jazz.rendering.midi import write_midi
from engine.jazz.rendering.render import mix
from engine.jazz.rendering.room import CPU, in_room
from engine.jazz.rendering.sound import as_long_as
from engine.jazz.theory.score import Note, Score
from engine.progress import silent
from engine.settings import JazzSettings

BARS = 12
SEEDS = 2**31
MOST_BYTES = 5 * 2**20
"""What a server's limit of 10 MiB leaves to one side of a pair."""


def sources_of(solos: Sequence[Solo], trials: int, seed: int) -> list[tuple[str, bytes]]:
    """(tune, MIDI file) of `trials` excerpts of human solos in 4/4, solo after solo, each from a whole bar on."""
    generator = np.random.default_rng([seed, 1])
    usable = [solo for solo in solos if solo.beats_per_bar == 4 and len(solo.beats) >= 4 * BARS + 8]
    found: list[tuple[str, bytes]] = []
    while len(found) < trials:
        for at in generator.permutation(len(usable)):
            solo = usable[at]
            first = first_bar(solo)
            bars = np.flatnonzero(solo.beats["beat_in_bar"] == 0)
            bars = bars[(bars + 4 * BARS <= len(solo.beats)) & (bars >= (first or 0.0))]
            start = int(generator.choice(bars)) if len(bars) else 0
            notes = [
                Note(note.onset - start, note.duration, note.pitch, note.velocity)
                for note in notes_of_solo(solo) if start <= note.onset < start + 4 * BARS
            ]  # fmt: skip
            if len(notes) >= 2 * BARS:
                chords = spans_of(solo.symbols()[start : start + 4 * BARS])
                score = Score(solo.tempo_bpm, BARS, chords, {"solo": tuple(notes)}, 4, (), solo.instrument)
                found.append((solo.tune, write_midi(score)))
            if len(found) == trials:
                break
    return found


def bundled_sources(trials: int) -> list[tuple[str, str]]:
    """(piece, piece) for `trials` trials of the pieces that come with the engine, in turn."""
    names = list(PIECES)
    return [(names[n % len(names)], names[n % len(names)]) for n in range(trials)]


def make_trial(
    combo: Combo, source: bytes | str, band_seed: int, solo_seed: int
) -> tuple[pb.Clip, pb.Clip, dict[str, float], dict[str, float]]:
    """Both sides of a trial as `/poll` prepares them, and the features of each."""
    request = pb.RenderRequest(seed=band_seed, melody_track=-1, for_trial=True, max_bytes=MOST_BYTES)
    if isinstance(source, str):
        request.piece_id = source
    else:
        request.midi = source
    human, human_features = _side(combo, request)
    model, model_features = _side(
        combo,
        pb.PlayRequest(
            chords=human.chords, bars=human.bars, tempo_bpm=human.tempo_bpm, instrument=human.instrument,
            feel=human.feel, beats_per_bar=human.beats_per_bar, seed=band_seed, solo_seed=solo_seed, for_trial=True,
            max_bytes=MOST_BYTES,
        ),
    )  # fmt: skip
    return human, model, human_features, model_features


def _side(combo: Combo, request: pb.PlayRequest | pb.RenderRequest) -> tuple[pb.Clip, dict[str, float]]:
    work = combo.improvise(request, combo.read(request), silent)
    clip = combo.finish(work, silent)
    lead = work.music
    assert isinstance(lead, Lead)
    score = accompany(
        band_weights.load(), lead.solo, lead.changes, lead.sections, lead.bars, lead.tempo_bpm, lead.feel,
        lead.instrument, lead.seed, lead.beats_per_bar,
    )  # fmt: skip
    stems = combo.synthesizer.stems(score, lead.feel.name == "ballad", lambda share: None)
    alone = {part: stem for part, stem in stems.items() if part != "solo"}
    music_s = score.seconds(score.beats)
    band, whole = (as_long_as(mix(parts, in_room), music_s) for parts in (alone, stems))
    return clip, features_of(clip, band, whole)


def make_trials(
    combo: Combo, sources: Sequence[tuple[str, bytes | str]], seed: int, progress: Callable[[int], object]
) -> Sides:
    """Trials of all `sources`."""
    rows = []
    generator = np.random.default_rng([seed, 2])
    for group, source in sources:
        band_seed, solo_seed = (int(value) for value in generator.integers(SEEDS, size=2))
        _, _, human, model = make_trial(combo, source, band_seed, solo_seed)
        rows.append((human, model, group))
        progress(1)
    return Sides.of(rows)


def main(argv: list[str]) -> int:
    parser = Parser(prog="python -m benchmarks trials", description=__doc__)
    parser.add_argument("--data", type=Path, help="the corpus; without it, the pieces that come with the engine play")
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--out", type=Path, default=Path("var/bench"), help="for the corpus's shards and trials.csv")
    parser.add_argument("--soundfont", default="", metavar="FILE", help="instead of the best one found")
    parser.add_argument("--seed", type=int, default=5)
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    combo = Combo(CPU, JazzSettings(soundfont=args.soundfont))
    sources: Sequence[tuple[str, bytes | str]] = bundled_sources(args.trials)
    if args.data is not None:
        sources = sources_of(corpus_of(args.data, args.out, 1)["val"], args.trials, args.seed)
    with tqdm(total=args.trials, desc="trials") as bar:
        sides = make_trials(combo, sources, args.seed, bar.update)
    args.out.mkdir(parents=True, exist_ok=True)
    sides.write(args.out / "trials.csv")
    sys.stdout.write(f"{report(sides, args.seed)}\n")
    return 0

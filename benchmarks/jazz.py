"""Where the time of a clip goes: `python -m engine bench jazz`."""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

import numpy as np
import torch

from engine.command_line import Parser
from engine.contract import engine_pb2 as pb
from engine.device import choose_device, describe, one_thread, use_threads
from engine.jazz.band import weights as band_weights
from engine.jazz.band.section import accompany
from engine.jazz.combo import Combo
from engine.jazz.playing.request import Request
from engine.jazz.rendering.leadsheet import write_lead_sheet
from engine.jazz.rendering.midi import write_midi
from engine.jazz.rendering.roll import draw_roll
from engine.jazz.rendering.room import in_room
from engine.jazz.rendering.sound import finish, play_score
from engine.jazz.theory.feel import FEELS
from engine.jazz.theory.form import changes_of
from engine.progress import silent
from engine.settings import JazzSettings


class Clock:
    """Seconds of named stages over several runs, on the wall and of this process's own computing.

    On a machine that does other things besides, only the second number says something about this program."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[tuple[float, float]]] = {}
        self._started = (0.0, 0.0)

    def start(self) -> None:
        self._started = (time.perf_counter(), time.process_time())

    def lap(self, stage: str) -> None:
        now = (time.perf_counter(), time.process_time())
        self.seconds.setdefault(stage, []).append((now[0] - self._started[0], now[1] - self._started[1]))
        self._started = now

    def medians(self) -> dict[str, tuple[float, float]]:
        """Stage -> (wall, processor), s."""
        return {
            stage: (statistics.median(wall for wall, _ in laps), statistics.median(cpu for _, cpu in laps))
            for stage, laps in self.seconds.items()
        }


def main(argv: list[str]) -> int:
    parser = Parser(prog="python -m engine bench jazz", description=__doc__)
    parser.add_argument("--soundfont", default="", metavar="FILE", help="instead of the best one found")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument(
        "--together", type=int, default=0, metavar="N", help="solos in one batch; default 20 on a GPU, 4 without"
    )
    args = parser.parse_args(argv)
    use_threads(args.threads)
    device = choose_device(args.device)
    if args.soundfont and not Path(args.soundfont).is_file():
        parser.error(f"{args.soundfont} is not there")
    combo = Combo(device, JazzSettings(soundfont=args.soundfont))
    clock = Clock()
    clock.start()
    _ = combo.synthesizer
    clock.lap("load SoundFont")
    combo.soloist.warm()
    clock.lap("load and warm soloist")
    band_weights.load()
    clock.lap("load band")
    sys.stdout.write(f"{describe(device)}, {combo.soundfont}\n\n")
    _table("once", clock)
    every = combo.settings.takes
    for name, form, bars, takes in (
        (f"12-bar blues, {every} takes", "blues", 12, every),
        (f"32-bar chorus, {every} takes", "rhythm changes", 32, every),
    ):
        stages = Clock()
        for run in range(args.runs):
            _one_clip(combo, form, bars, takes, run, stages)
        _table(f"{name} at 180 bpm (median of {args.runs})", stages)
    together = args.together or (20 if device.type == "cuda" else 4)
    batch = Clock()
    for run in range(args.runs):
        _solos_at_once(combo, together, every, run, batch)
    _table(f"{together} solos of 12 bars at once, {every} takes of each", batch)
    whole = Clock()
    for run in range(args.runs):
        whole.start()
        combo.play(pb.PlayRequest(form="blues", bars=12, tempo_bpm=180, seed=run), silent)
        whole.lap("/jazz of 12 bars, all in all")
    _table("whole", whole)
    return 0


def _one_clip(combo: Combo, form: str, bars: int, takes: int, seed: int, clock: Clock) -> None:
    band = band_weights.load()
    changes, sections = changes_of(form, "Bb", bars, band.chords, np.random.default_rng(seed))
    clock.start()
    with one_thread(combo.device):
        solo = combo.soloist.improvise(
            changes, bars=bars, tempo_bpm=180.0, instrument="tenor sax", feel="swing", seed=seed, takes=takes
        )
    clock.lap("solo")
    score = accompany(band, solo.notes, changes, sections, bars, 180.0, FEELS["swing"], "tenor sax", seed)
    clock.lap("bass, comping, drums")
    signal = play_score(combo.synthesizer, score, False, in_room, silent)
    clock.lap("SoundFont, room, mix")
    finish(signal, 0, silent)
    clock.lap("loudness, Opus, check")
    draw_roll(score)
    clock.lap("piano roll")
    write_midi(score)
    write_lead_sheet(score)
    clock.lap("MIDI and lead sheet")


def _solos_at_once(combo: Combo, count: int, takes: int, seed: int, clock: Clock) -> None:
    band = band_weights.load()
    changes, _ = changes_of("blues", "Bb", 12, band.chords, np.random.default_rng(seed))
    clock.start()
    combo.soloist.improvise_many(
        [Request(changes, 12, 180.0, "tenor sax", 4, "", "swing")] * count, seed=seed, takes=takes
    )
    if combo.device.type == "cuda":
        torch.cuda.synchronize()
    clock.lap(f"{count} solos")


def _table(title: str, clock: Clock) -> None:
    sys.stdout.write(f"{title}\n")
    medians = clock.medians()
    for stage, (wall, cpu) in medians.items():
        sys.stdout.write(f"  {stage:28} {wall:7.2f} s  (processor {cpu:6.2f} s)\n")
    if len(medians) > 1:
        walls, cpus = (sum(column) for column in zip(*medians.values(), strict=True))
        sys.stdout.write(f"  {'in all':28} {walls:7.2f} s  (processor {cpus:6.2f} s)\n")
    sys.stdout.write("\n")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

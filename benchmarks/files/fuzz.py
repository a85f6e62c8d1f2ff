"""`python -m benchmarks fuzz`: thousands of broken files through intake, chord lines through their reader, and what
came of them.

Each ends in pixels, notes or sound, or in one of the caller's errors; none takes 5 s, no child takes 1 GB, and no
child and no descriptor is left behind.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

import matplotlib
import psutil

from benchmarks.files.broken_files import Broken, broken_files, chord_lines, lures
from engine.command_line import Parser
from engine.errors import BadChords, CallerError
from engine.jazz.theory.harmony import format_changes, parse_changes
from engine.serving.intake.pool import TOO_HARD, TOO_LONG, TOO_MUCH, Intake

LONGEST_S = 5.0
MOST_BYTES = 1 << 30


@dataclass
class Outcome:
    """Of a run over many files."""

    read: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """By the sentence that the member reads, without its numbers."""
    escaped: list[str] = field(default_factory=list)
    """Files whose reader raised what no reader may raise, or died."""
    slow: list[str] = field(default_factory=list)
    longest_s: float = 0.0
    largest_bytes: int = 0
    replaced: int = 0
    left_over: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        return not self.escaped and not self.slow and not self.left_over and self.largest_bytes < MOST_BYTES


async def fuzz(files: Iterable[Broken], children: int = 1) -> Outcome:
    """Read them all, one after the other in each child."""
    outcome = Outcome()
    me = psutil.Process()
    before, others = _descriptors(me), {child.pid for child in me.children()}
    async with Intake(children) as intake:
        await intake.warm()
        for broken in files:
            await _read(intake, broken, outcome)
        outcome.replaced = intake.replaced
    left = {child.pid for child in me.children()} - others
    outcome.left_over = [f"process {pid}" for pid in left]
    if (opened := _descriptors(me) - before) > 0:
        outcome.left_over.append(f"{opened} descriptors")
    return outcome


def _descriptors(process: psutil.Process) -> int:
    """Those that are open, without the fonts that Matplotlib keeps open, each once, from its first letter on."""
    fonts = {file.path for file in process.open_files() if file.path.startswith(matplotlib.get_data_path())}
    return process.num_fds() - len(fonts)


async def _read(intake: Intake, broken: Broken, outcome: Outcome) -> None:
    began = time.perf_counter()
    try:
        await intake.read(broken.upload)
        outcome.read += 1
    except CallerError as error:
        outcome.refused["".join("#" if letter.isdigit() else letter for letter in str(error))] += 1
        if str(error) in (TOO_HARD, TOO_LONG, TOO_MUCH):
            outcome.escaped.append(f"{broken.name}: {error}")
    took_s = time.perf_counter() - began
    outcome.longest_s = max(outcome.longest_s, took_s)
    if took_s > LONGEST_S:
        outcome.slow.append(f"{broken.name}: {took_s:.1f} s")
    for pid in intake.pids:
        with suppress(psutil.Error, OSError):
            outcome.largest_bytes = max(outcome.largest_bytes, _peak_bytes(pid))


def read_chords(lines: Iterable[str], outcome: Outcome) -> None:
    """Chord lines: each is read, and what was read is read the same again, or it's refused."""
    for number, line in enumerate(lines):
        began = time.perf_counter()
        try:
            changes = parse_changes(line)
            if parse_changes(format_changes(changes)) != changes:
                outcome.escaped.append(f"chords {number} are another line when they are read again: {line!r}")
            outcome.read += 1
        except BadChords as refusal:
            outcome.refused["chords, with the place and a hint"] += 1
            if str(refusal)[-1] not in ".?":
                outcome.escaped.append(f"chords {number}, half a sentence: {refusal}")
        except Exception as error:  # noqa: BLE001 -- that is what is looked for
            outcome.escaped.append(f"chords {number}: {error!r} at {line!r}")
        took_s = time.perf_counter() - began
        if took_s > LONGEST_S:
            outcome.slow.append(f"chords {number}: {took_s:.1f} s")


def _peak_bytes(pid: int) -> int:
    """The most memory that a process had in use, where the system says so, else what it has now."""
    with suppress(OSError), open(f"/proc/{pid}/status") as text:
        return next(int(line.split()[1]) << 10 for line in text if line.startswith("VmHWM"))
    return int(psutil.Process(pid).memory_info().rss)


def main(argv: list[str] | None = None) -> int:
    parser = Parser(prog="python -m benchmarks fuzz", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--files", type=int, default=3000)
    parser.add_argument("--chords", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args(argv)
    began = time.perf_counter()
    outcome = asyncio.run(fuzz([*lures(), *broken_files(args.files, args.seed)]))
    read_chords(chord_lines(args.chords, args.seed), outcome)
    write = sys.stdout.write
    write(
        f"{args.files} broken files, {len(lures())} lures and {args.chords} chord lines in "
        f"{time.perf_counter() - began:.0f} s: "
    )
    write(f"{outcome.read} read, {outcome.refused.total()} refused; the longest took {outcome.longest_s:.2f} s, the ")
    write(f"largest child had {outcome.largest_bytes / 2**20:.0f} MiB, {outcome.replaced} were replaced\n")
    for title, lines in (
        ("not the caller's errors", outcome.escaped),
        ("too slow", outcome.slow),
        ("left behind", outcome.left_over),
    ):
        for line in lines:
            write(f"{title}: {line}\n")
    for sentence, count in outcome.refused.most_common():
        write(f"{count:6}  {sentence}\n")
    return 0 if outcome.sound else 1


if __name__ == "__main__":
    raise SystemExit(main())

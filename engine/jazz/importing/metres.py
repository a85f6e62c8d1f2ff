"""Which of a file's metres the band counts in, and where its first bar line stands."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

COMPOUND = ((6, 8), (9, 8), (12, 8))


@dataclass(frozen=True, slots=True)
class Stretch:
    """Part of a file in one metre, from tick `start` to tick `end`, where the metre `changes` or the music ends. `bar`:
    ticks in a bar, 0 where the file says so."""

    start: int
    end: int
    bar: Fraction
    compound: bool
    changes: bool


def longest_stretch(
    signatures: Sequence[tuple[int, int, int]], onsets: Sequence[int], end: int, per_beat: int
) -> Stretch:
    """The longest stretch of the metre that holds longest, so that a pickup bar of its own metre decides nothing.

    `signatures`: (tick, numerator, denominator); 4/4 until the first. `onsets`: ticks of the notes, at least one;
    silence counts for no metre. `end`: tick where the music ends. A signature that comes in the middle of a bar starts
    a new bar there, also where it repeats the one before."""
    ordered = sorted(onsets)
    first = ordered[0]
    sounding = [
        stretch
        for stretch in _stretches(signatures, end, per_beat)
        if bisect_left(ordered, stretch.start) < bisect_left(ordered, stretch.end)
    ]
    held: dict[tuple[Fraction, bool], int] = defaultdict(int)
    for stretch in sounding:
        held[stretch.bar, stretch.compound] += stretch.end - max(first, stretch.start)
    bar, compound = max(held, key=lambda metre: held[metre])
    return max(
        (stretch for stretch in sounding if (stretch.bar, stretch.compound) == (bar, compound)),
        key=lambda stretch: stretch.end - max(first, stretch.start),
    )


def _stretches(signatures: Sequence[tuple[int, int, int]], end: int, per_beat: int) -> list[Stretch]:
    found: list[Stretch] = []
    start, bar, compound = 0, Fraction(4 * per_beat), False
    for tick, numerator, denominator in sorted(signatures, key=lambda signature: signature[0]):
        if tick >= end:
            break
        own_bar = Fraction(4 * numerator * per_beat, denominator)
        own_compound = (numerator, denominator) in COMPOUND
        if (own_bar, own_compound) == (bar, compound) and (not bar or (tick - start) % bar == 0):
            continue
        if tick > start:
            found.append(Stretch(start, tick, bar, compound, True))
        start, bar, compound = tick, own_bar, own_compound
    return [*found, Stretch(start, end, bar, compound, False)]

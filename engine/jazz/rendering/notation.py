"""A performed solo as note values: which fraction of its beat each note gets, how long it is, what is tied.

Onsets of a performance lie off the grid on purpose. Where the notated place of a note is known (the soloist's tokens
say it), that is taken; else the place is guessed from the onset. Either way each beat gets the division, from quarter
notes to 64ths and tuplets of twelve, that fits its notes best, with a slot for every one of them: no note is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from engine.jazz.theory.score import Note, Score

DIVISIONS = 5040
"""Ticks of a quarter note: all of `INK` divide it."""
INK = {1: 0.0, 2: 0.02, 3: 0.07, 4: 0.08, 6: 0.10, 8: 0.11, 5: 0.12, 7: 0.13, 12: 0.14, 10: 0.14, 9: 0.15, 16: 0.16}
"""Divisions of a beat, and how much closer to the notes (mean distance in beats) each must lie to be worth its ink."""
KNOWN = 0.5
"""A known place is no guess: there finer divisions cost this much of their ink."""
MOST = max(INK)
"""Notes of one beat that stand on their own; of more, the shortest become grace notes."""
EARLY = 0.12
"""Beats by which a performed note may come before the beat that it is guessed to belong to."""
REST = 0.5
"""Beats of silence that are written as a rest."""
END_GRID = {1: 2, 2: 2, 3: 3, 4: 4, 5: 5, 6: 3, 7: 7, 8: 4, 9: 3, 10: 5, 12: 3, 16: 4}
"""Where in a beat of each division notes may end before a rest."""
TUPLETS = {3: (2, "eighth"), 5: (4, "16th"), 6: (4, "16th"), 7: (4, "16th"), 9: (8, "32nd"), 10: (8, "32nd"),
           12: (8, "32nd")}  # fmt: skip
"""Divisions that are tuplets: how many notes of which value they stand for."""
VALUES = ("quarter", "eighth", "16th", "32nd", "64th")
BEATS = {1: ("quarter", 0), 2: ("half", 0), 3: ("half", 1), 4: ("whole", 0)}
"""Whole beats that one note head shows, with its dots."""


@dataclass(frozen=True, slots=True)
class Written:
    """A note or rest on paper. `onset`, `length`: ticks from the first bar; `pitch` None for a rest.

    `value`, `dots`: how it looks; `tuplet`: the division of its beat if that is a tuplet, else 0, `opens` and `closes`
    its group. `beams`: what each beam does at this note, from the outermost inwards, in MusicXML's words. `graces`:
    pitches struck before it that have no time of their own."""

    onset: int
    length: int
    pitch: int | None
    value: str
    dots: int = 0
    tuplet: int = 0
    opens: bool = False
    closes: bool = False
    tied_from: bool = False
    tied_to: bool = False
    beams: tuple[str, ...] = ()
    graces: tuple[int, ...] = ()

    @property
    def flags(self) -> int:
        """Flags or beams of the note: 1 for an eighth, 2 for a 16th; 0 for a rest."""
        return VALUES.index(self.value) if self.pitch is not None and self.value in VALUES else 0

    @property
    def end(self) -> int:
        return self.onset + self.length


@dataclass(slots=True)
class _Placed:
    """A note and the tick where it stands."""

    tick: int
    note: Note
    graces: tuple[int, ...] = ()


def notate(score: Score, notated: Mapping[Note, float] | None = None) -> list[Written]:
    """The solo on paper, every note of it: no overlaps, gaps filled with rests, cut at bar lines.

    `notated`: where notes of the solo are known to stand, in beats from the first bar."""
    placed, divisions = _on_grid(score, notated or {})
    end = score.bars * score.beats_per_bar * DIVISIONS
    page = _Page(divisions, score.beats_per_bar)
    now = 0
    for index, item in enumerate(placed):
        last = index + 1 == len(placed)
        following = end if last else placed[index + 1].tick
        silence = (score.beats if last else placed[index + 1].note.onset) - item.note.onset - item.note.duration
        stop = following
        if silence >= REST:
            stop = min(following, _end(item.note.onset + item.note.duration, item.tick, divisions))
        page.add(now, item.tick, None)
        page.add(item.tick, stop, item.note.pitch, item.graces)
        now = stop
    page.add(now, end, None)
    return page.grouped()


def _end(performed: float, start: int, divisions: dict[int, int]) -> int:
    """The tick, after `start`, at which a note that sounds until beat `performed` ends."""
    beat, phase = divmod(max(performed, start / DIVISIONS), 1.0)
    step = DIVISIONS // END_GRID[divisions.get(int(beat), 1)]
    stop = int(beat) * DIVISIONS + round(phase * DIVISIONS / step) * step
    if stop <= start:
        step = DIVISIONS // END_GRID[divisions.get(start // DIVISIONS, 1)]
        stop = (start // step + 1) * step
    return stop


# ---------------------------------------------------------------- where notes stand


def _on_grid(score: Score, notated: Mapping[Note, float]) -> tuple[list[_Placed], dict[int, int]]:
    """The notes at strictly rising ticks, and the division of each beat that has any."""
    swings = score.swing > 0.54
    last_beat = score.bars * score.beats_per_bar - 1
    beats: dict[int, list[tuple[float, Note, bool]]] = {}
    beat = 0
    solo = sorted(score.parts.get("solo", ()), key=lambda note: note.onset)
    for index, note in enumerate(solo):
        known = notated.get(note)
        place = note.onset if known is None else known
        own = int((place + 1e-6) // 1) if known is not None else _guessed_beat(solo, index)
        beat = min(max(beat, own), last_beat)
        beats.setdefault(beat, []).append((place - beat, note, known is not None))
    placed: list[_Placed] = []
    divisions: dict[int, int] = {}
    for beat, group in beats.items():
        principal, graces = _principal(group)
        cost = KNOWN if all(known for _, _, known in principal) else 1.0
        division, slots = best_division([phase for phase, _, _ in principal], cost, swings)
        divisions[beat] = division
        for slot, (_, note, _), before in zip(slots, principal, graces, strict=True):
            placed.append(_Placed(beat * DIVISIONS + slot * DIVISIONS // division, note, before))
    return placed, divisions


def _guessed_beat(solo: list[Note], index: int) -> int:
    """The beat to which a performed note belongs: its own, or the next one if it only comes a little early and is
    neither one of a run nor followed by a note that lies nearer to that beat."""
    onset = solo[index].onset
    following = onset // 1 + 1
    early = following - onset
    runs = index > 0 and onset - solo[index - 1].onset < 1.5 * early
    other = index + 1 < len(solo) and abs(solo[index + 1].onset - following) < early
    return int(following if early <= EARLY and not runs and not other else following - 1)


def _principal(
    group: list[tuple[float, Note, bool]],
) -> tuple[list[tuple[float, Note, bool]], list[tuple[int, ...]]]:
    """The notes of a beat that get a place of their own, at most `MOST`, and the grace notes before each: the shortest
    of too many, but never the last."""
    by_length = sorted(range(len(group) - 1), key=lambda i: (group[i][1].duration, i))
    short = set(by_length[: max(0, len(group) - MOST)])
    principal, graces = [], []
    waiting: list[int] = []
    for index, item in enumerate(group):
        if index in short:
            waiting.append(item[1].pitch)
        else:
            principal.append(item)
            graces.append(tuple(waiting))
            waiting = []
    return principal, graces


def best_division(phases: list[float], cost: float = 1.0, swings: bool = True) -> tuple[int, list[int]]:
    """The division of a beat that fits notes at these fractions of it, and each note's slot, strictly rising.

    `cost`: weight of `INK`. Two notes are eighths wherever the second lies (swing is not written)."""
    best: tuple[float, int, list[int]] | None = None
    for division, ink in INK.items():
        if division < len(phases):
            continue
        error, slots = _slots(phases, division, swings)
        total = error / max(1, len(phases)) + cost * ink
        if best is None or total < best[0] - 1e-9:
            best = (total, division, slots)
    assert best is not None
    return best[1], best[2]


def _slots(phases: list[float], division: int, swings: bool) -> tuple[float, list[int]]:
    """Distance of the notes from their slots in beats, all together, and the slots: the rising ones with the least."""
    spare = division - len(phases)  # each note's slot is its number and up to this many more
    best: list[tuple[float, list[int]]] = [(0.0, [])] * (spare + 1)
    for number, phase in enumerate(phases):
        reached: list[tuple[float, list[int]]] = []
        for extra in range(spare + 1):
            error, slots = min((best[before] for before in range(extra + 1)), key=lambda option: option[0])
            slot = number + extra
            reached.append((error + _distance(phase, slot, division, swings), [*slots, slot]))
        best = reached
    return min(best, key=lambda option: option[0])


def _distance(phase: float, slot: int, division: int, swings: bool) -> float:
    if division == 2 and slot == 1:  # the off-beat eighth, wherever it swings
        late = 0.68 if swings else 0.58
        return 2.0 * max(0.0, 0.5 - phase, phase - late)
    return abs(phase - slot / division)


# ---------------------------------------------------------------- what they look like


class _Page:
    """Notes and rests one after the other, cut into what one note head can show."""

    def __init__(self, divisions: dict[int, int], beats_per_bar: int) -> None:
        self.divisions = divisions
        self.beats_per_bar = beats_per_bar
        self.pieces: list[Written] = []

    def add(self, start: int, stop: int, pitch: int | None, graces: tuple[int, ...] = ()) -> None:
        """From tick `start` to `stop`, tied where it takes more than one note head."""
        heads: list[Written] = []
        while start < stop:
            length, value, dots, tuplet = self._head(start, stop, pitch is None)
            heads.append(Written(start, length, pitch, value, dots, tuplet))
            start += length
        for index, head in enumerate(heads):
            sounds = pitch is not None
            self.pieces.append(replace(
                head,
                tied_from=sounds and index > 0,
                tied_to=sounds and index + 1 < len(heads),
                graces=graces if index == 0 else (),
            ))  # fmt: skip

    def _head(self, start: int, stop: int, rest: bool) -> tuple[int, str, int, int]:
        """(ticks, value, dots, tuplet) of the first note head of a stretch."""
        beat, into = divmod(start, DIVISIONS)
        place = beat % self.beats_per_bar
        stop = min(stop, (beat - place + self.beats_per_bar) * DIVISIONS)
        whole, over = divmod(stop - start, DIVISIONS)
        if into or not whole:
            return self._within_beat(beat, into, min(stop - start, DIVISIONS - into), rest)
        straight = self.divisions.get(beat + 1, 1) not in TUPLETS
        if not rest and whole == 1 and over == DIVISIONS // 2 and straight:
            return DIVISIONS * 3 // 2, "quarter", 1, 0
        if rest and whole < self.beats_per_bar:
            whole = 2 if whole >= 2 and place % 2 == 0 and self.beats_per_bar == 4 else 1
        value, dots = BEATS[whole]
        return whole * DIVISIONS, value, dots, 0

    def _within_beat(self, beat: int, into: int, length: int, rest: bool) -> tuple[int, str, int, int]:
        division = self.divisions.get(beat, 1)
        tuplet = division if division in TUPLETS else 0
        if not tuplet:
            division = MOST
        unit = DIVISIONS // division
        smallest = VALUES.index(TUPLETS[tuplet][1] if tuplet else VALUES[-1])
        count = length // unit
        offset = into // unit
        for units, dots in ((12, 1), (8, 0), (6, 1), (4, 0), (3, 1), (2, 0), (1, 0)):
            # a rest has no dot and starts on a multiple of its length
            if units <= count and not (rest and (dots or offset % units)):
                head = smallest - (units // (3 if dots else 1)).bit_length() + 1 - dots
                if head >= 0:
                    return units * unit, VALUES[head], dots, tuplet
        raise AssertionError(f"no note value fits {length} ticks")

    def grouped(self) -> list[Written]:
        """The pieces, with the first and last of every tuplet marked and the notes of every beat under their beams."""
        tuplets = [(piece.tuplet, piece.onset // DIVISIONS) if piece.tuplet else None for piece in self.pieces]
        beamed = [(piece.onset // DIVISIONS, piece.flags) if piece.flags else None for piece in self.pieces]
        return [
            replace(
                piece,
                opens=tuplet is not None and tuplet != _at(tuplets, index - 1),
                closes=tuplet is not None and tuplet != _at(tuplets, index + 1),
                beams=_beams(_at(beamed, index - 1), beamed[index], _at(beamed, index + 1)),
            )
            for index, (piece, tuplet) in enumerate(zip(self.pieces, tuplets, strict=True))
        ]


def _at(items: list[tuple[int, int] | None], index: int) -> tuple[int, int] | None:
    return items[index] if 0 <= index < len(items) else None


def _beams(
    before: tuple[int, int] | None, this: tuple[int, int] | None, after: tuple[int, int] | None
) -> tuple[str, ...]:
    """Beams of a note given as (beat, flags), with its neighbours; none if it stands alone in its beat."""
    if this is None:
        return ()
    beat, flags = this
    left, right = (near[1] if near is not None and near[0] == beat else 0 for near in (before, after))
    if not left and not right:
        return ()
    return tuple(
        ("continue" if right > level else "end")
        if left > level
        else ("begin" if right > level else "backward hook" if left else "forward hook")
        for level in range(flags)
    )

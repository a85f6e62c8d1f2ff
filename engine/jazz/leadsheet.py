"""The solo as a lead sheet: MusicXML 4.0 with chord symbols, readable by any notation program.

A performance is not a text: onsets lie off the grid on purpose. For paper they are put on the nearest eighth, triplet
or sixteenth of their beat, whichever division lies closest to what was played in that beat (so that swung eighths are
written as eighths), and notes last until the next one or a rest of at least an eighth.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from engine.jazz.chords import Chord, parse_chord
from engine.jazz.score import Note, Score

DIVISIONS = 12
"""Ticks of a quarter note on paper: eighths (6), triplets (4) and sixteenths (3) are whole."""

HEADER = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" '
    '"http://www.musicxml.org/dtds/partwise.dtd">\n'
)

_NATURALS = {0: "C", 2: "D", 4: "E", 5: "F", 7: "G", 9: "A", 11: "B"}
_FLATS = {1: "D", 3: "E", 6: "G", 8: "A", 10: "B"}
_SHARPS = {1: "C", 3: "D", 6: "F", 8: "G", 10: "A"}
_KINDS = {
    "major": "major", "minor": "minor", "minor_major": "major-minor", "dominant": "dominant", "altered": "dominant",
    "suspended": "suspended-fourth", "half_diminished": "half-diminished", "diminished": "diminished-seventh",
    "augmented": "augmented",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Written:
    """A note or rest on paper: onset and length in ticks from the first bar; `pitch` None for a rest."""

    onset: int
    length: int
    pitch: int | None
    triplet: bool = False
    tied_from: bool = False
    tied_to: bool = False


def write_lead_sheet(score: Score, title: str = "", credit: str = "") -> bytes:
    """MusicXML of the solo over its chords, at concert pitch."""
    root = Element("score-partwise", version="4.0")
    SubElement(SubElement(root, "work"), "work-title").text = title or "Improvisation"
    identification = SubElement(root, "identification")
    SubElement(identification, "creator", type="composer").text = credit or "Woodshed"
    part_list = SubElement(root, "part-list")
    score_part = SubElement(part_list, "score-part", id="P1")
    SubElement(score_part, "part-name").text = score.instrument
    part = SubElement(root, "part", id="P1")
    written = notate(score)
    bass_clef = _median([note.pitch for note in score.parts.get("solo", ())]) < 55
    for bar in range(score.bars):
        measure = SubElement(part, "measure", number=str(bar + 1))
        if bar == 0:
            _attributes(measure, score, bass_clef)
        _bar(measure, score, written, bar)
        if bar == score.bars - 1:
            SubElement(SubElement(measure, "barline", location="right"), "bar-style").text = "light-heavy"
    indent(root)
    return (HEADER + tostring(root, encoding="unicode") + "\n").encode()


def _median(values: list[int]) -> float:
    return sorted(values)[len(values) // 2] if values else 60


def notate(score: Score) -> list[Written]:
    """The solo on paper: no overlaps, gaps filled with rests, everything on the grid, split at bar lines."""
    bar_ticks = score.beats_per_bar * DIVISIONS
    end = score.bars * bar_ticks
    placed = _on_grid([n for n in score.parts.get("solo", ()) if -0.25 <= n.onset < score.beats], end)
    out: list[Written] = []
    now = 0
    for index, (start, note, triplet) in enumerate(placed):
        following = placed[index + 1][0] if index + 1 < len(placed) else end
        sounding = max(1, round(note.duration * DIVISIONS))
        stop = following if following - (start + sounding) < 6 else start + sounding
        stop = min(_tidy(start, stop, triplet), following, end)
        if start > now:
            out.extend(_split(now, start, None, False, bar_ticks))
        out.extend(_split(start, max(stop, start + 1), note.pitch, triplet, bar_ticks))
        now = max(stop, start + 1)
    if now < end:
        out.extend(_split(now, end, None, False, bar_ticks))
    return out


def _on_grid(notes: list[Note], end: int) -> list[tuple[int, Note, bool]]:
    """(tick, note, in a triplet beat) with strictly rising ticks; of two notes on one tick the first stays."""
    beats: dict[int, list[Note]] = {}
    for note in sorted(notes, key=lambda note: note.onset):
        beats.setdefault(int((max(0.0, note.onset) + 0.12) // 1), []).append(note)
    placed: list[tuple[int, Note, bool]] = []
    for beat, group in sorted(beats.items()):
        division, ticks = _best_division([note.onset - beat for note in group])
        for tick, note in zip(ticks, group, strict=True):
            at = beat * DIVISIONS + tick
            if at < end and (not placed or at > placed[-1][0]):
                placed.append((at, note, division == 3))
    return placed


def _best_division(phases: list[float]) -> tuple[int, list[int]]:
    """The division of a beat (2, 3 or 4) that fits what was played, and the tick of each note.

    Two notes are eighths wherever the second lies (swing is not written); finer divisions must earn their ink."""
    best: tuple[float, int, list[int]] | None = None
    for division, cost in ((1, 0.0), (2, 0.02), (3, 0.07), (4, 0.08)):
        # a swung eighth lies near 0.6 of the beat
        grid = [0.0, 0.6] if division == 2 else [step / division for step in range(division)]
        ticks, error, last = [], 0.0, -1
        for phase in phases:
            nearest = min(range(len(grid)), key=lambda i: (abs(grid[i] - phase), i))
            step = max(nearest, last + 1)
            if step >= len(grid):
                error += 1.0
                step = len(grid) - 1
            error += abs(grid[step] - phase)
            last = step
            ticks.append(step * DIVISIONS // division)
        total = error / max(1, len(phases)) + cost
        if best is None or total < best[0] - 1e-9:
            best = (total, division, ticks)
    assert best is not None
    return best[1], best[2]


def _tidy(start: int, stop: int, triplet: bool) -> int:
    """Round the end of a note to the grid of the beat it ends in."""
    grid = 4 if triplet else 3
    rounded = start + max(1, round((stop - start) / grid)) * grid
    return rounded if rounded > start else start + grid


def _split(start: int, stop: int, pitch: int | None, triplet: bool, bar_ticks: int) -> list[Written]:
    """Cut at bar lines and at lengths that one note head can show."""
    pieces: list[Written] = []
    while start < stop:
        room = min(stop, (start // bar_ticks + 1) * bar_ticks) - start
        in_beat = DIVISIONS - start % DIVISIONS
        if room > in_beat and in_beat < DIVISIONS:
            room = in_beat
        length = next((value for value in _LENGTHS if value <= room), room)
        goes_on = pitch is not None and start + length < stop
        pieces.append(Written(start, length, pitch, triplet, bool(pieces) and pitch is not None, goes_on))
        start += length
    return pieces


_LENGTHS = (48, 36, 24, 18, 12, 9, 8, 6, 4, 3, 2, 1)
_TYPES = {
    48: ("whole", 0, False), 36: ("half", 1, False), 24: ("half", 0, False), 18: ("quarter", 1, False),
    12: ("quarter", 0, False), 9: ("eighth", 1, False), 8: ("quarter", 0, True), 6: ("eighth", 0, False),
    4: ("eighth", 0, True), 3: ("16th", 0, False), 2: ("16th", 0, True), 1: ("32nd", 0, True),
}  # fmt: skip


def _attributes(measure: Element, score: Score, bass_clef: bool) -> None:
    attributes = SubElement(measure, "attributes")
    SubElement(attributes, "divisions").text = str(DIVISIONS)
    SubElement(SubElement(attributes, "key"), "fifths").text = "0"
    time = SubElement(attributes, "time")
    SubElement(time, "beats").text = str(score.beats_per_bar)
    SubElement(time, "beat-type").text = "4"
    clef = SubElement(attributes, "clef")
    SubElement(clef, "sign").text = "F" if bass_clef else "G"
    SubElement(clef, "line").text = "4" if bass_clef else "2"
    direction = SubElement(measure, "direction", placement="above")
    metronome = SubElement(SubElement(direction, "direction-type"), "metronome")
    SubElement(metronome, "beat-unit").text = "quarter"
    SubElement(metronome, "per-minute").text = f"{score.tempo_bpm:.0f}"
    SubElement(direction, "sound", tempo=f"{score.tempo_bpm:.0f}")


def _bar(measure: Element, score: Score, written: list[Written], bar: int) -> None:
    first = bar * score.beats_per_bar * DIVISIONS
    last = first + score.beats_per_bar * DIVISIONS
    chords = [c for c in score.chords if first <= round(c.onset * DIVISIONS) < last and c.onset < score.beats]
    for note in [note for note in written if first <= note.onset < last]:
        for chord in list(chords):
            # a chord that starts within a note stands before it with an offset
            at = round(chord.onset * DIVISIONS)
            if at < note.onset + note.length:
                _harmony(measure, parse_chord(chord.symbol), max(0, at - note.onset))
                chords.remove(chord)
        _note(measure, note, score)


def _note(measure: Element, note: Written, score: Score) -> None:
    element = SubElement(measure, "note")
    if note.pitch is None:
        SubElement(element, "rest")
    else:
        step, alter, octave = _spell(note.pitch, _chord_at(score, note.onset))
        pitch = SubElement(element, "pitch")
        SubElement(pitch, "step").text = step
        if alter:
            SubElement(pitch, "alter").text = str(alter)
        SubElement(pitch, "octave").text = str(octave)
    SubElement(element, "duration").text = str(note.length)
    ties = ["stop"] * note.tied_from + ["start"] * note.tied_to
    for tie in ties:
        SubElement(element, "tie", type=tie)
    SubElement(element, "voice").text = "1"
    kind, dots, triplet = _TYPES[note.length]
    SubElement(element, "type").text = kind
    for _ in range(dots):
        SubElement(element, "dot")
    if triplet:
        modification = SubElement(element, "time-modification")
        SubElement(modification, "actual-notes").text = "3"
        SubElement(modification, "normal-notes").text = "2"
    if ties:
        notations = SubElement(element, "notations")
        for tie in ties:
            SubElement(notations, "tied", type=tie)


def _chord_at(score: Score, tick: int) -> Chord | None:
    found = None
    for chord in score.chords:
        if round(chord.onset * DIVISIONS) <= tick:
            found = chord
    return parse_chord(found.symbol) if found else None


def _spell(pitch: int, chord: Chord | None) -> tuple[str, int, int]:
    """Step, alteration, octave: flats, unless the chord's root is written with a sharp or lies on the sharp side."""
    pitch_class, octave = pitch % 12, pitch // 12 - 1
    if pitch_class in _NATURALS:
        return _NATURALS[pitch_class], 0, octave
    sharp = chord is not None and ("#" in chord.symbol[:2] or (chord.symbol[:1] in "EAB" and chord.symbol[1:2] != "b"))
    return (_SHARPS[pitch_class], 1, octave) if sharp else (_FLATS[pitch_class], -1, octave)


def _harmony(measure: Element, chord: Chord, offset: int) -> None:
    harmony = SubElement(measure, "harmony")
    if chord.root is None:
        SubElement(SubElement(harmony, "root"), "root-step").text = "C"
        SubElement(harmony, "kind", text="N.C.").text = "none"
        return
    head, _, bass = chord.symbol.partition("/")
    root = SubElement(harmony, "root")
    SubElement(root, "root-step").text = head[0]
    alter = head[1:].count("#", 0, 1) - head[1:].count("b", 0, 1)
    if alter:
        SubElement(root, "root-alter").text = str(alter)
    text = head[2:] if alter else head[1:]
    seventh = chord.seventh is not None and chord.root is not None and (chord.seventh - chord.root) % 12
    kind = _KINDS[chord.quality]
    if chord.quality in ("major", "minor") and seventh:
        names = {"major": {11: "major-seventh", 9: "major-sixth"}, "minor": {10: "minor-seventh", 9: "minor-sixth"}}
        kind = names[chord.quality].get(int(seventh), kind)
    SubElement(harmony, "kind", text=text).text = kind
    if bass:
        element = SubElement(harmony, "bass")
        SubElement(element, "bass-step").text = bass[0].upper()
        bass_alter = bass[1:].count("#") - bass[1:].count("b")
        if bass_alter:
            SubElement(element, "bass-alter").text = str(bass_alter)
    if offset:
        SubElement(harmony, "offset").text = str(offset)

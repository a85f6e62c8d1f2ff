"""The solo as a lead sheet: MusicXML 4.0 with chord symbols, readable by any notation program.

The part is written for its player: in the written pitch of the instrument, with a `<transpose>` by which programs play
it right, and with the key signature of the tune.
"""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from engine.jazz.rendering.chord_xml import write_harmony
from engine.jazz.rendering.notation import DIVISIONS, TUPLETS, Written, notate
from engine.jazz.theory.chords import Chord, parse_chord
from engine.jazz.theory.instruments import Instrument, find_instrument
from engine.jazz.theory.keys import home_key
from engine.jazz.theory.score import Note, Score
from engine.jazz.theory.spelling import Reading, spell_pitch

HEADER = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" '
    '"http://www.musicxml.org/dtds/partwise.dtd">\n'
)

_ACCIDENTALS = {-2: "flat-flat", -1: "flat", 0: "natural", 1: "sharp", 2: "double-sharp"}


def write_lead_sheet(
    score: Score,
    title: str = "",
    credit: str = "",
    *,
    key: str = "",
    notated: Mapping[Note, float] | None = None,
) -> bytes:
    """MusicXML of the solo over its chords, in the written pitch of the score's instrument.

    `key`: the sounding key ("Bb", "Cm"); empty: the one that the chords come home to. `notated`: where notes of the
    solo are known to stand, in beats from the first bar; the others are put where they were played."""
    instrument = find_instrument(score.instrument)
    reading = Reading.of(key or _key(score), instrument)
    root = Element("score-partwise", version="4.0")
    SubElement(SubElement(root, "work"), "work-title").text = title or "Improvisation"
    identification = SubElement(root, "identification")
    SubElement(identification, "creator", type="composer").text = credit or "Woodshed"
    _part_list(SubElement(root, "part-list"), instrument)
    part = SubElement(root, "part", id="P1")
    written = notate(score, notated)
    low = _median([note.pitch for note in score.parts.get("solo", ())]) + reading.semitones < 55
    chords = [(round(span.onset * DIVISIONS), parse_chord(span.symbol)) for span in score.chords]
    staff = _Staff(reading, chords)
    for bar in range(score.bars):
        measure = SubElement(part, "measure", number=str(bar + 1))
        if bar == 0:
            _attributes(measure, score, reading, bass_clef=low)
            _directions(measure, score, instrument)
        first = bar * score.beats_per_bar * DIVISIONS
        last = first + score.beats_per_bar * DIVISIONS
        staff.write(
            measure,
            [piece for piece in written if first <= piece.onset < last],
            [(at, chord) for at, chord in chords if first <= at < last],
        )
        if bar == score.bars - 1:
            SubElement(SubElement(measure, "barline", location="right"), "bar-style").text = "light-heavy"
    indent(root)
    return (HEADER + tostring(root, encoding="unicode") + "\n").encode()


def _key(score: Score) -> str:
    """The key that the form's chords come home to; empty where no chord is named."""
    return home_key(tuple(span for span in score.chords if span.onset < score.beats))


def _median(values: list[int]) -> float:
    return sorted(values)[len(values) // 2] if values else 60


def _part_list(part_list: Element, instrument: Instrument) -> None:
    score_part = SubElement(part_list, "score-part", id="P1")
    name = instrument.name[:1].upper() + instrument.name[1:]
    suffix = "" if instrument.pitched_in == "C" else f" in {instrument.pitched_in}"
    SubElement(score_part, "part-name").text = name + suffix
    SubElement(SubElement(score_part, "score-instrument", id="P1-I1"), "instrument-name").text = name
    midi = SubElement(score_part, "midi-instrument", id="P1-I1")
    SubElement(midi, "midi-channel").text = "1"
    SubElement(midi, "midi-program").text = str(instrument.program + 1)


def _attributes(measure: Element, score: Score, reading: Reading, *, bass_clef: bool) -> None:
    attributes = SubElement(measure, "attributes")
    SubElement(attributes, "divisions").text = str(DIVISIONS)
    key = SubElement(attributes, "key")
    SubElement(key, "fifths").text = str(reading.fifths)
    if reading.mode:
        SubElement(key, "mode").text = reading.mode
    time = SubElement(attributes, "time")
    SubElement(time, "beats").text = str(score.beats_per_bar)
    SubElement(time, "beat-type").text = "4"
    clef = SubElement(attributes, "clef")
    SubElement(clef, "sign").text = "F" if bass_clef else "G"
    SubElement(clef, "line").text = "4" if bass_clef else "2"
    if reading.semitones:
        transpose = SubElement(attributes, "transpose")
        octaves, semitones = divmod(reading.semitones, 12)
        SubElement(transpose, "diatonic").text = str(-reading.staff_steps)
        SubElement(transpose, "chromatic").text = str(-semitones)
        if octaves:
            SubElement(transpose, "octave-change").text = str(-octaves)


def _directions(measure: Element, score: Score, instrument: Instrument) -> None:
    """The tempo, and in which pitch the part is written."""
    direction = SubElement(measure, "direction", placement="above")
    metronome = SubElement(SubElement(direction, "direction-type"), "metronome")
    SubElement(metronome, "beat-unit").text = "quarter"
    SubElement(metronome, "per-minute").text = f"{score.tempo_bpm:.0f}"
    SubElement(direction, "sound", tempo=f"{score.tempo_bpm:.0f}")
    direction = SubElement(measure, "direction", placement="above")
    words = SubElement(SubElement(direction, "direction-type"), "words")
    words.text = f"{instrument.name[:1].upper()}{instrument.name[1:]}, {instrument.reading}".replace(", in ", " in ")


class _Staff:
    """Notes and rests with the chords over them, bar by bar: how the note that is tied on was spelled, and which
    accidentals hold until the end of the bar."""

    def __init__(self, reading: Reading, chords: list[tuple[int, Chord]]) -> None:
        self.reading = reading
        self.chords = chords
        self.place = 0
        self.altered: dict[tuple[str, int], int] = {}

    def write(self, measure: Element, pieces: list[Written], chords: list[tuple[int, Chord]]) -> None:
        """One bar. `chords`: (tick, chord) of those that start in it."""
        self.altered = {}
        waiting = list(chords)
        for piece in pieces:
            while waiting and waiting[0][0] < piece.end:
                # a chord that starts within a note stands before it with an offset
                at, chord = waiting.pop(0)
                write_harmony(measure, chord, self.reading, max(0, at - piece.onset))
            for pitch in piece.graces:
                element = SubElement(measure, "note")
                SubElement(element, "grace", slash="yes")
                accidental = self._pitch(element, pitch, piece.onset)
                SubElement(element, "voice").text = "1"
                SubElement(element, "type").text = "16th"
                _accidental(element, accidental)
            self._note(SubElement(measure, "note"), piece, whole_bar=len(pieces) == 1)

    def _note(self, element: Element, piece: Written, *, whole_bar: bool) -> None:
        accidental = None
        if piece.pitch is None:
            rest = SubElement(element, "rest")
            if whole_bar:
                rest.set("measure", "yes")
        else:
            accidental = self._pitch(element, piece.pitch, piece.onset, tied=piece.tied_from)
        SubElement(element, "duration").text = str(piece.length)
        ties = ["stop"] * piece.tied_from + ["start"] * piece.tied_to
        for tie in ties:
            SubElement(element, "tie", type=tie)
        SubElement(element, "voice").text = "1"
        SubElement(element, "type").text = piece.value
        for _ in range(piece.dots):
            SubElement(element, "dot")
        _accidental(element, accidental)
        if piece.tuplet:
            normal, value = TUPLETS[piece.tuplet]
            modification = SubElement(element, "time-modification")
            SubElement(modification, "actual-notes").text = str(piece.tuplet)
            SubElement(modification, "normal-notes").text = str(normal)
            SubElement(modification, "normal-type").text = value
        for number, beam in enumerate(piece.beams, start=1):
            SubElement(element, "beam", number=str(number)).text = beam
        if ties or piece.opens or piece.closes:
            notations = SubElement(element, "notations")
            for tie in ties:
                SubElement(notations, "tied", type=tie)
            if piece.opens:
                SubElement(notations, "tuplet", type="start", number="1", bracket="yes")
            if piece.closes:
                SubElement(notations, "tuplet", type="stop", number="1")

    def _pitch(self, element: Element, sounding: int, onset: int, *, tied: bool = False) -> int | None:
        """Add the written pitch; the alteration if it needs its accidental in this bar."""
        written = sounding + self.reading.semitones
        if not tied:  # a tied note is spelled as it began, whatever chord it reaches into
            self.place = self.reading.note_place(written, self._chord_at(onset))
        step, alter, octave = spell_pitch(written, self.place)
        pitch = SubElement(element, "pitch")
        SubElement(pitch, "step").text = step
        if alter:
            SubElement(pitch, "alter").text = str(alter)
        SubElement(pitch, "octave").text = str(octave)
        holds = self.altered.get((step, octave), self.reading.signed(step))
        if tied:  # over the bar line a tie needs no accidental, and its alteration goes no further
            return None
        self.altered[step, octave] = alter
        return alter if alter != holds else None

    def _chord_at(self, tick: int) -> Chord | None:
        """The chord that sounds at a tick."""
        found = None
        for at, chord in self.chords:
            if at <= tick:
                found = chord
        return found


def _accidental(element: Element, alter: int | None) -> None:
    if alter is not None:
        SubElement(element, "accidental").text = _ACCIDENTALS[alter]

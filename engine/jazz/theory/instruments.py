"""The instruments of the band: General MIDI programs, where they stand and how loud they are."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

from engine.errors import BadOption


@dataclass(frozen=True, slots=True)
class Instrument:
    """`program`: General MIDI, counted from 0. `lowest`, `highest`: sounding range as MIDI pitches.

    `transposition`: semitones from the sounding pitch up to the written one (a tenor sax reads a ninth higher)."""

    name: str
    program: int
    lowest: int
    highest: int
    transposition: int = 0

    @property
    def pitched_in(self) -> str:
        """The pitch in which its part is written: "B♭", "E♭", or "C" for concert pitch."""
        return {2: "B♭", 9: "E♭"}.get(self.transposition % 12, "C")

    @property
    def reading(self) -> str:
        """What its part says at the top, so that nobody plays it in the wrong key."""
        sounds = {0: "concert pitch", 2: "sounds a major second lower", 9: "sounds a major sixth lower",
                  12: "concert pitch, sounds an octave lower", 14: "sounds a major ninth lower",
                  21: "sounds an octave and a major sixth lower"}[self.transposition]  # fmt: skip
        return sounds if self.pitched_in == "C" else f"in {self.pitched_in}, {sounds}"


SOLOISTS = {
    instrument.name: instrument
    for instrument in (
        Instrument("tenor sax", 66, 44, 82, 14),
        Instrument("alto sax", 65, 49, 87, 9),
        Instrument("soprano sax", 64, 56, 90, 2),
        Instrument("baritone sax", 67, 36, 74, 21),
        Instrument("trumpet", 56, 52, 86, 2),
        Instrument("cornet", 56, 52, 84, 2),
        Instrument("trombone", 57, 38, 74),
        Instrument("clarinet", 71, 50, 91, 2),
        Instrument("bass clarinet", 71, 34, 77, 14),
        Instrument("guitar", 26, 40, 84, 12),
        Instrument("piano", 0, 36, 96),
        Instrument("vibraphone", 11, 53, 89),
    )
}
"""What a soloist may play."""

DRAWN_INSTRUMENTS = ("tenor sax", "tenor sax", "alto sax", "trumpet", "trumpet", "trombone", "clarinet", "soprano sax")

OTHER_NAMES = {
    "sax": "tenor sax", "saxophone": "tenor sax", "tenor": "tenor sax", "tenor saxophone": "tenor sax",
    "alto": "alto sax",
    "alto saxophone": "alto sax", "soprano": "soprano sax", "soprano saxophone": "soprano sax", "bari": "baritone sax",
    "baritone": "baritone sax", "baritone saxophone": "baritone sax", "bari sax": "baritone sax", "vibes": "vibraphone",
    "electric guitar": "guitar", "jazz guitar": "guitar", "flugelhorn": "cornet", "bone": "trombone",
}  # fmt: skip

BASS_PROGRAM = 32
PIANO_PROGRAM = 0
GUITAR_PROGRAM = 26
JAZZ_KIT, BRUSH_KIT, STANDARD_KIT = 32, 40, 0


def find_instrument(name: str) -> Instrument:
    """The soloist's instrument of that name, in any case. Raises `BadOption` with the nearest name."""
    wanted = " ".join(name.lower().split())
    wanted = OTHER_NAMES.get(wanted, wanted)
    if wanted in SOLOISTS:
        return SOLOISTS[wanted]
    near = get_close_matches(wanted, [*SOLOISTS, *OTHER_NAMES], n=1, cutoff=0.5)
    if near:
        meant = OTHER_NAMES.get(near[0], near[0])
        raise BadOption(f"Nobody here plays the “{name}”. Did you mean {meant}?")
    raise BadOption(f"Nobody here plays the “{name}”. Choose one of these: {', '.join(SOLOISTS)}.")


def instrument_of_program(program: int) -> Instrument | None:
    """The soloist nearest to a General MIDI program, None for none of them."""
    exact = {instrument.program: instrument for instrument in reversed(SOLOISTS.values())}
    if program in exact:
        return exact[program]
    families = {range(8): "piano", range(8, 16): "vibraphone", range(24, 32): "guitar", range(68, 80): "clarinet",
                range(56, 61): "trumpet"}  # fmt: skip
    for programs, name in families.items():
        if program in programs:
            return SOLOISTS[name]
    return None


def comping_program(soloist: Instrument) -> int:
    """A pianist comps; under a piano solo a guitarist does, so that the two don't blur."""
    return GUITAR_PROGRAM if soloist.name == "piano" else PIANO_PROGRAM

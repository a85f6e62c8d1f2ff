"""Forms and their changes: the ones every jazz musician knows, in any key, and AABA tunes drawn from a chord model.

Templates are written in C (minor forms in C minor) and transposed. The chord model (`ChordModel`) was learned from the
iRb corpus of jazz standards (`engine.jazz.band.learn_form`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.errors import BadOption
from engine.jazz.theory.chord_model import ChordModel
from engine.jazz.theory.chords import parse_chord, transpose_symbol
from engine.jazz.theory.harmony import parse_changes
from engine.jazz.theory.keys import split_key
from engine.jazz.theory.score import ChordSpan, Section


@dataclass(frozen=True, slots=True)
class Form:
    """`variants`, `minor_variants`: changes of one chorus in C and in C minor, one of which is drawn.

    `sections`: (bar, name). `feel`: its usual one."""

    name: str
    bars: int
    variants: tuple[str, ...]
    sections: tuple[tuple[int, str], ...]
    feel: str = "swing"
    minor_variants: tuple[str, ...] = ()

    def mode(self, minor: bool) -> bool:
        """Whether it is played in minor when that is asked for (or not): some forms have only one mode."""
        return bool(self.minor_variants) and (minor or not self.variants)


FORMS = {
    form.name: form
    for form in (
        Form(
            "blues",
            12,
            (
                "C7 | F7 | C7 | Gm7 C7 | F7 | F#o7 | C7 | Em7 A7b9 | Dm7 | G7 | C7 A7 | Dm7 G7",
                "C7 | F7 | C7 | % | F7 | % | C7 | A7 | Dm7 | G7 | C7 | G7",
                "Cmaj7 | Bm7b5 E7b9 | Am7 D7 | Gm7 C7 | F7 | Fm7 Bb7 | Em7 | Ebm7 Ab7 | Dm7 | G7 | Cmaj7 A7 | Dm7 G7",
            ),
            ((0, "1"), (4, "2"), (8, "3")),
        ),
        Form(
            "minor blues",
            12,
            (),
            ((0, "1"), (4, "2"), (8, "3")),
            minor_variants=(
                "Cm7 | Fm7 | Cm7 | % | Fm7 | % | Cm7 | % | Ab7 | G7alt | Cm7 | Dm7b5 G7alt",
                "Cm6 | Dm7b5 G7b9 | Cm6 | Gm7b5 C7b9 | Fm7 | % | Cm6 | % | Dm7b5 | G7b9 | Cm6 | Dm7b5 G7b9",
            ),
        ),
        Form(
            "rhythm changes",
            32,
            (
                "C6 A7 | Dm7 G7 | Em7 A7 | Dm7 G7 | C7 | F7 F#o7 | C6 A7 | Dm7 G7 |"
                "C6 A7 | Dm7 G7 | Em7 A7 | Dm7 G7 | C7 | F7 F#o7 | Dm7 G7 | C6 |"
                "E7 | % | A7 | % | D7 | % | G7 | % |"
                "C6 A7 | Dm7 G7 | Em7 A7 | Dm7 G7 | C7 | F7 F#o7 | Dm7 G7 | C6",
            ),
            ((0, "A"), (8, "A"), (16, "bridge"), (24, "A")),
        ),
        Form(
            "ii-V-I",
            16,
            (
                "Dm7 | G7 | Cmaj7 | % | Dm7b5 | G7b9 | Cm6 | % | Cm7 | F7 | Bbmaj7 | % | Dm7 | G7 | Cmaj7 | A7alt",
                "Dm7 | G7 | Cmaj7 | % | Cm7 | F7 | Bbmaj7 | % | Bbm7 | Eb7 | Abmaj7 | % | Dm7 | G7alt | Cmaj7 | A7b9",
            ),
            ((0, "1"), (4, "2"), (8, "3"), (12, "4")),
        ),
        Form(
            "modal",
            32,
            (),
            ((0, "A"), (8, "A"), (16, "bridge"), (24, "A")),
            feel="modal",
            minor_variants=(
                "Dm7 | % | % | % | % | % | % | % | Dm7 | % | % | % | % | % | % | % |"
                "Ebm7 | % | % | % | % | % | % | % | Dm7 | % | % | % | % | % | % | %",
            ),
        ),
        Form(
            "bossa",
            16,
            (
                "Cmaj9 | % | D9 | % | Dm9 | G13 | Em7 A7b9 | Dm9 G7b9 |"
                "Cmaj9 | Ebo7 | Dm9 | G13 | Em7 | A7b9 | Dm9 | G7b9",
            ),
            ((0, "A"), (8, "B")),
            feel="bossa",
            minor_variants=(
                "Cm9 | % | Fm9 | % | Dm7b5 | G7b9 | Cm9 | % |"
                "Ebm9 | Ab13 | Dbmaj9 | % | Dm7b5 | G7b9 | Cm9 | Dm7b5 G7b9",
            ),
        ),
        Form(
            "ballad",
            16,
            (
                "Cmaj7 | Bm7b5 E7b9 | Am7 | Gm7 C7 | Fmaj7 | Fm7 Bb7 | Em7 A7b9 | Dm7 G7 |"
                "Cmaj7 | E7alt | Am7 | D9#11 | Dm7 | G7sus G7b9 | Cmaj7 Ebo7 | Dm7 G7",
            ),
            ((0, "A"), (8, "B")),
            feel="ballad",
        ),
    )
}
THIRTY_TWO_BARS = ((0, "A"), (8, "A"), (16, "bridge"), (24, "A"))
DRAWN = "AABA"
FORM_NAMES = (*FORMS, DRAWN)


def changes_of(
    form: str, key: str, bars: int, model: ChordModel | None, rng: np.random.Generator, beats_per_bar: int = 4
) -> tuple[tuple[ChordSpan, ...], tuple[Section, ...]]:
    """Changes and sections of a form in a key, repeated or cut to `bars` (0: one chorus). In 3/4 two chords share a
    bar as two beats and one.

    `key`: a name of `KEYS`, with an "m" behind it for minor. Raises `BadOption` for an unknown form or key."""
    tonic, minor = split_key(key)
    chorus, _ = chorus_of(form)
    if form == DRAWN:
        if model is None:
            raise BadOption("I can't make up an AABA tune: I have no chord model.")
        text = model.draw_aaba(minor, rng)
    else:
        template = FORMS[form]
        variants = template.minor_variants if template.mode(minor) else template.variants
        text = variants[int(rng.integers(len(variants)))]
    shift = parse_chord(tonic).root or 0
    if form == "modal":
        shift = (shift - 2) % 12  # its template is in D
    spans = parse_changes(text, bars or chorus, beats_per_bar)
    moved = tuple(ChordSpan(s.onset, s.beats, respell(transpose_symbol(s.symbol, shift))) for s in spans)
    return moved, sections_of(form, bars, beats_per_bar)


def sections_of(form: str, bars: int, beats_per_bar: int = 4) -> tuple[Section, ...]:
    """Sections of a form, repeated or cut to `bars` (0: one chorus). Raises `BadOption` for an unknown form."""
    chorus, marks = chorus_of(form)
    total = bars or chorus
    return tuple(
        Section(float((start + bar) * beats_per_bar), name)
        for start in range(0, total, chorus)
        for bar, name in marks
        if start + bar < total
    )


def chorus_of(form: str) -> tuple[int, tuple[tuple[int, str], ...]]:
    """Bars of one chorus, and where its sections start: (bar, name). Raises `BadOption` for an unknown form."""
    if form == DRAWN:
        return 32, THIRTY_TWO_BARS
    if form in FORMS:
        return FORMS[form].bars, FORMS[form].sections
    raise BadOption(f"I don't know the form “{form}”. Choose one of these: {', '.join(FORM_NAMES)}.")


def respell(symbol: str) -> str:
    """`Gb7` stays, but a diminished chord that leads upwards reads better with a sharp: `Gbo7` -> `F#o7`."""
    if parse_chord(symbol).quality == "diminished" and symbol[:2] in ("Gb", "Db", "Ab"):
        return {"Gb": "F#", "Db": "C#", "Ab": "G#"}[symbol[:2]] + symbol[2:]
    return symbol


# ---------------------------------------------------------------- the chord model

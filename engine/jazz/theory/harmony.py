"""A line of chords over bars, and the chord language that the rooms of jazz share.

`parse_chord`, `Chord` and `transpose_symbol` live in `engine.jazz.theory.chords`; they are offered here too, so
that one import is enough for harmony.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import BadChords
from engine.jazz.theory.chord_line import even_onsets, read_bars
from engine.jazz.theory.chords import (
    NO_CHORD,
    QUALITIES,
    Chord,
    parse_chord,
    pitch_class_name,
    transpose_symbol,
)
from engine.jazz.theory.score import ChordSpan

__all__ = [
    "NO_CHORD",
    "QUALITIES",
    "Chord",
    "chord_at",
    "chords_among",
    "count_bars",
    "format_changes",
    "parse_changes",
    "parse_chord",
    "pitch_class_name",
    "transpose_symbol",
]

SHARE_OF_CHORDS = 0.8
"""Texts of a file are its chords when so many of them can be read as chords."""


def chord_at(changes: tuple[ChordSpan, ...], beat: float) -> ChordSpan:
    """The span that sounds at `beat`; the first before all of them, the last after them."""
    found = changes[0]
    for span in changes:
        if span.onset > beat + 1e-6:
            break
        found = span
    return found


def chords_among(texts: Sequence[tuple[float, str]]) -> list[tuple[float, str]]:
    """(place, symbol) of the chords among the texts of a file; none unless at least SHARE_OF_CHORDS of the texts are
    chords with a capital root, for words are chords here and there, too ("Go", "a", "Am")."""
    found: list[tuple[float, str]] = []
    for place, text in texts:
        if text[:1] not in "ABCDEFGN":
            continue
        try:
            found.append((place, parse_chord(text).symbol))
        except BadChords:
            continue
    return found if len(found) >= SHARE_OF_CHORDS * len(texts) else []


# ---------------------------------------------------------------- a line of chords


def parse_changes(text: str, bars: int = 0, beats_per_bar: int = 4) -> tuple[ChordSpan, ...]:
    """Chords over bars: `Dm7 G7 | Cmaj7 | %`.

    `|` ends a bar (so does a line end, when there is a `|` anywhere), `%` repeats the bar before, in an empty bar the
    last chord goes on; `|:` .. `:|` repeats what is between, `:| x3` as often, and `|1.` .. `:|2.` are its endings. The
    chords of a bar share it evenly, the first taking what is left over, unless `/` or `.` counts beats. Without any `|`
    each chord has a bar. Section labels (`A:`, `[Bridge]`) are skipped. `bars` 0: as many as written; else the line is
    repeated or cut to fit.

    Raises `BadChords` with the chord's text, its number and its bar."""
    written = read_bars(text, beats_per_bar)
    if not written:
        raise BadChords("There are no chords in “%s”." % (text.strip()[:40] or " "))
    length = bars or len(written)
    spans: list[ChordSpan] = []
    for bar in range(length):
        for onset, beats, symbol in written[bar % len(written)]:
            start = bar * beats_per_bar + onset
            if spans and spans[-1].symbol == symbol and onset > 0:
                spans[-1] = ChordSpan(spans[-1].onset, spans[-1].beats + beats, symbol)
            else:
                spans.append(ChordSpan(start, beats, symbol))
    return tuple(spans)


def count_bars(text: str, beats_per_bar: int = 4) -> int:
    """How many bars the line of chords fills as written. Raises `BadChords`."""
    return len(read_bars(text, beats_per_bar))


def format_changes(changes: tuple[ChordSpan, ...], beats_per_bar: int = 4) -> str:
    """The line that `parse_changes` reads back: bars between `|`, `%` for a bar like the one before."""
    last = max((span.onset + span.beats for span in changes), default=0.0)
    bars = max(1, round(last / beats_per_bar + 0.499))
    texts: list[str] = []
    for bar in range(bars):
        start = bar * beats_per_bar
        cells = [""] * beats_per_bar
        for span in changes:
            beat = round(span.onset - start)
            if 0 <= beat < beats_per_bar:
                cells[beat] = span.symbol
        if not cells[0]:
            cells[0] = chord_at(changes, start).symbol if changes else NO_CHORD
        named = [cell for cell in cells if cell]
        even = even_onsets(len(named), beats_per_bar)
        if [beat for beat, cell in enumerate(cells) if cell] == even:
            texts.append(" ".join(named))
        else:
            texts.append(" ".join(cell or "/" for cell in cells))
    shown = [text if i == 0 or text != texts[i - 1] else "%" for i, text in enumerate(texts)]
    # a single bar needs its bar line, or each of its chords would be read as a bar
    return " | ".join(shown) + (" |" if len(shown) == 1 and " " in shown[0] else "")

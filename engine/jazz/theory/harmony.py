"""A line of chords over bars, and the chord language that the rooms of jazz share.

`parse_chord`, `Chord` and `transpose_symbol` live in `engine.jazz.theory.chords`; they are offered here too, so
that one import is enough for harmony.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from engine.errors import BadChords
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

MAX_TEXT_LENGTH = 4000
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

    `|` ends a bar (so does a line end, when there is a `|` anywhere), `%` repeats the bar before, `|:` .. `:|` repeats
    what is between; the chords of a bar share it evenly, the first taking what is left over, unless `/` or `.` counts
    beats. Without any `|` each chord has a bar. Commas and spaces in a chord's parentheses are the chord's own:
    `C7(b9, #11)`. `bars` 0: as many as written; else the line is repeated or cut to fit.

    Raises `BadChords` with the chord's text, its number and its bar."""
    if len(text) > MAX_TEXT_LENGTH:
        raise BadChords(f"The chords are {len(text)} characters long; {MAX_TEXT_LENGTH} are the most that I read.")
    written = _bars_of(text, beats_per_bar)
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
    return len(_bars_of(text, beats_per_bar))


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
        even = _even_onsets(len(named), beats_per_bar)
        if [beat for beat, cell in enumerate(cells) if cell] == even:
            texts.append(" ".join(named))
        else:
            texts.append(" ".join(cell or "/" for cell in cells))
    shown = [text if i == 0 or text != texts[i - 1] else "%" for i, text in enumerate(texts)]
    return " | ".join(shown)


Bar = list[tuple[float, float, str]]  # onset within the bar, beats, symbol


def _bars_of(text: str, beats_per_bar: int) -> list[Bar]:
    has_bar_lines = "|" in text
    if has_bar_lines:
        text = re.sub(r"\s*\n\s*", " | ", text.strip())
    tokens = re.findall(r"\|:|:\|+|\|+|(?:\([^()|\n]*\)|[^\s|,;:])+", text)
    bars: list[Bar] = []
    open_bar: list[tuple[int, str]] = []  # (number of the token among the chords, token)
    repeat_from = 0
    number = 0

    def close() -> None:
        if open_bar:
            bars.append(_fill_bar(open_bar, bars, beats_per_bar))
            open_bar.clear()

    for token in tokens:
        if token == "|:":
            close()
            repeat_from = len(bars)
        elif token.startswith(":|"):
            close()
            bars.extend([list(bar) for bar in bars[repeat_from:]])
            repeat_from = len(bars)
        elif token.startswith("|"):
            close()
        elif token in ("-", "–", "—"):
            continue  # a dash between chords
        else:
            number += 1
            open_bar.append((number, token))
            if not has_bar_lines:
                close()
    close()
    return bars


def _fill_bar(tokens: list[tuple[int, str]], before: list[Bar], beats_per_bar: int) -> Bar:
    bar_number = len(before) + 1
    if len(tokens) == 1 and tokens[0][1] in ("%", "/", "."):
        if not before:
            raise BadChords(f"“{tokens[0][1]}” repeats the bar before it, but it stands in bar 1.")
        if tokens[0][1] == "%":
            return list(before[-1])
        return [(0.0, float(beats_per_bar), before[-1][-1][2])]
    if len(tokens) > beats_per_bar:
        raise BadChords(f"Bar {bar_number} has {len(tokens)} chords (from “{tokens[0][1]}”, chord {tokens[0][0]}); "
                        f"at most one for each of its {beats_per_bar} beats.")  # fmt: skip
    cells: list[str] = []
    for number, token in tokens:
        if token in ("/", ".", "%"):
            previous = cells[-1] if cells else (before[-1][-1][2] if before else None)
            if previous is None:
                raise BadChords(f"“{token}” (number {number}, bar {bar_number}) has no chord before it.")
            cells.append(previous)
            continue
        try:
            if token.count("(") != token.count(")"):  # what follows an open one would be read as chords of its own
                raise BadChords(f"A parenthesis in “{token}” is not closed.")
            cells.append(parse_chord(token).symbol)
        except BadChords:
            raise BadChords(f"I can't read “{token}” (chord {number}, bar {bar_number}) as a chord.") from None
    onsets = [*_even_onsets(len(cells), beats_per_bar), beats_per_bar]
    bar: Bar = []
    for index, symbol in enumerate(cells):
        start, end = onsets[index], onsets[index + 1]
        if bar and bar[-1][2] == symbol:
            bar[-1] = (bar[-1][0], end - bar[-1][0], symbol)
        else:
            bar.append((float(start), float(end - start), symbol))
    return bar


def _even_onsets(count: int, beats_per_bar: int) -> list[int]:
    """Beats on which `count` chords of a bar start: even shares, what is left over goes to the first."""
    share, rest = divmod(beats_per_bar, max(count, 1))
    return [0] + [share * i + rest for i in range(1, count)]

"""The chords and the metre as the networks read them: one row a beat."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from engine.jazz.corpus.solos import Solo
from engine.jazz.theory.harmony import QUALITIES, chord_at, parse_chord
from engine.jazz.theory.score import ChordSpan

NO_ROOT = 12
ROOTS = 13
NEXT_LIMIT = 16
SECTION_BARS = 33
UNKNOWN_BAR = 32
BEATS_IN_BAR = 4


@dataclass(frozen=True)
class Changes:
    """The chords and the metre, one row a beat (arrays over N beats unless said otherwise)."""

    root: np.ndarray  # 0..11, NO_ROOT where nobody plays
    quality: np.ndarray  # index into harmony.QUALITIES
    tones: np.ndarray  # (N, 24) 0/1: chord tones, then scale tones, upwards from the root
    next_root: np.ndarray  # of the next other chord, NO_ROOT if none
    next_quality: np.ndarray
    beats_to_next: np.ndarray  # 0..NEXT_LIMIT (none)
    beat_in_bar: np.ndarray
    bar_in_section: np.ndarray  # 0..31, UNKNOWN_BAR

    def __len__(self) -> int:
        return len(self.root)


@lru_cache(maxsize=4096)
def _chord_row(symbol: str) -> tuple[int, int, tuple[int, ...]]:
    chord = parse_chord(symbol)
    mask = [0] * 24
    if chord.root is not None:
        for tone in chord.tones:
            mask[(tone - chord.root) % 12] = 1
        for tone in chord.scale:
            mask[12 + (tone - chord.root) % 12] = 1
    return NO_ROOT if chord.root is None else chord.root, QUALITIES.index(chord.quality), tuple(mask)


def changes_of_beats(symbols: list[str], beat_in_bar: np.ndarray, bar_in_section: np.ndarray) -> Changes:
    """Rows for beats whose chord symbols are given. Raises `BadChords`."""
    rows = [_chord_row(symbol) for symbol in symbols]
    count = len(symbols)
    next_root, next_quality = np.full(count, NO_ROOT), np.full(count, QUALITIES.index("none"))
    beats_to_next = np.full(count, NEXT_LIMIT)
    change = count
    for i in range(count - 1, -1, -1):
        if i + 1 < count and symbols[i] != symbols[i + 1]:
            change = i + 1
        if change < count:
            next_root[i], next_quality[i] = rows[change][:2]
            beats_to_next[i] = min(change - i, NEXT_LIMIT)
    return Changes(
        root=np.array([row[0] for row in rows]),
        quality=np.array([row[1] for row in rows]),
        tones=np.array([row[2] for row in rows], np.float32).reshape(count, 24),
        next_root=next_root,
        next_quality=next_quality,
        beats_to_next=beats_to_next,
        beat_in_bar=np.clip(beat_in_bar, 0, BEATS_IN_BAR - 1).astype(np.int64),
        bar_in_section=np.clip(bar_in_section, 0, UNKNOWN_BAR - 1).astype(np.int64),
    )


def changes_of_spans(spans: tuple[ChordSpan, ...], beats: int, beats_per_bar: int, section_bars: int = 8) -> Changes:
    """Rows for `beats` beats from the first bar; sections are taken to last `section_bars`. Raises `BadChords`."""
    symbols = [chord_at(spans, float(beat)).symbol if spans else "NC" for beat in range(beats)]
    beat = np.arange(beats)
    return changes_of_beats(symbols, beat % beats_per_bar, (beat // beats_per_bar) % section_bars)


def changes_of_solo(solo: Solo) -> Changes:
    """Rows for the annotated beats of a solo."""
    return changes_of_beats(solo.symbols(), solo.beats["beat_in_bar"], solo.beats["bar_in_section"])

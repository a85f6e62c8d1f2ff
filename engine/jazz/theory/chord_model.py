"""New tunes: 32 bars of AABA, drawn from a chord model of jazz standards.

The counts were learned from the iRb corpus (`engine.jazz.band.learn_form`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.jazz.theory.chords import parse_chord, transpose_symbol

SUFFIXES = ("maj7", "6", "", "7", "7b9", "9", "7#11", "7#9", "13", "7b13", "7#5", "7sus", "m7", "m6", "m", "m7b5",
            "o7", "m9", "m(maj7)")  # fmt: skip
TOKENS = 12 * len(SUFFIXES)
"""A token is a chord above the tonic: `root * len(SUFFIXES) + suffix`."""
KINDS = ("A", "last A", "bridge")
CELLS = 16
"""Half bars of an eight-bar section."""


@dataclass(frozen=True)
class ChordModel:
    """Counts of chords in eight-bar sections of standards, one set a mode (0 major, 1 minor).

    `opening` (mode, kind, token): first chords. `pair` (mode, token, token): a chord after another. `triple` (mode) ->
    sparse rows (N, 4): token, token, token, count. `place` (mode, kind, cell, token): chords that start at a half bar.
    `change` (kind, cell): probability that a chord starts at a half bar."""

    opening: NDArray[np.float32]
    pair: NDArray[np.float32]
    triple: tuple[NDArray[np.int32], NDArray[np.int32]]
    place: NDArray[np.float32]
    change: NDArray[np.float32]

    def draw_aaba(self, minor: bool, rng: np.random.Generator) -> str:
        """Changes of 32 bars, in C."""
        mode = int(minor)
        a = self._draw_section(mode, 0, None, rng)
        last = self._draw_section(mode, 1, a, rng)
        bridge = self._draw_section(mode, 2, None, rng, leads_to=a[0])
        return " | ".join(write_section(section) for section in (a, last, bridge, last))

    def _draw_section(
        self,
        mode: int,
        kind: int,
        like: list[int | None] | None,
        rng: np.random.Generator,
        leads_to: int | None = None,
        candidates: int = 48,
    ) -> list[int | None]:
        """One token or None (the chord goes on) for each half bar: of some samples the one whose chords follow most
        naturally, among those that end as the section must. `like`: begin as that section does (six bars)."""
        best: list[int | None] = []
        best_score = -np.inf
        for _ in range(candidates):
            section, score = self._sample(mode, kind, like, rng)
            score += self._ending(mode, kind, section, leads_to)
            if score > best_score:
                best, best_score = section, score
        if kind == 1 and best_score < -50:
            best = self._come_home(mode, best)
        return best

    def _come_home(self, mode: int, section: list[int | None]) -> list[int | None]:
        """The same section with a dominant in its sixth bar's second half and the tonic in its last two bars."""
        dominant = 7 * len(SUFFIXES) + SUFFIXES.index("7b9" if mode else "7")
        tonic = SUFFIXES.index("m6" if mode else "6")
        return [*section[:11], dominant, tonic, None, None, None]

    def _sample(
        self, mode: int, kind: int, like: list[int | None] | None, rng: np.random.Generator
    ) -> tuple[list[int | None], float]:
        opening = self.opening[mode, kind] + 1e-6
        first = int(rng.choice(TOKENS, p=opening / opening.sum()))
        section: list[int | None] = [first] if like is None else list(like[:12])
        sounding = [token for token in section if token is not None]
        score, drawn = 0.0, 1
        while len(section) < CELLS:
            cell = len(section)
            if rng.random() >= self.change[kind, cell]:
                section.append(None)
                continue
            weights = self._next(mode, kind, cell, sounding)
            token = int(rng.choice(TOKENS, p=weights))
            score += float(np.log(weights[token]))
            drawn += 1
            section.append(token)
            sounding.append(token)
        return section, score / drawn

    def _next(self, mode: int, kind: int, cell: int, sounding: list[int]) -> NDArray[np.float64]:
        """Distribution of the next chord: three orders interpolated, times how usual the chord is at this half bar."""
        pair = self.pair[mode].astype(np.float64)
        alone = pair.sum(axis=0) + 0.05
        follows = pair[sounding[-1]]
        weights = 0.05 * alone / alone.sum() + 0.45 * follows / max(follows.sum(), 1e-9)
        if len(sounding) > 1:
            rows = self.triple[mode]
            match = rows[(rows[:, 0] == sounding[-2]) & (rows[:, 1] == sounding[-1])]
            if len(match):
                triple = np.zeros(TOKENS)
                triple[match[:, 2]] = match[:, 3]
                weights = weights + 0.5 * triple / triple.sum()
        place = self.place[mode, kind, cell].astype(np.float64) + 2.0 * alone / alone.sum()
        weights = weights * (place / place.sum() / (alone / alone.sum())) ** 0.5
        weights[sounding[-1]] = 0.0  # a change is a change
        total: NDArray[np.float64] = weights / weights.sum()
        return total

    def _ending(self, mode: int, kind: int, section: list[int | None], leads_to: int | None) -> float:
        """Bonus or refusal for how the section ends."""
        sounding = [token for token in section if token is not None]
        if kind == 1:  # the last A comes home in its seventh bar and rests there
            home = [token for token in section[12:] if token is not None]
            return 0.0 if len(home) == 1 and is_tonic(home[0], mode) and section[12] is not None else -100.0
        target = leads_to if leads_to is not None else sounding[0]
        follows = self.pair[mode, sounding[-1]]
        natural = float(np.log((follows[target] + 0.05) / (follows.sum() + 1.0)))
        static = -20.0 if len(sounding) < 4 else 0.0
        resting = -20.0 if kind == 2 and is_tonic(sounding[-1], mode) else 0.0
        return natural + static + resting


def is_tonic(token: int, mode: int) -> bool:
    root, suffix = divmod(token, len(SUFFIXES))
    return root == 0 and SUFFIXES[suffix] in (("m7", "m6", "m", "m9", "m(maj7)") if mode else ("maj7", "6", ""))


def token_of(symbol: str, tonic: int) -> int:
    """The nearest token of a chord symbol in a key with that tonic."""
    chord = parse_chord(symbol)
    if chord.root is None:
        return SUFFIXES.index("")
    steps = {(tone - chord.root) % 12 for tone in (*chord.tones, *chord.tensions)}
    quality = chord.quality
    if quality == "major":
        suffix = "maj7" if 11 in steps else "6" if 9 in steps else ""
    elif quality == "minor":
        suffix = "m9" if {2, 10} <= steps else "m7" if 10 in steps else "m6" if 9 in steps else "m"
    elif quality == "dominant":
        suffix = "7#11" if 6 in steps else "13" if 9 in steps else "9" if 2 in steps else "7"
    elif quality == "altered":
        suffix = "7#9" if 3 in steps else "7b9" if 1 in steps else "7b13" if 7 in steps else "7#5"
    else:
        suffix = {"minor_major": "m(maj7)", "suspended": "7sus", "half_diminished": "m7b5", "diminished": "o7",
                  "augmented": "7#5"}[quality]  # fmt: skip
    return (chord.root - tonic) % 12 * len(SUFFIXES) + SUFFIXES.index(suffix)


def write_section(section: list[int | None]) -> str:
    """Eight bars between `|`, in C."""
    bars: list[str] = []
    sounding = ""
    for bar in range(len(section) // 2):
        symbols = []
        for token in section[bar * 2 : bar * 2 + 2]:
            if token is not None:
                root, suffix = divmod(token, len(SUFFIXES))
                sounding = transpose_symbol("C" + SUFFIXES[suffix], root)
            symbols.append(sounding)
        bars.append(symbols[0] if symbols[0] == symbols[1] else " ".join(symbols))
    return " | ".join(bars)

"""A walking bass line drawn from a log-linear model of what bassists play.

One note a beat. The score of a pitch is a sum of table entries: its place in the chord and in the coming chord, the
interval it makes with the note before, the interval before that, its register. The tables were learned from the bass
notes that the Weimar Jazz Database annotates under its solos (`engine.jazz.band.learn`); those notes are estimated from
recordings, so the fit explains them as a mixture of a bassist and of noise and keeps the bassist.

A whole line is drawn at once by backward filtering and forward sampling, so that the musical rules below hold
everywhere without ever running into a dead end:

* a chord starts on its root (or on the bass after the slash), sometimes its third or fifth;
* the third beat of a bar is a chord tone;
* any other note that is no chord tone moves on by a step, or leads by a step or a fifth into the next chord;
* no leap is wider than an octave.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.jazz.theory.chords import QUALITIES, Chord, parse_chord
from engine.jazz.theory.score import ChordSpan

LOWEST, HIGHEST = 28, 53
"""E1 to F3: the double bass, as far up as it walks."""
PITCHES = np.arange(LOWEST, HIGHEST + 1)
ROLES = ("chord start", "strong beat", "weak beat", "last beat before a change")
MAX_LEAP = 12
REPEAT = -1.0
"""Log-weight on playing the note before again: the annotation holds a note whenever it misses the next one."""
RETURN = -0.5
"""Log-weight on going back to the note before last, which the rules of resolution would make commoner than it is."""
NEVER = -1e9

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class BassTables:
    """The model's weights. Intervals are indexed from -12 to 12, pitch classes relative to the root named.

    `place` (role, quality, pitch class over the root), `step` (role, pitch class before, pitch class, both over the
    root), `interval` (role, interval), `turn` (interval before, interval), `approach` (role, pitch class over the NEXT
    root), `register` (pitch from LOWEST)."""

    place: Floats
    step: Floats
    interval: Floats
    turn: Floats
    approach: Floats
    register: Floats


@dataclass(frozen=True, slots=True)
class Beat:
    """What the bassist sees at one beat: the chord, the next different one, and where in the chord it is."""

    chord: Chord
    following: Chord
    role: int
    strong: bool


def beats_of(changes: tuple[ChordSpan, ...], beats: int, beats_per_bar: int) -> list[Beat]:
    """One `Beat` for each of `beats`; after the last chord the first one is expected again."""
    chords = [parse_chord(span.symbol) for span in changes]
    seen: list[Beat] = []
    spans = _merged(changes)
    index = 0
    for beat in range(beats):
        while index + 1 < len(spans) and spans[index + 1][0] <= beat + 1e-6:
            index += 1
        onset, chord_index = spans[index]
        following = spans[(index + 1) % len(spans)]
        until = (following[0] if index + 1 < len(spans) else beats) - beat
        strong = beat % beats_per_bar in (0, 2)
        if beat - onset < 1:
            role = 0
        elif until <= 1:
            role = 3
        else:
            role = 1 if strong else 2
        seen.append(Beat(chords[chord_index], chords[following[1]], role, strong))
    return seen


def _merged(changes: tuple[ChordSpan, ...]) -> list[tuple[float, int]]:
    """(onset, index) of each span whose symbol differs from the one before."""
    return [
        (span.onset, index)
        for index, span in enumerate(changes)
        if index == 0 or span.symbol != changes[index - 1].symbol
    ]


def walk(
    tables: BassTables, changes: tuple[ChordSpan, ...], beats: int, beats_per_bar: int, rng: np.random.Generator
) -> list[int | None]:
    """A pitch for each beat, None where no chord is named (`NC`: the bass lays out).

    `beats`: how many; `changes` must cover them."""
    seen = beats_of(changes, beats, beats_per_bar)
    line: list[int | None] = []
    start = 0
    while start < beats:
        if seen[start].chord.root is None:
            line.append(None)
            start += 1
            continue
        end = start
        while end < beats and seen[end].chord.root is not None:
            end += 1
        line.extend(_draw(tables, seen[start:end], rng))
        start = end
    return line


def _draw(tables: BassTables, seen: list[Beat], rng: np.random.Generator) -> list[int]:
    """Sample a line for consecutive beats that all have a chord.

    State: the pair (pitch before, pitch); messages[t][a, b] is the log-weight of everything after beat t given that
    beats t-1, t are pitches a, b."""
    count = len(PITCHES)
    messages = [np.zeros((count, count))] * len(seen)
    potentials = [_potential(tables, seen[t - 1], seen[t], first=t == 1) for t in range(1, len(seen))]
    for t in range(len(seen) - 1, 0, -1):
        total = potentials[t - 1] + messages[t][None, :, :]  # (a, b, c): c follows b follows a
        messages[t - 1] = np.asarray(_logsumexp(total))
    # the first note: in the middle of the instrument
    opening = tables.place[0, QUALITIES.index(seen[0].chord.quality)][_over(seen[0].chord)] + tables.register
    opening = opening - ((PITCHES - 38) / 6.0) ** 2 + _rule_first(seen[0])
    line = [_choose(opening + messages[0].mean(axis=0), rng)]
    before = line[0]
    for t in range(1, len(seen)):
        scores = potentials[t - 1][before, line[-1]] + messages[t][line[-1]]
        before = line[-1]
        line.append(_choose(scores, rng))
    return [int(PITCHES[index]) for index in line]


def _choose(scores: Floats, rng: np.random.Generator) -> int:
    weights = np.exp(scores - scores.max())
    return int(rng.choice(len(weights), p=weights / weights.sum()))


def _logsumexp(total: Floats) -> Floats:
    top = total.max(axis=2, keepdims=True)
    out: Floats = np.log(np.exp(total - top).sum(axis=2)) + top[:, :, 0]
    return np.maximum(out, NEVER)


def _over(chord: Chord) -> NDArray[np.int64]:
    """Pitch class of each of PITCHES above the chord's root."""
    assert chord.root is not None
    return (PITCHES - chord.root) % 12


def scores(tables: BassTables, seen: Beat) -> tuple[Floats, Floats, Floats]:
    """The model's log-scores at a beat, before normalising: of the pitch alone (c), of the pair (b, c) and of the
    triple (a, b, c) without the pair."""
    quality = QUALITIES.index(seen.chord.quality)
    over = _over(seen.chord)
    alone = tables.place[seen.role, quality][over] + tables.register
    if seen.following.root is not None:
        alone = alone + tables.approach[seen.role][(PITCHES - seen.following.root) % 12]
    interval = PITCHES[None, :] - PITCHES[:, None]
    clipped = np.clip(interval, -12, 12) + 12
    pair = tables.step[seen.role][over[:, None], over[None, :]] + tables.interval[seen.role][clipped]
    turn = tables.turn[clipped[:, :, None], clipped[None, :, :]]
    return alone, pair, turn


def _potential(tables: BassTables, previous: Beat, seen: Beat, *, first: bool) -> Floats:
    """Log-probability (a, b, c) of pitch c after a, b, with the rules of the line."""
    alone, pair, turn = scores(tables, seen)
    total = alone[None, None, :] + pair[None, :, :] + (0.0 if first else turn)
    total = total + np.zeros((len(PITCHES),) * 3)
    top = total.max(axis=2, keepdims=True)
    total = total - top - np.log(np.exp(total - top).sum(axis=2, keepdims=True))
    same = np.eye(len(PITCHES), dtype=bool)
    total = total + np.where(same, REPEAT, 0.0)[None, :, :] + np.where(same, RETURN, 0.0)[:, None, :]
    total = np.where(same[:, :, None] & same[None, :, :], NEVER, total)  # never three times
    return total + _rule(previous, seen)[None, :, :]


def _rule_first(seen: Beat) -> Floats:
    return np.where(np.isin(PITCHES % 12, _bass(seen.chord)), 0.0, NEVER)


def _rule(previous: Beat, seen: Beat) -> Floats:
    """(b, c): 0 where pitch c may follow pitch b, NEVER where it may not."""
    b, c = PITCHES[:, None], PITCHES[None, :]
    interval = c - b
    ok = np.abs(interval) <= MAX_LEAP
    classes = PITCHES % 12
    if seen.role == 0:
        ok &= np.isin(classes, _starts(seen.chord))[None, :]
    elif seen.strong:
        ok &= np.isin(classes, (*seen.chord.tones, _bass(seen.chord)))[None, :]
    else:
        reachable = np.isin(classes, (*seen.chord.scale, *_leading(seen)))
        ok &= reachable[None, :]
    # a note that is no chord tone resolves: by a step, or by a fifth into the next chord's root
    passing = ~np.isin(classes, (*previous.chord.tones, _bass(previous.chord)))
    resolves = (np.abs(interval) <= 2) & (interval != 0)
    if seen.role == 0 and seen.chord.bass is not None:
        dominant = (classes == (seen.chord.bass + 7) % 12)[:, None] & (classes == seen.chord.bass)[None, :]
        resolves |= dominant
    ok &= ~passing[:, None] | resolves
    # leaps of a tritone or a seventh are for singers, except onto the octave
    ok &= ~np.isin(np.abs(interval), (10, 11))
    return np.where(ok, 0.0, NEVER)


def _bass(chord: Chord) -> int:
    assert chord.bass is not None
    return chord.bass


def _starts(chord: Chord) -> tuple[int, ...]:
    """What a chord may start on: its bass; over its own root also third or fifth."""
    bass = _bass(chord)
    if bass != chord.root or len(chord.tones) < 3:
        return (bass,)
    return (bass, chord.tones[1], chord.tones[2])


def _leading(seen: Beat) -> tuple[int, ...]:
    """Semitones and the fifth around the next chord's bass: approach notes on the last beat."""
    target = seen.following.bass
    if seen.role != 3 or target is None:
        return ()
    return ((target + 1) % 12, (target - 1) % 12, (target + 2) % 12, (target - 2) % 12, (target + 7) % 12)

"""Rootless voicings, led from chord to chord with as little movement as the hands allow."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from engine.jazz.theory.chords import Chord

LOWEST, HIGHEST = 50, 74
"""D3 to D5: above the bass, mostly under the soloist."""
CENTRE = 61.0

Voicing = tuple[int, ...]
"""MIDI pitches, upwards."""


def colours(chord: Chord) -> tuple[int, ...]:
    """The four pitch classes of a rootless voicing: third, fifth or thirteenth, seventh or sixth, ninth, as the symbol
    alters them (Levine, The Jazz Piano Book, 1989, chapters 7 and 17). Empty for NC."""
    if chord.root is None:
        return ()
    root = chord.root
    written = {(tension - root) % 12 for tension in chord.tensions}
    tones = [(tone - root) % 12 for tone in chord.tones]
    third, fifth = tones[1], tones[2]
    seventh = tones[3] if len(tones) > 3 else None
    if chord.quality == "diminished":
        steps = [0, 3, 6, seventh if seventh is not None else 9]
    elif chord.quality == "half_diminished":
        steps = [3, 6, 10, 2 if 2 in written else 0]
    elif chord.quality in ("dominant", "altered"):
        altered = chord.quality == "altered"
        ninth = 3 if 3 in written else 1 if 1 in written else 2
        upper = 8 if 8 in written or fifth == 8 else 6 if fifth == 6 or 6 in written else 9
        if altered and ninth == 1 and upper == 9 and 9 not in written:
            upper = 7
        steps = [third, upper, 10, ninth]
    elif chord.quality == "suspended":
        steps = [third, 9 if 1 not in written else 7, 10 if seventh is None else seventh, 1 if 1 in written else 2]
        if third == 2:
            steps = [0, 2, 7, 9]
    else:
        if chord.quality == "major":
            sixth = 9 if seventh is None else seventh
            steps = [third, 6 if 6 in written else fifth, sixth, 3 if 3 in written else 2]
        else:
            steps = [third, fifth, seventh if seventh is not None else (8 if 8 in written else 10), 2]
            if chord.quality == "minor" and (8 in written or 1 in written):
                steps[3] = 0  # a natural ninth would contradict the symbol
            if chord.quality == "augmented" and seventh is None:
                steps = [0, 4, 8, 2]
    return tuple(dict.fromkeys((root + step) % 12 for step in steps))


def fourths(chord: Chord) -> tuple[tuple[int, ...], ...]:
    """Stacks of fourths out of the chord's scale with a third on top, one from each scale tone that keeps off the avoid
    notes: the left hand of modal jazz. Pitch classes, upwards."""
    scale = [tone for tone in chord.scale if tone not in chord.avoid]
    if len(chord.scale) != 7:
        return ()
    stacks = []
    for degree in range(7):
        stack = tuple(chord.scale[(degree + step) % 7] for step in (0, 3, 6, 8))
        if all(tone in scale for tone in stack):
            stacks.append(stack)
    return tuple(stacks)


@lru_cache(maxsize=2048)
def voicings(chord: Chord, quartal: bool = False) -> tuple[Voicing, ...]:
    """Every close position of the chord's colours (or stack of fourths) that lies between LOWEST and HIGHEST."""
    if chord.root is None:
        return ()
    found: set[Voicing] = set()
    orders: list[tuple[int, ...]] = []
    if quartal:
        orders.extend(fourths(chord))
    if not orders:
        classes = sorted(colours(chord))
        orders = [tuple(classes[i:] + classes[:i]) for i in range(len(classes))]
    for order in orders:
        for bottom in range(LOWEST, HIGHEST):
            if bottom % 12 != order[0]:
                continue
            pitches = [bottom]
            for pitch_class in order[1:]:
                pitches.append(pitches[-1] + 1 + (pitch_class - pitches[-1] - 1) % 12)
            if pitches[-1] <= HIGHEST and _clear(pitches):
                found.add(tuple(pitches))
    return tuple(sorted(found))


def _clear(pitches: list[int]) -> bool:
    """No semitone at the bottom, where it growls, and none at the top, where it stings the melody."""
    steps = [b - a for a, b in pairwise(pitches)]
    return steps[-1] > 1 and (steps[0] > 1 or pitches[0] >= 58)


def movement(before: Voicing, after: Voicing) -> float:
    """Semitones that the voices move in all, the top one counting double."""
    if len(before) != len(after):
        return float(abs(sum(before) / len(before) - sum(after) / len(after)) * 4)
    moves = [abs(a - b) for a, b in zip(before, after, strict=True)]
    return float(sum(moves) + moves[-1])


STILL = 14.0
"""Cost of striking the same stack of fourths again: over one chord for bars the hand moves in parallel."""


def lead(chords: Sequence[Chord], quartal: bool = False) -> list[Voicing]:
    """A voicing for each chord (empty for NC) with the least movement over the whole line (Viterbi)."""

    def cost(before: Voicing, after: Voicing) -> float:
        return movement(before, after) + (STILL if quartal and before == after else 0.0)

    path: list[Voicing] = [()] * len(chords)
    costs: dict[Voicing, float] = {}
    back: list[dict[Voicing, Voicing]] = []
    indices = [i for i, chord in enumerate(chords) if voicings(chord, quartal)]
    for index in indices:
        options = voicings(chords[index], quartal)
        step: dict[Voicing, float] = {}
        origin: dict[Voicing, Voicing] = {}
        for option in options:
            height = 0.15 * abs(sum(option) / len(option) - CENTRE) ** 1.5
            if costs:
                best = min(costs, key=lambda before: costs[before] + cost(before, option))
                step[option] = costs[best] + cost(best, option) + height
                origin[option] = best
            else:
                step[option] = height
        back.append(origin)
        costs = step
    if not indices:
        return path
    voicing = min(costs, key=lambda option: costs[option])
    for position in range(len(indices) - 1, -1, -1):
        path[indices[position]] = voicing
        voicing = back[position].get(voicing, voicing)
    return path


def shell(shape: Voicing, chord: Chord) -> Voicing:
    """The voices without which a chord is not itself: third and seventh; the two lowest where it has not both."""
    kept = tuple(pitch for pitch in shape if pitch % 12 in (chord.third, chord.seventh))
    return kept if len(kept) == 2 else shape[:2]

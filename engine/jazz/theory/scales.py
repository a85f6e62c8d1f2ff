"""From what a symbol says to what a chord is: its quality, its tones, and the scale that improvisers play over it.

Chord scales: Nettles & Graf, The Chord Scale Theory & Jazz Harmony, 1997.
"""

from __future__ import annotations

from engine.jazz.theory.symbols import Reading

# Semitones above the root.
IONIAN = (0, 2, 4, 5, 7, 9, 11)
DORIAN = (0, 2, 3, 5, 7, 9, 10)
AEOLIAN = (0, 2, 3, 5, 7, 8, 10)
LYDIAN = (0, 2, 4, 6, 7, 9, 11)
MIXOLYDIAN = (0, 2, 4, 5, 7, 9, 10)
LOCRIAN = (0, 1, 3, 5, 6, 8, 10)
PHRYGIAN = (0, 1, 3, 5, 7, 8, 10)
MELODIC_MINOR = (0, 2, 3, 5, 7, 9, 11)
LYDIAN_DOMINANT = (0, 2, 4, 6, 7, 9, 10)
MIXOLYDIAN_FLAT_13 = (0, 2, 4, 5, 7, 8, 10)
PHRYGIAN_DOMINANT = (0, 1, 4, 5, 7, 8, 10)
LYDIAN_AUGMENTED = (0, 2, 4, 6, 8, 9, 11)
ALTERED_SCALE = (0, 1, 3, 4, 6, 8, 10)
WHOLE_TONE = (0, 2, 4, 6, 8, 10)
HALF_WHOLE = (0, 1, 3, 4, 6, 7, 9, 10)
WHOLE_HALF = (0, 2, 3, 5, 6, 8, 9, 11)


def interpret(reading: Reading) -> tuple[str, tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Quality, chord tones, tensions and chord scale, in semitones above the root."""
    extra = set(reading.tensions)
    third = {"": 4, "minor": 3, "suspended4": 5, "suspended2": 2, "none": 7}[reading.third]
    seventh, fifth = reading.seventh, reading.fifth
    suspended = reading.third.startswith("suspended")
    if reading.altered:
        extra |= {1, 3, 8}
        fifth = 8 if fifth == 7 else fifth
    quality = quality_of(reading, third, extra)
    scale = scale_of(quality, third, fifth, seventh, extra, reading)
    tones = [0, third, fifth] if third != 7 else [0, 7, 7]
    if seventh is not None:
        tones.append(seventh)
    written = {8} if reading.flat_sixth else set()
    tensions = tuple(sorted((extra | written) - set(tones)))
    if suspended:
        tensions = tuple(step for step in tensions if step != 4) + ((4,) if 4 in extra else ())
    return quality, tuple(tones), tensions, scale


def quality_of(reading: Reading, third: int, extra: set[int]) -> str:
    if reading.diminished:
        return "diminished"
    if third == 3:
        if reading.seventh == 11:
            return "minor_major"
        if reading.fifth == 6 and reading.seventh == 10:
            return "half_diminished"
        return "diminished" if reading.fifth == 6 else "minor"
    if reading.third.startswith("suspended"):
        return "suspended"
    if reading.seventh == 10:
        return "altered" if reading.altered or extra & {1, 3, 8} or reading.fifth in (6, 8) else "dominant"
    return "augmented" if reading.fifth == 8 else "major"


def scale_of(
    quality: str, third: int, fifth: int, seventh: int | None, extra: set[int], reading: Reading
) -> tuple[int, ...]:
    if quality == "minor":
        if reading.flat_sixth or 8 in extra:
            return PHRYGIAN if 1 in extra else AEOLIAN
        if 1 in extra:
            return PHRYGIAN
        return MELODIC_MINOR if seventh == 9 else DORIAN
    if quality == "altered":
        if fifth == 8 and not extra & {1, 3}:
            return WHOLE_TONE
        if fifth == 6 and not extra & {1, 3, 8}:
            return LYDIAN_DOMINANT
        if reading.altered or fifth != 7 or (extra & {3} and 8 in extra):
            return ALTERED_SCALE
        if 8 in extra:
            return PHRYGIAN_DOMINANT if 1 in extra else MIXOLYDIAN_FLAT_13
        return HALF_WHOLE
    if quality == "major":
        return LYDIAN if 6 in extra or 3 in extra else IONIAN
    if quality == "dominant":
        return LYDIAN_DOMINANT if 6 in extra else MIXOLYDIAN
    if quality == "suspended":
        return PHRYGIAN if 1 in extra else MIXOLYDIAN
    return {"minor_major": MELODIC_MINOR, "half_diminished": LOCRIAN, "diminished": WHOLE_HALF,
            "augmented": LYDIAN_AUGMENTED}[quality]  # fmt: skip

"""What bass and piano hear of the others while they play: the drummer's time and accents, the soloist's density.

Neither has recordings of his own to take time from, the drummer has: every stroke of his was played by somebody. So the
bass sounds with the hand that marks the beat, or ahead of it where the foot is; the piano's chords fall with the ride,
its off-beats with the ride's off-beats. Both lean on what the drummer leans on, and listen to how loud and how densely
the soloist plays. Nothing is drawn at random here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.jazz.band.drums import CLOSED_HAT, OPEN_HAT, PEDAL_HAT, RIDE, RIDE_BELL
from engine.jazz.theory.score import Note

HANDS = (RIDE, RIDE_BELL, CLOSED_HAT, OPEN_HAT)
NEAR_MS, NEAR_BEATS = 60.0, 0.18
"""A stroke marks the beat (or off-beat) from which it is no further away than both of these."""
AHEAD_MS = 20.0
"""The bass goes halfway to a foot that comes before the hand, but no further ahead of the hand than this."""
BASS_EARLY_MS, BASS_LATE_MS = 35.0, 25.0
"""The bass comes closer and closer to these bounds the further off the drummer is, and never reaches them: a bass that
drags pulls the whole band."""
CHORDS_MS = 40.0
"""The same for the piano, either way."""
BASS_ACCENT, CHORD_ACCENT = 0.35, 0.25
"""Velocity that a player adds for each unit by which the drummer's stroke is louder than is usual for him."""
BASS_LIFT, CHORD_LIFT = 0.3, 0.4
"""The same for each unit by which the soloist is louder than usual just then."""
BASS_DRIVE, CHORD_ROOM = 4.0, 9.0
"""Velocity by which the bass grows, the piano steps back, where the soloist plays twice as densely as usual (in his
gaps the other way round)."""
CROWDED = 0.5
"""Where the soloist plays so much more densely than usual, the piano leaves two of its four voices out."""
ATTENTION = 2.0
"""Beats to either side over which the soloist is heard."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Pulse:
    """The drummer's time. `place` (M,): beats and off-beats, in beats, as bass and piano count them; `hand` and `bass`
    (M,): beats by which piano and bass play later than that; `accent` (M,): velocity over the drummer's median."""

    place: Floats
    hand: Floats
    bass: Floats
    accent: Floats

    @classmethod
    def of(cls, hits: list[Note], beats: int, swing: float, softer: float, tempo_bpm: float) -> Pulse:
        """`swing`: where the ride's off-beats lie, `softer`: where those of bass and piano do."""
        hands, feet = (
            sorted((hit.onset, hit.velocity) for hit in hits if hit.pitch in pitches)
            for pitches in (HANDS, (PEDAL_HAT,))
        )
        ms = tempo_bpm / 60_000.0
        near = min(NEAR_BEATS, NEAR_MS * ms)
        usual = float(np.median([velocity for _, velocity in hands])) if hands else 0.0
        rows = []
        for beat in range(beats):
            for phase, own in ((0.0, 0.0), (swing, softer)):
                hand, foot = _nearest(hands, beat + phase, near), _nearest(feet, beat + phase, near)
                if hand is not None:
                    ahead = min(0.0, max(-AHEAD_MS * ms, 0.5 * (foot[0] - hand[0]))) if foot is not None else 0.0
                    rows.append((beat + own, hand[0], hand[0] + ahead, hand[1] - usual))
                elif foot is not None:  # a fill: the foot keeps time
                    rows.append((beat + own, foot[0], foot[0], 0.0))
        # on the bar line after the form all come together
        known = np.array([*rows, (float(beats), 0.0, 0.0, 0.0)])
        place = np.sort(np.concatenate([np.arange(beats + 1.0), np.arange(beats) + softer]))
        hand_at, bass_at, accent = (np.interp(place, known[:, 0], known[:, column]) for column in (1, 2, 3))
        return cls(
            place,
            _within(hand_at, CHORDS_MS * ms, CHORDS_MS * ms),
            _within(bass_at, BASS_EARLY_MS * ms, BASS_LATE_MS * ms),
            accent,
        )


def _within(deviation: Floats, early: float, late: float) -> Floats:
    """Deviations bent so that they stay inside of the bounds; small ones hardly change."""
    bound = np.where(deviation < 0, early, late)
    bent: Floats = bound * np.tanh(deviation / bound)
    return bent


def _nearest(strokes: list[tuple[float, int]], beat: float, near: float) -> tuple[float, int] | None:
    """(distance in beats, velocity) of the stroke nearest to a beat, None if none is as near as `near`."""
    found = [(onset - beat, velocity) for onset, velocity in strokes if abs(onset - beat) <= near]
    return min(found, key=lambda stroke: abs(stroke[0])) if found else None


@dataclass(frozen=True)
class Attention:
    """The soloist as heard around each beat. `louder` (beats,): velocity over the solo's mean, 0 where it rests;
    `denser` (beats,): notes a beat over the solo's mean, in units of that mean, -1 (rests) .. 1 (twice as many)."""

    louder: Floats
    denser: Floats

    @classmethod
    def of(cls, solo: tuple[Note, ...], beats: int) -> Attention:
        if not solo:
            return cls(np.zeros(beats), np.zeros(beats))
        onset = np.array([note.onset for note in solo])
        velocity = np.array([float(note.velocity) for note in solo])
        # a note counts the less the further away it is
        weight = np.clip(1.0 - np.abs(onset[None, :] - np.arange(beats)[:, None] - 0.5) / (ATTENTION + 0.5), 0.0, None)
        heard = weight.sum(axis=1)
        louder = weight @ (velocity - velocity.mean()) / np.maximum(heard, 1.0)
        return cls(louder, np.clip(heard / max(float(heard.mean()), 1e-9) - 1.0, -1.0, 1.0))

    def at(self, onset: float) -> tuple[float, float]:
        """(louder, denser) at a place in beats."""
        beat = min(max(int(onset), 0), len(self.louder) - 1)
        return float(self.louder[beat]), float(self.denser[beat])


def in_time_bass(notes: list[Note], pulse: Pulse, attention: Attention) -> list[Note]:
    """The bass line as it is played with these two. Its notes stay one after the other."""
    played = []
    for note in notes:
        louder, denser = attention.at(note.onset)
        touch = BASS_ACCENT * float(np.interp(note.onset, pulse.place, pulse.accent))
        played.append(_moved(note, pulse, pulse.bass, touch + BASS_LIFT * louder + BASS_DRIVE * denser))
    following = [*(note.onset for note in played), np.inf][1:]  # nobody plays where no chord is named
    return [
        replace(note, duration=min(note.duration, after - note.onset))
        for note, after in zip(played, following, strict=True)
    ]


def in_time_chords(notes: list[Note], pulse: Pulse, attention: Attention) -> list[Note]:
    """The piano's chords as they are played with these two."""
    played = []
    for note in notes:
        louder, denser = attention.at(note.onset)
        touch = CHORD_ACCENT * float(np.interp(note.onset, pulse.place, pulse.accent))
        played.append(_moved(note, pulse, pulse.hand, touch + CHORD_LIFT * louder - CHORD_ROOM * denser))
    return played


def _moved(note: Note, pulse: Pulse, deviation: Floats, touch: float) -> Note:
    """Both ends of a note moved with the pulse, its velocity changed by `touch`."""
    onset, end = (
        max(0.0, place + float(np.interp(place, pulse.place, deviation)))
        for place in (note.onset, note.onset + note.duration)
    )
    velocity = int(np.clip(round(note.velocity + touch), 30, 112))
    return replace(note, onset=onset, duration=max(end - onset, 0.05), velocity=velocity)

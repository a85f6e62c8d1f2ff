"""Bass and piano play in the drummer's time, lean on his accents and listen to the soloist."""

from itertools import pairwise

import numpy as np
import pytest

from engine.jazz.band import drums
from engine.jazz.band.listening import BASS_EARLY_MS, BASS_LATE_MS, Attention, Pulse, in_time_bass, in_time_chords
from engine.jazz.band.section import accompany
from engine.jazz.theory.feel import FEELS
from engine.jazz.theory.score import Note
from tests.engine.jazz.band.test_band import BAND, BLUES, whole


def off_the_beat_ms(score, part):
    """How far each note before the ending lies from the nearest beat or off-beat of bass and piano, ms."""
    off_beat = min(score.swing, 2 / 3)
    return np.array([
        min((note.onset % 1 - phase for phase in (0.0, off_beat, 1.0)), key=abs) * 60_000 / score.tempo_bpm
        for note in score.parts[part]
        if 0 < note.onset < score.beats - 0.1
    ])  # fmt: skip


@pytest.mark.parametrize("feel", ["swing", "up", "ballad", "bossa"])
def test_bass_and_piano_are_not_on_the_grid_and_never_drag(feel):
    for seed in range(3):
        score = whole(seed, feel=feel, tempo=FEELS[feel].tempo_bpm[0])
        for part in ("bass", "comping"):
            late = off_the_beat_ms(score, part)
            assert np.std(late) > 5, part
            assert np.mean(np.abs(late) < 0.5) < 0.25, part
            assert np.abs(late).max() < 40, part
        bass_ms = off_the_beat_ms(score, "bass")
        assert bass_ms.min() > -BASS_EARLY_MS
        assert bass_ms.max() < BASS_LATE_MS


def test_the_bass_goes_with_the_ride_or_ahead_of_it():
    together, apart = [], []
    for seed in range(6):
        score = whole(seed)
        ride = np.array([hit.onset for hit in score.parts["drums"] if hit.pitch == drums.RIDE])
        for note in score.parts["bass"]:
            beat = round(note.onset)
            nearest = ride[np.argmin(np.abs(ride - beat))]
            if 0 < beat < score.beats and abs(nearest - beat) < 0.12 and abs(note.onset - beat) < 0.12:
                together.append((nearest - beat, note.onset - beat))
                apart.append((note.onset - nearest) * 60_000 / score.tempo_bpm)
    assert np.corrcoef(np.array(together).T)[0, 1] > 0.75
    assert -15 < np.median(apart) <= 0
    assert np.mean(np.array(apart) < 10) > 0.9


def beats_of_a_drummer(late_ms=0.0, off_late_ms=0.0, foot_ms=None, accent=0, beats=8, tempo=120.0):
    """A ride that is late (on the beats, on the off-beats), with a foot on 2 and 4 and louder strokes there."""
    ms = tempo / 60_000
    hits = []
    for beat in range(beats):
        hits.append(Note(beat + late_ms * ms, 0.5, drums.RIDE, 78 + accent * (beat % 2)))
        hits.append(Note(beat + 0.62 + off_late_ms * ms, 0.5, drums.RIDE, 78))
        if foot_ms is not None and beat % 2:
            hits.append(Note(beat + foot_ms * ms, 0.25, drums.PEDAL_HAT, 78))
    return Pulse.of(hits, beats, 0.62, 0.62, tempo)


def test_time_and_accents_are_the_drummers():
    line = [Note(float(beat), 0.94, 40, 80) for beat in range(8)]
    alone = Attention.of((), 8)

    def heard(pulse, beat):
        note = in_time_bass(line, pulse, alone)[beat]
        return (note.onset - beat) * 500, note.velocity

    assert heard(beats_of_a_drummer(), 3) == (pytest.approx(0), 80)
    assert heard(beats_of_a_drummer(late_ms=10), 3)[0] == pytest.approx(10, abs=1)
    assert heard(beats_of_a_drummer(late_ms=-10), 3)[0] == pytest.approx(-10, abs=1)
    assert heard(beats_of_a_drummer(late_ms=10, foot_ms=-2), 3)[0] == pytest.approx(4, abs=1), "between hand and foot"
    assert heard(beats_of_a_drummer(late_ms=-4, foot_ms=10), 3)[0] == pytest.approx(-4, abs=1), "not behind the hand"
    assert heard(beats_of_a_drummer(late_ms=55), 3)[0] < BASS_LATE_MS
    assert heard(beats_of_a_drummer(accent=20), 3)[1] > heard(beats_of_a_drummer(accent=20), 2)[1] + 4
    chord = [Note(2.62, 0.4, 60, 70)]
    (pushed,) = in_time_chords(chord, beats_of_a_drummer(late_ms=10, off_late_ms=-12), alone)
    assert (pushed.onset - 2.62) * 500 == pytest.approx(-12, abs=1)


def test_where_the_cymbal_is_silent_time_goes_on_between_its_strokes():
    ms = 120 / 60_000
    hits = [Note(beat + late * ms, 0.5, drums.RIDE, 78) for beat, late in ((0, 10), (1, 10), (5, -10), (6, -10))]
    pulse = Pulse.of(hits, 8, 0.62, 0.62, 120.0)
    late = [(note.onset - round(note.onset)) / ms for note in in_time_bass(
        [Note(float(beat), 0.9, 40, 80) for beat in range(7)], pulse, Attention.of((), 8)
    )]  # fmt: skip
    assert all(b <= a + 1e-9 for a, b in pairwise(late))
    assert late[0] > 5
    assert late[3] == pytest.approx(0, abs=1)
    assert late[6] < -5
    assert np.all(Pulse.of([], 8, 0.62, 0.62, 120.0).hand == 0)


def test_the_piano_steps_back_under_a_dense_solo_and_is_full_in_its_gaps():
    solo = tuple(Note(bar * 4 + i / 3, 0.3, 70, 90) for bar in range(0, 12, 4) for i in range(24))
    dense, gaps, voices, full = [], [], [], []
    for seed in range(8):
        score = accompany(BAND, solo, BLUES, (), 12, 150.0, FEELS["swing"], "tenor sax", seed)
        by_stroke: dict[float, list[Note]] = {}
        for note in score.parts["comping"]:
            if note.onset < score.beats:
                by_stroke.setdefault(note.onset, []).append(note)
        for onset, chord in by_stroke.items():
            busy = onset % 16 < 8
            (dense if busy else gaps).append(chord[0].velocity)
            (voices if busy else full).append(len(chord))
    assert np.mean(gaps) > np.mean(dense) + 6
    assert np.mean(full) > 3.8
    assert np.mean(voices) < 3


def test_dynamics_of_bass_and_piano_have_a_contour():
    for feel in ("swing", "bossa", "ballad"):
        score = whole(2, feel=feel, tempo=FEELS[feel].tempo_bpm[0])
        for part in ("bass", "comping"):
            played = [note.velocity for note in score.parts[part] if note.onset < score.beats]
            assert np.ptp(played) >= 20, (feel, part)
            assert min(played) >= 30


@pytest.mark.parametrize("feel", list(FEELS))
def test_the_bass_stays_one_voice_when_it_is_played(feel):
    for seed in range(3):
        notes = whole(seed, feel=feel, tempo=FEELS[feel].tempo_bpm[1]).parts["bass"]
        assert all(b.onset >= a.onset + a.duration - 1e-6 for a, b in pairwise(notes))
        assert all(note.duration > 0.02 for note in notes)
        assert max(abs(b.pitch - a.pitch) for a, b in pairwise(notes[:-2])) <= 12

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from jazz_solos import made_up_solo

from engine.jazz.model.changes import changes_of_solo
from engine.jazz.model.tokens import LENGTH_MS, decode, encode, events_of_notes, loudness_of, onsets_of, velocity_of
from engine.jazz.model.windows import notes_of_solo
from engine.jazz.theory.score import Note


@st.composite
def lines(draw: st.DrawFn) -> tuple[tuple[Note, ...], float]:
    """Monophonic lines as somebody might play them: any onsets, at any tempo."""
    tempo = draw(st.floats(40, 340))
    gaps = draw(st.lists(st.floats(0.06, 9.0), min_size=2, max_size=40))
    onset, notes = 0.3, []
    for gap in gaps:
        length = gap * draw(st.floats(0.2, 1.0))
        notes.append(Note(onset, length, draw(st.integers(30, 100)), draw(st.integers(45, 120))))
        onset += gap
    return tuple(notes), tempo


@settings(max_examples=60)
@given(lines())
def test_a_round_trip_moves_no_onset_by_5_ms_and_no_pitch(line: tuple[tuple[Note, ...], float]) -> None:
    notes, tempo = line
    beat_ms = 60_000.0 / tempo
    back = decode(events_of_notes(notes, tempo), tempo)
    assert [note.pitch for note in back] == [note.pitch for note in notes]
    assert max(abs(a.onset - b.onset) for a, b in zip(notes, back, strict=True)) * beat_ms < 5.0


@settings(max_examples=60)
@given(lines())
def test_a_round_trip_keeps_lengths_and_velocities(line: tuple[tuple[Note, ...], float]) -> None:
    notes, tempo = line
    beat_ms = 60_000.0 / tempo
    for before, after in zip(notes, decode(events_of_notes(notes, tempo), tempo), strict=True):
        before_ms, after_ms = before.duration * beat_ms, after.duration * beat_ms
        # a note that ran up to the next one still does, though that one may have moved by up to 4 ms each
        assert abs(before_ms - after_ms) < max(13.0, 0.03 * before_ms) or before_ms > LENGTH_MS[-1]
        assert abs(before.velocity - after.velocity) <= 5


def test_the_silence_before_the_next_note_is_kept_to_4_ms_wherever_that_note_goes() -> None:
    solo = made_up_solo(5, notes=300)
    beat_ms = 60_000.0 / solo.tempo_bpm
    before, after = notes_of_solo(solo), decode(encode(solo), solo.tempo_bpm)

    def silences_ms(notes: tuple[Note, ...]) -> np.ndarray:
        ends = np.array([note.onset + note.duration for note in notes[:-1]])
        return (np.array([note.onset for note in notes[1:]]) - ends) * beat_ms

    held_ms = np.array([note.duration for note in before[:-1]]) * beat_ms
    room = (silences_ms(before) > 0.0) & (silences_ms(before) < 50.0) & (held_ms > 60.0)
    assert room.sum() > 10
    assert np.abs(silences_ms(before) - silences_ms(after))[room].max() <= 4.0 + 1e-6
    tied = silences_ms(before) < 0.5
    assert np.abs(silences_ms(after)[tied]).max() < 0.5


def test_a_notated_solo_is_performed_where_it_was() -> None:
    solo = made_up_solo(3)
    events = encode(solo)
    moved = onsets_of(events, 60_000.0 / solo.tempo_bpm) - solo.notes["onset_beats"]
    assert np.abs(moved).max() * 60_000.0 / solo.tempo_bpm < 5.0
    assert (events.pitch == solo.notes["pitch"]).all()


def test_dither_stays_within_a_class() -> None:
    solo = made_up_solo(4)
    events, beat_ms = encode(solo), 60_000.0 / solo.tempo_bpm
    still, moved = decode(events, solo.tempo_bpm), decode(events, solo.tempo_bpm, dither=np.random.default_rng(1))
    assert max(abs(a.onset - b.onset) for a, b in zip(still, moved, strict=True)) * beat_ms <= 4.0 + 1e-6
    assert still != moved


def test_the_next_chord_is_told_ahead() -> None:
    changes = changes_of_solo(made_up_solo(0))
    assert changes.beats_to_next[0] == 8
    assert changes.next_root[0] == changes.root[8]
    assert changes.next_root[7] == changes.root[8]
    assert changes.beats_to_next[7] == 1


def test_velocity_and_loudness_are_inverse() -> None:
    assert all(abs(velocity_of(loudness_of(velocity)) - velocity) <= 1 for velocity in range(12, 128))

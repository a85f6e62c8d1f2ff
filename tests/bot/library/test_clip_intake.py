"""Clips on their way into the collection: what a file is, and which conditions the model is asked to play under."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.library.clip_intake import is_midi
from bot.library.preparation import matched_request
from engine.contract import engine_pb2 as pb
from tests.bot.store.collection import CONDITIONS
from tests.engine_double import midi, ogg

OPTIONS = pb.ListJazzOptionsReply(
    instruments=["tenor sax"], feels=["swing"], min_bars=2, max_bars=64, min_tempo_bpm=40, max_tempo_bpm=320
)


@pytest.mark.parametrize(
    ("content", "midi_file"),
    [
        (midi(), True),
        (b"RIFF\x00\x00\x00\x00RMID" + midi(), True),
        (b"RIFF\x00\x00\x00\x00WAVE", False),
        (ogg(), False),
        (b"", False),
    ],
)
def test_midi_is_known_by_its_content(content: bytes, midi_file: bool) -> None:
    assert is_midi(content) is midi_file


def test_the_model_is_asked_for_the_same_conditions() -> None:
    request = matched_request(CONDITIONS, OPTIONS)
    assert (request.bars, request.tempo_bpm, request.instrument, request.feel) == (12, 140.0, "tenor sax", "swing")


@pytest.mark.parametrize(("known", "asked"), [(3, 3), (4, 4), (0, 4)])
def test_the_model_is_asked_for_the_same_metre(known: int, asked: int) -> None:
    assert matched_request(replace(CONDITIONS, beats_per_bar=known), OPTIONS).beats_per_bar == asked


def test_a_recording_without_bars_gets_a_clip_that_lasts_as_long() -> None:
    request = matched_request(replace(CONDITIONS, bars=0, beats_per_bar=0, tempo_bpm=0.0, duration_s=24.0), OPTIONS)
    assert request.bars * 4 * 60 / request.tempo_bpm == pytest.approx(24.0, abs=1.0)


def test_what_the_model_cannot_play_is_left_to_it() -> None:
    request = matched_request(replace(CONDITIONS, instrument="kazoo", feel="polka"), OPTIONS)
    assert (request.instrument, request.feel) == ("", "")


@given(st.integers(0, 500), st.floats(0, 1000), st.floats(0.1, 600))
def test_no_clip_makes_a_request_out_of_bounds(bars: int, tempo_bpm: float, duration_s: float) -> None:
    request = matched_request(replace(CONDITIONS, bars=bars, tempo_bpm=tempo_bpm, duration_s=duration_s), OPTIONS)
    assert 2 <= request.bars <= 64
    assert 40 <= request.tempo_bpm <= 320

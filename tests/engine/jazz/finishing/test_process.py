"""Clips are finished in a process of their own: the same clips, byte for byte, whatever becomes of that process."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pretty_midi
import psutil
import pytest
import torch

from engine.contract import engine_pb2 as pb
from engine.errors import BadAudio, Cancelled
from engine.jazz.combo import Combo
from engine.jazz.finishing.process import FinishingProcess
from engine.jazz.finishing.work import Work
from engine.jazz.rendering.midi import write_midi
from engine.jazz.rendering.room import in_room
from engine.jazz.theory.score import Note, Score
from engine.progress import silent
from engine.settings import JazzSettings
from tests.engine.jazz.importing.wav_bytes import tone, wav
from tests.loaded import packages_of

LOADED_WITHIN_S = 60.0
SOUNDFONT = Path(pretty_midi.__file__).parent / "TimGM6mb.sf2"
PHRASE = write_midi(Score(180.0, 2, (), {"solo": tuple(Note(i / 2, 0.4, 62 + i % 8, 90) for i in range(14))}))
PLAYED = pb.PlayRequest(seed=5, chords="Dm7 G7 | Cmaj7", tempo_bpm=200, instrument="tenor sax", takes=1)
REQUESTS = {
    "improvised": PLAYED,
    "an answer": pb.PlayRequest(seed=6, continue_from=PHRASE, chords="Dm7 G7 | Cmaj7", takes=1, feel="ballad"),
    "notated": pb.RenderRequest(seed=8, midi=PHRASE, melody_track=-1),
    "a side of a trial": pb.RenderRequest(
        seed=9, piece_id="jeanie", melody_track=-1, max_duration_s=6.0, for_trial=True
    ),
    "recorded": pb.RenderRequest(seed=10, audio=wav(tone(3.0), 44_100)),
}


@pytest.fixture(scope="module")
def combo() -> Combo:
    return Combo(torch.device("cpu"), JazzSettings(soundfont=str(SOUNDFONT), max_bars=16))


@pytest.fixture(scope="module")
def work(combo: Combo) -> Work:
    return combo.improvise(PLAYED, None, silent)


@pytest.fixture(scope="module")
def process() -> Iterator[FinishingProcess]:
    """One for all tests: whatever befell it in one of them, it works in the next."""
    opened = FinishingProcess(SOUNDFONT)
    yield opened
    opened.close()


def finished(process: FinishingProcess, work: Work) -> pb.Clip:
    return process.finish(work, in_room, silent)


def test_every_kind_of_clip_is_the_same_byte_for_byte(combo: Combo, process: FinishingProcess) -> None:
    for name, request in REQUESTS.items():
        made = combo.improvise(request, combo.read(request), silent)
        here, apart = combo.finish(made, silent), finished(process, made)
        here.ClearField("compute_s")
        apart.ClearField("compute_s")
        assert here.SerializeToString(deterministic=True) == apart.SerializeToString(deterministic=True), name
    assert not process.heavy


@pytest.mark.skipif(not psutil.LINUX, reason="what a process has loaded is shown on Linux alone")
def test_what_clips_need_is_loaded_before_the_first_one_comes(process: FinishingProcess) -> None:
    process.start()
    deadline = time.monotonic() + LOADED_WITHIN_S
    while not {"scipy", "matplotlib"} <= packages_of(psutil.Process(process.pid)):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_process_that_was_killed_is_replaced_and_its_clip_finished_here(
    combo: Combo, process: FinishingProcess, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(combo, "finisher", process)
    clip = combo.finish(work, silent)
    before = process.pid
    assert before is not None
    os.kill(before, signal.SIGKILL)
    assert combo.finish(work, silent).audio == clip.audio
    assert process.pid not in (None, before)


def test_a_process_that_hangs_is_ended(work: Work) -> None:
    process = FinishingProcess(SOUNDFONT, silence_s=1.0)
    process.start()
    hung = process.pid
    assert hung is not None
    os.kill(hung, signal.SIGSTOP)
    with pytest.raises(TimeoutError):
        finished(process, work)
    assert process.pid != hung
    assert not psutil.pid_exists(hung)
    process.close()


def test_a_clip_that_nobody_wants_any_more_ends_and_the_next_one_is_finished(
    process: FinishingProcess, work: Work
) -> None:
    def progress(stage: str, fraction: float) -> None:
        raise Cancelled("The job was cancelled.")

    with pytest.raises(Cancelled):
        process.finish(work, in_room, progress)
    assert finished(process, work).audio


def test_a_sentence_crosses_and_the_process_stays(process: FinishingProcess, work: Work) -> None:
    assert finished(process, work).audio
    before = process.pid
    with pytest.raises(BadAudio, match="lowest quality"):
        finished(process, Work(work.music, work.clip, 1000, work.compute_s))
    assert process.pid == before


def test_it_leaves_when_the_engine_is_gone(process: FinishingProcess, work: Work) -> None:
    assert finished(process, work).audio
    opened, process._process = process._process, None
    assert opened is not None
    assert opened.stdin is not None
    assert opened.stdout is not None
    opened.stdin.close()  # as the death of the engine would
    assert opened.wait(timeout=20) == 0
    opened.stdout.close()

"""Files are read in processes that may only compute; whatever happens to one of them, nobody else notices."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator

import numpy as np
import psutil
import pytest

from benchmarks.files.broken_files import written_files
from engine.errors import BadPicture, CallerError, PictureTooLarge
from engine.serving.intake import pool as pool_module
from engine.serving.intake.pool import Intake
from engine.serving.intake.sandbox import CALLS, FILES, MEMORY, NETWORK
from engine.uploads import CALCULATION, NOTES, PICTURE, Upload
from tests.engine.serving.intake import naughty_child
from tests.engine.stylize.pictures.uploads import film, opened, photo

BOUNDS = {"max_upload_bytes": 25 << 20, "max_pixels": 50_000_000, "max_side_px": 1024, "max_frames": 20}
WAIT_S = 60


def picture(data: bytes) -> Upload:
    return Upload(PICTURE, data, BOUNDS)


@pytest.fixture
async def intake() -> AsyncIterator[Intake]:
    async with Intake(1) as opened_intake:
        await opened_intake.warm()
        yield opened_intake


@pytest.fixture
def naughty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Children that do what the file says."""
    monkeypatch.setattr(pool_module, "CHILD_MODULE", naughty_child.__name__)


async def one_child(intake: Intake) -> psutil.Process:
    async with asyncio.timeout(WAIT_S):
        while True:
            for pid in intake.pids:
                with contextlib.suppress(psutil.NoSuchProcess):
                    return psutil.Process(pid)
            await asyncio.sleep(0.01)


async def test_pictures_and_films_come_back_as_the_pixels_that_they_are(intake: Intake) -> None:
    data = photo(40, 30)
    reading = await intake.read(picture(data))
    assert np.array_equal(reading.arrays[0][0], np.asarray(opened(data)))
    assert reading.seconds > 0
    moving = await intake.read(picture(film([0, 100, 200])))
    assert moving.arrays[0].shape == (3, 48, 64, 3)
    assert intake.replaced == 0


async def test_a_callers_error_crosses_with_its_kind_and_its_sentence(intake: Intake) -> None:
    child = await one_child(intake)
    with pytest.raises(BadPicture, match="web page"):
        await intake.read(picture(b"<!DOCTYPE html><html></html>"))
    with pytest.raises(PictureTooLarge):
        await intake.read(Upload(PICTURE, photo(), {**BOUNDS, "max_pixels": 5}))
    assert intake.pids == [child.pid]


async def test_texts_in_any_encoding_are_read_where_no_file_can_be_opened(intake: Intake) -> None:
    """Python loads most encodings from a file when they are first needed; a PDF's text comes in one of those."""
    page = written_files()["notes .pdf"]
    for data, ending, words in (
        ("über".encode("cp1252"), ".md", "über"),
        ("naïve".encode("utf-16"), ".txt", "naïve"),
        ('{"cells": [{"cell_type": "markdown", "source": "über"}]}'.encode("utf-32-be"), ".ipynb", "über"),
        (page.data, ".pdf", "Gradients add up"),
    ):
        reading = await intake.read(Upload(NOTES, data, {"ending": ending}))
        assert words in str(json.loads(reading.arrays[0].tobytes()))


async def test_a_child_has_no_torch_and_is_closed_in(intake: Intake) -> None:
    assert next(iter(intake._children)).heavy == ()
    assert MEMORY in intake.holds
    if sys.platform == "linux":
        assert CALLS in intake.holds, "every kernel of the last ten years has seccomp"


@pytest.mark.skipif(sys.platform != "linux", reason="the layers are Linux's")
@pytest.mark.parametrize("what", naughty_child.FORBIDDEN)
async def test_a_child_that_was_taken_over_can_not(naughty: None, what: str) -> None:
    """Even code that runs inside the child gets nowhere: it says so by naming the error that it got."""
    async with Intake(1) as intake:
        reading = await intake.read(picture(what.encode()))
    assert reading.facts["came"] in ("PermissionError", "OSError"), reading.facts


async def test_each_layer_of_files_and_network_holds_where_the_kernel_has_it(intake: Intake) -> None:
    known = {MEMORY, NETWORK, FILES, CALLS}
    assert set(intake.holds) <= known
    if "landlock" in _security_modules():
        assert FILES in intake.holds


def _security_modules() -> str:
    try:
        with open("/sys/kernel/security/lsm") as text:
            return text.read()
    except OSError:
        return ""


@pytest.mark.parametrize("death", ["exit", "segfault", "hang", "memory", "lie", "flood", "spin"])
async def test_a_child_that_dies_hangs_grows_or_lies_is_replaced_and_its_member_reads_one_sentence(
    naughty: None, death: str
) -> None:
    async with Intake(1, time_limit_s=2.0) as intake:
        before = (await one_child(intake)).pid
        with pytest.raises((BadPicture, PictureTooLarge)) as caught:
            await intake.read(picture(death.encode()))
        assert str(caught.value).count(".") == 1
        reading = await intake.read(picture(b"fine"))
        assert reading.facts == {"came": "fine"}
        if death not in ("memory",):
            assert intake.pids != [before]
            assert not psutil.pid_exists(before)


async def test_cancelling_kills_the_child_that_reads(naughty: None) -> None:
    async with Intake(1) as intake:
        child = await one_child(intake)
        reading = asyncio.create_task(intake.read(picture(b"hang")))
        await asyncio.sleep(0.2)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        async with asyncio.timeout(WAIT_S):
            assert (await intake.read(picture(b"fine"))).facts == {"came": "fine"}
        assert not psutil.pid_exists(child.pid)


async def test_nobody_waits_for_a_hung_child_but_its_member(naughty: None) -> None:
    async with Intake(2, time_limit_s=30.0) as intake:
        await intake.warm()
        hung = asyncio.create_task(intake.read(picture(b"hang")))
        began = time.monotonic()
        for _ in range(5):
            await intake.read(picture(b"fine"))
        assert not hung.done()
        assert time.monotonic() - began < 20
        hung.cancel()
        await asyncio.gather(hung, return_exceptions=True)


def question(what: bytes) -> Upload:
    return Upload(CALCULATION, what)


async def test_a_question_never_waits_behind_a_file(naughty: None) -> None:
    async with Intake(1, time_limit_s=60.0, quick_processes=1) as intake:
        await intake.warm()
        hung = asyncio.create_task(intake.read(picture(b"hang")))
        await asyncio.sleep(0.1)
        for _ in range(5):
            assert (await intake.read(question(b"fine"))).facts == {"came": "fine"}
        assert not hung.done()
        assert len(intake.pids) == 2
        hung.cancel()
        await asyncio.gather(hung, return_exceptions=True)


async def test_files_are_not_read_where_questions_are(naughty: None) -> None:
    async with Intake(1, time_limit_s=60.0, quick_processes=1) as intake:
        await intake.warm()
        hung = asyncio.create_task(intake.read(picture(b"hang")))
        second = asyncio.create_task(intake.read(picture(b"fine")))
        await asyncio.sleep(0.5)
        assert not second.done()
        hung.cancel()
        assert (await second).facts == {"came": "fine"}


@pytest.mark.parametrize("death", ["exit", "hang", "spin", "memory", "lie"])
async def test_a_hostile_question_is_ended_with_one_sentence_and_the_next_one_is_answered(
    naughty: None, death: str
) -> None:
    async with Intake(1, quick_processes=1, quick_limit_s=1.0) as intake:
        await intake.warm()
        with pytest.raises(CallerError) as caught:
            await intake.read(question(death.encode()))
        assert str(caught.value) == pool_module.TOO_MUCH
        assert (await intake.read(question(b"fine"))).facts == {"came": "fine"}


async def test_a_question_goes_to_any_child_while_its_own_is_replaced(naughty: None) -> None:
    async with Intake(1, quick_processes=1) as intake:
        await intake.warm()
        with pytest.raises(CallerError):
            await intake.read(question(b"exit"))
        assert (await intake.read(question(b"fine"))).facts == {"came": "fine"}
        assert intake.replaced == 1


async def test_no_child_and_no_descriptor_is_left_behind(naughty: None) -> None:
    process = psutil.Process()
    before, children = process.num_fds(), {child.pid for child in process.children()}
    async with Intake(2, time_limit_s=1.0) as intake:
        await intake.warm()
        for what in (b"fine", b"exit", b"hang", b"fine"):
            try:
                await intake.read(picture(what))
            except BadPicture:
                continue
    assert process.num_fds() <= before + 1  # the loop's own child watcher may stay
    assert {child.pid for child in process.children()} <= children


async def test_what_a_file_took_is_given_back(intake: Intake) -> None:
    child = await one_child(intake)
    await intake.read(picture(photo(2000, 1500)))
    after_one = child.memory_info().rss
    for _ in range(10):
        await intake.read(picture(photo(2000, 1500)))
    assert intake.pids == [child.pid]
    assert child.memory_info().rss < after_one + (32 << 20)


async def test_the_child_leaves_with_the_engine(intake: Intake) -> None:
    child = await one_child(intake)
    os.kill(child.pid, signal.SIGKILL)
    with pytest.raises(BadPicture):
        await intake.read(picture(photo()))
    reading = await intake.read(picture(photo()))
    assert reading.arrays[0].shape[0] == 1

"""Broken and forged files end in a reading or in one sentence, quickly, and open nothing."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.files.broken_files import LURES, broken_files, chord_lines, lures, sound_files, upload, written_files
from benchmarks.files.fuzz import Outcome, fuzz, read_chords
from engine.errors import CallerError
from engine.serving.intake.pool import Intake
from engine.uploads import NOTES

HOUSE = Path(__file__).parents[3]


async def test_two_hundred_broken_files_end_in_a_reading_or_in_a_sentence() -> None:
    outcome = await fuzz(broken_files(200, seed=7))
    assert outcome.sound, outcome
    assert outcome.read > 30, "most mutations should be survived by somebody"
    assert outcome.refused.total() > 30


async def test_every_sound_file_is_read() -> None:
    async with Intake(1) as intake:
        for name, (kind, data) in sound_files().items():
            reading = await intake.read(upload(kind, data))
            assert reading.arrays[0].size, name
        for name, written in written_files().items():
            facts = (await intake.read(written)).facts
            assert written.kind == NOTES or facts["answer"] is not None, name


def test_three_hundred_chord_lines_are_read_the_same_again_or_refused_in_a_sentence() -> None:
    outcome = Outcome()
    read_chords(chord_lines(300, seed=2), outcome)
    assert outcome.sound, outcome.escaped
    assert outcome.read > 100, outcome.refused
    assert outcome.refused.total() > 50


def test_the_same_seed_breaks_the_same_files() -> None:
    assert [one.upload.data for one in broken_files(40, 3)] == [one.upload.data for one in broken_files(40, 3)]


async def test_no_file_that_names_other_files_or_hosts_is_read() -> None:
    async with Intake(1) as intake:
        for lure in lures():
            with pytest.raises(CallerError):
                await intake.read(lure.upload)
        assert intake.replaced == 0


READ_HERE = """
import sys
from benchmarks.files.broken_files import lures
from engine.errors import CallerError
from engine.progress import silent
from engine.serving.intake.readers import READERS
from engine.serving.intake.warming import warm_up
warm_up()
sys.stderr.write("FROM HERE ON\\n"); sys.stderr.flush()
for lure in lures():
    try:
        READERS[lure.upload.kind](lure.upload.data, lure.upload.options, silent)
    except CallerError:
        pass
sys.stderr.write("UP TO HERE\\n"); sys.stderr.flush()
"""


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_even_outside_of_its_sandbox_no_reader_opens_a_socket_or_a_file_for_them(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    traced = ["strace", "-f", "-e", "trace=network,open,openat,openat2,creat,write", "-s", "40", "-o", str(trace)]
    done = subprocess.run(
        [*traced, sys.executable, "-c", READ_HERE], cwd=HOUSE, capture_output=True, text=True, timeout=120, check=False
    )
    if "PTRACE" in done.stderr or "ptrace" in done.stderr:
        pytest.skip("this machine doesn't allow tracing")
    assert done.returncode == 0, done.stderr
    lines = trace.read_text().split("FROM HERE ON")[1].split("UP TO HERE")[0].splitlines()
    opened = [line for line in lines if "socket(" in line or "connect(" in line or "bind(" in line or "open" in line]
    assert [line for line in opened if ".py" not in line and ".so" not in line and "ENOENT" not in line] == []


async def test_a_session_description_never_binds_its_port() -> None:
    """The lures name UDP ports 5004 and 5006: they stay free while the files are read."""
    async with Intake(1) as intake:
        for name in ("session description", "session behind a mark", "session that says webm"):
            with pytest.raises(CallerError):
                await intake.read(upload("picture", LURES[name]))
            for port in (5004, 5006):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
                    free.bind(("127.0.0.1", port))

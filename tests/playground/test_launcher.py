"""`python -m playground`: one command up, one signal down, nothing left behind."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
TINY_BOT = Path(__file__).with_name("tiny_bot.py")
PATIENCE_S = 60.0
"""Longer than any of this takes on a machine that other work holds up."""
LAUNCH = "import sys; from playground import launcher; launcher.BOT_COMMAND = {command!r}; sys.exit(launcher.main())"


@contextlib.contextmanager
def launched(*arguments: str, bot: tuple[str, ...] = ()) -> Iterator[subprocess.Popen[str]]:
    """The launcher with the tiny bot in the bot's place; killed at the end if it still runs."""
    command = (sys.executable, str(TINY_BOT), *bot)
    process = subprocess.Popen(
        [sys.executable, "-c", LAUNCH.format(command=command), *arguments],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()


def read_until(process: subprocess.Popen[str], *patterns: str) -> list[re.Match[str]]:
    """Reads lines until each pattern was found in one, in whatever order they come; the matches."""
    assert process.stdout is not None
    seen = ""
    for line in process.stdout:
        seen += line
        found = [re.search(pattern, seen, re.MULTILINE) for pattern in patterns]
        if all(found):
            return [match for match in found if match]
    raise AssertionError(f"{patterns} never came; instead: {seen}")


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z" if Path("/proc/self").exists() else True


def gone(pid: int, within_s: float = PATIENCE_S) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if not is_running(pid):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_the_page_is_once_the_bot_is_in_and_stops_both(tmp_path: Path, signal_number: int) -> None:
    with launched("--port", "0", "--state", str(tmp_path)) as process:
        read_until(process, r"Starting the playground, the bot")
        address = r"Open this in your browser: http://127\.0\.0\.1:\d+/[\w-]{40,}/$"
        pid = int(read_until(process, r"tiny bot (\d+)", address)[0][1])
        process.send_signal(signal_number)
        assert process.wait(PATIENCE_S) == 0
        assert gone(pid)


def test_the_bots_exit_code_is_the_launchers(tmp_path: Path) -> None:
    with launched("--port", "0", "--state", str(tmp_path), bot=("78",)) as process:
        assert process.wait(PATIENCE_S) == 78


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_a_killed_launcher_takes_the_bot_along(tmp_path: Path) -> None:
    with launched("--port", "0", "--state", str(tmp_path)) as process:
        pid = int(read_until(process, r"tiny bot (\d+)", r"Open this in your browser")[0][1])
        process.kill()
        assert gone(pid)


def test_a_busy_port_is_refused_in_one_sentence_when_it_was_asked_for(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with launched("--port", str(port), "--state", str(tmp_path)) as process:
            assert process.stdout is not None
            assert process.wait(PATIENCE_S) == 1
            assert re.fullmatch(rf"The playground can't start on 127\.0\.0\.1:{port}: .+\n", process.stdout.read())


def test_without_a_wish_the_next_free_port_is_taken(tmp_path: Path) -> None:
    with launched("--server-only", "--state", str(tmp_path / "a")) as first:
        one = int(read_until(first, r"http://127\.0\.0\.1:(\d+)/\S+ ")[0][1])
        with launched("--server-only", "--state", str(tmp_path / "b")) as second:
            assert int(read_until(second, r"http://127\.0\.0\.1:(\d+)/\S+ ")[0][1]) > one


def test_two_playgrounds_do_not_share_a_state_directory(tmp_path: Path) -> None:
    with launched("--server-only", "--port", "0", "--state", str(tmp_path)) as first:
        read_until(first, r"DISCORD_TOKEN=\S+")
        with launched("--server-only", "--port", "0", "--state", str(tmp_path)) as second:
            assert second.stdout is not None
            assert second.wait(PATIENCE_S) == 1
            assert "Another playground is using" in second.stdout.read()

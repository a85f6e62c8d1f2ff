"""Whoever watches the bot from outside sees whether it's logged in and alive, not just whether there's a process."""

import asyncio
import contextlib
import os
import subprocess
import sys
from pathlib import Path

from bot.hosting.heartbeat import LONGEST_S, beat, heartbeat_path, is_alive
from tests.waiting import until

HOUSE = Path(__file__).parents[3]


def health(database):
    command = [sys.executable, "-m", "bot.hosting.heartbeat", str(database)]
    return subprocess.run(command, cwd=HOUSE, capture_output=True, check=False).returncode


async def test_the_sign_is_renewed_while_all_is_well_and_gone_after_the_end(tmp_path):
    database, well = tmp_path / "woodshed.sqlite3", [True]
    path = heartbeat_path(database)
    assert await asyncio.to_thread(health, database) == 1
    beating = asyncio.create_task(beat(path, lambda: well[0], interval_s=0.01))
    await until(path.exists)
    assert await asyncio.to_thread(health, database) == 0
    well[0] = False
    await asyncio.sleep(0.05)
    last = path.stat().st_mtime
    await asyncio.sleep(0.05)
    assert path.stat().st_mtime == last
    assert not is_alive(path, last + LONGEST_S + 1)
    beating.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await beating
    assert not path.exists()


async def test_a_sign_left_by_a_killed_bot_grows_old(tmp_path):
    path = heartbeat_path(tmp_path / "woodshed.sqlite3")
    path.touch()
    os.utime(path, (1.0, 1.0))
    assert await asyncio.to_thread(health, tmp_path / "woodshed.sqlite3") == 1


async def test_a_disk_that_takes_no_sign_doesnt_end_the_bot(tmp_path):
    asked = []
    beating = asyncio.create_task(
        beat(tmp_path / "nowhere" / "alive", lambda: asked.append(1) or True, interval_s=0.01)
    )
    await until(lambda: len(asked) > 2)
    assert not beating.done()
    beating.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await beating


def test_a_sign_from_the_future_isnt_trusted_for_ever(tmp_path):
    path = tmp_path / "alive"
    path.touch()
    assert not is_alive(path, path.stat().st_mtime - LONGEST_S - 1)


async def test_the_bot_is_well_once_it_hears_discord(club):
    assert club.bot.is_well()
    await club.bot.close()
    assert not club.bot.is_well()

"""What a member was told is done is done, whatever happens to the bot's process the moment after."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sqlite3
import sys
from pathlib import Path
from typing import Any

import discord
import pytest

from bot.store import open_store
from tests.conftest import Club

ROOT = Path(__file__).resolve().parents[2]


def _stored(path: Path) -> dict[str, str]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(
            "SELECT discord_id, choice FROM ballots JOIN members ON members.id = ballots.member"
        ).fetchall()
    return {str(discord_id): choice for discord_id, choice in rows}


def _confirmed(lines: list[bytes]) -> dict[str, str]:
    """Member and choice of every vote that was confirmed; the log's lines are in between."""
    words = (line.decode().split() for line in lines if line.startswith(b"confirmed "))
    return {member: choice for _, member, choice in words}


@pytest.mark.parametrize("confirmed", [1, 3, 7, 12, 18])
async def test_a_vote_survives_a_killed_bot(tmp_path: Path, confirmed: int) -> None:
    """The bot votes on in a process of its own and is killed with SIGKILL amid the work, not at a quiet moment."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.cogs.voting_club", str(tmp_path), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    lines: list[bytes] = []
    try:
        async with asyncio.timeout(120):
            while len(_confirmed(lines)) < confirmed:
                line = await process.stdout.readline()
                assert line, "the bot ended by itself"
                lines.append(line)
    finally:
        process.send_signal(signal.SIGKILL)
        lines += (await process.stdout.read()).splitlines()
        await process.wait()
    assert process.returncode == -signal.SIGKILL
    assert _confirmed(lines).items() <= _stored(tmp_path / "woodshed.sqlite3").items()


async def test_a_vote_is_confirmed_only_after_it_is_committed(club: Club, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another connection to the file, which sees committed rows only, looks at the moment of the confirmation."""
    await club.instructor.slash(club.channel, "poll start", trials=1, design="single", closes_in=10)
    at_confirmation = []
    send_message = discord.InteractionResponse.send_message

    async def watched(response: discord.InteractionResponse, *args: Any, **kwargs: Any) -> Any:
        at_confirmation.append(_stored(club.store.path))
        return await send_message(response, *args, **kwargs)

    monkeypatch.setattr(discord.InteractionResponse, "send_message", watched)
    for label in ("Human", "AI"):
        await club.student.click(club.channel.last_message, label=label)
    assert at_confirmation == [{str(club.student.id): "human"}, {str(club.student.id): "ai"}]


async def test_every_commit_waits_for_the_disk(tmp_path: Path) -> None:
    """SIGKILL can't show it: against power loss SQLite has to sync the log at each commit (synchronous=FULL is 2)."""
    async with open_store(tmp_path / "woodshed.sqlite3") as store, store.transaction() as transaction:
        row = await transaction.fetch_one("PRAGMA synchronous")
        assert row is not None
        assert row[0] == 2

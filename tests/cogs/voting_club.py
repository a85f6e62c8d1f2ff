"""A whole bot in a process of its own, for the test that kills it: one poll, and a member after another votes.

As soon as a member has read the confirmation, a line `confirmed <Discord id> <choice>` goes to standard output."""

from __future__ import annotations

import asyncio
import itertools
import sys
from pathlib import Path

import simcord

from bot.client import Woodshed
from bot.engine.calls import EngineClient
from bot.engine.connection import open_channel
from bot.settings import BotSettings, ClubSettings, DiscordSettings
from bot.store import open_store
from tests.conftest import SETTLE_S
from tests.engine_double import EngineDouble, serve_double, socket_address


async def vote_for_ever(folder: Path) -> None:
    settings = BotSettings(discord=DiscordSettings(progress_interval_s=0.0, shards=1))
    async with open_store(folder / "woodshed.sqlite3") as store, serve_double(socket_address(folder), EngineDouble()):
        engine = EngineClient(open_channel(socket_address(folder)))
        async with simcord.run(Woodshed(settings, store, engine), settle_timeout=SETTLE_S) as env:
            guild = env.create_guild("PyTorch course")
            channel = guild.create_text_channel("jazz-club")
            staff = guild.create_role(ClubSettings().staff_role)
            instructor = guild.add_member(env.create_user("grace"), roles=[staff])
            await instructor.slash(channel, "poll start", trials=1, design="single", closes_in=60)
            poll = channel.last_message
            for turn in itertools.count():
                member = guild.add_member(env.create_user(f"student{turn}"))
                label, choice = ("Human", "human") if turn % 2 else ("AI", "ai")
                confirmed = await member.click(poll, label=label)
                assert "Your vote" in confirmed.response.content
                sys.stdout.write(f"confirmed {member.id} {choice}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(vote_for_ever(Path(sys.argv[1])))

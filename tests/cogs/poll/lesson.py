"""A lesson with a poll in it, for the tests of this room."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import discord

from bot.rules.blind_poll import Candidate, Choice, draw_series, mixed_designs
from bot.store.polls import series
from bot.store.polls.series import Series, Trial
from tests.conftest import Club
from tests.engine_double import midi

ONLY_PIECE = [Candidate("piece:maple-leaf-rag", 0)]


def seed_for(answers: Sequence[Choice], design: str = "single") -> int:
    """A seed whose coins fall this way when there is one human clip."""
    designs = mixed_designs(design, len(answers))
    return next(
        seed
        for seed in itertools.count()
        if [trial.answer for trial in draw_series(seed, ONLY_PIECE, designs)] == list(answers)
    )


async def start(club: Club, *answers: Choice, **options):
    """Start a series in the club's channel; returns the answer to the command."""
    options.setdefault("design", "single" if not answers or answers[0] in (Choice.HUMAN, Choice.AI) else "pair")
    options.setdefault("trials", len(answers) or 1)
    if options.get("pace") != "live":
        options.setdefault("closes_in", 10)
    if answers:
        club.bot.get_cog("Polls").draw_seed = lambda: seed_for(answers, options["design"])
    return await club.instructor.slash(club.channel, "poll start", **options)


async def add_clip(club: Club, title: str = "Blues", content: bytes | None = None, name: str = "a.mid"):
    return await club.instructor.slash(
        club.channel, "clips add", file=(name, content or midi()), performer="Cleo", title=title, consent=True
    )


async def latest(club: Club) -> Series:
    rows = await club.store.fetch_all("SELECT max(id) AS id FROM series")
    found = await series.get(club.store, rows[0]["id"])
    assert found is not None
    return found


async def trials(club: Club) -> list[Trial]:
    return await series.trials(club.store, (await latest(club)).id)


async def messages(club: Club) -> list[discord.Message]:
    """The trials' messages of the latest series, in order."""
    found = await latest(club)
    channel = club.bot.get_partial_messageable(found.trials_channel, guild_id=found.guild_id)
    return [await channel.fetch_message(trial.message_id) for trial in await trials(club) if trial.message_id]


async def opening(club: Club) -> discord.Message:
    found = await latest(club)
    assert found.opening_message_id is not None
    return await club.bot.get_partial_messageable(found.channel_id).fetch_message(found.opening_message_id)


async def everything(club: Club, channel_id: int | None = None) -> list[discord.Message]:
    """All messages of a channel, oldest first."""
    channel = club.bot.get_partial_messageable(channel_id or club.channel.id)
    return [message async for message in channel.history(limit=200, oldest_first=True)]


def fields(message: discord.Message) -> dict[str, str]:
    return {field.name: field.value for embed in message.embeds for field in embed.fields}

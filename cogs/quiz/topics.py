"""The topics that a member can choose: the course's, and those of the questions that a server's staff added.

The course's topics are `engine/teach/topics.py`, each with a folder of cards beside it (`engine/teach/cards/`).
"""

from __future__ import annotations

from discord import app_commands

from bot.answering.text import in_words
from bot.client import Woodshed
from bot.engine.catalogue import matching
from bot.store.lessons import own_questions


async def is_of_course(bot: Woodshed, topic: str) -> bool:
    """Whether the engine has questions on it; else it may be a topic of this server's staff."""
    return topic in await bot.catalogue.topics.get()


async def choices(bot: Woodshed, guild_id: int, typed: str) -> list[app_commands.Choice[str]]:
    """What Discord shows while a member types a topic."""
    topics = [*await bot.catalogue.topics.get(), *await own_questions.topics(bot.store, guild_id)]
    return matching(typed, [(in_words(topic), topic) for topic in dict.fromkeys(topics)])

"""Staff's own questions: a form, and a file in both directions."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import Any

import discord

from bot.answering.access import guild_id_of, require_staff
from bot.answering.durable import DurableForm, fields_of
from bot.answering.first_answers import say
from bot.answering.jobs import one_answer
from bot.answering.parcels import Upload
from bot.answering.text import counted, named, plain, seen, shorten
from bot.client import Interaction
from bot.errors import Refused
from bot.rules import own_questions as rules
from bot.rules.own_questions import OwnQuestion
from bot.store.lessons import own_questions

MOST_BYTES = 1024 * 1024
TOPICS_NAMED = 10


class QuestionForm(DurableForm, title="A question of your own", template="own-question"):
    """One question; an answer a line."""

    question: discord.ui.TextInput[Any] = discord.ui.TextInput(
        label="Question",
        custom_id="question",
        style=discord.TextStyle.paragraph,
        max_length=rules.LONGEST["question"],
    )
    right: discord.ui.TextInput[Any] = discord.ui.TextInput(
        label="Right answer, or several, one per line", custom_id="right", style=discord.TextStyle.paragraph
    )
    wrong: discord.ui.TextInput[Any] = discord.ui.TextInput(
        label="Wrong answers, one per line", custom_id="wrong", style=discord.TextStyle.paragraph
    )
    explanation: discord.ui.TextInput[Any] = discord.ui.TextInput(
        label="Why it is right",
        custom_id="explanation",
        style=discord.TextStyle.paragraph,
        required=False,
        max_length=rules.LONGEST["explanation"],
    )
    topic: discord.ui.TextInput[Any] = discord.ui.TextInput(
        label="Topic", custom_id="topic", required=False, placeholder="ours", max_length=rules.LONGEST["topic"]
    )

    def __init__(self) -> None:
        super().__init__(custom_id="own-question")

    @classmethod
    async def submitted(cls, interaction: Interaction, match: re.Match[str]) -> None:
        require_staff(interaction)
        filled = fields_of(interaction)
        one = rules.from_form(
            *(filled.get(name, "") for name in ("topic", "question", "right", "wrong", "explanation"))
        )
        now = interaction.client.now()
        added, _ = await own_questions.add(
            interaction.client.store, guild_id_of(interaction), [_visible(one)], interaction.user.id, now
        )
        await say(interaction, added_sentence([one.topic], added, 1 - added))


def added_sentence(topics: list[str], added: int, known: int) -> str:
    """What staff read after adding questions."""
    there = f" {counted(known, 'question')} of them {'was' if known == 1 else 'were'} here already." if known else ""
    if not added:
        return f"Nothing new.{there}"
    different = list(dict.fromkeys(topics))
    names = ", ".join(f"`{topic}`" for topic in different[:TOPICS_NAMED])
    if len(different) > TOPICS_NAMED:
        names += f", or one of the {len(different) - TOPICS_NAMED} others"
    return f"Added {counted(added, 'question')}.{there} Ask one with `/quiz question` and the topic {names}."


def removed_sentence(removed: OwnQuestion) -> str:
    return f"Removed: {shorten(named(removed.question), 300)}"


async def import_file(interaction: Interaction, file: discord.Attachment, now: float) -> None:
    """Add what a file holds, all or nothing. Raises Refused with the line of the first mistake."""
    async with one_answer(interaction, private=True) as answer:  # the file may take longer than Discord waits
        content = await interaction.client.attachments.read(file, MOST_BYTES)
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise Refused("I can't read this file; please save it as UTF-8 text.") from error
        questions = await asyncio.to_thread(rules.read_toml, text)  # a hostile megabyte takes seconds
        visible = [_visible(one) for one in questions]
        added, known = await own_questions.add(
            interaction.client.store, guild_id_of(interaction), visible, interaction.user.id, now
        )
        await answer.finish(content=added_sentence([one.topic for one in questions], added, known))


def _visible(one: OwnQuestion) -> OwnQuestion:
    """Without what isn't seen and changes how the rest is read. Raises Refused where two answers look the same."""
    if len({seen(option).casefold() for option in one.options}) < len(one.options):
        raise Refused(f"Two of the answers are the same to the eye, in: {shorten(named(one.question), 100)}")
    return replace(
        one,
        topic=plain(one.topic),
        question=plain(one.question.expandtabs(4)),
        code=plain(one.code.expandtabs(4)),
        options=tuple(plain(option.expandtabs(4)) for option in one.options),
        explanation=plain(one.explanation),
    )


async def export_file(interaction: Interaction) -> None:
    """All of the server's own questions as one file. Raises Refused where there are none."""
    found = await own_questions.of_guild(interaction.client.store, guild_id_of(interaction))
    if not found:
        raise Refused("This server has no questions of its own yet; `/quiz add` adds one.")
    text = rules.write_toml(one for _, one in found)
    file = Upload("questions.toml", text.encode())
    sentence = f"{counted(len(found), 'question')}. `/quiz import` reads this file on any server."
    await say(interaction, sentence, uploads=[file])


FORMS = (QuestionForm,)

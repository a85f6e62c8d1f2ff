"""/quiz me: practice for one member alone, each question with the next one a button away."""

from __future__ import annotations

import secrets
from typing import Any

import discord

from bot.answering.access import guild_id_of
from bot.answering.durable import Durable
from bot.answering.first_answers import say
from bot.answering.jobs import one_answer
from bot.client import Interaction
from bot.errors import Refused
from bot.rules import practice as rules
from bot.rules.quiz import LETTERS, Question, fit_on_buttons
from bot.store import quiz
from bot.store.lessons import practice
from bot.store.quiz import PostedQuestion
from cogs.quiz import questions as views
from cogs.quiz.asking import draw_question, question_of
from engine.contract.limits import LARGEST_SEED

GONE = "I no longer have this question; `/quiz me` asks a new one."
LONGEST_OBJECTION = 1000


async def next_question(
    interaction: Interaction, topic: str, seed: int, now: float
) -> tuple[discord.Embed, discord.ui.View]:
    """The question to ask a member now: what is due again, else one that they haven't met.

    Only when every generator of the topic has been met does one come before it is due."""
    bot, member = interaction.client, interaction.user.id
    known = await practice.memories(bot.store, member, topic)
    due = rules.due(known, now)
    question: Question
    if due:
        reply = await bot.engine.quiz(topic=due[0].topic, seed=seed, generator=due[0].generator)
        question = question_of(reply)
    else:
        met = [memory.generator for memory in reversed(known)]
        question = await draw_question(bot, guild_id_of(interaction), topic, seed, met)
    assert interaction.channel_id is not None
    posted = await quiz.add_question(
        bot.store,
        question,
        guild_id=guild_id_of(interaction),
        channel_id=interaction.channel_id,
        asked_by=member,
        now=now,
    )
    embed = views.question_embed(posted)
    embed.title = "Practice" if not due else f"Practice: {len(due)} to go over again"
    embed.set_footer(text=f"{question.topic} · only you see this")
    return embed, question_view(posted)


def question_view(posted: PostedQuestion) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    options = posted.question.options
    plain = fit_on_buttons(options)
    for choice, text in enumerate(options):
        view.add_item(PracticeButton(posted.id, choice, text if plain else LETTERS[choice]))
    return view


def answered_view(posted: PostedQuestion) -> discord.ui.View:
    view = discord.ui.View(timeout=None).add_item(NextButton(posted.question.topic))
    if posted.question.card_id:
        view.add_item(views.CardButton(posted.question.card_id))
    return view.add_item(DisagreeButton(posted.id))


class PracticeButton(
    Durable,
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=r"practice:(?P<question>\d+):(?P<choice>\d+)",
):
    """One option of a question that a member practises with. The answer takes the question's place."""

    def __init__(self, question: int, choice: int, label: str = "?") -> None:
        custom_id = f"practice:{question}:{choice}"
        super().__init__(discord.ui.Button(label=label, style=discord.ButtonStyle.secondary, custom_id=custom_id))
        self.question, self.choice = question, choice

    async def press(self, interaction: Interaction) -> None:
        store = interaction.client.store
        posted = await quiz.get_question(store, self.question)
        if posted is None or self.choice >= len(posted.question.options):
            raise Refused(GONE)
        now = interaction.client.now()
        answer = await quiz.record_answer(store, posted, interaction.user.id, self.choice, now)
        embed = views.answer_embed(posted.question, answer)
        if answer.first:
            question = posted.question
            memory = await practice.remember(
                store, interaction.user.id, question.generator, question.topic, answer.right, now
            )
            embed.set_footer(text=again_sentence(memory.due_at - now))
        await interaction.response.edit_message(embed=embed, view=answered_view(posted))


def again_sentence(wait_s: float) -> str:
    """When a question comes back, in words."""
    hours = wait_s / 3600
    if hours < 1:
        return "You'll meet this one again today, with different numbers."
    if hours < 36:
        return "You'll meet this one again tomorrow, with different numbers."
    return f"You'll meet this one again in {hours / 24:.0f} days, with different numbers."


class NextButton(
    Durable, discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"practice-next:(?P<topic>.*)"
):
    """The next question of the same topic."""

    def __init__(self, topic: str) -> None:
        custom_id = f"practice-next:{topic}"[:100]
        super().__init__(
            discord.ui.Button(label="Next question", style=discord.ButtonStyle.primary, custom_id=custom_id)
        )
        self.topic = topic

    async def press(self, interaction: Interaction) -> None:
        async with one_answer(interaction, private=True) as answer:
            seed, now = secrets.randbelow(LARGEST_SEED), interaction.client.now()
            embed, view = await next_question(interaction, self.topic, seed, now)
            await answer.finish(embeds=[embed], view=view)


class DisagreeButton(
    Durable, discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"disagree:(?P<question>\d+)"
):
    """Asks why, and sends question, seed and reason to staff."""

    def __init__(self, question: int) -> None:
        super().__init__(
            discord.ui.Button(label="I disagree", style=discord.ButtonStyle.secondary, custom_id=f"disagree:{question}")
        )
        self.question = question

    async def press(self, interaction: Interaction) -> None:
        await interaction.response.send_modal(ObjectionForm(self.question))


class ObjectionForm(discord.ui.Modal, title="What is wrong with this question?"):
    """What a member thinks is wrong."""

    reason: discord.ui.TextInput[Any] = discord.ui.TextInput(
        label="Your reason", style=discord.TextStyle.paragraph, max_length=LONGEST_OBJECTION
    )

    def __init__(self, question: int) -> None:
        super().__init__(custom_id=f"objection:{question}")
        self.question = question

    async def on_submit(self, interaction: Interaction) -> None:  # type: ignore[override]
        now = interaction.client.now()
        store = interaction.client.store
        await quiz.object_to(store, self.question, interaction.user.id, str(self.reason), now)
        await say(interaction, "Thank you: staff will find it in their report.")


BUTTONS = (PracticeButton, NextButton, DisagreeButton)

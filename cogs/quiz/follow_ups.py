"""The buttons under an answer: read the card, go on practising, disagree."""

from __future__ import annotations

import re
from typing import Any

import discord

from bot.answering.durable import Durable, DurableForm, fields_of, number
from bot.answering.first_answers import open_form, say
from bot.answering.jobs import one_answer
from bot.answering.text import MAX_EMBED, MAX_LABEL, in_words, named, shorten
from bot.client import Interaction
from bot.errors import Refused
from bot.store import quiz
from bot.store.quiz import PostedQuestion
from cogs.ask.cards import card_embed

LONGEST_OBJECTION = 1000
GONE = "I no longer have this question; `/quiz me` asks a new one."


def answered_view(posted: PostedQuestion) -> discord.ui.View:
    """What may come after an answer."""
    view = discord.ui.View(timeout=None).add_item(NextButton()).add_item(NextButton(posted.question.topic))
    if posted.question.card_id:
        view.add_item(CardButton(posted.question.card_id))
    return view.add_item(DisagreeButton(posted.id))


class CardButton(
    Durable, discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"card:(?P<card>[a-z0-9-]+)"
):
    """Opens the concept card behind a question."""

    def __init__(self, card: str) -> None:
        super().__init__(
            discord.ui.Button(label="Read the card", style=discord.ButtonStyle.secondary, custom_id=f"card:{card}")
        )
        self.card = card

    async def press(self, interaction: Interaction) -> None:
        async with one_answer(interaction, private=True) as answer:
            reply = await interaction.client.engine.ask(card_id=self.card)
            view = discord.ui.View(timeout=None).add_item(QuizMeButton(self.card))
            await answer.finish(embeds=[card_embed(reply.cards[0], MAX_EMBED)], view=view)


async def _practise(interaction: Interaction, topic: str, card: str = "") -> None:
    await interaction.client.services.practice.practise_now(interaction, topic, card)


class NextButton(
    Durable, discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"practice-next:(?P<topic>.*)"
):
    """The next question to practise with alone: of one topic, or whatever is due."""

    def __init__(self, topic: str = "") -> None:
        label = f"More on {in_words(topic)}" if topic else "Next question"
        style = discord.ButtonStyle.secondary if topic else discord.ButtonStyle.primary
        custom_id = f"practice-next:{topic}"[:100]
        super().__init__(discord.ui.Button(label=shorten(label, MAX_LABEL), style=style, custom_id=custom_id))
        self.topic = topic

    async def press(self, interaction: Interaction) -> None:
        await _practise(interaction, self.topic)


class QuizMeButton(
    Durable, discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"quiz-me:(?P<card>[a-z0-9-]+)"
):
    """A question that a card answers, or one of its topic, to practise with alone. For under a card."""

    def __init__(self, card: str) -> None:
        super().__init__(
            discord.ui.Button(label="Quiz me on this", style=discord.ButtonStyle.secondary, custom_id=f"quiz-me:{card}")
        )
        self.card = card

    async def press(self, interaction: Interaction) -> None:
        await _practise(interaction, "", self.card)


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
        await open_form(interaction, ObjectionForm(self.question))


class ObjectionForm(DurableForm, title="What is wrong with this question?", template=r"objection:(?P<question>\d+)"):
    """What a member thinks is wrong."""

    reason: discord.ui.TextInput[Any] = discord.ui.TextInput(
        label="Your reason", custom_id="reason", style=discord.TextStyle.paragraph, max_length=LONGEST_OBJECTION
    )

    def __init__(self, question: int) -> None:
        super().__init__(custom_id=f"objection:{question}")

    @classmethod
    async def submitted(cls, interaction: Interaction, match: re.Match[str]) -> None:
        bot, question = interaction.client, number(match["question"])
        reason = fields_of(interaction).get("reason", "").strip()
        posted = await quiz.get_question(bot.store, question)
        if posted is None or posted.guild_id != interaction.guild_id:
            raise Refused(GONE)
        if not reason:
            raise Refused("Please say what's wrong, so that staff can look into it.")
        await quiz.object_to(bot.store, question, interaction.user.id, reason, bot.now())
        await say(interaction, "Thank you: your course staff will look into it.")
        bot.notices.report(f"objection {question}", _notice(posted, reason), guild_id=posted.guild_id)


def _notice(posted: PostedQuestion, reason: str) -> str:
    """What staff read at once; the report has it, too."""
    question = posted.question
    asked, why = (named(shorten(text, 500)) for text in (question.text, reason))
    return (
        f"Somebody disagrees with a question: “{asked}” (`{question.generator}`, seed {question.seed}). They say: "
        f"“{why}” `/quiz report` has the whole question."
    )


BUTTONS = (CardButton, NextButton, QuizMeButton, DisagreeButton)
FORMS = (ObjectionForm,)

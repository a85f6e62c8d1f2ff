"""How a quiz question and its private answer look, and the buttons under them."""

from __future__ import annotations

from collections.abc import Sequence

import discord

from bot.answering.durable import Durable
from bot.answering.first_answers import say
from bot.answering.jobs import one_answer
from bot.answering.text import MAX_DESCRIPTION, MAX_EMBED, code_block, in_words, shorten
from bot.client import Interaction
from bot.errors import Refused
from bot.rules.quiz import LETTERS, Question, fit_on_buttons
from bot.store import quiz
from bot.store.quiz import Answer, PostedQuestion
from cogs.ask.cards import card_embed

COLOUR = discord.Colour.blurple()
RIGHT, WRONG = discord.Colour.green(), discord.Colour.orange()


def question_embed(posted: PostedQuestion) -> discord.Embed:
    """The question as everybody sees it: nothing in it depends on the right answer."""
    question = posted.question
    parts = [shorten(question.text, 1500)]
    if question.code:
        parts.append(code_block(question.code, "py", 1500))
    if not fit_on_buttons(question.options):
        room = (MAX_DESCRIPTION - sum(map(len, parts))) // len(question.options) - 16
        parts += [f"**{letter}**  {as_option(text, room)}" for letter, text in _lettered(question.options)]
    embed = discord.Embed(title="Quiz", description=shorten("\n".join(parts), MAX_DESCRIPTION), colour=COLOUR)
    embed.set_footer(text=f"{in_words(question.topic)} · Answers are private, and your first one counts.")
    return embed


def question_view(posted: PostedQuestion) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    options = posted.question.options
    plain = fit_on_buttons(options)
    for choice, (letter, text) in enumerate(_lettered(options)):
        view.add_item(AnswerButton(posted.id, choice, text if plain else letter))
    return view


def answer_embed(question: Question, answer: Answer) -> discord.Embed:
    """What the member reads alone: right or wrong, why, and the misconceptions behind the other options."""
    parts = []
    if not answer.first:
        parts.append("You've answered this one before, and your first answer counts.")
    if not answer.right or not answer.first:
        parts.append(f"You chose {as_option(question.options[answer.choice], 300)}.")
    parts.append(shorten(question.explanation, 2500))
    return discord.Embed(
        title="Right!" if answer.right else "Not this time",
        description="\n\n".join(part for part in parts if part),
        colour=RIGHT if answer.right else WRONG,
    )


class AnswerButton(
    Durable,
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=r"quiz:(?P<question>\d+):(?P<choice>\d+)",
):
    """One option of a question. Its id is the option's place and says nothing of right or wrong."""

    def __init__(self, question: int, choice: int, label: str = "?") -> None:
        super().__init__(
            discord.ui.Button(label=label, style=discord.ButtonStyle.secondary, custom_id=f"quiz:{question}:{choice}")
        )
        self.question = question
        self.choice = choice

    async def press(self, interaction: Interaction) -> None:
        store = interaction.client.store
        posted = await quiz.get_question(store, self.question)
        if posted is None or self.choice >= len(posted.question.options):
            raise Refused("I don't have this question any more. `/quiz question` asks a new one.")
        now = interaction.client.now()
        answer = await quiz.record_answer(store, posted, interaction.user.id, self.choice, now)
        view = discord.ui.View(timeout=None)
        if posted.question.card_id:
            view.add_item(CardButton(posted.question.card_id))
        await say(interaction, embed=answer_embed(posted.question, answer), view=view if view.children else None)


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
            await answer.finish(embeds=[card_embed(reply.cards[0], MAX_EMBED)])


def _lettered(options: Sequence[str]) -> list[tuple[str, str]]:
    return list(zip(LETTERS, options, strict=False))


def as_option(text: str, limit: int) -> str:
    """An option inside a sentence: as code where it is code, in one piece where it has lines."""
    text = shorten(text, max(limit, 16))
    if "\n" in text:
        return "\n" + code_block(text, "py")
    return text if "`" in text else f"`{text}`" if text.strip() else "(nothing)"

"""What questions are answered with: buttons, a menu for several, a form for what is typed, and lines in a row.

A half-finished answer stands in the ids of its buttons, so it goes on after a restart, and a double press leads to the
same place as a single one. What is half-finished is private: in a channel the first press opens a message of its own.
"""

from __future__ import annotations

import re
from typing import Any

import discord

from bot.answering.durable import Durable, DurableForm, fields_of, number
from bot.answering.first_answers import open_form
from bot.answering.text import code_block, in_a_row, plain, shorten
from bot.client import Interaction
from bot.errors import Refused
from bot.rules.judging import LONGEST_TYPED, UNKNOWN, as_given
from bot.rules.quiz import LETTERS, Kind, Question, fit_on_buttons
from bot.store.quiz import PostedQuestion
from cogs.quiz.taking import Place, find, show, take

_WHERE = r"(?P<where>quiz|practice|class:1|class:2):(?P<question>\d+)"
_CHOSEN = r"(?P<chosen>[\d.]*)"


def answer_view(place: Place, posted: PostedQuestion) -> discord.ui.View:
    """What stands under a question."""
    view = discord.ui.View(timeout=None)
    add_answers(view, place, posted)
    return view


def add_answers(view: discord.ui.View, place: Place, posted: PostedQuestion) -> None:
    """Add what a question is answered with to a view."""
    number, question = posted.id, posted.question
    match question.kind:
        case Kind.SEVERAL:
            view.add_item(SeveralMenu.of(place, number, question))
        case Kind.TYPED:
            view.add_item(TypeButton(place, number))
        case Kind.ORDER if place is Place.PRACTICE:
            _add_lines(view, place, number, question, ())
        case Kind.ORDER:
            view.add_item(OrderButton(place, number, "", "Put the lines in order"))
        case _:
            plain = fit_on_buttons(question.options)
            for choice, text in enumerate(question.options):
                view.add_item(AnswerButton(place, number, choice, text if plain else LETTERS[choice]))


class AnswerButton(
    Durable,
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=rf"{_WHERE}:(?P<choice>\d+)",
):
    """One option of a question. Its id is the option's place and says nothing of right or wrong."""

    def __init__(self, where: Place, question: int, choice: int, label: str = "?") -> None:
        custom_id = f"{where}:{question}:{choice}"
        super().__init__(discord.ui.Button(label=label, style=discord.ButtonStyle.secondary, custom_id=custom_id))
        self.where, self.question, self.choice = where, question, choice

    async def press(self, interaction: Interaction) -> None:
        await take(interaction, self.where, self.question, str(self.choice))


# ---------------------------------------------------------------- several


class SeveralMenu(Durable, discord.ui.DynamicItem[discord.ui.Select[discord.ui.View]], template=rf"several:{_WHERE}"):
    """All options; any number may be chosen. A menu closes by itself, so outside of class the choice is shown once
    more and handed in with a button; in class it may be changed until the vote closes."""

    def __init__(self, where: Place, question: int, select: discord.ui.Select[discord.ui.View] | None = None) -> None:
        super().__init__(select or discord.ui.Select(custom_id=f"several:{where}:{question}"))
        self.where, self.question = where, question

    @classmethod
    def of(cls, where: Place, number: int, question: Question, chosen: tuple[int, ...] = ()) -> SeveralMenu:
        options = [
            discord.SelectOption(
                label=shorten(f"{LETTERS[at]}: {' '.join(text.split())}", 100), value=str(at), default=at in chosen
            )
            for at, text in enumerate(question.options)
        ]
        select: discord.ui.Select[discord.ui.View] = discord.ui.Select(
            custom_id=f"several:{where}:{number}",
            placeholder="All that are right",
            min_values=1,
            max_values=len(options),
            options=options,
        )
        return cls(where, number, select)

    async def press(self, interaction: Interaction) -> None:
        chosen = tuple(sorted({int(value) for value in self.item.values}))
        if self.where.vote is not None:
            await take(interaction, self.where, self.question, as_given(chosen))
            return
        question = (await find(interaction, self.question)).question
        if not chosen or chosen[-1] >= len(question.options):
            raise Refused(UNKNOWN)
        view = discord.ui.View(timeout=None).add_item(SeveralMenu.of(self.where, self.question, question, chosen))
        view.add_item(HandInButton(self.where, self.question, _dotted(chosen)))
        letters = in_a_row([LETTERS[place] for place in chosen])
        await show(interaction, f"You've chosen {letters}. Hand it in, or choose again.", view=view)


class HandInButton(
    Durable,
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=rf"hand-in:{_WHERE}:{_CHOSEN}",
):
    """Hands in what stands in its id."""

    def __init__(self, where: Place, question: int, chosen: str) -> None:
        custom_id = f"hand-in:{where}:{question}:{chosen}"
        super().__init__(
            discord.ui.Button(label="Hand it in", style=discord.ButtonStyle.success, custom_id=custom_id, row=4)
        )
        self.where, self.question, self.chosen = where, question, chosen

    async def press(self, interaction: Interaction) -> None:
        await take(interaction, self.where, self.question, as_given(_places(self.chosen)))


# ---------------------------------------------------------------- typed


class TypeButton(Durable, discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=rf"type:{_WHERE}"):
    """Opens the form in which an answer is typed."""

    def __init__(self, where: Place, question: int) -> None:
        super().__init__(
            discord.ui.Button(
                label="Type your answer", style=discord.ButtonStyle.primary, custom_id=f"type:{where}:{question}"
            )
        )
        self.where, self.question = where, question

    async def press(self, interaction: Interaction) -> None:
        await find(interaction, self.question)
        await open_form(interaction, TypedForm(self.where, self.question))


class TypedForm(DurableForm, title="Your answer", template=rf"typed:{_WHERE}"):
    """One line; numbers and shapes may be written in any notation."""

    answer: discord.ui.TextInput[Any] = discord.ui.TextInput(
        label="A number, a shape or a word",
        custom_id="answer",
        placeholder="0.693, 8x3x32 or (8, 3, 32)",
        max_length=LONGEST_TYPED,
    )

    def __init__(self, where: Place, question: int) -> None:
        super().__init__(custom_id=f"typed:{where}:{question}")

    @classmethod
    async def submitted(cls, interaction: Interaction, match: re.Match[str]) -> None:
        # Everybody reads it in the reveal, as code: a backtick would end that, and let a link or a mention out.
        typed = " ".join(plain(fields_of(interaction).get("answer", "")).replace("`", "").split())
        if not typed:
            raise Refused("There was nothing in your answer; please type it again.")
        await take(interaction, Place(match["where"]), number(match["question"]), typed[:LONGEST_TYPED])


# ---------------------------------------------------------------- in order


class OrderButton(
    Durable, discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=rf"order:{_WHERE}:{_CHOSEN}"
):
    """Leads to the row of lines in its id: one line more, or one less."""

    def __init__(self, where: Place, question: int, chosen: str, label: str = "?") -> None:
        custom_id = f"order:{where}:{question}:{chosen}"
        super().__init__(discord.ui.Button(label=label, style=discord.ButtonStyle.secondary, custom_id=custom_id))
        self.where, self.question, self.chosen = where, question, chosen

    async def press(self, interaction: Interaction) -> None:
        question = (await find(interaction, self.question)).question
        chosen = _places(self.chosen)
        if len(set(chosen)) < len(chosen) or any(place >= len(question.options) for place in chosen):
            raise Refused(UNKNOWN)
        view = discord.ui.View(timeout=None)
        chosen = _add_lines(view, self.where, self.question, question, chosen)
        lines = "\n".join(question.options[place] for place in chosen)
        content = f"Your order so far:\n{code_block(lines, 'py', 1500)}" if chosen else "Which line comes first?"
        await show(interaction, content, view=view)


def _add_lines(
    view: discord.ui.View, where: Place, number: int, question: Question, chosen: tuple[int, ...]
) -> tuple[int, ...]:
    """Add a button for each line that is left, and one back; returns the order, to which the last line adds itself."""
    left = [place for place in range(len(question.options)) if place not in chosen]
    before = chosen[:-1]
    if len(left) == 1:
        chosen, left = (*chosen, *left), []
    for place in left:
        label = shorten(f"{LETTERS[place]}: {question.options[place].strip()}", 80)
        view.add_item(OrderButton(where, number, _dotted((*chosen, place)), label))
    if not left:
        view.add_item(HandInButton(where, number, _dotted(chosen)))
    if chosen:
        view.add_item(OrderButton(where, number, _dotted(before), "Back"))
    return chosen


def _dotted(places: tuple[int, ...]) -> str:
    return ".".join(map(str, places))


def _places(dotted: str) -> tuple[int, ...]:
    return tuple(int(place) for place in dotted.split(".") if place)


BUTTONS = (AnswerButton, SeveralMenu, HandInButton, TypeButton, OrderButton)
FORMS = (TypedForm,)

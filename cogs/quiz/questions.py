"""How a quiz question and its private answer look."""

from __future__ import annotations

from collections.abc import Sequence

import discord

from bot.answering.parcels import Upload
from bot.answering.text import MAX_DESCRIPTION, code_block, in_a_row, in_words, shorten
from bot.rules.judging import missed, places_of, slips_of
from bot.rules.quiz import LETTERS, ON_BUTTONS, Kind, Question, fit_on_buttons
from bot.store.quiz import Answer, PostedQuestion

COLOUR = discord.Colour.blurple()
RIGHT, WRONG = discord.Colour.green(), discord.Colour.orange()
TASKS = {
    Kind.SEVERAL: "In the menu below, choose all the right answers.",
    Kind.TYPED: "Type your answer: a number, a shape or a word. It doesn't matter how you format it.",
    Kind.ORDER: "Put these lines in order.",
}


def question_embed(posted: PostedQuestion, *, with_task: bool = True) -> discord.Embed:
    """The question as everybody sees it: nothing in it depends on the right answer. `with_task` says how to answer."""
    question = posted.question
    parts = [shorten(question.text, 1500)]
    if question.code:
        parts.append(code_block(question.code, "py", 1500))
    if question.options and not (question.kind in ON_BUTTONS and fit_on_buttons(question.options)):
        room = (MAX_DESCRIPTION - sum(map(len, parts))) // len(question.options) - 16
        parts += [f"**{letter}**  {as_option(text, room)}" for letter, text in lettered(question.options)]
    if with_task and (task := TASKS.get(question.kind)):
        parts.append(f"*{task}*")
    embed = discord.Embed(title="Quiz", description=shorten("\n".join(parts), MAX_DESCRIPTION), colour=COLOUR)
    embed.set_footer(text=f"{in_words(question.topic)} · Answers are private, and your first one counts.")
    return embed


def picture_of(question: Question) -> list[Upload]:
    """The picture that a question is posted with, if it has one. Its name and its words give nothing away."""
    return [Upload("question.png", question.picture, question.alt or None)] if question.picture else []


def answer_embed(question: Question, answer: Answer) -> discord.Embed:
    """What the member reads alone: right or wrong, what led to what they chose, why the right one is right, and the
    misconceptions behind the other options."""
    parts = []
    if not answer.first:
        parts.append("You've answered this one before, and your first answer counts.")
    told: set[str] = set()
    if answer.right:
        parts += [] if answer.first else [f"You {_verb(question)} {chosen_words(question, answer.given)}."]
    else:
        said, told = _what_went_wrong(question, answer.given)
        parts.append(said)
    parts.append(shorten(_without(question.explanation, told), 2500))
    return discord.Embed(
        title="Right!" if answer.right else "Not this time",
        description="\n\n".join(part for part in parts if part),
        colour=RIGHT if answer.right else WRONG,
    )


def _what_went_wrong(question: Question, given: str) -> tuple[str, set[str]]:
    """A wrong answer with what led to it, and the options whose misconception has been told so."""
    lines, told = [], set()
    verb = _verb(question)
    for slip in slips_of(question, given):
        chosen = as_option(slip.chosen, 300)
        if not slip.reason:
            lines.append(f"You {verb} {chosen}.")
            continue
        told.add(slip.chosen)
        lines.append(f"You {verb} {chosen}. {because(question, slip.reason)}")
    if left_out := missed(question, given):
        lines.append(f"You left out {in_a_row([as_option(text, 200) for text in left_out])}.")
    if question.kind is Kind.ORDER:
        lines.append(f"You chose {chosen_words(question, given)}.")
    return "\n".join(lines), told


def _verb(question: Question) -> str:
    return "wrote" if question.kind is Kind.TYPED else "chose"


def because(question: Question, reason: str) -> str:
    """A sentence on a wrong choice. Of a planted fault the reason says why it is none; elsewhere it says what whoever
    chooses this does."""
    return f"{'But' if question.kind is Kind.BUG else 'That'} {reason.rstrip('.')}."


def _without(explanation: str, told: set[str]) -> str:
    """An explanation without the misconceptions that the member has just read."""
    head, others, lines = explanation.partition("\n\nThe others:\n")
    left = [line for line in lines.splitlines() if not any(line.startswith(f"- `{option}`:") for option in told)]
    return head + others + "\n".join(left) if left else head


def chosen_words(question: Question, given: str) -> str:
    """An answer inside a sentence."""
    match question.kind:
        case Kind.TYPED:
            return as_option(given, 200)
        case Kind.ORDER:
            lines = [question.options[place] for place in places_of(given)]
            return "this order:\n" + code_block("\n".join(lines), "py", 1000)
    return in_a_row([as_option(question.options[place], 300) for place in places_of(given)])


def lettered(options: Sequence[str]) -> list[tuple[str, str]]:
    return list(zip(LETTERS, options, strict=False))


def as_option(text: str, limit: int) -> str:
    """An option inside a sentence: as code where it is code, in one piece where it has lines."""
    text = shorten(text, max(limit, 16))
    if "\n" in text:
        return "\n" + code_block(text, "py")
    return text if "`" in text else f"`{text}`" if text.strip() else "(nothing)"

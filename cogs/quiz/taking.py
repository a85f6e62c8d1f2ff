"""What happens with an answer, once it is complete: it is judged, kept, and its member reads what came of it."""

from __future__ import annotations

from enum import StrEnum

import discord

from bot.answering.access import is_simulated
from bot.answering.first_answers import acknowledge, say
from bot.client import Interaction
from bot.errors import Refused
from bot.rules.class_quiz import VOTES
from bot.rules.quiz import ON_BUTTONS
from bot.store import quiz
from bot.store.lessons import class_quiz, practice
from bot.store.lessons.class_quiz import ClassQuiz, Round
from bot.store.quiz import PostedQuestion
from cogs.quiz import questions as views
from cogs.quiz.follow_ups import answered_view
from cogs.quiz.guessing import GuessMenu
from cogs.quiz.in_class.views import recorded_sentence

NO_QUIZ = "I no longer have this quiz; `/quiz class` starts a new one."
TEAM_PREFIX = "team"
"""A member's team is their first role whose name begins so, in any case."""


class Place(StrEnum):
    """Where a question stands: it decides who sees it, and what an answer leads to. The values are those in ids."""

    CHANNEL = "quiz"
    PRACTICE = "practice"
    FIRST_VOTE = "class:1"
    SECOND_VOTE = "class:2"

    @property
    def vote(self) -> int | None:
        return {Place.FIRST_VOTE: 1, Place.SECOND_VOTE: 2}.get(self)


def place_of_vote(vote: int) -> Place:
    return Place.FIRST_VOTE if vote == 1 else Place.SECOND_VOTE


async def find(interaction: Interaction, question: int) -> PostedQuestion:
    """Raises Refused for a question that is gone, or another server's."""
    posted = await quiz.get_question(interaction.client.store, question)
    if posted is None or posted.guild_id != interaction.guild_id:
        raise Refused("I don't have this question any more. `/quiz question` asks a new one.")
    return posted


async def take(interaction: Interaction, place: Place, question: int, given: str) -> None:
    """Take a complete answer. Raises Refused for one that the question doesn't offer, and when a vote has closed."""
    if place.vote is not None:
        found = await class_quiz.round_of(interaction.client.store, question)
        if found is None:
            raise Refused(NO_QUIZ)
        await take_in_class(interaction, *found, place.vote, given)
        return
    bot, posted = interaction.client, await find(interaction, question)
    now, member = bot.now(), interaction.user.id
    answer = await quiz.record_answer(bot.store, posted, member, given, now, simulated=is_simulated(interaction.user))
    embed = views.answer_embed(posted.question, answer)
    if place is Place.PRACTICE and answer.first:
        asked = posted.question
        memory = await practice.remember(bot.store, member, asked.generator, asked.topic, answer.right, now)
        embed.set_footer(text=again_sentence(memory.due_at - now, asked.is_fixed))
    await show(interaction, embed=embed, view=answered_view(posted))


async def show(
    interaction: Interaction,
    content: str | None = None,
    *,
    view: discord.ui.View,
    embed: discord.Embed | None = None,
) -> None:
    """Show something to a member alone: in the private message that they pressed on, or else in one of its own.

    Without `embed` a private message keeps the one that it has."""
    message = interaction.message
    if message is None or not message.flags.ephemeral:
        await say(interaction, content, embed=embed, view=view)
    elif embed is not None:
        await acknowledge(
            interaction, lambda: interaction.response.edit_message(content=content, embed=embed, view=view)
        )
    else:
        await acknowledge(interaction, lambda: interaction.response.edit_message(content=content, view=view))


def again_sentence(wait_s: float, is_fixed: bool) -> str:
    """When a question comes back, in words."""
    hours = wait_s / 3600
    numbers = "" if is_fixed else ", with different numbers"
    if hours < 1:
        return f"You'll see this one again today{numbers}."
    if hours < 36:
        return f"You'll see this one again tomorrow{numbers}."
    return f"You'll see this one again in {hours / 24:.0f} days{numbers}."


# ---------------------------------------------------------------- in class


async def find_quiz(interaction: Interaction, number: int) -> ClassQuiz:
    """Raises Refused for one that is gone, or another server's."""
    found = await class_quiz.get(interaction.client.store, number)
    if found is None or found.guild_id != interaction.guild_id:
        raise Refused(NO_QUIZ)
    return found


async def find_round(interaction: Interaction, number: int, position: int) -> Round:
    """Raises Refused for one that is gone."""
    rounds = await class_quiz.rounds(interaction.client.store, number)
    if position >= len(rounds):
        raise Refused(NO_QUIZ)
    return rounds[position]


def team_of(member: discord.abc.User) -> str:
    """The name of a member's team, or ""."""
    roles = member.roles if isinstance(member, discord.Member) else []
    return next((role.name for role in roles if role.name.casefold().startswith(TEAM_PREFIX)), "")


async def take_in_class(interaction: Interaction, number: int, position: int, vote: int, given: str) -> None:
    """Take or change an answer in class."""
    bot, found = interaction.client, await find_quiz(interaction, number)
    at = await find_round(interaction, number, position)
    now, question = bot.now(), at.posted.question
    seconds = found.plan.elapsed_s(found.standing, now) if VOTES.get(found.standing.phase) == vote else 0.0
    before = await class_quiz.record(
        bot.store,
        number,
        at,
        vote,
        interaction.user.id,
        given,
        seconds=seconds,
        team=team_of(interaction.user) if found.plan.teams else "",
        now=now,
        simulated=is_simulated(interaction.user),
    )
    view = None
    if vote == 1 and question.kind in ON_BUTTONS:
        view = discord.ui.View(timeout=None).add_item(GuessMenu(number, position, question.options))
    await say(interaction, recorded_sentence(question, before, given), view=view)
    bot.dispatch("class_quiz_changed", number)

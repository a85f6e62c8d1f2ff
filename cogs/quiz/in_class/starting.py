"""/quiz class: questions for the whole class at once, one after the other, each with a private vote and one reveal."""

from __future__ import annotations

from collections.abc import Callable

from bot.answering.access import guild_id_of
from bot.client import Interaction, Woodshed
from bot.errors import Refused
from bot.rules import class_quiz as rules
from bot.rules.class_quiz import Plan
from bot.rules.quiz import Question
from bot.store import quiz
from bot.store.lessons import class_quiz
from bot.store.lessons.class_quiz import ClassQuiz
from cogs.quiz.asking import IN_CLASS, draw_question

MOST_TRIES = 3
"""Of drawing a question that isn't in the quiz yet, where a topic has fewer generators than the quiz has questions."""


async def start_class_quiz(interaction: Interaction, topic: str, plan: Plan, draw_seed: Callable[[], int]) -> ClassQuiz:
    """Prepare a whole quiz and write it down; nothing is posted before all of its questions are there.

    Raises Refused when one runs in the channel, and the engine's errors."""
    bot, channel_id = interaction.client, interaction.channel_id
    assert channel_id is not None
    if await class_quiz.running_in(bot.store, channel_id) is not None:
        raise Refused(class_quiz.ONE_AT_A_TIME)
    guild_id = guild_id_of(interaction)
    before = await quiz.asked_before(bot.store, guild_id, interaction.user.id, topic)
    questions = await _draw_questions(bot, guild_id, topic, plan.rounds, before, draw_seed)
    now = bot.now()  # the first vote opens when all is there
    return await class_quiz.begin(
        bot.store,
        plan,
        rules.begin(plan, now),
        questions,
        guild_id=guild_id,
        channel_id=channel_id,
        hosted_by=interaction.user.id,
        topic=topic,
        now=now,
    )


async def _draw_questions(
    bot: Woodshed, guild_id: int, topic: str, count: int, before: list[str], draw_seed: Callable[[], int]
) -> list[Question]:
    """As many questions as wanted, no generator twice while others are left, and no question twice."""
    drawn: list[Question] = []
    for _ in range(count * MOST_TRIES):
        used = [question.generator for question in reversed(drawn)]
        question = await draw_question(bot, guild_id, topic, draw_seed(), [*used, *before], IN_CLASS)
        if not any((question.text, question.code, question.alt) == (one.text, one.code, one.alt) for one in drawn):
            drawn.append(question)
        if len(drawn) == count:
            return drawn
    raise Refused(f"I only have {len(drawn)} different questions on this topic; please ask for fewer.")


def started_sentence(started: ClassQuiz) -> str:
    """What the host reads."""
    plan = started.plan
    second = ", with a discussion and a second vote on each" if plan.second_vote else ""
    return (
        f"The class quiz is on: {plan.rounds} questions, {plan.seconds} s each{second}. "
        "Go on, pause, skip or end it with the buttons under the question."
    )

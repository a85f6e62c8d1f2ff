"""Where a question comes from: the engine's generators, or the questions that staff wrote."""

from __future__ import annotations

from collections.abc import Sequence

from bot.client import Woodshed
from bot.rules.quiz import MAX_OPTIONS, Question, to_avoid
from bot.store.lessons import own_questions
from engine.contract import engine_pb2 as pb


def question_of(reply: pb.QuizReply) -> Question:
    """The engine's reply as the rules know a question."""
    return Question(
        generator=reply.generator,
        seed=reply.seed,
        topic=reply.topic,
        text=reply.question,
        code=reply.code,
        options=tuple(reply.options[:MAX_OPTIONS]),
        correct=reply.correct,
        explanation=reply.explanation,
        card_id=reply.card_id,
    )


async def draw_question(bot: Woodshed, guild_id: int, topic: str, seed: int, recent: Sequence[str]) -> Question:
    """A question on a topic that hasn't been asked lately. `recent` names generators, the latest first.

    A topic that only this server has is asked from staff's own questions."""
    if topic and topic not in await bot.catalogue.topics.get():
        own = await own_questions.of_guild(bot.store, guild_id, topic)
        if own:
            latest = {name: place for place, name in enumerate(recent)}
            # The one that was asked longest ago; those that never were come first, in an order that the seed decides.
            number, chosen = max(
                own,
                key=lambda one: (latest.get(f"{own_questions.GENERATOR}{one[0]}", len(latest)), hash((seed, one[0]))),
            )
            return own_questions.as_asked(number, chosen, seed)
    return question_of(await bot.engine.quiz(topic=topic, seed=seed, avoid=to_avoid(recent)))

"""Where a question comes from: the engine's generators, or the questions that staff wrote."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.client import Woodshed
from bot.rules.judging import as_given
from bot.rules.quiz import MAX_OPTIONS, Kind, Question
from bot.store.lessons import own_questions
from cogs.quiz.topics import is_of_course
from engine.contract import engine_pb2 as pb

EVERY_KIND = frozenset(Kind)
IN_CLASS = EVERY_KIND - {Kind.ORDER}
"""Putting lines in order takes longer than a vote, and there is no distribution to talk over."""


def question_of(reply: pb.QuizReply) -> Question:
    """The engine's reply as the rules know a question."""
    kind = Kind(reply.kind or Kind.ONE)
    match kind:
        case Kind.TYPED:
            accepted = [reply.answer]
        case Kind.SEVERAL:
            accepted = [as_given(sorted(reply.right))]
        case Kind.ORDER:
            accepted = [as_given(order.places) for order in reply.orders]
        case _:
            accepted = [str(reply.correct)]
    return Question(
        generator=reply.generator,
        seed=reply.seed,
        topic=reply.topic,
        text=reply.question,
        code=reply.code,
        options=tuple(reply.options[:MAX_OPTIONS]),
        accepted=tuple(accepted),
        explanation=reply.explanation,
        card_id=reply.card_id,
        kind=kind,
        reasons=tuple(reply.reasons[:MAX_OPTIONS]),
        slips=tuple((slip.answer, slip.reason) for slip in reply.slips),
        is_fixed=reply.fixed,
        picture=reply.picture,
        alt=reply.alt,
    )


async def draw_question(
    bot: Woodshed,
    guild_id: int,
    topic: str,
    seed: int,
    before: Sequence[str],
    kinds: Iterable[Kind] = EVERY_KIND,
    card: str = "",
) -> Question:
    """A question on a topic, or one that a card answers; none comes twice before the others are used up. `before` names
    the generators that were asked, the latest first.

    A topic that only this server has is asked from staff's own questions."""
    if topic and not await is_of_course(bot, topic):
        own = await own_questions.of_guild(bot.store, guild_id, topic)
        if own:
            latest = {name: place for place, name in enumerate(before)}
            # The one that was asked longest ago; those that never were come first, in an order that the seed decides.
            number, chosen = max(
                own,
                key=lambda one: (latest.get(f"{own_questions.GENERATOR}{one[0]}", len(latest)), hash((seed, one[0]))),
            )
            return own_questions.as_asked(number, chosen, seed)
    reply = await bot.engine.quiz(topic=topic, seed=seed, avoid=before, kinds=kinds, pictures=True, card=card)
    return question_of(reply)


async def ask_again(bot: Woodshed, guild_id: int, generator: str, topic: str, seed: int) -> Question | None:
    """The question of one generator, with new numbers; None where it is no longer there, or not on this server."""
    if generator.startswith(own_questions.GENERATOR):
        number = int(generator.removeprefix(own_questions.GENERATOR))
        own = dict(await own_questions.of_guild(bot.store, guild_id)).get(number)
        return None if own is None else own_questions.as_asked(number, own, seed)
    if not await is_of_course(bot, topic):
        return None
    reply = await bot.engine.quiz(topic=topic, seed=seed, generator=generator, kinds=EVERY_KIND, pictures=True)
    return question_of(reply) if reply.generator == generator else None

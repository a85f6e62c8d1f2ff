"""/quiz me: practice for one member alone, each question with the next one a button away."""

from __future__ import annotations

import discord

from bot.answering.access import guild_id_of
from bot.answering.live_reply import LiveReply
from bot.answering.text import in_words
from bot.client import Interaction
from bot.rules import practice as rules
from bot.rules.quiz import Question
from bot.store import quiz
from bot.store.lessons import own_questions, practice
from bot.store.quiz import PostedQuestion
from cogs.quiz import questions as views
from cogs.quiz.asking import ask_again, draw_question
from cogs.quiz.kinds import answer_view
from cogs.quiz.taking import Place


async def ask_next(answer: LiveReply, interaction: Interaction, topic: str, card: str, seed: int, now: float) -> None:
    """Ask a member what is due again, else what they haven't met; with `card`, a question that the card answers.

    Only when everything about the topic has been met does something come before it is due: what is due next."""
    bot, member, guild_id = interaction.client, interaction.user.id, guild_id_of(interaction)
    known = await practice.memories(bot.store, member, topic)
    due = [] if card else rules.due(known, now)
    question, waiting = await _due_question(interaction, due, seed)
    if question is None:
        met = [memory.generator for memory in reversed(known)]
        question = await draw_question(bot, guild_id, topic, seed, met, card=card)
    assert interaction.channel_id is not None
    posted = await quiz.add_question(
        bot.store,
        question,
        guild_id=guild_id,
        channel_id=interaction.channel_id,
        asked_by=member,
        now=now,
        private=True,
    )
    message_id = await answer.finish(
        embeds=[_embed(posted, waiting)],
        view=answer_view(Place.PRACTICE, posted),
        uploads=views.picture_of(question),
    )
    await quiz.set_message(bot.store, posted.id, message_id)


async def _due_question(interaction: Interaction, due: list[rules.Memory], seed: int) -> tuple[Question | None, int]:
    """The most overdue question that is still there, and how many are waiting. What no longer exists is forgotten;
    another server's own questions wait until the member is there again."""
    bot, guild_id = interaction.client, guild_id_of(interaction)
    if any(memory.generator.startswith(own_questions.GENERATOR) for memory in due):
        here = {f"{own_questions.GENERATOR}{number}" for number, _ in await own_questions.of_guild(bot.store, guild_id)}
        due = [m for m in due if not m.generator.startswith(own_questions.GENERATOR) or m.generator in here]
    for place, memory in enumerate(due):
        question = await ask_again(bot, guild_id, memory.generator, memory.topic, seed)
        if question is not None:
            return question, len(due) - place
        if not memory.generator.startswith(own_questions.GENERATOR):  # one of staff's was removed just now
            await practice.forget(bot.store, interaction.user.id, memory.generator)
    return None, 0


def _embed(posted: PostedQuestion, waiting: int) -> discord.Embed:
    embed = views.question_embed(posted)
    embed.title = f"Practice: {waiting} to go over again" if waiting else "Practice"
    embed.set_footer(text=f"{in_words(posted.question.topic)} · only you see this, and your first answer counts")
    return embed

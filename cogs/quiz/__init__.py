"""/quiz, /score and /leaderboard: one question for the channel, a private answer for everybody."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import discord
from discord import app_commands
from discord.ext import commands

from bot.answering.access import guild_id_of
from bot.answering.first_answers import say
from bot.answering.jobs import one_answer
from bot.answering.posting import require_may_post
from bot.answering.text import in_words, too_many_questions
from bot.client import Interaction, Woodshed
from bot.engine.catalogue import matching
from bot.errors import Refused
from bot.rules.quiz import MAX_OPTIONS, Question, Score, leaderboard, streak, to_avoid
from bot.rules.quotas import Quota
from bot.store import polls, quiz
from cogs.quiz.questions import AnswerButton, CardButton, question_embed, question_view
from cogs.quiz.scores import LeaderboardButton, leaderboard_embed, score_embed
from engine.contract.limits import LARGEST_SEED

BUTTONS = (AnswerButton, CardButton, LeaderboardButton)
QUESTIONS_PER_MINUTE = 6
"""For one member: enough to practise fast, too few to flood a channel."""


class Quiz(commands.Cog):
    """Questions whose right answer the engine has computed."""

    def __init__(self, bot: Woodshed, draw_seed: Callable[[], int] = lambda: secrets.randbelow(LARGEST_SEED)) -> None:
        self.bot = bot
        self.draw_seed = draw_seed
        self.quota = Quota(QUESTIONS_PER_MINUTE, 60.0)

    async def cog_load(self) -> None:
        self.bot.add_dynamic_items(*BUTTONS)

    async def cog_unload(self) -> None:
        self.bot.remove_dynamic_items(*BUTTONS)

    @app_commands.command(name="quiz", description="Ask this channel a PyTorch question; everybody answers privately")
    @app_commands.describe(topic="What it's about; anything if left out")
    @app_commands.guild_only()
    async def ask_question(self, interaction: Interaction, topic: str = "") -> None:
        guild_id, channel_id = guild_id_of(interaction), interaction.channel_id
        require_may_post(interaction, "embed_links")
        assert channel_id is not None
        now = self.bot.now()
        wait_s = self.quota.take(interaction.user.id, now)
        if wait_s:
            raise Refused(too_many_questions(wait_s))
        async with one_answer(interaction) as answer:
            store = self.bot.store
            recent = await quiz.recent_generators(store, guild_id, interaction.user.id, topic)
            reply = await self.bot.engine.quiz(topic=topic, seed=self.draw_seed(), avoid=to_avoid(recent))
            question = Question(
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
            posted = await quiz.add_question(
                store, question, guild_id=guild_id, channel_id=channel_id, asked_by=interaction.user.id, now=now
            )
            message_id = await answer.finish(embeds=[question_embed(posted)], view=question_view(posted))
            await quiz.set_message(store, posted.id, message_id)

    @ask_question.autocomplete("topic")
    async def complete_topic(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        topics = await self.bot.catalogue.topics.get()
        return matching(typed, [(in_words(topic), topic) for topic in topics])

    @app_commands.command(description="Your own score; only you see it")
    @app_commands.guild_only()
    async def score(self, interaction: Interaction) -> None:
        store, guild_id, member = self.bot.store, guild_id_of(interaction), interaction.user.id
        judgements = await polls.judgements(store, guild_id, member)
        listening = Score(len(judgements), sum(vote.is_human == vote.called_human for vote in judgements))
        shown = await quiz.is_shown(store, guild_id, member)
        view = discord.ui.View(timeout=None).add_item(LeaderboardButton("off" if shown else "on"))
        embed = score_embed(
            topics=await quiz.scores_by_topic(store, guild_id, member),
            streak=streak(await quiz.latest_results(store, guild_id, member)),
            listening=listening,
            shown=shown,
            total=await quiz.class_total(store, guild_id),
        )
        await say(interaction, embed=embed, view=view)

    @app_commands.command(description="The quiz scores of everybody who wants to be listed")
    @app_commands.guild_only()
    async def leaderboard(self, interaction: Interaction) -> None:
        require_may_post(interaction, "embed_links")
        store, guild_id = self.bot.store, guild_id_of(interaction)
        standings = leaderboard(await quiz.shown_scores(store, guild_id))
        embed = leaderboard_embed(standings, await quiz.class_total(store, guild_id))
        await say(interaction, embed=embed, private=False)


async def setup(bot: Woodshed) -> None:
    await bot.add_cog(Quiz(bot))

"""/ask: an answer from the deck of concept cards, with its source, or an honest "I don't know"."""

from __future__ import annotations

from discord import app_commands
from discord.ext import commands

from bot.answering.jobs import one_answer
from bot.answering.posting import require_may_post
from bot.answering.text import MAX_EMBED, too_many_questions
from bot.client import Interaction, Woodshed
from bot.errors import Refused
from bot.rules.quotas import Quota
from cogs.ask.cards import card_embed, related_line, unknown_sentence

QUESTIONS_PER_MINUTE = 10


class Ask(commands.Cog):
    """Answers come from cards only, never from a guess."""

    def __init__(self, bot: Woodshed) -> None:
        self.bot = bot
        self.quota = Quota(QUESTIONS_PER_MINUTE, 60.0)

    @app_commands.command(description="Ask about PyTorch and deep learning")
    @app_commands.describe(question="Your question, in your own words", private="Only you see the answer")
    async def ask(
        self, interaction: Interaction, question: app_commands.Range[str, 1, 300], private: bool = False
    ) -> None:
        if not private:
            require_may_post(interaction, "embed_links")
        wait_s = self.quota.take(interaction.user.id, self.bot.now())
        if wait_s:
            raise Refused(too_many_questions(wait_s))
        await answer_question(interaction, question, private=private)


async def answer_question(interaction: Interaction, question: str, *, private: bool = False) -> None:
    """Answer with the card that fits best, or say that none does. Raises EngineError."""
    async with one_answer(interaction, private=private) as answer:
        found = await interaction.client.engine.ask(question)
        if not found.known or not found.cards:
            await answer.finish(content=unknown_sentence(question, found.cards))
            return
        best, *others = found.cards
        related = related_line(others) if others else None
        await answer.finish(content=related, embeds=[card_embed(best, MAX_EMBED)])


async def setup(bot: Woodshed) -> None:
    await bot.add_cog(Ask(bot))

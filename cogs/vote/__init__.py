"""/vote: a question of any kind, voted on with the care that the blind polls get."""

from __future__ import annotations

from discord import app_commands
from discord.ext import commands

from bot.answering.access import guild_id_of, require_own_message, take_turn
from bot.answering.jobs import one_answer
from bot.answering.text import plain, seen
from bot.client import Interaction, Woodshed
from bot.errors import Refused
from bot.rules.blind_poll import MAX_MINUTES, MIN_MINUTES, closing_time
from bot.rules.quotas import Quota
from bot.store.polls import beginning, series
from bot.store.polls.beginning import NewQuestion, NewSeries

FEWEST, MOST = 2, 10
LONGEST_OPTION = 100
VOTES = (4, 60.0)
"""How often in how many seconds a member may start one."""


class Votes(commands.Cog):
    """Store, closer and guarantees are those of the blind polls."""

    def __init__(self, bot: Woodshed) -> None:
        self.bot = bot
        self.quota = Quota(*VOTES)

    @app_commands.command(
        description="Ask everybody a question and let them vote; the tally stays hidden until the end"
    )
    @app_commands.guild_only()
    @app_commands.describe(
        question="The question",
        options="Two to ten answers, with | between them",
        closes_in="Minutes until it closes (a day if left out)",
        choices="How many answers each person may choose",
        names="Show who voted for what when the result is in",
        quorum="How many have to vote for the result to count",
    )
    async def vote(
        self,
        interaction: Interaction,
        question: app_commands.Range[str, 1, 250],
        options: app_commands.Range[str, 3, 1200],
        closes_in: app_commands.Range[int, MIN_MINUTES, MAX_MINUTES] | None = None,
        choices: app_commands.Range[int, 1, MOST] = 1,
        names: bool = False,
        quorum: app_commands.Range[int, 0, 10_000] = 0,
    ) -> None:
        question, answers = plain(question).strip(), split_options(plain(options))
        if not seen(question):
            raise Refused("There's nothing to read in your question; please type it again.")
        take_turn(self.quota, interaction)
        require_own_message(interaction, "embed_links", "read_message_history")
        assert interaction.channel_id is not None
        async with one_answer(interaction, private=True) as reply:
            now = self.bot.now()
            recorded = await series.of_request(self.bot.store, interaction.id)
            if recorded is None:
                new = NewSeries(
                    guild_id=guild_id_of(interaction),
                    channel_id=interaction.channel_id,
                    started_by=interaction.user.id,
                    closes_at=closing_time(now, closes_in or self.bot.settings.club.poll_minutes),
                    title=question,
                    request=interaction.id,
                )
                asked = NewQuestion(
                    question, answers, most_choices=min(choices, len(answers)), is_open=names, quorum=quorum
                )
                recorded = await beginning.record_question(self.bot.store, new, asked, now)
            await reply.finish(content=await self.bot.services.series.post(recorded))


def split_options(text: str) -> list[str]:
    """ "yes | no" -> ["yes", "no"]. Raises Refused for too few, too many, too long ones, and for doubles."""
    options = [option.strip() for option in text.split("|")]
    options = [option for option in options if seen(option)]
    if not FEWEST <= len(options) <= MOST:
        raise Refused(f"A vote has {FEWEST} to {MOST} answers; put | between them, as in `yes | no | later`.")
    if len(set(map(seen, options))) < len(options):
        raise Refused("Two of these answers are the same; please make each one different.")
    longest = max(options, key=len)
    if len(longest) > LONGEST_OPTION:
        raise Refused(f"An answer can have at most {LONGEST_OPTION} characters; “{longest[:30]}…” is longer.")
    return options


async def setup(bot: Woodshed) -> None:
    await bot.add_cog(Votes(bot))

"""How scores and the leaderboard look, and the button that joins or leaves it."""

from __future__ import annotations

from collections.abc import Sequence

import discord

from bot.answering.access import guild_id_of
from bot.answering.durable import Durable
from bot.answering.first_answers import say
from bot.answering.text import MAX_FIELD, counted, in_words, percent, shorten
from bot.client import Interaction
from bot.rules.practice import Memory, due, mastery
from bot.rules.quiz import Score, Standing, leaderboard, weakest_topic
from bot.store import quiz
from bot.store.connection import Store

COLOUR = discord.Colour.blurple()
MOST_PLACES = 20
WEEK_S = 7 * 86_400.0


async def board_embed(store: Store, guild_id: int, this_week: bool, now: float) -> discord.Embed:
    """The leaderboard, of the last seven days or of all time."""
    since = now - WEEK_S if this_week else 0.0
    standings = leaderboard(await quiz.shown_scores(store, guild_id, since))
    embed = leaderboard_embed(standings, await quiz.class_total(store, guild_id, since))
    if this_week:
        embed.title = "Leaderboard: the last seven days"
    return embed


def score_embed(
    topics: dict[str, Score],
    streak: int,
    streaks: dict[str, int],
    listening: Score,
    shown: bool,
    total: Score,
    memories: Sequence[Memory],
    now: float,
) -> discord.Embed:
    """A member's own score, for themselves."""
    own = Score(sum(score.answered for score in topics.values()), sum(score.right for score in topics.values()))
    if not own.answered:
        lines = ["You haven't answered any questions yet. Try `/quiz question`!"]
    else:
        lines = [f"**{own.right} of {own.answered}** right ({percent(own.share)})"]
        if streak > 1:
            lines.append(f"You've got the last {streak} right.")
        if weakest := weakest_topic(topics):
            lines.append(f"Practise this next: `/quiz me topic:{weakest}`")
        if total.answered > own.answered:
            lines.append(f"The whole class: {percent(total.share)} of {counted(total.answered, 'answer')} right.")
    embed = discord.Embed(title="Your score", description="\n".join(lines), colour=COLOUR)
    if topics:
        rows = [
            f"{in_words(topic)}: {score.right} of {score.answered}{_in_a_row(streaks.get(topic, 0))}"
            for topic, score in topics.items()
        ]
        embed.add_field(name="By topic", value=shorten("\n".join(rows), MAX_FIELD), inline=True)
    if memories:
        rows = [f"{in_words(one.topic)}: {percent(one.share)}" for one in mastery(memories, now)]
        embed.add_field(name="You'd get right today", value=shorten("\n".join(rows), MAX_FIELD), inline=True)
        waiting = len(due(memories, now))
        if waiting:
            embed.add_field(name="To go over again", value=f"{counted(waiting, 'question')}: `/quiz me`", inline=True)
    if listening.answered:
        text = f"{listening.right} of {counted(listening.answered, 'closed poll')} right"
        embed.add_field(name="By ear", value=text, inline=True)
    embed.set_footer(text="You're on the leaderboard." if shown else "You aren't on the leaderboard.")
    return embed


def _in_a_row(length: int) -> str:
    return f", the last {length} in a row" if length > 1 else ""


def leaderboard_embed(standings: Sequence[Standing], total: Score) -> discord.Embed:
    """Those who chose to be shown. Mentions in an embed name people without calling them."""
    lines = [
        f"{standing.place}. <@{standing.member}>  {standing.score.right} of {standing.score.answered} right"
        for standing in standings[:MOST_PLACES]
    ]
    if not lines:
        lines = ["Nobody is on the board yet. `/quiz score` has a button to join."]
    embed = discord.Embed(title="Leaderboard", description="\n".join(lines), colour=COLOUR)
    if total.answered:
        share = percent(total.share)
        embed.set_footer(text=f"The whole class: {share} of {counted(total.answered, 'answer')} right")
    return embed


class LeaderboardButton(
    Durable, discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"leaderboard:(?P<change>on|off)"
):
    """Joins or leaves the leaderboard."""

    def __init__(self, change: str) -> None:
        label = "Show me on the leaderboard" if change == "on" else "Take me off the leaderboard"
        super().__init__(
            discord.ui.Button(label=label, style=discord.ButtonStyle.secondary, custom_id=f"leaderboard:{change}")
        )
        self.change = change

    async def press(self, interaction: Interaction) -> None:
        bot, shown = interaction.client, self.change == "on"
        await quiz.show(bot.store, guild_id_of(interaction), interaction.user.id, shown, bot.now())
        sentence = "You're on the leaderboard now." if shown else "You're off the leaderboard now."
        await say(interaction, sentence)

"""What a closed poll came to, and all of them together: embeds and files for after the close."""

from __future__ import annotations

import io
from collections.abc import Sequence

import discord

from bot.answering.text import counted, percent, shorten
from bot.rules.blind_poll import Origin, Tally
from bot.rules.listening import (
    ENOUGH_VOTES,
    Calls,
    Interval,
    balanced_accuracy,
    cannot_tell,
    criterion,
    d_prime,
    human_call_ratio,
)
from bot.store.clips import Clip
from bot.store.polls import Poll
from cogs.clips.describing import described

COLOUR = discord.Colour.gold()
NAMES = {Origin.HUMAN: "a human", Origin.AI: "the model"}


def counterpart_file(poll: Poll, audio: bytes) -> discord.File:
    """The model's clip beside a human one, for after the close."""
    return discord.File(io.BytesIO(audio), filename=f"poll-{poll.id}-model.ogg")


def closed_embed(poll: Poll) -> discord.Embed:
    """What the poll's own message shows after the close; the result is a message below it."""
    return discord.Embed(title=f"Poll {poll.id}: human or AI?", description="This poll has closed.", colour=COLOUR)


def result_embed(poll: Poll, tally: Tally, clip: Clip, counterpart: bool) -> discord.Embed:
    """What the clip was and what the class heard. `counterpart`: the model's clip is attached for comparison."""
    embed = discord.Embed(
        title=f"Poll {poll.id}: it was {NAMES[poll.answer]}", description=described(clip), colour=COLOUR
    )
    if counterpart:
        embed.description = f"{embed.description}\nAttached: what the model plays under the same conditions."
    embed.add_field(name="Votes", value=votes_line(tally), inline=False)
    if tally.counted:
        interval = tally.interval(poll.answer)
        right = tally.right(poll.answer)
        text = (
            f"{right} of {tally.counted} ({percent(right / tally.counted)}; "
            f"95 % interval {interval_text(interval)}). Guessing gets 50 %."
        )
        embed.add_field(name="Right", value=text, inline=False)
    if tally.too_early:
        embed.set_footer(text=f"Too early to say more: fewer than {ENOUGH_VOTES} votes, and on one clip.")
    else:
        embed.set_footer(text="This is about one clip only; /poll stats has all of them together.")
    return embed


def votes_line(tally: Tally) -> str:
    if not tally.counted and not tally.knew:
        return "Nobody voted."
    line = f"{tally.called_human} said human, {tally.called_ai} said AI."
    if tally.knew:
        line += f" {counted(tally.knew, 'member')} knew the piece and {'is' if tally.knew == 1 else 'are'} left out."
    return line


def interval_text(interval: Interval) -> str:
    return f"{100 * interval.low:.0f} to {100 * interval.high:.0f} %"


def stats_embed(calls: Calls, listeners: int, clips: int, interval: Interval | None) -> discord.Embed:
    """All closed polls of a server together."""
    embed = discord.Embed(title="Human or AI: all closed polls", colour=COLOUR)
    votes = round(calls.total)
    if not votes:
        embed.description = "No closed poll has votes yet."
        return embed
    embed.description = f"{counted(votes, 'vote')} of {counted(listeners, 'listener')} on {counted(clips, 'clip')}."
    right = round(calls.hits + calls.correct_rejections)
    lines = [
        f"Human clips called human: {calls.hits:.0f} of {calls.human:.0f}",
        f"The model's clips called human: {calls.false_alarms:.0f} of {calls.ai:.0f}",
    ]
    if calls.both_sides:
        spread = (
            f"95 % interval {interval_text(interval)}" if interval else "too few listeners or clips for an interval"
        )
        lines += [
            f"Balanced accuracy: **{percent(balanced_accuracy(calls))}** ({spread}; guessing gets 50 %)",
            f"Human-call ratio: {human_call_ratio(calls):.2f} (1: the model passes as often as people do)",
            f"d′ = {d_prime(calls):.2f} (0: can't tell), criterion c = {criterion(calls):.2f} (below 0: leans human)",
        ]
    embed.add_field(name="What was heard", value="\n".join(lines), inline=False)
    if votes < ENOUGH_VOTES:
        embed.set_footer(text=f"Too early to conclude anything: fewer than {ENOUGH_VOTES} votes.")
    elif interval is not None and interval.low > 0.5:
        embed.set_footer(text="Listeners like these can tell: the interval lies above guessing.")
    elif cannot_tell(right, votes) and interval is not None and interval.high < 0.6:
        embed.set_footer(text="Listeners like these can't tell: they are right less than 60 % of the time.")
    else:
        embed.set_footer(text="Undecided: neither told apart nor shown to be indistinguishable.")
    return embed


def list_embed(rows: Sequence[tuple[Poll, Tally]]) -> discord.Embed:
    """The latest polls: links and deadlines of open ones, results of closed ones."""
    lines = [_list_line(poll, tally) for poll, tally in rows]
    text = "\n".join(lines) or "There has been no poll yet."
    return discord.Embed(title="Polls", description=shorten(text, 4000), colour=COLOUR)


def _list_line(poll: Poll, tally: Tally) -> str:
    link = f"[Poll {poll.id}]({poll.link})"
    if not poll.closed:
        return f"{link} is open and closes <t:{poll.closes_at:.0f}:R>"
    if not tally.counted:
        return f"{link} was {NAMES[poll.answer]}; nobody's vote counted"
    return f"{link} was {NAMES[poll.answer]}; {tally.right(poll.answer)} of {tally.counted} right"

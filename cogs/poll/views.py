"""How a blind poll and its result look. Nothing here shows an answer or a tally of an open poll."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any, Self

import discord

from bot.answering.access import Interaction
from bot.answering.durable import Durable
from bot.answering.text import counted, percent, shorten
from bot.errors import Refused
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
from bot.store import polls
from bot.store.clips import Clip, Kind
from bot.store.polls import Ballot, Poll

COLOUR = discord.Colour.gold()
NAMES = {Origin.HUMAN: "a human", Origin.AI: "the model"}
GONE = "I don't have this poll any more."
PERFORMED = (
    "performed by the soloist's rendition network and the band. The music is notated: the question was who chose the "
    "notes, not who played them"
)
"""Of a human clip that nobody played."""


def clip_file(poll: Poll, audio: bytes) -> discord.File:
    """The sound under a name that says nothing but the poll's number, whichever side it is."""
    return discord.File(io.BytesIO(audio), filename=f"poll-{poll.id}.ogg")


def counterpart_file(poll: Poll, audio: bytes) -> discord.File:
    """The model's clip beside a human one, for after the close."""
    return discord.File(io.BytesIO(audio), filename=f"poll-{poll.id}-model.ogg")


def poll_embed(poll: Poll) -> discord.Embed:
    """What everybody sees while the poll is open."""
    closes = f"<t:{poll.closes_at:.0f}:R>"
    embed = discord.Embed(
        title=f"Poll {poll.id}: human or AI?",
        description=(
            "Listen, then choose. Your vote stays private, and you can change it until the poll closes "
            f"{closes}. If you know the piece, say so: then your vote is left out of the figures."
        ),
        colour=COLOUR,
    )
    embed.set_footer(text="Nobody sees the tally before the close.")
    return embed


def closed_embed(poll: Poll) -> discord.Embed:
    """What the poll's own message shows after the close; the result is a message below it."""
    return discord.Embed(title=f"Poll {poll.id}: human or AI?", description="This poll has closed.", colour=COLOUR)


def poll_view(poll: int) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    for choice in (Origin.HUMAN, Origin.AI):
        view.add_item(VoteButton(poll, choice))
    view.add_item(KnowsButton(poll))
    return view


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


def described(clip: Clip) -> str:
    """Title and origin of a clip, for after the close."""
    escape = discord.utils.escape_markdown
    title = f"**{escape(shorten(clip.title, 300))}**"
    conditions = clip.conditions
    how = [conditions.instrument] if conditions.instrument else []
    metre = " in 3/4" if conditions.beats_per_bar == 3 else ""
    how += [f"{conditions.bars} bars{metre}"] if conditions.bars else []
    how += [f"{conditions.tempo_bpm:.0f} bpm"] if conditions.tempo_bpm else []
    how += [f"over `{shorten(conditions.chords.replace('`', ''), 200)}`"] if conditions.chords else []
    match clip.kind:
        case Kind.MODEL:
            made = f"by {escape(clip.performer)}, seed {conditions.seed}"
        case Kind.PIECE:
            made = f"composed by {escape(clip.performer)}{f', {clip.year}' if clip.year else ''}"
            made += f" (source: {escape(clip.source)})" if clip.source else ""
            made += f", {PERFORMED}"
        case Kind.MIDI if conditions.notated:
            made = f"notes by {escape(shorten(clip.performer, 200))}, {PERFORMED}"
        case Kind.MIDI:
            made = f"played by {escape(shorten(clip.performer, 200))}, with the band"
        case Kind.AUDIO:
            made = f"played by {escape(shorten(clip.performer, 200))}; a recording, so the sound itself may have told"
    return f"{title}, {made}." + (f"\n{', '.join(how)}" if how else "")


def votes_line(tally: Tally) -> str:
    if not tally.counted and not tally.knew:
        return "Nobody voted."
    line = f"{tally.called_human} said human, {tally.called_ai} said AI."
    if tally.knew:
        line += f" {counted(tally.knew, 'member')} knew the piece and {'is' if tally.knew == 1 else 'are'} left out."
    return line


def interval_text(interval: Interval) -> str:
    return f"{100 * interval.low:.0f} to {100 * interval.high:.0f} %"


def ballot_sentence(ballot: Ballot, poll: Poll) -> str:
    """The private confirmation: said only after the vote is committed."""
    vote, before = ballot.vote, ballot.before
    closes = f"<t:{poll.closes_at:.0f}:R>"
    if vote.choice is None:
        said = "You haven't chosen yet."
    elif before is None or before.choice is None:
        said = f"Your vote: **{_spoken(vote.choice)}**."
    elif before.choice is vote.choice:
        said = f"Your vote is **{_spoken(vote.choice)}**."
    else:
        said = f"Changed to **{_spoken(vote.choice)}**."
    if vote.knows:
        said += " You know the piece, so it is left out of the figures; press “I know this piece” again to undo that."
    elif before is not None and before.knows:
        said += " You don't know the piece after all, so your vote counts."
    return f"{said} You can change it until the poll closes {closes}."


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


def _spoken(choice: Origin) -> str:
    return "human" if choice is Origin.HUMAN else "AI"


async def open_poll(interaction: Interaction, number: int) -> Poll:
    """The poll behind a button. Raises Refused when it is gone, called off or closed."""
    poll = await polls.get(interaction.client.store, number)
    if poll is None:
        raise Refused(GONE)
    if poll.voided:
        raise Refused("This poll was called off.")
    if poll.closed:
        raise Refused(polls.CLOSED)
    return poll


class VoteButton(
    Durable,
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=r"vote:(?P<poll>\d+):(?P<choice>human|ai)",
):
    """Gives or changes a vote."""

    def __init__(self, poll: int, choice: Origin) -> None:
        label = "Human" if choice is Origin.HUMAN else "AI"
        super().__init__(
            discord.ui.Button(label=label, style=discord.ButtonStyle.primary, custom_id=f"vote:{poll}:{choice.value}")
        )
        self.poll = poll
        self.choice = choice

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(int(match["poll"]), Origin(match["choice"]))

    async def press(self, interaction: Interaction) -> None:
        poll = await open_poll(interaction, self.poll)
        now = discord.utils.utcnow().timestamp()
        ballot = await polls.choose(interaction.client.store, poll.id, interaction.user.id, self.choice, now)
        await interaction.response.send_message(ballot_sentence(ballot, poll), ephemeral=True)


class KnowsButton(
    Durable, discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"vote:(?P<poll>\d+):known"
):
    """Says that the piece is known, or takes that back."""

    def __init__(self, poll: int) -> None:
        super().__init__(
            discord.ui.Button(
                label="I know this piece", style=discord.ButtonStyle.secondary, custom_id=f"vote:{poll}:known"
            )
        )
        self.poll = poll

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(int(match["poll"]))

    async def press(self, interaction: Interaction) -> None:
        poll = await open_poll(interaction, self.poll)
        now = discord.utils.utcnow().timestamp()
        ballot = await polls.toggle_knows(interaction.client.store, poll.id, interaction.user.id, now)
        await interaction.response.send_message(ballot_sentence(ballot, poll), ephemeral=True)

"""Clips that members hand in: what staff see of one, their decision, and how its member hears of it."""

from __future__ import annotations

import re

import discord
import structlog

from bot.answering import posts
from bot.answering.access import guild_id_of, require_staff
from bot.answering.delivery.courier import CONNECTION_ERRORS
from bot.answering.durable import Durable, DurableForm, fields_of, number
from bot.answering.first_answers import open_form
from bot.answering.first_answers import replace as replace_message
from bot.answering.jobs import one_answer
from bot.answering.parcels import Parcel, Upload
from bot.answering.text import MAX_CONTENT, counted, named, plain, shorten
from bot.client import Interaction, Woodshed
from bot.errors import Refused, Undelivered
from bot.library.clip_intake import Draft, conditions_of, hand_over, handed_over, new_clip
from bot.library.likeness import alike_in
from bot.store import clips, submissions
from bot.store.clips import Kind
from bot.store.submissions import State, Submission
from cogs.clips.describing import in_short
from cogs.clips.taking_back import take_back

log = structlog.get_logger(__name__)

MOST_WITHDRAWABLE = 5
"""Buttons in a row."""
LONGEST_REASON = 400
LICENCES = ("My own work", "Public domain or CC0", "CC BY", "CC BY-SA")
NOTHING_WAITING = "No clips are waiting."
HANDED_IN = (
    "Thank you! Staff will listen to it and decide, and I'll tell you. Please keep it a secret: anyone who knows it "
    "can't "
    "vote on it fairly. `/clips mine` shows it, and lets you take it back at any time."
)
STATES = {
    State.WAITING: "waiting for staff",
    State.ACCEPTED: "in the collection",
    State.DECLINED: "not taken",
    State.WITHDRAWN: "taken back",
}
LABELS = {"accept": "Accept", "decline": "Decline ...", "withdraw": "Take back"}
_STYLES = {
    "accept": discord.ButtonStyle.success,
    "decline": discord.ButtonStyle.danger,
    "withdraw": discord.ButtonStyle.secondary,
}


async def leave_with_staff(bot: Woodshed, draft: Draft) -> str:
    """Put a member's draft into the queue of staff; returns what to say. Raises Refused."""
    await hand_over(bot.store, draft, bot.now())
    bot.notices.report(
        "clip handed in", "A member has handed in a clip. `/clips queue` plays it to you.", guild_id=draft.guild_id
    )
    return HANDED_IN


async def show_next(interaction: Interaction) -> None:
    """Staff: the clip that has waited longest, with its sound and the buttons to decide."""
    bot = interaction.client
    queue = await submissions.waiting(bot.store, guild_id_of(interaction))
    async with one_answer(interaction, private=True) as answer:
        if not queue:
            await answer.finish(content=NOTHING_WAITING)
            return
        found = queue[0]
        draft = await handed_over(bot.store, found)
        lines = await _lines_for_staff(bot, found, draft)
        if len(queue) > 1:
            lines.append(f"After this one, {counted(len(queue) - 1, 'more is waiting', 'more are waiting')}.")
        view = discord.ui.View(timeout=None)
        for action in ("accept", "decline"):
            view.add_item(SubmissionButton(found.id, action))
        await answer.finish(
            content=shorten("\n".join(lines), MAX_CONTENT),
            uploads=[Upload(f"submission-{found.id}.ogg", draft.clip.audio, "The clip")],
            view=view,
        )


async def _lines_for_staff(bot: Woodshed, found: Submission, draft: Draft) -> list[str]:
    conditions = conditions_of(draft.clip, draft.seed)
    kind = "A recording" if draft.kind is Kind.AUDIO else f"{conditions.bars} bars over `{conditions.chords[:300]}`"
    lines = [
        f"**{named(found.title)}**, played by {named(found.performer)}. <@{found.member}> has handed it in.",
        f"{kind}, {conditions.duration_s:.0f} s. Licence: {found.licence}. The performer agrees to have it stored and "
        f"played in polls (ticked <t:{found.consent_at:.0f}:d>).",
    ]
    alike = await alike_in(bot.store, found.guild_id, draft.clip.fingerprint)
    if alike is not None:
        lines.append(f"**It sounds like clip {alike.id}**, which you already have: {in_short(alike)}.")
    return lines


async def show_mine(interaction: Interaction) -> None:
    """What a member has handed in, what came of it, and buttons to take it back."""
    bot = interaction.client
    found = await submissions.of_member(bot.store, guild_id_of(interaction), interaction.user.id)
    async with one_answer(interaction, private=True) as answer:
        if not found:
            await answer.finish(content="You haven't handed in a clip here yet; use `/clips submit` for that.")
            return
        lines, view = [], discord.ui.View(timeout=None)
        for one in found:
            reason = f": {named(one.reason)}" if one.reason else ""
            name = f"**{named(one.title)}**" if one.title else "a clip"
            lines.append(f"`{one.id}` {name}, {STATES[one.state]}{reason}")
            if one.state in (State.WAITING, State.ACCEPTED) and len(view.children) < MOST_WITHDRAWABLE:
                view.add_item(SubmissionButton(one.id, "withdraw"))
        lines.append("If you take a clip back, its file, its sound and your name are deleted, from old messages too.")
        await answer.finish(content=shorten("\n".join(lines), MAX_CONTENT), view=view)


async def accept(bot: Woodshed, number: int, staff_id: int) -> str:
    """Into the collection; returns what to say to staff. Raises Refused."""
    found = await _here(bot, number)
    draft = await handed_over(bot.store, found)
    clip = await submissions.accept(bot.store, number, await new_clip(draft), draft.clip.audio, staff_id, bot.now())
    told = await tell(bot, number)
    return f"Accepted as clip {clip}. {told} `/clips queue` shows the next one."


async def decline(bot: Woodshed, number: int, reason: str, staff_id: int) -> str:
    """Away with its file; returns what to say to staff. Raises Refused."""
    await submissions.decline(bot.store, number, reason.strip(), staff_id, bot.now())
    return f"Declined, and the file has been deleted. {await tell(bot, number)} `/clips queue` shows the next one."


async def withdraw(bot: Woodshed, number: int, member_id: int) -> str:
    """The member takes it back; returns what to say. Raises Refused."""
    found = await submissions.withdraw(bot.store, number, member_id, bot.now())
    if found is None:
        raise Refused("There's nothing to take back: I don't have it any more.")
    said = ["It's deleted, and your name with it."]
    if found.clip is not None:
        await clips.remove(bot.store, found.guild_id, found.clip, bot.now(), forget_name=True)
        said += await take_back(bot, found.clip)
    return "\n".join(said)


async def tell(bot: Woodshed, number: int) -> str:
    """Let the member know, by a direct message, once; returns a sentence on it for staff."""
    found = await _here(bot, number)
    if found.member is None:
        return "Whoever sent it has asked to be forgotten."
    name = f"“{named(found.title)}”"
    if found.state is State.ACCEPTED:
        text = f"Staff have accepted your clip {name}. It can come up in polls now; you can't vote on it yourself."
    else:
        text = f"Staff have declined your clip {name}, and I've deleted the file."
        text += f" They say: {plain(found.reason)}" if found.reason else ""
    try:
        user = bot.get_user(found.member) or await bot.fetch_user(found.member)
        channel = await user.create_dm()
        await posts.post(bot, channel.id, Parcel(text), guild_id=None, nonce=f"submission-{number}")
    except (discord.HTTPException, Undelivered, *CONNECTION_ERRORS) as error:
        log.info("a member isn't told of a decision", submission=number, error=repr(error))
        await submissions.set_told(bot.store, number, bot.now())
        return f"<@{found.member}> doesn't take direct messages from me; they'll see it in `/clips mine`."
    await submissions.set_told(bot.store, number, bot.now())
    return f"I've told <@{found.member}>."


async def tell_late(bot: Woodshed) -> None:
    """After a start: those who were decided on just before the bot stopped."""
    for found in await submissions.untold(bot.store):
        await tell(bot, found.id)


async def _here(bot: Woodshed, number: int) -> Submission:
    found = await submissions.get(bot.store, number)
    if found is None:
        raise Refused(submissions.DECIDED)
    return found


class SubmissionButton(
    Durable,
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=r"submission:(?P<number>\d+):(?P<action>accept|decline|withdraw)",
):
    """Staff decide on a clip, or its member takes it back."""

    def __init__(self, number: int, action: str) -> None:
        label = f"{LABELS[action]} {number}" if action == "withdraw" else LABELS[action]
        super().__init__(
            discord.ui.Button(label=label, style=_STYLES[action], custom_id=f"submission:{number}:{action}")
        )
        self.number, self.action = number, action

    async def press(self, interaction: Interaction) -> None:
        bot = interaction.client
        if self.action == "withdraw":
            async with one_answer(interaction, private=True) as answer:
                said = await withdraw(bot, self.number, interaction.user.id)
                await answer.finish(content=shorten(said, MAX_CONTENT))
            return
        await _require_decision(interaction, self.number)
        if self.action == "decline":
            await open_form(interaction, ReasonForm(self.number))
        else:
            await replace_message(interaction, await accept(bot, self.number, interaction.user.id))


class ReasonForm(DurableForm, title="Decline this clip", template=r"decline:(?P<number>\d+)"):
    """Takes a reason for the member, or none."""

    def __init__(self, number: int) -> None:
        super().__init__(custom_id=f"decline:{number}")
        reason: discord.ui.TextInput[ReasonForm] = discord.ui.TextInput(
            custom_id="reason", style=discord.TextStyle.paragraph, required=False, max_length=LONGEST_REASON
        )
        self.add_item(discord.ui.Label(text="Why? The member reads this", component=reason))

    @classmethod
    async def submitted(cls, interaction: Interaction, match: re.Match[str]) -> None:
        bot, submission = interaction.client, number(match["number"])
        await _require_decision(interaction, submission)
        reason = fields_of(interaction).get("reason", "")
        await replace_message(interaction, await decline(bot, submission, reason, interaction.user.id))


async def _require_decision(interaction: Interaction, submission: int) -> None:
    """Raises Refused unless this is staff of the server that has the clip."""
    require_staff(interaction)
    if (await _here(interaction.client, submission)).guild_id != guild_id_of(interaction):
        raise Refused(submissions.DECIDED)

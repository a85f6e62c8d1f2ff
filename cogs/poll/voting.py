"""What members vote with: the buttons of a trial, and the private answer with its menus.

A vote is acknowledged in time in any case, and confirmed only after it is committed. Nothing here shows an answer or a
tally."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import Any, Self

import discord
import structlog

from bot.answering.access import is_simulated
from bot.answering.durable import Durable
from bot.answering.first_answers import acknowledge, begin, is_acknowledged, say, take
from bot.client import Interaction
from bot.errors import Refused
from bot.hosting.notices import report_database
from bot.rules.blind_poll import CHOICES, Choice
from bot.rules.listening.confidence import LEVELS
from bot.rules.listening.judgements import Design, Reason
from bot.store.polls import ballots
from bot.store.polls.ballots import Change, Stored
from bot.store.polls.series import Trial
from cogs.poll import wording

log = structlog.get_logger(__name__)

ACKNOWLEDGE_S = 1.5
"""Discord gives 3 s. A vote that isn't committed by then (the disk is busy, a backup holds the file) is acknowledged
first and confirmed later."""
PATIENCE_S = 60.0
"""For this long a vote is tried again while the database is locked."""
RETRY_S = 0.5

LABELS = {Choice.A: "A", Choice.B: "B", Choice.HUMAN: "Human", Choice.AI: "AI"}


async def cast(interaction: Interaction, trial: int, change: Change) -> None:
    """Write a change to the presser's ballot and tell them what is stored. Raises Refused."""
    if interaction.user.bot:
        raise Refused("Bots can't vote.")
    writing = asyncio.ensure_future(_write(interaction, trial, change))
    done, _ = await asyncio.wait({writing}, timeout=ACKNOWLEDGE_S)
    is_private = interaction.message is not None and interaction.message.flags.ephemeral
    if not done:
        await (take(interaction) if is_private else begin(interaction, private=True))
    stored = await writing
    content, view = wording.stored_sentence(stored), private_view(stored)
    if is_acknowledged(interaction):
        await interaction.edit_original_response(content=content, view=view)
    elif is_private:
        await acknowledge(interaction, lambda: interaction.response.edit_message(content=content, view=view))
    else:
        await say(interaction, content, view=view)
    interaction.client.dispatch("ballot", stored)


async def _write(interaction: Interaction, trial: int, change: Change) -> Stored:
    """Raises Refused: a rule says no, or the database stayed locked."""
    user = interaction.user
    message = interaction.message
    is_public = message is not None and not message.flags.ephemeral
    loop = asyncio.get_running_loop()
    until = loop.time() + PATIENCE_S
    while True:
        try:
            return await ballots.put(
                interaction.client.store,
                trial,
                user.id,
                change,
                interaction.client.now(),
                message_id=message.id if message is not None and is_public else None,
                names=[name for name in (user.name, user.global_name, user.display_name) if name],
                simulated=is_simulated(user),
            )
        except sqlite3.IntegrityError as error:  # the series closed between our look and the write
            if "closed" not in str(error):
                raise
            raise Refused(ballots.CLOSED) from error
        except sqlite3.OperationalError as error:
            log.error("a vote can't be stored", error=str(error), trial=trial)
            if loop.time() > until:
                report_database(interaction.client.notices, "a vote", error)
                raise Refused(wording.NOT_STORED) from error
            await asyncio.sleep(RETRY_S)


def trial_buttons(trial: Trial) -> list[discord.ui.Item[Any]]:
    return [VoteButton(trial.id, choice) for choice in CHOICES[Design(trial.design)]]


def private_view(stored: Stored) -> discord.ui.View:
    """What can be added to a vote, with what is stored shown as chosen."""
    view = discord.ui.View(timeout=None)
    if stored.design == "question":
        return view
    ballot = stored.ballot
    if ballot.choice:
        view.add_item(ConfidenceMenu.of(stored.trial, ballot.confidence))
        view.add_item(ReasonMenu.of(stored.trial, ballot.reasons))
    view.add_item(KnowsButton(stored.trial, "unknown" if ballot.knows else "known"))
    return view


class VoteButton(
    Durable,
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=r"vote:(?P<trial>\d+):(?P<choice>A|B|human|ai)",
):
    """Gives or changes a vote."""

    def __init__(self, trial: int, choice: Choice) -> None:
        super().__init__(
            discord.ui.Button(
                label=LABELS[choice], style=discord.ButtonStyle.primary, custom_id=f"vote:{trial}:{choice.value}"
            )
        )
        self.trial = trial
        self.choice = choice

    async def press(self, interaction: Interaction) -> None:
        await cast(interaction, self.trial, Change(choice=self.choice))


class KnowsButton(
    Durable,
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=r"vote:(?P<trial>\d+):(?P<knows>known|unknown)",
):
    """Says that the piece is known, or that it isn't. Pressing it twice says the same twice."""

    def __init__(self, trial: int, knows: str = "known") -> None:
        super().__init__(
            discord.ui.Button(
                label="I know this piece" if knows == "known" else "I don't know this piece",
                style=discord.ButtonStyle.secondary,
                custom_id=f"vote:{trial}:{knows}",
                row=2,
            )
        )
        self.trial = trial
        self.knows = knows

    async def press(self, interaction: Interaction) -> None:
        await cast(interaction, self.trial, Change(knows=self.knows == "known"))


class ConfidenceMenu(
    Durable, discord.ui.DynamicItem[discord.ui.Select[discord.ui.View]], template=r"sure:(?P<trial>\d+)"
):
    """How sure a listener is."""

    def __init__(self, trial: int, select: discord.ui.Select[discord.ui.View]) -> None:
        super().__init__(select)
        self.trial = trial

    @classmethod
    def of(cls, trial: int, confidence: int | None) -> Self:
        options = [
            discord.SelectOption(label=wording.confidence_label(level), value=str(level), default=level == confidence)
            for level in LEVELS
        ]
        return cls(
            trial,
            discord.ui.Select(placeholder="How sure are you?", options=options, custom_id=f"sure:{trial}", row=0),
        )

    async def press(self, interaction: Interaction) -> None:
        await cast(interaction, self.trial, Change(confidence=int(self.item.values[0])))


class ReasonMenu(Durable, discord.ui.DynamicItem[discord.ui.Select[discord.ui.View]], template=r"why:(?P<trial>\d+)"):
    """What a listener went by: any number of tags, none of them needed."""

    def __init__(self, trial: int, select: discord.ui.Select[discord.ui.View]) -> None:
        super().__init__(select)
        self.trial = trial

    @classmethod
    def of(cls, trial: int, reasons: tuple[Reason, ...]) -> Self:
        options = [
            discord.SelectOption(label=wording.REASONS[reason], value=reason, default=reason in reasons)
            for reason in Reason
        ]
        return cls(
            trial,
            discord.ui.Select(
                placeholder="What gave it away? (if you like)",
                options=options,
                min_values=0,
                max_values=len(options),
                custom_id=f"why:{trial}",
                row=1,
            ),
        )

    async def press(self, interaction: Interaction) -> None:
        said = set(self.item.values)
        await cast(interaction, self.trial, Change(reasons=tuple(reason for reason in Reason if reason in said)))

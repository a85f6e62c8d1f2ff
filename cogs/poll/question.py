"""A general vote: its message, its buttons, and its result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import discord

from bot.answering.durable import Durable
from bot.answering.parcels import Parcel
from bot.answering.text import MAX_FIELD, MAX_LABEL, counted, named, percent, plain, shorten
from bot.client import Interaction
from bot.rules.blind_poll import Ballot
from bot.store.polls.ballots import Change, chosen_options
from bot.store.polls.series import Series, Trial
from cogs.poll import wording
from cogs.poll.voting import cast

COLOUR = discord.Colour.teal()
BAR_CELLS = 16
ROWS_OF_BUTTONS = 5
"""Buttons a row."""
LAST_ROW = 4


def question_embed(found: Series, trial: Trial, voters: int) -> discord.Embed:
    """While it is open: nothing tells the tally."""
    lines = [f"{place}. {named(option)}" for place, option in enumerate(trial.options, start=1)]
    rule = "Choose one" if trial.most_choices == 1 else f"Choose up to {trial.most_choices}"
    shown = "Names will be shown with the result." if trial.is_open else "Your vote stays private."
    lines += ["", f"{rule}. {shown} You can change your vote {wording.closes(found.closes_at)}."]
    embed = discord.Embed(title=shorten(plain(trial.question), 256), description="\n".join(lines), colour=COLOUR)
    return embed.set_footer(text=f"Vote {found.id} · {counted(voters, 'vote')} so far")


def question_parcel(found: Series, trial: Trial, voters: int) -> Parcel:
    """The message of a vote while it is open."""
    return Parcel(embeds=[question_embed(found, trial, voters)], view=question_view(trial))


def question_view(trial: Trial) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    if trial.most_choices > 1:
        view.add_item(PickMenu.of(trial))
        return view
    for place, option in enumerate(trial.options):
        view.add_item(PickButton(trial.id, place, option))
    return view


def question_result_embed(
    found: Series, trial: Trial, ballots: Sequence[Ballot], names: Sequence[tuple[int | None, Ballot]] = ()
) -> discord.Embed:
    """Counts with bars. Below the quorum it says that nothing is decided."""
    cast_ballots = [ballot for ballot in ballots if ballot.choice]
    counts = chosen_options(cast_ballots, len(trial.options))
    most = max(counts, default=0)
    lines = []
    for place, (option, count) in enumerate(zip(trial.options, counts, strict=True)):
        filled = round(BAR_CELLS * count / len(cast_ballots)) if cast_ballots else 0
        share = percent(count / len(cast_ballots)) if cast_ballots else "0 %"
        text = f"**{named(option)}**" if count == most and most else named(option)
        lines.append(f"{text}\n`{'█' * filled}{'░' * (BAR_CELLS - filled)}` {count} ({share})")
        if trial.is_open and (who := _names(names, place)):
            lines.append(who)
    embed = discord.Embed(
        title=shorten(plain(trial.question), 256), description=shorten("\n".join(lines), 4000), colour=COLOUR
    )
    embed.add_field(name="Result", value=_outcome(trial, counts, len(cast_ballots)), inline=False)
    return embed.set_footer(text=f"Result of series {found.id}")


def _outcome(trial: Trial, counts: Sequence[int], voters: int) -> str:
    if voters < max(1, trial.quorum):
        needed = f"; {trial.quorum} were needed, so nothing is decided" if trial.quorum else ""
        return f"{counted(voters, 'member')} voted{needed}."
    best = [option for option, count in zip(trial.options, counts, strict=True) if count == max(counts)]
    if len(best) > 1:
        return shorten(
            f"A tie between {' and '.join(map(named, best))}, with {max(counts)} each out of {voters}.", MAX_FIELD
        )
    return shorten(f"**{named(best[0])}**, with {max(counts)} of {counted(voters, 'vote')}.", MAX_FIELD)


def _names(names: Sequence[tuple[int | None, Ballot]], place: int) -> str:
    chosen = [who for who, ballot in names if ballot.choice and str(place) in ballot.choice.split(",")]
    shown = [f"<@{who}>" for who in chosen if who is not None][:20]
    rest = len(chosen) - len(shown)
    return shorten(", ".join([*shown, *([f"{rest} more"] if rest else [])]), 500)


class PickButton(
    Durable,
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=r"pick:(?P<trial>\d+):(?P<place>\d+)",
):
    """Chooses one option."""

    def __init__(self, trial: int, place: int, label: str = "?") -> None:
        super().__init__(
            discord.ui.Button(
                label=shorten(plain(label), MAX_LABEL),
                style=discord.ButtonStyle.secondary,
                custom_id=f"pick:{trial}:{place}",
                row=min(place // ROWS_OF_BUTTONS, LAST_ROW),
            )
        )
        self.trial = trial
        self.place = place

    async def press(self, interaction: Interaction) -> None:
        await cast(interaction, self.trial, Change(choice=str(self.place)))


class PickMenu(Durable, discord.ui.DynamicItem[discord.ui.Select[discord.ui.View]], template=r"pick:(?P<trial>\d+)"):
    """Chooses several options."""

    def __init__(self, trial: int, select: discord.ui.Select[discord.ui.View]) -> None:
        super().__init__(select)
        self.trial = trial

    @classmethod
    def of(cls, trial: Trial) -> Self:
        options = [
            discord.SelectOption(label=shorten(plain(option), 100), value=str(place))
            for place, option in enumerate(trial.options)
        ]
        return cls(
            trial.id,
            discord.ui.Select(
                placeholder=f"Choose up to {trial.most_choices}",
                options=options,
                min_values=1,
                max_values=trial.most_choices,
                custom_id=f"pick:{trial.id}",
            ),
        )

    async def press(self, interaction: Interaction) -> None:
        places = sorted({int(value) for value in self.item.values})
        await cast(interaction, self.trial, Change(choice=",".join(map(str, places))))

"""Buttons and menus that outlive the process: all they know is in their custom id, the rest is in the store.

discord.py's `DynamicItem` finds them again by a pattern (its examples/views/dynamic_counter.py).
"""

from __future__ import annotations

import re
import typing
from collections.abc import Sequence
from typing import Any, Self

import discord

from bot.answering.error_handler import report
from bot.logs import begin_request

MOST_OPTIONS = 25
"""Of a select menu, by Discord's rule."""


class Durable:
    """Mixed in before `discord.ui.DynamicItem`, which would only log what a callback raises.

    A subclass writes `press`; whatever that raises goes to the one error handler. The named groups of its template are
    the arguments of its `__init__`, converted by their annotations: `(?P<poll>\\d+)` and `poll: int`."""

    async def press(self, interaction: discord.Interaction[Any]) -> None:
        raise NotImplementedError(f"{type(self).__name__} doesn't say what a press does")

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        types = typing.get_type_hints(cls.__init__)
        return cls(**{name: types[name](text) for name, text in match.groupdict().items()})

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        begin_request(interaction.id)
        try:
            interaction.client.in_hand.take()
            await self.press(interaction)
        except Exception as error:  # noqa: BLE001 -- the handler logs it in full and tells the member
            await report(interaction, error)


class ChoiceMenu(Durable, discord.ui.DynamicItem[discord.ui.Select[discord.ui.View]], template=r"(?!)"):
    """Knows the number of the answer that it stands under, also after a restart.

    A subclass gives the template of its custom id, with a group `creation`, and writes `press`; what was chosen is
    `self.chosen`."""

    def __init__(self, creation_id: int, select: discord.ui.Select[discord.ui.View]) -> None:
        super().__init__(select)
        self.creation_id = creation_id

    @classmethod
    def of(
        cls, creation_id: int, custom_id: str, placeholder: str, options: Sequence[discord.SelectOption], row: int = 0
    ) -> Self:
        """A menu of at most `MOST_OPTIONS` options."""
        return cls(
            creation_id,
            discord.ui.Select(placeholder=placeholder, options=list(options), custom_id=custom_id, row=row),
        )

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        assert isinstance(item, discord.ui.Select)
        return cls(int(match["creation"]), item)

    @property
    def chosen(self) -> str:
        return self.item.values[0]

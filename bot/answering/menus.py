"""The select menu under an answer: something else for the same picture or clip."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Self

import discord

from bot.answering.durable import Durable

MOST_OPTIONS = 25


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

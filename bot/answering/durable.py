"""Buttons and menus that outlive the process: all they know stands in their custom id, the rest in the store.

discord.py's `DynamicItem` finds them again by a pattern (its examples/views/dynamic_counter.py).
"""

from __future__ import annotations

from typing import Any

import discord

from bot.answering.error_handler import report


class Durable:
    """Mixed in before `discord.ui.DynamicItem`, which would only log what a callback raises.

    A subclass writes `press`; whatever that raises goes to the one error handler."""

    async def press(self, interaction: discord.Interaction[Any]) -> None:
        raise NotImplementedError(f"{type(self).__name__} does not say what a press does")

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        try:
            await self.press(interaction)
        except Exception as error:  # noqa: BLE001 -- the handler logs it in full and tells the member
            await report(interaction, error)

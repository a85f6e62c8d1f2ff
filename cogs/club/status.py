"""/status: for staff, how the bot did in the last day."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import json
import shutil
from collections.abc import Sequence

import discord
import structlog
from discord import app_commands
from discord.ext import commands

from bot.answering.access import guild_id_of, require_staff
from bot.answering.jobs import one_answer
from bot.answering.parcels import Upload
from bot.answering.text import counted
from bot.charts import ask
from bot.client import Interaction, Woodshed
from bot.errors import EngineError
from bot.hosting import backup
from bot.hosting.staff_roles import SHOWN_TO
from bot.store import pulses
from bot.store.pulses import Pulse

log = structlog.get_logger(__name__)

DAY_S = 24 * 3600.0


class Status(commands.Cog):
    """The last day at a glance: is it doing well, and if not, since when?"""

    def __init__(self, bot: Woodshed) -> None:
        self.bot = bot

    @app_commands.command(description="Staff: how I've been over the past day; only you see it")
    @app_commands.default_permissions(SHOWN_TO)
    async def status(self, interaction: Interaction) -> None:
        guild_id_of(interaction)
        require_staff(interaction)
        async with one_answer(interaction, private=True) as answer:
            now = self.bot.now()
            day = [*await pulses.since(self.bot.store, now - DAY_S), self.bot.pulse.current()]
            shown = discord.Embed(title="The last 24 hours", description=in_words(day))
            shown.add_field(name="Engine", value=await self._engine())
            shown.add_field(name="Backup", value=await asyncio.to_thread(self._backup))
            shown.add_field(name="Disk", value=await asyncio.to_thread(self._disk))
            drawn = await chart(day, now)
            if drawn is not None:
                shown.set_image(url=f"attachment://{drawn.name}")
            await answer.finish(embeds=[shown], uploads=[drawn] if drawn is not None else [])

    async def _engine(self) -> str:
        try:
            about = await self.bot.engine.about()
        except EngineError as error:
            return error.sentence
        return f"{about.device}, up for {about.uptime_s / 3600:.1f} h"

    def _backup(self) -> str:
        if not self.bot.settings.hosting.backups_kept:
            return "Switched off"
        found = backup.automatic(self.bot.settings.backup_folder)
        return f"<t:{backup.taken_at(found[0]):.0f}:R>" if found else "None yet"

    def _disk(self) -> str:
        free = shutil.disk_usage(self.bot.store.path.parent).free
        return f"{free / 1e9:.1f} GB free; the database takes {self.bot.store.path.stat().st_size / 1e6:.0f} MB"


def in_words(day: Sequence[Pulse]) -> str:
    """What the chart shows, as sentences; it's the chart's alt text, too."""
    answered, refused, failed = (
        sum(getattr(pulse, name) for pulse in day) for name in ("answered", "refused", "failed")
    )
    slowest = max((pulse.slowest_s for pulse in day if pulse.slowest_s is not None), default=None)
    lines = [
        f"I answered {counted(answered, 'command')}, refused {refused} with a reason, and failed at {failed}.",
        f"At most {counted(max(pulse.queue for pulse in day), 'job')} were in the engine at once; "
        f"my longest delay was {1000 * max(pulse.lag_s for pulse in day):.0f} ms.",
    ]
    if slowest is not None:
        lines.append(f"The slowest answer took {slowest:.1f} s.")
    away = sum(pulse.engine_up < 0.5 for pulse in day)
    if away:
        lines.append(f"In {counted(away, 'stretch', 'stretches')} of five minutes, the engine wasn't available.")
    return " ".join(lines)


async def chart(day: Sequence[Pulse], now: float) -> Upload | None:
    """The day as a picture; None where it couldn't be drawn, for the words say it, too."""
    request = {"pulses": [dataclasses.asdict(pulse) for pulse in day], "now": now}
    try:
        reply = await ask(json.dumps(request).encode(), "bot.charts.day")
    except (OSError, TimeoutError, ValueError) as error:
        log.error("no chart of the day", error=str(error))
        return None
    return Upload("last-day.png", base64.b64decode(reply["png"]), in_words(day))

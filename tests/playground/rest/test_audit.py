"""The audit log: what the bot did, and why."""

from __future__ import annotations

import discord
import pytest

from tests.playground.conftest import Course, Open
from tests.waiting import until


async def test_the_log_keeps_what_the_bot_did_and_its_reason(open_course: Open) -> None:
    async with open_course(discord.Intents(guilds=True, moderation=True)) as course:
        heard: list[discord.AuditLogEntry] = []

        async def on_audit_log_entry_create(entry: discord.AuditLogEntry) -> None:
            heard.append(entry)

        course.bot.add_listener(on_audit_log_entry_create)
        place = await course.ada.channel()
        wanted = {"view_audit_log": True, "manage_webhooks": True, "manage_messages": True}
        await course.driver.bot_permissions(place["id"], **wanted)
        channel = course.bot.get_channel(int(place["id"]))
        assert isinstance(channel, discord.TextChannel)
        await channel.create_webhook(name="News", reason="for the « Friday » news")
        said = await course.ada.say("off topic")
        await (await channel.fetch_message(int(said["id"]))).delete()
        log = [entry async for entry in course.bot.guilds[0].audit_logs()]
        assert [entry.action.name for entry in log] == ["message_delete", "webhook_create"]
        assert log[1].reason == "for the « Friday » news"
        only = [entry async for entry in course.bot.guilds[0].audit_logs(action=discord.AuditLogAction.webhook_create)]
        assert [entry.id for entry in only] == [log[1].id]
        await until(lambda: len(heard) == 2)


async def test_without_the_permission_the_log_is_closed(course: Course) -> None:
    with pytest.raises(discord.Forbidden, match="50013"):
        [entry async for entry in course.bot.guilds[0].audit_logs()]

"""Broken connections and restarts: nothing that was said is lost, nothing is delivered twice."""

from __future__ import annotations

import asyncio

import discord

from tests.playground.conftest import Clock, Course, Open
from tests.playground.practice_bot import png
from tests.waiting import until


async def test_a_dropped_socket_is_resumed_and_what_happened_meanwhile_is_replayed(course: Course) -> None:
    async with asyncio.timeout(30):
        await course.bot.wait_until_ready()
    await course.ada.say("heard before")
    await until(lambda: len(course.bot.contents) == 1)
    await course.playground.gateway.drop_sockets()
    for number in range(3):
        await course.ada.say(f"message {number}")
    await until(lambda: "resumed" in course.bot.events)
    await course.ada.use("count")
    await until(lambda: "Counted to 0" in course.bot.contents)
    assert course.bot.contents == ["", "", "", "", "Counted to 0"], "each message once"


async def test_a_lost_session_is_identified_anew(course: Course) -> None:
    async with asyncio.timeout(30):
        await course.bot.wait_until_ready()
    before = course.bot.logins
    await course.playground.gateway.drop_sockets(resumable=False)
    await until(lambda: course.bot.logins > before)
    assert course.bot.events == []
    await course.ada.use("count")
    await course.ada.sees(lambda m: m["content"] == "Counted to 0")


async def test_a_request_to_reconnect_is_followed(course: Course) -> None:
    async with asyncio.timeout(30):
        await course.bot.wait_until_ready()
    await course.playground.gateway.ask_to_reconnect()
    await until(lambda: "resumed" in course.bot.events)


async def test_after_a_restart_old_messages_and_their_buttons_are_still_there(open_course: Open) -> None:
    async with open_course() as before:
        await before.ada.use("count")
        counted = await before.ada.sees(lambda m: m["content"] == "Counted to 0")
        await before.ada.use("style", name="The Scream")
        await before.ada.sees(lambda m: m["embeds"])
        await before.ada.use("secret")
    async with open_course() as after:
        messages = await after.ada.messages()
        assert [m["content"] for m in messages] == ["Counted to 0", ""], "private answers do not outlive the server"
        assert int(messages[0]["id"]) == int(counted["id"])
        assert (await after.ada.download(messages[1]["embeds"][0]["image"]["url"]))[0] == 200, "the new port's address"
        await after.ben.press(messages[0], "count:0")
        await after.ada.sees(lambda m: m["content"] == "Counted to 1")
        channel = after.bot.get_channel(int(counted["channel_id"]))
        assert isinstance(channel, discord.TextChannel)
        await channel.get_partial_message(int(messages[1]["id"])).edit(content="edited later")
        edited = await after.ada.sees(lambda m: m["content"] == "edited later")
        assert edited["embeds"][0]["title"] == "The Scream"
        said = await after.ada.say("new")
        assert int(said["id"]) > int(messages[-1]["id"])


async def test_a_follow_up_still_finds_its_message_after_a_restart(open_course: Open) -> None:
    tokens: list[str] = []

    async def keep(interaction: discord.Interaction) -> None:
        tokens.append(interaction.token)

    async with open_course() as before:
        before.bot.add_listener(keep, "on_interaction")
        await before.ada.use("count")
    async with open_course() as after:
        webhook = discord.Webhook.partial(after.bot.application_id or 0, tokens[0], session=after.session)
        await webhook.edit_message("@original", content="after the restart")  # type: ignore[arg-type]
        await after.ada.sees(lambda m: m["content"] == "after the restart")


async def test_files_of_options_go_after_a_day_and_files_of_messages_stay(open_course: Open, clock: Clock) -> None:
    async with open_course() as before:
        picture = png(3, 3)
        await before.ada.use("echo", files={"a.png": picture}, picture="a.png")
        await before.ada.sees(lambda m: m["attachments"] and not m["flags"] & 128)
        assert len(list(before.playground.store.files.iterdir())) == 2
    clock.ahead_s = 25 * 3600
    async with open_course() as after:
        assert len(list(after.playground.store.files.iterdir())) == 1
        message = await after.ada.sees(lambda m: m["attachments"])
        assert (await after.ada.download(message["attachments"][0]["url"]))[1] == picture

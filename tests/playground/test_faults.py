"""Discord's bad days on order: each fault reaches a real discord.py bot over the wire as the thing it stands for."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import aiohttp
import discord
import pytest

from playground.driver import Refused, Route
from tests.playground.conftest import Course
from tests.waiting import until


async def gallery(course: Course) -> discord.TextChannel:
    async with asyncio.timeout(30):
        await course.bot.wait_until_ready()
    return next(channel for channel in course.bot.guilds[0].text_channels if channel.name == "gallery")


async def said(course: Course) -> list[str]:
    return [message["content"] for message in await course.ada.messages()]


async def test_a_cut_before_acceptance_loses_the_message_and_one_after_it_keeps_it(course: Course) -> None:
    channel = await gallery(course)
    await course.driver.cut(Route.SEND)
    with pytest.raises((aiohttp.ClientError, OSError)):
        await channel.send("lost")
    await course.driver.cut(Route.SEND, accepted=True)
    with pytest.raises((aiohttp.ClientError, OSError)):
        await channel.send("kept")
    await channel.send("unharmed")
    assert await said(course) == ["kept", "unharmed"]


async def test_a_message_sent_again_with_its_nonce_is_not_posted_twice(course: Course) -> None:
    channel = await gallery(course)
    await course.driver.cut(Route.SEND, accepted=True)
    with pytest.raises((aiohttp.ClientError, OSError)):
        await channel.send("once", nonce=4711)
    again = await channel.send("once", nonce=4711)
    assert again.content == "once"
    await channel.send("another", nonce=4712)
    assert await said(course) == ["once", "another"]


async def test_a_cut_is_a_reset_or_just_the_end_of_the_connection(course: Course) -> None:
    channel = await gallery(course)
    await course.driver.cut(Route.SEND)
    with pytest.raises(OSError) as reset:  # noqa: PT011
        await channel.send("x")
    assert reset.value.errno == 104
    await course.driver.cut(Route.SEND, reset=False)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await channel.send("x")


async def test_a_delay_holds_the_request_or_only_its_answer(course: Course) -> None:
    channel = await gallery(course)
    for accepted in (False, True):
        await course.driver.delay(Route.SEND, 0.4, accepted=accepted)
        asked = time.time()
        sent = await channel.send("late")
        made = sent.created_at.timestamp()  # to the millisecond
        assert (time.time() if accepted else made) - (made if accepted else asked) >= 0.399


async def test_a_rate_limit_is_obeyed_by_discord_py_and_a_block_is_not_tried_again(course: Course) -> None:
    channel = await gallery(course)
    limit = await course.driver.rate_limit(Route.SEND, 0.2, times=2)
    await channel.send("in the end")
    await course.driver.struck(limit, 2)
    block = await course.driver.block(Route.SEND, 30.0, times=5)
    with pytest.raises(discord.HTTPException) as blocked:
        await channel.send("never")
    assert blocked.value.status == 429
    assert blocked.value.response.headers["Retry-After"] == "30.000"
    assert next(f for f in await course.driver.faults() if f["id"] == block)["hits"] == 1
    assert await said(course) == ["in the end"]


async def test_server_errors_come_with_their_status_whether_the_request_took_effect_or_not(course: Course) -> None:
    channel = await gallery(course)
    for status, accepted in ((501, False), (501, True)):  # discord.py tries others again
        await course.driver.server_error(Route.SEND, status, accepted=accepted)
        with pytest.raises(discord.HTTPException) as refused:
            await channel.send(f"accepted: {accepted}")
        assert refused.value.status == status
    assert await said(course) == ["accepted: True"]
    several = await course.driver.server_error(Route.SEND, 502, times=2)
    await channel.send("third time lucky")
    await course.driver.struck(several, 2)


@pytest.mark.parametrize(
    ("code", "status"),
    [(50013, 403), (50001, 403), (10003, 404), (10008, 404), (10062, 404), (50027, 401), (50083, 400), (40060, 400)],
)
async def test_a_refusal_has_discords_code_and_status(course: Course, code: int, status: int) -> None:
    channel = await gallery(course)
    await course.driver.refuse(Route.SEND, code)
    with pytest.raises(discord.HTTPException) as refused:
        await channel.send("x")
    assert (refused.value.code, refused.value.status) == (code, status)


async def test_a_fault_waits_for_its_turn_its_place_and_is_taken_back(course: Course) -> None:
    channel = await gallery(course)
    other = next(c for c in course.bot.guilds[0].text_channels if c.name == "quiz")
    await course.driver.refuse(Route.SEND, 50013, skip=1, times=None, where={"channel": str(channel.id)})
    await channel.send("the first is let through")
    for _ in range(3):
        with pytest.raises(discord.Forbidden):
            await channel.send("x")
        await other.send("elsewhere")
    await course.driver.mend()
    await channel.send("mended")
    assert await course.driver.faults() == []


async def test_a_fault_that_makes_no_sense_is_refused(course: Course) -> None:
    with pytest.raises(Refused, match="route"):
        await course.driver.cut("POST /nowhere")
    with pytest.raises(Refused, match="code"):
        await course.driver.refuse(Route.SEND, 12345)
    with pytest.raises(Refused, match="no such field"):
        await course.driver.cut(Route.SEND, colour="red")


async def test_every_named_route_exists(course: Course) -> None:
    named = {value for name, value in vars(Route).items() if name.isupper()}
    assert named <= set(await course.driver.routes())


async def test_a_callback_that_is_cut_after_acceptance_answers_the_member_and_then_is_40060(course: Course) -> None:
    failures: list[BaseException] = []

    async def note(interaction: discord.Interaction, error: BaseException) -> None:
        failures.append(error)

    course.bot.tree.on_error = note  # type: ignore[assignment]
    await course.driver.cut(Route.CALLBACK, accepted=True)
    assert (await course.ada.use("secret")).outcome == "answered"
    await course.ada.sees(lambda m: m["content"] == "psst")
    await until(lambda: failures)
    assert isinstance(failures[0].__cause__ or failures[0].original, OSError)  # type: ignore[attr-defined]


async def test_when_the_clock_moves_on_a_token_dies(course: Course) -> None:
    kept: list[discord.Interaction] = []

    async def keep(interaction: discord.Interaction) -> None:
        kept.append(interaction)

    course.bot.add_listener(keep, "on_interaction")
    await course.ada.use("count")
    await course.driver.advance_clock(14 * 60)
    await kept[0].edit_original_response(content="in time")
    assert await course.driver.advance_clock(60) == 15 * 60
    with pytest.raises(discord.HTTPException) as refused:
        await kept[0].edit_original_response(content="too late")
    assert refused.value.code == 50027
    with pytest.raises(Refused):
        await course.driver.advance_clock(-1)


async def test_a_lost_permission_a_deleted_message_and_a_deleted_channel_are_met(course: Course) -> None:
    channel = await gallery(course)
    sent = await channel.send("hello")
    await course.driver.bot_permissions(str(channel.id), send_messages=False)
    with pytest.raises(discord.Forbidden):
        await channel.send("x")
    await course.driver.bot_permissions(str(channel.id), send_messages=True)
    await course.driver.delete_message({"channel_id": str(channel.id), "id": str(sent.id)})
    with pytest.raises(discord.NotFound) as gone:
        await sent.edit(content="x")
    assert gone.value.code == 10008
    await course.driver.delete_channel(str(channel.id))
    with pytest.raises(discord.NotFound) as gone:
        await channel.send("x")
    assert gone.value.code == 10003
    await until(lambda: channel not in course.bot.guilds[0].channels)


async def test_a_deleted_channel_stays_deleted_after_a_restart(open_course: Any) -> None:
    async with open_course() as before:
        place = await before.ada.channel("quiz")
        await before.driver.delete_channel(place["id"])
    async with open_course() as after:
        assert [c["name"] for c in (await after.ada.state())["channels"]] == ["gallery", "jazz-club"]


async def test_an_archived_thread_refuses_edits_and_opens_for_a_new_message_unless_it_is_locked(course: Course) -> None:
    channel = await gallery(course)
    thread = await channel.create_thread(name="rehearsal", type=discord.ChannelType.public_thread)
    sent = await thread.send("hello")
    await course.ada.sees(lambda m: m["content"] == "hello", channel="rehearsal")
    await course.driver.set_thread(str(thread.id), archived=True)
    await until(lambda: channel.guild.get_thread(thread.id) is None)
    with pytest.raises(discord.HTTPException) as refused:
        await sent.edit(content="x")
    assert refused.value.code == 50083
    await thread.send("opens it")
    await until(lambda: channel.guild.get_thread(thread.id) is not None)
    await course.driver.set_thread(str(thread.id), archived=True, locked=True)
    with pytest.raises(discord.HTTPException) as refused:
        await thread.send("x")
    assert refused.value.code == 50083
    await course.driver.set_thread(str(thread.id), archived=False)
    with pytest.raises(discord.HTTPException) as refused:
        await thread.send("x")
    assert refused.value.code == 160005


async def test_a_member_waits_for_a_message_in_a_thread_that_is_still_to_come(course: Course) -> None:
    channel = await gallery(course)
    with pytest.raises(LookupError, match="sees no channel named 'rehearsal'"):
        await course.ada.messages("rehearsal")
    waiting = asyncio.create_task(course.ada.sees(lambda m: m["content"] == "hello", channel="rehearsal"))
    await asyncio.sleep(0)
    thread = await channel.create_thread(name="rehearsal", type=discord.ChannelType.public_thread)
    await thread.send("hello")
    assert (await waiting)["content"] == "hello"


async def test_a_bot_that_is_thrown_out_has_no_server_until_it_is_invited(course: Course) -> None:
    channel = await gallery(course)
    await course.driver.kick()
    await until(lambda: not course.bot.guilds)
    with pytest.raises(discord.Forbidden) as refused:
        await channel.send("x")
    assert refused.value.code == 50001
    assert (await course.ada.channel())["commands"] == []
    await course.driver.invite()
    await until(lambda: len(course.bot.guilds) == 1)
    await (await gallery(course)).send("back")
    await course.ada.use("count")


@pytest.mark.parametrize("what", ["drop_gateway", "ask_to_reconnect", "invalidate_session"])
async def test_after_every_disturbance_of_the_gateway_commands_work_again(course: Course, what: str) -> None:
    await gallery(course)
    before = course.bot.logins
    await getattr(course.driver, what)()
    await until(lambda: course.bot.logins > before)
    assert (await course.ada.use("count")).outcome == "answered"


async def test_a_fault_strikes_the_bots_download_and_not_the_members(course: Course) -> None:
    await course.driver.server_error(Route.DOWNLOAD, 501, times=None)
    failures: list[BaseException] = []

    async def note(interaction: discord.Interaction, error: BaseException) -> None:
        failures.append(error)

    course.bot.tree.on_error = note  # type: ignore[assignment]
    await course.ada.use("echo", files={"a.png": b"x"}, picture="a.png")
    await until(lambda: failures)
    said = await course.ada.say("look", files={"b.txt": b"words"})
    assert (await course.ada.download(said["attachments"][0]["url"]))[:2] == (200, b"words")


async def test_the_transcript_tells_who_did_what_and_what_struck(course: Course) -> None:
    channel = await gallery(course)
    await course.ada.say("good morning")
    await course.driver.refuse(Route.SEND, 50013)
    with pytest.raises(discord.Forbidden):
        await channel.send("x")
    await course.ada.use("count")
    text = await course.driver.transcript()
    assert "ada       says in #gallery good morning" in text
    assert f"bot       POST /channels/{channel.id}/messages -> 403 [refuse]" in text
    assert "ada       command count" in text
    assert course.playground.token not in text
    sends = [entry for entry in await course.driver.requests() if entry["what"].startswith("POST /channels")]
    assert [(entry["status"], entry["fault"]) for entry in sends] == [(403, "refuse")]

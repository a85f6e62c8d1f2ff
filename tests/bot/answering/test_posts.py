"""A message of the bot's own is posted once: a poll, its result. Over the real wire."""

from __future__ import annotations

import discord
import pytest

from bot.answering import posts
from bot.answering.delivery.rules import Patience
from bot.answering.parcels import Parcel, Upload
from bot.errors import Undelivered
from playground.driver import Route
from tests.bot.answering.conftest import IN_HASTE, Wire

POLL = Parcel(embeds=(discord.Embed(title="Poll 7: human or AI?"),), uploads=(Upload("poll-7.ogg", b"OggS"),))


async def post(wire: Wire, channel_id: str, parcel: Parcel = POLL, **more):
    return await posts.post(wire.bot, int(channel_id), parcel, guild_id=None, nonce="poll-7", patience=IN_HASTE, **more)


async def posted(wire: Wire) -> list[dict]:
    return [message for message in await wire.answers() if message["embeds"]]


@pytest.mark.parametrize("accepted", [False, True], ids=["before", "after"])
async def test_a_cut_connection_makes_no_second_poll_and_calls_none_off(wire: Wire, accepted):
    channel = await wire.ada.channel()
    await wire.driver.cut(Route.SEND, accepted=accepted)
    message_id = await post(wire, channel["id"])
    (message,) = await posted(wire)
    assert message["id"] == str(message_id)
    assert [file["filename"] for file in message["attachments"]] == ["poll-7.ogg"]


async def test_one_that_may_have_been_posted_by_an_earlier_process_is_found(wire: Wire):
    channel = await wire.ada.channel()
    first = await post(wire, channel["id"])
    again = await post(wire, channel["id"], may_be_there=True, is_it=lambda m: "Poll 7" in (m.embeds[0].title or ""))
    assert again == first
    assert len(await posted(wire)) == 1


@pytest.mark.parametrize("fault", ["block", "rate_limit"])
async def test_a_429_is_waited_for(wire: Wire, fault):
    channel = await wire.ada.channel()
    await getattr(wire.driver, fault)(Route.SEND, retry_after_s=0.2)
    await post(wire, channel["id"])
    assert len(await posted(wire)) == 1


async def test_a_missing_permission_can_be_mended_and_nothing_has_arrived(wire: Wire):
    channel = await wire.ada.channel()
    await wire.driver.bot_permissions(channel["id"], send_messages=False)
    with pytest.raises(Undelivered) as raised:
        await post(wire, channel["id"])
    assert (raised.value.final, raised.value.may_have_arrived) == (False, False)
    await wire.driver.bot_permissions(channel["id"], send_messages=True)
    assert await post(wire, channel["id"])


async def test_a_channel_that_is_gone_is_not_tried_again(wire: Wire):
    channel = await wire.ada.channel()
    await wire.driver.delete_channel(channel["id"])
    with pytest.raises(Undelivered) as raised:
        await post(wire, channel["id"])
    assert raised.value.final


async def test_an_archived_thread_is_opened_and_posted_in(wire: Wire):
    channel = await wire.ada.channel()
    thread = await wire.driver.create_thread(channel["id"], "listening")
    await wire.driver.set_thread(thread["id"], archived=True)
    await wire.driver.refuse(Route.SEND, 50083)
    assert await post(wire, thread["id"])


async def test_an_end_that_nobody_knows_is_said_to_be_one(wire: Wire):
    channel = await wire.ada.channel()
    await wire.driver.cut(Route.SEND, accepted=True, times=None)
    await wire.driver.cut(Route.GET_MESSAGES, times=None)
    with pytest.raises(Undelivered) as raised:
        await posts.post(
            wire.bot, int(channel["id"]), POLL, guild_id=None, nonce="poll-7",
            patience=Patience(total_s=0.5, first_pause_s=0.02, longest_pause_s=0.1),
        )  # fmt: skip
    assert raised.value.may_have_arrived
    assert not raised.value.final
    await wire.driver.mend()
    assert await post(wire, channel["id"], may_be_there=True)
    assert len(await posted(wire)) == 1


async def test_an_edit_goes_through_a_cut_connection(wire: Wire):
    channel = await wire.ada.channel()
    message_id = await post(wire, channel["id"])
    closed = Parcel(embeds=(discord.Embed(title="Poll 7: closed"),))
    await wire.driver.cut(Route.EDIT)
    await posts.edit(wire.bot, int(channel["id"]), message_id, closed, guild_id=None, patience=IN_HASTE)
    (message,) = await posted(wire)
    assert message["embeds"][0]["title"] == "Poll 7: closed"

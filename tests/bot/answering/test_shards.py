"""The bot in four shards: the server belongs to one of them, and members see no difference."""

from __future__ import annotations

import discord
import pytest

from playground.world.cast import GUILD_ID
from tests.bot.answering.conftest import Wire
from tests.waiting import until

FOUR = 4


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once(self: object, shard_id: int | None, *, initial: bool = False) -> None:
        """discord.py waits 5 s between two shards."""

    monkeypatch.setattr(discord.AutoShardedClient, "before_identify_hook", at_once)


@pytest.mark.parametrize("wire", [FOUR], indirect=True)
async def test_a_bot_in_four_shards_answers_and_its_buttons_outlive_a_restart(wire: Wire) -> None:
    assert sorted(wire.bot.shards) == list(range(FOUR))
    (guild,) = wire.bot.guilds
    assert guild.shard_id == (int(GUILD_ID) >> 22) % FOUR
    await until(wire.bot.is_well)
    await wire.ada.use("jazz", bars=4)
    (clip,) = await wire.settled(lambda found: found and found[0]["attachments"])
    await wire.stop()
    await wire.start()
    assert sorted(wire.bot.shards) == list(range(FOUR))
    buttons = {item.get("label"): item.get("custom_id") for row in clip["components"] for item in row["components"]}
    await wire.ada.press(clip, buttons["Another take"])
    found = await wire.settled(lambda found: len(found) == 2 and found[1]["attachments"])
    assert found[0]["id"] == clip["id"]
    await wire.idle()


@pytest.mark.parametrize("wire", [FOUR], indirect=True)
async def test_when_all_connections_drop_every_shard_goes_on_where_it_was(wire: Wire) -> None:
    await wire.driver.drop_gateway(resumable=True)
    await wire.ada.use("about")
    await wire.settled(lambda found: found)
    await wire.idle()
    await until(wire.bot.is_well)  # the shard that has the server is back; the others may still be on their way


async def test_a_discord_that_doesnt_say_how_many_shards_is_asked_again(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    await wire.stop()
    ask, asked = discord.http.HTTPClient.get_bot_gateway, []

    async def bad_day(http: discord.http.HTTPClient) -> object:
        asked.append(http)
        if len(asked) == 1:
            raise discord.GatewayNotFound
        return await ask(http)

    monkeypatch.setattr(discord.http.HTTPClient, "get_bot_gateway", bad_day)
    await wire.start()
    assert len(asked) == 2
    await until(wire.bot.is_well)

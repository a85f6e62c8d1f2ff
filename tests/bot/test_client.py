"""The client: commands are sent when they changed, old pictures go, and the event loop stays free."""

import asyncio
import time

import aiohttp
import discord
import pytest
import simcord

from bot.answering.command_sync import GLOBAL, sync_commands
from bot.answering.posting import require_may_post
from bot.client import Woodshed
from bot.loop_lag import LoopLag
from engine.contract.configuration import ConfigurationError
from tests.engine_double import png


def command_writes(env):
    """The PUT requests that replaced a set of commands: (path, names)."""
    return [
        (request.path, [command["name"] for command in request.json])
        for request in env.http_requests
        if request.method == "PUT" and request.path.endswith("/commands")
    ]


async def test_commands_are_sent_once_and_not_again_at_the_next_start(club):
    assert len(command_writes(club.env)) == 1
    await club.restart()
    assert len(command_writes(club.env)) == 1


async def test_changed_commands_are_sent_again(club):
    club.bot.tree.remove_command("help")
    application_id = club.bot.application_id
    assert await sync_commands(club.bot.tree, club.store, application_id, ()) == [GLOBAL]
    assert "help" not in command_writes(club.env)[-1][1]
    assert await sync_commands(club.bot.tree, club.store, application_id, ()) == []


@pytest.mark.parametrize("user_install", [False, True])
async def test_people_may_take_ask_and_stylize_along_where_the_host_allows_it(settings, store, engine, user_install):
    discord_settings = settings.discord.model_copy(update={"user_install": user_install})
    bot = Woodshed(settings.model_copy(update={"discord": discord_settings}), store, engine)
    async with simcord.run(bot) as env:
        (sent,) = [r.json for r in env.http_requests if r.method == "PUT" and r.path.endswith("/commands")]
    installs = {command["name"]: command["integration_types"] for command in sent}
    contexts = {command["name"]: command.get("contexts") for command in sent}
    personal = {"ask", "stylize"} if user_install else set()
    assert {name for name, types in installs.items() if 1 in types} == personal
    assert all(0 in types for types in installs.values())
    assert {name for name, places in contexts.items() if places and 2 in places} == personal


def test_a_member_of_a_server_that_the_bot_isnt_on_is_no_staff_there_and_may_be_answered(club):
    payload = {
        "id": "1", "application_id": str(club.bot.application_id), "type": 2, "token": "t", "version": 1,
        "guild_id": "999", "channel_id": "998",
        "channel": {"id": "998", "type": 0, "name": "elsewhere", "position": 0, "permissions": "0"},
        "app_permissions": str(discord.Permissions(embed_links=True, attach_files=True).value),
        "authorizing_integration_owners": {"1": "77"}, "context": 0, "attachment_size_limit": 10 << 20,
        "entitlements": [], "locale": "en-GB", "guild_locale": "en-GB",
        "member": {
            "user": {"id": "77", "username": "zoe", "discriminator": "0", "avatar": None, "global_name": None},
            "roles": ["5"], "joined_at": "2026-01-01T00:00:00+00:00", "deaf": False, "mute": False, "flags": 0,
            "permissions": str(discord.Permissions.all().value),
        },
        "data": {"id": "3", "name": "ask", "type": 1, "options": []},
    }  # fmt: skip
    interaction = discord.Interaction(data=payload, state=club.bot._connection)
    assert not club.bot.is_staff(interaction.user)
    require_may_post(interaction, "embed_links", "attach_files")


async def test_commands_that_discord_has_lost_are_sent_again(club):
    application_id = club.bot.application_id
    await club.bot.http.bulk_upsert_global_commands(application_id, payload=[])
    await club.restart()
    assert "stylize" in command_writes(club.env)[-1][1]


async def test_moving_the_commands_to_one_server_leaves_none_behind_twice(club):
    guild = club.guild.id
    written = await sync_commands(club.bot.tree, club.store, club.bot.application_id, [guild])
    assert sorted(written) == sorted([GLOBAL, str(guild)])
    by_path = {("guild" if "guilds" in path else GLOBAL): names for path, names in command_writes(club.env)}
    assert by_path[GLOBAL] == []
    assert "stylize" in by_path["guild"]
    written = await sync_commands(club.bot.tree, club.store, club.bot.application_id, [])
    assert sorted(written) == sorted([GLOBAL, str(guild)])
    by_path = {("guild" if "guilds" in path else GLOBAL): names for path, names in command_writes(club.env)}
    assert by_path["guild"] == []
    assert "stylize" in by_path[GLOBAL]


async def test_a_server_that_the_bot_is_not_on_is_a_wrong_setting(club):
    club.env.inject_error("GET", "/applications/*/guilds/*/commands", status=403, code=50001, times=None)
    club.env.inject_error("PUT", "/applications/*/guilds/*/commands", status=403, code=50001, times=None)
    with pytest.raises(
        ConfigurationError, match=r"'discord\.guild_ids' names the server 4711, but the bot isn't on it"
    ):
        await sync_commands(club.bot.tree, club.store, club.bot.application_id, [4711])


async def test_a_server_that_the_bot_has_left_is_let_go(club):
    application_id = club.bot.application_id
    await sync_commands(club.bot.tree, club.store, application_id, [club.guild.id])
    club.env.inject_error("GET", "/applications/*/guilds/*/commands", status=403, code=50001, times=None)
    club.env.inject_error("PUT", "/applications/*/guilds/*/commands", status=403, code=50001, times=None)
    assert await sync_commands(club.bot.tree, club.store, application_id, []) == [GLOBAL]
    club.env.backend.faults.clear()
    assert await sync_commands(club.bot.tree, club.store, application_id, []) == [], "it is not tried again"


async def test_no_privileged_intent_is_asked_for(club):
    intents = club.bot.intents
    assert (intents.members, intents.presences, intents.message_content) == (False, False, False)


async def test_a_big_upload_does_not_block_the_event_loop(club, monkeypatch):
    """No step of the loop computes for long. That is processor time of the loop's thread, which a busy machine does not
    stretch; SimCord and the engine's double share the loop here, so the bot alone is measured by its bench. What
    happens once only, as a collection of all the tests' garbage, is not the upload's: the quietest of three counts."""
    picture = png() + bytes(20 * 2**20)  # bytes behind the picture's end: large, and still that picture
    await club.student.slash(club.channel, "stylize", image=("cat.png", png()))  # imports and first connections
    steps = []
    run = asyncio.Handle._run

    def timed(handle):
        began = time.thread_time()
        run(handle)
        steps.append(time.thread_time() - began)

    monkeypatch.setattr(asyncio.Handle, "_run", timed)
    longest = []
    for _ in range(3):
        steps.clear()
        result = await club.student.slash(club.channel, "stylize", image=("cat.png", picture))
        assert result.response.attachments
        assert len(steps) > 20
        longest.append(max(steps))
    assert min(longest) < 0.15


async def test_a_blocked_loop_is_noticed():
    lag = LoopLag(interval_s=0.01)
    watching = asyncio.create_task(lag.watch())
    await asyncio.sleep(0.05)
    time.sleep(0.2)  # noqa: ASYNC251 -- the point of the test
    await asyncio.sleep(0.05)
    watching.cancel()
    assert lag.worst_s > 0.15


async def test_staff_are_those_with_the_role_or_the_servers_management(club):
    manager = club.guild.add_member(
        club.env.create_user("dean"),
        roles=[club.guild.create_role("Dean", permissions=discord.Permissions(manage_guild=True))],
    )
    guild = club.bot.get_guild(club.guild.id)
    answers = {}
    for actor in (club.student, club.instructor, manager):
        answers[actor.name] = club.bot.is_staff(await guild.fetch_member(actor.id))
    assert answers == {"ada": False, "grace": True, "dean": True}


@pytest.mark.parametrize(("status", "code"), [(400, 30034), (503, 0), (429, 0)])
async def test_commands_that_discord_does_not_take_are_sent_later_and_the_bot_starts_all_the_same(club, status, code):
    tree = club.bot.tree
    old = [tree.get_command("help").to_dict(tree)]
    await club.bot.http.bulk_upsert_global_commands(club.bot.application_id, payload=old)
    club.env.inject_error("PUT", "/applications/*/commands", status=status, code=code, times=1)
    await club.restart()
    assert (await club.student.slash(club.channel, "help")).response.embeds
    await club.env.advance_time(60)
    assert "stylize" in command_writes(club.env)[-1][1]


async def test_a_discord_that_is_down_at_login_is_waited_for(club, monkeypatch):
    bot = Woodshed(club.settings, club.store, club.engine)
    bad_days = [aiohttp.ServerDisconnectedError(), OSError("no route"), discord_is_down()]
    began = []

    async def login(token):
        began.append(token)
        if bad_days:
            raise bad_days.pop(0)

    async def connect(*, reconnect):
        began.append("connected")

    pauses = []

    async def sleep(seconds):
        pauses.append(seconds)

    monkeypatch.setattr(bot, "login", login)
    monkeypatch.setattr(bot, "connect", connect)
    monkeypatch.setattr("bot.client.asyncio.sleep", sleep)
    await bot.start("token")
    assert began == ["token"] * 4 + ["connected"]
    assert len(pauses) == 3
    assert pauses[0] < pauses[2], "less and less often"


def discord_is_down():
    response = type("Response", (), {"status": 503, "reason": ""})()
    return discord.DiscordServerError(response, {"code": 0, "message": ""})

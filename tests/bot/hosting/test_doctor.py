"""The doctor finds what keeps a bot from working, and says how to mend each thing."""

import contextlib
import json
import sys
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial

import discord
import pytest
from aiohttp import web
from pydantic import SecretStr

from bot.answering.posting import PERMISSION_NAMES
from bot.hosting import backup, doctor
from bot.hosting.discord_check import examine_discord
from bot.hosting.lock import database_lock
from bot.hosting.opening import require_write_ahead_log
from bot.settings import BotSettings, ClubSettings, DiscordSettings, HostingSettings, StoreSettings
from bot.store import meta, open_store
from bot.typed import typed
from tests.engine_double import EngineDouble, serve_double, socket_address

ALL = discord.Permissions(**dict.fromkeys(PERMISSION_NAMES, True)).value
TOKEN = "t0ken"


@pytest.fixture
def settings(tmp_path):
    hosting = HostingSettings(backup_folder=str(tmp_path / "backups"), free_disk_mb=0)
    return BotSettings(store=StoreSettings(path=tmp_path / "woodshed.sqlite3"), hosting=hosting, token=SecretStr(TOKEN))


def levels(findings):
    return [(finding.level, finding.subject) for finding in findings]


# ---------------------------------------------------------------- this machine


async def test_a_sound_database_and_a_fresh_backup_are_good(settings):
    async with open_store(settings.store.path):
        pass
    backup.make_due(settings.store.path, settings.backup_folder, 1.0, 7, 1e9)
    found = [*doctor.database(settings), *doctor.disk(settings)]
    assert {finding.level for finding in found} == {"good"}
    (aged,) = doctor.backups(settings)
    assert aged.level == "warning", "it is from 2001"


async def test_a_second_instance_is_named(settings):
    async with open_store(settings.store.path):
        pass
    with database_lock(settings.store.path):
        found = [finding.detail for finding in doctor.database(settings)]
    assert "has it open; that's your running bot, and a second one won't start" in found[0]


async def test_a_damaged_database_comes_with_the_command_that_mends_it(settings):
    async with open_store(settings.store.path):
        pass
    good = backup.make_due(settings.store.path, settings.backup_folder, 1.0, 7, 1e9)
    settings.store.path.write_bytes(settings.store.path.read_bytes()[:10_000])
    (found,) = doctor.database(settings)
    assert found.level == "trouble"
    assert found.mend == f"stop the bot, then: {typed(f'restore {good}')}"


def test_a_folder_that_takes_no_database_is_trouble_before_the_first_start(settings, monkeypatch):
    def read_only(*_, **__):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(doctor.tempfile, "TemporaryDirectory", read_only)
    found = next(iter(doctor.database(settings)))
    assert (found.level, "Read-only file system" in found.detail) == ("trouble", True)
    assert "move the database" in found.mend


def test_a_disk_without_a_write_ahead_log_is_trouble_before_the_first_start(settings, monkeypatch):
    monkeypatch.setattr(doctor, "require_write_ahead_log", partial(require_write_ahead_log, vfs="unix-dotfile"))
    found = next(iter(doctor.database(settings)))
    assert found.level == "trouble"
    assert "write-ahead" in found.detail


def test_a_backup_from_the_future_is_named(settings):
    settings.backup_folder.mkdir(parents=True)
    (settings.backup_folder / backup.automatic_name(time.time() + 1e6)).touch()
    assert "is from the future" in next(iter(doctor.backups(settings))).detail


def test_a_database_that_isnt_there_yet_is_no_trouble(settings):
    assert levels(doctor.database(settings)) == [("good", "database")]
    assert levels(doctor.backups(settings)) == [("warning", "backups")]


def test_a_full_disk_is_trouble(settings):
    hosting = settings.hosting.model_copy(update={"free_disk_mb": 10**9})
    found = list(doctor.disk(settings.model_copy(update={"hosting": hosting})))
    assert levels(found) == [("trouble", "disk of the database"), ("trouble", "disk of the backups")]


def test_other_packages_than_the_locked_ones_are_named(settings, monkeypatch, tmp_path):
    lock = tmp_path / "requirements.lock"
    lock.write_text("discord-py==0.1 ; python_version < '3'\ndiscord-py==0.2\nno-such-package==1.0\n")
    monkeypatch.setattr(doctor, "LOCK_FILE", lock)
    (found,) = doctor.versions(settings)
    assert f"discord-py {discord.__version__} instead of 0.1 or 0.2" in found.detail
    assert "no-such-package" not in found.detail


async def test_the_engine_speaks_for_itself(settings):
    line = json.dumps({"level": "warning", "subject": "SoundFont", "detail": "small", "mend": "install another"})
    found = await doctor.engine(settings, (sys.executable, "-c", f"print({line!r})"))
    assert levels(found) == [("warning", "SoundFont")]


async def test_an_engine_that_cant_start_is_trouble_with_its_last_words(settings):
    found = await doctor.engine(settings, (sys.executable, "-c", "import no_such_module"))
    assert levels(found) == [("trouble", "engine")]
    assert "No module named 'no_such_module'" in found[0].detail


async def test_an_engine_elsewhere_is_asked_and_what_keeps_it_from_answering_is_trouble(settings, tmp_path):
    address = socket_address(tmp_path)
    elsewhere = settings.model_copy(update={"engine": settings.engine.model_copy(update={"address": address})})
    found = await doctor.engine(elsewhere)
    assert levels(found) == [("trouble", "engine")]
    assert "I can't reach the engine right now" in found[0].detail
    async with serve_double(address, EngineDouble()):
        found = await doctor.engine(elsewhere)
    assert levels(found) == [("good", "engine")]
    assert f"answers at {address}" in found[0].detail
    open_line = settings.engine.model_copy(update={"address": "dns:///gpu-box:50051"})
    found = await doctor.engine(settings.model_copy(update={"engine": open_line}))
    assert levels(found) == [("trouble", "engine")]
    assert "engine.token" in found[0].detail


# ---------------------------------------------------------------- Discord


@contextlib.asynccontextmanager
async def discord_says(answers, skew_s=0.0):
    """A server that answers GET requests from a table of (status, content); yields its address."""

    async def answer(request):
        if request.headers["Authorization"] != f"Bot {TOKEN}":
            return web.json_response({"message": "401: Unauthorized"}, status=401)
        status, content = answers.get(request.path, (404, {}))
        date = format_datetime(datetime.now(UTC) - timedelta(seconds=skew_s), usegmt=True)
        return web.json_response(content, status=status, headers={"Date": date})

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def examined(settings, address, **changed):
    talking = settings.model_copy(update={"discord": DiscordSettings(api_base=address), **changed})
    return [finding async for finding in examine_discord(talking)]


ME = (200, {"id": "4711", "username": "woodshed"})
ROLES = (200, [{"name": "@everyone"}, {"name": "Course staff", "permissions": str(1 << 13)}])


def guilds(permissions=ALL):
    return (200, [{"id": "1", "name": "PyTorch course", "permissions": str(permissions)}])


async def test_a_bot_that_is_well_set_up_has_nothing_to_mend(settings):
    answers = {"/users/@me": ME, "/users/@me/guilds": guilds(), "/guilds/1/roles": ROLES}
    async with discord_says(answers) as address:
        found = await examined(settings, address)
    assert {finding.level for finding in found} == {"good"}
    assert [finding.subject for finding in found] == ["token", "clock", "server PyTorch course"]


@pytest.mark.parametrize(
    ("answers", "skew_s", "subject", "mend"),
    [
        ({"/users/@me": (401, {})}, 0, "token", "make a new token"),
        ({"/users/@me": (503, {})}, 0, "Discord", "try again in a few minutes"),
        ({"/users/@me": ME, "/users/@me/guilds": (200, [])}, 0, "servers", "open https://discord.com/oauth2/authorize"),
        ({"/users/@me": ME, "/users/@me/guilds": guilds(0)}, 0, "server PyTorch course", "invite it again: https://"),
        (
            {"/users/@me": ME, "/users/@me/guilds": guilds(), "/guilds/1/roles": (200, [])},
            0,
            "server PyTorch course",
            "create the role 'Course staff'",
        ),
        (
            {
                "/users/@me": ME,
                "/users/@me/guilds": guilds(),
                "/guilds/1/roles": (200, [{"name": "Course staff", "permissions": "0"}]),
            },
            0,
            "server PyTorch course",
            "give the role 'Course staff' Manage Messages",
        ),
        ({"/users/@me": ME, "/users/@me/guilds": guilds()}, 60, "clock", "timedatectl set-ntp true"),
        ({"/users/@me": ME, "/users/@me/guilds": guilds()}, -60, "clock", "timedatectl set-ntp true"),
    ],
)
async def test_what_is_wrong_at_discord_is_named_with_its_mend(settings, answers, skew_s, subject, mend):
    async with discord_says(answers, skew_s) as address:
        found = await examined(settings, address)
    (wrong,) = [finding for finding in found if finding.level != "good"]
    assert wrong.subject == subject
    assert mend in wrong.mend


async def test_a_renamed_staff_role_is_no_trouble(settings):
    async with open_store(settings.store.path) as store:
        await meta.put(store, "staff_role:1", "55 Course staff")
    renamed = (200, [{"name": "Teaching team", "id": "55", "permissions": str(1 << 13)}])
    answers = {"/users/@me": ME, "/users/@me/guilds": guilds(), "/guilds/1/roles": renamed}
    async with discord_says(answers) as address:
        assert {finding.level for finding in await examined(settings, address)} == {"good"}
        other = await examined(settings, address, club=ClubSettings(staff_role="Tutors"))
    assert levels(other)[-1] == ("warning", "server PyTorch course")


@pytest.mark.parametrize("kind", ["text/html", "application/json"])
async def test_a_networks_login_page_is_told_from_discord(settings, kind):
    async def page(request):
        return web.Response(text="<h1>Please log in</h1>", content_type=kind, headers={"Date": "yesterday"})

    app = web.Application()
    app.router.add_get("/{path:.*}", page)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        (found,) = await examined(settings, f"http://127.0.0.1:{runner.addresses[0][1]}")
    finally:
        await runner.cleanup()
    assert "isn't Discord" in found.detail
    assert "log in to this network with a browser" in found.mend


async def test_a_staff_channel_that_the_bot_cant_see_is_trouble(settings):
    hosting = settings.hosting.model_copy(update={"staff_channel": 99, "servers": (2,)})
    answers = {"/users/@me": ME, "/users/@me/guilds": guilds()}
    async with discord_says(answers) as address:
        found = await examined(settings, address, hosting=hosting)
    assert levels(found)[-2:] == [("warning", "server PyTorch course"), ("trouble", "staff channel")]


async def test_a_discord_that_cant_be_reached_is_one_finding(settings):
    found = await examined(settings, "http://127.0.0.1:9")
    assert levels(found) == [("trouble", "Discord")]


async def test_a_missing_token_is_told_before_anything_is_asked(settings):
    found = [finding async for finding in examine_discord(settings.model_copy(update={"token": BotSettings().token}))]
    assert levels(found) == [("trouble", "token")]

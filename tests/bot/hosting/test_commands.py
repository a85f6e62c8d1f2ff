"""`python -m bot backup | restore | doctor | export-member | forget-member`, as a host types them."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bot.hosting import backup
from bot.store import members, open_store

HOUSE = Path(__file__).parents[3]
MEMBER = 4711
NOW = 1_790_000_000.0


@pytest.fixture
def host(tmp_path):
    """Runs a command of the bot with everything in a folder of its own, and no token."""
    changed = {
        "WOODSHED_STORE__PATH": str(tmp_path / "woodshed.sqlite3"),
        "WOODSHED_HOSTING__BACKUP_FOLDER": str(tmp_path / "backups"),
        "WOODSHED_HOSTING__FREE_DISK_MB": "0",
    }
    environment = {name: value for name, value in os.environ.items() if name != "DISCORD_TOKEN"} | changed

    def run(*arguments, said=""):
        return subprocess.run(
            [sys.executable, "-m", "bot", *map(str, arguments)],
            cwd=HOUSE, env=environment, input=said, capture_output=True, text=True, check=False,
        )  # fmt: skip

    return run


async def take_part(path, member=MEMBER):
    async with open_store(path) as store, store.transaction() as transaction:
        await members.number_of(transaction, member, NOW)


async def known(path, member=MEMBER):
    async with open_store(path) as store:
        return (await members.export(store, member))["member"] != []


async def test_a_backup_is_made_and_restored(host, tmp_path):
    database = tmp_path / "woodshed.sqlite3"
    await take_part(database)
    made = host("backup", tmp_path / "copy.sqlite3")
    assert made.returncode == 0
    assert "copy.sqlite3: 1 member, 0 polls" in made.stdout
    await take_part(database, 4712)
    restored = host("restore", tmp_path / "copy.sqlite3")
    assert restored.returncode == 0, restored.stderr
    assert "Restored " in restored.stdout
    assert "The former database is kept as " in restored.stdout
    assert not await known(database, 4712)
    assert host("backup", tmp_path / "copy.sqlite3").stderr.endswith("already exists; choose another name.\n")


async def test_whoever_asked_to_be_forgotten_since_the_backup_is_forgotten_again(host, tmp_path):
    database = tmp_path / "woodshed.sqlite3"
    await take_part(database)
    await take_part(database, 4712)
    host("backup", tmp_path / "copy.sqlite3")
    assert host("forget-member", MEMBER, "--yes").stdout.startswith(f"Done: {MEMBER} is forgotten")
    restored = host("restore", tmp_path / "copy.sqlite3")
    assert "1 member had asked to be forgotten since that backup, and were forgotten again." in restored.stdout
    assert not await known(database)
    assert await known(database, 4712)


async def test_restore_without_a_file_lists_the_automatic_backups(host, tmp_path):
    assert host("restore").returncode == 1
    await take_part(tmp_path / "woodshed.sqlite3")
    made = backup.make_due(tmp_path / "woodshed.sqlite3", tmp_path / "backups", 1.0, 7, time.time())
    listed = host("restore")
    assert listed.returncode == 0
    assert listed.stdout.startswith(f"{made}: 1 member,")


async def test_a_members_data_are_printed_or_written(host, tmp_path):
    await take_part(tmp_path / "woodshed.sqlite3")
    printed = json.loads(host("export-member", MEMBER).stdout)
    assert printed["discord_id"] == str(MEMBER)
    assert printed["member"] == [{"first_seen_at": NOW}]
    assert host("export-member", MEMBER, "--out", tmp_path / "data.json").returncode == 0
    assert json.loads((tmp_path / "data.json").read_text()) == printed
    assert host("export-member", MEMBER, "--out", tmp_path / "data.json").returncode == 1


@pytest.mark.parametrize("wrong", ["abc", "-5", "0", "99999999999999999999999", "\u0663"])
def test_what_cant_be_a_discord_id_is_one_sentence(host, wrong):
    refused = host("export-member", "--", wrong)
    assert refused.returncode == 2
    assert "isn't a Discord id; it's a long number" in refused.stderr
    assert "Traceback" not in refused.stderr


async def test_forgetting_asks_first(host, tmp_path):
    database = tmp_path / "woodshed.sqlite3"
    await take_part(database)
    assert host("forget-member", MEMBER, said="no\n").returncode == 1
    assert await known(database)
    assert host("forget-member", MEMBER, said="yes\n").returncode == 0
    assert not await known(database)
    assert host("forget-member", MEMBER, "--yes").stdout == f"Nothing is kept about {MEMBER}.\n"


def test_what_needs_a_database_says_so_where_there_is_none(host, tmp_path):
    for command in (("backup", tmp_path / "copy"), ("export-member", 1), ("forget-member", 1, "--yes")):
        ended = host(*command)
        assert ended.returncode == 1
        assert ended.stderr.startswith("There is no database at ")
        assert len(ended.stderr.splitlines()) == 1
    assert not (tmp_path / "woodshed.sqlite3").exists()


def test_the_doctor_looks_at_everything_and_its_exit_code_says_whether_it_works(host):
    ended = host("doctor", "--offline")
    assert ended.returncode == 0, ended.stdout
    for subject in ("versions", "database", "backups", "device", "SoundFont", "weights", "memory", "members' files"):
        assert f" {subject}: " in ended.stdout
    assert ended.stdout.endswith("Everything works.\n")
    without_token = host("doctor")
    assert without_token.returncode == 1
    assert "WRONG token: DISCORD_TOKEN isn't set\n      -> " in without_token.stdout

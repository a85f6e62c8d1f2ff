"""The store: migrations run once and whole, transactions don't mix, and what was acknowledged survives a killed bot."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from bot.errors import DatabaseTooNew, MigrationFailed, StoreError
from bot.store import creations, meta, open_store
from bot.store.migrations import MIGRATIONS, migrate, numbered

HOUSE = Path(__file__).parents[3]


def folder(tmp_path, **scripts):
    path = tmp_path / "migrations"
    path.mkdir(exist_ok=True)
    for name, text in scripts.items():
        (path / f"{name[1:]}.sql").write_text(text)
    return path


def tables(path):
    with sqlite3.connect(path) as connection:
        return {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def version(path):
    with sqlite3.connect(path) as connection:
        return connection.execute("PRAGMA user_version").fetchone()[0]


def test_the_projects_migrations_run_on_an_empty_database_and_say_why_they_exist(tmp_path):
    assert migrate(tmp_path / "db") == len(numbered(MIGRATIONS))
    for _, file in numbered(MIGRATIONS):
        assert file.read_text().startswith("-- "), f"{file.name} does not open with its reason"


def test_a_migration_runs_once(tmp_path):
    steps = folder(tmp_path, _0001_a="CREATE TABLE a (x); INSERT INTO a VALUES (1);")
    for _ in range(2):
        assert migrate(tmp_path / "db", steps) == 1
    with sqlite3.connect(tmp_path / "db") as connection:
        assert connection.execute("SELECT count(*) FROM a").fetchone() == (1,)
    folder(tmp_path, _0002_b="CREATE TABLE b (x)")
    assert migrate(tmp_path / "db", steps) == 2
    assert tables(tmp_path / "db") == {"a", "b"}


def test_a_migration_that_fails_leaves_nothing_behind(tmp_path):
    steps = folder(
        tmp_path, _0001_a="CREATE TABLE a (x);", _0002_b="CREATE TABLE b (x); INSERT INTO nowhere VALUES (1);"
    )
    with pytest.raises(MigrationFailed, match=r"0002_b\.sql failed and was undone: no such table: nowhere"):
        migrate(tmp_path / "db", steps)
    assert tables(tmp_path / "db") == {"a"}
    assert version(tmp_path / "db") == 1


def test_a_migration_that_is_killed_leaves_nothing_behind(tmp_path):
    slow = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) INSERT INTO a SELECT max(i) FROM n;"
    steps = folder(tmp_path, _0001_a=f"CREATE TABLE a (x); {slow}")
    script = (
        "from pathlib import Path; from bot.store.migrations import migrate; "
        f"migrate(Path({str(tmp_path / 'db')!r}), Path({str(steps)!r}))"
    )
    child = subprocess.Popen([sys.executable, "-c", script], cwd=HOUSE)
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(1.5)
    child.kill()
    child.wait()
    assert tables(tmp_path / "db") == set()
    assert version(tmp_path / "db") == 0


def test_a_newer_database_is_refused_with_a_sentence(tmp_path):
    steps = folder(tmp_path, _0001_a="CREATE TABLE a (x);", _0002_b="CREATE TABLE b (x);")
    migrate(tmp_path / "db", steps)
    (steps / "0002_b.sql").unlink()
    with pytest.raises(DatabaseTooNew, match=r"has version 2, and this Woodshed knows versions up to 1"):
        migrate(tmp_path / "db", steps)
    assert tables(tmp_path / "db") == {"a", "b"}


def test_gaps_and_odd_names_are_found(tmp_path):
    with pytest.raises(MigrationFailed, match="should have the number 0001"):
        numbered(folder(tmp_path, _0002_b=""))
    (tmp_path / "migrations" / "0002_b.sql").rename(tmp_path / "migrations" / "first.sql")
    with pytest.raises(MigrationFailed, match="isn't named like"):
        numbered(tmp_path / "migrations")


async def test_a_file_that_is_no_database_is_refused_with_a_sentence(tmp_path):
    (tmp_path / "db").write_bytes(b"this is a letter, not a database" * 100)
    with pytest.raises(StoreError, match=r"can't open .*\[store\] path.*: file is not a database"):
        async with open_store(tmp_path / "db"):
            pass


async def test_the_files_settings_are_those_that_keep_a_vote(store):
    async with store.transaction() as transaction:
        for pragma, value in (("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)):
            row = await transaction.fetch_one(f"PRAGMA {pragma}")
            assert row[0] == value, pragma


async def test_a_transaction_is_rolled_back_as_a_whole(store):
    async def fail():
        async with store.transaction() as transaction:
            await transaction.execute("INSERT INTO meta VALUES ('a', '1')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await meta.get(store, "a") is None


async def test_a_cancelled_transaction_is_rolled_back_and_blocks_nobody(store):
    entered = asyncio.Event()

    async def linger():
        async with store.transaction() as transaction:
            await transaction.execute("INSERT INTO meta VALUES ('a', '1')")
            entered.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(linger())
    await entered.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await meta.put(store, "b", "2")
    assert await meta.get(store, "a") is None
    assert await meta.get(store, "b") == "2"


async def test_transactions_of_many_tasks_do_not_mix(store):
    await meta.put(store, "n", "0")

    async def increment():
        async with store.transaction() as transaction:
            row = await transaction.fetch_one("SELECT value FROM meta WHERE name = 'n'")
            await asyncio.sleep(0)
            await transaction.execute("UPDATE meta SET value = ? WHERE name = 'n'", (str(int(row["value"]) + 1),))

    await asyncio.gather(*(increment() for _ in range(50)))
    assert await meta.get(store, "n") == "50"


async def test_readers_see_only_what_is_committed_and_wait_for_nobody(store):
    await meta.put(store, "a", "old")
    async with store.transaction() as transaction:
        await transaction.execute("UPDATE meta SET value = 'new' WHERE name = 'a'")
        assert await meta.get(store, "a") == "old"
    assert await meta.get(store, "a") == "new"


def test_what_was_acknowledged_survives_a_killed_process(tmp_path):
    script = f"""
import asyncio, sys
from pathlib import Path
from bot.store import meta, open_store
async def main():
    async with open_store(Path({str(tmp_path / "db")!r})) as store:
        for i in range(10_000):
            await meta.put(store, "n", str(i))
            sys.stdout.write(f"{{i}}\\n"); sys.stdout.flush()
asyncio.run(main())
"""
    child = subprocess.Popen([sys.executable, "-c", script], cwd=HOUSE, stdout=subprocess.PIPE, text=True)
    acknowledged = -1
    for line in child.stdout:
        acknowledged = int(line)
        if acknowledged == 40:
            os.kill(child.pid, signal.SIGKILL)
            break
    acknowledged = max([acknowledged, *(int(line) for line in child.stdout if line.endswith("\n"))])
    child.wait()
    child.stdout.close()
    with sqlite3.connect(tmp_path / "db") as connection:
        (kept,) = connection.execute("SELECT value FROM meta WHERE name = 'n'").fetchone()
    assert int(kept) >= acknowledged >= 40


async def test_a_member_key_tells_nothing_and_differs_between_databases(tmp_path):
    secrets = []
    for name in ("one", "two"):
        async with open_store(tmp_path / name) as store:
            secrets.append(await meta.member_secret(store))
            assert await meta.member_secret(store) == secrets[-1]
    keys = [meta.member_key(secret, 4242) for secret in secrets]
    assert keys[0] != keys[1]
    assert all(len(key) == 32 and "4242" not in key for key in keys)


async def test_a_creation_keeps_its_files_once_and_lets_go_of_them(store):
    async def add(now, image=b"photo"):
        return await creations.add(
            store,
            "picture",
            member_id=1,
            guild_id=None,
            channel_id=2,
            request=b"r",
            result=b"s",
            files={"image": creations.File(1, image)},
            now=now,
            room=creations.Room(10**9, 10**9),
        )

    old, new = await add(100.0), await add(200.0)
    count = "SELECT count(*) AS n FROM blobs"
    assert (await store.fetch_one(count))["n"] == 1
    await creations.posted(store, new, 77)
    assert (await creations.get(store, new)).message_id == 77
    assert await creations.forget_pictures_before(store, 150.0) == 1
    assert await creations.files(store, old) == {}
    assert await creations.files(store, new) == {"image": b"photo"}
    await creations.delete(store, new)
    assert (await store.fetch_one(count))["n"] == 0
    await add(300.0, b"another")
    async with store.transaction() as transaction:
        assert await creations.forget_member(transaction, 1) == 2
    assert (await store.fetch_one(count))["n"] == 0

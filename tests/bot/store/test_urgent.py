"""Ballots don't stand behind pictures, and what is confirmed is committed."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.store import Store, open_store
from bot.store.turns import Turns


def put(name: str, value: str = "x"):
    def work(db: sqlite3.Connection) -> str:
        db.execute("INSERT INTO meta (name, value) VALUES (?, ?)", (name, value))
        return name

    return work


async def test_it_goes_before_all_that_waits_for_the_writer(store: Store) -> None:
    """Ten pictures wait for the one that is being stored; a ballot that comes last is written next."""
    order: list[str] = []
    release = asyncio.Event()

    async def picture(number: int) -> None:
        async with store.transaction() as transaction:
            if number == 0:
                await release.wait()
            await transaction.execute("INSERT INTO meta (name, value) VALUES (?, 'x')", (f"picture {number}",))
        order.append(f"picture {number}")

    async def ballot() -> None:
        order.append(await store.urgent.run(put("ballot")))

    pictures = [asyncio.create_task(picture(number)) for number in range(10)]
    await asyncio.sleep(0.05)
    voting = asyncio.create_task(ballot())
    await asyncio.sleep(0.05)
    release.set()
    await asyncio.gather(voting, *pictures)
    assert order.index("ballot") <= 1, order


async def test_many_at_once_share_one_commit(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    batches: list[int] = []
    commit = store.urgent._commit
    monkeypatch.setattr(store.urgent, "_commit", lambda batch: (batches.append(len(batch)), commit(batch))[1])
    names = await asyncio.gather(*(store.urgent.run(put(f"vote {number}")) for number in range(200)))
    assert len(names) == 200
    assert sum(batches) == 200
    assert len(batches) <= 3
    rows = await store.fetch_all("SELECT name FROM meta WHERE name LIKE 'vote %'")
    assert len(rows) == 200


async def test_one_that_fails_takes_none_of_the_others_with_it(store: Store) -> None:
    outcomes = await asyncio.gather(
        store.urgent.run(put("a")), store.urgent.run(put("a")), store.urgent.run(put("b")), return_exceptions=True
    )
    assert outcomes[0] == "a"
    assert isinstance(outcomes[1], sqlite3.IntegrityError)
    assert outcomes[2] == "b"
    assert len(await store.fetch_all("SELECT 1 FROM meta WHERE name IN ('a', 'b')")) == 2


async def test_whoever_stops_waiting_stops_nobody_else(store: Store) -> None:
    first = asyncio.create_task(store.urgent.run(put("first")))
    await asyncio.sleep(0)
    first.cancel()
    assert await store.urgent.run(put("second")) == "second"


async def test_a_locked_database_is_said_and_later_ones_get_through(tmp_path: Path) -> None:
    async with open_store(tmp_path / "db.sqlite3", busy_timeout_s=0.1) as store:
        with closing(sqlite3.connect(store.path, isolation_level=None)) as backup:
            backup.execute("BEGIN IMMEDIATE")
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                await store.urgent.run(put("during"))
            backup.execute("ROLLBACK")
        assert await store.urgent.run(put("after")) == "after"
        rows = await store.fetch_all("SELECT name FROM meta WHERE name IN ('during', 'after')")
        assert [row["name"] for row in rows] == ["after"]


async def test_each_commit_waits_for_the_disk(store: Store) -> None:
    assert await store.urgent.run(lambda db: db.execute("PRAGMA synchronous").fetchone()[0]) == 2


async def test_a_turn_that_nobody_waits_for_any_more_passes_on() -> None:
    turns = Turns()
    await turns.take()
    waiting = [asyncio.create_task(turns.take()) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.sleep(0)
    turns.give()
    await asyncio.wait_for(waiting[1], 15)
    turns.give()
    await asyncio.wait_for(waiting[2], 15)
    turns.give()
    await asyncio.wait_for(turns.take(), 1)


async def test_a_turn_that_comes_with_the_cancellation_isnt_lost() -> None:
    turns = Turns()
    await turns.take()
    waiting = asyncio.create_task(turns.take())
    await asyncio.sleep(0)
    turns.give()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await asyncio.wait_for(turns.take(), 1)

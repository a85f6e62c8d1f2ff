"""A database that is held for long: Discord hears of an answer in time, and the answer is written down all the same."""

import asyncio
import sqlite3
from contextlib import closing
from types import SimpleNamespace

from bot.answering import open_answers as answering
from bot.rules.open_answers import Stage
from bot.store import open_answers
from bot.store.connection import Store

INTERACTION = SimpleNamespace(id=77, user=SimpleNamespace(id=5))


async def stages(store: Store) -> list[tuple[int, str]]:
    return [(answer.interaction_id, answer.stage.value) for answer in await open_answers.left_open(store)]


async def test_an_answer_is_acknowledged_though_the_database_is_held_and_written_down_afterwards(
    store, tmp_path, monkeypatch
):
    monkeypatch.setattr(answering, "STORED_WITHIN_S", 0.1)
    with closing(sqlite3.connect(tmp_path / "woodshed.sqlite3", isolation_level=None)) as backup:
        backup.execute("BEGIN IMMEDIATE")
        diary = await asyncio.wait_for(
            answering.remember(store, INTERACTION, {"id": "77"}, private=False, now=1.0), 2.0
        )
        assert isinstance(diary, answering.LateDiary)
        reaching = asyncio.ensure_future(diary.reach(Stage.STARTED, 9))
        await asyncio.sleep(0.1)
        assert not reaching.done()
        backup.execute("ROLLBACK")
    await asyncio.wait_for(reaching, 5.0)
    assert await stages(store) == [(77, Stage.STARTED.value)]
    await diary.close()
    assert await stages(store) == []


async def test_otherwise_it_is_written_down_first(store):
    diary = await answering.remember(store, INTERACTION, {"id": "77"}, private=False, now=1.0)
    assert not isinstance(diary, answering.LateDiary)
    assert len(await stages(store)) == 1

"""A way to the database for what somebody waits for with a thumb on the screen: ballots.

Ballots don't stand behind pictures: they have a connection and a thread of their own, go first when the writer is
free, and all that have come in meanwhile are committed together, with one sync of the disk (group commit). Each of them
is still a whole of its own: one that fails takes none of the others with it.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from bot.store.turns import Turns

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]
"""Runs in the connection's thread, inside a transaction."""


class UrgentWrites:
    """`run` returns once the work is committed."""

    def __init__(self, path: Path, turns: Turns, busy_timeout_s: float) -> None:
        self._path = path
        self._turns = turns
        self._busy_timeout_s = busy_timeout_s
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ballots")
        self._connection: sqlite3.Connection | None = None
        self._waiting: list[tuple[Work[Any], asyncio.Future[Any]]] = []
        self._worker: asyncio.Task[None] | None = None

    async def run(self, work: Work[T]) -> T:
        """Do `work` and commit it. Raises what it raises (it is undone then), and sqlite3.OperationalError where the
        database can't be written."""
        outcome: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, outcome))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._write_all(), name="urgent writes")
        return await outcome

    async def close(self) -> None:
        """Commit what is waiting, then close."""
        if self._worker is not None:
            await asyncio.gather(self._worker, return_exceptions=True)
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown(wait=False)

    async def _write_all(self) -> None:
        while self._waiting:
            await self._turns.take(urgent=True)
            batch, self._waiting = self._waiting, []
            try:
                loop = asyncio.get_running_loop()
                outcomes = await loop.run_in_executor(self._thread, self._commit, [work for work, _ in batch])
            except Exception as error:  # noqa: BLE001 -- whoever waits is told, each of them
                outcomes = [error] * len(batch)
            finally:
                self._turns.give()
            for (_, waiting), outcome in zip(batch, outcomes, strict=True):
                if waiting.done():
                    continue  # nobody waits any more; it is committed all the same
                if isinstance(outcome, BaseException):
                    waiting.set_exception(outcome)
                else:
                    waiting.set_result(outcome)

    # ------------------------------------------------------------ in the thread

    def _commit(self, batch: list[Work[Any]]) -> list[Any]:
        """Results in order, an exception in place of a work's result where it failed."""
        connection = self._open()
        outcomes: list[Any] = []
        connection.execute("BEGIN IMMEDIATE")
        try:
            for work in batch:
                connection.execute("SAVEPOINT one")
                try:
                    outcomes.append(work(connection))
                except Exception as error:  # noqa: BLE001 -- it goes to whoever waits for it
                    connection.execute("ROLLBACK TO one")
                    outcomes.append(error)
                connection.execute("RELEASE one")
            connection.execute("COMMIT")
        except BaseException:
            connection.rollback()
            raise
        return outcomes

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = sqlite3.connect(self._path, timeout=self._busy_timeout_s, isolation_level=None)
            self._connection.row_factory = sqlite3.Row
            self._connection.execute("PRAGMA foreign_keys=ON")
            self._connection.execute("PRAGMA synchronous=FULL")
            self._connection.execute("PRAGMA secure_delete=ON")
        return self._connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()

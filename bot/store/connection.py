"""Opening the SQLite file, and the two ways to use it: single statements, and transactions.

Three connections to one file. The writer is guarded by turns, because a transaction spans several awaits and tasks
would otherwise slip their statements into each other's. The reader sees only what is committed and waits for nobody
(write-ahead log, https://sqlite.org/wal.html). Ballots have a writer of their own that goes first.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiosqlite

from bot.errors import UNREADABLE, StoreError, damage
from bot.store.migrations import MIGRATIONS, migrate
from bot.store.turns import Turns
from bot.store.urgent import UrgentWrites

Parameters = Sequence[Any]


class Transaction:
    """What is done with this happens as a whole or not at all; it reads its own writes."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def execute(self, sql: str, parameters: Parameters = ()) -> int:
        """Run one statement; returns the number of rows changed."""
        async with self._connection.execute(sql, parameters) as cursor:
            return cursor.rowcount

    async def insert(self, sql: str, parameters: Parameters = ()) -> int:
        """Run one INSERT; returns the new row's id."""
        async with self._connection.execute(sql, parameters) as cursor:
            if cursor.lastrowid is None:
                raise sqlite3.ProgrammingError("insert() was given a statement that inserts nothing")
            return cursor.lastrowid

    async def fetch_one(self, sql: str, parameters: Parameters = ()) -> sqlite3.Row | None:
        async with self._connection.execute(sql, parameters) as cursor:
            return await cursor.fetchone()

    async def fetch_all(self, sql: str, parameters: Parameters = ()) -> list[sqlite3.Row]:
        return list(await self._connection.execute_fetchall(sql, parameters))


class Store:
    """The open database. A method that returns has been committed and survives `kill -9` and power loss; what was
    deleted is overwritten as soon as the log is emptied (`overwrite_deleted`)."""

    def __init__(
        self, path: Path, writer: aiosqlite.Connection, reader: aiosqlite.Connection, busy_timeout_s: float = 5.0
    ) -> None:
        self.path = path
        self._writer = writer
        self._reader = reader
        self._turns = Turns()
        self.urgent = UrgentWrites(path, self._turns, busy_timeout_s)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Commit on leaving; roll back when the body raises or its task is cancelled."""
        async with self._turns:
            try:
                await self._writer.execute("BEGIN IMMEDIATE")
                yield Transaction(self._writer)
                await self._writer.execute("COMMIT")
            except BaseException:
                # The connection's thread runs this after whatever was still queued; after a COMMIT it does nothing.
                await self._writer.rollback()
                raise

    async def execute(self, sql: str, parameters: Parameters = ()) -> int:
        """Run and commit one statement; returns the number of rows changed."""
        async with self.transaction() as transaction:
            return await transaction.execute(sql, parameters)

    async def insert(self, sql: str, parameters: Parameters = ()) -> int:
        """Run and commit one INSERT; returns the new row's id."""
        async with self.transaction() as transaction:
            return await transaction.insert(sql, parameters)

    async def overwrite_deleted(self) -> bool:
        """Empty the write-ahead log, which has the pages as they were before a deletion, into the database, where they
        are overwritten (SQLite, "PRAGMA wal_checkpoint" and "PRAGMA secure_delete"). False where somebody reads for
        longer than the time-out: then the next one does it."""
        async with self._turns:
            rows = list(await self._writer.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)"))
        return not rows[0][0]

    async def fetch_one(self, sql: str, parameters: Parameters = ()) -> sqlite3.Row | None:
        rows = await self.fetch_all(sql, parameters)
        return rows[0] if rows else None

    async def fetch_all(self, sql: str, parameters: Parameters = ()) -> list[sqlite3.Row]:
        return list(await self._reader.execute_fetchall(sql, parameters))


@asynccontextmanager
async def open_store(path: Path, *, busy_timeout_s: float = 5.0, migrations: Path = MIGRATIONS) -> AsyncIterator[Store]:
    """Open (or create) the database at `path`, bring its schema up to date, and close it on leaving.

    Raises StoreError when the file is no database or cannot be opened, DatabaseTooNew, MigrationFailed."""
    async with AsyncExitStack() as stack:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            await asyncio.to_thread(migrate, path, migrations, busy_timeout_s)
            writer = await stack.enter_async_context(
                _connect(path, busy_timeout_s, ("synchronous=FULL", "secure_delete=ON"))
            )
            reader = await stack.enter_async_context(_connect(path, busy_timeout_s, ("query_only=ON",)))
        except OSError as error:
            raise StoreError(
                f"I can't open the database {path} ('[store] path' in the settings): {error.strerror}."
            ) from error
        except UNREADABLE as error:
            raise StoreError(
                f"I can't open the database {path} ('[store] path' in the settings): {damage(error)}."
            ) from error
        store = Store(path, writer, reader, busy_timeout_s)
        try:
            yield store
        finally:
            await store.urgent.close()


@asynccontextmanager
async def _connect(path: Path, busy_timeout_s: float, pragmas: Iterable[str]) -> AsyncIterator[aiosqlite.Connection]:
    # isolation_level=None: no transaction is begun behind our back.
    async with aiosqlite.connect(path, timeout=busy_timeout_s, isolation_level=None) as connection:
        connection.row_factory = sqlite3.Row
        for pragma in ("foreign_keys=ON", *pragmas):
            await connection.execute(f"PRAGMA {pragma}")
        yield connection

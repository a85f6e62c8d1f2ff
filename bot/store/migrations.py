"""Numbered plain SQL files, each run once, each in one transaction together with its version number."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from functools import lru_cache
from pathlib import Path

from bot.errors import DatabaseTooNew, MigrationFailed

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"

_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")


def numbered(folder: Path) -> list[tuple[int, Path]]:
    """The migrations of a folder in order, counted from 1 without a gap.

    Raises MigrationFailed for a gap, a number used twice, or a file whose name does not fit."""
    found: list[tuple[int, Path]] = []
    for file in sorted(folder.glob("*.sql")):
        match = _NAME.fullmatch(file.name)
        if match is None:
            raise MigrationFailed(f"The migration {file.name} isn't named like 0001_what_it_does.sql.")
        found.append((int(match[1]), file))
    for place, (number, file) in enumerate(found, start=1):
        if number != place:
            raise MigrationFailed(f"The migration {file.name} should have the number {place:04d}.")
    return found


def migrate(path: Path, folder: Path = MIGRATIONS, busy_timeout_s: float = 5.0) -> int:
    """Bring the database up to the newest migration; returns its version. Blocking.

    Raises DatabaseTooNew, and MigrationFailed after rolling the failed one back."""
    migrations = numbered(folder)
    newest = len(migrations)
    with closing(sqlite3.connect(path, timeout=busy_timeout_s, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > newest:
            raise DatabaseTooNew(
                f"The database {path} has version {version}, and this Woodshed knows versions up to {newest}: "
                "use a newer Woodshed or another [store] path."
            )
        for number, file in migrations[version:]:
            _run(connection, number, file)
    return newest


@lru_cache(maxsize=4)
def triggers_at(version: int) -> frozenset[tuple[str, str]]:
    """Names and texts of what runs by itself in a database of that version: its triggers and views. Blocking."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        for number, file in numbered(MIGRATIONS)[:version]:
            _run(connection, number, file)
        return triggers_in(connection)


def triggers_in(connection: sqlite3.Connection) -> frozenset[tuple[str, str]]:
    """Names and texts of a database's triggers and views."""
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE type IN ('trigger', 'view')")
    return frozenset((str(name), str(sql)) for name, sql in rows)


def _run(connection: sqlite3.Connection, number: int, file: Path) -> None:
    # executescript() commits whatever was begun before it, so the transaction has to be inside the script.
    script = f"BEGIN IMMEDIATE;\n{file.read_text(encoding='utf-8')}\n;PRAGMA user_version = {number};\nCOMMIT;"
    try:
        connection.executescript(script)
    except sqlite3.Error as error:
        connection.rollback()
        raise MigrationFailed(f"The migration {file.name} failed and was undone: {error}.") from error

"""What can be said of a database file without opening it as the bot does: is it one, is it ours, is it whole?

Everything here blocks; call it from a thread.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bot.answering.text import counted
from bot.errors import UNREADABLE, damage
from bot.store.migrations import MIGRATIONS, numbered, triggers_at, triggers_in

MAGIC = b"SQLite format 3\x00"
COMPANIONS = ("-wal", "-shm")
"""What SQLite keeps beside a database in use: its write-ahead log, and the log's index (https://sqlite.org/wal.html)."""
COUNTED = {
    "members": ("members",),
    "polls": ("series", "polls"),
    "votes": ("ballots", "votes"),
    "clips": ("clips",),
}
"""Where each number of `Contents` comes from: the table's name now, and in older databases."""
MARK = "database_mark"
"""Name in `meta` of a random word that tells one copy of a database from another."""


@dataclass(frozen=True)
class Contents:
    """What a sound database holds."""

    version: int
    size_bytes: int
    members: int
    polls: int
    votes: int
    clips: int

    def __str__(self) -> str:
        return (
            f"{counted(self.members, 'member')}, {counted(self.polls, 'poll')} with {counted(self.votes, 'vote')}, "
            f"{counted(self.clips, 'clip')}, {self.size_bytes / 1e6:.1f} MB"
        )


class NotSound(Exception):
    """The file can't be used; the message says why, without a full stop, in the middle of a sentence."""


class NotOurs(NotSound):
    """It's sound, but this Woodshed can't use it, and a backup is no cure for that."""


def newest_version() -> int:
    """The version that this code brings a database to."""
    return len(numbered(MIGRATIONS))


def companion(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


@contextlib.contextmanager
def read_only(path: Path, *, without_log: bool = False) -> Iterator[sqlite3.Connection]:
    """The database for reading. `without_log`: as it is in the file itself, whatever stands in a log beside it."""
    address = f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' if without_log else ''}"
    with closing(sqlite3.connect(address, uri=True, timeout=5.0)) as connection:
        yield connection


def examine(path: Path, *, thorough: bool = True) -> Contents:
    """Check a database from end to end and count what it holds. `thorough` also compares indexes with their tables.

    Raises NotSound, also for a database that isn't Woodshed's, is newer than this code, or has triggers or views of
    somebody else's: those would run with every vote."""
    try:
        with path.open("rb") as file:
            start = file.read(len(MAGIC))
    except OSError as error:
        raise NotSound(f"it can't be read ({error.strerror})") from error
    if start != MAGIC:
        raise NotSound("it isn't a database" if start else "it's empty")
    try:
        with read_only(path) as connection:
            check = "integrity_check" if thorough else "quick_check"
            found = [str(row[0]) for row in connection.execute(f"PRAGMA {check}(3)")]
            if found != ["ok"]:
                raise NotSound(f"it's damaged ({found[0].splitlines()[-1]})")
            if thorough and connection.execute("PRAGMA foreign_key_check").fetchone():
                raise NotSound("it's damaged (rows refer to others that are gone)")
            return _contents(connection, path)
    except UNREADABLE as error:
        raise NotSound(f"it's damaged ({damage(error)})") from error


def _contents(connection: sqlite3.Connection, path: Path) -> Contents:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    tables = {str(row[0]) for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if version > newest_version():
        raise NotOurs(f"a newer Woodshed wrote it (version {version}; this one knows {newest_version()})")
    if version and "meta" not in tables:
        raise NotOurs("it's the database of another program")
    if strange := triggers_in(connection) - triggers_at(version):
        raise NotSound(f"it has rules that Woodshed didn't write ({min(name for name, _ in strange)})")
    counts = {}
    for what, names in COUNTED.items():
        held = [name for name in names if name in tables]
        counts[what] = int(connection.execute(f"SELECT count(*) FROM {held[0]}").fetchone()[0]) if held else 0
    return Contents(version, path.stat().st_size, **counts)


def mark_of(path: Path, *, without_log: bool = False) -> str:
    """The database's mark; "" if it has none, or can't be read."""
    try:
        with read_only(path, without_log=without_log) as connection:
            row = connection.execute("SELECT value FROM meta WHERE name = ?", (MARK,)).fetchone()
    except (OSError, *UNREADABLE):
        return ""
    return str(row[0]) if row else ""


def give_new_mark(connection: sqlite3.Connection) -> str:
    """Give a database a new mark, so that it can be told from the one it's a copy of."""
    mark = secrets.token_hex(8)
    connection.execute(
        "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (MARK, mark),
    )
    return mark


def sync(path: Path) -> None:
    """Wait until a file, or a folder's list of names, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

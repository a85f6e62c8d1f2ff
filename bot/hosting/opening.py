"""Before the bot opens its database: is this the file that it left, is it whole, and will this disk keep it so?

lock held ──> a foreign log is set aside ──> checked from end to end ──> write-ahead log really on ──> marked
                                                 └─ damaged: nothing is opened; the newest usable backup is named
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import structlog

from bot.errors import UNREADABLE, DatabaseDamaged, StoreError, damage
from bot.hosting import backup
from bot.hosting.database_file import (
    COMPANIONS,
    NotOurs,
    NotSound,
    companion,
    examine,
    give_new_mark,
    mark_of,
    newest_version,
)
from bot.hosting.lock import DatabaseLock
from bot.typed import typed

log = structlog.get_logger(__name__)


def prepare(path: Path, lock: DatabaseLock, backups: Path, now: Callable[[], float] = time.time) -> None:
    """Make sure that the database may be opened, and set aside what must not touch it. Blocking.

    Makes a backup first when this code is about to change an older database. Raises StoreError, DatabaseDamaged and
    BackupRefused, each with what to do next."""
    _set_foreign_log_aside(path, lock, now())
    if _is_there(path):
        _require_sound(path, backups, now)
    require_write_ahead_log(path)


def mark(path: Path, lock: DatabaseLock) -> None:
    """Mark the database, once its tables are there, so that the next start knows it again. Blocking.

    The lock's file learns of the mark only when it stands in the database's own file: a mark that is still in the log
    would make the next start take that very log for a foreign one."""
    with closing(sqlite3.connect(path, timeout=5.0)) as connection:
        given = give_new_mark(connection)
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    lock.note(given if mark_of(path, without_log=True) == given else "")


def require_write_ahead_log(path: Path, vfs: str | None = None) -> None:
    """Raises StoreError where the file system can't do it: SQLite then silently keeps another kind of journal."""
    address = f"{path.absolute().as_uri()}{f'?vfs={vfs}' if vfs else ''}"
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=5.0)) as connection:
            mode = str(connection.execute("PRAGMA journal_mode=WAL").fetchone()[0])
    except UNREADABLE as error:
        raise StoreError(
            f"I can't open the database {path} ('[store] path' in the settings): {damage(error)}."
        ) from error
    if mode != "wal":
        raise StoreError(
            f"The disk of {path} doesn't support write-ahead logging (network drives often don't), so votes "
            "wouldn't be safe there; put the database on a local disk ('[store] path' in the settings)."
        )


def _is_there(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def _set_foreign_log_aside(path: Path, lock: DatabaseLock, now: float) -> None:
    """A log that was left beside another file than this one would be played into this one, and ruin it.

    So it goes when the file isn't the one that the last bot had open. Copying a backup over the database by hand, while
    its log stays, is how that happens."""
    if companion(path, "-wal").exists() and companion(path, "-wal").stat().st_size:
        known = lock.former.mark
        is_other = not _is_there(path) or (bool(known) and mark_of(path, without_log=True) != known)
        if is_other:
            stamp = backup.stamp(now)
            for suffix in COMPANIONS:
                if companion(path, suffix).exists():
                    os.replace(companion(path, suffix), companion(path, f".left-over-{stamp}{suffix}"))
            log.warning(
                "set aside a write-ahead log that belongs to another database",
                kept=str(companion(path, f".left-over-{stamp}-wal")),
            )


def _require_sound(path: Path, backups: Path, now: Callable[[], float]) -> None:
    try:
        contents = examine(path, thorough=False)
    except NotOurs as error:
        raise StoreError(
            f"The database {path} can't be used: {error}. I've left it as it is; use a Woodshed that knows it, or name "
            "another file in the settings ('[store] path')."
        ) from error
    except NotSound as error:
        newest = backup.newest_sound(backups)
        advice = (
            f"the newest usable backup is {newest}: run `{typed(f'restore {newest}')}`, which keeps the damaged file"
            if newest
            else f"there's no usable backup in {backups}; if you have one elsewhere, run `{typed('restore FILE')}`"
        )
        raise DatabaseDamaged(
            f"The database {path} can't be used: {error}. I've left it as it is; {advice}."
        ) from error
    if 0 < contents.version < newest_version():
        made = backup.write(path, backups / backup.automatic_name(now(), "before-update"))
        log.info("backed up before the update", backup=str(made), version=contents.version, to=newest_version())

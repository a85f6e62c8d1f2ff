"""Backups of the running database, restoring one, and the automatic ones.

Copying the file of a running bot loses what stands in the log beside it. A backup is made with SQLite's own online
backup instead (https://sqlite.org/backup.html): one moment of the database, in one file, checked before it counts.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bot.errors import UNREADABLE, BackupRefused, damage
from bot.hosting.database_file import (
    COMPANIONS,
    Contents,
    NotSound,
    companion,
    examine,
    give_new_mark,
    read_only,
    sync,
)

AUTOMATIC = re.compile(r"woodshed-\d{8}-\d{6}(-[a-z-]+)?\.sqlite3")
"""Names of automatic backups; nothing else in their folder is ever deleted."""
PARTIAL = ".partial"


def stamp(at: float) -> str:
    """A moment as part of a file's name, in local time."""
    return time.strftime("%Y%m%d-%H%M%S", time.localtime(at))


def automatic_name(at: float, why: str = "") -> str:
    return f"woodshed-{stamp(at)}{f'-{why}' if why else ''}.sqlite3"


def write(database: Path, target: Path) -> Path:
    """Write one moment of a database, running or not, to a new file; returns it once it's on the disk. Blocking.

    Raises BackupRefused when there is no database, the target exists or can't be written, or the copy isn't sound."""
    if not database.exists():
        raise BackupRefused(f"There is no database at {database} yet ('[store] path' in the settings).")
    if target.is_dir():
        raise BackupRefused(f"{target} is a folder; name a file in it, such as {target / automatic_name(time.time())}.")
    if target.exists():
        raise BackupRefused(f"{target} already exists; choose another name.")
    partial = target.with_name(target.name + PARTIAL)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _require_room(database, target.parent)
        partial.unlink(missing_ok=True)
        os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))  # nobody else's business
        copy(database, partial)
        examine(partial)
        sync(partial)
        os.replace(partial, target)
        sync(target.parent)
    except NotSound as error:
        raise BackupRefused(f"The backup of {database} isn't usable: {error}.") from error
    except (OSError, *UNREADABLE) as error:
        raise BackupRefused(f"{target} can't be written: {_reason(error)}.") from error
    finally:
        for path in (partial, *(companion(partial, suffix) for suffix in (*COMPANIONS, "-journal"))):
            with contextlib.suppress(OSError):
                path.unlink()
    return target


def copy(database: Path, target: Path) -> None:
    """Copy one moment of a database into `target`, as a single file with a mark of its own."""
    with read_only(database) as source, closing(sqlite3.connect(target)) as connection:
        source.backup(connection)
        connection.execute("PRAGMA journal_mode=DELETE")  # a file that needs no other beside it
        with connection, contextlib.suppress(sqlite3.OperationalError):  # a database without tables has nothing to mark
            give_new_mark(connection)


@dataclass(frozen=True)
class Restored:
    """What a restore did: what is in the database now, and where the former one is kept (None: there was none)."""

    contents: Contents
    former: Path | None


def restore(source: Path, database: Path, now: float) -> Restored:
    """Put a backup in the database's place and keep the former file. Blocking; whoever calls holds the lock.

    Raises BackupRefused, with everything as it was before, when the backup isn't sound or there's no room."""
    try:
        if source.resolve() == database.resolve():
            raise BackupRefused(f"{source} is the database itself; name a backup.")
        examine(source)
    except NotSound as error:
        raise BackupRefused(f"{source} can't be restored: {error}.") from error
    partial = database.with_name(database.name + PARTIAL)
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
        _require_room(source, database.parent)
        partial.unlink(missing_ok=True)
        copy(source, partial)
        contents = examine(partial)
        sync(partial)
        former = _set_aside(database, now)
        os.replace(partial, database)
        sync(database.parent)
    except (OSError, *UNREADABLE, NotSound) as error:
        raise BackupRefused(f"{source} can't be restored: {_reason(error)}.") from error
    finally:
        partial.unlink(missing_ok=True)
    return Restored(contents, former)


def _set_aside(database: Path, now: float) -> Path | None:
    """Keep the database and what lies beside it under one other name; returns that.

    Where the disk can, the file keeps its own name as well: then whoever is interrupted between this and what follows
    still has a database, and not an empty new one at the next start."""
    kept = database.with_name(f"{database.name}.before-restore-{stamp(now)}")
    if database.exists():
        with contextlib.suppress(*UNREADABLE), closing(sqlite3.connect(database)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # a sound one becomes a single file
    for suffix in COMPANIONS:
        if companion(database, suffix).exists():
            os.replace(companion(database, suffix), companion(kept, suffix))
    if not database.exists():
        return None
    try:
        os.link(database, kept)
    except OSError:
        os.replace(database, kept)
    return kept


def automatic(folder: Path) -> list[Path]:
    """The automatic backups in a folder, newest first."""
    try:
        names = sorted((path.name for path in folder.iterdir() if AUTOMATIC.fullmatch(path.name)), reverse=True)
    except OSError:
        return []
    return [folder / name for name in names]


def newest_sound(folder: Path) -> Path | None:
    """The newest automatic backup that can be restored."""
    for path in automatic(folder):
        with contextlib.suppress(NotSound):
            examine(path)
            return path
    return None


def prune(folder: Path, kept: int, now: float) -> list[Path]:
    """Delete all automatic backups but the newest `kept`; returns those deleted.

    Backups from the future, made while the clock was wrong, neither count nor go until their time has come."""
    old = [path for path in automatic(folder) if taken_at(path) <= now][kept:]
    for path in old:
        path.unlink(missing_ok=True)
    return old


def taken_at(path: Path) -> float:
    """When an automatic backup was made, in seconds since 1970, by its name."""
    digits = "-".join(path.name.split("-")[1:3]).removesuffix(".sqlite3")
    return time.mktime(time.strptime(digits, "%Y%m%d-%H%M%S"))


def make_due(database: Path, folder: Path, every_s: float, kept: int, now: float) -> Path | None:
    """Make an automatic backup if the last one is older than `every_s` seconds; returns it. Blocking.

    Raises BackupRefused."""
    if not kept or any(0 <= now - taken_at(path) < every_s for path in automatic(folder)):
        return None
    written = write(database, folder / automatic_name(now))
    prune(folder, kept, now)
    return written


def _require_room(source: Path, folder: Path) -> None:
    needed = source.stat().st_size
    free = shutil.disk_usage(folder).free
    if free < needed * 1.1:
        raise OSError(f"it needs {needed / 1e6:.1f} MB, and {free / 1e6:.1f} MB are free in {folder}")


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or damage(error)

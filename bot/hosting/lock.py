"""A lock beside the database, so that no second bot opens it: two would post everything twice.

The lock is the operating system's (flock(2)), so it goes with its process, however that ends. The file stays, and says
who had it last and which database that was.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bot.errors import DatabaseInUse, StoreError

SUFFIX = ".lock"


@dataclass(frozen=True)
class Holder:
    """What the lock's file says: the process that holds or held it, and the mark of the database that it had open."""

    pid: int = 0
    mark: str = ""


class DatabaseLock:
    """The lock, held."""

    def __init__(self, file: IO[str], former: Holder) -> None:
        self._file = file
        self.former = former
        """Who had the database before."""

    def note(self, mark: str) -> None:
        """Write down which database this process has open. Raises OSError, with what was written before still there:
        a full disk takes what's written over, and the file is made shorter only after that."""
        line = json.dumps({"pid": os.getpid(), "mark": mark}).encode()
        os.pwrite(self._file.fileno(), line, 0)
        os.ftruncate(self._file.fileno(), len(line))
        os.fsync(self._file.fileno())


@contextlib.contextmanager
def database_lock(database: Path) -> Iterator[DatabaseLock]:
    """Hold the lock of a database for as long as the body runs.

    Raises DatabaseInUse when another process has it, StoreError when the folder takes no lock."""
    path = lock_path(database)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), "r+", encoding="utf-8")
    except OSError as error:
        raise StoreError(
            f"I can't open the database {database} ('[store] path' in the settings): {error.strerror}."
        ) from error
    with file:
        former = _read(file)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            who = f" (process {former.pid})" if former.pid else ""
            raise DatabaseInUse(
                f"Another Woodshed{who} is using the database {database}; stop that one first."
            ) from error
        except OSError as error:
            raise StoreError(
                f"The folder {path.parent} doesn't support file locks ({error.strerror}); "
                "put the database on a local disk ('[store] path' in the settings)."
            ) from error
        lock = DatabaseLock(file, former)
        try:
            lock.note(former.mark)
        except OSError as error:
            raise StoreError(
                f"Nothing can be written beside the database {database} ({error.strerror}); make room on its disk, or "
                "move it ('[store] path' in the settings)."
            ) from error
        yield lock


def holder_of(database: Path) -> Holder | None:
    """The process that has the database open now; None if there is none."""
    try:
        with lock_path(database).open(encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return _read(file)
    except OSError:
        return None
    return None


def lock_path(database: Path) -> Path:
    return database.with_name(database.name + SUFFIX)


def _read(file: IO[str]) -> Holder:
    file.seek(0)
    try:
        content = json.load(file)
        return Holder(int(content["pid"]), str(content["mark"]))
    except (ValueError, KeyError, TypeError):
        return Holder()

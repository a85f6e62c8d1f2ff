"""What outlives the server: one SQLite file and the attachments beside it, in `var/playground/`.

The server keeps its state in memory and writes each change through; rows hold the records as JSON, because nothing
but this server reads them and every read is by id or by channel. Writes are small (under a millisecond with WAL), so
they run on the event loop; files, which are not small, go through threads (see attachments.py).
"""

import json
import secrets
import sqlite3
from pathlib import Path
from typing import Any

Json = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS keys (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS records (
    kind TEXT NOT NULL,
    id   TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;
"""
_VERSION = 1


class StateTooNew(Exception):
    """The state directory was written by a newer playground."""


class StateInUse(Exception):
    """Another playground has the state directory open."""


class Store:
    """Records by kind and id, and a few named values."""

    def __init__(self, directory: Path) -> None:
        """Opens or creates the store; raises StateTooNew for one that this code is too old for, StateInUse for one
        that another process has open: two would overwrite each other's state."""
        self.directory = directory
        self.files = directory / "files"
        self.files.mkdir(parents=True, exist_ok=True)
        directory.chmod(0o700)  # the keys in it are nobody else's
        self._connection = sqlite3.connect(directory / "playground.sqlite3", isolation_level=None, timeout=1.0)
        try:
            self._open()
        except sqlite3.OperationalError as error:
            self._connection.close()
            if "locked" not in str(error):
                raise
            raise StateInUse(
                f"Another playground is using {directory}. Stop it, or name another folder with --state."
            ) from error
        except StateTooNew:
            self._connection.close()
            raise

    def _open(self) -> None:
        self._connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version > _VERSION:
            raise StateTooNew(
                f"{self.directory} belongs to a newer playground (version {version}; this one reads up to {_VERSION}). "
                "Update Woodshed, or name another folder with --state."
            )
        self._connection.executescript(_SCHEMA + f"PRAGMA user_version={_VERSION};")

    def close(self) -> None:
        self._connection.close()

    def get(self, name: str) -> str | None:
        """A named value, or None."""
        row = self._connection.execute("SELECT value FROM keys WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def set(self, name: str, value: str) -> None:
        self._connection.execute("INSERT OR REPLACE INTO keys VALUES (?, ?)", (name, value))

    def secret(self, name: str) -> str:
        """A random value that is made at the first call and stays."""
        value = self.get(name)
        if value is None:
            value = secrets.token_urlsafe(32)
            self.set(name, value)
        return value

    def put(self, kind: str, record_id: str, body: Json) -> None:
        """Writes one record, new or changed."""
        self._connection.execute("INSERT OR REPLACE INTO records VALUES (?, ?, ?)", (kind, record_id, json.dumps(body)))

    def remove(self, kind: str, record_id: str) -> None:
        self._connection.execute("DELETE FROM records WHERE kind = ? AND id = ?", (kind, record_id))

    def largest_id(self) -> int:
        """The largest id of any record, or 0."""
        return int(self._connection.execute("SELECT coalesce(max(CAST(id AS INTEGER)), 0) FROM records").fetchone()[0])

    def all(self, kind: str) -> list[Json]:
        """Every record of a kind, oldest id first."""
        rows = self._connection.execute(
            "SELECT body FROM records WHERE kind = ? ORDER BY length(id), id", (kind,)
        ).fetchall()
        return [json.loads(row[0]) for row in rows]

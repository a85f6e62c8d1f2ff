"""Errors that a member, or the person who starts the bot, may see.

    WoodshedError                message = one plain sentence, safe to show
    ├── Refused                  a rule of the club says no, or the request makes no sense
    │   └── MissingPermission    the bot isn't allowed to post what the answer needs
    ├── Undelivered              Discord didn't take the answer
    ├── NotHandedOver            Discord didn't give us the file that a member sent
    ├── NoRoom                   the disk has no room for a member's file
    ├── EngineError              anything that went wrong on the other side of the contract
    │   ├── EngineRefused        the request is at fault: the engine's own sentence
    │   ├── EngineBusy           its queue is full; trying again later helps
    │   ├── EngineUnavailable    not started, still warming, gone, or unreachable
    │   ├── EngineTimeout        no answer before the deadline
    │   ├── EngineHung           up, but it no longer answers anything
    │   ├── EngineFailed         it tried and failed; the detail is in the engine's log
    │   └── JobCancelled         the member, or the engine as it shut down, cancelled the job
    └── StoreError               the database can't be opened
        ├── DatabaseTooNew       written by a newer Woodshed
        ├── DatabaseInUse        another bot has it open
        ├── DatabaseDamaged      the file is broken; a backup is needed
        ├── BackupRefused        a backup that can't be written, or mustn't be restored
        └── MigrationFailed      a migration did not run; the database is as it was before

Whatever is not in this tree is a defect: the member reads one general sentence and the log gets the traceback.
"""

from __future__ import annotations

import sqlite3

STAFF_ONLY = "Only the course staff can do this."
SERVER_ONLY = "This only works on a server."


class WoodshedError(Exception):
    """Base of the tree; `str(error)` is one plain sentence that may be shown."""

    @property
    def sentence(self) -> str:
        return str(self)


class Refused(WoodshedError):
    """A rule says no. Never logged as a failure."""


class MissingPermission(Refused):
    """The bot lacks a channel permission that the answer needs; found before any work is queued."""


class Undelivered(WoodshedError):
    """Discord didn't take an answer, or nobody knows; the log has each attempt."""

    def __init__(self, sentence: str, *, final: bool, may_have_arrived: bool, worth_saying: bool) -> None:
        super().__init__(sentence)
        self.final = final
        """trying again is useless"""
        self.may_have_arrived = may_have_arrived
        """nothing may be undone, and nothing else sent in its place"""
        self.worth_saying = worth_saying
        """there's still a way to tell its reader"""


class NotHandedOver(WoodshedError):
    """Discord didn't give us a member's file: an error, a broken connection, a body without end."""


class NoRoom(WoodshedError):
    """The disk is full, or nearly; what's left is for votes and answers."""


class EngineError(WoodshedError):
    """Base of what the engine client raises."""


class EngineRefused(EngineError):
    """The request is at fault; the message is the engine's own sentence and `code` its class of error."""

    def __init__(self, sentence: str, code: str = "bad_request") -> None:
        super().__init__(sentence)
        self.code = code


class EngineBusy(EngineError):
    """The engine's queue is full."""


class EngineUnavailable(EngineError):
    """The engine can't be reached, is still warming, or died while it worked on this."""


class EngineTimeout(EngineError):
    """The deadline passed."""


class EngineHung(EngineError):
    """The engine is there and answers nothing, not even a health check."""


class EngineFailed(EngineError):
    """The engine tried and failed."""


class JobCancelled(EngineError):
    """The job was cancelled by its member or by an engine that shuts down."""


class StoreError(WoodshedError):
    """The database can't be opened."""


class DatabaseTooNew(StoreError):
    """The database was written by a newer version of Woodshed."""


class DatabaseInUse(StoreError):
    """Another bot has the database open; two of them would post everything twice."""


class DatabaseDamaged(StoreError):
    """The file is broken. It stays where it is until a backup is restored."""


class BackupRefused(StoreError):
    """A backup that can't be written, or one that mustn't be restored."""


class MigrationFailed(StoreError):
    """A migration failed; it was rolled back whole."""


UNREADABLE = (sqlite3.Error, UnicodeError)
"""What reading a broken database raises: where SQLite's own message quotes a broken name, Python can't read that."""


def damage(error: Exception) -> str:
    """What an error of `UNREADABLE` says."""
    return "its texts are unreadable" if isinstance(error, UnicodeError) else str(error)

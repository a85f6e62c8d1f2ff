"""`python -m bot COMMAND`: what a host does with a bot, beside running it. `bot/__main__.py` calls `main` here."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bot.errors import BackupRefused, StoreError
from bot.hosting import backup, doctor, member_data
from bot.hosting.database_file import NotSound, examine
from bot.hosting.lock import database_lock
from bot.settings import BotSettings, load_bot_settings
from bot.store import open_store
from bot.typed import typed
from engine.contract.configuration import ConfigurationError

FAILED_EXIT_CODE = 1


def discord_id(text: str) -> int:
    """A member's id, as Discord's developer mode copies it: a positive number of 64 bits. Raises for anything else."""
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 2**63:
        raise argparse.ArgumentTypeError(
            f"{text!r} isn't a Discord id; it's a long number, which Copy User ID gives in Discord's developer mode"
        )
    return int(text)


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bot", description="Woodshed's bot. Without a command it runs.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("run", help="run the bot (the default)")
    sub = commands.add_parser("backup", help="write the database to a new file, while the bot runs or not")
    sub.add_argument("file", type=Path, metavar="FILE")
    sub = commands.add_parser("restore", help="put a backup in the database's place; the former file is kept")
    sub.add_argument("file", type=Path, nargs="?", metavar="FILE", help="without it, the automatic backups are listed")
    sub = commands.add_parser("doctor", help="check everything a running bot needs, and say how to mend what's wrong")
    sub.add_argument("--offline", action="store_true", help="leave Discord out")
    sub = commands.add_parser("export-member", help="print everything that is kept about a member, as JSON")
    sub.add_argument("member", type=discord_id, metavar="DISCORD_ID")
    sub.add_argument("--out", type=Path, metavar="FILE", help="write it to this file instead")
    sub = commands.add_parser("forget-member", help="forget a member, as /mydata delete does")
    sub.add_argument("member", type=discord_id, metavar="DISCORD_ID")
    sub.add_argument("--yes", action="store_true", help="don't ask")
    return parser


def main(options: argparse.Namespace) -> int:
    """Run a command other than `run`; the exit code: 0 done, 1 it can't be done (one sentence says why), 78 a wrong
    setting."""
    try:
        settings = load_bot_settings(needs_token=False)
    except ConfigurationError:
        if options.command != "doctor":
            raise
        settings = None  # the doctor says so, among the rest
    try:
        return _run(options, settings)
    except StoreError as error:
        sys.stderr.write(f"{error.sentence}\n")
        return FAILED_EXIT_CODE


def _run(options: argparse.Namespace, settings: BotSettings | None) -> int:
    if options.command == "doctor":
        return asyncio.run(doctor.run(offline=options.offline))
    assert settings is not None
    database = settings.store.path
    match options.command:
        case "backup":
            written = backup.write(database, options.file)
            sys.stdout.write(f"{written}: {examine(written)}.\n")
        case "restore" if options.file is None:
            return _list(settings.backup_folder)
        case "restore":
            sys.stdout.write(_restore(options.file, settings))
        case "export-member":
            sys.stdout.write(asyncio.run(_export(settings, options.member, options.out)))
        case "forget-member":
            if not options.yes and not _confirmed(options.member):
                sys.stdout.write("Nothing was changed.\n")
                return FAILED_EXIT_CODE
            sys.stdout.write(asyncio.run(_forget(settings, options.member)))
    return 0


def _list(folder: Path) -> int:
    """The automatic backups, newest first, with what's in them."""
    found = backup.automatic(folder)
    if not found:
        sys.stderr.write(f"There are no automatic backups in {folder}; name the file to restore.\n")
        return FAILED_EXIT_CODE
    for path in found:
        try:
            what = str(examine(path))
        except NotSound as error:
            what = f"unusable: {error}"
        sys.stdout.write(f"{path}: {what}\n")
    sys.stdout.write(f"Restore one with `{typed('restore FILE')}`.\n")
    return 0


def _restore(source: Path, settings: BotSettings) -> str:
    database = settings.store.path
    now = time.time()
    with database_lock(database) as lock:
        done = backup.restore(source, database, now)
        lock.note("")
        lines = [f"Restored {source}: {done.contents}."]
        if done.former is not None:
            lines.append(f"The former database is kept as {done.former}.")
            if again := asyncio.run(_forget_again(settings, done.former, now)):
                members = "1 member" if again == 1 else f"{again} members"
                lines.append(f"{members} had asked to be forgotten since that backup, and were forgotten again.")
    return "\n".join(lines) + "\n"


async def _forget_again(settings: BotSettings, former: Path, now: float) -> int:
    async with open_store(settings.store.path, busy_timeout_s=settings.store.busy_timeout_s) as store:
        return await member_data.forget_again(store, former, now)


async def _export(settings: BotSettings, member: int, target: Path | None) -> str:
    _require_database(settings)
    async with open_store(settings.store.path, busy_timeout_s=settings.store.busy_timeout_s) as store:
        return await member_data.export(store, member, target)


async def _forget(settings: BotSettings, member: int) -> str:
    _require_database(settings)
    async with open_store(settings.store.path, busy_timeout_s=settings.store.busy_timeout_s) as store:
        return await member_data.forget(store, member, time.time())


def _require_database(settings: BotSettings) -> None:
    if not settings.store.path.exists():
        raise BackupRefused(f"There is no database at {settings.store.path} yet ('[store] path' in the settings).")


def _confirmed(member: int) -> bool:
    sys.stdout.write(f"Forget {member}? This can't be undone. Type yes: ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() == "yes"


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    return build_parser().parse_args(list(arguments))

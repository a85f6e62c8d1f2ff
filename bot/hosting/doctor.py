"""`python -m bot doctor`: everything a running bot needs, checked one by one, each with how to mend it."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path

from bot.engine.calls import open_engine_client
from bot.errors import EngineError, StoreError
from bot.hosting import backup
from bot.hosting.database_file import NotSound, examine, newest_version, read_only
from bot.hosting.discord_check import examine_discord
from bot.hosting.finding import Finding
from bot.hosting.lock import holder_of
from bot.hosting.opening import require_write_ahead_log
from bot.settings import BotSettings, load_bot_settings
from bot.typed import typed
from bot.version import woodshed_version
from engine.contract.configuration import ConfigurationError
from engine.contract.process_settings import LOCAL

LOCK_FILE = Path(__file__).resolve().parents[2] / "requirements.lock"
ENGINE_CHECK = (sys.executable, "-m", "engine", "doctor")
ENGINE_PATIENCE_S = 180.0
"""Loading torch takes seconds, or a minute on a busy machine."""
SIGNS = {"good": "ok   ", "warning": "look ", "trouble": "WRONG"}


async def run(*, offline: bool) -> int:
    """Check and print; 0 when nothing is in trouble, else 1."""
    try:
        settings = load_bot_settings(needs_token=False)
    except ConfigurationError as error:
        _print(Finding("trouble", "settings", str(error), "change the setting it names; the rest was not checked"))
        return 1
    bad = 0
    for check in (versions, database, backups, disk):
        for finding in check(settings):
            bad += _print(finding)
    if not offline:
        async for finding in examine_discord(settings):
            bad += _print(finding)
    for finding in await engine(settings):
        bad += _print(finding)
    sys.stdout.write("Everything works.\n" if not bad else f"{bad} {'thing is' if bad == 1 else 'things are'} wrong.\n")
    return int(bad > 0)


def _print(finding: Finding) -> bool:
    sys.stdout.write(f"{SIGNS[finding.level]} {finding.subject}: {finding.detail}\n")
    if finding.mend:
        sys.stdout.write(f"      -> {finding.mend}\n")
    sys.stdout.flush()
    return finding.level == "trouble"


def versions(settings: BotSettings) -> Iterator[Finding]:
    """Python, and whether the installed packages are those that were tested."""
    running = f"Woodshed {woodshed_version()}, Python {'.'.join(map(str, sys.version_info[:3]))}"
    if not (3, 11) <= sys.version_info[:2] < (3, 13):
        yield Finding("trouble", "versions", running, "use Python 3.11 or 3.12: `make clean`, then `make run`")
        return
    locked: dict[str, set[str]] = {}  # a package can be locked twice, for different Pythons
    for name, version in re.findall(r"^([\w.-]+)==([^\s;\\]+)", LOCK_FILE.read_text(encoding="utf-8"), re.MULTILINE):
        locked.setdefault(name, set()).add(version.partition("+")[0])
    other = []
    for name, wanted in locked.items():
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue  # for another platform, or for development only
        if found.partition("+")[0] not in wanted:
            other.append(f"{name} {found} instead of {' or '.join(sorted(wanted))}")
    if other:
        yield Finding("warning", "versions", f"{running}; {', '.join(other)}", "run `make environment`")
    else:
        yield Finding("good", "versions", f"{running}, packages as locked")


def database(settings: BotSettings) -> Iterator[Finding]:
    """The file, who has it, whether it's whole, and whether its disk does write-ahead logging."""
    path = settings.store.path
    there = _nearest(path.parent)
    try:
        with tempfile.TemporaryDirectory(dir=there, prefix="doctor-") as scratch:
            require_write_ahead_log(Path(scratch) / path.name)
    except OSError as error:
        mend = "give that folder to the user who runs the bot, or move the database ('[store] path' in the settings)"
        yield Finding("trouble", "database", f"nothing can be written in {there} ({error.strerror})", mend)
    except StoreError as error:
        mend = "put the database on a local disk with room on it ('[store] path' in the settings)"
        yield Finding("trouble", "database", f"a database can't be kept in {there}: {error.sentence}", mend)
    if not path.exists():
        yield Finding("good", "database", f"{path} doesn't exist yet; the first start makes it")
        return
    holder = holder_of(path)
    if holder is not None:
        who = f"process {holder.pid}" if holder.pid else "another process"
        yield Finding("good", "database", f"{who} has it open; that's your running bot, and a second one won't start")
    try:
        contents = examine(path)
    except NotSound as error:
        newest = backup.newest_sound(settings.backup_folder)
        mend = typed(f"restore {newest or 'FILE'}")
        yield Finding("trouble", "database", f"{path} can't be used: {error}", f"stop the bot, then: {mend}")
        return
    yield Finding("good", "database", f"{path} is sound: {contents}")
    if contents.version < newest_version():
        yield Finding("warning", "database", "it's from an older Woodshed", "the next start backs it up and updates it")
    try:
        with read_only(path) as connection:
            mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    except sqlite3.Error as error:
        yield Finding(
            "trouble", "database", f"{path} can't be opened: {error}", "check the file's owner and permissions"
        )
        return
    if holder is not None and mode != "wal":
        mend = "put it on a local disk ('[store] path' in the settings)"
        yield Finding("trouble", "database", f"its disk doesn't do write-ahead logging (journal: {mode})", mend)


def backups(settings: BotSettings) -> Iterator[Finding]:
    """Whether there are automatic backups, new enough and usable."""
    hosting = settings.hosting
    if not hosting.backups_kept:
        yield Finding("warning", "backups", "there are none", "set '[hosting] backups_kept', or back up by other means")
        return
    found = backup.automatic(settings.backup_folder)
    if not found:
        yield Finding(
            "warning", "backups", f"none in {settings.backup_folder} yet", "a running bot makes the first one"
        )
        return
    now = time.time()
    if backup.taken_at(found[0]) > now + 3600:
        mend = "set this machine's clock; if it's right, rename that backup, for it's older than it says"
        yield Finding("warning", "backups", f"the newest, {found[0]}, is from the future", mend)
    age_h = (now - backup.taken_at(found[0])) / 3600
    try:
        contents = examine(found[0])
    except NotSound as error:
        mend = f"delete it, and make one: {typed(f'backup {settings.backup_folder}/by-hand.sqlite3')}"
        yield Finding("trouble", "backups", f"the newest, {found[0]}, is unusable: {error}", mend)
        return
    detail = f"{len(found)}, the newest {max(0.0, age_h):.0f} h old: {contents}"
    if age_h > 2 * hosting.backup_every_h:
        yield Finding("warning", "backups", detail, "is the bot running? If so, its log says why it makes none")
    else:
        yield Finding("good", "backups", detail)


def disk(settings: BotSettings) -> Iterator[Finding]:
    """Room for the database and its backups."""
    for what, folder in (("database", settings.store.path.parent), ("backups", settings.backup_folder)):
        there = _nearest(folder)
        free_mb = shutil.disk_usage(there).free / 1e6
        if free_mb < settings.hosting.free_disk_mb:
            mend = f"make room, or move the {what} in the settings"
            yield Finding("trouble", f"disk of the {what}", f"{free_mb:.0f} MB free in {there}", mend)
        else:
            yield Finding("good", f"disk of the {what}", f"{free_mb / 1000:.0f} GB free")


def _nearest(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    return next((parent for parent in (folder, *folder.parents) if parent.exists()), Path())


async def engine(settings: BotSettings, command: Sequence[str] = ENGINE_CHECK) -> list[Finding]:
    """What the engine says about itself; it's asked in a process of its own, because the bot never loads torch."""
    if settings.engine.address != LOCAL:
        return [await _engine_elsewhere(settings)]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(ENGINE_PATIENCE_S):
            printed, errors = await process.communicate()
        lines = printed.decode().splitlines()
        found = [Finding(**json.loads(line)) for line in lines]
    except TimeoutError:
        process.kill()
        await process.wait()
        return [Finding("trouble", "engine", "it didn't answer", "look at the load of this machine, and try again")]
    except (ValueError, TypeError):
        found = []
    if not found:
        said = errors.decode(errors="replace").strip().splitlines()
        last = said[-1] if said else f"it ended with code {process.returncode}"
        return [Finding("trouble", "engine", f"it doesn't start: {last}", "run `make clean`, then `make run`")]
    return found


async def _engine_elsewhere(settings: BotSettings) -> Finding:
    """Whether an engine that this bot didn't start answers: address, certificate, token and version in one question."""
    address = settings.engine.address
    try:
        async with open_engine_client(settings.engine) as client:
            about = await client.about()
    except ConfigurationError as error:
        return Finding("trouble", "engine", str(error), "change the setting it names")
    except EngineError as error:
        mend = "see whether it runs there, and whether address, certificate and token are the same on both sides"
        return Finding("trouble", "engine", f"nothing usable answers at {address}: {error.sentence}", mend)
    detail = f"Woodshed {about.version} answers at {address}, on {about.device}"
    return Finding("good", "engine", f"{detail}; `python -m engine doctor` over there checks the rest")

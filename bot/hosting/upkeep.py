"""What has to be done every hour: the automatic backup, the pictures' room in the database, a look at the disk."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable

import structlog

from bot.errors import BackupRefused
from bot.hosting import backup
from bot.hosting.notices import Notices
from bot.settings import BotSettings
from bot.store import Store, creations, open_answers
from bot.typed import typed

log = structlog.get_logger(__name__)

INTERVAL_S = 3600.0
DAY_S = 24 * 3600.0
OPEN_S = 2 * DAY_S
"""Nothing is on its way for longer: a result is tried for a day."""


async def keep_up(settings: BotSettings, store: Store, notices: Notices, now: Callable[[], float] = time.time) -> None:
    """Look after the database every hour, until cancelled. Trouble goes to staff, and never ends this."""
    while True:
        try:
            await look_after(settings, store, notices, now())
        except Exception as error:
            log.exception("the hourly upkeep failed; the next one is in an hour")
            notices.report(
                "upkeep",
                f"The hourly upkeep (backup, tidying up) failed: {type(error).__name__}. It's tried again in an hour; "
                "the log says more.",
            )
        await asyncio.sleep(INTERVAL_S)


async def look_after(settings: BotSettings, store: Store, notices: Notices, now: float) -> None:
    """One round."""
    hosting = settings.hosting
    dropped = await creations.forget_pictures_before(store, now - settings.store.picture_days * DAY_S)
    dropped += await creations.forget_beyond(store, settings.store.picture_mb * 1_000_000)
    await open_answers.forget_before(store, now - OPEN_S)
    await store.overwrite_deleted()
    if dropped:
        log.info("old files behind buttons let go", files=dropped)
    try:
        made = await asyncio.to_thread(
            backup.make_due,
            store.path,
            settings.backup_folder,
            hosting.backup_every_h * 3600.0,
            hosting.backups_kept,
            now,
        )
    except BackupRefused as error:
        notices.report("backup", f"The automatic backup failed. {error.sentence} `{typed('doctor')}` checks the rest.")
    else:
        if made:
            log.info("backed up", backup=str(made))
    free_mb = (await asyncio.to_thread(shutil.disk_usage, store.path.parent)).free / 1e6
    if hosting.free_disk_mb and free_mb < hosting.free_disk_mb:
        notices.report(
            "disk",
            f"Only {free_mb:.0f} MB are free on the disk of the database; when it's full, votes and answers can't be "
            "kept. Make room, or move the database ('[store] path' in the settings).",
        )

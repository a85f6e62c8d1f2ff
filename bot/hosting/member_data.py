"""For a host who is asked in writing: everything that is kept about a member, or forgetting them."""

from __future__ import annotations

import json
import os
from pathlib import Path

from bot.errors import UNREADABLE, StoreError
from bot.hosting.database_file import read_only
from bot.store import Store, members


async def export(store: Store, discord_id: int, target: Path | None) -> str:
    """The same data as `/mydata export`, as JSON: into a file that must not exist yet, or returned."""
    kept = await members.export(store, discord_id)
    text = json.dumps({"discord_id": str(discord_id), **kept}, indent=2, ensure_ascii=False) + "\n"
    if target is None:
        return text
    try:
        descriptor = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)  # nobody else's business
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise StoreError(f"{target} already exists; choose another name.") from error
    except OSError as error:
        raise StoreError(f"{target} can't be written: {error.strerror}.") from error
    if not any(kept.values()):
        return f"Nothing is kept about {discord_id}, which {target} says, too.\n"
    return f"Everything kept about {discord_id} is in {target}.\n"


async def forget(store: Store, discord_id: int, now: float) -> str:
    """The same as `/mydata delete`."""
    if await members.forget(store, discord_id, now):
        return f"Done: {discord_id} is forgotten, and all totals stay right. Older backups still know them.\n"
    return f"Nothing is kept about {discord_id}.\n"


async def forget_again(store: Store, former: Path, now: float) -> int:
    """After a restore: forget those who asked for it since the backup was made; returns how many.

    The former database knows them as rows without a Discord id, under the numbers that they have in the backup too."""
    try:
        with read_only(former) as connection:
            rows = connection.execute("SELECT id, first_seen_at FROM members WHERE discord_id IS NULL").fetchall()
    except UNREADABLE:  # damaged: that's why a backup was restored
        return 0
    forgotten = {(int(number), float(first_seen_at)) for number, first_seen_at in rows}
    known = await store.fetch_all("SELECT id, discord_id, first_seen_at FROM members WHERE discord_id IS NOT NULL")
    again = [row["discord_id"] for row in known if (row["id"], row["first_seen_at"]) in forgotten]
    for discord_id in again:
        await members.forget(store, discord_id, now)
    return len(again)

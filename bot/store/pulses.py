"""How the bot did, five minutes a row: what `/status` draws."""

from __future__ import annotations

from dataclasses import dataclass

from bot.store.connection import Store

KEPT_S = 2 * 24 * 3600


@dataclass(frozen=True)
class Pulse:
    """Five minutes, from `at` on (s since 1970). Times in s; `engine_up` is a share, 0..1."""

    at: int
    answered: int
    refused: int
    failed: int
    middle_s: float | None
    slowest_s: float | None
    queue: int
    lag_s: float
    engine_up: float


async def keep(store: Store, pulse: Pulse) -> None:
    """Write one down, in the place of one that began at the same time, and let those of two days ago go."""
    async with store.transaction() as transaction:
        await transaction.execute(
            "INSERT OR REPLACE INTO pulses VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                pulse.at,
                pulse.answered,
                pulse.refused,
                pulse.failed,
                pulse.middle_s,
                pulse.slowest_s,
                pulse.queue,
                pulse.lag_s,
                pulse.engine_up,
            ),
        )
        await transaction.execute("DELETE FROM pulses WHERE at < ?", (pulse.at - KEPT_S,))


async def since(store: Store, at: float) -> list[Pulse]:
    """Those that began at `at` or later, oldest first."""
    rows = await store.fetch_all("SELECT * FROM pulses WHERE at >= ? ORDER BY at", (int(at),))
    return [Pulse(**dict(row)) for row in rows]

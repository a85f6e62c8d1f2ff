"""Whether a clip is in the collection already, as another file: in another key, at another tempo, as another recording.

What the engine sends as a fingerprint says of what it is (notes or sound) and holds 32-bit numbers
(`engine/jazz/rendering/fingerprint.py`).
"""

from __future__ import annotations

import asyncio

from bot.store import Store, clips
from bot.store.clips import Clip

ALIKE = {b"N": 0.4, b"S": 0.06}
"""Shares of the smaller fingerprint from which two are taken for the same music. Between 355 solos of the Weimar Jazz
Database the notes of no two, of different takes neither, share more than 0.19; those of two recordings share 0.002, of
one recording after a poor codec, a cut or added noise 0.1 and more."""
SIZE = 4


def likeness(one: bytes, other: bytes) -> float:
    """The share of the smaller of two fingerprints that is in the larger one; 0 where they aren't of a kind."""
    if not one or one[:1] != other[:1]:
        return 0.0
    first, second = _numbers(one), _numbers(other)
    return len(first & second) / max(1, min(len(first), len(second)))


def is_alike(one: bytes, other: bytes) -> bool:
    return likeness(one, other) >= ALIKE.get(one[:1], 2.0)


async def alike_in(store: Store, guild_id: int, fingerprint: bytes) -> Clip | None:
    """The clip of a server's collection that is most like this, if one is the same music."""
    if not fingerprint:
        return None
    kept = await clips.fingerprints(store, guild_id)

    def nearest() -> int | None:
        near = {number: likeness(fingerprint, other) for number, other in kept.items() if is_alike(fingerprint, other)}
        return max(near, key=lambda number: near[number]) if near else None

    found = await asyncio.to_thread(nearest)
    return None if found is None else await clips.get(store, found)


def _numbers(fingerprint: bytes) -> set[bytes]:
    return {fingerprint[at : at + SIZE] for at in range(1, len(fingerprint), SIZE)}

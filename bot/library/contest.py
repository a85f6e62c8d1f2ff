"""Which version of the model plays: the one that comes with the engine, a candidate beside it, and who has won.

The engine offers up to two versions. In polls each plays half of the trials; everywhere else the champion plays. Once
the votes say that the other one fools listeners more often (`bot/rules/model_race.py`), that one is the champion, and
the database remembers it for as long as the engine offers it.
"""

from __future__ import annotations

import asyncio
import random

import structlog

from bot.engine.calls import EngineClient
from bot.rules.model_race import Race, Runner, race
from bot.store import Store, meta
from bot.store.polls import versions as votes
from engine.contract import engine_pb2 as pb

log = structlog.get_logger(__name__)

CHAMPION = "model_champion"
SEED = 1
"""Of the draws from the posteriors: the same votes give the same figure."""


async def versions(options: pb.ListJazzOptionsReply, store: Store) -> list[str]:
    """The champion, then the candidate, if there is one. Where the votes have decided, the two change places."""
    found = await _known(options, store)
    if len(found) == 2 and (await _race(store, *found)).decided:
        log.warning("the votes have made another version of the model the champion", version=found[1], before=found[0])
        await meta.put(store, CHAMPION, found[1])
        found.reverse()
    return found


async def champion(engine: EngineClient, store: Store) -> str:
    """Who plays where nobody votes; "" where the engine offers no choice."""
    found = await _known(await engine.list_jazz_options(), store)
    return found[0] if len(found) > 1 else ""


async def _known(options: pb.ListJazzOptionsReply, store: Store) -> list[str]:
    offered = list(options.model_versions)[:2]
    named = await meta.get(store, CHAMPION)
    return sorted(offered, key=lambda version: version != named) if named in offered else offered


async def standing(options: pb.ListJazzOptionsReply, store: Store) -> Race | None:
    """How the race between the two versions stands; None where only one plays."""
    found = await _known(options, store)
    if len(found) < 2:
        return None
    return await _race(store, *found, taken_over=found[0] != options.model_versions[0])


async def _race(store: Store, first: str, second: str, *, taken_over: bool = False) -> Race:
    fooled = await votes.fooled(store, (first, second))
    champion, candidate = (Runner(version, tuple(fooled[version])) for version in (first, second))
    return await asyncio.to_thread(race, champion, candidate, random.Random(SEED), taken_over=taken_over)

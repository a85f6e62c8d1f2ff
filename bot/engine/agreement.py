"""Do bot and engine speak the same version of the contract? Asked again at every new connection.

The engine refuses a caller of another version by itself; this is for the bot's log, for staff, and for an engine from
before it could."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from bot.engine.calls import EngineClient
from bot.errors import EngineError
from engine.contract import CONTRACT_VERSION

log = structlog.get_logger(__name__)

WARM_WITHIN_S = 300.0
PAUSE_S = 1.0


async def watch_agreement(client: EngineClient, report: Callable[[str], None], pause_s: float = PAUSE_S) -> None:
    """Compare at every connection, until cancelled; `report` hears of each engine that can't be understood."""
    while True:
        await client.wait_connected()
        try:
            await client.wait_serving(WARM_WITHIN_S)
            about = await client.about()
        except EngineError as error:
            log.debug("the engine's contract isn't known yet", reason=error.sentence)
            await asyncio.sleep(pause_s)
            continue
        client.understands = about.contract == CONTRACT_VERSION
        if client.understands:
            log.info("connected to the engine", version=about.version, contract=about.contract)
        else:
            sentence = (
                f"The engine is Woodshed {about.version} and speaks version {about.contract} of the contract; the bot "
                f"speaks {CONTRACT_VERSION}. Pictures, clips and questions have to wait. Update the older of the two."
            )
            log.error("the engine can't be understood", engine=about.contract, bot=CONTRACT_VERSION)
            report(sentence)
        await client.wait_disconnected()

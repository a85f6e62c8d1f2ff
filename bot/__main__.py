"""`python -m bot`: opens store, engine and client, runs until a signal, closes them in the opposite order.

    python -m bot [run | backup | restore | doctor | export-member | forget-member]

Exit codes: 0 stopped by a signal, 78 a setting is wrong or the database can't be used (one sentence says why), 1
anything else.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Sequence
from functools import partial

import aiohttp
import discord
import structlog

from bot.client import Woodshed, point_discord_at
from bot.engine.agreement import watch_agreement
from bot.engine.calls import open_engine_client
from bot.engine.process import private_address, run_local_engine
from bot.errors import StoreError
from bot.hosting import commands
from bot.hosting.draining import LAST_WORD_S, drain
from bot.hosting.heartbeat import beat, heartbeat_path
from bot.hosting.lock import DatabaseLock, database_lock
from bot.hosting.metrics import serve_metrics
from bot.hosting.notices import Notices, report_engine_end
from bot.hosting.opening import mark, prepare
from bot.hosting.upkeep import keep_up
from bot.logs import configure_logs
from bot.settings import TOKEN_VARIABLE, BotSettings, load_bot_settings
from bot.store import open_store
from engine.contract import CONFIGURATION_EXIT_CODE
from engine.contract.configuration import ConfigurationError
from engine.contract.process_settings import LOCAL

log = structlog.get_logger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bot to its end, or one of the other commands; the exit code."""
    options = commands.parse(sys.argv[1:] if arguments is None else arguments)
    try:
        if options.command not in (None, "run"):
            return commands.main(options)
        settings = load_bot_settings()
        configure_logs(settings.log, settings.token.get_secret_value(), settings.engine.token)
        with database_lock(settings.store.path) as lock:
            prepare(settings.store.path, lock, settings.backup_folder)
            asyncio.run(run(settings, lock))
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return CONFIGURATION_EXIT_CODE
    except StoreError as error:  # a restart would not help
        sys.stderr.write(f"{error.sentence}\n")
        return CONFIGURATION_EXIT_CODE
    except KeyboardInterrupt:  # before the signal handlers were in place
        return 0
    return 0


async def run(settings: BotSettings, lock: DatabaseLock) -> None:
    """Run until SIGTERM or SIGINT.

    Raises ConfigurationError (also for the engine's settings and a token that Discord refuses) and StoreError."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with contextlib.AsyncExitStack() as stack:
        store = await stack.enter_async_context(
            open_store(settings.store.path, busy_timeout_s=settings.store.busy_timeout_s)
        )
        await asyncio.to_thread(mark, settings.store.path, lock)
        notices = Notices()
        address = None
        waits: set[asyncio.Task[object]] = {asyncio.create_task(stop.wait(), name="signal")}
        if settings.engine.address == LOCAL:
            address = await stack.enter_async_context(private_address())
            watched = run_local_engine(settings.engine, address, on_end=partial(report_engine_end, notices))
            waits.add(await stack.enter_async_context(watched))
        engine = await stack.enter_async_context(open_engine_client(settings.engine, address))
        if settings.discord.api_base:
            point_discord_at(settings.discord.api_base, await gateway_url(settings.discord.api_base))
        bot = await stack.enter_async_context(Woodshed(settings, store, engine, notices=notices))
        if settings.hosting.metrics_port:
            await stack.enter_async_context(serve_metrics(bot, settings.hosting.metrics_port))
        # From here on nothing ends the start any more: no task is left behind with a closed connection.
        agreeing = watch_agreement(engine, partial(notices.report, "contract"))
        waits.add(asyncio.create_task(agreeing, name="contract"))
        waits.add(asyncio.create_task(keep_up(settings, store, notices), name="upkeep"))
        waits.add(asyncio.create_task(beat(heartbeat_path(store.path), bot.is_well), name="heartbeat"))
        waits.add(asyncio.create_task(_watch_loop(bot), name="loop lag"))
        waits.add(asyncio.create_task(_log_in(bot, settings.token.get_secret_value()), name="discord"))
        done, pending = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        log.info("stopping", because=[task.get_name() for task in done])
        if stop.is_set():
            await drain(bot.jobs, bot.in_hand, engine, settings.hosting.drain_s)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        await bot.in_hand.end(LAST_WORD_S)
        for task in done:
            task.result()


async def _log_in(bot: Woodshed, token: str) -> None:
    try:
        await bot.start(token)
    except discord.LoginFailure as error:
        raise ConfigurationError(f"{TOKEN_VARIABLE} in the environment was refused by Discord.") from error


async def _watch_loop(bot: Woodshed) -> None:
    """Measure how late the loop is and how the bot is doing, once members can feel it. Loading the cogs blocks
    the loop, too, but before anybody is there."""
    await bot.wait_until_ready()
    await asyncio.gather(bot.loop_lag.watch(), bot.pulse.watch())


async def gateway_url(api_base: str) -> str:
    """Where the server's gateway is, as the server itself says (GET /gateway needs no token).

    Raises ConfigurationError when nothing there answers like Discord."""
    try:
        async with aiohttp.ClientSession() as session, session.get(f"{api_base}/gateway") as response:
            response.raise_for_status()
            return str((await response.json())["url"])
    except (aiohttp.ClientError, TimeoutError, KeyError, ValueError) as error:
        raise ConfigurationError(f"'discord.api_base' is {api_base}, where no Discord answers: {error}.") from error


if __name__ == "__main__":
    sys.exit(main())

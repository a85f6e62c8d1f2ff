"""`python -m playground`: starts the server, then the bot against it, prints the page's address, stops both together.

Exit codes: 0 after SIGTERM or Ctrl-C, 1 if the port or the state directory can't be used, 2 for bad arguments, else the
bot's own (78: one of the bot's settings is wrong, and the bot has said which).
"""

import argparse
import asyncio
import contextlib
import ctypes
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

from playground.server import Server, parity_table
from playground.world.attachments import MIB
from playground.world.state import HOST, Options, Playground
from playground.world.store import StateInUse, StateTooNew
from playground.world.world_file import BadWorld, World, read_world

DEFAULT_PORT = 8765
_PORTS_TRIED = 20
_STOP_GRACE_S = 40.0
_PR_SET_PDEATHSIG = 1

BOT_COMMAND = (sys.executable, "-m", "bot")


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m playground", description="A small Discord on this machine, with the bot logged in to it."
    )
    parser.add_argument("--port", type=int, help=f"exactly this port (default: {DEFAULT_PORT}, or the next free one)")
    parser.add_argument("--state", type=Path, default=Path("var/playground"), help="the folder for messages and files")
    parser.add_argument(
        "--world", type=Path, metavar="FILE", help="a TOML file that names the server, the bot, channels and members"
    )
    parser.add_argument("--server-only", action="store_true", help="start no bot; print how one logs in")
    parser.add_argument(
        "--token", help="the token that a bot logs in with (default: a random one, kept in the state folder)"
    )
    parser.add_argument(
        "--upload-limit-mib", type=float, default=10.0, metavar="MIB", help="the largest file (default: %(default)s)"
    )
    parser.add_argument(
        "--answer-within",
        type=float,
        default=3.0,
        metavar="S",
        help="how long a bot has for its first answer; Discord gives %(default)s seconds",
    )
    parser.add_argument("--rate-limits", action="store_true", help="apply Discord's rate limits")
    parser.add_argument(
        "--privileged-intents",
        action="store_true",
        help="allow a bot the members, presences and message content intents",
    )
    parser.add_argument(
        "--shards", type=_count, default=1, metavar="N", help="how many shards to recommend to a bot that asks"
    )
    parser.add_argument(
        "--openapi", type=Path, metavar="FILE", help="hold every request and answer against Discord's OpenAPI file"
    )
    parser.add_argument("--parity", action="store_true", help="print what of Discord is modelled, and exit")
    return parser


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def main(argv: Sequence[str] | None = None) -> int:
    """Runs until a signal, or until the bot ends; the exit code."""
    arguments = build_parser().parse_args(argv)
    if arguments.parity:
        sys.stdout.write(parity_table())
        return 0
    try:
        world = read_world(arguments.world) if arguments.world else World()
    except (BadWorld, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    logging.basicConfig(level=logging.WARNING, format="playground: %(message)s")
    options = Options(
        state=arguments.state,
        port=DEFAULT_PORT if arguments.port is None else arguments.port,
        token=arguments.token,
        attachment_size_limit=int(arguments.upload_limit_mib * MIB),
        rate_limits=arguments.rate_limits,
        answer_within_s=arguments.answer_within,
        privileged_intents=arguments.privileged_intents,
        openapi=arguments.openapi,
        shards=arguments.shards,
        world=world,
    )
    try:
        return asyncio.run(run(options, exact_port=arguments.port is not None, with_bot=not arguments.server_only))
    except (StateTooNew, StateInUse) as error:
        sys.stderr.write(f"{error}\n")
    except OSError as error:
        sys.stderr.write(f"The playground can't start on {HOST}:{options.port}: {error.strerror or error}.\n")
    except KeyboardInterrupt:  # before the signal handlers were in place
        return 0
    return 1


async def run(options: Options, *, exact_port: bool, with_bot: bool) -> int:
    """Runs the server, and the bot beside it; raises OSError if the port can't be used."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with _serving(options, exact_port=exact_port) as playground:
        stopped = asyncio.create_task(stop.wait())
        if not with_bot:
            _say(f"The playground is at {playground.address} and waits for a bot. Start one like this:")
            _say(f"  DISCORD_TOKEN={playground.token} WOODSHED_DISCORD__API_BASE={playground.api_base} python -m bot")
            await stopped
            return 0
        _say("Starting the playground, the bot and its engine. This takes a few seconds ...")
        async with _bot(playground) as process:
            ended = asyncio.create_task(process.wait())
            connected = asyncio.create_task(playground.gateway.connected.wait())
            playground.set_bot_process("starting")
            await asyncio.wait({stopped, ended, connected}, return_when=asyncio.FIRST_COMPLETED)
            if connected.done() and not ended.done() and not stopped.done():
                playground.set_bot_process("running")
                _say(f"\nWoodshed's playground is ready. Open this in your browser: {playground.address}\n")
            connected.cancel()
            await asyncio.wait({stopped, ended}, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                stopped.cancel()
                code = ended.result()
                _say(f"The bot has stopped (exit code {code}).")
                return code if code >= 0 else 128 - code
            _say("Stopping the bot and the playground ...")
        await ended
    return 0


@contextlib.asynccontextmanager
async def _serving(options: Options, *, exact_port: bool) -> AsyncIterator[Playground]:
    """The server on the wanted port or, unless it has to be exactly that one, on the next free one."""
    async with contextlib.AsyncExitStack() as stack:
        for attempt in range(1 if exact_port else _PORTS_TRIED):
            playground = Playground(replace(options, port=options.port + attempt))
            try:
                await stack.enter_async_context(Server(playground))
            except OSError:
                playground.store.close()
                if exact_port or attempt == _PORTS_TRIED - 1:
                    raise
            else:
                yield playground
                return


@contextlib.asynccontextmanager
async def _bot(playground: Playground) -> AsyncIterator[asyncio.subprocess.Process]:
    """The bot as a child, in a session of its own so that Ctrl-C reaches only us; stopped at the end."""
    environment = os.environ | {
        "DISCORD_TOKEN": playground.token,
        "WOODSHED_DISCORD__API_BASE": playground.api_base,
        # Servers named in config.toml are on the real Discord.
        "WOODSHED_DISCORD__GUILD_IDS": "",
    }
    process = await asyncio.create_subprocess_exec(
        *BOT_COMMAND, env=environment, start_new_session=True, preexec_fn=_end_with_parent
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), _STOP_GRACE_S)
            except TimeoutError:
                process.kill()
                await process.wait()


def _end_with_parent() -> None:
    """Asks Linux to end the bot when the playground dies without a chance to say so (`kill -9`)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()

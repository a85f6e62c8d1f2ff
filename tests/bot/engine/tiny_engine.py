"""An engine of its own process, without torch: the double behind a real socket, with the ways a process can misbehave.

Run as `python -m tests.bot.engine.tiny_engine MODE`, as the bot runs `python -m engine serve`:
  honest      serves, leaves with its parent or on SIGTERM
  deaf        serves, ignores SIGTERM
  cold        never gets warm
  silent      opens no port at all
  stunned     serves for half a second, then stops answering without dying
  short       serves for half a second, then exits with code 3
  gives up    serves for a moment, then exits as an engine does whose job hangs
  misset      says one sentence and exits with code 78
  busy        serves, and keeps one CPU core busy meanwhile
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time

from engine.contract import HUNG_EXIT_CODE, PARENT_FD_VARIABLE
from tests.engine_double import EngineDouble, serve_double


def main(mode: str) -> int:
    sys.stderr.write(f"tiny engine, {mode}\n")
    if mode == "misset":
        sys.stderr.write("'engine.threads' in config.toml is wrong: it's 999, and must be at most 256.\n")
        return 78
    if mode == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if mode == "silent":
        threading.Thread(target=leave_with_parent, daemon=True).start()
        time.sleep(60)
        return 0
    asyncio.run(serve(mode))
    return {"short": 3, "gives up": HUNG_EXIT_CODE}.get(mode, 0)


def leave_with_parent() -> None:
    os.read(int(os.environ[PARENT_FD_VARIABLE]), 1)
    os._exit(0)


async def serve(mode: str) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(int(os.environ[PARENT_FD_VARIABLE]), stop.set)
    if mode != "deaf":
        loop.add_signal_handler(signal.SIGTERM, stop.set)
    async with serve_double(os.environ["WOODSHED_ENGINE__LISTEN"], EngineDouble(), serving=mode != "cold"):
        if mode == "busy":
            threading.Thread(target=spin, daemon=True).start()
        if mode == "gives up":
            return
        if mode in ("stunned", "short"):
            await asyncio.sleep(0.5)
            if mode == "stunned":
                os.kill(os.getpid(), signal.SIGSTOP)
            return
        await stop.wait()


def spin() -> None:
    while True:
        sum(range(1000))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

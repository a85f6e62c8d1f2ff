"""`python -m benchmarks.lives.nursery`: starts bots faster than Python can, by importing everything once and forking.

Each line on standard input is JSON, `{"environment": {...}, "log": path}`, and is answered by the new bot's process
id. The bot is that of `python -m bot`, but for its haste: pauses between attempts are a hundredth of the usual, and one
member may start as many votes as they like."""

from __future__ import annotations

import asyncio
import functools
import importlib
import json
import os
import signal
import sys
import types
from typing import Any

import discord

import bot.__main__ as house
from bot.answering.delivery.rules import Patience
from bot.client import Woodshed, cog_names

IN_HASTE = Patience(total_s=20.0, first_pause_s=0.02, longest_pause_s=0.2)
LONGEST_SLEEP_S = 0.02
"""Of discord.py's own pauses, which are seconds after a 5xx."""


def main() -> int:
    for name in cog_names():
        importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            os._exit(_live(asked["environment"], asked["log"]))
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
    return 0


def _live(environment: dict[str, str], log: str) -> int:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream, file in ((0, os.open(os.devnull, os.O_RDONLY)), (1, output), (2, output)):
        os.dup2(file, stream)
    os.environ.clear()
    os.environ.update(environment)
    house.__dict__["Woodshed"] = functools.partial(Woodshed, patience=IN_HASTE)
    hasty: Any = types.SimpleNamespace(**vars(asyncio))
    hasty.sleep = lambda seconds, result=None: asyncio.sleep(min(seconds, LONGEST_SLEEP_S), result)
    discord.http.__dict__["asyncio"] = discord.webhook.async_.__dict__["asyncio"] = hasty
    importlib.import_module("cogs.vote").__dict__["VOTES"] = (10**6, 60.0)
    return house.main([])


if __name__ == "__main__":
    sys.exit(main())

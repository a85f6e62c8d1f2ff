"""Stands in for `python -m bot` in the launcher's tests: logs in to the gateway and stays, or leaves with a code.

python tiny_bot.py [EXIT_CODE]
"""

from __future__ import annotations

import asyncio
import os
import sys

import aiohttp


async def stay() -> None:
    """Identifies and waits for ever."""
    async with aiohttp.ClientSession() as session:
        async with session.get(os.environ["WOODSHED_DISCORD__API_BASE"] + "/gateway") as response:
            url = (await response.json())["url"]
        async with session.ws_connect(url) as socket:
            await socket.receive()
            data = {"token": os.environ["DISCORD_TOKEN"], "intents": 1, "properties": {}}
            await socket.send_json({"op": 2, "d": data})
            sys.stdout.write(f"tiny bot {os.getpid()}\n")
            sys.stdout.flush()
            async for _ in socket:
                pass
            await asyncio.sleep(60)


if len(sys.argv) > 1:
    sys.exit(int(sys.argv[1]))
asyncio.run(stay())

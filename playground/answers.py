"""How the server writes JSON."""

import json
from typing import Any

from aiohttp import web


def answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """A JSON answer whose content type is exactly `application/json`: discord.py compares the whole header."""
    return web.Response(body=json.dumps(body).encode(), status=status, headers=headers, content_type="application/json")

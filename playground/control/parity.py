"""What of Discord is here, as tables made from the code: `python -m playground --parity` prints them for the papers."""

from collections.abc import Iterable

from aiohttp import web

from playground.gateway.gateway import EVENTS, OPCODES
from playground.rules import errors
from playground.rules.components import Kind
from playground.world import commands
from playground.world.intents import Intent


def parity(api: web.Application, prefix: str) -> str:
    """Markdown: routes, events, opcodes, intents, components, options and refusals that are modelled."""
    routes: dict[str, list[str]] = {}
    for route in api.router.routes():
        template = route.resource.canonical.removeprefix(prefix) if route.resource else ""
        if route.method not in ("HEAD", "*"):
            routes.setdefault(template, []).append(route.method)
    lines = ["| Route | Methods |", "|---|---|"]
    lines += [f"| `{template}` | {', '.join(sorted(methods))} |" for template, methods in sorted(routes.items())]
    facts = (
        ("Gateway events", EVENTS),
        ("Gateway opcodes", (f"{number} {name}" for number, name in OPCODES.items())),
        ("Intents that decide", (str(intent.name) for intent in Intent)),
        ("Components", (f"{kind.value} {_words(kind.name)}" for kind in Kind)),
        ("Option types", (f"{number} {name}" for number, name in commands.OPTION_TYPES.items())),
        ("Refusals", (f"{code} {make().message.rstrip('.')}" for code, make in sorted(errors.REFUSALS.items()))),
    )
    lines += ["", "| What | Modelled |", "|---|---|"]
    lines += [f"| {name} | {_listed(items)} |" for name, items in facts]
    return "\n".join(lines) + "\n"


def _words(name: str) -> str:
    return name.lower().replace("_", " ")


def _listed(items: Iterable[str]) -> str:
    return ", ".join(items)

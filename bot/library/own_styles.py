"""A server's own styles at work: beside those of the style book, by name, with codes of the present weights.

A code is a vector of the network that made it. After a change of weights the engine refuses it; then it is made anew
from the small picture that is kept beside it, and the job is handed in once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from bot.engine.calls import EngineClient
from bot.engine.catalogue import Catalogue, style_label
from bot.engine.files import NO_FILES, Files
from bot.engine.jobs import OnEvent
from bot.errors import EngineRefused, Refused
from bot.rules.style_names import as_typed
from bot.store import Store, styles
from bot.store.styles import OwnStyle
from engine.contract import engine_pb2 as pb

log = structlog.get_logger(__name__)

STALE = "stale_style"
"""`code` of the engine's error for a code of other weights."""
_OWN = "own:"


@dataclass(frozen=True, slots=True)
class StyleChoice:
    """A style that can be chosen on a server."""

    name: str
    label: str
    own: bool
    """Of the server; otherwise of the style book."""
    year: str = ""
    """When it was painted, as the style book has it: "c. 1831"."""

    @property
    def value(self) -> str:
        """What a menu remembers. The server's are marked, so that a removed one is not looked for in the book."""
        return _OWN + self.name if self.own else self.name


async def choices(store: Store, catalogue: Catalogue, guild_id: int | None) -> list[StyleChoice]:
    """All styles of a server, its own first. Its own also wins where a newer style book has one of the same name."""
    own = [] if guild_id is None else await styles.of_guild(store, guild_id)
    names = {style.name for style in own}
    return [
        *(StyleChoice(style.name, own_label(style.name), own=True) for style in own),
        *(
            StyleChoice(style.name, style_label(style), own=False, year=style.year)
            for style in await catalogue.styles.get()
            if style.name not in names
        ),
    ]


def own_label(name: str) -> str:
    return f"{name} (this server's own)"


def choose(request: pb.StylizeRequest, value: str) -> None:
    """Have the request ask for the style of a `StyleChoice.value`; "" leaves it to the engine's draw."""
    for field in ("style", "style_name", "style_code", "style_image"):
        request.ClearField(field)
    if value.startswith(_OWN):
        request.style_name = value.removeprefix(_OWN)
    else:
        request.style = value


async def put_codes(store: Store, guild_id: int | None, request: pb.StylizeRequest) -> list[OwnStyle]:
    """Put codes in place of the names of the server's own styles; returns those styles.

    A request that names one in `style_name` or `blend_with_name` means the server's and no other. Raises Refused when
    that one was removed."""
    used = []
    for plain, marked, code in (
        ("style", "style_name", "style_code"),
        ("blend_with", "blend_with_name", "blend_with_code"),
    ):
        own_name = getattr(request, marked)
        name = as_typed(own_name or getattr(request, plain))
        style = await styles.get(store, guild_id, name) if name and guild_id is not None else None
        if style is not None:
            request.ClearField(plain)
            setattr(request, marked, style.name)
            setattr(request, code, style.code)
            used.append(style)
        elif own_name:
            raise Refused(f"The style `{own_name}` has been removed from this server. Please choose another one.")
    return used


def take_codes_out(request: pb.StylizeRequest) -> None:
    """Leave the names alone, for keeping: the codes may be others by the time they are needed again."""
    request.ClearField("style_code")
    request.ClearField("blend_with_code")


async def stylize(
    engine: EngineClient,
    store: Store,
    used: Sequence[OwnStyle],
    request: pb.StylizeRequest,
    on_event: OnEvent,
    files: Files = NO_FILES,
) -> pb.StylizeResult:
    """Have the engine paint a request with the codes of `used`, renewed if they have to be. Raises EngineError."""
    try:
        return await engine.stylize(request, on_event, files)
    except EngineRefused as error:
        if error.code != STALE or not used:
            raise
    codes = {style.name: style.code for style in await renewed(engine, store, used)}
    if request.style_code:
        request.style_code = codes[request.style_name]
    if request.blend_with_code:
        request.blend_with_code = codes[request.blend_with_name]
    return await engine.stylize(request, on_event, files)


async def style_sheet(
    engine: EngineClient,
    store: Store,
    own: Sequence[OwnStyle],
    request: pb.StyleSheetRequest,
    on_event: OnEvent,
    files: Files = NO_FILES,
) -> pb.StyleSheetResult:
    """The contact sheet of the style book and `own`, whose codes are renewed if they have to be. Raises EngineError."""
    _save(request, own)
    try:
        return await engine.style_sheet(request, on_event, files)
    except EngineRefused as error:
        if error.code != STALE or not own:
            raise
    _save(request, await renewed(engine, store, own))
    return await engine.style_sheet(request, on_event, files)


def _save(request: pb.StyleSheetRequest, own: Sequence[OwnStyle]) -> None:
    del request.saved[:]
    request.saved.extend(pb.StyleSheetRequest.SavedStyle(name=style.name, code=style.code) for style in own)


async def renewed(engine: EngineClient, store: Store, used: Sequence[OwnStyle]) -> list[OwnStyle]:
    """The same styles with codes of the engine's present weights, which are stored. Raises Refused, EngineError."""
    present = await engine.style_weights()
    fresh = []
    for style in used:
        if style.model_version != present:
            picture = await styles.picture(store, style)
            if picture is None:
                raise Refused(f"The style `{style.name}` has just been removed. Please choose another one.")
            encoded = await engine.encode_style(picture)
            await styles.renew(store, style, encoded.code, encoded.model_version)
            log.info("style renewed", style=style.name, before=style.model_version, now=encoded.model_version)
            style = replace(style, code=encoded.code, model_version=encoded.model_version)
        fresh.append(style)
    return fresh

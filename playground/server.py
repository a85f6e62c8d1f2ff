"""The server: REST, gateway, files and the page, on one port of 127.0.0.1."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from playground.answers import answer
from playground.classroom.classroom import Classroom
from playground.control import routes as control
from playground.control.faults import Route
from playground.control.parity import parity
from playground.control.routes import BOT_ROUTES
from playground.page import interactions as page_interactions
from playground.page import routes as page_api
from playground.page.routes import CLASSROOM
from playground.rest import application as rest_application
from playground.rest import audit, cdn, polls, reactions, threads, webhooks
from playground.rest import channels as rest_channels
from playground.rest import interactions as rest_interactions
from playground.rest.doorway import PREFIX, doorway
from playground.rules.errors import ApiError
from playground.security import guard
from playground.world.state import HOST, PLAYGROUND, Playground
from playground.world.talk.polls import keep_time

_NOBODY_WAITS = 499
"""What nginx logs for "client closed request"; it reaches nobody."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """Opens a playground's doors; `async with` closes them."""

    def __init__(self, playground: Playground) -> None:
        self.playground = playground
        self._runner: web.AppRunner | None = None
        self._timekeeper: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Server":
        """Binds the port (0: any free one) and serves; raises OSError when the port is taken."""
        runner = web.AppRunner(build_application(self.playground), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, HOST, self.playground.options.port).start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        self.playground.bind(runner.addresses[0][1])
        self._timekeeper = asyncio.create_task(keep_time(self.playground))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Says goodbye to bot and tabs, then closes the state."""
        if self._timekeeper is not None:
            self._timekeeper.cancel()
        await self.playground.gateway.close()
        await self.playground.audience.close()
        if self._runner is not None:
            await self._runner.cleanup()
        self.playground.store.close()


def build_application(playground: Playground) -> web.Application:
    """All routes."""
    application = web.Application(middlewares=[guard, json_errors])
    application[PLAYGROUND] = playground
    for path in ("/gateway", "/gateway/"):
        application.router.add_get(path, playground.gateway.handle)
    application.router.add_routes(cdn.routes)
    application.router.add_get("/", no_key)
    api = _bots_side(playground)
    classroom = Classroom(playground, page_interactions.press)
    application.add_subapp(f"/{playground.key}", _members_side(playground, api, classroom))
    application.on_shutdown.append(lambda _: classroom.close())
    application.add_subapp(PREFIX, api)
    return application


def _bots_side(playground: Playground) -> web.Application:
    """REST, as a bot sees it."""
    api = web.Application(middlewares=[doorway])
    api[PLAYGROUND] = playground
    _add_bot_routes(api)
    return api


def _add_bot_routes(api: web.Application) -> None:
    for module in (rest_application, rest_channels, rest_interactions, threads, reactions, polls, webhooks, audit):
        api.router.add_routes(module.routes)


def parity_table() -> str:
    """What of Discord is modelled, as Markdown."""
    api = web.Application()
    _add_bot_routes(api)
    return parity(api, PREFIX)


def _members_side(playground: Playground, api: web.Application, classroom: Classroom) -> web.Application:
    """The page and the control API."""
    page = web.Application()
    page[PLAYGROUND] = playground
    page[CLASSROOM] = classroom
    for module in (page_api, page_interactions, control):
        page.router.add_routes(module.routes)
    named = {f"{route.method} {route.resource.canonical}" for route in api.router.routes() if route.resource}
    page[BOT_ROUTES] = [Route.ANY, Route.DOWNLOAD, *sorted(named)]
    # Last, because it takes whatever is left.
    api.router.add_route("*", "/{rest:.*}", rest_application.no_such_route)
    return page


async def no_key(request: web.Request) -> web.Response:
    """Whoever comes without the key learns where it is printed."""
    text = (
        "This playground needs the whole address, with its key. Copy it from the terminal where the playground runs.\n"
    )
    return web.Response(status=403, text=text)


@web.middleware
async def json_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refusals become Discord's JSON."""
    try:
        return await handler(request)
    except ConnectionResetError:  # such as a tab that was reloaded while it connected: nobody is left to be answered
        return web.Response(status=_NOBODY_WAITS)
    except ApiError as error:
        return answer(error.body(), status=error.status)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return answer({"message": f"{error.status}: {error.text or error.reason}", "code": 0}, status=error.status)

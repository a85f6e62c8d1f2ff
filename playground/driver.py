"""Drives a running playground from outside: members who act and look as in a browser, and Discord's bad days on order.

This project's end-to-end tests and benchmarks use it, and so can anybody's:

    async with drive("http://127.0.0.1:8765/KEY/") as playground:
        ada = playground.member("ada")
        await playground.cut(Route.EDIT_ANSWER, accepted=True)
        await ada.use("jazz", channel="jazz-club", bars=4)
        message = await ada.sees(lambda m: m["attachments"], channel="jazz-club", within_s=60)
        print(await playground.transcript())
"""

import asyncio
import base64
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp

from playground.control.faults import Route
from playground.control.transcript import Entry, Transcript

__all__ = ["Answer", "Driver", "Member", "Refused", "Route", "drive"]

Json = dict[str, Any]

WAIT_S = 30.0
_REQUEST_S = 60.0
_LOOK_AGAIN_S = 0.05
_SLASH, _MESSAGE_MENU = 1, 3


class Refused(Exception):
    """The playground refused a request; `code` is Discord's JSON code, 0 where there is none."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(f"{status}: {json.dumps(body)}")
        self.status = status
        self.body = body
        self.code = int(body.get("code", 0)) if isinstance(body, dict) else 0


@dataclass(frozen=True)
class Answer:
    """What a member got at once from the bot: `answered`, `failed` (no answer in 3 s), a `modal` or `choices`."""

    outcome: str
    content: Any
    took_s: float


class Member:
    """One member, by the name in the page's address (`ada`, `ben`, `thelonia`)."""

    def __init__(self, session: aiohttp.ClientSession, address: str, slug: str) -> None:
        """`address` is the page's, with the slash at its end."""
        self._session = session
        self._address = address
        self.slug = slug

    async def request(self, method: str, path: str, body: Any = None, files: Mapping[str, bytes] | None = None) -> Any:
        """The JSON of an answer (None without a body); raises Refused."""
        data: Any = None
        if files:
            data = aiohttp.FormData(quote_fields=False)
            data.add_field("payload_json", json.dumps(body))
            for number, (name, content) in enumerate(files.items()):
                data.add_field(f"files[{number}]", content, filename=name)
        elif body is not None:
            data = json.dumps(body)
        url = f"{self._address}page/{path}"
        async with self._session.request(method, url, params={"member": self.slug}, data=data) as response:
            answer = await response.json() if response.content_type == "application/json" else None
            if response.status >= 300:
                raise Refused(response.status, answer)
            return answer

    async def state(self) -> Json:
        """What the page draws first: guild, members, channels with the commands this member may use, the bot."""
        state: Json = await self.request("GET", "state")
        return state

    async def is_bot_online(self) -> bool:
        """Whether the bot has logged in and registered its commands."""
        state = await self.state()
        return bool(state["bot"]["online"] and any(channel["commands"] for channel in state["channels"]))

    async def channel(self, name: str = "gallery") -> Json:
        """A channel or thread by its name. Raises LookupError where this member sees none of that name."""
        for found in (await self.state())["channels"]:
            if found.get("name") == name:
                return dict(found)
        raise LookupError(f"{self.slug} sees no channel named {name!r}")

    async def use(
        self, command: str, *, channel: str = "gallery", files: Mapping[str, bytes] | None = None, **options: Any
    ) -> Answer:
        """Uses `/command` (with its subcommands: "poll start"); an option that names a file of `files` becomes it."""
        place = await self.channel(channel)
        name, *path = command.split()
        names = list(files or {})
        given = {key: {"upload": names.index(value)} if value in names else value for key, value in options.items()}
        body = {"kind": "command", "command_id": _command_id(place, name, _SLASH), "path": path, "options": given}
        return await self._interact(place["id"], body, files)

    async def complete(self, command: str, option: str, typed: str, *, channel: str = "gallery") -> Answer:
        """Types into an option with autocomplete; the answer's content is the list of choices."""
        place = await self.channel(channel)
        name, *path = command.split()
        body = {"kind": "autocomplete", "command_id": _command_id(place, name, _SLASH), "path": path}
        return await self._interact(place["id"], body | {"focused": option, "options": {option: typed}})

    async def menu(
        self, command: str, target_id: str, *, kind: int = _MESSAGE_MENU, channel: str = "gallery"
    ) -> Answer:
        """Uses a message menu (kind 3) or user menu (2)."""
        place = await self.channel(channel)
        body = {"kind": "menu", "command_id": _command_id(place, command, kind), "target_id": target_id}
        return await self._interact(place["id"], body)

    async def press(self, message: Json, custom_id: str, values: list[str] | None = None) -> Answer:
        """Presses a button, or chooses `values` in a select."""
        body = {"kind": "component", "message_id": message["id"], "custom_id": custom_id, "values": values}
        return await self._interact(message["channel_id"], body)

    async def press_twice(self, message: Json, custom_id: str) -> tuple[Answer, Answer]:
        """Presses a button twice at the same moment, as an impatient finger does."""
        return await asyncio.gather(self.press(message, custom_id), self.press(message, custom_id))

    async def submit(
        self,
        modal: Answer,
        fields: Json,
        files: Mapping[str, bytes] | None = None,
        *,
        channel: str = "gallery",
    ) -> Answer:
        """Sends a modal that an earlier answer opened; `fields` maps custom ids to what was filled in."""
        place = await self.channel(channel)
        body = {"kind": "modal", "interaction_id": modal.content["interaction_id"], "fields": fields}
        return await self._interact(place["id"], body, files)

    async def say(self, content: str, *, channel: str = "gallery", files: Mapping[str, bytes] | None = None) -> Json:
        """Writes a message, with files if there are any."""
        place = await self.channel(channel)
        message: Json = await self.request("POST", f"channels/{place['id']}/messages", {"content": content}, files)
        return message

    async def say_aloud(
        self, sound: bytes, seconds: float, *, channel: str = "gallery", waveform: bytes = b"\0"
    ) -> Json:
        """Sends a voice message: an Ogg file, how long it is, and its loudness (a byte a bar)."""
        place = await self.channel(channel)
        name = "voice-message.ogg"
        drawn = base64.b64encode(waveform).decode()
        about = {"id": "0", "filename": name, "duration_secs": seconds, "waveform": drawn}
        body = {"flags": 1 << 13, "attachments": [about]}
        message: Json = await self.request("POST", f"channels/{place['id']}/messages", body, {name: sound})
        return message

    async def vote(self, message: Json, *answers: int) -> None:
        """Votes in a native poll, by the answers' ids; none takes the votes back."""
        await self.request(
            "PUT", f"channels/{message['channel_id']}/messages/{message['id']}/votes", {"answers": answers}
        )

    async def delete(self, message: Json) -> None:
        """Deletes a message, or dismisses a private answer."""
        await self.request("DELETE", f"channels/{message['channel_id']}/messages/{message['id']}")

    async def messages(self, channel: str = "gallery") -> list[Json]:
        """The channel's last 50 messages as this member sees them, oldest first."""
        place = await self.channel(channel)
        messages: list[Json] = await self.request("GET", f"channels/{place['id']}/messages")
        return messages

    async def newest(self, channel: str = "gallery") -> int:
        """The id of the last message, 0 in an empty channel."""
        return max((int(message["id"]) for message in await self.messages(channel)), default=0)

    async def sees(
        self, wanted: Callable[[Json], object], *, channel: str = "gallery", within_s: float = WAIT_S, after: int = 0
    ) -> Json:
        """Waits for a message for which `wanted` holds, younger than the id `after`, also in a channel or thread that
        is still to come; raises TimeoutError."""
        async with asyncio.timeout(within_s):
            while True:
                messages: list[Json] = []
                with contextlib.suppress(LookupError):
                    messages = await self.messages(channel)
                for message in messages:
                    if int(message["id"]) > after and wanted(message):
                        return message
                await asyncio.sleep(_LOOK_AGAIN_S)

    async def misses(
        self, unwanted: Callable[[Json], object], *, channel: str = "gallery", within_s: float = WAIT_S
    ) -> None:
        """Waits until there is no message for which `unwanted` holds; raises TimeoutError."""
        async with asyncio.timeout(within_s):
            while True:
                if not any(unwanted(message) for message in await self.messages(channel)):
                    return
                await asyncio.sleep(_LOOK_AGAIN_S)

    async def download(self, url: str) -> tuple[int, bytes, str]:
        """Status, content and content type of a file."""
        async with self._session.get(url, headers={"X-Playground-Member": self.slug}) as response:
            return response.status, await response.read(), response.headers["Content-Type"]

    @contextlib.asynccontextmanager
    async def watching(self) -> AsyncIterator[AsyncIterator[tuple[str, Json]]]:
        """The events that the page gets, as (name, body), for as long as the body of the `with` runs."""
        url = f"{self._address}page/events"
        async with self._session.ws_connect(url, params={"member": self.slug}) as socket:
            yield _events(socket)

    async def _interact(self, channel_id: str, body: Json, files: Mapping[str, bytes] | None = None) -> Answer:
        began = time.perf_counter()
        answer = await self.request("POST", f"channels/{channel_id}/interactions", body, files)
        return Answer(answer["outcome"], answer["content"], time.perf_counter() - began)


class Driver:
    """A running playground. Routes are named by `Route`, or by method and template as `routes()` lists them.

    Every fault strikes `times` requests (None: for ever) after letting `skip` through; `where` narrows it by parts of
    the path (`{"message": "@original"}`, `{"channel": id}`). With `accepted` the request takes effect all the same."""

    def __init__(self, session: aiohttp.ClientSession, address: str) -> None:
        self._session = session
        self.address = address

    def member(self, slug: str) -> Member:
        return Member(self._session, self.address, slug)

    async def cut(self, route: str, *, accepted: bool = False, reset: bool = True, **more: Any) -> int:
        """The connection breaks: a reset (errno 104), or with `reset=False` just its end. Answers the order's id."""
        return await self.order(route, "cut", accepted=accepted, reset=reset, **more)

    async def delay(self, route: str, delay_s: float, *, accepted: bool = False, **more: Any) -> int:
        """The request waits before it is handled, or (`accepted`) its answer does."""
        return await self.order(route, "delay", delay_s=delay_s, accepted=accepted, **more)

    async def rate_limit(self, route: str, retry_after_s: float = 1.0, *, is_global: bool = False, **more: Any) -> int:
        """429 as Discord sends it."""
        return await self.order(route, "rate_limit", retry_after_s=retry_after_s, is_global=is_global, **more)

    async def block(self, route: str, retry_after_s: float = 1.0, **more: Any) -> int:
        """429 from the proxy before Discord: no `Via` header, a page of HTML."""
        return await self.order(route, "blocked", retry_after_s=retry_after_s, **more)

    async def server_error(self, route: str, status: int = 500, *, accepted: bool = False, **more: Any) -> int:
        """500 to 504."""
        return await self.order(route, "server_error", status=status, accepted=accepted, **more)

    async def refuse(self, route: str, code: int, *, accepted: bool = False, **more: Any) -> int:
        """One of Discord's refusals by its JSON code: 50013, 10062, 10008, 50027, 50083, 40060, 30034 ..."""
        return await self.order(route, "refuse", code=code, accepted=accepted, **more)

    async def order(self, route: str, kind: str, **more: Any) -> int:
        """Orders a fault (playground/control/faults.py has the fields); raises Refused for one that makes no sense."""
        return int(await self._control("POST", "faults", {"route": route, "kind": kind, **more}))

    async def faults(self) -> list[Json]:
        """All orders; `seen` and `hits` count requests that came by and that were struck."""
        faults: list[Json] = await self._control("GET", "faults")
        return faults

    async def struck(self, fault_id: int, times: int = 1, *, within_s: float = WAIT_S) -> None:
        """Waits until a fault has struck `times` requests; raises TimeoutError."""
        async with asyncio.timeout(within_s):
            while True:
                if any(f["id"] == fault_id and f["hits"] >= times for f in await self.faults()):
                    return
                await asyncio.sleep(_LOOK_AGAIN_S)

    async def mend(self, fault_id: int | None = None) -> None:
        """Takes back one order, or all of them."""
        await self._control("DELETE", "faults" if fault_id is None else f"faults/{fault_id}")

    async def routes(self) -> list[str]:
        """Every route that a fault can name."""
        routes: list[str] = await self._control("GET", "routes")
        return routes

    async def advance_clock(self, seconds: float) -> float:
        """Moves the playground's clock on, so that tokens and addresses grow old; how far it is ahead now, in s."""
        return float((await self._control("POST", "clock", {"advance_s": seconds}))["ahead_s"])

    async def drop_gateway(self, *, resumable: bool = True) -> None:
        """Cuts the bot's WebSocket; without `resumable` its session is lost too."""
        await self._control("POST", "gateway", {"do": "drop" if resumable else "drop_session"})

    async def invalidate_session(self) -> None:
        """Sends opcode 9: the bot has to identify again."""
        await self._control("POST", "gateway", {"do": "invalidate"})

    async def ask_to_reconnect(self) -> None:
        """Sends opcode 7."""
        await self._control("POST", "gateway", {"do": "reconnect"})

    async def kick(self) -> None:
        """Throws the bot out of the server."""
        await self._control("POST", "guild", {"do": "kick"})

    async def invite(self) -> None:
        """Lets the bot in again."""
        await self._control("POST", "guild", {"do": "invite"})

    async def roles(self) -> dict[str, str]:
        """The ids of the roles, by their names."""
        return {role["name"]: role["id"] for role in await self._control("GET", "roles")}

    async def create_role(self, name: str) -> Json:
        """A new role that nobody has; its wire form."""
        role: Json = await self._control("POST", "roles", {"name": name})
        return role

    async def rename_role(self, role_id: str, name: str) -> None:
        await self._control("PATCH", f"roles/{role_id}", {"name": name})

    async def delete_role(self, role_id: str) -> None:
        """Nobody has it any more."""
        await self._control("DELETE", f"roles/{role_id}")

    async def set_roles(self, slug: str, role_ids: Sequence[str]) -> None:
        """Gives a member exactly these roles."""
        await self._control("PUT", f"members/{slug}/roles", {"roles": list(role_ids)})

    async def install(self, slug: str, *, is_installed: bool = True) -> None:
        """A member has the bot as an app of their own: its commands for members work wherever the member is."""
        await self._control("PUT", f"members/{slug}/installed", {"installed": is_installed})

    async def boost(self, level: int) -> None:
        """Boosts the server to a level of 0 to 3: from 2 on it takes larger files."""
        await self._control("PUT", "guild", {"boost_level": level})

    async def bring_class(self, size: int = 12, pace: float = 1.0) -> None:
        """A simulated class that votes and answers the class quiz; `pace` 0 at once, 0 members send it home. Its
        members can be driven, too: `simulated_1`, `simulated_2` ..."""
        await self._control("POST", "class", {"size": size, "pace": pace})

    async def bot_permissions(self, channel_id: str, **permissions: bool) -> None:
        """Gives or takes the bot's permissions in a channel: `send_messages=False`."""
        await self._control("PUT", f"channels/{channel_id}/bot-permissions", permissions)

    async def create_thread(self, channel_id: str, name: str) -> Json:
        """A public thread in a channel; its wire form."""
        thread: Json = await self._control("POST", f"channels/{channel_id}/threads", {"name": name})
        return thread

    async def set_thread(self, thread_id: str, **changes: bool) -> Json:
        """`archived=True`, `locked=True`, or back."""
        thread: Json = await self._control("PATCH", f"channels/{thread_id}", changes)
        return thread

    async def delete_channel(self, channel_id: str) -> None:
        await self._control("DELETE", f"channels/{channel_id}")

    async def delete_message(self, message: Json) -> None:
        """Deletes anybody's message, as a moderator would."""
        await self._control("DELETE", f"channels/{message['channel_id']}/messages/{message['id']}")

    async def requests(self, *, who: str = "bot") -> list[Json]:
        """The transcript's entries of the bot (or of a member): `what`, `status`, `fault`, `at`."""
        entries = await self._control("GET", "transcript")
        return [entry for entry in entries if entry["who"] == who]

    async def transcript(self) -> str:
        """What happened so far, one line each: print it when a test fails."""
        return Transcript.lines(Entry(**entry) for entry in await self._control("GET", "transcript"))

    async def _control(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body)
        async with self._session.request(method, f"{self.address}control/{path}", data=data) as response:
            answer = await response.json() if response.content_type == "application/json" else None
            if response.status >= 300:
                raise Refused(response.status, answer)
            return answer


@contextlib.asynccontextmanager
async def drive(address: str) -> AsyncIterator[Driver]:
    """Connects to the playground at `address`, which is what it prints when it starts."""
    timeout = aiohttp.ClientTimeout(total=_REQUEST_S)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        yield Driver(session, address.rstrip("/") + "/")


async def _events(socket: aiohttp.ClientWebSocketResponse) -> AsyncIterator[tuple[str, Json]]:
    async for frame in socket:
        event = json.loads(frame.data)
        yield event["event"], event["body"]


def _command_id(channel: Json, name: str, kind: int) -> str:
    found: str | None = next((c["id"] for c in channel["commands"] if c["name"] == name and c["type"] == kind), None)
    if found is None:
        raise LookupError(f"This member has no command {name!r} in #{channel['name']}.")
    return found

"""The gateway: the WebSocket over which a bot hears what happens.

https://discord.com/developers/docs/events/gateway. A bot may come in several shards: the server belongs to one of
them, direct conversations to the first. It may also log in twice; then both hear everything, as on Discord.
"""

import asyncio
import collections
import json
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from playground.gateway.line import Line, UnknownCompression
from playground.world import cast
from playground.world.intents import ALL_INTENTS, PRIVILEGED, Intent

Json = dict[str, Any]

_log = logging.getLogger(__name__)

_DISPATCH, _HEARTBEAT, _IDENTIFY, _PRESENCE, _RESUME, _RECONNECT = 0, 1, 2, 3, 6, 7
_REQUEST_MEMBERS, _INVALID_SESSION, _HELLO, _HEARTBEAT_ACK = 8, 9, 10, 11

_CLOSE_UNKNOWN_OPCODE, _CLOSE_DECODE_ERROR, _CLOSE_NOT_AUTHENTICATED, _CLOSE_BAD_TOKEN = 4001, 4002, 4003, 4004
_CLOSE_ALREADY_AUTHENTICATED, _CLOSE_TIMED_OUT, _CLOSE_INVALID_SHARD = 4005, 4009, 4010
_CLOSE_INVALID_INTENTS, _CLOSE_DISALLOWED_INTENTS = 4013, 4014
OPCODES = {
    _DISPATCH: "dispatch",
    _HEARTBEAT: "heartbeat",
    _IDENTIFY: "identify",
    _PRESENCE: "presence update",
    _RESUME: "resume",
    _RECONNECT: "reconnect",
    _REQUEST_MEMBERS: "request guild members",
    _INVALID_SESSION: "invalid session",
    10: "hello",
    _HEARTBEAT_ACK: "heartbeat acknowledged",
}
EVENTS = (
    "READY",
    "RESUMED",
    "GUILD_CREATE",
    "GUILD_UPDATE",
    "GUILD_DELETE",
    "GUILD_MEMBER_UPDATE",
    "GUILD_MEMBERS_CHUNK",
    "GUILD_ROLE_CREATE",
    "GUILD_ROLE_UPDATE",
    "GUILD_ROLE_DELETE",
    "GUILD_AUDIT_LOG_ENTRY_CREATE",
    "CHANNEL_UPDATE",
    "CHANNEL_DELETE",
    "THREAD_CREATE",
    "THREAD_UPDATE",
    "THREAD_DELETE",
    "MESSAGE_CREATE",
    "MESSAGE_UPDATE",
    "MESSAGE_DELETE",
    "MESSAGE_REACTION_ADD",
    "MESSAGE_REACTION_REMOVE",
    "MESSAGE_POLL_VOTE_ADD",
    "MESSAGE_POLL_VOTE_REMOVE",
    "INTERACTION_CREATE",
)
"""Every event that is sent."""
_REPLAY_EVENTS = 1000
ACKNOWLEDGE_AFTER_S = 0.05
_CHUNK_MEMBERS = 1000


@dataclass
class Session:
    """A bot's session: it outlives its socket, so that a resumed connection misses nothing."""

    id: str
    intents: int
    shard: tuple[int, int] = (0, 1)
    """Its number, and of how many."""
    line: Line | None = None
    sequence: int = 0
    replay: collections.deque[tuple[int, str]] = field(default_factory=lambda: collections.deque(maxlen=_REPLAY_EVENTS))
    outbox: asyncio.Queue[str | None] = field(default_factory=asyncio.Queue)

    @property
    def has_guild(self) -> bool:
        """Whether the server is this shard's."""
        return shard_of(cast.GUILD_ID, self.shard[1]) == self.shard[0]

    def hears(self, event: str, body: Json) -> bool:
        """Whether an event is this shard's: the server's go to one, all others to the first."""
        of_guild = event.startswith("GUILD_") or "guild_id" in body
        return self.has_guild if of_guild else self.shard[0] == 0


def shard_of(guild_id: str, count: int) -> int:
    """https://discord.com/developers/docs/events/gateway#sharding-sharding-formula"""
    return (int(guild_id) >> 22) % count


class Gateway:
    """All sessions of the bot, and `dispatch` to tell them something."""

    def __init__(
        self,
        *,
        token: str,
        guild_payload: Callable[[list[Json]], Json],
        users: dict[str, cast.Member],
        privileged_intents: bool,
        heartbeat_interval_s: float,
        on_presence: Callable[[], None],
    ) -> None:
        self._token = token
        self._guild_payload = guild_payload
        self._users = users
        self._privileged_intents = privileged_intents
        self._heartbeat_interval_s = heartbeat_interval_s
        self._on_presence = on_presence
        self._sessions: dict[str, Session] = {}
        self.url = ""
        self.activity = ""
        self.is_in_guild = True
        self.connected = asyncio.Event()
        """Set while a bot is logged in."""

    def dispatch(self, event: str, body: Json, intent: Intent | int = 0, *, own: bool = False) -> None:
        """Sends an event to every session that asked for `intent` (0: all). Text of messages that are neither the
        bot's `own`, nor mention it, nor direct is blanked without the MESSAGE_CONTENT intent."""
        if "guild_id" in body and not self.is_in_guild and event != "INTERACTION_CREATE":
            return
        for session in self._sessions.values():
            if not session.hears(event, body) or (intent and not session.intents & intent):
                continue
            hidden = event.startswith("MESSAGE_") and not own and "guild_id" in body
            if hidden and not session.intents & Intent.MESSAGE_CONTENT and not self._mentions_bot(body):
                blank = {"content": "", "embeds": [], "attachments": [], "components": []}
                self._send_event(session, event, body | {key: value for key, value in blank.items() if key in body})
            else:
                self._send_event(session, event, body)

    async def drop_sockets(self, *, resumable: bool = True) -> None:
        """Cuts every bot's connection, to try how it comes back; without `resumable` its session is gone, too."""
        lines = [session.line for session in self._sessions.values() if session.line is not None]
        if not resumable:
            self._sessions.clear()
        for line in lines:
            await line.close(4000, b"Unknown error")

    async def invalidate(self) -> None:
        """Sends opcode 9: the session is gone, the bot has to log in again, on the same or another socket."""
        for session in self._sessions.values():
            session.outbox.put_nowait(json.dumps({"op": _INVALID_SESSION, "d": False}))
        self._sessions.clear()

    def leave_guild(self) -> None:
        """Tells every session that the bot was removed from the server."""
        self.dispatch("GUILD_DELETE", {"id": cast.GUILD_ID}, Intent.GUILDS)
        self.is_in_guild = False

    def join_guild(self) -> None:
        """Tells every session that the bot was added to the server."""
        self.is_in_guild = True
        for session in self._sessions.values():
            self._send_guild(session)

    async def ask_to_reconnect(self) -> None:
        """Sends opcode 7, as Discord does before it moves a session."""
        for session in self._sessions.values():
            session.outbox.put_nowait(json.dumps({"op": _RECONNECT, "d": None}))

    async def close(self) -> None:
        """Ends every connection, because the server stops."""
        for session in self._sessions.values():
            if session.line is not None:
                await session.line.close(WSCloseCode.GOING_AWAY)

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """One connection, from HELLO to its end."""
        socket = web.WebSocketResponse(max_msg_size=16 * 1024, heartbeat=None, compress=False)
        await socket.prepare(request)
        try:
            line = Line(socket, request.query.get("compress", ""))
        except UnknownCompression as error:
            _log.warning("The bot asked for the compression %s, which the playground does not have.", error)
            await socket.close(code=_CLOSE_DECODE_ERROR, message=b"Unknown compression")
            return socket
        await line.send_frame(_HELLO, {"heartbeat_interval": int(self._heartbeat_interval_s * 1000)})
        session: Session | None = None
        writer: asyncio.Task[None] | None = None
        try:
            while True:
                try:
                    message = await socket.receive(timeout=self._heartbeat_interval_s * 1.5)
                except TimeoutError:
                    await line.close(_CLOSE_TIMED_OUT, b"Session timed out")
                    break
                if message.type is not WSMsgType.TEXT:
                    break
                was = session
                session = await self._receive(line, session, message.data)
                if session is not None and was is None:
                    writer = asyncio.create_task(self._write(session, line))
                if socket.closed:
                    break
        finally:
            if session is not None and session.line is line:
                session.line = None
                session.outbox.put_nowait(None)
            if writer is not None:
                writer.cancel()
            self._update_connected()
        return socket

    async def _receive(self, line: Line, session: Session | None, text: str) -> Session | None:
        """Acts on one frame; returns the session that the socket belongs to from now on."""
        try:
            frame = json.loads(text)
            opcode, data = frame["op"], frame.get("d")
        except (ValueError, KeyError, TypeError):
            await line.close(_CLOSE_DECODE_ERROR, b"Decode error")
            return session
        if opcode == _HEARTBEAT:
            # A library that notes the time only after it has sent takes an answer that is there already for a late one.
            await asyncio.sleep(ACKNOWLEDGE_AFTER_S)
            await line.send_frame(_HEARTBEAT_ACK)
            return session
        if opcode in (_IDENTIFY, _RESUME):
            if session is not None:
                await line.close(_CLOSE_ALREADY_AUTHENTICATED, b"Already authenticated")
                return session
            return await (self._identify if opcode == _IDENTIFY else self._resume)(line, data)
        if session is None:
            await line.close(_CLOSE_NOT_AUTHENTICATED, b"Not authenticated")
        elif opcode == _REQUEST_MEMBERS:
            self._send_members(session, data)
        elif opcode == _PRESENCE:
            self._set_presence(data)
        else:
            await line.close(_CLOSE_UNKNOWN_OPCODE, b"Unknown opcode")
        return session

    async def _identify(self, line: Line, data: Json) -> Session | None:
        if str(data.get("token", "")).removeprefix("Bot ") != self._token:
            await line.close(_CLOSE_BAD_TOKEN, b"Authentication failed")
            return None
        intents = data.get("intents")
        if not isinstance(intents, int) or not 0 <= intents <= ALL_INTENTS:
            await line.close(_CLOSE_INVALID_INTENTS, b"Invalid intent(s)")
            return None
        if intents & PRIVILEGED and not self._privileged_intents:
            await line.close(_CLOSE_DISALLOWED_INTENTS, b"Disallowed intent(s)")
            return None
        shard = data.get("shard") or [0, 1]
        if not _is_shard(shard):
            await line.close(_CLOSE_INVALID_SHARD, b"Invalid shard")
            return None
        session = Session(secrets.token_hex(16), intents, (shard[0], shard[1]), line)
        # A new login ends the sessions of that shard whose process is dead, or they would pile up.
        self._sessions = {s.id: s for s in self._sessions.values() if s.line is not None or s.shard != session.shard}
        self._sessions[session.id] = session
        if data.get("presence"):
            self._set_presence(data["presence"])
        ready = {
            "v": 10,
            "user": self._users[cast.BOT.id].user() | {"verified": True, "mfa_enabled": False, "email": None},
            "user_settings": {},
            "guilds": [{"id": cast.GUILD_ID, "unavailable": True}] if self.is_in_guild and session.has_guild else [],
            "session_id": session.id,
            "session_type": "normal",
            "resume_gateway_url": self.url,
            "private_channels": [],
            "presences": [],
            "relationships": [],
            "guild_join_requests": [],
            "geo_ordered_rtc_regions": [],
            "application": {"id": cast.APPLICATION_ID, "flags": 0},
            "_trace": [],
        }
        if data.get("shard"):
            ready["shard"] = list(session.shard)
        self._send_event(session, "READY", ready)
        if self.is_in_guild:
            self._send_guild(session)
        self._update_connected()
        return session

    def _send_guild(self, session: Session) -> None:
        if not session.intents & Intent.GUILDS or not session.has_guild:
            return
        everybody = session.intents & Intent.GUILD_MEMBERS and session.intents & Intent.GUILD_PRESENCES
        present = self._users.values() if everybody else [self._users[cast.BOT.id]]
        self._send_event(session, "GUILD_CREATE", self._guild_payload([_with_user(m) for m in present]))

    async def _resume(self, line: Line, data: Json) -> Session | None:
        session = self._sessions.get(str(data.get("session_id")))
        if str(data.get("token", "")).removeprefix("Bot ") != self._token:
            await line.close(_CLOSE_BAD_TOKEN, b"Authentication failed")
            return None
        sequence = data.get("seq") or 0
        oldest = session.replay[0][0] if session is not None and session.replay else 0
        if session is None or sequence > session.sequence or sequence < oldest - 1:
            await line.send_frame(_INVALID_SESSION, False)
            return None
        previous, session.line = session.line, line
        if previous is not None:
            await previous.close(4000, b"Resumed elsewhere")
        session.outbox = asyncio.Queue()
        for number, text in session.replay:
            if number > sequence:
                session.outbox.put_nowait(text)
        self._send_event(session, "RESUMED", {})
        self._update_connected()
        return session

    async def _write(self, session: Session, line: Line) -> None:
        """Sends what waits in the session's outbox, in order."""
        outbox: asyncio.Queue[str | None] = session.outbox
        while (text := await outbox.get()) is not None:
            try:
                await line.send(text)
            except ConnectionError:
                return  # kept in `replay`: the resumed connection gets it

    def _send_event(self, session: Session, event: str, body: Json) -> None:
        assert event in EVENTS, f"{event} is missing in the list of events"
        session.sequence += 1
        text = json.dumps({"op": _DISPATCH, "t": event, "s": session.sequence, "d": body})
        session.replay.append((session.sequence, text))
        if session.line is not None:
            session.outbox.put_nowait(text)

    def _send_members(self, session: Session, data: Json) -> None:
        """Answers opcode 8; the whole list needs the GUILD_MEMBERS intent."""
        query, wanted, limit = data.get("query"), data.get("user_ids"), data.get("limit") or _CHUNK_MEMBERS
        members = list(self._users.values())
        missing: list[str] = []
        if wanted is not None:
            ids = [str(user_id) for user_id in (wanted if isinstance(wanted, list) else [wanted])]
            members = [member for member in members if member.id in ids]
            missing = [user_id for user_id in ids if user_id not in self._users]
        elif query:
            members = [m for m in members if m.name.lower().startswith(query.lower())][:limit]
        elif not session.intents & Intent.GUILD_MEMBERS:
            _log.warning("The bot asked for all members without the GUILD_MEMBERS intent; Discord would not answer.")
            return
        body: Json = {
            "guild_id": cast.GUILD_ID,
            "members": [_with_user(member) for member in members],
            "chunk_index": 0,
            "chunk_count": 1,
            "not_found": missing,
        }
        if data.get("nonce"):
            body["nonce"] = data["nonce"]
        self._send_event(session, "GUILD_MEMBERS_CHUNK", body)

    def _set_presence(self, presence: Json) -> None:
        activities = presence.get("activities") or ([presence["game"]] if presence.get("game") else [])
        self.activity = str(activities[0].get("state") or activities[0].get("name") or "") if activities else ""
        self._on_presence()

    def _update_connected(self) -> None:
        if any(session.line is not None for session in self._sessions.values()):
            self.connected.set()
        else:
            self.connected.clear()
        self._on_presence()

    @staticmethod
    def _mentions_bot(body: Json) -> bool:
        return any(user["id"] == cast.BOT.id for user in body.get("mentions", []))


def _is_shard(shard: object) -> bool:
    return (
        isinstance(shard, list)
        and len(shard) == 2
        and all(isinstance(number, int) for number in shard)
        and 0 <= shard[0] < shard[1]
    )


def _with_user(member: cast.Member) -> Json:
    return member.member() | {"user": member.user()}

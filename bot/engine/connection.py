"""The line to the engine: its channel, what goes with every call, and whether anybody is at the other end.

The channel reconnects by itself when the engine comes back on the same address.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import grpc
import structlog
from grpc_health.v1 import health_pb2, health_pb2_grpc

from bot.engine.failures import OTHER_CONTRACT, UNREACHABLE, WARMING
from bot.errors import EngineUnavailable
from bot.logs import current_request
from engine.contract import (
    CONTRACT_METADATA_KEY,
    CONTRACT_VERSION,
    MAX_MESSAGE_BYTES,
    REQUEST_ID_METADATA_KEY,
    TOKEN_METADATA_KEY,
)
from engine.contract.network import SYSTEM

log = structlog.get_logger(__name__)

PULSE_S = 1.5
"""How long a health check may take: an engine that is busy still answers it at once."""
HEALTH_TIMEOUT_S = 10.0
WATCH_PAUSE_S = 0.1

_CHANNEL_OPTIONS = [
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    # A restarted engine is found again within a second, not after the two minutes that gRPC may back off.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
]


def open_channel(address: str, certificate: Path | None = None) -> grpc.aio.Channel:
    """A channel to `unix:/path`, `host:port` or `dns:///host:port`, over TLS if there's a certificate to trust."""
    if certificate is None:
        return grpc.aio.insecure_channel(address, options=_CHANNEL_OPTIONS)
    credentials = grpc.ssl_channel_credentials(None if certificate == Path(SYSTEM) else certificate.read_bytes())
    return grpc.aio.secure_channel(address, credentials, options=_CHANNEL_OPTIONS)


class Connection:
    """A channel to an engine, with the token that opens it, and a finger on the engine's pulse."""

    def __init__(self, channel: grpc.aio.Channel, token: str = "", pulse_s: float = PULSE_S) -> None:
        self.channel = channel
        self._health = health_pb2_grpc.HealthStub(channel)
        self._token = token
        self._pulse_s = pulse_s
        self.understands = True
        """False once the engine turns out to speak another version of the contract; then it's asked for nothing."""

    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What goes with every call: the shared token, and the id of the interaction that it's made for."""
        pairs = (
            (TOKEN_METADATA_KEY, self._token),
            (REQUEST_ID_METADATA_KEY, current_request()),
            (CONTRACT_METADATA_KEY, str(CONTRACT_VERSION)),
        )
        return tuple((key, value) for key, value in pairs if value)

    def check_understood(self) -> None:
        """Raises EngineUnavailable when the engine speaks another version of the contract."""
        if not self.understands:
            raise EngineUnavailable(OTHER_CONTRACT)

    async def wait_connected(self) -> None:
        """Return once there's a connection; it's made if need be."""
        while (state := self.channel.get_state(try_to_connect=True)) is not grpc.ChannelConnectivity.READY:
            await self.channel.wait_for_state_change(state)

    async def wait_disconnected(self) -> None:
        """Return once the connection is gone."""
        while (state := self.channel.get_state()) is grpc.ChannelConnectivity.READY:
            await self.channel.wait_for_state_change(state)

    async def is_alive(self) -> bool:
        """Whether the engine answers a health check at all, warm or not."""
        return await self._health_status() is not None

    async def has_pulse(self) -> bool:
        """Whether it answers one within the time that even a busy engine needs."""
        return await self._health_status(self._pulse_s) is not None

    async def is_serving(self) -> bool:
        """Whether the engine is up and warm."""
        return await self._health_status() == health_pb2.HealthCheckResponse.SERVING

    async def wait_serving(self, timeout_s: float) -> None:
        """Return once the engine is warm. Raises EngineUnavailable after `timeout_s`."""
        status = None
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    # One stream tells of every change; it breaks when the engine dies, and is opened again.
                    call = self._health.Watch(health_pb2.HealthCheckRequest(), wait_for_ready=True)
                    try:
                        async for reply in call:
                            status = reply.status
                            if status == health_pb2.HealthCheckResponse.SERVING:
                                return
                    except grpc.aio.AioRpcError as error:
                        log.debug("engine health lost", detail=error.details())
                    finally:
                        call.cancel()
                    status = None
                    await asyncio.sleep(WATCH_PAUSE_S)  # what answers there may not know this call
        except TimeoutError as error:
            raise EngineUnavailable(UNREACHABLE if status is None else WARMING) from error

    async def _health_status(self, timeout_s: float = HEALTH_TIMEOUT_S) -> int | None:
        try:
            reply = await self._health.Check(health_pb2.HealthCheckRequest(), timeout=timeout_s)
        except grpc.aio.AioRpcError:
            return None
        return int(reply.status)

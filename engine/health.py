"""`python -m engine health`: whether the engine of these settings is up and warm, for a container's health check."""

from __future__ import annotations

import socket

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from engine.contract.network import crosses_a_network
from engine.settings import load_engine_settings

TIMEOUT_S = 5.0


def main() -> int:
    """0 when it serves, 1 when it doesn't (yet). Raises ConfigurationError."""
    settings = load_engine_settings().engine
    # Over TLS the name in the certificate is the one by which bots call it, which this side doesn't know. So an engine
    # for other machines is asked whether its port is open, and its bots are asked the rest.
    if crosses_a_network(settings.listen):
        return _is_open(settings.listen)
    with grpc.insecure_channel(settings.listen) as channel:
        try:
            reply = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=TIMEOUT_S)
        except grpc.RpcError:
            return 1
    return 0 if reply.status == health_pb2.HealthCheckResponse.SERVING else 1


def _is_open(address: str) -> int:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]").replace("0.0.0.0", "127.0.0.1"), int(port)), TIMEOUT_S):
            return 0
    except OSError:
        return 1

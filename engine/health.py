"""`python -m engine health`: whether the engine of these settings is up and warm, for a container's health check."""

from __future__ import annotations

from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from engine.settings import load_engine_settings

TIMEOUT_S = 5.0


def main() -> int:
    """0 when it serves, else 1. Raises ConfigurationError."""
    settings = load_engine_settings().engine
    address = settings.listen.replace("0.0.0.0", "127.0.0.1")
    if settings.tls_certificate:
        credentials = grpc.ssl_channel_credentials(Path(settings.tls_certificate).read_bytes())
        channel = grpc.secure_channel(address, credentials)
    else:
        channel = grpc.insecure_channel(address)
    with channel:
        try:
            reply = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=TIMEOUT_S)
        except grpc.RpcError:
            return 1
    return 0 if reply.status == health_pb2.HealthCheckResponse.SERVING else 1

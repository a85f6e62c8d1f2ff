"""An engine elsewhere is called over TLS and with a token, or not at all; and such a call really works."""

import asyncio
import contextlib
import subprocess

import pytest

from bot.engine.calls import open_engine_client
from bot.errors import EngineError
from engine.contract.configuration import ConfigurationError
from engine.contract.network import check_address, check_listen, crosses_a_network
from engine.contract.process_settings import ProcessSettings
from engine.serving.server import serve
from engine.settings import EngineSettings
from tests.engine.serving.test_server import Rooms

BOTH = {"token": "s3cret", "tls_certificate": "a.pem", "tls_key": "a.key"}


@pytest.mark.parametrize(
    "address", ["unix:var/engine.sock", "127.0.0.1:5", "localhost:5", "[::1]:5", "dns:///localhost:5"]
)
def test_what_stays_on_this_machine_needs_nothing(address):
    assert not crosses_a_network(address)
    check_listen(ProcessSettings(listen=address))
    check_address(ProcessSettings(address=address))


@pytest.mark.parametrize("missing", BOTH)
@pytest.mark.parametrize("address", ["0.0.0.0:50051", "[::]:50051", "gpu-box:50051"])
def test_an_engine_open_to_the_network_needs_token_certificate_and_key(address, missing):
    check_listen(ProcessSettings(listen=address, **BOTH))
    with pytest.raises(ConfigurationError, match=rf"open to the network, but 'engine\.{missing}' is empty; set .*\.$"):
        check_listen(ProcessSettings(listen=address, **BOTH | {missing: ""}))


@pytest.mark.parametrize("missing", ["token", "tls_certificate"])
@pytest.mark.parametrize("address", ["dns:///gpu-box:50051", "10.0.0.7:50051"])
def test_a_bot_calls_an_engine_elsewhere_only_with_both(address, missing):
    check_address(ProcessSettings(address=address, token="s3cret", tls_certificate="system"))
    with pytest.raises(ConfigurationError, match=rf"on another machine, but 'engine\.{missing}' is empty; set .*\.$"):
        check_address(ProcessSettings(address=address, **BOTH | {missing: ""}))


def test_the_local_engine_needs_nothing():
    check_address(ProcessSettings())
    check_listen(ProcessSettings())


def test_the_machines_own_authorities_are_for_the_bots_side():
    with pytest.raises(ConfigurationError, match="the engine needs a PEM file"):
        check_listen(ProcessSettings(listen="0.0.0.0:5", **BOTH | {"tls_certificate": "system"}))


@pytest.fixture
def certificate(tmp_path):
    """The certificate that docs/hosting.md makes, for localhost."""
    command = "openssl req -x509 -newkey rsa:3072 -nodes -days 825 -keyout engine.key -out engine.pem"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run([*command.split(), *names], cwd=tmp_path, check=True, capture_output=True)
    return {"tls_certificate": str(tmp_path / "engine.pem"), "tls_key": str(tmp_path / "engine.key")}


@contextlib.asynccontextmanager
async def engine_at(port, certificate):
    """An engine behind TLS and a token, without the networks."""
    stop = asyncio.Event()
    settings = ProcessSettings(listen=f"localhost:{port}", device="cpu", token="s3cret", **certificate)
    serving = asyncio.create_task(serve(EngineSettings(engine=settings), lambda settings: Rooms(), stop))
    try:
        yield settings
    finally:
        stop.set()
        await serving


async def test_the_right_token_and_certificate_get_an_answer_and_no_other(tmp_path, certificate, unused_tcp_port):
    async with engine_at(unused_tcp_port, certificate) as settings:
        right = settings.model_copy(update={"address": f"dns:///localhost:{unused_tcp_port}", "tls_key": ""})
        async with open_engine_client(right) as client:
            await client.wait_serving(30.0)
            assert await client.list_topics() == ["tensors"]
        async with open_engine_client(right.model_copy(update={"token": "wrong"})) as client:
            with pytest.raises(EngineError, match="The engine doesn't accept me"):
                await client.list_topics()
        async with open_engine_client(right.model_copy(update={"tls_certificate": ""})) as client:
            assert not await client.is_alive(), "the engine answers nobody in the clear"
        async with open_engine_client(right.model_copy(update={"tls_certificate": "system"})) as client:
            assert not await client.is_alive(), "no authority of this machine knows the certificate"

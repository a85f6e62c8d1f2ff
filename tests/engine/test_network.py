"""An engine elsewhere is called over TLS and with a token, or not at all; and such a call really works."""

import asyncio
import contextlib

import pytest

from bot.engine.agreement import watch_agreement
from bot.engine.calls import open_engine_client
from bot.engine.failures import OTHER_CONTRACT
from bot.errors import EngineError
from engine.__main__ import main
from engine.contract import CONTRACT_VERSION
from engine.contract import engine_pb2 as pb
from engine.contract.configuration import ConfigurationError
from engine.contract.network import check_address, check_listen, crosses_a_network
from engine.contract.process_settings import ProcessSettings
from engine.serving.server import serve
from engine.settings import EngineSettings
from tests.engine.serving.test_server import Rooms
from tests.engine_double import EngineDouble, serve_double, socket_address
from tests.waiting import until

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
def certificate(tmp_path, capsys):
    """Made by the command of docs/hosting.md, for this machine."""
    assert main(["certificates", str(tmp_path), "--name", "localhost", "--name", "127.0.0.1"]) == 0
    assert "On the bot's machine, with a copy of ca.pem:" in capsys.readouterr().out
    assert (tmp_path / "engine.key").stat().st_mode & 0o077 == 0
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
        trusted = str(tmp_path / "ca.pem")
        right = settings.model_copy(
            update={"address": f"dns:///localhost:{unused_tcp_port}", "tls_key": "", "tls_certificate": trusted}
        )
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


async def test_a_new_certificate_of_the_same_authority_needs_nothing_new_on_the_bots_side(
    tmp_path, certificate, unused_tcp_port
):
    before = (tmp_path / "ca.pem").read_bytes(), (tmp_path / "engine.pem").read_bytes()
    assert main(["certificates", str(tmp_path), "--name", "127.0.0.1", "--days", "30"]) == 0
    assert (tmp_path / "ca.pem").read_bytes() == before[0]
    assert (tmp_path / "engine.pem").read_bytes() != before[1]
    async with engine_at(unused_tcp_port, certificate) as settings:
        update = {"address": f"127.0.0.1:{unused_tcp_port}", "tls_certificate": str(tmp_path / "ca.pem")}
        async with open_engine_client(settings.model_copy(update=update)) as client:
            await client.wait_serving(30.0)
            assert await client.list_topics() == ["tensors"]


@pytest.mark.parametrize("options", [["--name", "a", "--days", "0"], ["--days", "30"]])
def test_certificates_with_bad_options_end_with_one_sentence(tmp_path, capsys, options):
    with pytest.raises(SystemExit) as ended:
        main(["certificates", str(tmp_path / "none"), *options])
    assert ended.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not (tmp_path / "none").exists()


async def test_an_engine_refuses_a_bot_of_another_version_with_a_sentence_and_still_tells_its_own(
    tmp_path, monkeypatch, capfd
):
    address = f"unix:{tmp_path}/engine.sock"
    stop = asyncio.Event()
    settings = ProcessSettings(listen=address, device="cpu")
    serving = asyncio.create_task(serve(EngineSettings(engine=settings), lambda settings: Rooms(), stop))
    async with open_engine_client(settings.model_copy(update={"address": address})) as client:
        await client.wait_serving(30.0)
        monkeypatch.setattr("bot.engine.connection.CONTRACT_VERSION", 7)
        with pytest.raises(EngineError, match=OTHER_CONTRACT):
            await client.list_topics()
        assert (await client.about()).contract == CONTRACT_VERSION
        assert await client.is_serving()
    stop.set()
    await serving
    assert "update the older of the two" in "".join(capfd.readouterr())


async def test_the_bot_asks_nothing_of_an_engine_that_it_doesnt_understand_until_that_is_replaced(tmp_path):
    address, reports = socket_address(tmp_path), []
    async with open_engine_client(ProcessSettings(address=address)) as client:
        watching = asyncio.create_task(watch_agreement(client, reports.append, pause_s=0.01))
        old = EngineDouble(contract=0)
        async with serve_double(address, old):
            await until(lambda: reports)
            for asked in (client.list_topics(), client.play(pb.PlayRequest())):
                with pytest.raises(EngineError, match=OTHER_CONTRACT):
                    await asked
        assert "speaks version 0 of the contract; the bot speaks 1" in reports[0]
        assert not old.requests
        async with serve_double(address, EngineDouble()):
            await until(lambda: client.understands)
            assert await client.list_topics()
        watching.cancel()
    assert len(reports) == 1

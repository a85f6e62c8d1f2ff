"""Whatever comes instead of a member's file, they read one true sentence and have their place back. Over the wire."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.attachments.addresses import may_fetch
from bot.attachments.fetching import LIMITS, NOT_HANDED_OVER
from engine.contract import engine_pb2 as pb
from playground.driver import Route
from tests.bot.answering.conftest import Wire, wire  # noqa: F401 -- the fixture
from tests.engine_double import midi, png

IN_HASTE = replace(LIMITS, silence_s=0.3, total_s=1.0, pause_s=0.02)
FAULTS = {
    "503": {"kind": "server_error", "status": 503},
    "disconnect": {"kind": "cut", "reset": False},
    "reset": {"kind": "cut", "reset": True},
    "break in the middle": {"kind": "half"},
    "endless body": {"kind": "endless"},
    "slow drip": {"kind": "drip", "delay_s": 0.05},
    "silence": {"kind": "delay", "delay_s": 2.0},
    "redirect": {"kind": "redirect", "location": "http://127.0.0.1:9/attachments/1/2/cat.png"},
}
COMMANDS = {
    "stylize": ("stylize", "image", "cat.png", png(), {}),
    "see": ("see", "image", "cat.png", png(), {}),
    "styles add": ("styles add", "image", "cat.png", png(), {"name": "ours"}),
    "styles list": ("styles list", "image", "cat.png", png(), {}),
    "jazz": ("jazz", "phrase", "phrase.mid", midi(), {}),
    "clips add": ("clips add", "file", "solo.mid", midi(), {"performer": "Ada", "title": "Solo", "consent": True}),
    "quiz import": ("quiz import", "file", "questions.toml", b"x = 1", {}),
}


@pytest.fixture(autouse=True)
def in_haste(wire: Wire) -> None:  # noqa: F811
    wire.bot.attachments.limits = IN_HASTE


async def told(wire: Wire, command: str = "stylize") -> str:  # noqa: F811
    """Use a command with a file; what the bot says in the end, to its member alone."""
    name, option, file_name, content, more = COMMANDS[command]
    await wire.instructor.use(name, files={file_name: content}, **{option: file_name}, **more)
    await wire.idle()
    (answer,) = [m for m in await wire.instructor.messages("gallery") if m["author"].get("bot") and not is_welcome(m)]
    assert answer["flags"] & 64, "nobody else is bothered"
    return answer["content"]


def is_welcome(message) -> bool:
    """Said to the server when the bot is there for the first time."""
    return message["content"].startswith("**Welcome")


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_file_that_discord_does_not_hand_over_is_said_in_a_sentence(wire: Wire, fault):  # noqa: F811
    await wire.driver.order(Route.DOWNLOAD, times=None, **FAULTS[fault])
    assert await told(wire) == NOT_HANDED_OVER
    assert wire.bot.jobs.total == 0
    assert list(wire.bot.attachments.spool.folder.iterdir()) == [], "what came lies nowhere"
    assert wire.double.requests == []


@pytest.mark.parametrize("command", COMMANDS)
async def test_every_command_that_takes_a_file_says_the_same(wire: Wire, command):  # noqa: F811
    await wire.driver.server_error(Route.DOWNLOAD, 503, times=None)
    assert await told(wire, command) == NOT_HANDED_OVER
    assert wire.bot.jobs.total == 0


@pytest.mark.parametrize("fault", ["503", "disconnect", "break in the middle", "silence"])
async def test_a_hiccup_is_tried_once_more(wire: Wire, fault):  # noqa: F811
    await wire.driver.order(Route.DOWNLOAD, **FAULTS[fault])
    await wire.ada.use("see", files={"cat.png": png()}, image="cat.png")
    await wire.idle()
    assert [request.image for request in wire.double.requests] == [png()]


async def test_a_file_lies_on_disk_for_its_user_alone_while_its_job_waits(wire: Wire, monkeypatch):  # noqa: F811
    async def endless(context, event_type):
        yield event_type(progress=pb.Progress(stage="painting", fraction=0.25))
        await wire.double.release.wait()

    monkeypatch.setattr(wire.double, "_misbehave", endless)
    await wire.ada.use("see", files={"cat.png": png()}, image="cat.png")
    await wire.settled(lambda found: any("Painting" in message["content"] for message in found))
    folder = wire.bot.attachments.spool.folder
    (file,) = folder.iterdir()
    assert file.read_bytes() == png()
    assert (folder.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)
    assert "cat" not in file.name
    wire.double.release.set()
    await wire.idle()
    assert list(folder.iterdir()) == []
    await wire.stop()
    assert not folder.exists()


@pytest.mark.parametrize(
    ("address", "api_base", "fetched"),
    [
        ("https://cdn.discordapp.com/attachments/1/2/a.png?ex=1", "", True),
        ("https://cdn.discordapp.com:443/ephemeral-attachments/1/2/a.png", "", True),
        ("https://media.discordapp.net/attachments/1/2/a.png", "", True),
        ("http://cdn.discordapp.com/attachments/1/2/a.png", "", False),
        ("https://cdn.discordapp.com:8443/a.png", "", False),
        ("https://cdn.discordapp.com.example.org/a.png", "", False),
        ("https://cdn.discordapp.com@example.org/a.png", "", False),
        ("https://user:secret@cdn.discordapp.com/a.png", "", False),
        ("https://example.org/cdn.discordapp.com/a.png", "", False),
        ("https://CDN.discordapp.com/a.png", "", True),
        ("https://cdn.discordapp.com\\@example.org/a.png", "", False),
        ("file:///etc/passwd", "", False),
        ("https://127.0.0.1/a.png", "", False),
        ("https://[::1]/a.png", "", False),
        ("https://[::1/a.png", "", False),
        ("https://cdn.discordapp.com:port/a.png", "", False),
        ("http://127.0.0.1:8765/attachments/1/2/a.png", "http://127.0.0.1:8765/api/v10", True),
        ("http://127.0.0.1:8765/attachments/1/2/a.png", "http://localhost:8765/api/v10", True),
        ("http://127.0.0.1:8766/attachments/1/2/a.png", "http://127.0.0.1:8765/api/v10", False),
        ("https://cdn.discordapp.com/a.png", "http://127.0.0.1:8765/api/v10", False),
        ("http://127.0.0.1:8765/a.png", "", False),
    ],
)
def test_files_are_fetched_from_discord_or_from_the_playground_in_use_and_from_nowhere_else(address, api_base, fetched):
    assert may_fetch(address, api_base) is fetched

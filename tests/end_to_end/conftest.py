"""One house for all tests that leave it standing: its engine takes a while to warm up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from playground.driver import Member
from tests.end_to_end.house import WARM_S, House, open_house
from tests.end_to_end.pictures import landscape
from tests.playground import evidence


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test shows who did what."""
    report = yield
    evidence.note(item, report)
    return report


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("house")) as opened:
        asyncio.run(_warm(opened))
        yield opened


async def _warm(house: House) -> None:
    async with house.members() as members:
        await until_warm(members["instructor"])


def _is_about(message: dict[str, Any]) -> bool:
    return bool(message["embeds"]) and message.get("interaction_metadata", {}).get("name") == "about"


async def until_warm(member: Member) -> None:
    """Asks /about until the engine names its device."""
    async with asyncio.timeout(WARM_S):
        while True:
            start = await member.newest("quiz")
            await member.use("about", channel="quiz")
            shown = await member.sees(_is_about, channel="quiz", within_s=60, after=start)
            fields = {field["name"] for field in shown["embeds"][0].get("fields", [])}
            await member.delete(shown)
            if "Device" in fields:
                return
            await asyncio.sleep(1)


@pytest.fixture
async def members(house: House) -> AsyncIterator[dict[str, Member]]:
    async with house.members() as opened:
        yield opened


@pytest.fixture
def ada(members: dict[str, Member]) -> Member:
    return members["ada"]


@pytest.fixture
def ben(members: dict[str, Member]) -> Member:
    return members["ben"]


@pytest.fixture
def instructor(members: dict[str, Member]) -> Member:
    return members["instructor"]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A picture with something in it: a sun over hills."""
    path = tmp_path / "landscape.jpg"
    path.write_bytes(landscape(384, 256))
    return path

"""A world of one's own: what the server, the bot, channels and members are called."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.async_api import expect

from playground.world.world_file import BadWorld, World, read_world
from tests.playground.browser import open_browser
from tests.playground.conftest import Open

CHESS = """
name = "Chess club"
bot = "Knightly"

[[channels]]
name = "games"
topic = "Try /echo"

[[members]]
name = "Nia"

[[members]]
name = "Sam O'Neill"
staff = true
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "world.toml"
    path.write_text(text)
    return path


async def test_the_bot_and_its_members_meet_in_that_world(open_course: Open, tmp_path: Path) -> None:
    async with open_course(world=read_world(written(tmp_path, CHESS))) as course:
        guild = course.bot.guilds[0]
        assert course.bot.user is not None
        assert (guild.name, course.bot.user.name) == ("Chess club", "Knightly")
        assert [channel.name for channel in guild.text_channels] == ["games"]
        nia, sam = course.driver.member("nia"), course.driver.member("sam_o_neill")
        assert (await nia.use("count", channel="games")).outcome == "answered"
        shown = await sam.sees(lambda m: m["content"] == "Counted to 0", channel="games")
        assert shown["author"]["username"] == "Knightly"
        assert (await sam.state())["me"]["is_staff"]
        information = await course.bot.application_info()
        assert (information.name, information.owner.name) == ("Knightly", "sam_o_neill")


@pytest.mark.browser
async def test_the_page_shows_that_world(open_course: Open, tmp_path: Path) -> None:
    async with open_course(world=read_world(written(tmp_path, CHESS))) as course, open_browser() as browser:
        page = await browser.new_page()
        await page.goto(course.playground.address)
        await expect(page.get_by_role("heading", name="Knightly's playground")).to_be_visible()
        await page.get_by_role("link", name="Nia").click()
        await expect(page.get_by_role("link", name="games")).to_be_visible()
        await expect(page.get_by_text("Chess club")).to_be_visible()
        await expect(page.get_by_text("Woodshed")).to_have_count(0)


def test_what_is_left_out_stays_as_it_is(tmp_path: Path) -> None:
    assert read_world(written(tmp_path, "")) == World()
    assert read_world(written(tmp_path, 'name = "A"')) == dataclasses.replace(World(), name="A")


def test_many_members_and_channels_have_ids_of_their_own(tmp_path: Path) -> None:
    channels = "".join(f'[[channels]]\nname = "room-{number}"\n' for number in range(50))
    members = "".join(f'[[members]]\nname = "M{number}"\n' for number in range(100))
    world = read_world(written(tmp_path, channels + members))
    assert len(world.everybody().keys() | world.text_channels().keys()) == 100 + 2 + 50


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name = ", "isn't TOML"),
        ("colour = 3", "there is no setting 'colour'"),
        ('[[channels]]\nname = "The Lounge"', "'The Lounge' can't be a channel's name"),
        ('[[members]]\nname = "Nia"\n[[members]]\nname = "nia"', "two members are called 'nia'"),
        ("[[members]]\nstaff = true", "name is missing"),
        ("members = []", "write 1 to 100 tables"),
    ],
)
def test_a_world_that_makes_no_sense_is_refused_in_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(BadWorld, match=words):
        read_world(written(tmp_path, text))


def test_the_command_says_what_is_wrong_with_the_file(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "playground", "--world", str(written(tmp_path, "colour = 3"))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "colour" in done.stderr

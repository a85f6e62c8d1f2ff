"""What isn't modelled is refused aloud, and the papers list what is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from playground.control.openapi import Description
from playground.server import parity_table
from tests.playground.conftest import OPENAPI, Course
from tests.playground.test_limits import COMMANDS, MESSAGES, button, call, command, option, row


def test_the_papers_list_what_is_modelled() -> None:
    paper = (Path(__file__).parents[2] / "docs/playground.md").read_text(encoding="utf-8")
    assert paper.endswith(parity_table()), "run `python -m playground --parity` and put it at the end of the page"


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (MESSAGES, {"poll": {"question": {"text": "?"}, "answers": [], "colour": 3}}, "poll"),
        (MESSAGES, {"content": "x", "sticker_ids": ["1"]}, "sticker_ids"),
        (MESSAGES, {"content": "x", "colour": 3}, "colour"),
        (MESSAGES, {"embeds": [{"title": "x", "colour": 3}]}, "embeds"),
        (MESSAGES, {"components": [row(button(tooltip="x"))]}, "components"),
        (COMMANDS, command(emoji={"name": "x"}), "emoji"),
        (COMMANDS, command(options=[option(default=4)]), "options"),
    ],
)
async def test_a_field_that_is_not_modelled_is_refused_by_name(
    course: Course, path: str, body: Any, field: str
) -> None:
    status, answer = await call(course, "POST", path, body)
    assert (status, answer["code"]) == (400, 50035)
    assert field in answer["errors"]
    assert "NOT_MODELLED" in str(answer["errors"])


async def test_an_empty_field_that_is_not_modelled_is_let_through(course: Course) -> None:
    status, _ = await call(course, "POST", MESSAGES, {"content": "x", "poll": None, "sticker_ids": []})
    assert status == 200


@pytest.mark.shared
async def test_every_route_here_is_one_of_discords(course: Course) -> None:
    if not OPENAPI.is_file():
        pytest.skip("needs Discord's OpenAPI description, ../shared/data/discord/openapi.json")
    description = Description(OPENAPI)
    here = {
        route for route in await course.driver.routes() if route.startswith(("GET /", "POST /", "PUT /", "PATCH /"))
    }
    unknown = {route for route in here if description.knows(route) is False}
    # Kept for older libraries, and the files, which have an address of their own at Discord.
    assert unknown <= {"GET /oauth2/applications/@me", "GET /{kind}/{channel}/{attachment}/{filename}"}


@pytest.mark.shared
async def test_what_does_not_fit_discords_description_is_noted(course: Course) -> None:
    if not OPENAPI.is_file():
        pytest.skip("needs Discord's OpenAPI description, ../shared/data/discord/openapi.json")
    description = Description(OPENAPI)
    description.check_request("POST /channels/{channel}/messages", {"content": "fits"})
    description.check_answer("GET /users/@me", 200, {"id": "1"})
    assert description.checked == 2
    assert any("username" in violation for violation in description.violations)

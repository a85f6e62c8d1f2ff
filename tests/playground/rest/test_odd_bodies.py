"""Whatever a bot sends, the playground refuses it and doesn't fall over."""

from __future__ import annotations

from typing import Any

import pytest

from tests.playground.conftest import Course

WHOLE: tuple[Any, ...] = ([], [1], "x", 3, None, True)
PARTS: dict[str, tuple[Any, ...]] = {
    "content": (5, ["x"], {}),
    "embeds": (3, {}, ["x"], [None], [{"fields": 3}], [{"fields": ["x"]}], [{"image": 3}], [{"title": 5}]),
    "components": (3, {"a": 1}, ["x"], [{"type": "x"}], [{"type": 1, "components": 3}], [{"type": 1}], [{"type": 2}]),
    "attachments": (5, {}, ["x"], [{"id": []}], [{"id": "zero"}]),
    "poll": (3, [], {"question": 3, "answers": 3}, {"question": {"text": 3}, "answers": [3]}),
    "allowed_mentions": (5, [], {"parse": 3}, {"users": 3}),
    "message_reference": (3, [], {"message_id": {}}),
    "flags": ("x", [], 1.5, -1),
    "nonce": ({}, [], 1.5),
    "name": (3, [], {}),
    "options": (3, {}, ["x"], [{"type": 3, "choices": 3}], [{"type": "x"}]),
    "data": (3, [], "x", {"components": 3}, {"choices": 3}, {"choices": ["x"]}, {"embeds": ["x"]}, {"flags": "x"}),
    "type": ("x", [], 99, None),
}
ODD = [{key: value} for key, values in PARTS.items() for value in values]
LOOKED_INTO = ("/messages", "/commands", "/threads", "/callback")
"""Ends of the routes whose fields are looked into; the others only take a name, or nothing."""


async def routes(course: Course) -> list[tuple[str, str]]:
    """Every route that takes a body, with this world's ids in it."""
    place = await course.ada.channel()
    said = await course.ada.say("hello")
    parts = {
        "application": str(course.bot.application_id),
        "guild": str(course.bot.guilds[0].id),
        "channel": place["id"],
        "message": said["id"],
        "user": said["author"]["id"],
        "emoji": "🎷",
        "interaction": "1",
        "token": "x",
        "command": "1",
        "webhook": "1",
        "answer": "1",
    }
    found = []
    for route in await course.driver.routes():
        method, _, path = route.partition(" ")
        if method in ("POST", "PUT", "PATCH") and path.startswith("/"):
            found.append((method, path.format_map(parts)))
    return found


async def test_no_route_falls_over_an_odd_body(course: Course) -> None:
    headers = {"Authorization": f"Bot {course.playground.token}"}
    fallen = []
    for method, path in await routes(course):
        for body in (*WHOLE, *(ODD if path.endswith(LOOKED_INTO) else ())):
            async with course.session.request(
                method, course.playground.api_base + path, json=body, headers=headers
            ) as answer:
                if answer.status >= 500:
                    fallen.append((method, path, body))
    assert fallen == []


@pytest.mark.parametrize(
    "body", [[], "x", 3, {"type": 4, "data": []}, {"type": 4, "data": "x"}, {"type": 8, "data": 3}]
)
async def test_an_odd_answer_to_an_interaction_is_refused(course: Course, body: Any) -> None:
    statuses = []
    wanted = course.bot.tree.get_command("count")
    assert wanted is not None

    async def callback(interaction: Any) -> None:
        url = f"{course.playground.api_base}/interactions/{interaction.id}/{interaction.token}/callback"
        async with course.session.post(url, json=body) as answer:
            statuses.append(answer.status)
        await interaction.response.send_message("then properly")

    wanted._callback = callback  # type: ignore[union-attr]
    assert (await course.ada.use("count")).outcome == "answered"
    assert statuses == [400]


@pytest.mark.parametrize("body", [[], "x", 3, {"kind": "command", "options": 3}, {"kind": "component", "values": 3}])
async def test_the_page_side_refuses_odd_bodies_too(course: Course, body: Any) -> None:
    place = await course.ada.channel()
    for path in ("interactions", "messages", "threads"):
        url = f"{course.playground.address}page/channels/{place['id']}/{path}"
        async with course.session.post(url, json=body, params={"member": "ada"}) as answer:
            assert 400 <= answer.status < 500

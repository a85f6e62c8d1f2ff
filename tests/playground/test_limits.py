"""What may be sent: the limits that discord.py doesn't check itself, over REST, with Discord's error shapes."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from playground.world import cast
from playground.world.state import Options, Playground
from tests.playground.conftest import Course, Open

GALLERY = "1411898000000000021"
MESSAGES = f"/channels/{GALLERY}/messages"
COMMANDS = f"/applications/{cast.APPLICATION_ID}/commands"


async def call(course: Course, method: str, path: str, body: Any, token: str = "") -> tuple[int, Any]:
    headers = {"Authorization": f"Bot {token or course.playground.token}", "Content-Type": "application/json"}
    async with course.session.request(
        method, course.playground.api_base + path, data=json.dumps(body), headers=headers
    ) as response:
        assert response.headers["Content-Type"] == "application/json"
        return response.status, await response.json()


def button(custom_id: str = "a", **more: Any) -> dict[str, Any]:
    return {"type": 2, "style": 1, "label": "A", "custom_id": custom_id} | more


def row(*components: dict[str, Any]) -> dict[str, Any]:
    return {"type": 1, "components": list(components)}


def options(count: int) -> list[dict[str, str]]:
    return [{"label": str(n), "value": str(n)} for n in range(count)]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"content": "x" * 2001}, "content"),
        ({"embeds": [{"title": "x"}] * 11}, "embeds"),
        ({"embeds": [{"title": "x" * 257}]}, "embeds.0.title"),
        ({"embeds": [{"description": "x" * 4097}]}, "embeds.0.description"),
        ({"embeds": [{"description": "x" * 3001}, {"description": "x" * 3000}]}, "embeds"),
        ({"embeds": [{"fields": [{"name": "a", "value": "b"}] * 26}]}, "embeds.0.fields"),
        ({"embeds": [{"fields": [{"name": "", "value": "b"}]}]}, "embeds.0.fields.0.name"),
        ({"embeds": [{"fields": [{"name": "a", "value": "x" * 1025}]}]}, "embeds.0.fields.0.value"),
        ({"embeds": [{"title": "a", "image": {"url": "file:///etc/passwd"}}]}, "embeds.0.image.url"),
        ({"embeds": [{}]}, "embeds.0.description"),
        ({"components": [row(button())] * 6}, "components"),
        ({"components": [row(*(button(str(n)) for n in range(6)))]}, "components.0.components"),
        ({"components": [row(button(), button())]}, "components"),
        ({"components": [row(button("x" * 101))]}, "components.0.components.0.custom_id"),
        ({"components": [row(button(label="x" * 81))]}, "components.0.components.0.label"),
        ({"components": [row(button(label=""))]}, "components.0.components.0"),
        ({"components": [row(button(style=5))]}, "components.0.components.0.url"),
        (
            {"components": [row(button(), {"type": 3, "custom_id": "s", "options": options(2)})]},
            "components.0.components",
        ),
        (
            {"components": [row({"type": 3, "custom_id": "s", "options": options(26)})]},
            "components.0.components.0.options",
        ),
        ({"components": [row({"type": 3, "custom_id": "s", "options": []})]}, "components.0.components.0.options"),
        (
            {"components": [row({"type": 3, "custom_id": "s", "options": options(2), "max_values": 3})]},
            "components.0.components.0.max_values",
        ),
        ({"components": [{"type": 10, "content": "text"}]}, "components.0.type"),
        ({"flags": 32768, "content": "x", "components": [{"type": 10, "content": "text"}]}, "content"),
        ({"flags": 32768, "components": [{"type": 10, "content": "text"}] * 41}, "components"),
        ({"flags": 32768, "components": [{"type": 10, "content": "x" * 2500}] * 2}, "components"),
        ({"flags": 128, "content": "x"}, "flags"),
    ],
)
async def test_a_message_beyond_discords_limits_is_50035_at_the_right_field(
    course: Course, body: dict[str, Any], path: str
) -> None:
    status, answer = await call(course, "POST", MESSAGES, body)
    assert (status, answer["code"]) == (400, 50035)
    faulty = answer["errors"]
    for key in path.split("."):
        assert key in faulty, answer
        faulty = faulty[key]
    assert faulty["_errors"][0]["code"]


async def test_a_message_at_discords_limits_is_accepted(course: Course) -> None:
    body = {
        "content": "x" * 2000,
        "embeds": [{"description": "x" * 4096}, {"description": "x" * 1904}],
        "components": [row(*(button(f"{r}-{n}") for n in range(5))) for r in range(4)]
        + [row({"type": 3, "custom_id": "s", "options": options(25), "max_values": 25})],
    }
    status, answer = await call(course, "POST", MESSAGES, body)
    assert status == 200, answer


async def test_a_wrong_token_is_401_and_a_foreign_message_cannot_be_edited(course: Course) -> None:
    status, _ = await call(course, "POST", MESSAGES, {"content": "x"}, token="wrong")
    assert status == 401
    said = await course.ada.say("mine")
    status, answer = await call(course, "PATCH", f"{MESSAGES}/{said['id']}", {"content": "yours"})
    assert (status, answer["code"]) == (403, 50005)
    status, answer = await call(course, "PATCH", f"{MESSAGES}/1", {"content": "nobody's"})
    assert (status, answer["code"]) == (404, 10008)
    status, answer = await call(course, "POST", "/channels/1/messages", {"content": "x"})
    assert (status, answer["code"]) == (404, 10003)


def command(**more: Any) -> dict[str, Any]:
    return {"name": "jazz", "description": "Improvises"} | more


def option(name: str = "bars", **more: Any) -> dict[str, Any]:
    return {"type": 4, "name": name, "description": "How many"} | more


@pytest.mark.parametrize(
    "bad",
    [
        command(name="Jazz"),
        command(name="a b"),
        command(name="x" * 33),
        command(description=""),
        command(description="x" * 101),
        command(options=[option(str(n)) for n in range(26)]),
        command(options=[option("a"), option("a")]),
        command(options=[option("a"), option("b", required=True)]),
        command(options=[option("a", choices=[{"name": str(n), "value": n} for n in range(26)])]),
        command(
            options=[
                option(f"o{n}", description="x" * 100, choices=[{"name": "x" * 100, "value": i} for i in range(25)])
                for n in range(4)
            ]
        ),
        {"type": 3, "name": "Stylize this", "description": "no"},
    ],
)
async def test_commands_beyond_discords_limits_are_refused(course: Course, bad: dict[str, Any]) -> None:
    status, answer = await call(course, "PUT", COMMANDS, [bad])
    assert (status, answer["code"]) == (400, 50035), answer


async def test_only_200_commands_can_be_created_a_day(course: Course) -> None:
    for number in range(10):
        body = [command(name=f"c{number}-{n}") for n in range(19)]
        status, answer = await call(course, "PUT", COMMANDS, body)
        if status != 200:
            break
    assert (status, answer["code"]) == (400, 30034)


async def test_rate_limits_are_a_switch_and_discord_py_obeys_them(open_course: Open) -> None:
    async with open_course(rate_limits=True) as course:
        channel = course.bot.get_partial_messageable(int(GALLERY))
        for number in range(6):
            await channel.send(str(number))
        answers = [await call(course, "POST", MESSAGES, {"content": "fast"}) for _ in range(6)]
        assert answers[-1][0] == 429
        assert answers[-1][1]["retry_after"] > 0


async def test_a_foreign_host_or_origin_is_turned_away(course: Course) -> None:
    url = course.playground.address + "page/state?member=ada"
    for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}):
        async with course.session.get(url, headers=headers) as response:
            assert response.status == 403
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await course.session.ws_connect(
            course.playground.address + "page/events?member=ada", origin="https://evil.example"
        )


async def test_without_the_key_in_the_address_nobody_plays_a_member(course: Course) -> None:
    for path in ("/page/state?member=ada", "/wrong/page/state?member=ada", "/", "/page/files/js/app.js"):
        async with course.session.get(path) as response:
            assert response.status in (403, 404)
            assert course.playground.key not in await response.text()
    async with course.session.get(course.playground.address) as response:
        assert response.status == 200


async def test_keys_are_random_per_world_and_survive_a_restart(tmp_path: Path) -> None:
    worlds = [Playground(Options(state=tmp_path / name)) for name in ("one", "two")]
    assert len({secret for world in worlds for secret in (world.key, world.token)}) == 4
    assert stat.S_IMODE((tmp_path / "one").stat().st_mode) == 0o700
    before = worlds[0].key, worlds[0].token
    for world in worlds:
        world.store.close()
    again = Playground(Options(state=tmp_path / "one"))
    assert (again.key, again.token) == before
    again.store.close()


async def test_files_that_a_browser_could_run_are_only_for_download(course: Course) -> None:
    said = await course.ada.say("files", files={"a.html": b"<script>", "b.svg": b"<svg/>", "c.png": b"x"})
    kinds = [(await course.ada.download(a["url"]))[2] for a in said["attachments"]]
    assert kinds == ["application/octet-stream", "application/octet-stream", "image/png"]


SCHEMA_FIELDS = [
    ("RichEmbed", lambda value: {"embeds": [{"title": "t"} | value]}, ("title", "description", "fields")),
    (
        "RichEmbedField",
        lambda value: {"embeds": [{"fields": [{"name": "n", "value": "v"} | value]}]},
        ("name", "value"),
    ),
    ("RichEmbedFooter", lambda value: {"embeds": [{"title": "t", "footer": value}]}, ("text",)),
    ("RichEmbedAuthor", lambda value: {"embeds": [{"title": "t", "author": value}]}, ("name",)),
    ("ButtonComponentForMessageRequest", lambda value: {"components": [row(button() | value)]}, ("custom_id", "label")),
    (
        "StringSelectComponentForMessageRequest",
        lambda value: {"components": [row({"type": 3, "custom_id": "s", "options": options(1)} | value)]},
        ("custom_id", "placeholder", "options"),
    ),
    (
        "StringSelectOptionForRequest",
        lambda value: {"components": [row({"type": 3, "custom_id": "s", "options": [options(1)[0] | value]})]},
        ("label", "value", "description"),
    ),
]


@pytest.mark.shared
async def test_the_limits_of_discords_own_description_are_the_limits_here(course: Course) -> None:
    """Of every field at its `maxLength` or `maxItems`: that is accepted, and one more refused."""
    path = Path(__file__).parents[3] / "shared/data/discord/openapi.json"
    if not path.is_file():
        pytest.skip("needs Discord's OpenAPI description, ../shared/data/discord/openapi.json")
    schemas = json.loads(path.read_text())["components"]["schemas"]
    for name, message, fields in SCHEMA_FIELDS:
        for field in fields:
            schema = schemas[name]["properties"][field]
            most = schema.get("maxLength") or schema["maxItems"]
            for size, wanted in ((most, 200), (most + 1, 400)):
                value: Any = "x" * size
                if "maxItems" in schema:
                    value = options(size) if field == "options" else [{"name": "n", "value": "v"}] * size
                status, answer = await call(course, "POST", MESSAGES, message({field: value}))
                assert status == wanted, (name, field, size, answer)


@pytest.mark.parametrize(
    "body", [b"{", b"[" * 100_000, b"null", b'{"size": 1, "pace": NaN}', b'{"size": 1, "pace": 1e999}', b"\xff\xfe"]
)
async def test_what_is_no_json_or_no_number_is_refused_in_discords_way(course: Course, body: bytes) -> None:
    async with course.session.post(f"{course.playground.address}control/class", data=body) as response:
        assert response.status == 400
        assert (await response.json())["code"] in (50109, 50035)

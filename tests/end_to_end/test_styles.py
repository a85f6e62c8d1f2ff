"""A server's own style over the real wire, with the real bot, engine and network: added, seen, used, removed."""

from __future__ import annotations

import io

from PIL import Image

from playground.driver import Json, Member
from tests.end_to_end.pictures import landscape

JOB_S = 300


def said(text: str):
    return lambda message: text in message["content"]


def button(message: Json, label: str) -> str:
    """The custom id of the button that is called so."""
    return next(
        item["custom_id"] for row in message["components"] for item in row["components"] if item.get("label") == label
    )


def fields(message: Json) -> dict[str, str]:
    return {field["name"]: field["value"] for field in message["embeds"][0].get("fields", [])}


async def test_a_style_is_added_shown_painted_in_and_removed(ada: Member, instructor: Member) -> None:
    wall = landscape(640, 400)
    await ada.use("styles add", files={"wall.jpg": wall}, image="wall.jpg", name="hills")
    await ada.sees(said("Only the course staff"))
    await instructor.use("styles add", files={"wall.jpg": b"no picture"}, image="wall.jpg", name="hills")
    await instructor.sees(said("not a picture I can read"), within_s=JOB_S)
    await instructor.use("styles add", files={"wall.jpg": wall}, image="wall.jpg", name="hills")
    await instructor.sees(said("Added `hills`"), within_s=JOB_S)

    await ada.use("styles list")
    sheet = await ada.sees(lambda m: len(m["embeds"]) > 1, within_s=JOB_S)
    assert [embed.get("title") for embed in sheet["embeds"]] == [
        "The style book: before 1800",
        "The style book: 1800 to 1879",
        "The style book: 1880 to 1899",
        "The style book: 1900 to 1909",
        "The style book: 1910 and later",
        "This server's own styles",
    ]
    assert "`great-wave` The Great Wave off Kanagawa" in sheet["embeds"][1]["description"]
    assert "`hills` added" in sheet["embeds"][5]["description"]
    for embed in sheet["embeds"]:
        _, content, kind = await ada.download(embed["image"]["url"])
        assert kind == "image/jpeg"
        assert Image.open(io.BytesIO(content)).width > 200

    offered = await ada.complete("stylize", "style", "hills")
    assert [choice["value"] for choice in offered.content] == ["hills"]
    await ada.use(
        "stylize", files={"photo.png": landscape(96, 64, "PNG")}, image="photo.png", style="hills", strength=50
    )
    painted = await ada.sees(lambda m: m["embeds"] and fields(m).get("Style") == "hills", within_s=JOB_S)

    await ada.press(painted, button(painted, "From photo to painting"))
    film = await ada.sees(
        lambda m: m["embeds"] and m["embeds"][0].get("title", "").startswith("From photo"), within_s=JOB_S
    )
    _, content, kind = await ada.download(film["attachments"][0]["url"])
    assert (kind, content[4:8]) == ("video/mp4", b"ftyp")

    await instructor.use("styles remove", name="hills")
    await instructor.sees(said("Removed `hills`"))
    await ada.press(painted, button(painted, "Stronger"))
    await ada.sees(said("The style `hills` has been removed from this server"))

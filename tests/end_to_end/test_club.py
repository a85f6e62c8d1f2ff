"""Members over the real wire: the real bot, the real engine, the real networks."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import av
import mido
import psutil
import pytest
from PIL import Image

from playground.driver import Member
from tests.end_to_end.house import House
from tests.end_to_end.pictures import landscape
from tests.loaded import packages_of

Json = dict[str, Any]

JOB_S = 120.0


def buttons(message: Json) -> dict[str, str]:
    """Labels and ids of a message's buttons."""
    rows = [item for row in message["components"] for item in row["components"]]
    return {item["label"]: item["custom_id"] for item in rows if item["type"] == 2 and "custom_id" in item}


def fields(message: Json) -> dict[str, str]:
    return {field["name"]: field["value"] for field in message["embeds"][0].get("fields", [])}


def is_done(message: Json, command: str = "") -> bool:
    """Whether a command's answer has its files."""
    used = message.get("interaction_metadata", {}).get("name", "")
    return bool(message["attachments"]) and used.startswith(command)


async def picture(member: Member, message: Json) -> Image.Image:
    status, content, _ = await member.download(message["attachments"][0]["url"])
    assert status == 200
    return Image.open(io.BytesIO(content))


async def quiz_question(member: Member) -> Json:
    """Asks for a question with one button for each answer: again where it is of another kind, or where a busy machine
    took too long to compute one."""
    async with asyncio.timeout(JOB_S):
        while True:
            known = {message["id"] for message in await member.messages("quiz")}
            await member.use("quiz question", channel="quiz")
            answer = await member.sees(
                lambda m, known=known: m["id"] not in known and (m["components"] or m["content"]),
                channel="quiz",
                within_s=JOB_S,
            )
            if len(buttons(answer)) > 1:
                return answer


async def test_a_picture_is_repainted_and_again_in_another_style(ada: Member, ben: Member) -> None:
    photo = landscape(384, 256)
    styles = await ada.complete("stylize", "style", "")
    style = styles.content[0]["value"]
    start = await ada.newest()
    answer = await ada.use("stylize", files={"photo.jpg": photo}, image="photo.jpg", style=style, strength=90)
    assert answer.outcome == "answered"
    message = await ben.sees(lambda m: is_done(m, "stylize"), within_s=JOB_S, after=start)
    painted = await picture(ben, message)
    assert painted.size == (384, 256)
    shown = fields(message)
    assert shown["Style"] == style
    assert {"Strength", "Size", "Time", "Seed"} <= shown.keys()
    image = message["embeds"][0]["image"]
    assert image["width"] > image["height"], "before and after, side by side"

    await ben.press(message, buttons(message)["Another style"])
    again = await ada.sees(lambda m: m["attachments"], within_s=JOB_S, after=int(message["id"]))
    assert fields(again)["Style"] != style
    assert (await picture(ada, again)).size == (384, 256)

    await ben.press(message, buttons(message)["Delete"])
    await ben.sees(lambda m: "can delete it" in m["content"] and m["flags"] & 64)
    await ada.press(message, buttons(message)["Delete"])
    await ada.misses(lambda m: m["id"] == message["id"])


async def test_a_message_is_repainted_from_its_menu(ada: Member, ben: Member) -> None:
    said = await ben.say("my holidays", files={"beach.png": landscape(160, 120, "PNG")})
    await ada.menu("Stylize this", said["id"])
    message = await ada.sees(lambda m: is_done(m, "Stylize this"), within_s=JOB_S)
    assert (await picture(ada, message)).size == (160, 120)
    words = await ben.say("no picture here")
    await ada.menu("Stylize this", words["id"])
    await ada.sees(
        lambda m: m["content"] == "There's no picture in that message. Please choose one that shows a picture."
    )


async def test_a_clip_is_improvised_with_sound_roll_and_midi(ada: Member) -> None:
    start = await ada.newest("jazz-club")
    await ada.use("jazz", channel="jazz-club", chords="Dm7 | G7 | Cmaj7 | A7", bars=4, tempo=160, seed=7)
    message = await ada.sees(lambda m: is_done(m, "jazz"), channel="jazz-club", within_s=JOB_S, after=start)
    clip = next(a for a in message["attachments"] if a["filename"].endswith(".ogg"))
    assert clip["content_type"] == "audio/ogg"
    _, content, _ = await ada.download(clip["url"])
    with av.open(io.BytesIO(content)) as container:
        seconds = float(container.duration or 0) / av.time_base
    assert 4 * 4 * 60 / 160 <= seconds <= 4 * 4 * 60 / 160 + 8, "four bars, and their echo"
    assert message["embeds"][0]["image"]["width"] > 300, "the piano roll"
    assert fields(message)["Seed"] == "7"

    await ada.press(message, buttons(message)["MIDI"])
    private = await ada.sees(
        lambda m: any(a["filename"].endswith(".mid") for a in m["attachments"]), channel="jazz-club", after=start
    )
    assert private["flags"] & 64
    _, midi, _ = await ada.download(private["attachments"][0]["url"])
    tracks = {track.name for track in mido.MidiFile(file=io.BytesIO(midi)).tracks}
    assert {"solo", "bass", "comping", "drums"} <= tracks


async def test_a_quiz_question_is_answered_in_private_and_scored(ada: Member, ben: Member) -> None:
    question = await quiz_question(ada)
    choices = buttons(question)
    assert len(choices) >= 2

    async def told(member: Member) -> list[Json]:
        """What the member was told of this question's answers, not of earlier ones."""
        titles = ("Right!", "Not this time")
        later = [m for m in await member.messages("quiz") if int(m["id"]) > int(question["id"]) and m["embeds"]]
        return [m for m in later if m["embeds"][0]["title"] in titles]

    for custom_id in choices.values():
        await ben.press(question, custom_id)
    answers: list[Json] = []
    async with asyncio.timeout(JOB_S):  # a press is acknowledged before its answer is there
        while len(answers) < len(choices):
            answers = await told(ben)
            await asyncio.sleep(0.05)
    seen = {m["embeds"][0]["title"] for m in answers}
    assert len(answers) == len(choices)
    assert len(seen) == 1, "the first answer counts, whatever comes after"
    assert await told(ada) == []
    start = await ben.newest("quiz")
    await ben.use("quiz score", channel="quiz")
    score = await ben.sees(
        lambda m: m["embeds"] and m["embeds"][0].get("title") == "Your score", channel="quiz", after=start
    )
    right = 1 if seen == {"Right!"} else 0
    assert f"**{right} of 1** right" in score["embeds"][0]["description"]


async def test_a_question_is_answered_from_a_card_or_honestly_not(ada: Member) -> None:
    start = await ada.newest("quiz")
    await ada.use("ask", channel="quiz", question="What does autograd record in the graph?")
    known = await ada.sees(
        lambda m: m["embeds"] and "autograd" in str(m["embeds"][0]).lower(),
        channel="quiz",
        within_s=JOB_S,
        after=start,
    )
    await ada.use("ask", channel="quiz", question="Who won the football cup in 1954?")
    answer = await ada.sees(
        lambda m: "football" in m["content"] or "don't" in m["content"],
        channel="quiz",
        within_s=JOB_S,
        after=int(known["id"]),
    )
    assert not answer["embeds"]


async def test_a_blind_poll_from_the_draw_to_the_result(ada: Member, ben: Member, instructor: Member) -> None:
    asked = {"channel": "jazz-club", "closes_in": 60, "trials": 1, "design": "single"}
    await ben.use("poll start", **asked)
    await ben.sees(lambda m: "staff" in m["content"] and m["flags"] & 64, channel="jazz-club")
    start = await ada.newest("jazz-club")
    await instructor.use("poll start", **asked)
    poll = await ada.sees(
        lambda m: m["embeds"] and "Clip 1 of 1" in (m["embeds"][0].get("title") or ""),
        channel="jazz-club",
        within_s=2 * JOB_S,
        after=start,
    )
    clip = poll["attachments"][0]
    assert clip["content_type"] == "audio/ogg"
    hidden = str(poll).lower()
    for word in ("joplin", "berlin", "rag", "model "):
        assert word not in hidden.replace("a human or the model?", ""), "nothing in the message tells"
    choices = buttons(poll)
    await ada.press(poll, choices["Human"])
    await ada.sees(lambda m: m["content"].startswith("Your vote: **human**"), channel="jazz-club")
    await ada.press(poll, choices["AI"])
    await ada.sees(lambda m: m["content"].startswith("Changed to **AI**"), channel="jazz-club")
    await ben.press(poll, choices["Human"])
    await ben.sees(lambda m: m["content"].startswith("Your vote: **human**"), channel="jazz-club")
    assert not any(m["flags"] & 64 for m in await instructor.messages("jazz-club") if "vote" in m["content"].lower())
    await instructor.use("poll close", channel="jazz-club")
    result = await ada.sees(
        lambda m: m["embeds"] and "The reveal" in (m["embeds"][0].get("title") or ""),
        channel="jazz-club",
        within_s=JOB_S,
        after=start,
    )
    assert fields(result)["All together"].startswith("1 of 2 votes of 2 listeners")
    await ada.sees(
        lambda m: (
            m["id"] == poll["id"]
            and not m["components"]
            and "1 of 2 right" in (m["embeds"][0].get("description") or "")
        ),
        channel="jazz-club",
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("notes.txt", b"not a picture"),
        ("empty.png", b""),
        ("cut.jpg", landscape(64, 64)[:300]),
    ],
)
async def test_a_bad_picture_is_refused_in_one_private_sentence(
    house: House, ben: Member, name: str, content: bytes
) -> None:
    before = {m["id"] for m in await ben.messages()}
    await ben.use("stylize", files={name: content}, image=name)
    refusal = await ben.sees(lambda m: m["id"] not in before and m["flags"] & 64 and m["content"], within_s=JOB_S)
    assert "Traceback" not in refusal["content"]
    assert refusal["content"].endswith((".", "?", "!"))
    assert "Error" not in refusal["content"]
    await ben.misses(lambda m: m["id"] not in before and not m["flags"] & 64)  # nobody else is bothered


@pytest.mark.skipif(not psutil.LINUX, reason="what a process has loaded is shown on Linux alone")
async def test_what_finishes_clips_is_loaded_by_its_own_process_alone(house: House) -> None:
    """SciPy and its kin would be a third of the engine's start, and of its memory."""
    assert {"scipy", "matplotlib"} <= packages_of(house.one("engine.jazz.finishing.child"))
    assert "scipy" not in packages_of(house.one("engine serve")), "Matplotlib comes with a question's first picture"


async def test_chords_that_do_not_parse_are_named(ben: Member) -> None:
    before = {m["id"] for m in await ben.messages("jazz-club")}
    await ben.use("jazz", channel="jazz-club", chords="Dm7 H13 Cmaj7")
    wanted = "H13"
    await ben.sees(
        lambda m: m["id"] not in before and wanted in m["content"] and m["flags"] & 64,
        channel="jazz-club",
        within_s=JOB_S,
    )


async def test_a_missing_permission_is_found_before_any_work(ada: Member, instructor: Member) -> None:
    place = await instructor.channel("quiz")
    path = f"channels/{place['id']}/bot-permissions"
    await instructor.request("PUT", path, {"attach_files": False})
    try:
        await ada.use("stylize", channel="quiz", files={"a.jpg": landscape(64, 64)}, image="a.jpg")
        refusal = await ada.sees(lambda m: "attach files" in m["content"], channel="quiz")
        assert refusal["flags"] & 64
    finally:
        await instructor.request("PUT", path, {"attach_files": True})


async def test_the_engine_says_what_it_is(ada: Member) -> None:
    await ada.use("about")
    about = await ada.sees(lambda m: m["embeds"] and "Woodshed" in (m["embeds"][0].get("title") or ""))
    assert {"Engine", "Device", "SoundFont"} <= fields(about).keys()
    assert {"Model: stylize", "Model: jazz"} <= fields(about).keys()

"""Voice messages: sounds with an outline, from members and from the bot."""

from __future__ import annotations

import base64
import json
from typing import Any

import aiohttp
import discord
import pytest

from tests.playground.conftest import Course, Open
from tests.playground.practice_bot import wav
from tests.waiting import until

VOICE = 1 << 13
OUTLINE = bytes(range(0, 256, 4))


async def send(course: Course, name: str = "voice-message.ogg", **more: Any) -> tuple[int, Any]:
    """What a bot does that speaks; discord.py can't."""
    place = await course.ada.channel()
    about = {"id": "0", "filename": name, "duration_secs": 2.0, "waveform": base64.b64encode(OUTLINE).decode()}
    body = {"flags": VOICE, "attachments": [about], **more}
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("payload_json", json.dumps(body), content_type="application/json")
    form.add_field("files[0]", wav(2.0), filename=name)
    headers = {"Authorization": f"Bot {course.playground.token}"}
    url = f"{course.playground.api_base}/channels/{place['id']}/messages"
    async with course.session.post(url, data=form, headers=headers) as answer:
        return answer.status, await answer.json()


async def test_a_bot_sends_one_with_its_length_and_outline(course: Course) -> None:
    status, sent = await send(course)
    assert status == 200, sent
    shown = await course.ada.sees(lambda m: m["flags"] & VOICE)
    assert shown["attachments"][0]["duration_secs"] == 2.0
    assert base64.b64decode(shown["attachments"][0]["waveform"]) == OUTLINE


async def test_a_members_reaches_the_bot_as_one(open_course: Open) -> None:
    intents = discord.Intents(guilds=True, guild_messages=True, message_content=True)
    async with open_course(intents, privileged_intents=True) as course:
        heard: list[discord.Message] = []

        async def on_message(message: discord.Message) -> None:
            heard.append(message)

        course.bot.add_listener(on_message)
        await course.ada.say_aloud(wav(1.5), 1.5, waveform=OUTLINE)
        await until(lambda: bool(heard))
        assert heard[0].attachments[0].is_voice_message()
        assert heard[0].attachments[0].duration == 1.5


@pytest.mark.parametrize(
    ("more", "name", "code"),
    [
        ({"content": "listen"}, "voice-message.ogg", 50159),
        ({}, "voice-message.png", 50160),
        ({"attachments": [{"id": "0", "filename": "voice-message.ogg"}]}, "voice-message.ogg", 50161),
    ],
)
async def test_what_is_no_voice_message_is_refused(course: Course, more: dict[str, Any], name: str, code: int) -> None:
    status, refusal = await send(course, name, **more)
    assert (status, refusal["code"]) == (400, code)

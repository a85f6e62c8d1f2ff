"""Whatever Discord does to the bot's requests, a member gets one result or one true sentence. Over the real wire."""

from __future__ import annotations

import asyncio
import sqlite3

import pytest

from bot.answering import open_answers as answering
from bot.answering.live_reply import LiveReply
from bot.store import open_answers
from engine.contract import engine_pb2 as pb
from playground.driver import Route
from tests.bot.answering.conftest import IN_HASTE, Wire
from tests.engine_double import Behaviour, png
from tests.waiting import until

ORIGINAL = {"message": "@original"}
PICTURE = ["stylized.png"]
"""The other file is in the embed."""


def files(message):
    return [attachment["filename"] for attachment in message["attachments"]]


def is_private(message):
    return bool(message["flags"] & 64)


async def stylize(wire: Wire) -> None:
    answer = await wire.ada.use("stylize", files={"cat.png": png()}, image="cat.png", style="scream")
    assert answer.outcome == "answered"


async def one_picture(wire: Wire) -> None:
    await wire.idle()
    (message,) = await wire.answers()
    assert files(message) == PICTURE


async def made(wire: Wire) -> int:
    return len(wire.double.requests)


@pytest.fixture
def no_progress(monkeypatch):
    """The result's own edit is the first one, and what is done to the first one is done to it."""

    async def shown_nowhere(reply, event):
        pass

    monkeypatch.setattr(LiveReply, "show", shown_nowhere)


@pytest.mark.parametrize("accepted", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
async def test_a_lost_connection_costs_no_finished_work(wire: Wire, no_progress, accepted, reset):
    await wire.driver.cut(Route.EDIT_ANSWER, accepted=accepted, reset=reset)
    await stylize(wire)
    await one_picture(wire)
    assert await made(wire) == 1
    if accepted:
        sent = [r for r in await wire.driver.requests() if r["what"].startswith("PATCH /webhooks")]
        assert len(sent) == 1, "what has arrived isn't sent again"


async def test_a_429_of_the_proxy_is_waited_for(wire: Wire, no_progress):
    await wire.driver.block(Route.EDIT_ANSWER, retry_after_s=0.6)
    await stylize(wire)
    await one_picture(wire)
    first, second = [r["at"] for r in await wire.driver.requests() if r["what"].startswith("PATCH /webhooks")]
    assert second - first >= 0.6


async def test_a_429_of_discords_is_waited_for(wire: Wire, no_progress):
    await wire.driver.rate_limit(Route.EDIT_ANSWER, retry_after_s=0.2)
    await stylize(wire)
    await one_picture(wire)


async def test_an_answer_that_is_deleted_while_it_is_worked_on_ends_the_job_without_a_word(wire: Wire, monkeypatch):
    async def endless(context, event_type):
        yield event_type(progress=pb.Progress(stage="painting", fraction=0.25))
        await wire.double.release.wait()
        yield event_type(progress=pb.Progress(stage="painting", fraction=0.5))
        await asyncio.Event().wait()

    monkeypatch.setattr(wire.double, "_misbehave", endless)
    await stylize(wire)
    (message,) = await wire.settled(lambda found: found and "Painting" in found[0]["content"])
    await wire.driver.delete_message(message)
    wire.double.release.set()
    await wire.idle()
    assert wire.double.closed == [wire.double.requests[0].job.job_id], "the job was cancelled"
    assert await wire.answers() == []
    assert not [r for r in await wire.driver.requests() if "/users/@me/channels" in r["what"]], "no direct message"


async def test_a_result_whose_answer_was_deleted_goes_to_its_member_alone(wire: Wire):
    wire.double.misbehave(Behaviour.SLOW)
    wire.double.steps = 0
    await stylize(wire)
    (message,) = await wire.settled(lambda found: found and "Painting" in found[0]["content"])
    await wire.driver.delete_message(message)
    wire.double.release.set()
    await wire.idle()
    assert [(files(message), is_private(message)) for message in await wire.answers()] == [(PICTURE, True)]


async def test_five_hundreds_end_in_an_edit_by_the_bot(wire: Wire, monkeypatch):
    """discord.py tries five times by itself, for 25 s; its pauses are cut short here."""
    wire.double.steps = 0
    sleep = asyncio.sleep
    monkeypatch.setattr("discord.webhook.async_.asyncio.sleep", lambda seconds: sleep(min(seconds, 0.01)))
    await wire.driver.server_error(Route.EDIT_ANSWER, times=None)
    await stylize(wire)
    await one_picture(wire)


async def test_a_failure_is_told_once_although_its_connection_breaks(wire: Wire):
    wire.double.misbehave(Behaviour.REFUSE)
    await wire.driver.cut(Route.FOLLOW_UP, accepted=True)
    await stylize(wire)
    await wire.idle()
    contents = [message["content"] for message in await wire.answers()]
    assert contents.count("That file is not a picture.") == 1
    assert all(is_private(m) for m in await wire.answers() if m["content"] == "That file is not a picture.")


async def test_a_first_answer_that_was_cut_after_it_arrived_stays_private(wire: Wire):
    await wire.driver.cut(Route.CALLBACK, accepted=True)
    await wire.ada.use("help")
    await wire.settled(lambda found: found)
    await asyncio.sleep(0.5)
    (message,) = await wire.answers()
    assert is_private(message)


async def test_a_thinking_that_was_cut_after_it_arrived_is_filled(wire: Wire):
    await wire.driver.cut(Route.CALLBACK, accepted=True)
    await stylize(wire)
    await one_picture(wire)


async def test_a_refusal_whose_callback_was_cut_after_it_arrived_stays_private(wire: Wire):
    await wire.driver.cut(Route.CALLBACK, accepted=True)
    await wire.ada.use("stylize", files={"cat.png": b""}, image="cat.png", style="scream")
    await wire.settled(lambda found: found)
    await asyncio.sleep(0.5)
    found = await wire.answers()
    assert [(message["content"], is_private(message)) for message in found] == [
        ("The picture is empty. Please choose another one.", True)
    ]


async def test_after_10062_no_second_callback_follows(wire: Wire):
    await wire.driver.refuse(Route.CALLBACK, 10062)
    await wire.ada.use("help")
    await asyncio.sleep(0.3)
    callbacks = [r for r in await wire.driver.requests() if r["what"].endswith("/callback")]
    assert len(callbacks) == 1


async def test_delete_pressed_twice_is_one_deletion_and_no_complaint(wire: Wire):
    await stylize(wire)
    (message,) = await wire.settled(lambda found: found and found[0]["attachments"])
    await wire.idle()
    button = next(
        item["custom_id"]
        for row in message["components"]
        for item in row["components"]
        if item.get("label") == "Delete"
    )
    await wire.ada.press_twice(message, button)
    await wire.settled(lambda found: not found)
    await asyncio.sleep(0.3)
    assert await wire.answers() == []


async def test_a_question_that_is_repeated_shows_no_previews_of_its_links(wire: Wire):
    await wire.ada.use("ask", question="unknown https://example.org/page thing", private=True)
    (message,) = await wire.settled(lambda found: found and "I'm not sure" in found[0]["content"])
    assert "<https://example.org/page>" in message["content"]


async def test_when_a_late_results_post_was_cut_after_it_arrived_no_thinking_stays_beside_it(wire: Wire):
    """The token has expired, "thinking ..." can't be replaced, so the result is a message of its own."""
    wire.double.misbehave(Behaviour.SLOW)
    progress = await wire.driver.cut(Route.EDIT_ANSWER)  # it can't take the place of "thinking ..."
    await stylize(wire)
    await wire.driver.struck(progress)
    await wire.driver.advance_clock(16 * 60)
    await wire.driver.cut(Route.SEND, accepted=True)
    wire.double.release.set()
    await one_picture(wire)
    sent = [r for r in await wire.driver.requests() if r["what"].startswith("POST /channels")]
    assert len(sent) == 1, "what has arrived isn't sent again"


@pytest.mark.parametrize("is_locked", [False, True], ids=["", "locked"])
async def test_nobody_is_left_thinking_by_a_defect_in_ending_what_was_left_open(wire: Wire, monkeypatch, is_locked):
    def defect(*_):
        raise ValueError("nobody foresaw this")

    async def locked(*_):
        raise sqlite3.OperationalError("database is locked")

    wire.double.misbehave(Behaviour.HANG)
    await stylize(wire)
    await until(lambda: wire.double.requests)
    left = await open_answers.left_open(wire.store)
    monkeypatch.setattr(answering, "resolution", defect)
    with monkeypatch.context() as patch:
        if is_locked:
            patch.setattr(answering.open_answers, "close", locked)
        await answering.resolve(wire.bot, wire.store, left, wire.bot.now(), IN_HASTE)
    (message,) = await wire.answers()
    assert message["content"] == answering.INTERRUPTED
    assert not message["flags"] & 128
    assert not message["components"]
    assert bool(await open_answers.left_open(wire.store)) == is_locked

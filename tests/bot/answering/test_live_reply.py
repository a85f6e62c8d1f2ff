"""Progress in a member's words, not more often than Discord bears."""

import asyncio
import time

import pytest

from bot.answering.live_reply import LiveReply, progress_text
from engine.contract import engine_pb2 as pb
from tests.waiting import until


def progress(stage, fraction):
    return pb.PlayEvent(progress=pb.Progress(stage=stage, fraction=fraction))


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (pb.PlayEvent(queued=pb.Queued(position=1)), "You're next in the queue ..."),
        (pb.PlayEvent(queued=pb.Queued(position=4)), "In the queue, 3 ahead of you ..."),
        (progress("bar 5 of 12", 0.5), "Bar 5 of 12 ... ▰▰▰▰▰▰▱▱▱▱▱▱ 50%"),
        (progress("MIDI", 1.7), "MIDI ... ▰▰▰▰▰▰▰▰▰▰▰▰ 100%"),
    ],
)
def test_events_are_told_in_a_members_words(event, text):
    assert progress_text(event) == text


class Interaction:
    """Records edits; each takes a moment, as Discord does."""

    def __init__(self):
        self.edits = []

    def is_expired(self):
        return False

    async def edit_original_response(self, **fields):
        await asyncio.sleep(0.02)
        self.edits.append(fields["content"])
        return type("Message", (), {"id": 1})


async def test_progress_is_edited_at_most_once_an_interval_and_the_result_comes_last():
    interaction = Interaction()
    reply, began = LiveReply(interaction, interval_s=0.1), time.monotonic()
    for i in range(30):
        await reply.show(progress("painting", i / 30))
        await asyncio.sleep(0.01)
    await reply.show(progress("painting", 1.0))
    await reply.finish(content="done")
    assert interaction.edits[-1] == "done"
    assert 2 <= len(interaction.edits) <= (time.monotonic() - began) / 0.1 + 2


async def test_what_is_done_in_a_moment_shows_no_progress():
    interaction = Interaction()
    reply = LiveReply(interaction, interval_s=10.0)
    for i in range(5):
        await reply.show(progress("painting", i / 5))
    await reply.finish(content="done")
    assert interaction.edits == ["done"]


async def test_showing_progress_never_waits_for_discord():
    interaction = Interaction()
    reply = LiveReply(interaction, interval_s=0.0)
    for i in range(30):
        await reply.show(progress("painting", i / 30))
    assert interaction.edits == []
    await reply.finish(content="done")
    assert interaction.edits[-1] == "done"


async def test_the_last_word_is_shown_even_when_nothing_follows_it():
    interaction = Interaction()
    reply = LiveReply(interaction, interval_s=0.05)
    await reply.show(progress("queued", 0.0))
    await reply.show(progress("waiting for the engine", 0.0))
    await until(lambda: interaction.edits)
    assert [edit.split(" ...")[0] for edit in interaction.edits] == ["Waiting for the engine"]
    await reply.finish(content="done")


async def test_the_same_progress_is_not_edited_twice():
    interaction = Interaction()
    reply = LiveReply(interaction, interval_s=0.0)
    for _ in range(5):
        await reply.show(progress("painting", 0.5))
        await asyncio.sleep(0.03)
    assert len(interaction.edits) == 1

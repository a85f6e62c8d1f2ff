"""A live series: the instructor steps through it, also where a clip was removed meanwhile."""

from __future__ import annotations

import discord
import pytest

from bot.rules.blind_poll import Choice
from bot.store import clips
from bot.store.polls import ballots, beginning, series
from tests.cogs.poll.lesson import add_clip, latest, messages, start, trials
from tests.conftest import Club
from tests.engine_double import midi

# ------------------------------------------------------------ live


async def test_live_the_instructor_steps_through_and_reveals(club: Club) -> None:
    started = await start(club, Choice.A, Choice.B, pace="live", title="Today")
    assert "Reveal" in started.response.content
    opening = club.channel.last_message
    assert await messages(club) == []
    await club.instructor.click(opening, label="First (staff)")
    (first,) = await messages(club)
    await club.student.click(first, label="A")
    await club.other.click(first, label="A")
    refused = await club.student.click(first, label="Next (staff)")
    assert "staff" in refused.response.content
    await club.instructor.click(first, label="Next (staff)")
    again = await club.instructor.click(first, label="Next (staff)")
    assert "posted already" in again.response.content
    _, second = await messages(club)
    await club.student.click(second, label="B")
    await club.other.click(first, label="B")  # changeable until the reveal
    await club.instructor.click(second, label="Reveal (staff)")
    reveal = club.channel.last_message
    assert reveal.embeds[0].title == "The reveal: Today"
    assert "1 of 2 right" in reveal.embeds[0].description
    assert "1 of 1 right" in reveal.embeds[0].description


async def test_a_live_series_goes_on_after_a_restart(club: Club) -> None:
    await start(club, Choice.A, Choice.B, pace="live")
    await club.instructor.click(club.channel.last_message, label="First (staff)")
    (first,) = await messages(club)
    await club.student.click(first, label="A")
    await club.restart()
    await club.instructor.click(first, label="Next (staff)")
    _, second = await messages(club)
    await club.student.click(second, label="B")
    await club.env.advance_time(2 * 3600)
    assert not (await latest(club)).closed, "it closes when staff say so"
    await club.instructor.slash(club.channel, "poll close")
    assert "**1.** **A** was the human" in club.channel.last_message.embeds[0].description


# ------------------------------------------------------------ clips that were removed meanwhile


@pytest.fixture
def only_own_clips(club: Club) -> Club:
    """No piece that comes with the engine is drawn."""
    club.double.pieces = ()
    return club


def buttons(message: discord.Message) -> list[str]:
    return [item.label for row in message.components for item in row.children]


async def remove_clip_of(club: Club, place: int) -> None:
    """As staff would, with the one command they have for it."""
    trial = (await trials(club))[place - 1]
    await club.instructor.slash(club.channel, "clips remove", clip=trial.human_clip)


async def start_with_three_clips(club: Club) -> None:
    for title in ("One", "Two", "Three"):
        await add_clip(club, title, midi() + title.encode(), f"{title}.mid")
    await start(club, trials=3, design="pair", pace="live")
    await club.instructor.click(club.channel.last_message, label="First (staff)")


async def test_a_trial_whose_clip_was_removed_is_skipped_and_staff_read_so(only_own_clips: Club) -> None:
    club = only_own_clips
    await start_with_three_clips(club)
    (first,) = await messages(club)
    await remove_clip_of(club, 2)
    said = await club.instructor.click(first, label="Next (staff)")
    assert said.response.content.startswith("I've skipped trial 2: its clip has been removed. Trial 3 is open.")
    _, third = await messages(club)
    assert third.embeds[0].title.startswith("Pair 3 of 3")
    assert "Reveal (staff)" in buttons(third)
    again = await club.instructor.click(first, label="Next (staff)")
    assert again.response.content == "It's been posted already."
    assert len(await messages(club)) == 2
    await club.student.click(third, label="A")
    await club.instructor.click(third, label="Reveal (staff)")
    told = club.channel.last_message.embeds[0].description.splitlines()
    assert told[0].endswith("Nobody voted on it.")
    assert told[1].endswith("It wasn't played, because its clip had been removed.")
    assert "of 1 right" in told[2]


async def test_where_the_last_clips_are_gone_the_latest_trial_gets_the_reveal(only_own_clips: Club) -> None:
    club = only_own_clips
    await start_with_three_clips(club)
    (first,) = await messages(club)
    await remove_clip_of(club, 2)
    await remove_clip_of(club, 3)
    said = await club.instructor.click(first, label="Next (staff)")
    assert said.response.content.startswith("I've skipped trials 2 and 3: their clips have been removed. No clips are")
    (first,) = await messages(club)
    assert "Reveal (staff)" in buttons(first)
    await club.instructor.click(first, label="Reveal (staff)")
    assert (await latest(club)).closed


async def test_a_trial_that_lost_its_sound_takes_no_more_votes_and_keeps_those_it_has(only_own_clips: Club) -> None:
    club = only_own_clips
    await start_with_three_clips(club)
    (first,) = await messages(club)
    await club.student.click(first, label="A")
    await remove_clip_of(club, 1)
    refused = await club.other.click(first, label="B")
    assert refused.response.content == ballots.NO_MORE_VOTES
    (first,) = await messages(club)
    assert not first.attachments
    assert first.embeds[0].description == "The sound of this trial has been withdrawn."
    assert "Next (staff)" in buttons(first), "the series goes on"
    await club.instructor.slash(club.channel, "poll close")
    assert "of 1 right" in club.channel.last_message.embeds[0].description.splitlines()[0]


async def test_a_clip_removed_while_a_series_is_being_prepared_stops_it_before_anything_is_posted(
    only_own_clips: Club, monkeypatch: pytest.MonkeyPatch
) -> None:
    club = only_own_clips
    await add_clip(club, "One", midi() + b"One", "One.mid")
    record = beginning.record

    async def removed_just_before(store, new, prepared, salt, now):
        await clips.remove(store, club.guild.id, prepared[0].human, now)
        return await record(store, new, prepared, salt, now)

    monkeypatch.setattr(beginning, "record", removed_just_before)
    said = await start(club, trials=1, design="pair")
    assert said.response.content == beginning.REMOVED_MEANWHILE
    assert await club.store.fetch_all("SELECT id FROM series") == []


async def test_over_days_a_trial_whose_clip_was_removed_before_it_stood_is_skipped(only_own_clips: Club) -> None:
    club = only_own_clips
    for title in ("One", "Two"):
        await add_clip(club, title, midi() + title.encode(), f"{title}.mid")
    await start(club, trials=2, design="pair")
    found = await latest(club)
    second = (await trials(club))[1]
    # as if the bot had been killed before it was sent
    await club.store.execute("UPDATE trials SET message_id = NULL WHERE id = ?", (second.id,))
    await clips.remove(club.store, club.guild.id, second.human_clip, club.bot.now())
    assert await series.half_posted(club.store) == [], "nothing is left to post"
    await club.bot.get_cog("Polls").poster.complete(found.id)
    assert len(await messages(club)) == 1

"""/clips: staff store human clips, with consent and once each; whatever is wrong with a file is said plainly."""

from __future__ import annotations

import grpc
import pytest

from bot.store import clips
from bot.store.clips import Kind
from engine.contract import engine_pb2 as pb
from tests.conftest import Club
from tests.engine_double import Behaviour, midi, ogg


async def add(club: Club, content: bytes | None = None, name: str = "solo.mid", **options):
    options = {"performer": "Ada", "title": "Blues for Grace", "consent": True} | options
    return await club.instructor.slash(
        club.channel, "clips add", file=(name, midi() if content is None else content), **options
    )


async def collection(club: Club) -> list[clips.Clip]:
    return await clips.human_clips(club.store, club.guild.id)


async def test_a_midi_file_goes_through_the_band_into_the_collection(club: Club) -> None:
    result = await add(club, chords="F7 Bb7")
    assert result.ephemeral
    assert "Stored as clip 1: **Blues for Grace**, played by Ada" in result.response.content
    assert "-16.0 LUFS" in result.response.content
    (request,) = club.double.requests
    assert (request.midi, request.chords, request.melody_track) == (midi(), "F7 Bb7", -1)
    (clip,) = await collection(club)
    assert clip.kind is Kind.MIDI
    assert await clips.audio(club.store, clip.id) == ogg(frequency_hz=330.0)
    rows = await club.store.fetch_all("SELECT consent_at, added_by, loudness_lufs, duration_s FROM clips")
    assert rows[0]["consent_at"] is not None
    assert rows[0]["loudness_lufs"] == -16.0


async def test_a_recording_is_stored_with_a_warning_that_its_sound_tells(club: Club) -> None:
    result = await add(club, ogg(), "take.ogg")
    assert "recordings:True" in result.response.content
    (request,) = club.double.requests
    assert isinstance(request, pb.RenderRequest)
    assert request.audio == ogg()
    assert (await collection(club))[0].kind is Kind.AUDIO


async def test_a_file_is_what_its_content_says_and_not_its_name(club: Club) -> None:
    await add(club, midi(), "song.mp3")
    assert (await collection(club))[0].kind is Kind.MIDI


async def test_without_consent_nothing_is_stored_or_even_sent_to_the_engine(club: Club) -> None:
    result = await add(club, consent=False)
    assert result.ephemeral
    assert "agrees" in result.response.content
    assert club.double.requests == []
    assert await collection(club) == []
    assert club.refusals()


async def test_the_same_file_twice_is_refused_before_any_work(club: Club) -> None:
    await add(club)
    result = await add(club, title="Another name")
    assert "as clip 1" in result.response.content
    assert len(club.double.requests) == 1
    assert club.refusals()


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("bad_midi", "That MIDI file has no notes."),
        ("bad_audio", "That is not an audio file."),
        ("bad_chords", "'H7' in bar 2 is not a chord."),
    ],
)
async def test_the_engines_sentence_about_a_bad_file_reaches_the_member(club: Club, code: str, sentence: str) -> None:
    club.double.refusal = (grpc.StatusCode.INVALID_ARGUMENT, code, sentence)
    club.double.misbehave(Behaviour.REFUSE)
    result = await add(club, b"garbage")
    assert result.response.content == sentence
    assert await collection(club) == []
    assert club.refusals() == [sentence]


async def test_an_empty_or_oversized_file_is_refused_unread(club: Club) -> None:
    assert "empty" in (await add(club, b"")).response.content
    assert "MiB" in (await add(club, b"x" * (26 * 1024 * 1024))).response.content
    assert club.double.requests == []
    assert club.refusals()


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("clips add", {"file": ("a.mid", b"x"), "performer": "A", "title": "B", "consent": True}),
        ("clips list", {}),
        ("clips play", {"clip": 1}),
        ("clips remove", {"clip": 1}),
    ],
)
async def test_the_collection_is_for_staff(club: Club, command: str, options: dict) -> None:
    await add(club)
    refused = await club.student.slash(club.channel, command, **options)
    assert refused.ephemeral
    assert "staff" in refused.response.content
    assert len(await collection(club)) == 1
    assert club.refusals()


async def test_members_are_not_offered_the_titles_either(club: Club) -> None:
    await add(club)
    assert await club.student.autocomplete(club.channel, "clips play", "clip", "") == []
    offered = await club.instructor.autocomplete(club.channel, "clips play", "clip", "blues")
    assert [choice["value"] for choice in offered] == [1]


async def test_the_list_names_what_is_there_privately(club: Club) -> None:
    assert "is empty" in (await club.instructor.slash(club.channel, "clips list")).response.embeds[0].description
    await add(club)
    listed = await club.instructor.slash(club.channel, "clips list")
    assert listed.ephemeral
    assert "`1` **Blues for Grace**, Ada (midi" in listed.response.embeds[0].description


async def test_a_clip_can_be_heard_alone(club: Club) -> None:
    await add(club)
    played = await club.instructor.slash(club.channel, "clips play", clip=1)
    assert played.ephemeral
    (attachment,) = played.response.attachments
    assert await attachment.read() == ogg(frequency_hz=330.0)


async def test_a_removed_clip_is_drawn_no_more_and_past_polls_keep_its_title(club: Club) -> None:
    await add(club)
    await club.instructor.slash(club.channel, "poll start", minutes=10)
    removed = await club.instructor.slash(club.channel, "clips remove", clip=1)
    assert "sound is deleted" in removed.response.content
    assert await collection(club) == []
    assert "no clip 1" in (await club.instructor.slash(club.channel, "clips play", clip=1)).response.content
    assert "no clip 1" in (await club.instructor.slash(club.channel, "clips remove", clip=1)).response.content
    await club.env.advance_time(600)
    title = club.channel.last_message.embeds[0].title
    description = club.channel.last_message.embeds[0].description
    assert "it was" in title
    assert ("Blues for Grace" in description) is ("a human" in title)
    assert club.refusals()


async def test_a_models_clip_cannot_be_heard_or_removed_through_the_collection(club: Club) -> None:
    await add(club)
    await club.instructor.slash(club.channel, "poll start", minutes=10)
    (row,) = await club.store.fetch_all("SELECT id FROM clips WHERE origin = 'ai'")
    for command in ("clips play", "clips remove"):
        result = await club.instructor.slash(club.channel, command, clip=row["id"])
        assert "no clip" in result.response.content
    assert club.refusals()

"""/clips: staff store human clips, with consent and once each; whatever is wrong with a file is said plainly."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import grpc
import pytest

from bot.attachments.spool import WaitingFile
from bot.engine.calls import EngineClient
from bot.engine.files import NO_FILES
from bot.errors import Refused
from bot.library.clip_intake import Draft, Submission
from bot.library.drafts import GONE, Drafts
from bot.store import clips
from bot.store.clips import Kind
from cogs.clips.describing import described
from engine.contract import engine_pb2 as pb
from tests.bot.store.collection import CONDITIONS
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
    refused = await club.moderator.slash(club.channel, command, **options)
    assert refused.ephemeral
    assert "staff" in refused.response.content
    assert len(await collection(club)) == 1
    assert club.refusals()


async def test_members_are_not_offered_the_titles_either(club: Club) -> None:
    await add(club)
    assert await club.moderator.autocomplete(club.channel, "clips play", "clip", "") == []
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
    club.double.pieces = ()
    await add(club)
    await club.instructor.slash(club.channel, "poll start", trials=1, closes_in=10)
    removed = await club.instructor.slash(club.channel, "clips remove", clip=1)
    assert "audio has been deleted" in removed.response.content
    assert await collection(club) == []
    assert "no clip 1" in (await club.instructor.slash(club.channel, "clips play", clip=1)).response.content
    assert "no clip 1" in (await club.instructor.slash(club.channel, "clips remove", clip=1)).response.content
    await club.env.advance_time(600)
    assert "Blues for Grace" in club.channel.last_message.embeds[0].description
    assert club.refusals()


async def test_removing_a_clip_takes_its_sound_out_of_old_messages_too(club: Club) -> None:
    club.double.pieces = ()
    await add(club)
    await club.instructor.slash(club.channel, "poll start", trials=1, closes_in=10)
    message = club.channel.last_message
    assert len(message.attachments) == 2
    removed = await club.instructor.slash(club.channel, "clips remove", clip=1)
    assert "1 message" in removed.response.content
    now = await club.bot.get_channel(club.channel.id).fetch_message(message.id)
    assert now.attachments == []
    assert "withdrawn" in now.embeds[0].description


async def test_a_message_that_cant_be_cleared_is_named(club: Club) -> None:
    club.double.pieces = ()
    await add(club)
    await club.instructor.slash(club.channel, "poll start", trials=1, closes_in=10)
    club.env.inject_error("PATCH", "/channels/*/messages/*", status=403, code=50001)
    removed = await club.instructor.slash(club.channel, "clips remove", clip=1)
    assert f"/{club.channel.last_message.id}" in removed.response.content


async def test_a_clip_that_is_in_an_open_poll_is_not_played_to_anybody(club: Club) -> None:
    """Staff who hear it could tell it from the model's, by ear or byte for byte."""
    club.double.pieces = ()
    await add(club)
    await club.instructor.slash(club.channel, "poll start", trials=1, closes_in=10)
    withheld = await club.instructor.slash(club.channel, "clips play", clip=1)
    assert "open poll" in withheld.response.content
    assert withheld.response.attachments == []
    await club.instructor.slash(club.channel, "poll close")
    assert (await club.instructor.slash(club.channel, "clips play", clip=1)).response.attachments
    assert club.refusals()


async def test_a_models_clip_cannot_be_heard_or_removed_through_the_collection(club: Club) -> None:
    await add(club)
    await club.instructor.slash(club.channel, "poll start", trials=1, closes_in=10)
    (row,) = await club.store.fetch_all("SELECT id FROM clips WHERE origin = 'ai'")
    for command in ("clips play", "clips remove"):
        result = await club.instructor.slash(club.channel, command, clip=row["id"])
        assert "no clip" in result.response.content
    assert club.refusals()


# ------------------------------------------------------------ chords that nobody wrote


async def offered(club: Club, **options):
    club.double.estimates = True
    return (await add(club, **options)).response


async def test_estimated_chords_are_shown_and_heard_before_the_clip_is_stored(club: Club) -> None:
    message = await offered(club)
    assert message.content.startswith("**Not stored yet.**")
    assert "F7 | Bb7 | F7 | F7" in message.content
    assert [file.filename for file in message.attachments] == ["draft.ogg", "draft.png"]
    assert await collection(club) == []
    await club.instructor.click(message, label="Store it")
    assert "Stored as clip 1" in message.content
    assert message.components == []
    (clip,) = await collection(club)
    assert clip.conditions.chords == "F7 | Bb7 | F7 | F7"
    rows = await club.store.fetch_all("SELECT consent_at FROM clips")
    assert rows[0]["consent_at"] is not None


async def test_wrong_chords_are_corrected_and_the_same_performance_stored_over_them(club: Club) -> None:
    message = await offered(club)
    form = await club.instructor.click(message, label="Change the chords")
    stored = await club.instructor.submit_modal(form, {modal_field(form): "Dm7 G7 | Cmaj7"})
    assert "Stored as clip 1" in stored.response.content
    assert stored.ephemeral
    first, second = club.double.requests
    assert (second.chords, second.melody_track, second.seed) == ("Dm7 G7 | Cmaj7", 1, first.seed)
    assert second.midi == first.midi
    assert (await collection(club))[0].conditions.chords == "Dm7 G7 | Cmaj7"


def modal_field(form) -> str:
    (label,) = form.modal["components"]
    return label["component"]["custom_id"]


async def test_corrected_chords_that_do_not_parse_cost_the_upload_nothing(club: Club) -> None:
    message = await offered(club)
    form = await club.instructor.click(message, label="Change the chords")
    sentence = "I can't read “H7” (chord 1, bar 1) as a chord."
    club.double.refusal = (grpc.StatusCode.INVALID_ARGUMENT, "bad_chords", sentence)
    club.double.misbehave(Behaviour.REFUSE, 1)
    refused = await club.instructor.submit_modal(form, {modal_field(form): "H7"})
    assert refused.response.content == sentence
    await club.instructor.click(message, label="Store it")
    assert "Stored as clip 1" in message.content
    club.forgiven.extend(club.env.errors)


async def test_chords_that_were_being_written_when_the_bot_died_are_given_back(club: Club) -> None:
    message = await offered(club)
    form = await club.instructor.click(message, label="Change the chords")
    await club.restart()
    chords = "Dm7 | G7 | Cmaj7 | A7 | Dm7 | G7 | Em7 A7 | Dm7 G7"
    told = await club.instructor.submit_modal(form, {modal_field(form): chords})
    assert told.response.content == GONE
    (kept,) = told.followups
    assert told.ephemeral
    assert chords in kept.content


async def test_another_track_is_heard_and_asked_about_again(club: Club) -> None:
    message = await offered(club)
    menu = message.components[0]["components"][0]
    assert [(o["value"], o["label"], o.get("default", False)) for o in menu["options"]] == [
        ("1", "Track 1: horn", True), ("2", "Track 2: no name", False),
    ]  # fmt: skip
    again = await club.instructor.select(message, ["2"])
    assert again.response.content.startswith("**Not stored yet.**")
    assert club.double.requests[-1].melody_track == 2
    await club.instructor.click(again.response, label="Store it")
    assert len(await collection(club)) == 1


async def test_a_track_can_be_named_in_the_command(club: Club) -> None:
    await add(club, track=2)
    assert club.double.requests[-1].melody_track == 2


async def test_what_is_discarded_or_forgotten_by_a_restart_is_not_stored(club: Club) -> None:
    message = await offered(club)
    await club.instructor.click(message, label="Discard it")
    assert (message.content, message.components) == ("Discarded.", [])
    message = await offered(club)
    await club.restart()
    late = await club.instructor.click(message, label="Store it")
    assert "send it again" in late.response.content
    assert await collection(club) == []
    club.forgiven.extend(club.env.errors)


async def test_drafts_are_few_and_short_lived_and_their_files_go_with_them(tmp_path: Path) -> None:
    drafts = Drafts()
    files = [WaitingFile(tmp_path / str(i), 1) for i in range(5)]
    for file in files:
        file.path.write_bytes(b"x")
    uploads = [Submission(file, "T", "P", "", added_by=7) for file in files]
    names = [drafts.keep(Draft(upload, 1, str(i), Kind.MIDI, 0, pb.Clip(), 0.0)) for i, upload in enumerate(uploads)]
    assert [file.path.exists() for file in files] == [False, False, True, True, True]
    for name in names[:2]:
        with pytest.raises(Refused):
            drafts.get(name, 7)
    assert [drafts.get(name, 7).digest for name in names[2:]] == ["2", "3", "4"]
    with pytest.raises(Refused):
        drafts.get(names[-1], 8)
    taken = drafts.take(names[2], "stored")
    assert taken is not None
    drafts.close()
    assert [file.path.exists() for file in files] == [False, False, True, False, False]
    with pytest.raises(Refused):
        drafts.get(names[-1], 7)


async def test_a_clip_waits_on_disk_and_its_file_goes_with_the_answer_to_it(club: Club) -> None:
    folder = club.bot.attachments.spool.folder
    await add(club, chords="F7 Bb7")
    assert list(folder.iterdir()) == []  # stored at once
    club.double.estimates = True
    message = (await add(club, midi() + b"other")).response
    (waiting,) = folder.iterdir()
    assert waiting.read_bytes() == midi() + b"other"
    tracks = await club.instructor.select(message, ["2"])
    (copy,) = folder.iterdir()
    assert (copy.name == waiting.name, copy.read_bytes()) == (False, midi() + b"other")
    await club.instructor.click(tracks.response, label="Store it")
    assert list(folder.iterdir()) == []
    assert await club.store.fetch_all("SELECT score FROM clips WHERE id = 2 AND score = ?", (midi() + b"other",))


async def test_only_as_many_clips_are_in_memory_as_are_on_their_way_to_the_engine(
    club: Club, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[str] = []
    render = EngineClient.render

    async def seen(self, request, on_event=None, files=NO_FILES):
        held.append(str((request.midi, request.audio, sorted(files))))
        return await render(self, request, on_event, files)

    monkeypatch.setattr(EngineClient, "render", seen)
    await add(club)
    assert held == ["(b'', b'', ['midi'])"]


# ------------------------------------------------------------ names


async def test_a_performer_who_takes_the_name_back_is_named_nowhere(club: Club) -> None:
    await add(club)
    await club.instructor.slash(club.channel, "clips remove", clip=1)
    removed = await club.instructor.slash(club.channel, "clips remove", clip=1, forget_name=True)
    assert "whose name was removed" in removed.response.content
    (row,) = await club.store.fetch_all("SELECT performer, audio FROM clips")
    assert ("Ada" in row["performer"], row["audio"]) == (False, None)


@pytest.mark.parametrize(
    ("kind", "notated", "expected"),
    [
        (Kind.PIECE, True, "composed by Ada, 1899 (source: music21), performed by the soloist's rendition network"),
        (Kind.MIDI, True, "notes by Ada, performed by the soloist's rendition network and the band"),
        (Kind.MIDI, False, "played by Ada, with the band"),
    ],
)
def test_a_result_says_who_performed(kind: Kind, notated: bool, expected: str) -> None:
    conditions = replace(CONDITIONS, notated=notated)
    piece = {"year": "1899", "source": "music21"} if kind is Kind.PIECE else {"year": "", "source": ""}
    clip = clips.Clip(
        1, 1, kind, "Blues", "Ada", removed=False, times_drawn=0, times_heard=0, conditions=conditions, **piece
    )
    assert expected in described(clip)
    assert ("who chose the notes" in described(clip)) is notated


async def test_the_buttons_of_a_corrected_draft_say_that_there_is_a_newer_one(club: Club) -> None:
    club.double.estimates = True
    message = (await add(club)).response
    tracks = await club.instructor.select(message, ["2"])
    assert "Not stored yet" in tracks.response.content
    for label, said in (("Store it", "newer version"), ("Discard it", "newer version")):
        old = await club.instructor.click(message, label=label)
        assert said in old.response.content
    await club.instructor.click(tracks.response, label="Store it")
    assert len(await collection(club)) == 1
    club.forgiven.extend(club.env.errors)

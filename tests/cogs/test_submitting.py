"""/clips submit: members hand in clips; staff decide; the member is told and can take it back at any time."""

from __future__ import annotations

from bot.store import clips, members, submissions
from bot.store.clips import Kind
from bot.store.submissions import State
from cogs.clips.submitting import tell_late
from tests.conftest import Club
from tests.engine_double import Behaviour, midi, ogg


async def submit(club: Club, content: bytes | None = None, who=None, **options):
    options = {"performer": "Sam", "title": "My blues", "consent": True, "licence": "My own work"} | options
    file = ("solo.mid", midi() if content is None else content)
    return await (who or club.student).slash(club.channel, "clips submit", file=file, **options)


async def queue(club: Club):
    return (await club.instructor.slash(club.channel, "clips queue")).response


async def decide(club: Club, label: str, reason: str = ""):
    message = await queue(club)
    pressed = await club.instructor.click(message, label=label)
    if label != "Accept":
        (field,) = pressed.modal["components"]
        await club.instructor.submit_modal(pressed, {field["component"]["custom_id"]: reason})
    return message


def direct_message(club: Club) -> str:
    backend = club.env.backend
    return list(backend.messages[backend.dm_channels[club.student.id]].values())[-1].content


async def collection(club: Club) -> list[clips.Clip]:
    return await clips.human_clips(club.store, club.guild.id)


async def test_a_reason_that_was_being_written_when_the_bot_died_reaches_the_member(club: Club) -> None:
    await submit(club)
    form = await club.instructor.click(await queue(club), label="Decline ...")
    await club.restart()
    (field,) = form.modal["components"]
    told = await club.instructor.submit_modal(form, {field["component"]["custom_id"]: "The piano is out of tune."})
    assert told.response.content.startswith("Declined")
    assert "The piano is out of tune." in direct_message(club)


async def test_a_members_clip_waits_for_staff_and_joins_the_collection_once_accepted(club: Club) -> None:
    sent = await submit(club)
    assert sent.ephemeral
    assert "Staff will listen" in sent.response.content
    assert await collection(club) == []
    message = await decide(club, "Accept")
    assert "Accepted as clip 1" in message.content
    (clip,) = await collection(club)
    assert (clip.kind, clip.title, clip.performer, clip.licence) == (Kind.MIDI, "My blues", "Sam", "My own work")
    assert clip.has_score
    assert await clips.audio(club.store, 1) == ogg(frequency_hz=330.0)
    assert await clips.score(club.store, 1) == midi()
    assert "accepted your clip “My blues”" in direct_message(club)
    rows = await club.store.fetch_all("SELECT file, sound, told_at FROM submissions")
    assert (rows[0]["file"], rows[0]["sound"]) == (None, None)
    assert rows[0]["told_at"] is not None


async def test_staff_hear_it_and_read_whose_it_is_before_they_decide(club: Club) -> None:
    await submit(club)
    await submit(club, midi() + b"\x01", title="Another")
    message = await queue(club)
    assert f"<@{club.student.id}>" in message.content
    assert "My own work" in message.content
    assert "1 more is waiting" in message.content
    (sound,) = message.attachments
    assert await sound.read() == ogg(frequency_hz=330.0)


async def test_a_declined_clip_is_deleted_and_the_member_reads_why(club: Club) -> None:
    await submit(club)
    await decide(club, "Decline ...", "It's a waltz in 7/8.")
    assert await collection(club) == []
    assert "They say: It's a waltz in 7/8." in direct_message(club)
    assert await club.store.fetch_all("SELECT 1 FROM submissions WHERE file IS NOT NULL") == []
    assert "No clips are waiting" in (await queue(club)).content


async def test_a_member_who_takes_no_messages_finds_the_decision_in_mine(club: Club) -> None:
    await submit(club)
    club.env.inject_error("POST", "/users/@me/channels", status=403, code=50007)
    message = await decide(club, "Decline ...", "Too short.")
    assert "doesn't take direct messages" in message.content
    mine = await club.student.slash(club.channel, "clips mine")
    assert "not taken: Too short." in mine.response.content


async def test_a_waiting_clip_can_be_taken_back(club: Club) -> None:
    await submit(club)
    mine = (await club.student.slash(club.channel, "clips mine")).response
    assert "waiting for staff" in mine.content
    pressed = await club.student.click(mine, label="Take back 1")
    assert "deleted" in pressed.response.content
    assert "No clips are waiting" in (await queue(club)).content
    row = (await club.store.fetch_all("SELECT title, performer, file, state FROM submissions"))[0]
    assert tuple(row) == ("", "", None, "withdrawn")


async def test_an_accepted_clip_that_is_taken_back_leaves_the_collection_and_old_messages(club: Club) -> None:
    club.double.pieces = ()
    await submit(club)
    await decide(club, "Accept")
    await club.instructor.slash(club.channel, "poll start", trials=1, closes_in=10)
    message = club.channel.last_message
    mine = (await club.student.slash(club.channel, "clips mine")).response
    pressed = await club.student.click(mine, label="Take back 1")
    assert "1 message" in pressed.response.content
    assert await collection(club) == []
    assert (await club.bot.get_channel(club.channel.id).fetch_message(message.id)).attachments == []
    rows = await club.store.fetch_all("SELECT performer, audio, score FROM clips WHERE id = 1")
    assert tuple(rows[0]) == (clips.NAMELESS, None, None)
    assert await club.store.fetch_all("SELECT 1 FROM trials WHERE human_sound IS NOT NULL") == []


async def test_nobody_else_can_take_it_back_or_decide(club: Club) -> None:
    await submit(club)
    mine = (await club.student.slash(club.channel, "clips mine")).response
    await submissions.withdraw(club.store, 1, club.instructor.id, club.bot.now())
    found = await submissions.get(club.store, 1)
    assert found is not None
    assert found.state is State.WAITING
    refused = await club.student.slash(club.channel, "clips queue")
    assert "staff" in refused.response.content
    assert mine.content
    assert club.refusals()


async def test_without_consent_or_with_the_same_file_nothing_is_handed_in(club: Club) -> None:
    assert "agrees" in (await submit(club, consent=False)).response.content
    assert club.double.requests == []
    await submit(club)
    assert "already been handed in" in (await submit(club, title="Again")).response.content
    assert len(await submissions.waiting(club.store, club.guild.id)) == 1
    assert club.refusals()


async def test_three_clips_of_a_member_wait_at_most(club: Club) -> None:
    for number in range(3):
        await submit(club, midi() + bytes([number]))
    assert "that's the limit" in (await submit(club, midi() + b"\x09")).response.content
    assert len(await submissions.waiting(club.store, club.guild.id)) == 3
    assert club.refusals()


async def test_a_broken_file_is_refused_with_the_engines_sentence(club: Club) -> None:
    club.double.misbehave(Behaviour.REFUSE)
    sent = await submit(club, b"garbage")
    assert sent.response.content
    assert await submissions.waiting(club.store, club.guild.id) == []
    assert club.refusals()


async def test_estimated_chords_are_checked_by_the_member_first(club: Club) -> None:
    club.double.estimates = True
    offered = (await submit(club)).response
    assert "Not stored yet" in offered.content
    assert await submissions.waiting(club.store, club.guild.id) == []
    await club.student.click(offered, label="Store it")
    assert "Staff will listen" in offered.content
    assert len(await submissions.waiting(club.store, club.guild.id)) == 1
    assert await collection(club) == []


async def test_a_member_cant_vote_on_the_clip_they_handed_in(club: Club) -> None:
    club.double.pieces = ()
    await submit(club)
    await decide(club, "Accept")
    await club.instructor.slash(club.channel, "poll start", trials=1, closes_in=10)
    refused = await club.student.click(club.channel.last_message, label="A")
    assert "handed in one of these clips" in refused.response.content


async def test_who_is_forgotten_leaves_no_clip_waiting_and_everything_is_exported(club: Club) -> None:
    await submit(club)
    kept = await members.export(club.store, club.student.id)
    assert kept["clips_handed_in"][0]["title"] == "My blues"
    await members.forget(club.store, club.student.id, club.bot.now())
    assert await club.store.fetch_all("SELECT 1 FROM submissions") == []


async def test_a_decision_that_a_stopped_bot_couldnt_tell_is_told_when_it_is_back(club: Club) -> None:
    await submit(club)
    await submissions.decline(club.store, 1, "No.", club.instructor.id, club.bot.now())
    await tell_late(club.bot)
    assert "have declined your clip" in direct_message(club)


# ------------------------------------------------------------ the same music in another file


def fingerprint(*numbers: int) -> bytes:
    return b"N" + b"".join(number.to_bytes(4, "little") for number in numbers)


async def test_staff_are_asked_before_the_same_music_is_stored_twice(club: Club) -> None:
    club.double.fingerprint = fingerprint(*range(20))
    add = {"performer": "Ada", "title": "Blues for Grace", "consent": True}
    await club.instructor.slash(club.channel, "clips add", file=("a.mid", midi()), **add)
    club.double.fingerprint = fingerprint(*range(8, 30))
    again = await club.instructor.slash(club.channel, "clips add", file=("b.mid", midi() + b"\x01"), **add)
    assert "sounds like clip 1" in again.response.content
    assert len(await collection(club)) == 1
    await club.instructor.click(again.response, label="Store it")
    assert len(await collection(club)) == 2


async def test_other_music_is_stored_at_once(club: Club) -> None:
    add = {"performer": "Ada", "title": "Blues for Grace", "consent": True}
    for number in range(2):
        club.double.fingerprint = fingerprint(*range(100 * number, 100 * number + 20))
        await club.instructor.slash(club.channel, "clips add", file=("a.mid", midi() + bytes([number])), **add)
    assert len(await collection(club)) == 2


async def test_staff_see_in_the_queue_that_they_have_it_and_the_member_doesnt(club: Club) -> None:
    club.double.fingerprint = fingerprint(*range(20))
    add = {"performer": "Ada", "title": "Secret title", "consent": True}
    await club.instructor.slash(club.channel, "clips add", file=("a.mid", midi()), **add)
    sent = await submit(club, midi() + b"\x01")
    assert "Secret title" not in sent.response.content
    assert "It sounds like clip 1" in (await queue(club)).content


# ------------------------------------------------------------ pieces that come with the engine


async def test_a_bundled_piece_can_be_added_on_demand_and_is_drawn_beside_ten_own_clips(club: Club) -> None:
    offered = await club.instructor.autocomplete(club.channel, "clips piece", "piece", "maple")
    assert [choice["value"] for choice in offered] == ["maple-leaf-rag"]
    added = await club.instructor.slash(club.channel, "clips piece", piece="maple-leaf-rag")
    assert "Stored as clip 1: **Maple Leaf Rag**" in added.response.content
    again = await club.instructor.slash(club.channel, "clips piece", piece="maple-leaf-rag")
    assert "as clip 1" in again.response.content
    add = {"performer": "Ada", "title": "Own", "consent": True}
    for number in range(10):
        await club.instructor.slash(club.channel, "clips add", file=("a.mid", midi() + bytes([number])), **add)
    await club.instructor.slash(club.channel, "poll start", trials=11, closes_in=10)
    rows = await club.store.fetch_all("SELECT DISTINCT human_clip FROM trials")
    assert {row["human_clip"] for row in rows} == set(range(1, 12))
    assert club.refusals()


async def test_a_piece_that_staff_removed_is_drawn_no_more_until_it_is_added_again(club: Club) -> None:
    await club.instructor.slash(club.channel, "clips piece", piece="maple-leaf-rag")
    await club.instructor.slash(club.channel, "clips remove", clip=1)
    nothing = await club.instructor.slash(club.channel, "poll start", trials=1, closes_in=10)
    assert "/clips add" in nothing.response.content
    await club.instructor.slash(club.channel, "clips piece", piece="maple-leaf-rag")
    started = await club.instructor.slash(club.channel, "poll start", trials=1, closes_in=10)
    assert "is open" in started.response.content
    assert club.refusals()


async def test_an_unknown_piece_is_answered_with_those_there_are(club: Club) -> None:
    refused = await club.instructor.slash(club.channel, "clips piece", piece="giant-steps")
    assert "Maple Leaf Rag" in refused.response.content
    assert club.refusals()

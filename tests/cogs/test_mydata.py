"""/mydata: what the bot keeps of a member, for them alone, and being forgotten."""

from __future__ import annotations

import asyncio
import json

import pytest

from bot.errors import JobCancelled
from bot.store import clips, quiz
from bot.store.polls import ballots
from engine.contract import engine_pb2 as pb
from tests.conftest import Club
from tests.engine_double import Behaviour, midi, ogg, png
from tests.waiting import until

REFERENCES = {"member", "asked_by", "started_by", "hosted_by", "added_by", "set_by", "decided_by"}
"""Columns that name a member by number."""


async def exported(club: Club) -> dict:
    result = await club.student.slash(club.channel, "mydata export")
    assert result.ephemeral
    (attachment,) = result.response.attachments
    return json.loads(await attachment.read())


async def take_part(club: Club):
    question = (await club.student.slash(club.channel, "quiz question")).response
    await club.student.click(question, label="(2, 4)")
    await club.instructor.slash(club.channel, "poll start", trials=1, design="single", closes_in=10)
    message = club.channel.last_message
    await club.student.click(message, label="Human")
    await club.other.click(message, label="Human")
    return message


async def test_the_export_has_everything_of_the_member_and_nobody_else(club: Club) -> None:
    await take_part(club)
    kept = await exported(club)
    assert kept["discord_id"] == str(club.student.id)
    assert [answer["generator"] for answer in kept["quiz_answers"]] == ["shape-of-matmul"]
    assert [(vote["series"], vote["choice"], vote["answer"]) for vote in kept["votes"]] == [(1, "human", None)]
    assert str(club.other.id) not in json.dumps(kept)


async def test_the_export_names_the_files_that_are_kept_for_buttons(club: Club) -> None:
    await club.student.slash(club.channel, "stylize", image=("cat.png", png()))
    await club.other.slash(club.channel, "stylize", image=("dog.png", png(20, 20)))
    kept = await exported(club)
    (creation,) = kept["creations"]
    (file,) = kept["files_of_creations"]
    assert (file["creation"], file["role"], file["bytes"]) == (creation["creation"], "image", len(png()))


async def test_a_stranger_exports_empty_tables(club: Club) -> None:
    kept = await exported(club)
    assert not any(rows for name, rows in kept.items() if name != "discord_id")


async def test_being_forgotten_takes_a_second_click_and_keeps_totals(club: Club) -> None:
    await take_part(club)
    await club.instructor.slash(club.channel, "poll close")
    asked = await club.student.slash(club.channel, "mydata delete")
    assert asked.ephemeral
    assert (await exported(club))["votes"], "nothing happens before the second click"
    done = await club.student.click(asked.response, label="Forget me")
    assert done.acknowledged
    assert not any(rows for name, rows in (await exported(club)).items() if name != "discord_id")
    assert len(await ballots.of_trial(club.store, 1)) == 2
    assert (await quiz.class_total(club.store, club.guild.id)).right == 1


async def test_whoever_was_forgotten_is_somebody_new_and_votes_once(club: Club) -> None:
    message = await take_part(club)
    asked = await club.student.slash(club.channel, "mydata delete")
    await club.student.click(asked.response, label="Forget me")
    assert len(await ballots.of_trial(club.store, 1)) == 1
    await club.student.click(message, label="AI")
    assert len(await ballots.of_trial(club.store, 1)) == 2


async def test_whoever_leaves_is_told_of_clips_under_their_name_and_that_they_stay(club: Club) -> None:
    for title in ("One", "Two"):
        await club.instructor.slash(
            club.channel, "clips add", file=(f"{title}.ogg", ogg(0.5 + len(title) + ord(title[0]) / 100)),
            performer=" Ada ", title=title, consent=True,
        )  # fmt: skip
    told = (await club.student.slash(club.channel, "mydata delete")).response
    assert "2 clips on this server name a performer with your name" in told.content
    assert "`/clips remove`" in told.content
    assert "One" not in told.content, "titles would tell what polls are about"
    assert len(told.content) <= 2000
    other = (await club.other.slash(club.channel, "mydata delete")).response
    assert "with your name" not in other.content
    assert "Clips that you performed for a server's polls stay" in other.content


async def test_forgetting_whoever_ran_polls_and_added_clips_keeps_both_and_every_total(club: Club) -> None:
    await club.instructor.slash(
        club.channel, "clips add", file=("a.ogg", ogg(0.7)), performer="Grace", title="Mine", consent=True
    )
    message = await take_part(club)
    await club.instructor.slash(club.channel, "poll close")
    asked = await club.instructor.slash(club.channel, "mydata delete")
    await club.instructor.click(asked.response, label="Forget me")
    assert len(await ballots.of_trial(club.store, 1)) == 2
    assert len(await ballots.judgements(club.store, club.guild.id)) == 2
    assert [clip.title for clip in await clips.human_clips(club.store, club.guild.id)][:1] == ["Mine"]
    assert (await quiz.class_total(club.store, club.guild.id)).answered == 1
    assert message.id


async def everything(club: Club) -> list[tuple[str, dict]]:
    """Every row of every table, with the table's name."""
    tables = await club.store.fetch_all("SELECT name FROM sqlite_master WHERE type = 'table'")
    return [
        (table["name"], dict(row))
        for table in tables
        for row in await club.store.fetch_all(f"SELECT * FROM {table['name']}")
    ]


def mentions(value: object, discord_id: int) -> bool:
    """Whether a column holds an id: as a number, in a text, or in bytes, written out or as protobuf would."""
    if isinstance(value, bytes):
        return str(discord_id).encode() in value or discord_id.to_bytes(8, "little") in value
    return str(discord_id) in str(value)


async def forget(club: Club, member) -> None:
    asked = await member.slash(club.channel, "mydata delete")
    await member.click(asked.response, label="Forget me")


async def test_forgetting_leaves_the_members_discord_id_in_no_table(club: Club) -> None:
    await take_part(club)
    await club.student.slash(club.channel, "jazz", seed=3, phrase=("phrase.mid", midi()))
    answer = (await club.student.slash(club.channel, "stylize", image=("cat.png", png()))).response
    await club.other.click(answer, label="Weaker")
    assert any(mentions(value, club.student.id) for _, row in await everything(club) for value in row.values())
    await forget(club, club.student)
    for table, row in await everything(club):
        assert not [name for name, value in row.items() if mentions(value, club.student.id)], table


async def test_no_message_that_names_a_forgotten_member_leads_to_their_answers(club: Club) -> None:
    """Under a question stands who asked it: its row mustn't say under which number their answers are kept."""
    await take_part(club)
    number = (await club.store.fetch_one("SELECT id FROM members WHERE discord_id = ?", (club.student.id,)))["id"]
    open_vote = (
        "INSERT INTO series (id, kind, pace, title, guild_id, channel_id, started_by, draw_seed, salt, seal, plan,"
        " prepared_at) VALUES (90, 'question', 'days', '', 1, 2, ?, 0, '', '', '{}', 1.0)"
    )
    await club.store.execute(open_vote, (number,))
    await club.store.execute(
        "INSERT INTO trials (id, series, number, design, answer, band_seed, is_open)"
        " VALUES (90, 90, 1, 'question', '', 0, 1)"
    )
    await club.store.execute(
        "INSERT INTO ballots (trial, member, choice, voted_at) VALUES (90, ?, '0', 1.0)", (number,)
    )
    await club.store.execute("UPDATE series SET closed_at = 2.0 WHERE id = 90")
    await forget(club, club.student)
    kept = [(table, name) for table, row in await everything(club) for name, value in row.items()
            if value == number and name in REFERENCES]  # fmt: skip
    assert kept == [("answers", "member")], "only what nobody saw them do"
    assert (await club.store.fetch_one("SELECT count(*) AS n FROM ballots WHERE trial = 90"))["n"] == 1


async def test_every_column_that_names_a_member_is_known_here(club: Club) -> None:
    """A new table with a member in it has to say what becomes of it when they ask to be forgotten."""
    found = {
        key["from"]
        for table in await club.store.fetch_all("SELECT name FROM sqlite_master WHERE type = 'table'")
        for key in await club.store.fetch_all(f"PRAGMA foreign_key_list({table['name']})")
        if key["table"] == "members"
    }
    assert found == REFERENCES


async def test_what_others_made_of_a_forgotten_members_picture_keeps_no_copy_of_it(club: Club) -> None:
    answer = (await club.student.slash(club.channel, "stylize", image=("cat.png", png()))).response
    of_bens = (await club.other.click(answer, label="Weaker")).response
    over = (await club.other.click(of_bens, label="Paint over this one")).response
    await forget(club, club.student)
    assert await club.store.fetch_all("SELECT * FROM blobs") == []
    told = await club.other.click(of_bens, label="Weaker")
    assert told.followups[0].content.startswith("I don't have this picture any more")
    told = await club.other.click(over, label="Another style")
    assert told.followups[0].content.startswith("I don't have this picture any more")
    club.refusals()


async def test_a_picture_from_anothers_message_is_theirs(club: Club) -> None:
    message = await club.student.send(club.channel, "look", attachments=[("cat.png", png())])
    await club.other.context_menu(club.channel, "Stylize this", message)
    (kept,) = await club.store.fetch_all("SELECT owner FROM creation_blobs")
    assert kept["owner"] == club.student.id
    listed = (await exported(club))["files_of_yours_in_others_creations"]
    assert [(file["kind"], file["role"]) for file in listed] == [("picture", "image")]
    await forget(club, club.student)
    assert await club.store.fetch_all("SELECT * FROM blobs") == []


async def test_the_export_writes_requests_out_and_lists_phrases(club: Club) -> None:
    await club.student.slash(club.channel, "stylize", image=("cat.png", png()), style="scream", strength=40)
    await club.student.slash(club.channel, "jazz", chords="Dm7 | G7", phrase=("phrase.mid", midi()))
    kept = await exported(club)
    picture, clip = kept["creations"]
    assert (picture["request"]["style"], picture["request"]["strength"]) == ("scream", 0.4)
    assert clip["request"]["chords"] == "Dm7 | G7"
    assert {file["role"] for file in kept["files_of_creations"]} >= {"image", "phrase"}


async def test_a_job_under_way_is_cancelled_when_its_member_asks_to_be_forgotten(club: Club) -> None:
    club.double.misbehave(Behaviour.SLOW)
    asked = (await club.student.slash(club.channel, "mydata delete")).response
    running = asyncio.create_task(club.bot.engine.stylize(
        pb.StylizeRequest(strength=1.0, job=pb.Job(job_id="a" * 32, member_key=club.bot.member_key(club.student.id)))
    ))  # fmt: skip
    await until(lambda: club.double.requests)
    await club.student.click(asked, label="Forget me")
    with pytest.raises(JobCancelled):
        await running


async def test_discords_ids_are_strings_which_no_reader_of_json_rounds(club):
    await club.student.slash(club.channel, "stylize", image=("cat.png", png()), style="scream")
    exported = await club.student.slash(club.channel, "mydata export")
    kept = json.loads(await exported.response.attachments[0].read())
    ids = [value for rows in kept.values() if isinstance(rows, list) for row in rows for name, value in row.items()
           if name.endswith("_id") and value is not None]  # fmt: skip
    assert kept["discord_id"] == str(club.student.id)
    assert ids
    assert all(isinstance(value, str) for value in ids)

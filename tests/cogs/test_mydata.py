"""/mydata: what the bot keeps of a member, for them alone, and being forgotten."""

from __future__ import annotations

import json

from bot.store import clips, quiz
from bot.store.polls import ballots
from tests.conftest import Club
from tests.engine_double import ogg, png


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
    assert "Clips that you played for a server's polls stay" in other.content


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


async def test_forgetting_leaves_the_members_discord_id_in_no_table(club: Club) -> None:
    await take_part(club)
    await club.student.slash(club.channel, "jazz", seed=3)
    asked = await club.student.slash(club.channel, "mydata delete")
    await club.student.click(asked.response, label="Forget me")
    for table in await club.store.fetch_all("SELECT name FROM sqlite_master WHERE type = 'table'"):
        for row in await club.store.fetch_all(f"SELECT * FROM {table['name']}"):
            assert club.student.id not in tuple(row), table["name"]


async def test_discords_ids_are_strings_which_no_reader_of_json_rounds(club):
    await club.student.slash(club.channel, "stylize", image=("cat.png", png()), style="scream")
    exported = await club.student.slash(club.channel, "mydata export")
    kept = json.loads(await exported.response.attachments[0].read())
    ids = [value for rows in kept.values() if isinstance(rows, list) for row in rows for name, value in row.items()
           if name.endswith("_id") and value is not None]  # fmt: skip
    assert kept["discord_id"] == str(club.student.id)
    assert ids
    assert all(isinstance(value, str) for value in ids)

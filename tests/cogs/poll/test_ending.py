"""The end of a series: closed once, told once, with everything that a reader needs to check it."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import sqlite3
from contextlib import closing

import discord
import pytest

from bot.rules.blind_poll import Choice
from bot.rules.listening.detection import pair_d_prime
from bot.rules.listening.judgements import TrialScore
from bot.rules.listening.verdict import verdict
from cogs.poll.wording import verdict_text
from tests.cogs.poll.lesson import add_clip, everything, fields, latest, messages, opening, start
from tests.conftest import Club
from tests.engine_double import ogg


async def test_the_deadline_closes_the_series(club: Club) -> None:
    await start(club, Choice.HUMAN, closes_in=10)
    (message,) = await messages(club)
    await club.student.click(message, label="Human")
    await club.env.advance_time(9 * 60)
    assert not (await latest(club)).closed
    await club.env.advance_time(60)
    found = await latest(club)
    assert found.closed
    result = club.channel.last_message
    assert result.id == found.result_message_id
    assert result.reference.message_id == found.opening_message_id


async def test_the_reveal_has_every_answer_the_votes_and_the_key_to_the_seal(club: Club) -> None:
    await start(club, Choice.A, Choice.B)
    first, second = await messages(club)
    await club.student.click(first, label="A")
    await club.other.click(first, label="B")
    await club.student.click(second, label="B")
    answer = (await club.other.click(second, label="A")).response
    await club.other.click(answer, custom_id="vote:2:known")
    await club.instructor.slash(club.channel, "poll close")
    reveal = club.channel.last_message
    text = reveal.embeds[0].description
    assert "**1.** **A** was the human: Maple Leaf Rag (Scott Joplin, 1899)." in text
    assert "the model def5678, seed" in text
    assert "1 of 2 right (50 %)" in text
    assert "1 of 1 right (100 %). 1 listener knew it." in text
    shown = fields(reveal)
    assert shown["All together"].startswith("2 of 3 votes of 2 listeners were right (67 %)")
    assert "Too early" in shown["Verdict of all series so far"]
    found = await latest(club)
    sealed = shown["The key to the seal"].split("`")[1]
    assert hashlib.sha256(sealed.encode()).hexdigest() == found.seal
    assert sealed.startswith("1=A 2=B salt=")


async def test_a_series_without_votes_is_given_no_figures(club: Club) -> None:
    await start(club, Choice.A)
    await club.instructor.slash(club.channel, "poll close")
    assert fields(club.channel.last_message)["Verdict of all series so far"].endswith("no vote counts yet.")


async def test_verify_gives_what_anybody_can_check_without_the_bot(club: Club) -> None:
    await start(club, Choice.B)
    seal = fields(await opening(club))["Sealed"].split("`")[1]
    await club.instructor.slash(club.channel, "poll close")
    said = (await club.student.slash(club.channel, "poll verify", series=1)).response.content
    assert "It matches the seal" in said
    sealed = said.split("printf '%s' '")[1].split("'")[0]
    assert hashlib.sha256(sealed.encode()).hexdigest() == seal
    assert fields(await opening(club))["The seal"] == f"`{seal}`", "it stays readable after the close"


async def test_closed_messages_lose_their_buttons_and_keep_their_sounds(club: Club) -> None:
    await start(club, Choice.A, Choice.B)
    await club.instructor.slash(club.channel, "poll close")
    for message in await messages(club):
        assert message.components == []
        assert len(message.attachments) == 2
        assert "was the human" in message.embeds[0].description
    assert "has closed" in (await opening(club)).embeds[0].description


async def test_a_series_is_closed_once(club: Club) -> None:
    await start(club)
    await club.instructor.slash(club.channel, "poll close")
    result = club.channel.last_message.id
    again = await club.instructor.slash(club.channel, "poll close", series=1)
    assert "has already closed" in again.response.content
    await club.env.advance_time(24 * 3600)
    assert club.channel.last_message.id == result
    assert club.refusals()


@pytest.mark.parametrize("number", [None, 9])
async def test_closing_what_is_not_there_says_so(club: Club, number: int | None) -> None:
    options = {} if number is None else {"series": number}
    result = await club.instructor.slash(club.channel, "poll close", **options)
    assert "No poll is open" in result.response.content or "no series 9" in result.response.content
    assert club.refusals()


async def test_staff_of_another_server_cannot_close_or_read_this_ones_series(club: Club) -> None:
    await start(club)
    elsewhere = club.env.create_guild("Another course")
    boss = elsewhere.create_role("Boss", permissions=discord.Permissions(manage_guild=True))
    stranger = elsewhere.add_member(club.env.create_user("stranger"), roles=[boss])
    there = elsewhere.create_text_channel("general")
    for command in ("poll close", "poll results", "poll verify", "poll announce", "poll export"):
        refused = await stranger.slash(there, command, series=1)
        assert "no series 1 here" in refused.response.content
    assert not (await latest(club)).closed
    assert club.refusals()


async def test_reminders_come_a_day_and_an_hour_before_and_once(club: Club) -> None:
    await start(club, closes_in=3 * 24 * 60)

    async def reminders_after(seconds: float) -> int:
        """The bot sleeps meanwhile: a wake each minute of three days would take the test's time."""
        club.bot.get_cog("Polls").closer.stop()
        await club.env.advance_time(seconds)
        await club.restart()
        return len([message for message in await everything(club) if "closes" in message.content])

    assert await reminders_after(2 * 24 * 3600 - 300) == 0
    assert await reminders_after(300) == 1
    assert await reminders_after(22 * 3600) == 1
    assert await reminders_after(3600) == 2
    assert await reminders_after(1800) == 2


async def test_the_verdict_of_a_result_told_again_is_that_of_its_own_time(club: Club) -> None:
    for label in ("A", "B"):
        await start(club, Choice.A)
        (message,) = await messages(club)
        await club.student.click(message, label=label)
        await club.env.advance_time(30)
        await club.instructor.slash(club.channel, "poll close")
    told = await club.student.slash(club.channel, "poll results", series=1)
    shown = {field.name: field.value for field in told.response.embeds[0].fields}
    assert "From 1 trial and 1 vote" in shown["Verdict of all series so far"]


async def test_the_reveal_has_a_chart_that_a_screen_reader_can_tell(club: Club) -> None:
    await start(club, Choice.A, Choice.B)
    for message in await messages(club):
        await club.student.click(message, label="A")
    await club.instructor.slash(club.channel, "poll close")
    reveal = club.channel.last_message
    (chart,) = reveal.attachments
    assert (await chart.read()).startswith(b"\x89PNG")
    assert chart.description == "A chart of trials."
    for command in ("poll stats", "poll seasons", "poll results"):
        (chart,) = (await club.student.slash(club.channel, command)).response.attachments
        assert (await chart.read()).startswith(b"\x89PNG")


# ------------------------------------------------------------ all series together


async def test_the_statistics_take_all_closed_series_together(club: Club) -> None:
    for answer in (Choice.HUMAN, Choice.AI, Choice.HUMAN, Choice.AI):
        await start(club, answer)
        (message,) = await messages(club)
        await club.student.click(message, label="Human")
        await club.other.click(message, label="Human" if answer is Choice.HUMAN else "AI")
        await club.instructor.slash(club.channel, "poll close")
    stats = await club.student.slash(club.channel, "poll stats")
    assert stats.ephemeral
    (embed,) = stats.response.embeds
    shown = {field.name: field.value for field in embed.fields}
    assert shown["Votes"].startswith("6 of 8 votes of 2 listeners were right (75 %)")
    assert shown["Single clips"] == "Humans called human: 4 of 4\nThe model called human: 2 of 4"
    figures = shown["Figures, with 95 % intervals over listeners and clips"]
    assert "human and model counting equally: **75 %**" in figures
    assert "for each time a human is: **0.50**" in figures
    assert "Too early to say" in embed.description
    assert "taken for the human by 50 % of 2" in shown["The most human of the model's solos"]


async def test_recordings_are_in_no_statistics_of_the_server(club: Club) -> None:
    await add_clip(club, "Tape", ogg(0.7), "a.ogg")
    await start(club, recordings=True, trials=1, design="pair")
    (message,) = await messages(club)
    await club.student.click(message, label="A")
    await club.other.click(message, label="A")
    await club.instructor.slash(club.channel, "poll close")
    reveal = club.channel.last_message.embeds[0]
    shown = {field.name: field.value for field in reveal.fields}
    assert "of 2 votes of 2 listeners were right" in shown["All together"], "their own reveal has them"
    assert shown["Verdict"].startswith("None: recordings")
    assert "Verdict of all series so far" not in shown
    nothing = "No closed poll has any votes yet."
    for command in ("poll stats", "poll clips", "poll seasons"):
        (embed,) = (await club.student.slash(club.channel, command)).response.embeds
        assert embed.description == nothing, command
        assert not embed.fields, command
    await start(club, Choice.A)
    (message,) = await messages(club)
    await club.student.click(message, label="A")
    await club.instructor.slash(club.channel, "poll close")
    (embed,) = (await club.student.slash(club.channel, "poll stats")).response.embeds
    assert {field.name: field.value for field in embed.fields}["Votes"].startswith("1 of 1 vote of 1 listener")


async def test_musicians_reasons_and_confidence_are_shown_where_somebody_said_them(club: Club) -> None:
    await club.student.slash(club.channel, "poll me", instrument="tenor sax", years=5)
    await start(club, Choice.A)
    (message,) = await messages(club)
    answer = (await club.student.click(message, label="A")).response
    await club.student.select(answer, values=["90"], custom_id="sure:1")
    await club.student.select(answer, values=["timing"], custom_id="why:1")
    await club.other.click(message, label="B")
    await club.instructor.slash(club.channel, "poll close")
    (embed,) = (await club.student.slash(club.channel, "poll stats")).response.embeds
    shown = {field.name: field.value for field in embed.fields}
    assert "Musicians: 1 of 1 right (100 %)" in shown["Who, and what they went by"]
    assert "Everybody else: 0 of 1 right (0 %)" in shown["Who, and what they went by"]
    assert "By timing: 1 of 1 right" in shown["Who, and what they went by"]
    assert "Brier score 0.010" in shown["How sure"]
    seasons = (await club.student.slash(club.channel, "poll seasons")).response.embeds[0]
    assert "`def5678`" in seasons.description


async def test_clip_by_clip_one_sees_whom_it_fooled_and_what_gave_it_away(club: Club) -> None:
    await start(club, Choice.A, Choice.B)
    first, second = await messages(club)
    answer = (await club.student.click(first, label="A")).response
    await club.student.select(answer, values=["timing", "notes"], custom_id="why:1")
    await club.other.click(first, label="B")
    await club.student.click(second, label="A")
    assert (await club.student.slash(club.channel, "poll clips")).response.embeds[0].description.startswith("No closed")
    await club.instructor.slash(club.channel, "poll close")
    (embed,) = (await club.student.slash(club.channel, "poll clips")).response.embeds
    lines = embed.description.splitlines()
    assert [line.split()[0] for line in lines] == ["**1.2**", "**1.1**"], "the one that fooled most comes first"
    assert "taken for the human by 1 of 1" in lines[0]
    assert "taken for the human by 1 of 2; went by: timing 1, notes 1" in lines[1]


async def test_what_listeners_say_of_themselves_is_shown_to_them_alone_and_deleted_when_they_ask(club: Club) -> None:
    said = await club.student.slash(club.channel, "poll me", instrument="tenor sax", hearing_aid=False)
    assert said.ephemeral
    assert "you play tenor sax" in said.response.content
    assert "without a hearing aid" in said.response.content
    assert "for 5 years" in (await club.student.slash(club.channel, "poll me", years=5)).response.content
    assert "Deleted" in (await club.student.slash(club.channel, "poll me", forget=True)).response.content
    assert "haven't told me anything" in (await club.student.slash(club.channel, "poll me")).response.content
    assert await club.store.fetch_all("SELECT 1 FROM listeners") == []


async def test_the_board_shows_who_wants_to_be_shown_from_ten_votes_on(club: Club) -> None:
    await start(club, *[Choice.A] * 11)
    for message in await messages(club):
        await club.student.click(message, label="A")
        await club.other.click(message, label="B")
    await club.instructor.slash(club.channel, "poll close")
    board = await club.student.slash(club.channel, "poll board")
    assert "Nobody is on the board yet" in board.response.embeds[0].description
    await club.student.click(board.response, label="Show me on the board")
    shown = (await club.other.slash(club.channel, "poll board")).response
    assert shown.embeds[0].description == f"1. <@{club.student.id}>  11 of 11 right"
    off = (await club.student.slash(club.channel, "poll board")).response
    await club.student.click(off, label="Take me off the board")
    again = (await club.other.slash(club.channel, "poll board")).response
    assert "Nobody" in again.embeds[0].description


# ------------------------------------------------------------ the export


async def exported(club: Club, **options) -> dict[str, bytes]:
    result = await club.instructor.slash(club.channel, "poll export", **options)
    assert result.ephemeral
    return {attachment.filename: await attachment.read() for attachment in result.response.attachments}


async def voted_series(club: Club) -> None:
    await start(club, Choice.A, Choice.B, Choice.B)
    for place, message in enumerate(await messages(club)):
        await club.student.click(message, label="AB"[place % 2])
        await club.other.click(message, label="B")
    await club.instructor.slash(club.channel, "poll close")


async def test_every_number_of_the_reveal_can_be_computed_from_the_export(club: Club) -> None:
    await voted_series(club)
    reveal = club.channel.last_message
    files = await exported(club, series=1)
    rows = list(csv.DictReader(io.StringIO(files["votes.csv"].decode("utf-8-sig"))))
    counted = [row for row in rows if row["choice"] and row["knows"] == "0" and row["catch"] == "0"]
    right = sum(row["choice"] == row["answer"] for row in counted)
    assert f"{right} of {len(counted)} votes" in fields(reveal)["All together"]
    for number in ("1", "2", "3"):
        votes = [row for row in counted if row["trial"] == number]
        line = next(line for line in reveal.embeds[0].description.splitlines() if line.startswith(f"**{number}.**"))
        assert f"{sum(row['right'] == '1' for row in votes)} of {len(votes)} right" in line
    verdict = json.loads(files["verdict.json"])
    assert verdict["summary"]["figures"]["d' of pairs"]["value"] == pytest.approx(pair_d_prime(right, len(counted)))
    assert verdict["series"][0]["plan"]["margin"] == 0.6
    with closing(sqlite3.connect(":memory:")) as database:
        database.deserialize(files["listening.sqlite3"])
        (found,) = database.execute('SELECT sum("right") FROM votes').fetchall()
        assert found == (right,)
        sealed, answers = database.execute("SELECT seal, salt FROM series").fetchone(), "1=A 2=B 3=B"
        assert hashlib.sha256(f"{answers} salt={sealed[1]}".encode()).hexdigest() == sealed[0]
    for column in rows[0]:
        assert f"{column}" in files["dictionary.md"].decode(), "every column stands in the dictionary"


async def test_an_export_names_nobody_and_changes_its_pseudonyms_unless_asked(club: Club) -> None:
    await voted_series(club)

    async def voters(**options) -> set[str]:
        files = await exported(club, **options)
        for content in files.values():
            assert str(club.student.id).encode() not in content
        return {row["voter"] for row in csv.DictReader(io.StringIO(files["votes.csv"].decode("utf-8-sig")))}

    first, second = await voters(), await voters()
    assert len(first) == len(second) == 2
    assert not first & second
    assert await voters(same_names=True) == await voters(same_names=True)


@pytest.mark.parametrize("typed", ["=HYPERLINK(A1)", "+1", "@SUM(A1)"])
async def test_what_a_listener_typed_is_no_formula_in_the_table_for_staff(club: Club, typed: str) -> None:
    await club.student.slash(club.channel, "poll me", instrument=typed)
    await voted_series(club)
    rows = list(csv.DictReader(io.StringIO((await exported(club))["votes.csv"].decode("utf-8-sig"))))
    assert f"'{typed}" in {row["instrument"] for row in rows}


async def test_an_open_series_is_in_no_export(club: Club) -> None:
    await voted_series(club)
    await start(club, Choice.A)
    (message,) = await messages(club)
    await club.student.click(message, label="A")
    rows = list(csv.DictReader(io.StringIO((await exported(club))["votes.csv"].decode("utf-8-sig"))))
    assert {row["series"] for row in rows} == {"1"}


async def test_a_member_sees_their_own_ear(club: Club) -> None:
    await start(club, Choice.AI)
    (message,) = await messages(club)
    await club.student.click(message, label="AI")
    await club.instructor.slash(club.channel, "poll close")
    (embed,) = (await club.student.slash(club.channel, "quiz score")).response.embeds
    assert {field.name: field.value for field in embed.fields} == {"By ear": "1 of 1 closed poll right"}


async def test_a_simulated_class_is_named_and_counts_in_no_figure(club: Club) -> None:
    role = club.guild.create_role("Simulated class")
    made_up = [club.guild.add_member(club.env.create_user(f"simulated_{number}"), roles=[role]) for number in range(3)]
    await start(club, Choice.A)
    (message,) = await messages(club)
    for member in made_up:
        await member.click(message, label="A")
    await club.student.click(message, label="B")
    await club.instructor.slash(club.channel, "poll close")
    reveal = club.channel.last_message
    assert fields(reveal)["All together"].startswith("0 of 1 vote of 1 listener")
    assert fields(reveal)["And 3 simulated votes"].startswith("3 were right")
    stats = (await club.student.slash(club.channel, "poll stats")).response.embeds[0]
    assert {field.name: field.value for field in stats.fields}["Votes"].startswith("0 of 1 vote")
    rows = list(csv.DictReader(io.StringIO((await exported(club))["votes.csv"].decode("utf-8-sig"))))
    assert sorted(row["simulated"] for row in rows) == ["0", "1", "1", "1"]


def test_where_a_verdict_is_hundreds_of_trials_away_the_sentence_says_so_and_no_more() -> None:
    """Two listeners: it isn't true that nobody will ever cast so many votes."""
    told = verdict_text(verdict([TrialScore(number, right, 2) for number, right in enumerate((1, 2, 0, 1, 2))]))
    assert told.startswith("**Too early to say:** it would take more than 400 more trials with as many votes as these.")

"""A class quiz as a class meets it: private answers, a growing count, one reveal, and a bot that may die in between."""

from __future__ import annotations

import discord
import pytest

from bot.answering.access import SIMULATED_ROLE
from bot.errors import Refused
from bot.rules.class_quiz import DISCUSSION_S, READING_S
from bot.rules.own_questions import OwnQuestion
from bot.rules.quiz import Score
from bot.store import quiz
from bot.store.lessons import class_quiz, own_questions
from engine.contract import engine_pb2 as pb
from tests.conftest import Club


def question(number: int, correct: int = 0) -> pb.QuizReply:
    return pb.QuizReply(
        generator=f"generator-{number}",
        topic="tensors",
        seed=number,
        question=f"Question number {number}?",
        options=["two", "three", "four"],
        correct=correct,
        explanation=f"**`two`**: because of {number}.\n\nThe others:\n- `three`: counts one too many.",
        reasons=["", "counts one too many", "doubles it"],
    )


async def start(club: Club, count: int = 2, **options):
    club.double.questions.extend(question(number) for number in range(count))
    started = await club.instructor.slash(club.channel, "quiz class", questions=count, **options)
    assert started.ephemeral
    return newest(club)


def newest(club: Club):
    return club.channel.last_message


def text_of(message) -> str:
    (embed,) = message.embeds
    fields = "\n".join(f"{field.name}: {field.value}" for field in embed.fields)
    return f"{embed.title}\n{embed.description}\n{fields}\n{embed.footer.text}"


async def pass_time(club: Club, seconds: float) -> None:
    await club.env.advance_time(seconds)


async def test_a_whole_quiz_from_the_first_question_to_the_ranking(club: Club) -> None:
    message = await start(club, seconds=30)
    assert "Question number 0?" in text_of(message)
    mine = await club.student.click(message, label="two")
    assert mine.ephemeral
    assert "You chose `two`" in mine.response.content
    await club.other.click(message, label="three")
    await pass_time(club, 3)
    assert "2 answers so far" in text_of(newest(club))
    await pass_time(club, 30)
    revealed = text_of(newest(club))
    assert "answer A" in revealed
    assert "50 % (1)" in revealed
    assert "counts one too many" in revealed
    assert "doubles it" not in revealed, "nobody went there"
    await pass_time(club, READING_S + 1)
    assert "Question number 1?" in text_of(newest(club))
    await club.other.click(newest(club), label="two")
    await pass_time(club, 31)
    await pass_time(club, READING_S + 1)
    ranking = text_of(newest(club))
    assert "ranking after 2 questions" in ranking
    assert f"1. <@{club.student.id}>  1 point" in ranking
    assert f"<@{club.other.id}>  1 point" in ranking


async def test_nobody_sees_the_distribution_before_the_second_vote_has_closed(club: Club) -> None:
    message = await start(club, count=1, seconds=30, second_vote=True)
    await club.student.click(message, label="three")
    await club.other.click(message, label="two")
    await pass_time(club, 31)
    discussed = text_of(newest(club))
    assert "Talk it over" in discussed
    assert "%" not in discussed
    assert "two" not in [button.label for row in newest(club).components for button in row.children]
    await pass_time(club, DISCUSSION_S + 1)
    await club.student.click(newest(club), label="two")
    await club.other.click(newest(club), label="two")
    assert "%" not in text_of(newest(club))
    await pass_time(club, 31)
    revealed = text_of(newest(club))
    assert "50 % right before you talked it over, 100 % after" in revealed
    assert "Talking it over brought everybody round." in revealed


async def test_an_answer_may_be_changed_until_the_vote_closes_and_counts_once(club: Club) -> None:
    message = await start(club, count=1, seconds=30)
    await club.student.click(message, label="three")
    changed = await club.student.click(message, label="two")
    assert "Changed to `two`" in changed.response.content
    again = await club.student.click(message, label="two")
    assert "already" in again.response.content
    await pass_time(club, 31)
    assert "100 % of 1 answer right" in text_of(newest(club))
    (running,) = await class_quiz.untold(club.store)
    (at,) = await class_quiz.rounds(club.store, running.id)
    with pytest.raises(Refused, match="closed"):
        await class_quiz.record(
            club.store, running.id, at, 1, club.other.id, "0", seconds=31.0, team="", now=club.bot.now()
        )


async def test_a_killed_bot_goes_on_where_the_quiz_stood(club: Club) -> None:
    message = await start(club, seconds=30)
    await club.student.click(message, label="two")
    await club.restart()
    await pass_time(club, 5)
    await club.other.click(message, label="two")
    count = len(club.channel.history())
    await pass_time(club, 31)
    assert len(club.channel.history()) == count, "no question is posted twice"
    assert "100 % of 2 answers right" in text_of(newest(club))
    await pass_time(club, READING_S + 1)
    assert "Question number 1?" in text_of(newest(club))


async def test_a_phase_that_ended_while_the_bot_was_away_is_over(club: Club) -> None:
    message = await start(club, count=1, seconds=30)
    await club.student.click(message, label="two")
    club.bot.get_cog("Quiz").runner.stop()
    await pass_time(club, 45)
    await club.restart()
    await pass_time(club, 3)
    assert "answer A" in text_of(newest(club))


async def test_only_host_and_staff_control_a_quiz(club: Club) -> None:
    message = await start(club)
    refused = await club.student.click(message, label="Reveal")
    assert "host" in refused.response.content
    await club.instructor.click(message, label="Reveal")
    await pass_time(club, 1)
    assert "answer A" in text_of(newest(club))


async def test_the_reveal_says_how_many_of_its_answers_are_simulated(club: Club) -> None:
    role = club.guild.create_role("Simulated class")
    made_up = [club.guild.add_member(club.env.create_user(f"simulated_{number}"), roles=[role]) for number in range(2)]
    message = await start(club, count=1, seconds=30)
    for member in made_up:
        await member.click(message, label="three")
    await club.student.click(message, label="two")
    await pass_time(club, 31)
    assert "33 % of 3 answers right. 2 of these 3 are simulated" in text_of(newest(club))


async def test_the_hosts_next_step_stands_out_and_says_where_it_leads(club: Club) -> None:
    await start(club, count=2, seconds=30, second_vote=True)
    walked = []
    for _ in range(8):
        buttons = [
            button
            for row in newest(club).components
            for button in row.children
            if (button.custom_id or "").startswith("class-host:")
        ]
        first, *others = buttons
        assert first.style is discord.ButtonStyle.primary
        assert all(button.style is not discord.ButtonStyle.primary for button in others)
        walked.append(first.label)
        await club.instructor.click(newest(club), label=first.label)
        await pass_time(club, 1)
    to_the_reveal = ["Talk it over", "Open the second vote", "Reveal"]
    assert walked == [*to_the_reveal, "Next question", *to_the_reveal, "Show the ranking"]
    assert "ranking after 2 questions" in text_of(newest(club))


async def test_a_question_that_somebody_deletes_is_posted_again_with_its_votes(club: Club) -> None:
    message = await start(club, count=1, seconds=30)
    await club.student.click(message, label="two")
    await club.instructor.delete(message)
    await pass_time(club, 3)
    again = newest(club)
    assert again.id != message.id
    assert "Question number 0?" in text_of(again)
    assert "1 answer so far" in text_of(again)
    await club.other.click(again, label="three")
    await pass_time(club, 31)
    assert newest(club).id == again.id
    assert "50 % of 2 answers right" in text_of(newest(club))


async def test_a_pause_stops_the_clock(club: Club) -> None:
    message = await start(club, seconds=30)
    await club.instructor.click(message, label="Pause")
    await pass_time(club, 600)
    assert "Paused" in text_of(newest(club))
    await club.instructor.click(newest(club), label="Go on")
    await pass_time(club, 10)
    assert "answer A" not in text_of(newest(club))
    await pass_time(club, 25)
    assert "answer A" in text_of(newest(club))


async def test_a_skipped_question_counts_for_nobody(club: Club) -> None:
    message = await start(club, seconds=30)
    await club.student.click(message, label="two")
    await club.instructor.click(message, label="Skip question")
    await pass_time(club, 1)
    assert "Question number 1?" in text_of(newest(club))
    skipped = next(m for m in club.channel.history() if m.id == message.id)
    assert "skipped" in text_of(skipped)
    await pass_time(club, 31)
    await pass_time(club, READING_S + 1)
    assert "ranking after 1 question" in text_of(newest(club))
    assert "Nobody answered" in text_of(newest(club))


async def test_one_quiz_a_channel(club: Club) -> None:
    await start(club)
    refused = await club.instructor.slash(club.channel, "quiz class")
    assert "already running in this channel" in refused.response.content
    assert club.refusals()


async def test_students_may_not_start_one_unless_the_server_allows_it(club: Club) -> None:
    refused = await club.student.slash(club.channel, "quiz class")
    assert refused.ephemeral
    assert club.refusals() == [refused.response.content]


async def test_answers_in_class_count_in_ones_score(club: Club) -> None:
    message = await start(club, count=1, seconds=30)
    await club.student.click(message, label="two")
    await pass_time(club, 31)
    topics = await quiz.scores_by_topic(club.store, club.guild.id, club.student.id)
    assert topics["tensors"].right == 1


async def test_the_report_names_what_the_class_believes(club: Club) -> None:
    message = await start(club, count=1, seconds=30)
    await club.student.click(message, label="three")
    await club.other.click(message, label="three")
    await pass_time(club, 31)
    await pass_time(club, READING_S + 1)
    answered = await club.instructor.slash(club.channel, "quiz report")
    text = text_of(answered.response)
    assert "`" not in text, "staff read names in words"
    assert "(tensors): 0 of 2 right; the commonest mistake, 2 of 2: counts one too many" in text
    names = {attachment.filename for attachment in answered.response.attachments}
    assert names - {"lesson.png"} == {"questions.csv", "students.csv"}
    assert answered.response.embeds[0].image.url == "attachment://lesson.png" or "lesson.png" in names
    refused = await club.student.slash(club.channel, "quiz report")
    assert refused.ephemeral
    assert club.refusals()


async def test_two_of_the_staffs_questions_that_begin_alike_are_two_in_the_report(club: Club) -> None:
    texts = [
        f"What does the following line print, if x is a tensor of the shape (2, 3)? x.sum({dim})" for dim in (0, 1)
    ]
    own = [OwnQuestion("week 1", text, ("right", "wrong")) for text in texts]
    await own_questions.add(club.store, club.guild.id, own, club.instructor.id, club.bot.now())
    await club.instructor.slash(club.channel, "quiz class", topic="week 1", questions=2, seconds=30)
    for _ in range(2):
        await club.student.click(newest(club), label="wrong")
        await pass_time(club, 31)
        await pass_time(club, READING_S + 1)
    report = (await club.instructor.slash(club.channel, "quiz report")).response
    assert "to 2 questions" in report.embeds[0].description


async def test_a_preparation_that_fails_posts_nothing_and_leaves_no_quiz(club: Club) -> None:
    refused = await club.instructor.slash(club.channel, "quiz class", questions=20)
    assert "different questions" in refused.response.content
    assert club.channel.history() == []
    assert await class_quiz.running_in(club.store, club.channel.id) is None
    assert club.refusals()


@pytest.mark.parametrize("label", ["End quiz"])
async def test_an_ended_quiz_is_ranked_by_what_was_revealed(club: Club, label: str) -> None:
    message = await start(club, count=3, seconds=30)
    await club.student.click(message, label="two")
    await pass_time(club, 31)
    await club.instructor.click(newest(club), label=label)
    await pass_time(club, 1)
    assert "ranking after 1 question" in text_of(newest(club))
    assert await class_quiz.running_in(club.store, club.channel.id) is None


async def test_a_question_that_was_never_revealed_counts_for_nobody(club: Club) -> None:
    message = await start(club, count=2, seconds=30)
    await club.student.click(message, label="three")
    await club.instructor.click(message, label="End quiz")
    await pass_time(club, 1)
    report = (await club.instructor.slash(club.channel, "quiz report")).response
    assert "Nobody answered a class quiz" in report.embeds[0].description


async def test_latecomers_join_and_those_who_leave_keep_their_points(club: Club) -> None:
    message = await start(club, seconds=30)
    await club.student.click(message, label="two")
    await pass_time(club, 31)
    await pass_time(club, READING_S + 1)
    late = club.guild.add_member(club.env.create_user("cleo"))
    await late.click(newest(club), label="two")
    await pass_time(club, 31)
    await pass_time(club, READING_S + 1)
    ranking = text_of(newest(club))
    assert f"<@{club.student.id}>  1 point" in ranking
    assert f"<@{late.id}>  1 point" in ranking


async def test_a_guess_of_the_commonest_mistake_earns_half_a_point(club: Club) -> None:
    message = await start(club, count=1, seconds=30)
    mine = await club.student.click(message, label="two")
    guessed = await club.student.select(mine.response, ["1"])
    assert guessed.ephemeral
    assert guessed.response.content.startswith("You expect most wrong answers to be `three`.")
    await club.other.click(message, label="three")
    await pass_time(club, 31)
    await pass_time(club, READING_S + 1)
    assert f"1. <@{club.student.id}>  1.5 points" in text_of(newest(club))


async def test_teams_are_roles_and_ranked_by_their_mean(club: Club) -> None:
    green = club.guild.add_member(club.env.create_user("dora"), roles=[club.guild.create_role("Team green")])
    message = await start(club, count=1, seconds=30, teams=True)
    await green.click(message, label="two")
    await pass_time(club, 31)
    await pass_time(club, READING_S + 1)
    assert "Teams: 1. Team green  1 point each" in text_of(newest(club))


async def test_a_made_up_class_plays_along_and_is_left_out_of_report_and_scores(club: Club) -> None:
    robot = club.guild.add_member(club.env.create_user("robot"), roles=[club.guild.create_role(SIMULATED_ROLE)])
    message = await start(club, count=1, seconds=30)
    await robot.click(message, label="three")
    await club.student.click(message, label="two")
    await pass_time(club, 31)
    assert "50 % of 2 answers right" in text_of(newest(club))
    await pass_time(club, READING_S + 1)
    report = (await club.instructor.slash(club.channel, "quiz report")).response
    assert report.embeds[0].description.startswith("1 answer of 1 student")
    (students,) = [await a.read() for a in report.attachments if a.filename == "students.csv"]
    assert str(club.student.id).encode() in students
    assert str(robot.id).encode() not in students
    assert await quiz.class_total(club.store, club.guild.id) == Score(1, 1)

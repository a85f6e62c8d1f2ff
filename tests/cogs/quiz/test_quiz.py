"""The quiz as members meet it: a public question, private answers, the first of which counts."""

from __future__ import annotations

import json

import discord
import pytest

from bot.rules.quiz import Score
from bot.store import quiz
from engine.contract import engine_pb2 as pb
from tests.conftest import Club


def buttons(message) -> list[dict]:
    return [button for row in message.components for button in row["components"]]


def labels(message) -> list[str]:
    return [button["label"] for button in buttons(message)]


async def ask(club: Club, **options):
    return (await club.student.slash(club.channel, "quiz question", **options)).response


async def test_a_question_is_public_and_its_answer_private(club: Club) -> None:
    message = await ask(club)
    assert not message.ephemeral
    assert "What is the shape of `a @ b`?" in message.embeds[0].description
    assert "```py\na = torch.ones(2, 3)" in message.embeds[0].description
    assert labels(message) == ["(2, 4)", "(3, 3)", "(4, 2)", "it raises an error"]

    answered = await club.other.click(message, label="(2, 4)")
    assert answered.ephemeral
    assert answered.response.embeds[0].title == "Right!"
    assert "rows of the first" in answered.response.embeds[0].description


async def test_a_wrong_answer_is_told_what_is_right_and_why(club: Club) -> None:
    answered = await club.other.click(await ask(club), label="(3, 3)")
    text = answered.response.embeds[0].description
    assert answered.response.embeds[0].title == "Not this time"
    assert text.startswith("You chose `(3, 3)`.")
    assert "**`(2, 4)`**" in text
    assert "rows of the first" in text


async def test_nothing_in_the_message_tells_which_option_is_right(club: Club) -> None:
    """Two questions that differ in nothing but the right option look the same, byte for byte."""
    seen = []
    for correct in (0, 2):
        club.double.questions.append(
            pb.QuizReply(
                generator="g", topic="tensors", seed=1, question="?", options=["a", "b", "c"], correct=correct,
                explanation=f"it is {correct}",
            )
        )  # fmt: skip
        message = await ask(club)
        everything = json.dumps([message.content, [e.to_dict() for e in message.embeds], message.components])
        number = buttons(message)[0]["custom_id"].split(":")[1]
        seen.append(everything.replace(f"quiz:{number}:", "quiz:N:").replace(str(message.id), "M"))
    assert seen[0] == seen[1]


async def test_the_first_answer_counts_however_often_one_clicks(club: Club) -> None:
    message = await ask(club)
    await club.student.click(message, label="(3, 3)")
    again = await club.student.click(message, label="(2, 4)")
    assert "first answer counts" in again.response.embeds[0].description
    assert "You chose `(3, 3)`" in again.response.embeds[0].description
    assert await quiz.scores_by_topic(club.store, club.guild.id, club.student.id) == {"tensors": Score(1, 0)}


async def test_everybody_answers_for_themselves(club: Club) -> None:
    message = await ask(club)
    await club.student.click(message, label="(3, 3)")
    await club.other.click(message, label="(2, 4)")
    assert await quiz.scores_by_topic(club.store, club.guild.id, club.other.id) == {"tensors": Score(1, 1)}
    assert await quiz.class_total(club.store, club.guild.id) == Score(2, 1)


async def test_buttons_and_scores_survive_a_restart(club: Club) -> None:
    message = await ask(club)
    await club.student.click(message, label="(2, 4)")
    await club.restart()
    again = await club.student.click(message, label="(3, 3)")
    assert "first answer counts" in again.response.embeds[0].description
    other = await club.other.click(message, label="(2, 4)")
    assert other.response.embeds[0].title == "Right!"


async def test_a_question_that_is_gone_says_so(club: Club) -> None:
    message = await ask(club)
    await club.store.execute("DELETE FROM questions")
    answered = await club.student.click(message, label="(2, 4)")
    assert answered.ephemeral
    assert "don't have this question any more" in answered.response.content


async def test_a_member_is_not_asked_the_same_again_at_once(club: Club) -> None:
    await ask(club)
    assert list(club.double.requests[-1].avoid) == []
    await ask(club)
    assert list(club.double.requests[-1].avoid) == ["shape-of-matmul"]


async def test_options_that_do_not_fit_on_buttons_are_listed_and_lettered(club: Club) -> None:
    options = ["x = 1\ny = 2", "`zero`", "z" * 500, "short"]
    club.double.questions.append(
        pb.QuizReply(generator="g", topic="t", question="Which?", options=options, correct=2, explanation="so")
    )
    message = await ask(club)
    assert labels(message) == ["A", "B", "C", "D"]
    text = message.embeds[0].description
    assert "```py\nx = 1\ny = 2\n```" in text
    assert "z" * 400 in text
    answered = await club.other.click(message, label="C")
    assert answered.response.embeds[0].title == "Right!"


async def test_a_question_as_long_as_discord_allows_is_still_posted(club: Club) -> None:
    options = [f"{n} " + "word " * 300 for n in range(25)]
    club.double.questions.append(
        pb.QuizReply(
            generator="g", topic="t", question="q " * 3000, code="c = 1\n" * 1000, options=options, correct=0,
            explanation="e " * 5000,
        )
    )  # fmt: skip
    message = await ask(club)
    assert len(labels(message)) == 25
    answered = await club.other.click(message, label="B")
    assert answered.response.embeds[0].title == "Not this time"


async def test_a_topic_is_completed_and_passed_on(club: Club) -> None:
    await club.student.autocomplete(club.channel, "quiz question", "topic", "")
    choices = await club.student.autocomplete(club.channel, "quiz question", "topic", "auto")
    assert [choice["value"] for choice in choices] == ["autograd"]
    await ask(club, topic="autograd")
    assert club.double.requests[-1].topic == "autograd"


async def test_the_card_behind_a_question_can_be_read(club: Club) -> None:
    club.double.cards.append(pb.Card(id="backward", topic="autograd", title="What backward() does", text="It walks."))
    answered = await club.other.click(await ask(club), label="(3, 3)")
    card = await club.other.click(answered.response, label="Read the card")
    assert card.ephemeral
    assert card.response.embeds[0].title == "What backward() does"


async def test_nobody_floods_a_channel_with_questions(club: Club) -> None:
    for _ in range(6):
        await ask(club)
    refused = await club.student.slash(club.channel, "quiz question")
    assert refused.ephemeral
    assert "before the next question" in refused.response.content
    assert club.refusals()
    await club.env.advance_time(60)
    assert (await club.student.slash(club.channel, "quiz question")).response.embeds


async def test_without_the_permission_to_embed_nothing_is_asked_of_the_engine(club: Club) -> None:
    forbidden = discord.PermissionOverwrite(embed_links=False)
    channel = club.guild.create_text_channel("plain", overwrites={club.guild.me: forbidden})
    refused = await club.student.slash(channel, "quiz question")
    assert refused.ephemeral
    assert "embed links" in refused.response.content
    assert club.double.requests == []
    assert club.refusals()


async def test_a_score_is_private_and_the_leaderboard_needs_consent(club: Club) -> None:
    message = await ask(club)
    await club.student.click(message, label="(2, 4)")
    await club.other.click(message, label="(3, 3)")

    score = await club.student.slash(club.channel, "quiz score")
    assert score.ephemeral
    assert "**1 of 1** right" in score.response.embeds[0].description
    assert (
        "Nobody is on the board yet"
        in (await club.other.slash(club.channel, "quiz board")).response.embeds[0].description
    )

    joined = await club.student.click(score.response, label="Show me on the leaderboard")
    assert joined.ephemeral
    board = (await club.other.slash(club.channel, "quiz board")).response.embeds[0]
    assert f"1. <@{club.student.id}>  1 of 1 right" in board.description
    assert str(club.other.id) not in board.description
    assert "50 % of 2 answers" in board.footer.text

    score = await club.student.slash(club.channel, "quiz score")
    await club.student.click(score.response, label="Take me off the leaderboard")
    assert (
        "Nobody is on the board yet"
        in (await club.other.slash(club.channel, "quiz board")).response.embeds[0].description
    )


async def test_the_score_names_the_topic_to_practise(club: Club) -> None:
    for _ in range(3):
        await club.student.click(await ask(club), label="(3, 3)")
    score = await club.student.slash(club.channel, "quiz score")
    assert "/quiz me topic:tensors" in score.response.embeds[0].description


@pytest.mark.parametrize("command", ["quiz score", "quiz board"])
async def test_an_empty_score_is_an_invitation(club: Club, command: str) -> None:
    result = await club.student.slash(club.channel, command)
    assert "/quiz" in result.response.embeds[0].description or "/score" in result.response.embeds[0].description

"""Several, typed, in order, with a picture: each kind can be answered wherever it is asked, also after a restart."""

from __future__ import annotations

import pytest

from bot.rules.quiz import Score
from bot.store import quiz
from bot.store.lessons import class_quiz, practice
from engine.contract import engine_pb2 as pb
from tests.conftest import Club
from tests.engine_double import png

SEVERAL = pb.QuizReply(
    generator="which-share-memory",
    topic="tensors",
    seed=1,
    question="Which of these share x's memory?",
    options=["x[0]", "x.clone()", "x.t()"],
    right=[0, 2],
    reasons=["", "overlooks that clone copies", ""],
    kind="several",
    fixed=True,
    explanation="**`x[0]`, `x.t()`**: views.\n\nThe others:\n- `x.clone()`: overlooks that clone copies.",
)
TYPED = pb.QuizReply(
    generator="reduction-shape",
    topic="tensors",
    seed=2,
    question="What does this print?",
    code="print(tuple(torch.zeros(8, 3, 32).shape))",
    answer="(8, 3, 32)",
    kind="typed",
    slips=[pb.QuizReply.Slip(answer="(8, 32, 3)", reason="puts the channels last")],
    explanation="**`(8, 3, 32)`**: nothing moves.",
)
ORDER = pb.QuizReply(
    generator="order-training-step",
    topic="tensors",
    seed=3,
    question="Put one training step in order.",
    options=["loss.backward()", "optimizer.step()", "loss = f(x)"],
    right=[2, 0, 1],
    orders=[pb.QuizReply.Order(places=[2, 0, 1])],
    kind="order",
    fixed=True,
    explanation="The loss needs the forward pass.",
)
PICTURE = pb.QuizReply(
    generator="what-happened",
    topic="tensors",
    seed=4,
    question="The loss over the epochs. What happened here?",
    options=["overfitting", "still learning", "diverged"],
    correct=0,
    kind="one",
    picture=png(),
    alt="Two curves: one falls, the other falls and then rises.",
    reasons=["", "overlooks the second curve", "takes rising for diverging"],
    explanation="**`overfitting`**: the validation loss rises.",
)


def labels(message) -> list[str]:
    return [item.get("label", "menu") for row in message.components for item in row["components"]]


async def ask(club: Club, reply: pb.QuizReply, command: str = "quiz question"):
    club.double.questions.append(reply)
    return (await club.student.slash(club.channel, command)).response


async def type_in(club: Club, member, message, text: str):
    form = await member.click(message, label="Type your answer")
    return await member.submit_modal(form, {"answer": text})


async def total(club: Club) -> Score:
    return await quiz.class_total(club.store, club.guild.id)


async def test_every_kind_and_pictures_are_asked_for(club: Club) -> None:
    for command in ("quiz question", "quiz me"):
        await club.student.slash(club.channel, command)
        request = club.double.requests[-1]
        assert set(request.kinds) == {"one", "bug", "several", "typed", "order"}
        assert request.pictures


async def test_several_are_chosen_in_private_and_handed_in_once(club: Club) -> None:
    message = await ask(club, SEVERAL)
    assert "**B**  `x.clone()`" in message.embeds[0].description
    chosen = await club.other.select(message, ["0", "1"])
    assert chosen.ephemeral
    assert "You've chosen A and B." in chosen.response.content
    assert await total(club) == Score(0, 0), "nothing counts before it is handed in"
    await club.restart()
    told = await club.other.click(chosen.response, label="Hand it in")
    embed = told.response.embeds[0]
    assert embed.title == "Not this time"
    assert "You chose `x.clone()`. That overlooks that clone copies." in embed.description
    assert "You left out `x.t()`." in embed.description
    assert embed.description.count("overlooks that clone copies") == 1
    changed = await club.other.select(message, ["0", "2"])
    again = await club.other.click(changed.response, label="Hand it in")
    assert "your first answer counts" in again.response.embeds[0].description
    assert await total(club) == Score(1, 0)


async def test_a_typed_answer_counts_in_any_notation(club: Club) -> None:
    message = await ask(club, TYPED)
    right = await type_in(club, club.other, message, " 8 x 3 x 32 ")
    assert right.ephemeral
    assert right.response.embeds[0].title == "Right!"
    wrong = await type_in(club, club.student, message, "8x32x3")
    assert "You wrote `8x32x3`. That puts the channels last." in wrong.response.embeds[0].description
    assert await total(club) == Score(2, 1)


async def test_a_form_that_was_open_when_the_bot_died_still_counts(club: Club) -> None:
    message = await ask(club, TYPED)
    form = await club.other.click(message, label="Type your answer")
    await club.restart()
    told = await club.other.submit_modal(form, {"answer": "[8, 3, 32]"})
    assert told.response.embeds[0].title == "Right!"
    assert await total(club) == Score(1, 1)


@pytest.mark.parametrize("text", ["@everyone", "```py\n" + "x" * 100 + "\n```", "   ", "八", "(8, 3, 32" + ")" * 60])
async def test_whatever_is_typed_is_an_answer_or_one_sentence(club: Club, text: str) -> None:
    message = await ask(club, TYPED)
    told = await type_in(club, club.other, message, text)
    assert told.ephemeral
    assert told.response.embeds or "type it again" in told.response.content
    club.refusals()


async def test_lines_are_put_in_order_one_after_the_other_and_back(club: Club) -> None:
    message = await ask(club, ORDER)
    assert labels(message) == ["Put the lines in order"]
    sheet = await club.other.click(message, label="Put the lines in order")
    assert sheet.ephemeral
    first = await club.other.click(sheet.response, label="A: loss.backward()")
    assert labels(first.response) == ["B: optimizer.step()", "C: loss = f(x)", "Back"]
    back = await club.other.click(first.response, label="Back")
    assert labels(back.response)[0] == "A: loss.backward()"
    third = await club.other.click(back.response, label="C: loss = f(x)")
    await club.restart()
    twice = [await club.other.click(third.response, label="A: loss.backward()")]
    assert "loss = f(x)\nloss.backward()\noptimizer.step()" in twice[0].response.content
    told = await club.other.click(twice[0].response, label="Hand it in")
    assert told.response.embeds[0].title == "Right!"
    assert await total(club) == Score(1, 1)


async def test_a_wrong_order_is_shown_beside_the_right_one(club: Club) -> None:
    message = await ask(club, ORDER, "quiz me")
    assert message.ephemeral
    one = await club.student.click(message, label="B: optimizer.step()")
    two = await club.student.click(one.response, label="A: loss.backward()")
    assert two.response.embeds[0].title.startswith("Practice"), "the question stays in sight"
    told = await club.student.click(two.response, label="Hand it in")
    embed = told.response.embeds[0]
    assert "You chose this order:\n```py\noptimizer.step()\nloss.backward()\nloss = f(x)\n```" in embed.description
    assert embed.footer.text == "You'll see this one again today.", "a fixed question has no other numbers"


async def test_practice_takes_every_kind(club: Club) -> None:
    message = await ask(club, SEVERAL, "quiz me")
    chosen = await club.student.select(message, ["0", "2"])
    assert chosen.response.embeds[0].title == "Practice"
    told = await club.student.click(chosen.response, label="Hand it in")
    assert told.response.embeds[0].title == "Right!"
    message = await ask(club, TYPED, "quiz me")
    told = await type_in(club, club.student, message, "8,3,32")
    assert told.response.embeds[0].title == "Right!"
    assert "different numbers" in told.response.embeds[0].footer.text
    assert len(await practice.memories(club.store, club.student.id)) == 2


@pytest.mark.parametrize("command", ["quiz question", "quiz me"])
async def test_a_picture_comes_with_words_for_those_who_cannot_see_it(club: Club, command: str) -> None:
    message = await ask(club, PICTURE, command)
    (picture,) = message.attachments
    assert picture.filename == "question.png"
    assert picture.description == PICTURE.alt
    told = await club.student.click(message, label="diverged")
    assert "That takes rising for diverging." in told.response.embeds[0].description
    assert await club.store.fetch_all("SELECT 1 FROM questions WHERE picture IS NOT NULL") == []


async def test_the_question_of_the_day_may_be_of_any_kind(club: Club) -> None:
    club.double.questions.append(PICTURE)
    await club.instructor.slash(club.channel, "quiz daily", time="08:30")
    await club.env.advance_time(86_400)
    assert set(club.double.requests[-1].kinds) >= {"typed", "order"}
    assert [file.filename for file in club.channel.last_message.attachments] == ["question.png"]


async def start(club: Club, *replies: pb.QuizReply, **options):
    club.double.questions.extend(replies)
    await club.instructor.slash(club.channel, "quiz class", questions=len(replies), seconds=30, **options)
    return club.channel.last_message


async def test_a_class_types_and_sees_what_most_got_wrong(club: Club) -> None:
    message = await start(club, TYPED)
    assert "order" not in club.double.requests[-1].kinds
    mine = await type_in(club, club.student, message, "8x32x3")
    assert mine.response.content == "You wrote `8x32x3`. You can change it until the vote closes."
    changed = await type_in(club, club.student, message, "(8, 32, 3)")
    assert changed.response.content.startswith("Changed to `(8, 32, 3)`.")
    await type_in(club, club.other, message, "8x3x32")
    await club.env.advance_time(31)
    embed = club.channel.last_message.embeds[0]
    assert "✅ **A** `(8, 3, 32)`\n▰▰▰▰▰▱▱▱▱▱ 50 % (1)" in embed.description
    assert "**B** `(8, 32, 3)`" in embed.description
    assert "*That puts the channels last.*" in embed.description
    assert TYPED.code in embed.description, "whoever reads the answer sees what was asked"


async def test_what_a_student_types_cannot_leave_its_quotation_in_the_reveal(club: Club) -> None:
    message = await start(club, TYPED)
    await type_in(club, club.student, message, "`[free](https://example.com) <@1> \u202ex")
    await type_in(club, club.other, message, "`8x3x32`")
    await club.env.advance_time(31)
    description = club.channel.last_message.embeds[0].description
    assert "**B** `[free](https://example.com) <@1> x`" in description
    assert "50 % (1)" in description.partition("**B**")[0], "backticks around the right answer do no harm"


async def test_while_the_class_talks_it_over_nobody_is_told_to_use_a_menu_that_is_gone(club: Club) -> None:
    voting = (await start(club, SEVERAL, second_vote=True)).embeds[0]
    assert "In the menu below" in voting.description
    assert "you can change it" in voting.footer.text
    await club.env.advance_time(31)
    discussed = club.channel.last_message.embeds[0]
    assert "Talk it over" in discussed.fields[-1].name
    assert "In the menu below" not in discussed.description
    assert "you can change it" not in discussed.footer.text


async def test_a_class_chooses_several_and_only_all_of_them_are_right(club: Club) -> None:
    message = await start(club, SEVERAL)
    mine = await club.student.select(message, ["0", "1"])
    assert mine.ephemeral
    assert mine.response.content.startswith("You chose `x[0]` and `x.clone()`.")
    await club.other.select(message, ["2", "0"])
    await club.env.advance_time(31)
    embed = club.channel.last_message.embeds[0]
    assert embed.title.endswith("answers A and C")
    assert "*That overlooks that clone copies.*" in embed.description
    assert "50 % of 2 answers right" in embed.fields[-1].value
    (running,) = await class_quiz.untold(club.store)
    assert [given.right for given in await class_quiz.answers(club.store, running.id)] == [False, True]


async def test_a_picture_in_class_stays_until_the_answer(club: Club) -> None:
    message = await start(club, PICTURE)
    await club.student.click(message, label="diverged")
    await club.env.advance_time(31)
    revealed = club.channel.last_message
    assert "answer A" in revealed.embeds[0].title
    assert [file.filename for file in revealed.attachments] == ["question.png"]

"""Practice alone, the question of the day, and staff's own questions, as members and staff meet them."""

from __future__ import annotations

import pytest

from bot.answering.live_reply import LiveReply
from bot.attachments.fetching import Attachments
from bot.rules.judging import right_options
from bot.rules.quiz import Kind
from bot.store import quiz
from bot.store.lessons import daily, own_questions, practice
from engine.contract import engine_pb2 as pb
from tests.conftest import Club

FILE = b"""[[question]]
topic = "week 3"
question = "What does x.backward() fill in?"
right = "the .grad of the leaves"
wrong = ["x.data", "nothing"]
"""


def labels(message) -> list[str]:
    return [button["label"] for row in message.components for button in row["components"]]


async def test_practice_is_private_and_leads_on_to_the_next_question(club: Club) -> None:
    asked = await club.student.slash(club.channel, "quiz me")
    assert asked.ephemeral
    answered = await club.student.click(asked.response, label="(3, 3)")
    embed = answered.response.embeds[0]
    assert embed.title == "Not this time"
    assert embed.footer.text == "You'll see this one again today, with different numbers."
    assert labels(answered.response) == [
        "Next question",
        "More on tensors",
        "Read the card",
        "I disagree",
    ]
    following = await club.student.click(answered.response, label="Next question")
    assert following.ephemeral
    assert following.response.embeds[0].title.startswith("Practice")


async def test_what_was_wrong_comes_back_when_it_is_due(club: Club) -> None:
    asked = await club.student.slash(club.channel, "quiz me")
    await club.student.click(asked.response, label="(3, 3)")
    (memory,) = await practice.memories(club.store, club.student.id)
    await club.env.advance_time(memory.due_at - club.bot.now() + 1)
    club.double.requests.clear()
    again = await club.student.slash(club.channel, "quiz me")
    assert again.response.embeds[0].title == "Practice: 1 to go over again"
    (request,) = [one for one in club.double.requests if isinstance(one, pb.QuizRequest)]
    assert request.generator == "shape-of-matmul"


async def test_an_objection_reaches_staff_with_the_seed(club: Club) -> None:
    notices: list[str] = []

    async def post(text: str) -> None:
        notices.append(text)

    club.bot.notices.connect(post)
    asked = await club.student.slash(club.channel, "quiz me")
    answered = await club.student.click(asked.response, label="(3, 3)")
    form = await club.student.click(answered.response, label="I disagree")
    (field,) = (part["custom_id"] for row in form.modal["components"] for part in row.get("components", []))
    await club.student.submit_modal(form, {field: "I get (3, 3) here"})
    (objection,) = await quiz.objections(club.store, club.guild.id, 0.0)
    assert objection.reason == "I get (3, 3) here"
    await club.bot.notices.drain()
    (notice,) = notices
    assert "What is the shape of" in notice
    assert f"seed {objection.question.seed}" in notice
    assert "I get (3, 3) here" in notice
    report = await club.instructor.slash(club.channel, "quiz report")
    assert f"seed {objection.question.seed}" in report.response.embeds[0].fields[-1].value
    (table,) = report.response.attachments
    assert b"I get (3, 3) here" in await table.read()


async def test_under_an_answer_in_the_channel_stand_the_next_question_the_card_and_an_objection(club: Club) -> None:
    asked = await club.student.slash(club.channel, "quiz question")
    answered = await club.other.click(asked.response, label="(2, 4)")
    assert labels(answered.response) == [
        "Next question",
        "More on tensors",
        "Read the card",
        "I disagree",
    ]
    following = await club.other.click(answered.response, label="Next question")
    assert following.ephemeral
    assert following.response.embeds[0].title == "Practice"


@pytest.mark.parametrize(("label", "topic"), [("Next question", ""), ("More on tensors", "tensors")])
async def test_one_goes_on_with_whatever_is_due_or_with_the_topic(club: Club, label: str, topic: str) -> None:
    asked = await club.student.slash(club.channel, "quiz me")
    answered = await club.student.click(asked.response, label="(2, 4)")
    club.double.requests.clear()
    await club.student.click(answered.response, label=label)
    (request,) = [one for one in club.double.requests if isinstance(one, pb.QuizRequest)]
    assert request.topic == topic


async def test_a_card_leads_to_a_question_that_it_answers(club: Club) -> None:
    club.double.cards.append(pb.Card(id="backward", topic="autograd", title="What backward() does", text="It walks."))
    asked = await club.student.slash(club.channel, "quiz me")
    answered = await club.student.click(asked.response, label="(3, 3)")
    card = await club.student.click(answered.response, label="Read the card")
    await club.restart()
    question = await club.student.click(card.response, label="Quiz me on this")
    assert question.response.embeds[0].title == "Practice"
    assert club.double.requests[-1].card == "backward"


async def test_what_has_been_met_is_left_alone_while_others_are_left(club: Club) -> None:
    for number in range(12):
        club.double.questions.append(
            pb.QuizReply(generator=f"g-{number}", topic="tensors", question="?", options=["a", "b"], explanation="so")
        )
        asked = await club.student.slash(club.channel, "quiz me", topic="tensors")
        await club.student.click(asked.response, label="a")
        await club.env.advance_time(10)
    await club.student.slash(club.channel, "quiz me", topic="tensors")
    avoided = list(club.double.requests[-1].avoid)
    assert avoided == [f"g-{number}" for number in range(11, -1, -1)], "and the one that is due next comes last"


async def test_a_question_that_no_longer_exists_is_forgotten_and_another_one_asked(club: Club) -> None:
    club.double.questions.append(
        pb.QuizReply(generator="gone", topic="tensors", question="?", options=["a", "b"], explanation="so")
    )
    asked = await club.student.slash(club.channel, "quiz me")
    await club.student.click(asked.response, label="b")
    await club.env.advance_time(86_400)
    again = await club.student.slash(club.channel, "quiz me")
    assert again.response.embeds[0].title == "Practice"
    assert await practice.memories(club.store, club.student.id) == []


async def test_the_staffs_own_questions_come_back_here_and_on_no_other_server(club: Club) -> None:
    await club.instructor.slash(club.channel, "quiz import", file=("questions.toml", FILE))
    asked = await club.student.slash(club.channel, "quiz me", topic="week 3")
    answered = await club.student.click(asked.response, label="nothing")
    assert answered.response.embeds[0].footer.text == "You'll see this one again today."
    await club.env.advance_time(86_400)
    again = await club.student.slash(club.channel, "quiz me")
    assert "x.backward() fill in" in again.response.embeds[0].description
    elsewhere = club.env.create_guild("Another course")
    guest = elsewhere.add_member(club.student.user)
    other = await guest.slash(elsewhere.create_text_channel("quiz"), "quiz me")
    assert "x.backward() fill in" not in other.response.embeds[0].description


async def test_thousands_of_due_questions_of_another_server_cost_nothing_here(club: Club) -> None:
    now = club.bot.now()
    await practice.remember(club.store, club.student.id, "own:1", "ours", False, now - 86_400)
    await club.store.execute(
        "WITH RECURSIVE numbers (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers WHERE n < 5000)"
        " INSERT INTO practice (member, generator, topic, memory, due_at)"
        " SELECT member, 'own:' || n, topic, memory, due_at FROM practice, numbers"
    )
    asked = []
    fetch = own_questions.of_guild

    async def counting(*arguments):
        asked.append(arguments)
        return await fetch(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(own_questions, "of_guild", counting)
        answer = await club.student.slash(club.channel, "quiz me")
    assert answer.response.embeds[0].title == "Practice"
    assert len(asked) <= 2


async def test_the_question_of_the_day_is_asked_once_a_day(club: Club) -> None:
    set_up = await club.instructor.slash(club.channel, "quiz daily", time="08:30", zone="Europe/Zurich")
    assert "at 08:30 in Europe/Zurich" in set_up.response.content
    for day in (1, 2):
        (entry,) = await daily.all_of_them(club.store)
        await club.env.advance_time(entry.next_at - club.bot.now() + 2)
        asked = [m for m in club.channel.history() if m.embeds and m.embeds[0].title == "Question of the day"]
        assert len(asked) == day
    off = await club.instructor.slash(club.channel, "quiz daily", time="off")
    assert off.response.content == "No more daily questions here."
    assert await daily.all_of_them(club.store) == []


async def test_a_clock_that_was_years_ahead_costs_the_class_no_question(club: Club) -> None:
    await club.instructor.slash(club.channel, "quiz daily", time="08:30", zone="Europe/Zurich")
    (entry,) = await daily.all_of_them(club.store)
    assert await daily.set_next(club.store, entry, entry.next_at + 400 * 86400)
    await club.restart()
    await club.env.advance_time(1)
    assert await daily.all_of_them(club.store) == [entry]


async def test_staffs_own_questions_are_asked_by_their_topic_and_travel_as_a_file(club: Club) -> None:
    added = await club.instructor.slash(club.channel, "quiz import", file=("questions.toml", FILE))
    assert "Added 1 question." in added.response.content
    again = await club.instructor.slash(club.channel, "quiz import", file=("questions.toml", FILE))
    assert "Nothing new." in again.response.content
    asked = await club.student.slash(club.channel, "quiz question", topic="week 3")
    assert "x.backward() fill in" in asked.response.embeds[0].description
    answered = await club.other.click(asked.response, label="the .grad of the leaves")
    assert answered.response.embeds[0].title == "Right!"
    exported = await club.instructor.slash(club.channel, "quiz export")
    (attachment,) = exported.response.attachments
    assert b"the .grad of the leaves" in await attachment.read()
    ((number, _),) = await own_questions.of_guild(club.store, club.guild.id)
    removed = await club.instructor.slash(club.channel, "quiz remove", question=number)
    assert removed.response.content.startswith("Removed: What does x.backward")
    assert await own_questions.of_guild(club.store, club.guild.id) == []


async def test_a_mistake_in_the_file_is_named_with_its_line_and_adds_nothing(club: Club) -> None:
    broken = FILE + b'[[question]]\nquestion = "x"\nright = "1"\nwrong = []\n'
    refused = await club.instructor.slash(club.channel, "quiz import", file=("questions.toml", broken))
    assert "The question in line 6" in refused.response.content
    assert club.refusals()
    assert await own_questions.of_guild(club.store, club.guild.id) == []


async def test_a_file_with_many_topics_gets_an_answer_that_fits(club: Club) -> None:
    tables = "".join(
        f'[[question]]\ntopic = "week {number} `of`\\n{"x" * 30}"\nquestion = "{number}?"\nright = "1"\nwrong = ["2"]\n'
        for number in range(300)
    )
    told = await club.instructor.slash(club.channel, "quiz import", file=("q.toml", tables.encode()))
    assert told.ephemeral
    assert told.response.content.startswith("Added 300 questions.")
    assert f"`week 0 of {'x' * 30}`" in told.response.content
    assert "290 others" in told.response.content


async def test_two_answers_that_look_the_same_are_refused(club: Club) -> None:
    twins = FILE.replace(b'"nothing"]', rb'"x.data\u200b"]')
    refused = await club.instructor.slash(club.channel, "quiz import", file=("questions.toml", twins))
    assert "Two of the answers are the same to the eye, in: What does" in refused.response.content
    assert club.refusals()


async def test_a_file_that_takes_long_is_waited_for(club: Club, monkeypatch: pytest.MonkeyPatch) -> None:
    """Discord waits three seconds for the first answer; a file may take longer."""
    order = []
    begin, read = LiveReply.begin, Attachments.read

    async def begun(*arguments, **options):
        order.append("begun")
        return await begin(*arguments, **options)

    async def reading(*arguments, **options):
        order.append("read")
        return await read(*arguments, **options)

    monkeypatch.setattr(LiveReply, "begin", begun)
    monkeypatch.setattr(Attachments, "read", reading)
    await club.instructor.slash(club.channel, "quiz import", file=("questions.toml", FILE))
    assert order == ["begun", "read"]


FILLED = {
    "question": "What does x.view(-1) give for a tensor of shape (2, 3)?",
    "right": "a tensor of shape (6,)",
    "wrong": "a tensor of shape (3, 2)\nan error",
    "explanation": "",
    "topic": "",
}


async def test_a_question_that_staff_were_writing_when_the_bot_died_is_kept(club: Club) -> None:
    form = await club.instructor.slash(club.channel, "quiz add")
    await club.restart()
    told = await club.instructor.submit_modal(form, FILLED)
    assert told.response.content.startswith("Added 1 question.")
    ((_, kept),) = await own_questions.of_guild(club.store, club.guild.id)
    assert kept.question == FILLED["question"]


async def test_staff_may_write_a_question_with_several_right_answers(club: Club) -> None:
    form = await club.instructor.slash(club.channel, "quiz add")
    filled = FILLED | {"right": "first\nsecond", "wrong": "third"}
    assert (await club.instructor.submit_modal(form, filled)).response.content.startswith("Added 1 question.")
    ((number, kept),) = await own_questions.of_guild(club.store, club.guild.id)
    asked = own_questions.as_asked(number, kept, 3)
    assert asked.kind is Kind.SEVERAL
    assert {asked.options[place] for place in right_options(asked)} == {"first", "second"}


async def test_a_question_that_is_refused_is_given_back_as_it_was_written(club: Club) -> None:
    form = await club.instructor.slash(club.channel, "quiz add")
    told = await club.instructor.submit_modal(form, FILLED | {"wrong": "a tensor of shape (6,)"})
    assert await own_questions.of_guild(club.store, club.guild.id) == []
    (back,) = told.followups
    assert told.ephemeral
    assert FILLED["question"] in back.content
    form = await club.instructor.slash(club.channel, "quiz add")
    much = "\n".join(f"an error, number {n}, with a reason that takes a line" for n in range(60))
    told = await club.instructor.submit_modal(form, FILLED | {"wrong": much})
    (file,) = told.followups[0].attachments
    assert file.filename == "what-you-typed.txt"

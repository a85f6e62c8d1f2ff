"""Questions that nothing answered: kept only where staff said so, settled by them, and taken back by their asker."""

from __future__ import annotations

from bot.store import members
from bot.store.lessons import unanswered
from tests.conftest import Club

QUESTION = "when is the exam?"


async def kept(club: Club) -> list[str]:
    return [one.question for one in await unanswered.of_guild(club.store, club.guild.id)]


async def switch(club: Club, on: bool):
    return await club.instructor.slash(club.channel, "unanswered", keep=on)


async def ask(club: Club, **options):
    return await club.student.slash(club.channel, "ask", question=QUESTION, **options)


async def fill(club: Club, form, text: str):
    (field,) = (part["custom_id"] for row in form.modal["components"] for part in row.get("components", []))
    return await club.instructor.submit_modal(form, {field: text})


async def picked(club: Club):
    overview = await club.instructor.slash(club.channel, "unanswered")
    (one,) = await unanswered.of_guild(club.store, club.guild.id)
    return await club.instructor.select(overview.response, [str(one.id)])


async def test_nothing_is_kept_unless_staff_switched_it_on(club: Club) -> None:
    answer = await ask(club)
    assert "I've kept" not in answer.response.content
    assert await kept(club) == []
    shown = await club.instructor.slash(club.channel, "unanswered")
    assert "I'm not keeping" in shown.response.embeds[0].description


async def test_the_asker_is_told_and_can_take_it_back(club: Club) -> None:
    await switch(club, True)
    answer = await ask(club)
    assert "I've kept your question" in answer.response.content
    assert await kept(club) == [QUESTION]
    refused = await club.other.click(answer.response, label="Don't keep it")
    assert "Only the member who asked" in refused.response.content
    assert await kept(club) == [QUESTION]
    await club.student.click(answer.response, label="Don't keep it")
    assert await kept(club) == []


async def test_a_private_question_is_never_kept(club: Club) -> None:
    await switch(club, True)
    await ask(club, private=True)
    assert await kept(club) == []


async def test_switching_it_off_forgets_what_was_kept(club: Club) -> None:
    await switch(club, True)
    await ask(club)
    await switch(club, False)
    assert await kept(club) == []


async def test_staff_answer_the_asker_is_pinged_and_the_answer_is_quoted_from_then_on(club: Club) -> None:
    await switch(club, True)
    await ask(club)
    form = await club.instructor.click((await picked(club)).response, label="Answer it")
    await fill(club, form, "On Friday, @everyone.")
    message = club.channel.last_message
    assert message.content.startswith(f"<@{club.student.id}> asked:\n> {QUESTION}\ngrace answers:\n> On Friday")
    assert [mentioned.id for mentioned in message.mentions] == [club.student.id]
    assert not message.mention_everyone
    assert await kept(club) == []
    answer = await ask(club)
    assert "On Friday" in answer.response.embeds[0].description


async def test_an_answer_that_was_being_written_when_the_bot_died_is_posted(club: Club) -> None:
    await switch(club, True)
    await ask(club)
    form = await club.instructor.click((await picked(club)).response, label="Answer it")
    await club.restart()
    await fill(club, form, "On Friday, in the large hall.")
    assert "On Friday, in the large hall." in club.channel.last_message.content
    assert await kept(club) == []


async def test_an_answer_to_a_settled_question_is_given_back_to_whoever_wrote_it(club: Club) -> None:
    await switch(club, True)
    await ask(club)
    menu = await picked(club)
    form = await club.instructor.click(menu.response, label="Answer it")
    await club.instructor.click(menu.response, label="Drop it")
    long = "On Friday, in the large hall, and please bring your own laptop with PyTorch on it."
    told = await fill(club, form, long)
    assert "already been settled" in told.response.content
    assert long in told.followups[0].content
    assert told.ephemeral


async def test_staff_give_a_question_its_card(club: Club) -> None:
    await switch(club, True)
    await ask(club)
    form = await club.instructor.click((await picked(club)).response, label="A card answers it")
    await fill(club, form, "backward")
    assert await unanswered.aliases(club.store, club.guild.id) == [(QUESTION, "backward")]
    answer = await ask(club)
    assert answer.response.embeds[0].title == "What backward() does"
    assert await kept(club) == []


async def test_a_card_that_nobody_knows_settles_nothing(club: Club) -> None:
    await switch(club, True)
    await ask(club)
    form = await club.instructor.click((await picked(club)).response, label="A card answers it")
    told = await fill(club, form, "nonsense")
    assert "know a card by that name" in told.response.content
    assert await kept(club) == [QUESTION]


async def test_a_question_is_dropped_once(club: Club) -> None:
    await switch(club, True)
    await ask(club)
    menu = await picked(club)
    assert (await club.instructor.click(menu.response, label="Drop it")).response.content == "Dropped."
    again = await club.instructor.click(menu.response, label="Drop it")
    assert "already been settled" in again.response.content


async def test_students_see_none_of_it(club: Club) -> None:
    refused = await club.student.slash(club.channel, "unanswered", keep=True)
    assert refused.ephemeral
    assert club.refusals()


async def test_a_forgotten_members_questions_go_with_them(club: Club) -> None:
    await switch(club, True)
    await ask(club)
    exported = await members.export(club.store, club.student.id)
    assert exported["questions_unanswered"][0]["question"] == QUESTION
    await members.forget(club.store, club.student.id, 0.0)
    assert await kept(club) == []

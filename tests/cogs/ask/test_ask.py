"""/ask answers out of the cards, or says that it doesn't know."""

from __future__ import annotations

import re

import discord
import pytest

from cogs.ask.cards import unknown_sentence
from engine.contract import engine_pb2 as pb
from tests.conftest import STAFF_ROLE, Club


async def test_an_answer_has_text_code_output_and_source(club: Club) -> None:
    answer = await club.student.slash(club.channel, "ask", question="what does backward do?")
    assert not answer.ephemeral
    (embed,) = answer.response.embeds
    assert embed.title == "What backward() does"
    assert "walks the graph" in embed.description
    assert "```py\nimport torch" in embed.description
    assert "```text\ntensor(6.)\n```" in embed.description
    assert "Source: PyTorch documentation" in embed.description
    assert embed.footer.text == "autograd"


async def test_what_no_card_knows_is_not_guessed(club: Club) -> None:
    answer = await club.student.slash(club.channel, "ask", question="who won the **match**?")
    assert "I'm not sure which of my cards answers" in answer.response.content
    assert "What backward() does" in answer.response.content
    assert "\\*\\*match" in answer.response.content
    assert answer.response.embeds == []


async def test_a_private_question_is_answered_privately(club: Club) -> None:
    answer = await club.student.slash(club.channel, "ask", question="backward?", private=True)
    assert answer.ephemeral
    assert club.channel.last_message is None or club.channel.last_message.id == answer.response.id


async def test_other_cards_are_named_below_the_best(club: Club) -> None:
    club.double.cards += [
        pb.Card(id="a", topic="autograd", title="Backward", text="It."),
        pb.Card(id="b", topic="losses", title="Loss", text="It."),
    ]
    answer = await club.student.slash(club.channel, "ask", question="backward")
    assert answer.response.content == "See also: **Loss** (losses)"


async def test_a_card_of_any_length_fits_into_an_embed(club: Club) -> None:
    club.double.cards.append(
        pb.Card(
            id="long", topic="t" * 50, title="T " * 500, text="text " * 3000, code="x = '```'\n" * 900,
            output="9\n" * 3000, source="https://example.org/" + "s" * 2000,
        )
    )  # fmt: skip
    answer = await club.student.slash(club.channel, "ask", question="backward")
    (embed,) = answer.response.embeds
    assert len(embed) <= 6000
    assert embed.description.count("```") == 4, "the code's own fences must not end the block"


async def test_nobody_floods_the_channel_with_questions(club: Club) -> None:
    for _ in range(10):
        await club.student.slash(club.channel, "ask", question="backward")
    refused = await club.student.slash(club.channel, "ask", question="backward")
    assert refused.ephemeral
    assert club.refusals()


# ------------------------------------------------------------ computed, quoted, explained


async def test_a_calculation_is_shown_with_its_working(club: Club) -> None:
    answer = await club.student.slash(club.channel, "ask", question="how many parameters has Conv2d(3, 64, 3)?")
    (embed,) = answer.response.embeds
    assert embed.title == "Computed"
    assert "1792 parameters" in embed.description
    assert "64 · (3 · 3 · 3 + 1) = 1792" in embed.description


async def test_a_calculation_that_is_refused_says_why_in_one_sentence(club: Club) -> None:
    club.double.calculation = pb.AskReply.Calculation(problem="I can't compute that.")
    answer = await club.student.slash(club.channel, "ask", question="Conv2d(open('x'))")
    assert answer.response.content == "I can't compute that."


async def test_the_documentation_is_quoted_with_its_example_and_its_page(club: Club) -> None:
    answer = await club.student.slash(club.channel, "ask", question="gather?")
    (embed,) = answer.response.embeds
    assert embed.title == "torch.gather"
    assert embed.url == "https://docs.pytorch.org/docs/2.15/generated/torch.gather.html"
    assert "gather(input, dim, index)" in embed.description
    assert "It prints:\n```text\ntensor([[1, 1]])\n```" in embed.description
    assert embed.footer.text == "Documentation of torch 2.15.0"


async def test_the_next_card_and_the_documentation_are_a_button_away(club: Club) -> None:
    club.double.cards += [
        pb.Card(
            id="a", topic="tensors", title="Gather", text="It.", symbol="torch.gather",
            see=[pb.Card.Link(id="b", title="Scatter")],
        ),
        pb.Card(id="b", topic="tensors", title="Scatter", text="It puts back."),
    ]  # fmt: skip
    answer = await club.student.slash(club.channel, "ask", question="backward")
    following = await club.other.click(answer.response, label="Scatter")
    assert following.ephemeral
    assert following.response.embeds[0].title == "Scatter"
    page = await club.other.click(answer.response, label="Example: gather")
    assert page.response.embeds[0].title == "torch.gather"
    practised = await club.other.click(answer.response, label="Quiz me on this")
    assert practised.ephemeral
    assert practised.response.embeds[0].title == "Practice"


async def test_a_card_that_left_the_deck_is_refused_with_a_sentence(club: Club) -> None:
    answer = await club.student.slash(club.channel, "ask", question="backward")
    gone = await club.student.click(answer.response, label="no_grad and detach")
    assert gone.ephemeral
    assert gone.response.content == "That card isn't in the deck any more."


async def test_a_message_is_explained_to_its_reader_alone(club: Club) -> None:
    message = await club.other.send(club.channel, "RuntimeError: Trying to backward through the graph a second time")
    answer = await club.student.context_menu(club.channel, "Explain this", message)
    assert answer.ephemeral
    assert answer.response.embeds[0].title == "What backward() does"
    assert club.double.requests[-1].question == message.content


async def test_a_message_without_text_cannot_be_explained(club: Club) -> None:
    message = await club.other.send(club.channel, " ", attachments=[("a.png", b"x")])
    answer = await club.student.context_menu(club.channel, "Explain this", message)
    assert answer.ephemeral
    assert "no text" in str(club.refusals()[-1])


async def test_ask_staff_opens_a_thread_and_pings_only_staff_and_the_asker(club: Club) -> None:
    question = "who won? @everyone <@&1> ```\nimport os"
    answer = await club.student.slash(club.channel, "ask", question=question)
    form = await club.student.click(answer.response, label="Ask staff")
    (field,) = (part["custom_id"] for row in form.modal["components"] for part in row.get("components", []))
    told = await club.student.submit_modal(form, {field: question})
    assert told.ephemeral
    (thread,) = club.channel.threads
    message = thread.last_message
    staff = discord.utils.get((await club.bot.fetch_guild(club.guild.id)).roles, name=STAFF_ROLE).id
    assert message.content.startswith(f"<@&{staff}> <@{club.student.id}> asks:")
    assert message.content.count("```") % 2 == 0
    assert all(line.startswith("> ") for line in message.content.split("\n")[1:])
    assert not message.mention_everyone


async def test_a_question_for_staff_that_was_being_written_when_the_bot_died_reaches_them(club: Club) -> None:
    answer = await club.student.slash(club.channel, "ask", question="who won?")
    form = await club.student.click(answer.response, label="Ask staff")
    await club.restart()
    told = await club.student.submit_modal(form, {"question": "Who won the last vote, and by how much?"})
    assert told.ephemeral
    (thread,) = club.channel.threads
    assert "> Who won the last vote, and by how much?" in thread.last_message.content


NASTY = [
    "@everyone who knows **this**?",
    "<@&1> <@1> <#1> [x](https://example.com/a.png)",
    "```py\nprint('unfinished",
    "> quote\n# heading\n- list\n||spoiler||",
    "x" * 4000,
    "怎么计算卷积的输出大小？",
    "Wie funktioniert Dropout?",
    "\u202eevil\u200b\x00",
    "`" * 300,
]


async def test_whoever_gets_no_answer_reads_what_to_do_next(club: Club) -> None:
    asked = "Wie funktioniert Dropout? " * 8
    next_step = "Please ask again in other words, and in English, or ask the course staff."
    assert unknown_sentence(asked, []).endswith(next_step)
    answer = await club.student.slash(club.channel, "ask", question=asked)
    assert "The closest I have" in answer.response.content
    form = await club.student.click(answer.response, label="Ask staff")
    assert asked.strip() in str(form.modal["components"])
    await club.restart()
    form = await club.student.click(answer.response, label="Ask staff")
    assert "…" in str(form.modal["components"]), "a question that was cut shows that it was"


@pytest.mark.parametrize("question", NASTY)
async def test_whatever_is_asked_nobody_is_pinged_and_nothing_breaks_out(club: Club, question: str) -> None:
    answer = await club.student.slash(club.channel, "ask", question=question)
    content = answer.response.content
    assert content.startswith("I'm not sure which of my cards answers “")
    assert len(content) <= 2000
    assert content.count("\n") <= 1
    unescaped = re.sub(r"\\.", "", content)
    assert "`" not in unescaped
    assert "||" not in unescaped
    message = club.channel.last_message
    assert not message.mentions
    assert not message.mention_everyone
    assert "https://" not in re.sub(r"<https://[^>]*>", "", content)


async def test_a_long_question_reaches_staff_whole(club: Club) -> None:
    question = "Why does my loss grow? " + "I tried a smaller learning rate. " * 60 + "It still grows in epoch 7."
    answer = await club.student.slash(club.channel, "ask", question=question)
    form = await club.student.click(answer.response, label="Ask staff")
    assert "It still grows in epoch 7." in str(form.modal["components"])
    (field,) = (part["custom_id"] for row in form.modal["components"] for part in row.get("components", []))
    await club.student.submit_modal(form, {field: question})
    (thread,) = club.channel.threads
    (embed,) = thread.last_message.embeds
    assert embed.description.startswith("> Why does my loss grow?")
    assert embed.description.endswith("It still grows in epoch 7.")
    assert thread.last_message.content.endswith("asks:\n") or thread.last_message.content.endswith("asks:")

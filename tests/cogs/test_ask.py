"""/ask answers out of the cards, or says that it doesn't know."""

from __future__ import annotations

from engine.contract import engine_pb2 as pb
from tests.conftest import Club


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
    assert "I don't know" in answer.response.content
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

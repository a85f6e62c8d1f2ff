"""The course's notes: staff hand them in, /ask quotes them, and they never leave their server."""

from __future__ import annotations

import pytest

from bot.store.lessons import notes
from cogs.ask.cards import quoted
from tests.conftest import Club


async def add(club: Club, name: str = "week3.md", text: str = "The exam is on Friday."):
    return await club.instructor.slash(club.channel, "notes add", file=(name, text.encode()))


async def test_a_file_is_quoted_with_its_name_and_heading(club: Club) -> None:
    told = await add(club)
    assert told.ephemeral
    assert told.response.content == "`/ask` now quotes **week3.md** (1 passage)."
    answer = await club.student.slash(club.channel, "ask", question="when is the exam?")
    (embed,) = answer.response.embeds
    assert embed.title == "From the course's notes"
    assert embed.description == "**week3.md** › Week 3\n> The exam is on Friday."


async def test_a_card_comes_before_the_notes(club: Club) -> None:
    await add(club, text="We met backward on Monday.")
    answer = await club.student.slash(club.channel, "ask", question="backward?")
    assert [embed.title for embed in answer.response.embeds] == ["What backward() does", "From the course's notes"]


async def test_only_staff_may_touch_the_notes(club: Club) -> None:
    for name, options in (("add", {"file": ("a.md", b"x")}), ("list", {}), ("remove", {"file": "a.md"})):
        refused = await club.student.slash(club.channel, f"notes {name}", **options)
        assert refused.ephemeral
        assert club.refusals()


async def test_a_file_that_cannot_be_read_is_refused_with_the_engines_sentence(club: Club) -> None:
    refused = await add(club, "notes.docx")
    assert refused.ephemeral
    assert "I read .md, .txt, .py, .ipynb and .pdf" in str(club.refusals()[0])
    assert await notes.of_guild(club.store, club.guild.id) == []


async def test_notes_are_listed_replaced_and_removed(club: Club) -> None:
    await add(club, text="One.\n\nTwo.")
    await add(club, text="Three.")
    listed = await club.instructor.slash(club.channel, "notes list")
    assert listed.response.content == "**week3.md**: 1 passage"
    removed = await club.instructor.slash(club.channel, "notes remove", file="week3.md")
    assert "no longer quotes it" in removed.response.content
    assert await notes.candidates(club.store, club.guild.id, "three") == []
    await club.instructor.slash(club.channel, "notes remove", file="week3.md")
    assert "`/notes list`" in str(club.refusals()[0])


async def test_a_long_file_says_that_it_was_cut(club: Club) -> None:
    told = await add(club, text="A.\n\nB.\n\nC.\n\nD.")
    assert "first part" in told.response.content


async def test_notes_stay_on_their_server_and_are_forgotten_when_the_bot_leaves(club: Club) -> None:
    await add(club)
    assert await notes.candidates(club.store, club.guild.id + 1, "exam") == []
    await notes.leave(club.store, club.guild.id)
    assert await notes.of_guild(club.store, club.guild.id) == []
    assert await club.store.fetch_all("SELECT rowid FROM note_words WHERE note_words MATCH 'exam'") == []


@pytest.mark.parametrize(
    "question", ['"', "' OR 1=1 --", "NEAR(a b)", "* AND NOT", "", "\x00", "a" * 4000, "exam:", "^"]
)
async def test_any_question_can_be_looked_up(club: Club, question: str) -> None:
    await notes.put(club.store, 1, "a.md", [("", "exam")], 5, 0.0)
    await notes.candidates(club.store, 1, question)


@pytest.mark.parametrize(
    "text",
    [
        "# Big\n> deep",
        "```py\nunfinished",
        "a\n\n```\nb\n```\n" + "word " * 400,
        "```" * 7,
        "@everyone <@1>",
        "x" * 5000,
    ],
)
def test_nothing_breaks_out_of_a_quote(text: str) -> None:
    shown = quoted(text, 600)
    assert len(shown) <= 600
    assert all(line.startswith("> ") for line in shown.split("\n"))
    assert shown.count("```") % 2 == 0
    assert "@everyone" not in shown
    assert "<@" not in shown


async def test_a_due_date_is_looked_for_by_its_number_and_by_all_its_names(club: Club) -> None:
    """In a long course the words alone fetch the other exercises, and the right one isn't among the best."""
    lines = "\n\n".join(f"Exercise {number}: an exercise, the exercise sheet." for number in range(10, 60))
    await add(club, text=f"{lines}\n\nDeadline of assignment 3: Friday.")
    found = await notes.candidates(club.store, club.guild.id, "when is exercise 3 due?")
    assert found[0].text == "Deadline of assignment 3: Friday."

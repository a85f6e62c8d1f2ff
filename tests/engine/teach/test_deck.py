"""Every card is whole, in its limits, and prints what it says it prints."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.teach import snippets
from engine.teach.deck import CARDS, MAX_CODE, CardError, load_deck, read_card
from engine.teach.questions import GENERATORS
from engine.teach.topics import TOPICS, nearest_topic

ROOT = Path(__file__).parents[3]
EMBED_DESCRIPTION = 4096
"""Discord's limit, in characters."""

GOOD = """+++
title = "A title"
aliases = ["another name"]
source = "Somewhere, https://example.org"
+++
Some text.

```python
print(1)
```

```text
1
```
"""


def write(folder: Path, text: str, topic: str = "tensors", name: str = "a-card") -> Path:
    path = folder / topic / f"{name}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_the_deck_covers_every_topic_of_the_course() -> None:
    cards = load_deck()
    assert len(cards) >= 250
    assert {card.topic for card in cards} == set(TOPICS)
    assert len(TOPICS) >= 25


def test_every_file_below_cards_is_a_card() -> None:
    assert len(load_deck()) == len([path for path in CARDS.rglob("*") if path.is_file()])


def test_the_commonest_errors_have_a_card_whose_snippet_raises_them() -> None:
    """That the message is in the printed output is checked for each card when it is read."""
    explained = [card for card in load_deck() if card.message]
    assert len(explained) >= 40
    assert all("except" in card.code for card in explained)


def test_a_message_that_the_snippet_does_not_print_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CardError, match="doesn't print the message"):
        read_card(write(tmp_path, GOOD.replace("\n+++\nSome", '\nmessage = "it broke"\n+++\nSome')))


def test_every_card_leads_on_to_others() -> None:
    cards = load_deck()
    assert all(card.see for card in cards)
    linked = {other for card in cards for other in card.see}
    assert len(linked) > 0.8 * len(cards)


def test_a_link_to_no_card_is_refused(tmp_path: Path) -> None:
    write(tmp_path, GOOD.replace("\n+++\nSome", '\nsee = ["nowhere"]\n+++\nSome'))
    with pytest.raises(CardError, match="points to 'nowhere'"):
        load_deck(tmp_path)


ASKED = 'asked = ["why does my row turn into a table", "who stretched it"]'


def with_asked(line: str = ASKED) -> str:
    return GOOD.replace("\n+++\nSome", f"\n{line}\n+++\nSome")


def test_a_card_has_its_question_in_spoken_words(tmp_path: Path) -> None:
    assert read_card(write(tmp_path, GOOD)).asked == ()
    card = read_card(write(tmp_path, with_asked()))
    assert card.asked == ("why does my row turn into a table", "who stretched it")


def test_every_card_knows_how_people_ask_who_have_no_term_for_it() -> None:
    assert [card.id for card in load_deck() if len(card.asked) < 12] == []


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('asked = ["is it?"]', "says nothing"),
        ("asked = [3]", "says nothing"),
        (f'asked = ["{"long " * 40}"]', "more than 160"),
        (f"asked = {[f'question number {i}x' for i in range(40)]}", "40 questions"),
    ],
)
def test_a_spoken_question_that_is_none_is_refused(tmp_path: Path, line: str, complaint: str) -> None:
    with pytest.raises(CardError, match=complaint):
        read_card(write(tmp_path, with_asked(line)))


@pytest.mark.parametrize("question", ["Why do the rows turn into tables?", "other name"])
def test_a_question_that_two_cards_have_is_refused_with_both_named(tmp_path: Path, question: str) -> None:
    write(tmp_path, with_asked().replace("another name", "other names"))
    write(tmp_path, with_asked(f'asked = ["{question}"]').replace("another name", "a third"), name="second-card")
    with pytest.raises(CardError, match=r"second-card has .* which a-card has, too"):
        load_deck(tmp_path)


def test_a_card_fits_into_one_discord_embed() -> None:
    for card in load_deck():
        shown = f"{card.text}\n```py\n{card.code}\n```\n```\n{card.output}\n```\n{card.source}"
        assert len(shown) <= EMBED_DESCRIPTION, card.id


def test_every_snippet_prints_what_its_card_says() -> None:
    """In a process of its own: some snippets start workers, which must not inherit this one's threads."""
    run = subprocess.run(
        [sys.executable, "-m", "engine.teach.snippets"],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert run.returncode == 0, run.stdout


def test_an_outdated_output_is_reported_and_updated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, GOOD.replace("print(1)", "print(2)"))
    assert snippets.main([str(path)]) == 1
    assert "a-card.md: prints\n2" in capsys.readouterr().out
    assert snippets.main(["--update", str(path)]) == 0
    assert read_card(path).output == "2"
    assert snippets.main([str(path)]) == 0


def test_the_output_of_a_new_card_is_filled_in(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD.replace("```text\n1\n```", "```text\n```"))
    assert snippets.main(["--update", str(path)]) == 0
    assert read_card(path).output == "1"


def test_a_snippet_that_fails_is_reported_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, GOOD.replace("print(1)", "print(1 / 0)"))
    assert snippets.main([str(path)]) == 1
    assert "a-card.md: ZeroDivisionError" in capsys.readouterr().out


def test_a_good_card_is_read_in_all_its_parts(tmp_path: Path) -> None:
    card = read_card(write(tmp_path, GOOD))
    assert (card.id, card.topic, card.title, card.aliases) == ("a-card", "tensors", "A title", ("another name",))
    assert (card.text, card.code, card.output) == ("Some text.", "print(1)", "1")


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("+++\ntitle", "title", "head"),
        ('title = "A title"', "title = A title", "TOML"),
        ('title = "A title"\n', "", "exactly"),
        ('aliases = ["another name"]', "aliases = []", "alias"),
        ("https://example.org", "example.org", "https"),
        ("Some text.", " ", "text is empty"),
        ("print(1)", f"print(1)  # {'x' * MAX_CODE}", "more than"),
        ("```text\n1\n```", "", "block"),
        ("```text\n1\n```", "```text\n```", "output is empty"),
    ],
)
def test_a_broken_card_is_refused_with_its_file_named(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    assert old in GOOD
    with pytest.raises(CardError, match=complaint) as refusal:
        read_card(write(tmp_path, GOOD.replace(old, new)))
    assert "a-card.md" in str(refusal.value)


def test_a_card_in_an_unknown_folder_or_with_a_bad_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CardError, match="not a topic"):
        read_card(write(tmp_path, GOOD, topic="cooking"))
    with pytest.raises(CardError, match="hyphens"):
        read_card(write(tmp_path, GOOD, name="A_Card"))


def test_an_id_is_used_once_in_the_whole_deck(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    write(tmp_path, GOOD, topic="autograd")
    with pytest.raises(CardError, match="used in"):
        load_deck(tmp_path)


def test_a_mistyped_topic_finds_the_nearest_one() -> None:
    assert nearest_topic("optimizer") == "optimisers"
    assert nearest_topic("convolution") == "convolutions"
    assert nearest_topic("transformers") == "sequence-models"
    assert nearest_topic("Style Transfer") == "style-transfer"


def test_every_question_points_to_a_card_of_the_deck() -> None:
    ids = {card.id for card in load_deck()}
    assert {generator.card_id for generator in GENERATORS} <= ids

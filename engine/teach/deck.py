"""The deck of concept cards: one Markdown file each under `cards/<topic>/<id>.md`, read and checked here.

    +++
    title = "Broadcasting"
    aliases = ["combine tensors of different shapes"]
    source = "PyTorch docs: Broadcasting semantics, https://docs.pytorch.org/..."
    +++
    The text, in Markdown.

    ```python
    print("the snippet")
    ```

    ```text
    the snippet
    ```

The head is TOML. It may also hold `see`, the ids of cards to read next; `message`, an error message of PyTorch that the
card explains and its snippet raises; and `asked`, the card's question as students put it who don't know its term, each
of which belongs to one card only. `python -m engine.teach.snippets --update` runs every snippet and writes what
it printed.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.teach.topics import TOPICS
from engine.teach.words import FUNCTION_WORDS, words

CARDS = Path(__file__).parent / "cards"

MAX_TITLE, MAX_TEXT, MAX_CODE, MAX_OUTPUT, MAX_SOURCE = 100, 1500, 900, 500, 300
"""Characters. Together with the fences they stay below the 4096 of a Discord embed's description."""

MAX_ASKED, MAX_ASKED_LENGTH = 36, 160
"""How many spoken questions a card may have, and how many characters each of them."""

_FILE = re.compile(
    r"\A\+\+\+\n(?P<head>.*?)\n\+\+\+\n"
    r"(?P<text>.*?)\n+```python\n(?P<code>.*?)\n```\n+```text\n(?P<output>.*?)\n?```\n*\Z",
    re.DOTALL,
)
_HEAD_KEYS = {"title", "aliases", "source"}
_OPTIONAL_KEYS = {"see", "message", "asked"}


class CardError(ValueError):
    """A card file breaks the format or a limit; the message names the file."""


@dataclass(frozen=True)
class Card:
    id: str
    topic: str
    title: str
    aliases: tuple[str, ...]
    """Other names of the concept, and the ways in which students ask for it."""
    source: str
    text: str
    code: str
    output: str
    see: tuple[str, ...] = ()
    """Ids of the cards to read next."""
    message: str = ""
    """The error message that the card explains, as PyTorch prints it; empty where it explains none."""
    asked: tuple[str, ...] = ()
    """The card's question in spoken words, mostly without its term."""


def read_card(path: Path) -> Card:
    """The card in `path`; its id is the file's name, its topic the folder's. Raises `CardError`."""
    match = _FILE.match(path.read_text(encoding="utf-8"))
    if match is None:
        raise CardError(f"{path}: expected a +++ head, text, one ```python block and one ```text block.")
    try:
        head = tomllib.loads(match["head"])
    except tomllib.TOMLDecodeError as error:
        raise CardError(f"{path}: the head is not TOML: {error}.") from error
    if not _HEAD_KEYS <= set(head) <= _HEAD_KEYS | _OPTIONAL_KEYS:
        raise CardError(
            f"{path}: the head needs exactly {', '.join(sorted(_HEAD_KEYS))}, "
            f"and may have {', '.join(sorted(_OPTIONAL_KEYS))}."
        )
    card = Card(
        id=path.stem,
        topic=path.parent.name,
        title=head["title"],
        aliases=tuple(head["aliases"]),
        source=head["source"],
        text=match["text"].strip(),
        code=match["code"],
        output=match["output"].rstrip("\n"),
        see=tuple(head.get("see", ())),
        message=head.get("message", ""),
        asked=tuple(head.get("asked", ())),
    )
    problems = list(_problems(card))
    if problems:
        raise CardError(f"{path}: {'; '.join(problems)}.")
    return card


def _problems(card: Card) -> list[str]:
    problems = []
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", card.id):
        problems.append("the file name is not lower-case words joined by hyphens")
    if card.topic not in TOPICS:
        problems.append(f"the folder {card.topic!r} is not a topic")
    for name, content, limit in (
        ("title", card.title, MAX_TITLE),
        ("text", card.text, MAX_TEXT),
        ("code", card.code, MAX_CODE),
        ("output", card.output, MAX_OUTPUT),
        ("source", card.source, MAX_SOURCE),
    ):
        if not content.strip():
            problems.append(f"the {name} is empty")
        if len(content) > limit:
            problems.append(f"the {name} has {len(content)} characters, more than {limit}")
    if not card.aliases:
        problems.append("there is no alias")
    if "https://" not in card.source:
        problems.append("the source has no https address")
    if card.message and card.message not in card.output:
        problems.append("the snippet doesn't print the message that the card explains")
    return problems + _problems_of_asked(card.asked)


def _problems_of_asked(asked: tuple[object, ...]) -> list[str]:
    problems = []
    if len(asked) > MAX_ASKED:
        problems.append(f"asked has {len(asked)} questions, more than {MAX_ASKED}")
    for question in asked:
        if not isinstance(question, str) or not words(question, FUNCTION_WORDS):
            problems.append(f"asked has {question!r}, which says nothing")
        elif len(question) > MAX_ASKED_LENGTH:
            problems.append(f"the question {question!r} has more than {MAX_ASKED_LENGTH} characters")
    return problems


def load_deck(folder: Path = CARDS) -> tuple[Card, ...]:
    """All cards below `folder`, sorted by topic and id. Raises `CardError`, also for an id used twice, and for
    a question that is asked for two cards, or is another card's name, in words that are cut to the same stems."""
    cards = [read_card(path) for path in sorted(folder.glob("*/*.md"))]
    seen: dict[str, Card] = {}
    for card in cards:
        if card.id in seen:
            raise CardError(f"{folder}: the id {card.id!r} is used in {seen[card.id].topic} and in {card.topic}.")
        seen[card.id] = card
    for card in cards:
        for other in card.see:
            if other not in seen or other == card.id:
                raise CardError(f"{folder}: {card.id} points to {other!r}, which is no other card.")
    if problems := _asked_for_two(cards):
        raise CardError(f"{folder}: {'; '.join(problems)}.")
    return tuple(cards)


def _asked_for_two(cards: Sequence[Card]) -> list[str]:
    owners = {_stems(name): card for card in cards for name in (*card.aliases, card.title)}
    problems = []
    for card in cards:
        for question in card.asked:
            owner = owners.setdefault(_stems(question), card)
            if owner is not card:
                problems.append(f"{card.id} has the question {question!r}, which {owner.id} has, too")
    return problems


def _stems(phrase: str) -> frozenset[str]:
    return frozenset(words(phrase, FUNCTION_WORDS))

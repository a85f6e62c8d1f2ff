"""Questions that staff write themselves, and the TOML file in which a set of them travels. Never run as code."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.errors import Refused

MIN_OPTIONS, MAX_OPTIONS = 2, 5
LONGEST = {"question": 1500, "code": 1500, "explanation": 1000, "topic": 50, "option": 200}
"""Characters."""
MOST_IN_A_FILE = 500
MOST_DOTS = 300
"""In what may be a key: each is a table in a table, and the parser's time grows with their square."""
_KEYS = {"question", "code", "right", "wrong", "explanation", "topic"}


@dataclass(frozen=True, slots=True)
class OwnQuestion:
    """One question. The right options come first; they are shuffled when it is asked."""

    topic: str
    question: str
    options: tuple[str, ...]
    explanation: str = ""
    code: str = ""
    rights: int = 1
    """how many of the options are right"""

    def __post_init__(self) -> None:
        """Raises Refused for what can't be asked; the sentence names the part."""
        if not self.question.strip():
            raise Refused("The question has no text.")
        if not MIN_OPTIONS <= len(self.options) <= MAX_OPTIONS:
            raise Refused(f"A question needs a right answer and a wrong one, and takes {MAX_OPTIONS} answers at most.")
        if not 1 <= self.rights < len(self.options):
            raise Refused("A question needs at least one right answer and one wrong one.")
        if not all(option.strip() for option in self.options):
            raise Refused("One of the answers is empty.")
        if len({option.strip().casefold() for option in self.options}) < len(self.options):
            raise Refused("Two of the answers are the same.")
        parts = {"question": self.question, "code": self.code, "explanation": self.explanation, "topic": self.topic}
        named = [*parts.items(), *(("option", option) for option in self.options)]
        for name, text in named:
            if len(text) > LONGEST[name]:
                what = "answer" if name == "option" else name
                raise Refused(f"The {what} is {len(text)} characters long; the limit is {LONGEST[name]}.")


def from_form(topic: str, question: str, right: str, wrong: str, explanation: str) -> OwnQuestion:
    """From what a form holds: right and wrong answers stand one a line. Raises Refused."""
    rights, wrongs = ([line.strip() for line in text.splitlines() if line.strip()] for text in (right, wrong))
    return OwnQuestion(
        _topic(topic),
        question.strip(),
        (*rights, *wrongs),
        explanation.strip(),
        rights=len(rights),
    )


def read_toml(text: str) -> list[OwnQuestion]:
    """A set of questions: tables `[[question]]` with question, right (or a list of several), wrong = [...], and if
    wanted code, explanation, topic. Raises Refused with the line of the first mistake."""
    if any(line.partition("=")[0].count(".") > MOST_DOTS for line in text.splitlines()):
        raise Refused("I can't read this file: it's nested too deeply, or a number in it is too long.")
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        last = len(text.splitlines())
        detail = str(error).replace("at end of document", f"at the end, line {last}")
        raise Refused(f"I can't read this file: {detail.rstrip('.')}.") from error
    except (RecursionError, ValueError) as error:  # brackets in brackets in brackets; a number of a million digits
        raise Refused("I can't read this file: it's nested too deeply, or a number in it is too long.") from error
    tables = document.get("question")
    if not isinstance(tables, list) or not tables or not all(isinstance(table, dict) for table in tables):
        raise Refused("I found no questions in this file; each one starts with the line [[question]].")
    if len(tables) > MOST_IN_A_FILE:
        raise Refused(f"This file has {len(tables)} questions; the limit is {MOST_IN_A_FILE}.")
    lines = [number for number, line in enumerate(text.splitlines(), 1) if line.strip().startswith("[[question]]")]
    found = []
    for place, table in enumerate(tables):
        where = f"The question in line {lines[place]}" if len(lines) == len(tables) else f"Question {place + 1}"
        try:
            found.append(_from_table(table))
        except Refused as error:
            detail = error.sentence[:1].lower() + error.sentence[1:]
            raise Refused(f"{where}: {detail}") from error
    return found


def _from_table(table: Mapping[str, object]) -> OwnQuestion:
    unknown = sorted(set(table) - _KEYS)
    if unknown:
        raise Refused(f"There is no key `{unknown[0]}`; the keys are {', '.join(sorted(_KEYS))}.")
    wrong = table.get("wrong")
    if not isinstance(wrong, list):
        raise Refused('Its wrong answers have to be a list, like wrong = ["3", "4"].')
    right = table.get("right", "")
    rights: list[object] = right if isinstance(right, list) else [right]
    texts = {name: table.get(name, "") for name in ("question", "code", "explanation", "topic")}
    answers = [*(("right", option) for option in rights), *(("wrong", option) for option in wrong)]
    for name, value in [*texts.items(), *answers]:
        if not isinstance(value, str):
            raise Refused(f"`{name}` has to be text in quotes.")
    return OwnQuestion(
        topic=_topic(str(texts["topic"])),
        question=str(texts["question"]).strip(),
        options=tuple(str(option) for option in (*rights, *wrong)),
        explanation=str(texts["explanation"]).strip(),
        code=str(texts["code"]).strip("\n"),
        rights=len(rights),
    )


def _topic(text: str) -> str:
    """In one line and without backticks: it stands in lists, in sentences, and in the id of a button."""
    return " ".join(text.replace("`", "").split()) or "ours"


def write_toml(questions: Iterable[OwnQuestion]) -> str:
    """The same set as a file that `read_toml` reads."""
    return "\n".join(
        "[[question]]\n"
        + "".join(
            f"{name} = {_quoted(value)}\n"
            for name, value in (
                ("topic", one.topic),
                ("question", one.question),
                ("code", one.code),
                ("explanation", one.explanation),
            )
            if value
        )
        + f"right = {_quoted(one.options[0]) if one.rights == 1 else _list(one.options[: one.rights])}\n"
        + f"wrong = {_list(one.options[one.rights :])}\n"
        for one in questions
    )


def _list(texts: Iterable[str]) -> str:
    return f"[{', '.join(map(_quoted, texts))}]"


def _quoted(text: str) -> str:
    """A basic TOML string (TOML 1.0, "String"): quotes, backslashes and control characters escaped."""
    escapes = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
    return (
        '"'
        + "".join(
            escapes.get(char) or (f"\\u{ord(char):04X}" if ord(char) < 32 or ord(char) == 127 else char)
            for char in text
        )
        + '"'
    )

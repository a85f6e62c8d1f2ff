"""The fixed questions: TOML files beside this one, read and checked here, and made questions by running their code.

A file holds the questions of one kind. All of them have `id`, `topic`, `card`, `text` and `because`, and besides:

several  `setup`, shown; `options`, expressions; `test`, a condition on OPTION, or `raises = true`; `why`, for each
         option the misconception behind choosing it, empty for the right ones
typed    `code`, which prints the answer on one line; `answer`, the same worked out by hand; perhaps `wrong`, pairs of
         a wrong answer that people give and the misconception that leads to it
output   `code` and `answer`, likewise; `wrong`, pairs of an answer and the misconception that leads to it
order    `setup`, shown above; `lines` in a right order; `after`, which prints what they did
bugs     `code` with one fault; `fix`, pairs of a piece of the code and what it should be; `fault`, which names it;
         `wrong`, pairs of something that is no fault and why somebody may take it for one

Which options are right, which orders do the same, and that the fix changes what is printed: torch says so, not the
file.
"""

from __future__ import annotations

import functools
import itertools
import random
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from engine.errors import Internal
from engine.teach.questions.question import (
    MAX_CODE,
    MAX_EXPLANATION,
    MAX_OPTION,
    MAX_OPTIONS,
    MAX_QUESTION,
    Draft,
    Kind,
    Mistake,
    Question,
    compose_draft,
    explain,
)
from engine.teach.snippets import run_snippet
from engine.teach.topics import TOPICS

FOLDER = Path(__file__).parent
MAX_LINES = 5
"""Of a question to put in order: all orders of five lines are 120, which are run in a moment."""

_NEEDED = {
    "several": {"options", "why"},
    "typed": {"code", "answer"},
    "output": {"code", "answer", "wrong"},
    "order": {"lines"},
    "bugs": {"code", "fix", "fault", "wrong"},
}
_ALLOWED = {"several": {"setup", "test", "raises"}, "order": {"setup", "after"}, "bugs": set(), "typed": {"wrong"}}
_COMMON = {"id", "topic", "card", "text", "because"}
_KINDS = {
    "several": Kind.SEVERAL,
    "typed": Kind.TYPED,
    "output": Kind.ONE,
    "order": Kind.ORDER,
    "bugs": Kind.BUG,
}


class BankError(ValueError):
    """A file of fixed questions breaks the format; the message names file and question."""


@dataclass(frozen=True)
class Fixed:
    """A fixed question as it stands in its file."""

    name: str
    topic: str
    card_id: str
    kind: Kind
    fields: Mapping[str, Any] = field(repr=False, hash=False, compare=False)


def load_bank(folder: Path = FOLDER) -> tuple[Fixed, ...]:
    """All fixed questions, sorted by file and place. Raises `BankError`."""
    found: list[Fixed] = []
    seen: set[str] = set()
    for path in sorted(folder.glob("*.toml")):
        if path.stem not in _KINDS:
            raise BankError(f"{path}: a file is called {', '.join(sorted(_KINDS))}.")
        try:
            entries = tomllib.loads(path.read_text(encoding="utf-8"))["question"]
        except (tomllib.TOMLDecodeError, KeyError) as error:
            raise BankError(f"{path}: not a list of [[question]] in TOML: {error}.") from error
        for entry in entries:
            name = str(entry.get("id", "?"))
            needed = _COMMON | _NEEDED[path.stem]
            if not needed <= set(entry) <= needed | _ALLOWED.get(path.stem, set()):
                raise BankError(f"{path}: {name} needs {', '.join(sorted(needed))}.")
            if name in seen:
                raise BankError(f"{path}: the id {name} is used twice.")
            if entry["topic"] not in TOPICS:
                raise BankError(f"{path}: {name} has the topic {entry['topic']!r}, which is none of the course's.")
            seen.add(name)
            found.append(Fixed(name, entry["topic"], entry["card"], _KINDS[path.stem], entry))
    return tuple(found)


def ask_fixed(fixed: Fixed, seed: int) -> Question:
    """The question, its options shuffled by `seed`. Raises `Internal` where torch contradicts the file."""
    ask = {
        Kind.SEVERAL: _several,
        Kind.TYPED: _typed,
        Kind.ONE: _output,
        Kind.ORDER: _order,
        Kind.BUG: _bug,
    }[fixed.kind]
    question = ask(fixed, random.Random(f"{fixed.name}:{seed}"), seed)
    if (
        len(question.text) > MAX_QUESTION
        or len(question.code) > MAX_CODE
        or len(question.explanation) > MAX_EXPLANATION
        or any(len(option) > MAX_OPTION for option in question.options)
        or len(question.options) > MAX_OPTIONS
    ):
        raise Internal(f"The question {fixed.name} is longer than a message may be.")
    return question


def _question(fixed: Fixed, seed: int, **values: Any) -> Question:
    return Question(
        generator=fixed.name,
        topic=fixed.topic,
        card_id=fixed.card_id,
        seed=seed,
        text=fixed.fields["text"],
        kind=fixed.kind,
        is_fixed=True,
        **values,
    )


def _run(code: str) -> str | None:
    """What `code` prints, or None if it fails."""
    try:
        return run_snippet(code)
    except Exception:  # noqa: BLE001 - an option or an order may fail in any way; that it fails is the answer
        return None


@functools.lru_cache(maxsize=512)
def _holds(setup: str, option: str, test: str) -> bool:
    if not test:  # "which of them raise an error?"
        return _run(f"{setup}\n{option}\nprint(1)") is None
    return _run(f"{setup}\nprint(bool({test.replace('OPTION', f'({option})')}))") == "True"


def _several(fixed: Fixed, rng: random.Random, seed: int) -> Question:
    entry = fixed.fields
    setup, options, test = entry.get("setup", ""), list(entry["options"]), entry.get("test", "")
    if bool(test) == bool(entry.get("raises")):
        raise Internal(f"The question {fixed.name} needs either a test or raises = true.")
    right = [_holds(setup, option, test) for option in options]
    if right != [not why for why in entry["why"]] or not any(right):
        raise Internal(f"The question {fixed.name} contradicts itself; it was not asked.")
    order = rng.sample(range(len(options)), len(options))
    shown = tuple(options[i] for i in order)
    reasons = tuple(entry["why"][i] for i in order)
    places = tuple(place for place, i in enumerate(order) if right[i])
    return _question(
        fixed,
        seed,
        code=setup,
        options=shown,
        correct=places[0],
        right=places,
        reasons=reasons,
        explanation=explain([shown[i] for i in places], entry["because"], shown, reasons),
    )


def _typed(fixed: Fixed, rng: random.Random, seed: int) -> Question:
    entry = fixed.fields
    answer = run_snippet(entry["code"])
    if answer != entry["answer"]:
        raise Internal(f"The question {fixed.name} contradicts itself: {answer} is printed; it was not asked.")
    return _question(
        fixed,
        seed,
        code=entry["code"],
        options=(),
        correct=0,
        answer=answer,
        slips=tuple((wrong, why) for wrong, why in entry.get("wrong", ())),
        explanation=explain([answer], entry["because"], (), ()),
    )


def _output(fixed: Fixed, rng: random.Random, seed: int) -> Question:
    entry = fixed.fields
    mistakes = [Mistake(answer, why) for answer, why in entry["wrong"]]
    draft = Draft(entry["text"], entry["code"], entry["answer"], entry["because"], mistakes, fixed.card_id)
    question = compose_draft(draft, rng, name=fixed.name, topic=fixed.topic, card_id=fixed.card_id, seed=seed)
    if question is None:
        raise Internal(f"The question {fixed.name} has too few wrong options.")
    return replace(question, is_fixed=True)


@functools.lru_cache(maxsize=256)
def same_orders(setup: str, lines: tuple[str, ...], after: str) -> tuple[tuple[int, ...], ...]:
    """All orders of `lines` that print what their given order prints; the given one is among them."""
    wanted = run_snippet("\n".join((setup, *lines, after)))
    return tuple(
        order
        for order in itertools.permutations(range(len(lines)))
        if _run("\n".join((setup, *(lines[i] for i in order), after))) == wanted
    )


def _order(fixed: Fixed, rng: random.Random, seed: int) -> Question:
    entry = fixed.fields
    setup, lines, after = entry.get("setup", ""), tuple(entry["lines"]), entry.get("after", "")
    if len(lines) > MAX_LINES:
        raise Internal(f"The question {fixed.name} has more than {MAX_LINES} lines.")
    orders = same_orders(setup, lines, after)
    shown = list(range(len(lines)))
    while tuple(shown) in orders:  # never shown in an order that is right already
        rng.shuffle(shown)
    place = {line: i for i, line in enumerate(shown)}
    accepted = tuple(tuple(place[line] for line in order) for order in orders)
    right = tuple(place[line] for line in range(len(lines)))
    program = "\n".join(lines)
    return _question(
        fixed,
        seed,
        code=setup,
        options=tuple(lines[i] for i in shown),
        correct=right[0],
        right=right,
        orders=accepted,
        answer=" ".join(str(i + 1) for i in right),
        explanation=f"```python\n{program}\n```\n{entry['because']}",
    )


def _bug(fixed: Fixed, rng: random.Random, seed: int) -> Question:
    entry = fixed.fields
    code = mended = entry["code"]
    for old, new in entry["fix"]:
        if old not in mended:
            raise Internal(f"The question {fixed.name} mends code that it doesn't show.")
        mended = mended.replace(old, new)
    faulty, right = _run(code), _run(mended)
    if right is None or faulty == right:
        raise Internal(f"The fault of the question {fixed.name} changes nothing; it was not asked.")
    options = [(entry["fault"], ""), *((option, why) for option, why in entry["wrong"])]
    rng.shuffle(options)
    shown = tuple(option for option, _ in options)
    reasons = tuple(why for _, why in options)
    place = shown.index(entry["fault"])
    outcome = f"As shown it prints `{faulty}`" if faulty is not None else "As shown it fails"
    because = f"{entry['because']} {outcome}; mended, it prints `{right}`."
    return _question(
        fixed,
        seed,
        code=code,
        options=shown,
        correct=place,
        right=(place,),
        reasons=reasons,
        answer=entry["fault"],
        explanation=explain([entry["fault"]], because, shown, reasons),
    )

"""What a course calls the same thing by several names: exercises, and when they're due. Both the bot, which looks for
passages of the notes, and the engine, which chooses among them, read a text this way."""

from __future__ import annotations

import re

SAME = {
    "due": ("due", "deadline", "deadlines", "submit", "submitted", "submission", "hand in", "handed in", "turn in"),
    "exercise": ("exercise", "exercises", "assignment", "assignments", "homework", "problem set", "problem sheet"),
    "exam": ("exam", "exams", "examination"),
}
"""One name for each, and those that mean it."""
_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split()  # noqa: SIM905
_NAME_OF = {name: one for one, names in SAME.items() for name in names}
_NAMES = re.compile(rf"\b(?:{'|'.join(sorted((re.escape(name) for name in _NAME_OF), key=len, reverse=True))})\b")
_TOGETHER = re.compile(r"\b(ex|exercise|assignment|homework|week)[. #_-]*(\d{1,3})\b")
_NUMBER = re.compile(r"(?<![\w.,:/-])(\d{1,3})(?:st|nd|rd|th)?(?![\w/-]|[.,:]\d)")


def in_course_words(text: str) -> str:
    """`text` in small letters with one name for each thing: "the 3rd assignment" is "the 3 exercise"."""
    text = re.sub(r"\bhand[- ]?in\b", "hand in", text.lower())
    text = _TOGETHER.sub(lambda found: f"{'exercise' if found[1] == 'ex' else found[1]} {found[2]}", text)
    text = re.sub(rf"\b(?:{'|'.join(_ORDINALS)})\b", lambda found: str(_ORDINALS.index(found[0]) + 1), text)
    return _NAMES.sub(lambda found: _NAME_OF[found[0]], text)


def numbers_in(text: str) -> set[str]:
    """The numbers that something may be called by: of "exercise 3, at 18:00" the 3. `text` is in course words."""
    return set(_NUMBER.findall(text))


def names_for(text: str) -> set[str]:
    """All names of what `text` speaks of."""
    asked = in_course_words(text)
    return {name for one, names in SAME.items() if re.search(rf"\b{one}\b", asked) for name in names}

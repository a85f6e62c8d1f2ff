"""Native polls: what Discord accepts of one.

https://discord.com/developers/docs/resources/poll
"""

from typing import Any

from playground.rules import fields
from playground.rules.errors import ApiError, Faults

Json = dict[str, Any]

QUESTION = 300
ANSWERS = 10
ANSWER = 55
LONGEST_H = 32 * 24
DEFAULT_H = 24

_POLL = frozenset({"question", "answers", "duration", "allow_multiselect", "layout_type"})
_MEDIA = frozenset({"text", "emoji"})


def check_poll(faults: Faults, poll: Any) -> None:
    """Notes whatever Discord would refuse of a new poll."""
    path = ("poll",)
    if not isinstance(poll, dict):
        faults.add(path, "BASE_TYPE_REQUIRED", "This field is required")
        return
    fields.check_object(faults, poll, _POLL, path)
    question = poll.get("question")
    faults.length(
        (*path, "question", "text"), question.get("text") if isinstance(question, dict) else None, 1, QUESTION
    )
    given = poll.get("answers")
    answers: list[Any] = given if isinstance(given, list) else []
    faults.count((*path, "answers"), answers, 1, ANSWERS)
    for number, answer in enumerate(answers):
        media = answer.get("poll_media") if isinstance(answer, dict) else None
        where = (*path, "answers", number, "poll_media")
        if not isinstance(media, dict):
            faults.add(where, "BASE_TYPE_REQUIRED", "This field is required")
            continue
        fields.check_object(faults, media, _MEDIA, where)
        if media.get("text") or not media.get("emoji"):
            faults.length((*where, "text"), media.get("text"), 1, ANSWER)
    hours = poll.get("duration")
    if hours is not None and not (isinstance(hours, int | float) and hours % 1 == 0 and 1 <= hours <= LONGEST_H):
        faults.add((*path, "duration"), "NUMBER_TYPE_RANGE", f"A poll lasts 1 to {LONGEST_H} hours.")
    if poll.get("layout_type") not in (None, 1):
        faults.add((*path, "layout_type"), "BASE_TYPE_CHOICES", "Value must be one of (1,).")


def expired() -> ApiError:
    return ApiError(400, 520001, "Poll expired")


def cannot_edit() -> ApiError:
    return ApiError(400, 520003, "Cannot edit a poll message")


def not_a_poll() -> ApiError:
    return ApiError(400, 520006, "Cannot expire a non-poll message")

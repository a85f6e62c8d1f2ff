"""What becomes of an answer that a bot left open when it was stopped or killed, at the next start."""

from __future__ import annotations

from enum import Enum, StrEnum, auto


class Stage(StrEnum):
    """How far an answer has come, as the store remembers it."""

    WAITING = "waiting"
    """acknowledged; no work was done for it yet"""
    STARTED = "started"
    DELIVERING = "delivering"
    """its result or sentence was on its way"""


class Sight(Enum):
    """What its message shows now."""

    UNFINISHED = auto()
    """ "thinking ..." or progress"""
    FINISHED = auto()
    DELETED = auto()
    UNKNOWN = auto()
    """it can't be looked at any more: a private one whose token has died"""


class Resolution(Enum):
    NOTHING = auto()
    AGAIN = auto()
    """do it, as if the member had asked just now"""
    SENTENCE = auto()
    """say that it was interrupted"""


def resolution(stage: Stage, sight: Sight, token_lives: bool) -> Resolution:
    """Do again only what never started: a job is never done twice, and what may have arrived isn't taken back."""
    if sight in (Sight.FINISHED, Sight.DELETED):
        return Resolution.NOTHING
    if stage is Stage.DELIVERING and sight is Sight.UNKNOWN:
        return Resolution.NOTHING
    if stage is Stage.WAITING and token_lives:
        return Resolution.AGAIN
    return Resolution.SENTENCE

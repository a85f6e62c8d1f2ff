"""The blind poll: how a clip is drawn, when a poll closes, and what its votes come to."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.errors import Refused
from bot.rules.listening import ENOUGH_VOTES, Interval, wilson_interval

MIN_MINUTES, MAX_MINUTES = 1, 7 * 24 * 60
LARGEST_SEED = 2**53 - 1
"""Discord's number options are exact up to here; every seed that we draw can be typed back."""


class Origin(StrEnum):
    """Who played a clip."""

    HUMAN = "human"
    AI = "ai"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stored human clip, and in how many polls of its server it was drawn.

    Whether it or the model's clip was posted doesn't count: else the count would tell what an open poll is, and the
    same chords would come back soon."""

    clip: int
    times_drawn: int
    recording: bool = False
    """an uploaded recording, not played by the band as the model's clips are"""


@dataclass(frozen=True, slots=True)
class Draw:
    """What chance has decided for one poll. `model_seed` seeds the model's clip."""

    seed: int
    human_clip: int
    origin: Origin
    model_seed: int


def drawable(candidates: Sequence[Candidate], recordings: bool) -> list[Candidate]:
    """The candidates that a poll may draw: a recording's sound gives it away, so recordings only when asked for."""
    return [candidate for candidate in candidates if recordings or not candidate.recording]


def draw(seed: int, candidates: Sequence[Candidate]) -> Draw:
    """Draw the human clip among those drawn least often, then toss a fair coin for which side is posted.

    The same seed over the same candidates, in any order, gives the same draw. Raises ValueError without candidates."""
    if not candidates:
        raise ValueError("there is no human clip to draw")
    rng = random.Random(seed)
    least = min(candidate.times_drawn for candidate in candidates)
    fresh = sorted(candidate.clip for candidate in candidates if candidate.times_drawn == least)
    human_clip = rng.choice(fresh)
    origin = Origin.HUMAN if rng.random() < 0.5 else Origin.AI
    return Draw(seed=seed, human_clip=human_clip, origin=origin, model_seed=rng.randint(0, LARGEST_SEED))


def closing_time(now: float, minutes: int) -> float:
    """When a poll that starts at `now` (seconds) closes. Raises Refused when `minutes` is out of bounds."""
    if not MIN_MINUTES <= minutes <= MAX_MINUTES:
        raise Refused(f"A poll stays open between {MIN_MINUTES} minute and {MAX_MINUTES // (24 * 60)} days.")
    return now + 60.0 * minutes


@dataclass(frozen=True, slots=True)
class Vote:
    """What one member has said on one poll: `choice` is None until one of the two is chosen."""

    choice: Origin | None
    knows: bool = False
    """knows the piece, so the vote is left out of the statistics"""


@dataclass(frozen=True, slots=True)
class Tally:
    """What the votes of one poll come to. Votes of those who know the piece are counted apart."""

    called_human: int = 0
    called_ai: int = 0
    knew: int = 0

    @property
    def counted(self) -> int:
        return self.called_human + self.called_ai

    def right(self, answer: Origin) -> int:
        return self.called_human if answer is Origin.HUMAN else self.called_ai

    def interval(self, answer: Origin) -> Interval:
        """Of the share that is right. The votes of different members on one clip are taken as independent: it
        speaks of this clip and of listeners like these, not of the model."""
        return wilson_interval(self.right(answer), self.counted)

    @property
    def too_early(self) -> bool:
        """Fewer votes than say anything."""
        return self.counted < ENOUGH_VOTES


def tally(votes: Sequence[Vote]) -> Tally:
    """Count votes. Who only said that the piece is known, and chose nothing, is in `knew`."""
    counted = [vote.choice for vote in votes if not vote.knows]
    return Tally(
        called_human=counted.count(Origin.HUMAN),
        called_ai=counted.count(Origin.AI),
        knew=sum(vote.knows for vote in votes),
    )

"""The blind poll: how the trials of a series are drawn and sealed, when it closes, and what one ballot says."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.errors import Refused
from bot.rules.listening.judgements import Design, Reason
from engine.contract.limits import LARGEST_SEED

MIN_MINUTES, MAX_MINUTES = 1, 14 * 24 * 60
MOST_TRIALS = 12
SALT_BYTES = 32
ENOUGH_OWN_CLIPS = 10
"""Below so many clips of its own a server also draws from the pieces that come with the engine: with a single clip, the
first poll would be on that one for certain."""
TRIALS_A_CATCH = 4
"""How many counted trials there are to one catch trial, if those are switched on."""


class Origin(StrEnum):
    """Who played a clip."""

    HUMAN = "human"
    AI = "ai"


class Choice(StrEnum):
    """What a ballot of a listening trial can say, and the answer of a trial: which side, or what the one clip is."""

    A = "A"
    B = "B"
    HUMAN = "human"
    AI = "ai"


CHOICES = {Design.PAIR: (Choice.A, Choice.B), Design.SINGLE: (Choice.HUMAN, Choice.AI)}
"""Of each design, the first being the one that means "human" in a single and "A is the human" in a pair."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A human clip that may be drawn, and in how many trials of its server it was.

    `key` names it: a clip of the collection, or a piece that comes with the engine. Whether it or the model's clip was
    posted doesn't count: else the count would tell what an open poll is, and the same chords would come back soon."""

    key: str
    times_drawn: int


@dataclass(frozen=True, slots=True)
class TrialDraw:
    """What chance has decided for one trial. `band_seed`: of the band, the same one behind both sides."""

    design: Design
    key: str
    answer: Choice
    band_seed: int
    model_seed: int
    is_catch: bool = False


def draw_series(
    seed: int, candidates: Sequence[Candidate], designs: Sequence[Design], *, catches: bool = False
) -> list[TrialDraw]:
    """Draw a trial for each of `designs`, and catch trials among them.

    Human clips come among those drawn least often, none twice while others are left. A fair coin for each trial decides
    the side, or which of the two is posted. Catch trials are pairs of a clip with itself, its pitches shuffled; they
    fall at random places. The same seed over the same candidates, in any order, gives the same draw. Raises ValueError
    without candidates."""
    if not candidates:
        raise ValueError("there is no human clip to draw")
    rng = random.Random(seed)
    times = {candidate.key: candidate.times_drawn for candidate in sorted(candidates, key=lambda c: c.key)}

    def trial(design: Design, is_catch: bool) -> TrialDraw:
        least = min(times.values())
        key = rng.choice([key for key, count in times.items() if count == least])
        times[key] += 1
        return TrialDraw(
            design=design,
            key=key,
            answer=CHOICES[design][rng.random() < 0.5],
            band_seed=rng.randint(0, LARGEST_SEED),
            model_seed=rng.randint(0, LARGEST_SEED),
            is_catch=is_catch,
        )

    drawn = [trial(design, False) for design in designs]
    for _ in range(len(designs) // TRIALS_A_CATCH if catches else 0):
        drawn.insert(rng.randint(0, len(drawn)), trial(Design.PAIR, True))
    return drawn


def mixed_designs(design: str, trials: int) -> list[Design]:
    """The designs of a series: all pairs, all singles, or pairs first and singles for the last two fifths."""
    if design != "mixed":
        return [Design(design)] * trials
    singles = trials * 2 // 5
    return [Design.PAIR] * (trials - singles) + [Design.SINGLE] * singles


def sealed_text(answers: Sequence[str], salt: str) -> str:
    """What is sealed: the answers in the trials' order, and a salt that nobody can guess."""
    return " ".join([*(f"{number}={answer}" for number, answer in enumerate(answers, start=1)), f"salt={salt}"])


def seal(answers: Sequence[str], salt: str) -> str:
    """SHA-256 of `sealed_text`, hexadecimal: published before the first vote, it can't be made to fit other answers."""
    return hashlib.sha256(sealed_text(answers, salt).encode("ascii")).hexdigest()


def closing_time(now: float, minutes: int) -> float:
    """When a series that opens at `now` (seconds) closes. Raises Refused when `minutes` is out of bounds."""
    if not MIN_MINUTES <= minutes <= MAX_MINUTES:
        raise Refused(
            f"A poll can stay open for anything from {MIN_MINUTES} minute to {MAX_MINUTES // (24 * 60)} days."
        )
    return now + 60.0 * minutes


def reminder_times(opened_at: float, closes_at: float) -> list[float]:
    """A day and an hour before the close, where the series is open for longer than twice that."""
    return [closes_at - before for before in (24 * 3600.0, 3600.0) if closes_at - opened_at > 2 * before]


@dataclass(frozen=True, slots=True)
class Ballot:
    """What one member has said on one trial: `choice` is "" until one is made; of a question, the options' places."""

    choice: str = ""
    confidence: int | None = None
    """in percent"""
    knows: bool = False
    """knows the piece, so the vote is left out of the statistics"""
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Tally:
    """What the ballots of one listening trial come to. Those who know the piece are counted apart."""

    right: int = 0
    counted: int = 0
    knew: int = 0


def tally(ballots: Sequence[Ballot], answer: str) -> Tally:
    """Count ballots. Who only said that the piece is known, and chose nothing, is in `knew`."""
    choices = [ballot.choice for ballot in ballots if ballot.choice and not ballot.knows]
    return Tally(choices.count(answer), len(choices), sum(ballot.knows for ballot in ballots))

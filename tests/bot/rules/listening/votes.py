"""Made-up classes whose votes hang together, as real ones do."""

from __future__ import annotations

import random
from collections.abc import Sequence

from bot.rules.listening.judgements import Design, Judgement, TrialScore


def guessing_listeners(rng: random.Random, listeners: int, clips: int, spread: float) -> list[Judgement]:
    """Singles: everybody guesses, and every clip has its own lean of +-`spread` towards being called human."""
    found = []
    for clip in range(clips):
        lean = 0.5 + rng.choice((-spread, spread))
        found += [
            Judgement(listener, clip, clip, Design.SINGLE, clip % 2 == 0, rng.random() < lean)
            for listener in range(listeners)
        ]
    return found


def a_class(rng: random.Random, mean: float, listeners: int) -> list[float]:
    """How often each of them is right on an average clip: ears differ, and they keep theirs for ever."""
    return [min(0.95, max(0.05, mean + rng.gauss(0, 0.1))) for _ in range(listeners)]


def a_trial(rng: random.Random, ears: Sequence[float], clip_spread: float, number: int) -> TrialScore:
    """Somewhat more than half of the class votes, and the clip helps or misleads all of them together."""
    lean = rng.choice((-clip_spread, clip_spread))
    present = [ear for ear in ears if rng.random() < 0.7] or list(ears[:1])
    return TrialScore(number, sum(rng.random() < ear + lean for ear in present), len(present))

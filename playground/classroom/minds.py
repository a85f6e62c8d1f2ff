"""What a simulated member hears and thinks: seeded, so that the same class gives the same votes.

They don't know the truth, any more than a real listener does. Each clip or answer makes an impression that the whole
class shares, because some clips do sound more human than others; each member hears it more or less clearly, and leans.
"""

import hashlib
import math
import random
from dataclasses import dataclass

FASTEST_S, SLOWEST_S = 3.0, 40.0
_TYPICAL_S = 9.0


@dataclass(frozen=True)
class Mind:
    """One member. `clarity` weighs the shared impression against chance; `hesitation` stretches the time to decide."""

    seed: int
    clarity: float
    hesitation: float

    @classmethod
    def of(cls, seed: int) -> "Mind":
        """The mind that belongs to a seed."""
        draw = random.Random(seed)
        return cls(seed, clarity=draw.uniform(0.3, 2.2), hesitation=math.exp(draw.gauss(0.0, 0.4)))

    def choose(self, question: str, choices: list[str]) -> str:
        """One of the choices: the one with the largest sum of shared impression and private noise."""
        own = random.Random(f"{self.seed} {question}")

        def appeal(choice: str) -> float:
            return self.clarity * impression(question, choice) + own.gauss(0.0, 1.0) + self._lean(choice)

        return max(choices, key=appeal)

    def choose_several(self, question: str, choices: list[str], fewest: int, most: int) -> list[str]:
        """Those that appeal, at least `fewest` and at most `most` of them, in the order in which they were offered."""
        own = random.Random(f"{self.seed} several {question}")
        count = min(max(own.randint(1, 2), fewest), most, len(choices))
        left, chosen = list(choices), []
        for _ in range(count):
            chosen.append(self.choose(question, left))
            left.remove(chosen[-1])
        return [choice for choice in choices if choice in chosen]

    def decides_after_s(self, question: str) -> float:
        """Seconds until the member answers: log-normal, around 9 s."""
        own = random.Random(f"{self.seed} time {question}")
        seconds = _TYPICAL_S * self.hesitation * math.exp(own.gauss(0.0, 0.5))
        return min(max(seconds, FASTEST_S), SLOWEST_S)

    def _lean(self, choice: str) -> float:
        """A habit of saying the same thing, such as "AI", whatever is played."""
        return random.Random(f"{self.seed} lean {choice}").gauss(0.0, 0.4)


def impression(question: str, choice: str) -> float:
    """How strongly a choice suggests itself to anybody, from -1 to 1."""
    digest = hashlib.sha256(f"{question}\n{choice}".encode()).digest()
    return int.from_bytes(digest[:4], "big") / 0x7FFFFFFF - 1.0

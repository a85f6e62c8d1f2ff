"""The playground's clock: real time, until somebody moves it."""

from collections.abc import Callable


class MovableClock:
    """Seconds since 1970, `ahead_s` before the clock under it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.ahead_s = 0.0

    def __call__(self) -> float:
        return self._clock() + self.ahead_s

    def advance(self, seconds: float) -> None:
        """Moves on; tokens, deadlines and addresses grow old at once. Never back: ids only grow."""
        if seconds < 0:
            raise ValueError("The clock only goes forward.")
        self.ahead_s += seconds

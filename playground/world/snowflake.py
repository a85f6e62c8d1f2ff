"""Discord's ids: 42 bits of milliseconds since 2015, then worker, process and a counter.

https://discord.com/developers/docs/reference#snowflakes
"""

from collections.abc import Callable

EPOCH_MS = 1_420_070_400_000
_COUNTER_BITS = 22


class Snowflakes:
    """Hands out ids that only ever grow, also over a restart and when the clock is set back."""

    def __init__(self, clock: Callable[[], float], last: int = 0) -> None:
        """`clock` gives seconds since 1970; `last` is the largest id handed out by an earlier run."""
        self._clock = clock
        self._last = last

    def next(self) -> str:
        """A new id, as the decimal string that goes over the wire."""
        from_clock = (int(self._clock() * 1000) - EPOCH_MS) << _COUNTER_BITS
        self._last = max(from_clock, self._last + 1)
        return str(self._last)


def created_at_s(snowflake: str) -> float:
    """Seconds since 1970 at which an id was made."""
    return ((int(snowflake) >> _COUNTER_BITS) + EPOCH_MS) / 1000

"""The question of the day: when the next one is due, by the clock on the wall of the class."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from bot.errors import Refused

LONGEST_DAY_S = 26 * 3600.0
"""A day on which the clocks are set back, and a little."""
_TIME = re.compile(r"([01]?\d|2[0-3])[:.h]([0-5]\d)")


def parse_time(text: str) -> str:
    """A time of day as "08:30". Raises Refused for anything else."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise Refused("Please give the time as hours and minutes, like 08:30.")
    return f"{int(match[1]):02}:{match[2]}"


def parse_zone(text: str) -> str:
    """A time zone's name, as in "Europe/Zurich", in any case. Raises Refused for an unknown one."""
    wanted = text.strip().replace(" ", "_").casefold()
    found = next((zone for zone in available_timezones() if zone.casefold() == wanted), None)
    if found is None:
        raise Refused("I don't know this time zone; please take one from the list, like Europe/Zurich.")
    return found


def zones() -> list[str]:
    """The names of all time zones, in order."""
    return sorted(available_timezones())


def astray(planned_at: float, local_time: str, zone: str, now: float) -> bool:
    """Whether a question is planned further off than any clock of a class can explain: the machine's clock had been
    wrong when it was planned. A day more than the next one is none, because it may just have been asked."""
    return planned_at - next_at(local_time, zone, now) > LONGEST_DAY_S


def next_at(local_time: str, zone: str, after: float) -> float:
    """The first moment later than `after` at which the clocks in `zone` show `local_time`; seconds since 1970.

    On the day on which the clocks skip that time it is as much later as they skip, and where they show it twice it is
    the first time (PEP 495, fold=0). So there is one a day, and never two."""
    info = ZoneInfo(zone)
    hour, minute = map(int, local_time.split(":"))
    day = datetime.fromtimestamp(after, info).date()
    while True:
        moment = datetime.combine(day, time(hour, minute), info).astimezone(UTC).timestamp()
        if moment > after:
            return moment
        day += timedelta(days=1)

"""The question of the day comes once a day at the time on the wall, also when the clocks change."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.errors import Refused
from bot.rules import daily

ZURICH = ZoneInfo("Europe/Zurich")


def moments(local_time, start, count, zone="Europe/Zurich"):
    after, found = start.timestamp(), []
    for _ in range(count):
        after = daily.next_at(local_time, zone, after)
        found.append(datetime.fromtimestamp(after, ZoneInfo(zone)))
    return found


def test_it_keeps_the_time_on_the_wall_over_both_changes_of_the_year():
    for start in (datetime(2026, 3, 27, 12, tzinfo=ZURICH), datetime(2026, 10, 23, 12, tzinfo=ZURICH)):
        found = moments("08:30", start, 5)
        assert [(m.hour, m.minute) for m in found] == [(8, 30)] * 5
        assert len({m.date() for m in found}) == 5


def test_a_time_that_the_clocks_skip_is_asked_an_hour_later_and_once():
    found = moments("02:30", datetime(2026, 3, 28, 12, tzinfo=ZURICH), 2)
    assert [(m.day, m.hour, m.minute) for m in found] == [(29, 3, 30), (30, 2, 30)]


def test_a_time_that_comes_twice_is_asked_the_first_time_and_once():
    found = moments("02:30", datetime(2026, 10, 24, 12, tzinfo=ZURICH), 2)
    assert [m.day for m in found] == [25, 26]
    assert found[0].astimezone(UTC).hour == 0, "still summer time"


def test_the_moment_itself_is_over():
    at = datetime(2026, 5, 1, 8, 30, tzinfo=ZURICH).timestamp()
    assert daily.next_at("08:30", "Europe/Zurich", at) == at + 86_400


@pytest.mark.parametrize(("text", "meant"), [("8:30", "08:30"), (" 23.05 ", "23:05"), ("7h45", "07:45")])
def test_a_time_is_read_as_people_write_it(text, meant):
    assert daily.parse_time(text) == meant


@pytest.mark.parametrize("text", ["", "24:00", "8", "12:60", "noon", "-1:00", "08:30:15"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(Refused):
        daily.parse_time(text)


def test_a_zone_is_found_in_any_case_and_an_unknown_one_refused():
    assert daily.parse_zone("america/new york") == "America/New_York"
    with pytest.raises(Refused):
        daily.parse_zone("Middle-earth/Shire")


@pytest.mark.parametrize("zone", ["Europe/Zurich", "America/St_Johns", "Pacific/Apia", "Australia/Lord_Howe"])
def test_what_was_planned_by_a_right_clock_is_never_astray(zone: str) -> None:
    """Through two years of hours, set back by an hour just after the question: none is taken for a mistake."""
    for hour in range(0, 2 * 366 * 24, 7):
        now = 1_700_000_000.0 + 3600 * hour
        planned = daily.next_at("02:30", zone, now)
        assert not daily.astray(planned, "02:30", zone, now)
        assert not daily.astray(daily.next_at("02:30", zone, planned), "02:30", zone, planned - 3600)
        assert daily.astray(planned + 3 * 86400, "02:30", zone, now)

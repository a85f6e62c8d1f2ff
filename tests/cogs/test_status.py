"""/status: staff see the last day, also what was before a restart; nobody else does."""

import asyncio
import io

import pytest
from PIL import Image

from bot.charts.day import paint
from bot.errors import STAFF_ONLY
from bot.hosting.staff_roles import SHOWN_TO
from bot.store import pulses
from bot.store.pulses import Pulse
from tests.engine_double import Behaviour, png
from tests.waiting import until


def a_pulse(at, **changed):
    usual = {"answered": 3, "refused": 1, "failed": 0, "middle_s": 1.5, "slowest_s": 4.0}
    return Pulse(at=int(at), **usual | {"queue": 2, "lag_s": 0.01, "engine_up": 1.0} | changed)


async def test_staff_see_the_last_day_in_words_and_as_a_chart(club):
    now = club.bot.now()
    await pulses.keep(club.store, a_pulse(now - 25 * 3600, answered=1000))
    await pulses.keep(club.store, a_pulse(now - 3600, slowest_s=17.2, queue=9))
    await pulses.keep(club.store, a_pulse(now - 600, engine_up=0.0, failed=5))
    result = await club.instructor.slash(club.channel, "status")
    (shown,) = result.response.embeds
    assert result.ephemeral
    assert "I answered 6 commands, refused 2 with a reason, and failed at 5." in shown.description
    assert "The slowest answer took 17.2 s." in shown.description
    assert "At most 9 jobs" in shown.description
    assert "In 1 stretch of five minutes, the engine wasn't available." in shown.description
    assert [field["name"] if isinstance(field, dict) else field.name for field in shown.fields] == [
        "Engine",
        "Backup",
        "Disk",
    ]
    (attachment,) = result.response.attachments
    assert attachment.filename == "last-day.png"


async def test_it_is_shown_to_those_who_look_after_messages_and_works_for_staff_alone(club):
    command = club.bot.tree.get_command("status").to_dict(club.bot.tree)
    assert int(command["default_member_permissions"]) == SHOWN_TO.value
    await club.moderator.slash(club.channel, "status")
    assert club.refusals() == [STAFF_ONLY]


async def test_what_happens_is_counted_and_written_down_when_the_bot_leaves(club):
    await club.student.slash(club.channel, "ask", question="what does backward() do?")
    club.double.misbehave(Behaviour.FAIL)
    await club.student.slash(club.channel, "stylize", image=("cat.png", png()))
    await club.student.slash(club.channel, "styles remove", name="x")
    assert club.refusals()[-1] == STAFF_ONLY
    counting = asyncio.create_task(club.bot.pulse.watch())
    await until(lambda: club.bot.pulse._up)  # the engine has answered the first look
    counting.cancel()
    await asyncio.gather(counting, return_exceptions=True)
    (kept,) = await pulses.since(club.store, 0)
    assert (kept.answered, kept.refused, kept.failed, kept.engine_up) == (1, 1, 1, 1.0)
    assert kept.middle_s is not None


async def test_two_days_are_kept(store):
    for hours in range(60):
        await pulses.keep(store, a_pulse(3600 * hours))
    kept = await pulses.since(store, 0)
    assert [pulse.at // 3600 for pulse in kept] == list(range(11, 60))


@pytest.mark.parametrize("count", [0, 1, 300])
def test_any_day_can_be_drawn(count):
    now = 1_800_000_000.0
    drawn = paint([a_pulse(now - 290 * i, failed=i % 7 == 0, engine_up=i % 11 / 10) for i in range(count)], now)
    picture = Image.open(io.BytesIO(drawn))
    assert picture.format == "PNG"
    assert picture.width == 900

"""Staff hear of trouble once, with what to do; while it goes on, once an hour and how often."""

from bot.hosting.notices import LONGEST, MOST_WAITING, Notices


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


async def told(notices, posted):
    await notices.drain()
    texts, posted[:] = list(posted), []
    return texts


def connected():
    clock, posted = Clock(), []
    notices = Notices(clock)

    async def send(text):
        posted.append(text)

    notices.connect(send)
    return notices, clock, posted


async def test_the_same_trouble_is_said_once_an_hour_with_its_number():
    notices, clock, posted = connected()
    for _ in range(5):
        notices.report("disk", "The disk is full. Make room.")
    assert await told(notices, posted) == ["⚠️ The disk is full. Make room."]
    clock.now += 3601
    notices.report("disk", "The disk is full. Make room.")
    assert await told(notices, posted) == [
        "⚠️ The disk is full. Make room. (This also happened 4 times since <t:1000:t>.)"
    ]


async def test_other_trouble_and_other_servers_are_said_at_once():
    notices, _, posted = connected()
    notices.report("result", "A result couldn't be posted.", guild_id=1)
    notices.report("result", "A result couldn't be posted.", guild_id=2)
    notices.report("disk", "The disk is full.")
    assert len(await told(notices, posted)) == 3


async def test_what_is_reported_before_the_bot_is_in_is_said_when_it_is():
    notices, posted = Notices(Clock()), []

    async def send(text):
        posted.append(text)

    for number in range(MOST_WAITING + 5):
        notices.report(f"trouble {number}", f"Trouble {number}.")
    notices.connect(send)
    texts = await told(notices, posted)
    assert len(texts) == MOST_WAITING
    assert texts[-1] == f"⚠️ Trouble {MOST_WAITING + 4}."


async def test_a_notice_that_cant_be_posted_hurts_nobody():
    notices = Notices(Clock())

    async def send(text):
        raise OSError("no such channel")

    notices.connect(send)
    notices.report("disk", "x" * 5000)
    await notices.drain()


async def test_a_notice_fits_into_a_message():
    notices, _, posted = connected()
    notices.report("disk", "x" * 5000)
    (text,) = await told(notices, posted)
    assert len(text) == LONGEST

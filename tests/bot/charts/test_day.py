"""The chart of the last day is drawn in a process of its own, so that nothing of matplotlib is loaded in the bot."""

import base64
import dataclasses
import json

from bot.charts import ask
from bot.store.pulses import Pulse


async def test_the_last_day_is_drawn_in_another_process():
    pulse = Pulse(
        at=3600, answered=3, refused=1, failed=0, middle_s=1.5, slowest_s=4.0, queue=2, lag_s=0.01, engine_up=1.0
    )
    request = {"pulses": [dataclasses.asdict(pulse)], "now": 7200.0}
    reply = await ask(json.dumps(request).encode(), "bot.charts.day")
    assert base64.b64decode(reply["png"]).startswith(b"\x89PNG")

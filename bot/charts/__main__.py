"""`python -m bot.charts`: one request on standard input, one reply on standard output, then the end."""

from __future__ import annotations

import base64
import dataclasses
import json
import sys

from pydantic import TypeAdapter

from bot.charts import Chart
from bot.charts.lesson import paint_lesson
from bot.charts.paint import paint
from bot.rules.listening.judgements import Judgement
from bot.rules.listening.summary import summarise

JUDGEMENTS = TypeAdapter(list[Judgement])


def answer(request: bytes) -> bytes:
    """Votes in, figures and chart out, both JSON; or the figures of lessons in, and a chart out."""
    asked = json.loads(request)
    if "lesson" in asked:
        png, alt = paint_lesson(asked["lesson"])
        return json.dumps({"png": base64.b64encode(png).decode(), "alt": alt}).encode()
    summary = summarise(JUDGEMENTS.validate_python(asked["judgements"]))
    png, alt = paint(summary, Chart(asked["chart"]))
    reply = {"summary": dataclasses.asdict(summary), "png": base64.b64encode(png).decode(), "alt": alt}
    return json.dumps(reply).encode()


if __name__ == "__main__":
    sys.stdout.buffer.write(answer(sys.stdin.buffer.read()))

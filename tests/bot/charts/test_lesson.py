"""The picture for the next lesson comes from the charts' own process, and says in words what it shows."""

from __future__ import annotations

import io

from PIL import Image

from bot.charts import lesson_chart
from bot.rules.class_report import Reply, report

BELIEF = "thinks that dim is the dimension that stays, and so gives the shape of what has just been summed away"


async def test_the_picture_shows_topics_and_what_is_believed_instead() -> None:
    replies = [
        Reply(m, f"item-{i}", f"topic-{i % 4}", m > i, (BELIEF,) * (m <= i)) for m in range(12) for i in range(9)
    ]
    png, alt = await lesson_chart(report(replies))
    picture = Image.open(io.BytesIO(png))
    assert 700 <= picture.width <= 1200, "as wide as a phone shows"
    assert picture.height <= 1900
    assert len(png) < 300_000
    assert "topic 0" in alt
    assert f"item 8 3 of 12 (9 {BELIEF})" in alt


async def test_without_answers_there_is_no_picture() -> None:
    assert await lesson_chart(report([])) == (b"", "")

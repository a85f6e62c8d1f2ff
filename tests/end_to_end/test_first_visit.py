"""A newcomer's first two minutes, by clicks alone: nothing is typed, and the house is started again in between."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.end_to_end.answering import answer
from tests.end_to_end.house import open_house
from tests.playground.browser import open_browser, plays

pytestmark = pytest.mark.browser

FIRST_JOB_MS = 300_000
"""The engine is still warming up when the first button is pressed."""
JOB_MS = 120_000


async def press(page: Page, label: str) -> None:
    await page.get_by_role("button", name=label, exact=True).first.click()


async def test_a_first_visit_by_clicks_alone(tmp_path: Path) -> None:
    faults: list[str] = []
    async with open_browser() as browser:
        page = await browser.new_page(viewport={"width": 1280, "height": 800}, color_scheme="dark")
        page.on("pageerror", lambda error: faults.append(str(error)))
        with open_house(tmp_path) as house:
            await page.goto(house.address)
            await page.get_by_role("link", name="Ada").click()
            await expect(page.get_by_text("Welcome to the practice room")).to_be_visible(timeout=JOB_MS)
            await page.screenshot(path="var/screenshots/first-visit.png")
            await press(page, "Paint this picture")
            painting = page.get_by_role("img", name=re.compile("^The picture, repainted"))
            await expect(painting).to_be_visible(timeout=FIRST_JOB_MS)
            await expect(painting).to_have_js_property("complete", True, timeout=FIRST_JOB_MS)
            await expect(painting).not_to_have_js_property("naturalWidth", 0)
            await press(page, "Play me a blues")
            clip = page.locator(".message").last.locator("audio")
            await expect(clip).to_be_visible(timeout=JOB_MS)
            assert await plays(clip) > 4.0
        with open_house(tmp_path) as house:
            await page.goto(f"{house.address}?member=ada#gallery")
            await expect(page.locator(".attachments img").last).to_be_visible()
            await expect(page.locator(".status")).to_contain_text("Ready to play", timeout=FIRST_JOB_MS)
            await press(page, "Quiz me")
            question = page.locator(".message.private").last
            await expect(question.locator(".components")).to_be_visible(timeout=JOB_MS)
            await answer(question, page)
            await expect(page.locator(".embed-title").filter(has_text=re.compile("Right|Not this time"))).to_be_visible(
                timeout=JOB_MS
            )
            await press(page, "Human or AI?")
            pair = page.locator(".message").filter(has=page.get_by_role("button", name="A is the human"))
            await expect(pair.locator("audio")).to_have_count(2, timeout=JOB_MS)
            assert await plays(pair.locator("audio").last) > 4.0
            await press(page, "A is the human")
            await expect(page.get_by_text("This one was just for you")).to_be_visible(timeout=JOB_MS)
            await page.screenshot(path="var/screenshots/first-visit-end.png")
            assert house.violations() == []
    assert faults == []

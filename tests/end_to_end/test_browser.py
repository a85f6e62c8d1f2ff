"""A newcomer at the page: every main feature once, by hand, with screenshots."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.end_to_end.answering import answer
from tests.end_to_end.house import House
from tests.playground.browser import Tab, open_browser, plays

pytestmark = pytest.mark.browser

JOB_MS = 120_000


@pytest.fixture
async def browser(house: House) -> AsyncIterator[Browser]:
    async with open_browser() as opened:
        yield opened


async def test_a_newcomer_paints_plays_learns_and_votes(house: House, browser: Browser, photo: Path) -> None:
    ada = await Tab.open(browser, house.address, "ada", "gallery")
    page = ada.page
    await ada.command("stylize", {"strength": "90"}, {"image": photo})
    painted = page.locator(".message").filter(has=page.locator(".command-name", has_text="/stylize")).last
    await expect(painted.locator(".attachments img")).to_have_js_property("naturalWidth", 384, timeout=JOB_MS)
    await expect(painted.locator(".embed img")).to_be_visible()
    await expect(painted.get_by_role("button", name="Another style", exact=True)).to_be_enabled()
    await ada.shot("stylize")

    await page.get_by_role("link", name="jazz-club").click()
    await ada.command("jazz", {"chords": "Dm7 G7 | Cmaj7 | Fm7 Bb7 | Cmaj7", "bars": "4", "seed": "11"})
    clip = page.locator(".message").filter(has=page.locator(".command-name", has_text="/jazz")).last
    await expect(clip.locator("audio")).to_be_visible(timeout=JOB_MS)
    assert await plays(clip.locator("audio")) > 4.0
    await expect(clip.locator(".embed img")).to_be_visible()
    await ada.shot("jazz")

    await page.get_by_role("link", name="quiz").click()
    await ada.command("quiz question")
    question = page.locator(".message").filter(has=page.locator(".command-name", has_text="/quiz")).last
    await expect(question.locator(".embed")).to_be_visible(timeout=JOB_MS)
    await answer(question, page)
    told = page.locator(".message.private").last
    await expect(told.locator(".embed-title")).to_have_text(re.compile("Right!|Not this time"))
    await expect(told).to_contain_text("Only you can see this")
    await ada.shot("quiz")

    teacher = await Tab.open(browser, house.address, "thelonia", "jazz-club")
    await teacher.command("poll start", {"closes_in": "60", "trials": "1"})
    await page.get_by_role("link", name="jazz-club").click()
    poll = page.locator(".message").filter(has_text="Pair 1 of 1").last
    await expect(poll.locator("audio").first).to_be_visible(timeout=2 * JOB_MS)
    assert await poll.locator("audio").count() == 2
    assert await plays(poll.locator("audio").first) > 4.0
    await poll.get_by_role("button", name="A", exact=True).click()
    await expect(page.get_by_text("Your vote: A is the human")).to_be_visible()
    await poll.get_by_role("button", name="B", exact=True).click()
    await expect(page.get_by_text("Changed to B is the human")).to_be_visible()
    await ada.shot("poll")
    await teacher.command("poll close")
    await expect(page.locator(".embed").filter(has_text="The reveal").last).to_be_visible(timeout=JOB_MS)
    await ada.shot("poll-result")
    assert ada.faults == teacher.faults == []

"""Answers a quiz question on the page as a guesser would, whatever its kind."""

from __future__ import annotations

import re

from playwright.async_api import Locator, Page, expect

HAND_IN = '[data-custom-id^="hand-in:"]'


async def answer(question: Locator, page: Page) -> None:
    """Takes the first of what there is to choose, and hands it in where that's asked for."""
    if await question.locator(".select").count():
        await question.locator(".select").click()
        await page.get_by_role("option").first.click()
        await page.keyboard.press("Escape")
        await _hand_in(page)
        return
    if await question.locator('[data-custom-id^="order:"]').count():
        await _put_in_order(question, page)
        return
    is_typed = await question.get_by_role("button", name="Type your answer").count()
    await question.locator(".components button").first.click()
    if is_typed:
        form = page.get_by_role("dialog")
        await form.get_by_role("textbox").fill("2")
        await form.get_by_role("button", name="Submit").click()


async def _put_in_order(question: Locator, page: Page) -> None:
    """Takes the lines as they come; a question for everybody opens a private message to do that in."""
    opener = question.get_by_role("button", name="Put the lines in order")
    if await opener.count():
        await opener.click()
        question = page.locator(".message.private").last
        await expect(question).to_contain_text("Which line comes first?")
    while not await page.locator(HAND_IN).count():
        before = await question.inner_text()
        await question.locator('[data-custom-id^="order:"]').first.click()
        await expect(question).not_to_have_text(before, use_inner_text=True)
    await _hand_in(page)


async def _hand_in(page: Page) -> None:
    """Hands in what was chosen, unless the choice itself has done that."""
    hand_in = page.locator(HAND_IN)
    told = page.locator(".embed-title").filter(has_text=re.compile("Right|Not this time"))
    await expect(hand_in.or_(told).first).to_be_visible()
    if await hand_in.count():
        await hand_in.last.click()

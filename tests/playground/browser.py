"""A Chromium to look at the page with: Debian's, driven by Playwright; no download."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, async_playwright, expect

from tests.playground.evidence import SCREENSHOTS, keep_pictures

NAMES = ("chromium", "chromium-browser", "google-chrome")
VIEWPORT = {"width": 1280, "height": 800}

expect.set_options(timeout=15_000)  # a machine that other work holds up for a while is no failure of the page


def chromium_path() -> str:
    """Where Chromium is (`CHROMIUM` in the environment, or on the path); skips the test where there is none."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("no Chromium found: install the package `chromium`, or name one in CHROMIUM")
    return found


@contextlib.asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    path = chromium_path()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        )
        failing = True
        try:
            yield browser
            failing = False
        finally:
            await keep_pictures(browser, failing=failing)
            await browser.close()


class Tab:
    """A member's tab. What goes wrong in the page's own code is kept in `faults`."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.faults: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda message: self.faults.append(message.text) if message.type == "error" else None)

    @classmethod
    async def open(
        cls,
        browser: Browser,
        address: str,
        member: str,
        channel: str = "gallery",
        *,
        size: dict[str, int] = VIEWPORT,
        scheme: str = "dark",
    ) -> Tab:
        context = await browser.new_context(
            viewport=size,  # type: ignore[arg-type]
            color_scheme=scheme,  # type: ignore[arg-type]
            reduced_motion="reduce",
            locale="en-US",
            has_touch=size["width"] < 500,
        )
        tab = cls(await context.new_page())
        await tab.page.goto(f"{address}?member={member}#{channel}")
        await tab.drawn()
        return tab

    async def drawn(self) -> None:
        """Waits until the page hears what happens and shows the channel's messages."""
        await self.page.locator(".messages[aria-busy=false]").wait_for(state="attached")

    async def command(
        self, title: str, options: dict[str, str] | None = None, files: dict[str, Path] | None = None
    ) -> None:
        """Picks `/title` from the list, fills in its options (optional ones are added first), and sends it."""
        await self.page.get_by_label("Message", exact=True).fill(f"/{title}")
        await self.page.locator(".command-item").first.click()
        form = self.page.locator(".command-form")
        for name, path in (files or {}).items():
            await self._show(name)
            await form.locator(f'[data-option="{name}"] input[type=file]').set_input_files(path)
        for name, value in (options or {}).items():
            await self._show(name)
            field = form.get_by_label(name, exact=True)
            await field.fill(value)
            suggestion = form.locator(".suggestions button").filter(has_text=value)
            if await field.get_attribute("data-suggests"):
                await suggestion.first.click()
        await form.get_by_role("button", name="Send", exact=True).click()

    async def _show(self, name: str) -> None:
        pill = self.page.locator(f'.command-form [data-option="{name}"]')
        if not await pill.count():
            await self.page.locator(".more-option").filter(has_text=name).first.click()

    async def shot(self, name: str) -> None:
        """Keeps a screenshot, which CI hands out."""
        await self.page.screenshot(path=SCREENSHOTS / f"{name}.png")


async def plays(player: Locator) -> float:
    """Presses play and waits until sound has moved on; the clip's length in seconds."""
    script = """async audio => {
      const moves = new Promise(done => audio.addEventListener("timeupdate", () => audio.currentTime > 0.2 && done()));
      await audio.play();
      await moves;
      audio.pause();
      return audio.duration;
    }"""
    return float(await player.evaluate(script))

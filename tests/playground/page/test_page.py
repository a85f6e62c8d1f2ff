"""The page in a browser: what a member does by hand, and what the others see."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.playground.browser import Tab, open_browser, plays
from tests.playground.conftest import Course, Open
from tests.playground.practice_bot import png

pytestmark = pytest.mark.browser


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with open_browser() as opened:
        yield opened


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    path.write_bytes(png(400, 300, (60, 90, 180)))
    return path


async def test_a_member_uses_commands_by_hand(course: Course, browser: Browser, photo: Path) -> None:
    ada = await Tab.open(browser, course.playground.address, "ada")
    page = ada.page
    await page.get_by_label("Message", exact=True).fill("/")
    items = page.locator(".command-item")
    await expect(items.filter(has_text="Sends your picture back")).to_be_visible()
    await expect(items.filter(has_text="/poll start")).to_have_count(0)
    await ada.shot("playground-commands")

    await ada.command("echo", {"note": "hi"}, {"picture": photo})
    await expect(page.get_by_text("hi: 1065 bytes")).to_be_visible()
    picture = page.locator(".attachments img")
    await expect(picture).to_have_js_property("naturalWidth", 400)
    await picture.click()
    large = page.locator(".lightbox img")
    await expect(large).to_be_visible()
    await large.click()
    await expect(page.locator(".lightbox.zoomed")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(large).to_have_count(0)

    await ada.command("style", {"name": "The Great Wave"})
    await expect(page.locator(".embed").filter(has_text="A style of the book")).to_be_visible()
    await expect(page.locator(".embed img")).to_have_js_property("naturalWidth", 320)

    await ada.command("clip")
    await expect(page.locator(".waveform.drawn")).to_be_visible()
    assert await plays(page.locator("audio")) == 2.0
    await ada.shot("playground-messages")
    assert ada.faults == []


async def test_what_does_not_fit_an_option_is_said_before_it_is_sent(course: Course, browser: Browser) -> None:
    teacher = await Tab.open(browser, course.playground.address, "thelonia")
    form = teacher.page.locator(".command-form")
    await teacher.command("poll start")
    await expect(form.get_by_text("hours: this option is required")).to_be_visible()
    hours = form.get_by_label("hours", exact=True)
    for typed, sentence in (("99", "at most 72"), ("0", "at least 1"), ("1.5", "whole number"), ("x", "whole number")):
        await hours.fill(typed)
        await form.get_by_role("button", name="Send").click()
        await expect(form.locator(".failure")).to_contain_text(sentence)
    await hours.fill("24")
    await hours.press("Enter")
    await expect(teacher.page.get_by_text("open for 24 h")).to_be_visible()


async def test_components_and_forms_work_and_private_answers_stay_private(course: Course, browser: Browser) -> None:
    ada = await Tab.open(browser, course.playground.address, "ada")
    ben = await Tab.open(browser, course.playground.address, "ben")
    await ada.command("count")
    await ben.page.get_by_role("button", name="Count 0").click()
    await expect(ada.page.get_by_role("button", name="Count 1")).to_be_visible()
    await expect(ada.page.get_by_role("button", name="Closed")).to_be_disabled()

    await ada.command("band")
    await ada.page.locator(".select").click()
    await ada.page.get_by_role("option", name="piano").click()
    await ada.page.get_by_role("option", name="trumpet").click()
    await ada.page.keyboard.press("Escape")
    await expect(ada.page.get_by_text("piano and trumpet")).to_be_visible()
    await expect(ada.page.get_by_text("Only you can see this")).to_be_visible()
    await expect(ben.page.get_by_text("The band")).to_be_visible()
    await course.ada.say("heard it?")
    await expect(ben.page.get_by_text("heard it?")).to_be_visible()  # and so whatever came before it
    await expect(ben.page.get_by_text("piano and trumpet")).to_have_count(0)
    await ada.page.get_by_role("button", name="Dismiss message").click()
    await expect(ada.page.get_by_text("piano and trumpet")).to_have_count(0)

    await ada.command("form")
    dialog = ada.page.get_by_role("dialog")
    await dialog.get_by_label("Who plays?").fill("Bill")
    await dialog.locator(".select").click()
    await ada.page.get_by_role("option", name="Swing").click()
    await ada.shot("playground-form")
    await dialog.get_by_role("button", name="Submit").click()
    await expect(ben.page.get_by_text("Bill, swing, []")).to_be_visible()
    assert ada.faults == ben.faults == []


async def test_menus_replies_and_the_bots_absence(open_course: Open, browser: Browser, photo: Path) -> None:
    async with open_course() as course:
        ada = await Tab.open(browser, course.playground.address, "ada")
        page = ada.page
        await page.locator(".composer-line input[type=file]").set_input_files(photo)
        await page.get_by_label("Message", exact=True).fill("my **cat**")
        await page.keyboard.press("Enter")
        message = page.locator(".message").filter(has_text="my cat").first
        await expect(message.locator("strong")).to_have_text("cat")
        await message.locator(".message-content").click(button="right")
        await page.get_by_role("menuitem", name="Measure this").click()
        await expect(page.get_by_text("['400x300']")).to_be_visible()
        await message.locator(".message-content").click(button="right")
        await page.get_by_role("menuitem", name="Reply").click()
        await page.get_by_label("Message", exact=True).fill("<img src=x onerror=alert(1)> lovely")
        await page.keyboard.press("Enter")
        reply = page.locator(".message").filter(has_text="<img src=x onerror=alert(1)> lovely")
        await expect(reply.locator(".reply")).to_contain_text("my cat")

        course.playground.interactions.answer_within_s = 0.3
        await ada.command("late", {"seconds": "1"})
        await expect(page.get_by_text("The application did not respond")).to_be_visible()
        await course.bot.close()
        await expect(page.locator(".banner")).to_contain_text("Woodshed is offline")
        assert ada.faults == []


async def test_the_instructor_takes_a_permission_and_everybody_sees_it(course: Course, browser: Browser) -> None:
    teacher = await Tab.open(browser, course.playground.address, "thelonia")
    ada = await Tab.open(browser, course.playground.address, "ada")
    await expect(ada.page.get_by_role("button", name="Server switches")).to_have_count(0)
    await teacher.page.get_by_role("button", name="Server switches").click()
    await teacher.page.get_by_label("Woodshed can attach files").uncheck()
    await expect(ada.page.get_by_text("Woodshed can't attach files here")).to_be_visible()
    await expect(teacher.page.get_by_text("Woodshed can't attach files here")).to_be_visible()


async def test_a_tab_without_a_member_asks_who_one_is(course: Course, browser: Browser) -> None:
    page = await browser.new_page()
    await page.goto(course.playground.address)
    await page.get_by_role("link", name="Ben").click()
    await expect(page.get_by_text("Welcome to #gallery!")).to_be_visible()
    await page.get_by_role("link", name="quiz").click()
    await expect(page.get_by_text("Welcome to #quiz!")).to_be_visible()


async def test_whoever_types_right_after_changing_the_channel_loses_nothing(course: Course, browser: Browser) -> None:
    ada = await Tab.open(browser, course.playground.address, "ada")
    page = ada.page
    text = page.get_by_label("Message", exact=True)
    await text.fill("half a thought")
    # One task of the page: the browser gets no chance to tell of the followed link in between.
    await page.evaluate(
        """() => {
          [...document.querySelectorAll("a.channel")].find(link => link.hash === "#quiz").click();
          const text = document.querySelector(".composer-text");
          text.value += "/cou";
          text.dispatchEvent(new Event("input", {bubbles: true}));
        }"""
    )
    await expect(page.get_by_text("Welcome to #quiz!")).to_be_visible()
    await expect(text).to_have_value("/cou")
    await page.locator(".command-item").first.click()
    await expect(page.locator(".command-form")).to_be_visible()
    await page.go_back()
    await expect(page.get_by_text("Welcome to #gallery!")).to_be_visible()
    await expect(text).to_have_value("half a thought")
    assert ada.faults == []


async def test_a_half_filled_command_outlives_a_lost_connection(course: Course, browser: Browser, photo: Path) -> None:
    ada = await Tab.open(browser, course.playground.address, "ada")
    page = ada.page
    await page.get_by_label("Message", exact=True).fill("/echo")
    await page.locator(".command-item").first.click()
    form = page.locator(".command-form")
    await form.locator("input[type=file]").set_input_files(photo)
    await page.locator(".more-option").filter(has_text="note").click()
    await form.get_by_label("note", exact=True).fill("half of a thought")
    async with page.expect_event("websocket"):
        await course.playground.audience.close()
    await ada.page.wait_for_function("() => document.querySelector('.banner').textContent === ''")
    await course.ben.say("are you back?")
    await expect(page.get_by_text("are you back?")).to_be_visible()
    await expect(form.get_by_label("note", exact=True)).to_have_value("half of a thought")
    await form.get_by_role("button", name="Send", exact=True).click()
    await expect(page.get_by_text("half of a thought: 1065 bytes")).to_be_visible()


async def test_staff_bring_in_a_class_with_a_click_and_its_names_carry_a_badge(
    course: Course, browser: Browser
) -> None:
    staff = await Tab.open(browser, course.playground.address, "thelonia")
    page = staff.page
    await page.get_by_role("button", name="Bring in a simulated class of 12").click()
    listed = page.locator(".members")
    await expect(listed.get_by_text("Simulated class — 12")).to_be_visible()
    await expect(listed.get_by_text("Mia", exact=True)).to_be_visible()
    await expect(listed.get_by_text("(simulated)")).to_have_count(0)
    await course.ada.say("well done, <@1411898000000001000>")
    await expect(page.locator(".mention")).to_have_text("@MiaSIM")
    await page.get_by_role("button", name="Server switches").click()
    await page.get_by_label("A simulated class of 12 that votes and answers").click()
    await expect(listed.get_by_text("Simulated class")).to_have_count(0)
    await expect(page.locator(".mention")).to_have_text("@MiaSIM")
    ada = await Tab.open(browser, course.playground.address, "ada")
    await expect(ada.page.get_by_text("Bring in a simulated class")).to_have_count(0)
    assert staff.faults == ada.faults == []

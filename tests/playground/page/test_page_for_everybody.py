"""The page on a phone, by day and by night, by keyboard alone, with reactions and threads, in another language."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import AsyncIterator

import discord
import pytest
from playwright.async_api import Browser, Page, expect

from tests.playground.browser import Tab, open_browser
from tests.playground.conftest import Course
from tests.playground.page.contrast import weak_contrasts
from tests.waiting import until

pytestmark = pytest.mark.browser

PHONE = {"width": 360, "height": 740}
LYING_PHONE = {"width": 740, "height": 360}
WORDS = """- one **thing**
> quoted `code`
```python
for bar in range(12):  # swing
    play(bar, 'x')
```
<@{ada}> and <#{channel}>"""
SCROLLED = "document.querySelector('.scroller').scrollTop"
STANDS_STILL = """async () => {
  const scroller = document.querySelector(".scroller");
  for (let frames = 0, last = -1; frames < 10; last = scroller.scrollTop) {
    await new Promise(requestAnimationFrame);
    frames = scroller.scrollTop === last ? frames + 1 : 0;
  }
}"""
"""Browsers scroll over several frames."""
BELOW = (
    "(() => { const s = document.querySelector('.scroller'); return s.scrollHeight - s.scrollTop - s.clientHeight; })()"
)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with open_browser() as opened:
        yield opened


async def fill(course: Course) -> None:
    """Something of every kind in #gallery."""
    place = await course.ada.channel()
    ada = next(m["id"] for m in (await course.ada.state())["members"] if m["slug"] == "ada")
    await course.ben.say(WORDS.format(ada=ada, channel=place["id"]))
    for command, options in (
        ("style", {"name": "The Scream"}),
        ("count", {}),
        ("band", {}),
        ("secret", {}),
        ("layout", {}),
        ("clip", {}),
    ):
        await course.ada.use(command, **options)
    await course.ada.sees(lambda m: m["content"] == "A clip")


async def overflow_px(page: Page) -> int:
    """How far anything sticks out to the right of the window."""
    script = """() => Math.max(0, ...[...document.querySelectorAll("body *")]
        .filter((node) => node.checkVisibility({visibilityProperty: true}) && !node.closest(".scroller pre"))
        .map((node) => node.getBoundingClientRect())
        .filter((box) => box.width > 0)
        .map((box) => Math.round(box.right - innerWidth)))"""
    return int(await page.evaluate(script))


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_text_on_the_page_has_the_contrast_of_aa(course: Course, browser: Browser, scheme: str) -> None:
    await fill(course)
    tab = await Tab.open(browser, course.playground.address, "thelonia", scheme=scheme)
    page = tab.page
    places = {
        "messages": tab.drawn,
        "commands": lambda: page.keyboard.type("/"),
        "form": lambda: page.keyboard.press("Enter"),
        "account": lambda: page.get_by_role("button", name="Members, colours and language").click(),
        "switches": lambda: page.get_by_role("button", name="Server switches").click(),
        "menu": lambda: page.locator(".message-content").first.click(button="right"),
    }
    for place, go in places.items():
        await go()
        count, weak = await weak_contrasts(page)
        assert count > 30, place
        assert weak == [], place
    await page.keyboard.press("Escape")
    await tab.shot(f"playground-{scheme}")


async def test_a_member_chooses_light_or_dark_and_it_stays(course: Course, browser: Browser) -> None:
    tab = await Tab.open(browser, course.playground.address, "ada", scheme="dark")
    page = tab.page
    ground = "getComputedStyle(document.querySelector('.chat')).backgroundColor"
    night = await page.evaluate(ground)
    await page.get_by_role("button", name="Members, colours and language").click()
    await page.get_by_label("Colours", exact=True).select_option("light")
    day = await page.evaluate(ground)
    assert day == "rgb(255, 255, 255)" != night
    await page.reload()
    await tab.drawn()
    assert await page.evaluate(ground) == day


@pytest.mark.parametrize("size", [PHONE, LYING_PHONE], ids=["upright", "lying"])
async def test_a_phone_shows_the_chat_and_keeps_channels_and_members_in_drawers(
    course: Course, browser: Browser, size: dict[str, int]
) -> None:
    await fill(course)
    ada = await Tab.open(browser, course.playground.address, "ada", size=size)
    page = ada.page
    chat = await page.locator(".chat-main").bounding_box()
    assert chat is not None
    assert chat["width"] >= min(size["width"], 420)
    assert await overflow_px(page) == 0
    await page.get_by_role("button", name="Members", exact=True).click()
    await expect(page.get_by_role("button", name="Thelonia")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Thelonia")).to_be_hidden()
    if size is PHONE:
        await expect(page.get_by_role("link", name="quiz")).to_be_hidden()
        await page.get_by_role("button", name="Channels").click()
    await page.get_by_role("link", name="quiz").click()
    await expect(page.get_by_role("heading", name="Welcome to #quiz!")).to_be_visible()
    await ada.command("echo", {"note": "hi"})
    await expect(page.get_by_text("picture: this option is required")).to_be_visible()
    assert await overflow_px(page) == 0
    await page.get_by_role("button", name="Cancel").click()
    await ada.command("count")
    await page.get_by_role("button", name="Count 0").click()
    await expect(page.get_by_role("button", name="Count 1")).to_be_visible()
    await ada.shot(f"playground-phone-{size['width']}")
    assert ada.faults == []


async def test_the_keyboard_alone_does_everything(course: Course, browser: Browser) -> None:
    ada = await Tab.open(browser, course.playground.address, "ada")
    page, keys = ada.page, ada.page.keyboard
    await keys.type("/cou")
    await keys.press("Enter")  # the form, whose only control is Send
    await keys.press("Enter")
    await expect(page.get_by_role("button", name="Count 0")).to_be_visible()
    await page.get_by_role("button", name="Count 0").focus()
    await keys.press("Enter")
    await expect(page.get_by_role("button", name="Count 1")).to_be_visible()

    await page.get_by_label("Message", exact=True).focus()
    await keys.type("/band")
    await keys.press("Enter")
    await keys.press("Enter")
    select = page.locator("button.select")
    await select.focus()
    await keys.press("Enter")
    await expect(page.get_by_role("option", name="piano")).to_be_focused()
    await keys.press("ArrowDown")
    await keys.press("Enter")
    await keys.press("Escape")
    await expect(page.locator(".message-content").get_by_text("trumpet", exact=True)).to_be_visible()

    more = page.get_by_role("button", name="More").first
    await more.focus()
    await keys.press("Enter")
    await expect(page.get_by_role("menuitem").first).to_be_focused()
    await keys.press("ArrowDown")
    await expect(page.get_by_role("menuitem").nth(1)).to_be_focused()
    await keys.press("Escape")
    await expect(more).to_be_focused()
    assert ada.faults == []


async def test_every_control_has_a_name_for_a_screen_reader(course: Course, browser: Browser) -> None:
    await fill(course)
    tab = await Tab.open(browser, course.playground.address, "thelonia")
    snapshot = await tab.page.locator("body").aria_snapshot()
    nameless = [
        line.strip()
        for line in snapshot.splitlines()
        if line.strip() in ("- button", "- link", "- textbox", "- combobox", "- img")
    ]
    assert nameless == []


async def test_a_new_answer_is_seen_from_its_start_and_a_reader_above_is_not_pulled_down(
    course: Course, browser: Browser
) -> None:
    ada = await Tab.open(browser, course.playground.address, "ada", size={"width": 1000, "height": 420})
    page = ada.page
    for number in range(12):
        await course.ben.say(f"message {number}\n" * 4)
    await expect(page.get_by_text("message 11").first).to_be_in_viewport()
    await page.wait_for_function(f"{BELOW} < 4")
    await ada.command("layout")
    answer = page.locator(".message").filter(has=page.get_by_role("heading", name="Starry Night")).last
    await expect(answer.locator(".message-context")).to_be_in_viewport()
    await expect(answer.get_by_role("heading", name="Starry Night")).to_be_in_viewport()

    await page.locator(".scroller").hover()
    await page.mouse.wheel(0, -1500)
    jump = page.get_by_role("button", name="Jump to newest")
    await expect(jump).to_be_visible()
    await page.evaluate(STANDS_STILL)
    before = await page.evaluate(SCROLLED)
    await course.ben.say("news")
    await expect(jump).to_have_text("1 new · Jump to newest")
    assert await page.evaluate(SCROLLED) == before
    await jump.click()
    await expect(page.get_by_text("news", exact=True)).to_be_in_viewport()
    await expect(jump).to_be_hidden()


SHRINKS_THEN_GROWS = """async () => {
  const { Scrolling } = await import(new URL("page/files/js/chat/scrolling.js", location.href));
  const box = (height) => Object.assign(document.createElement("div"), { style: `height: ${height}px` });
  const list = document.createElement("div");
  const scroller = Object.assign(box(500), { className: "scroller" });
  list.append(box(900), box(200));
  scroller.append(list);
  document.body.append(scroller);
  const scrolling = new Scrolling(scroller, list, () => {});
  const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  scrolling.toNewest();
  await frame();
  await frame();
  list.append(box(100));
  scrolling.added(true);
  list.lastChild.remove();
  if (FOLLOWS) scrolling.added(true);
  else scroller.scrollTop; // laid out: the browser moves it up
  list.lastChild.style.height = "380px";
  await frame();
  await frame();
  const below = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
  scroller.scrollTop = 100;
  await frame();
  const isHeld = scrolling.isFollowing;
  scroller.remove();
  return [below, isHeld];
}"""


@pytest.mark.parametrize("follows", ["true", "false"])
async def test_a_line_that_shrinks_and_grows_within_a_frame_does_not_end_the_following(
    course: Course, browser: Browser, follows: str
) -> None:
    """`Woodshed is thinking ...` gives way to a clip: the browser moves the list, and nobody has scrolled."""
    ada = await Tab.open(browser, course.playground.address, "ada")
    below, is_held = await ada.page.evaluate(SHRINKS_THEN_GROWS.replace("FOLLOWS", follows))
    assert below == 0
    assert not is_held


async def test_the_language_is_really_sent_and_a_missing_translation_is_said(course: Course, browser: Browser) -> None:
    tab = await Tab.open(browser, course.playground.address, "ada")
    page = tab.page
    await page.get_by_role("button", name="Members, colours and language").click()
    await page.get_by_label("Language", exact=True).select_option("zh-CN")
    await expect(page.get_by_text("commands aren't translated into 中文")).to_be_visible()
    await page.keyboard.press("Escape")
    await tab.command("count")
    await expect(page.get_by_role("button", name="Count 0")).to_be_visible()
    assert course.bot.locales[-1] == "zh-CN"


async def test_what_a_member_typed_first_and_uses_often_is_offered_first(course: Course, browser: Browser) -> None:
    tab = await Tab.open(browser, course.playground.address, "thelonia")
    page = tab.page
    titles = page.locator(".command-title")
    text = page.get_by_label("Message", exact=True)
    await text.fill("/po")
    await expect(titles.first).to_have_text("/post lengthpictures")  # of one word, before /poll start
    await text.fill("/poll")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Escape")
    await text.fill("/po")
    await expect(titles.first).to_have_text("/poll start hours")


async def test_reactions_and_threads_are_shared_and_reach_the_bot(course: Course, browser: Browser) -> None:
    ada = await Tab.open(browser, course.playground.address, "ada")
    ben = await Tab.open(browser, course.playground.address, "ben")
    said = await course.ben.say("who plays tonight?")
    message = ada.page.locator(f'[data-id="{said["id"]}"]')
    await message.hover()
    await message.get_by_role("button", name="Add a reaction").click()
    await ada.page.get_by_role("menuitem", name="🎷").click()
    chip = ben.page.get_by_role("button", name="🎷 1: Ada")
    await chip.click()
    await expect(message.get_by_role("button", name="🎷 2: Ada, Ben")).to_be_visible()
    await ben.page.get_by_role("button", name="🎷 2: Ada, Ben").click()
    await expect(message.get_by_role("button", name="🎷 1: Ada")).to_be_visible()
    await until(lambda: len(course.bot.reactions) == 3)
    assert course.bot.reactions == ["+🎷", "+🎷", "-🎷"]

    await message.locator(".message-content").click(button="right")
    await ada.page.get_by_role("menuitem", name="Start a thread").click()
    await expect(ada.page.get_by_role("heading", name="who-plays-tonight", level=1).last).to_be_visible()
    await ada.command("count")
    await expect(ada.page.get_by_role("button", name="Count 0")).to_be_visible()
    await expect(ben.page.get_by_role("button", name="Count 0")).to_have_count(0)
    await ben.page.locator(".thread-link").click()
    await ben.page.get_by_role("button", name="Count 0").click()
    await expect(ada.page.get_by_role("button", name="Count 1")).to_be_visible()
    assert ada.faults == ben.faults == []


async def test_an_empty_channel_offers_what_to_try_and_the_top_line_who_one_is(
    course: Course, browser: Browser
) -> None:
    channel = course.playground.channels[(await course.ada.channel())["id"]]
    channel.topic = "Try /count or /poll start"
    tab = await Tab.open(browser, course.playground.address, "ada")
    page = tab.page
    await expect(page.locator(".hint")).to_have_count(1)  # /poll is the staff's
    await page.locator(".hint").click()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Count 0")).to_be_visible()
    await expect(page.get_by_text("You're Ada, a student.")).to_be_visible()
    async with page.context.expect_page() as opened:
        await page.locator(".who-line").get_by_role("link", name="Ben").click()
    other = await opened.value
    await expect(other.get_by_text("You're Ben, a student.")).to_be_visible()
    await page.get_by_role("button", name="Close this line").click()
    await expect(page.get_by_text("You're Ada")).to_have_count(0)


async def test_the_top_line_leads_to_the_bots_help_once_it_has_one(course: Course, browser: Browser) -> None:
    tab = await Tab.open(browser, course.playground.address, "ada")
    page = tab.page
    offer = page.locator(".who-line").get_by_role("button", name="/help")
    await expect(page.get_by_text("You're Ada, a student.")).to_be_visible()
    await expect(offer).to_be_hidden()

    @course.bot.tree.command(name="help", description="What I can do")
    async def helping(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("Press a button", ephemeral=True)

    await course.bot.tree.sync()
    await offer.click()
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Press a button")).to_be_visible()
    assert tab.faults == []


async def test_the_corner_says_how_the_bot_is(course: Course, browser: Browser) -> None:
    tab = await Tab.open(browser, course.playground.address, "ada")
    corner = tab.page.locator(".status")
    await expect(corner).to_have_text("Woodshed is online")
    await course.bot.wait_until_ready()
    await course.bot.ws.send(
        json.dumps(
            {
                "op": 3,
                "d": {
                    "activities": [{"name": "x", "state": "Warming up", "type": 4}],
                    "status": "online",
                    "since": None,
                    "afk": False,
                },
            }
        )
    )
    await expect(corner).to_have_text("Warming up")
    await course.bot.close()
    await expect(corner).to_contain_text("Woodshed is offline")


async def test_arrow_keys_walk_through_commands_and_choices(course: Course, browser: Browser) -> None:
    ada = await Tab.open(browser, course.playground.address, "ada")
    text = ada.page.get_by_label("Message", exact=True)
    await text.press_sequentially("/s")
    items = ada.page.locator(".command-item")
    chosen = ada.page.locator(".command-item.active .command-title")
    await expect(items.nth(1)).to_be_visible()
    first, second = await items.nth(0).inner_text(), await items.nth(1).inner_text()
    assert (await chosen.inner_text()) in first
    await ada.page.keyboard.press("ArrowDown")
    assert (await chosen.inner_text()) in second
    await ada.page.keyboard.press("ArrowUp")
    await ada.page.keyboard.press("ArrowUp")
    assert (await chosen.inner_text()) in await items.last.inner_text(), "from the first up to the last"

    await text.fill("/style")
    await ada.page.keyboard.press("Enter")
    suggestions = ada.page.locator(".suggestion.active")
    await expect(suggestions).to_have_text("Starry Night")
    await ada.page.keyboard.press("ArrowDown")
    await ada.page.keyboard.press("ArrowDown")
    await expect(suggestions).to_have_text("The Scream")
    await ada.page.keyboard.press("Enter")
    await expect(ada.page.get_by_label("name", exact=True)).to_have_value("The Scream")
    assert ada.faults == []


async def test_a_member_is_mentioned_by_name_and_sees_it(course: Course, browser: Browser) -> None:
    ada = await Tab.open(browser, course.playground.address, "ada")
    ben = await Tab.open(browser, course.playground.address, "ben")
    await ada.page.get_by_label("Message", exact=True).fill("@Ben, listen to this. @Benedict isn't here")
    await ada.page.keyboard.press("Enter")
    called = ben.page.locator(".message.mentions-me")
    await expect(called.locator(".mention-me")).to_have_text("@Ben")
    await expect(called).to_contain_text("@Benedict isn't here")
    own = ada.page.locator(".message").filter(has_text="listen to this")
    await expect(own).to_be_visible()
    await expect(own).not_to_have_class(re.compile("mentions-me"))
    said = await course.ada.sees(lambda m: "listen to this" in m["content"])
    assert [user["username"] for user in said["mentions"]] == ["ben"]


async def test_a_native_poll_is_voted_in_and_shows_how_it_went(course: Course, browser: Browser) -> None:
    ada = await Tab.open(browser, course.playground.address, "ada")
    ben = await Tab.open(browser, course.playground.address, "ben")
    channel = course.bot.get_channel(int((await course.ada.channel())["id"]))
    assert isinstance(channel, discord.TextChannel)
    poll = discord.Poll("Which rhythm?", datetime.timedelta(hours=1))
    sent = await channel.send(poll=poll.add_answer(text="Swing", emoji="🎷").add_answer(text="Latin"))
    for tab, answer in ((ada, "🎷 Swing"), (ben, "Latin")):
        await tab.page.get_by_role("radio", name=answer).check()
        await tab.page.get_by_role("button", name="Vote", exact=True).click()
    await expect(ada.page.locator(".poll-answer.mine")).to_contain_text("1 vote · 50 %")
    await ben.page.get_by_role("button", name="Remove vote").click()
    await expect(ada.page.locator(".poll-answer.mine")).to_contain_text("1 vote · 100 %")
    await expect(ben.page.get_by_role("radio", name="Latin")).to_be_visible()
    await sent.end_poll()
    await expect(ben.page.get_by_text("“🎷 Swing” won").or_(ben.page.get_by_text("“Swing” won"))).to_be_visible()
    await expect(ben.page.locator(".poll")).to_contain_text("The poll is closed")
    assert ada.faults == ben.faults == []

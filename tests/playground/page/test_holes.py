"""What breaks pages: a slow or broken line, an impatient finger, odd files and odd words."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import AsyncIterator
from pathlib import Path

import discord
import pytest
from playwright.async_api import Browser, Page, Route, expect

from tests.playground.browser import Tab, open_browser
from tests.playground.conftest import Course

pytestmark = pytest.mark.browser

PHONE = {"width": 380, "height": 740}
LONG_LINE = "runs = [subprocess.run([sys.executable, '-c', program], env=environment).stdout for seed in '0123456789']"
MESSAGES = "**/page/channels/*/messages?member=ada"


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with open_browser() as opened:
        yield opened


async def gallery(course: Course) -> discord.TextChannel:
    channel = course.bot.get_channel(int((await course.ada.channel())["id"]))
    assert isinstance(channel, discord.TextChannel)
    return channel


async def said(page: Page) -> list[str]:
    return await page.locator(".message .markdown").all_inner_texts()


async def test_what_is_said_while_a_channel_loads_stands_below_and_what_is_deleted_stays_away(
    course: Course, browser: Browser
) -> None:
    gone = await course.ben.say("gone", channel="quiz")
    await course.ben.say("first", channel="quiz")
    ada = await Tab.open(browser, course.playground.address, "ada")
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        answer = await route.fetch()
        asked.set()
        await go_on.wait()
        await route.fulfill(response=answer)

    await ada.page.route(MESSAGES, hold)
    await ada.page.get_by_role("link", name="quiz").click()
    await asked.wait()
    await course.ben.delete(gone)
    await course.ben.say("second", channel="quiz")
    await expect(ada.page.get_by_text("second")).to_be_visible()
    go_on.set()
    await ada.drawn()
    assert await said(ada.page) == ["first", "second"]


async def test_nothing_is_missed_between_the_loading_of_a_channel_and_the_first_event(
    course: Course, browser: Browser
) -> None:
    """The connection for events comes up late: the messages are asked for only then."""
    connect = asyncio.Event()
    page = await browser.new_page()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))

    async def late(socket) -> None:  # type: ignore[no-untyped-def]
        await connect.wait()
        socket.connect_to_server()

    await page.route_web_socket("**/page/events*", late)
    await page.goto(f"{course.playground.address}?member=ada#gallery")
    await expect(page.get_by_text("Welcome to #gallery!")).to_be_visible()
    assert not any("/messages?" in url for url in requests)
    await course.ben.say("just in time")
    connect.set()
    await expect(page.get_by_text("just in time")).to_be_visible()


async def test_a_half_made_choice_in_a_poll_survives_somebody_elses_vote(course: Course, browser: Browser) -> None:
    ada = await Tab.open(browser, course.playground.address, "ada")
    poll = discord.Poll("Which rhythm?", datetime.timedelta(hours=1)).add_answer(text="Swing").add_answer(text="Latin")
    await (await gallery(course)).send(poll=poll)
    await ada.page.get_by_role("radio", name="Latin").check()
    await course.ben.vote(await course.ben.sees(lambda m: m.get("poll")), 1)
    await expect(ada.page.locator(".poll")).to_contain_text("1 voter")
    await expect(ada.page.get_by_role("radio", name="Latin")).to_be_checked()
    await ada.page.get_by_role("button", name="Vote", exact=True).click()
    await expect(ada.page.locator(".poll-answer.mine")).to_contain_text("Latin")
    assert ada.faults == []


async def test_a_long_line_of_code_scrolls_in_its_own_box(course: Course, browser: Browser) -> None:
    code = f"```python\nimport sys\n{LONG_LINE}\n```"
    await course.ben.say(code)
    channel = await gallery(course)
    embed = discord.Embed(title="Practice", description=f"Why?\n{code}")
    await channel.send(embed=embed.add_field(name="Code", value=code, inline=False))
    tab = await Tab.open(browser, course.playground.address, "ada", size=PHONE)
    boxes = tab.page.locator(".message pre")
    await expect(boxes).to_have_count(3)
    for box in await boxes.all():
        measured = await box.evaluate(
            "box => ({ inner: box.scrollWidth, outer: box.clientWidth, lines: box.textContent.split('\\n').length,"
            " right: box.getBoundingClientRect().right, height: box.clientHeight, window: innerWidth })"
        )
        assert measured["inner"] > measured["outer"] + 50, "it's longer than the box"
        assert measured["right"] <= measured["window"]
        assert measured["height"] < 3 * 24, "two lines stay two lines"
    widest = await tab.page.evaluate("Math.max(...[...document.querySelectorAll('.scroller')].map(s => s.scrollWidth))")
    assert widest <= PHONE["width"]


async def test_an_impatient_finger_hands_a_form_in_once(course: Course, browser: Browser) -> None:
    ada = await Tab.open(browser, course.playground.address, "ada")
    await ada.command("form")
    dialog = ada.page.get_by_role("dialog")
    await dialog.get_by_label("Who plays?").fill("Bill")
    await dialog.locator(".select").click()
    await ada.page.get_by_role("option", name="Swing").click()
    await dialog.get_by_role("button", name="Submit").dblclick()
    await expect(ada.page.get_by_text("Bill, swing, []")).to_be_visible()
    await expect(dialog).to_have_count(0)
    assert [m["content"] for m in await course.ada.messages()].count("Bill, swing, []") == 1
    assert ada.faults == []


async def test_an_impatient_finger_sends_a_message_and_a_command_once(course: Course, browser: Browser) -> None:
    ada = await Tab.open(browser, course.playground.address, "ada")
    text = ada.page.get_by_label("Message", exact=True)
    await text.fill("once")
    await text.press("Enter")
    await text.press("Enter")
    await expect(ada.page.get_by_text("once", exact=True)).to_be_visible()
    await text.fill("/count")
    await ada.page.locator(".command-item").first.click()
    await ada.page.locator(".command-form").get_by_role("button", name="Send").dblclick()
    counted = ada.page.get_by_role("button", name="Count 0")
    await counted.dblclick()
    await expect(ada.page.get_by_role("button", name="Count 1")).to_be_visible()
    await course.ben.say("and then?")
    await expect(ada.page.get_by_text("and then?")).to_be_visible()
    assert await said(ada.page) == ["once", "Counted to 1", "and then?"]


async def test_a_message_that_could_not_be_sent_comes_back_before_what_was_typed_since(
    course: Course, browser: Browser
) -> None:
    ada = await Tab.open(browser, course.playground.address, "ada")
    page, text = ada.page, ada.page.get_by_label("Message", exact=True)
    typed = asyncio.Event()

    async def cut(route: Route) -> None:
        await typed.wait()
        await route.abort()

    await page.route(MESSAGES, cut)
    await text.fill("the first thought")
    await text.press("Enter")
    await text.fill("the second")
    typed.set()
    await expect(page.get_by_text("The playground doesn't answer.")).to_be_visible()
    await expect(text).to_have_value("the first thought\nthe second")
    await page.unroute(MESSAGES)
    await text.press("Enter")
    await expect(page.get_by_text("the first thought")).to_be_visible()


async def test_an_answer_that_is_no_json_is_a_sentence_and_nothing_hangs(course: Course, browser: Browser) -> None:
    ada = await Tab.open(browser, course.playground.address, "ada")

    async def proxy(route: Route) -> None:
        await route.fulfill(status=502, content_type="text/html", body="<h1>Bad gateway</h1>")

    await ada.page.route("**/interactions?*", proxy)
    await ada.command("count")
    await expect(ada.page.locator(".pending .failure")).to_have_text("The playground couldn't do that (HTTP 502).")


async def test_a_text_that_is_too_long_is_not_cut_but_counted(course: Course, browser: Browser) -> None:
    ada = await Tab.open(browser, course.playground.address, "ada")
    page, text = ada.page, ada.page.get_by_label("Message", exact=True)
    await text.fill("🎷" * 2000)
    await expect(page.locator(".composer-room")).to_have_text("0")
    await text.press("Enter")
    await expect(page.locator(".message .markdown")).to_have_text("🎷" * 2000)
    await text.fill("y" * 4000)
    await expect(page.locator(".composer-room")).to_have_text("-2000")
    await text.press("Enter")
    await expect(page.get_by_text("at most 2000 characters; this one has 4000")).to_be_visible()
    await expect(text).to_have_value("y" * 4000)
    assert ada.faults == []


NAMES = (
    "<img src=x onerror=alert(1)>.txt",
    "שלום עולם‮gnp.exe",
    "🎷🎺 solo (final) #2 50%.txt",
    "a'b\"c;d&e.txt",
    "n" * 200 + ".txt",
)


async def test_files_of_every_name_and_of_no_size_arrive(course: Course, browser: Browser) -> None:
    ada = await Tab.open(browser, course.playground.address, "ada")
    page = ada.page
    picker = page.locator(".composer-line input[type=file]")
    files = [{"name": name, "mimeType": "text/plain", "buffer": b"words"} for name in NAMES]
    await picker.set_input_files([*files, {"name": "empty.png", "mimeType": "image/png", "buffer": b""}])  # type: ignore[list-item]
    await expect(page.locator(".tray-item")).to_have_count(6)
    await page.get_by_role("button", name="Send message").click()
    message = page.locator(".message")
    await expect(message.locator(".file-card")).to_have_count(6)
    box = await message.bounding_box()
    assert box is not None
    for card in await message.locator(".file-card").all():
        inner = await card.bounding_box()
        assert inner is not None
        assert inner["x"] + inner["width"] <= box["x"] + box["width"]
    assert await page.locator(".message img[src=x]").count() == 0
    sent = await course.ben.sees(lambda m: len(m["attachments"]) == 6)
    contents = [(await course.ben.download(a["url"]))[:2] for a in sent["attachments"]]
    assert contents == [(200, b"words")] * 5 + [(200, b"")]
    assert ada.faults == []


async def test_a_file_that_is_too_large_is_refused_before_it_is_sent(
    course: Course, browser: Browser, tmp_path: Path
) -> None:
    ada = await Tab.open(browser, course.playground.address, "ada")
    large = tmp_path / "film.mp4"
    with large.open("wb") as file:
        file.truncate(30 * 1024 * 1024)
    await ada.page.locator(".composer-line input[type=file]").set_input_files(large)
    await expect(ada.page.get_by_text("film.mp4 is too large. The limit is 10 MiB.")).to_be_visible()
    await ada.command("echo", files={"picture": large})
    await expect(ada.page.get_by_text("picture: your file is too large. The limit is 10 MiB.")).to_be_visible()
    assert ada.faults == []


async def slow_command(course: Course) -> asyncio.Event:
    """A command `/slow` that thinks until the event is set."""
    go_on = asyncio.Event()

    @course.bot.tree.command(description="Thinks for long")
    async def slow(interaction: discord.Interaction) -> None:
        await interaction.response.defer(thinking=True, ephemeral=True)
        await go_on.wait()
        await interaction.followup.send("done at last")

    await course.bot.tree.sync()
    return go_on


async def test_a_reload_or_a_lost_connection_during_a_job_costs_nothing(course: Course, browser: Browser) -> None:
    go_on = await slow_command(course)
    ada = await Tab.open(browser, course.playground.address, "ada")
    page = ada.page
    await ada.command("slow")
    thinking = page.get_by_text("is thinking…")
    await expect(thinking).to_be_visible()
    await page.reload()
    await ada.drawn()
    await expect(thinking).to_be_visible()
    async with page.expect_event("websocket"):
        await course.playground.audience.close()
    go_on.set()  # it may be answered before the page hears again
    await expect(page.get_by_text("done at last")).to_have_count(1)
    await expect(thinking).to_have_count(0)


async def test_two_tabs_of_one_member_show_the_same(course: Course, browser: Browser) -> None:
    one, two = [await Tab.open(browser, course.playground.address, "ada") for _ in range(2)]
    await one.command("secret")
    for tab in (one, two):
        await expect(tab.page.get_by_text("psst")).to_be_visible()
    await two.page.get_by_role("button", name="Dismiss message").click()
    await expect(one.page.get_by_text("psst")).to_have_count(0)
    await one.page.get_by_label("Message", exact=True).fill("from one tab")
    await one.page.keyboard.press("Enter")
    await expect(two.page.get_by_text("from one tab")).to_have_count(1)
    assert one.faults == two.faults == []


async def test_words_that_look_like_html_are_words_everywhere(course: Course, browser: Browser) -> None:
    bad = "<img src=x onerror=alert(1)>"
    ada = await Tab.open(browser, course.playground.address, "ada")
    opened: list[str] = []
    ada.page.on("dialog", lambda dialog: opened.append(dialog.message))
    channel = await gallery(course)
    embed = (
        discord.Embed(title=bad, description=f"**{bad}**").add_field(name=bad, value=f"`{bad}`").set_footer(text=bad)
    )
    view = discord.ui.View(timeout=None)
    view.add_item(discord.ui.Button(label=bad, custom_id="bad"))
    view.add_item(discord.ui.Select(custom_id="s", placeholder=bad, options=[discord.SelectOption(label=bad)]))
    await channel.send(f"{bad}\n> {bad}\n- {bad}\n```html\n{bad}\n```", embed=embed, view=view)
    await channel.create_thread(name=bad, type=discord.ChannelType.public_thread)
    await expect(ada.page.locator(".select")).to_contain_text(bad)
    await ada.page.locator(".select").click()
    await expect(ada.page.get_by_role("option", name=bad)).to_be_visible()
    assert await ada.page.locator("img[src=x]").count() == 0
    assert opened == ada.faults == []

"""An unmodified discord.py bot over the real wire: what Discord would do, the playground does."""

from __future__ import annotations

import asyncio

import discord
import pytest

from playground.driver import Refused
from playground.world import cast
from tests.playground.conftest import Clock, Course, Open
from tests.playground.practice_bot import png
from tests.waiting import until


async def test_a_bot_logs_in_and_finds_the_course(course: Course) -> None:
    async with asyncio.timeout(30):
        await course.bot.wait_until_ready()
    guild = course.bot.guilds[0]
    assert guild.name == "PyTorch course"
    assert [channel.name for channel in guild.text_channels] == ["gallery", "jazz-club", "quiz"]
    assert guild.me.guild_permissions.attach_files
    assert course.bot.user is not None
    assert course.bot.user.id == int(cast.BOT.id)


async def test_synced_commands_come_back_as_they_were_sent(course: Course) -> None:
    fetched = {command.name: command for command in await course.bot.tree.fetch_commands()}
    assert {"echo", "style", "poll", "Measure this", "Greet"} <= fetched.keys()
    options = {option.name: option for option in fetched["echo"].options}
    assert options["picture"].required  # type: ignore[union-attr]
    assert options["times"].max_value == 5  # type: ignore[union-attr]


async def test_a_second_sync_keeps_the_ids(course: Course) -> None:
    before = {command.name: command.id for command in await course.bot.tree.fetch_commands()}
    after = {command.name: command.id for command in await course.bot.tree.sync()}
    assert after == before


async def test_a_command_with_a_file_is_deferred_answered_and_edited(course: Course) -> None:
    picture = png(30, 20)
    answer = await course.ada.use("echo", files={"photo.png": picture}, picture="photo.png", note="hi", times=2)
    assert answer.outcome == "answered"
    message = await course.ben.sees(lambda m: m["content"] == f"hihi: {len(picture)} bytes")
    attachment = message["attachments"][0]
    assert (attachment["width"], attachment["height"], attachment["content_type"]) == (30, 20, "image/png")
    assert await course.ben.download(attachment["url"]) == (200, picture, "image/png")
    assert message["interaction_metadata"]["user"]["username"] == "ada"
    assert not message["flags"] & 128, "still thinking"


async def test_members_see_that_the_bot_is_thinking(open_course: Open) -> None:
    async with open_course() as course:
        seen: list[dict[str, object]] = []
        course.playground.messages.listeners.append(
            lambda name, m: seen.append({"name": name, "loading": bool(m.flags & 128), "text": m.content})
        )
        await course.ada.use("clip")
        await course.ada.sees(lambda m: m["content"] == "A clip")
        assert seen == [
            {"name": "MESSAGE_CREATE", "loading": True, "text": ""},
            {"name": "MESSAGE_UPDATE", "loading": False, "text": "A clip"},
        ]


async def test_a_button_whose_state_is_its_id_works(course: Course) -> None:
    await course.ada.use("count")
    message = await course.ada.sees(lambda m: m["content"] == "Counted to 0")
    assert (await course.ben.press(message, "count:0")).outcome == "answered"
    message = await course.ada.sees(lambda m: m["content"] == "Counted to 1")
    assert message["components"][0]["components"][0]["custom_id"] == "count:1"


async def test_a_disabled_button_and_one_that_is_not_there_cannot_be_pressed(course: Course) -> None:
    await course.ada.use("count")
    message = await course.ada.sees(lambda m: m["content"] == "Counted to 0")
    for custom_id in ("closed", "count:99"):
        body = {"kind": "component", "message_id": message["id"], "custom_id": custom_id}
        with pytest.raises(Refused) as refused:
            await course.ada.request("POST", f"channels/{message['channel_id']}/interactions", body)
        assert (refused.value.status, refused.value.code) == (400, 50035)


async def test_a_select_tells_what_was_chosen_and_refuses_what_is_not_offered(course: Course) -> None:
    await course.ada.use("band")
    message = await course.ada.sees(lambda m: m["content"] == "The band")
    await course.ada.press(message, "instruments", ["piano", "tenor sax"])
    await course.ada.sees(lambda m: m["content"] == "piano and tenor sax")
    with pytest.raises(Refused, match="does not exist"):
        await course.ada.press(message, "instruments", ["kazoo"])
    with pytest.raises(Refused, match="between 1 and 2"):
        await course.ada.press(message, "instruments", ["piano", "trumpet", "tenor sax"])


async def test_a_modal_brings_text_choice_and_file(course: Course) -> None:
    modal = await course.ada.use("form")
    assert modal.outcome == "modal"
    assert modal.content["title"] == "A clip for the poll"
    rows = modal.content["components"]
    player, feel, clip = (row.get("component") or row["components"][0] for row in rows)
    fields = {player["custom_id"]: "Bill", feel["custom_id"]: ["swing"], clip["custom_id"]: [{"upload": 0}]}
    with pytest.raises(Refused, match="between 2 and 40"):
        await course.ada.submit(modal, fields | {player["custom_id"]: "B"}, {"solo.mid": b"MThd"})
    await course.ada.submit(modal, fields, {"solo.mid": b"MThd"})
    await course.ada.sees(lambda m: m["content"] == "Bill, swing, ['solo.mid']")


async def test_autocomplete_comes_from_the_bot(course: Course) -> None:
    answer = await course.ada.complete("style", "name", "the")
    assert [choice["name"] for choice in answer.content] == ["The Great Wave", "The Scream"]


async def test_a_message_menu_gets_the_message_with_its_files(course: Course) -> None:
    said = await course.ben.say("look", files={"cat.png": png(7, 9)})
    await course.ada.menu("Measure this", said["id"])
    await course.ada.sees(lambda m: m["content"].endswith("['7x9']"))


async def test_a_user_menu_gets_the_member(course: Course) -> None:
    ben = next(m.id for m in cast.MEMBERS if m.slug == "ben")
    await course.ada.menu("Greet", ben, kind=2)
    message = await course.ada.sees(lambda m: m["content"] == f"Hello <@{ben}>")
    assert [user["username"] for user in message["mentions"]] == ["ben"]


async def test_a_private_answer_is_seen_by_its_member_alone(course: Course) -> None:
    await course.ada.use("secret")
    private = await course.ada.sees(lambda m: m["content"] == "psst")
    assert private["flags"] & 64
    assert not any(m["content"] == "psst" for m in await course.ben.messages())
    with pytest.raises(Refused) as refused:
        await course.ben.delete(private)
    assert (refused.value.status, refused.value.code) == (404, 10008)


async def test_an_answer_after_the_time_limit_is_10062_and_the_member_is_told(open_course: Open) -> None:
    async with open_course(answer_within_s=0.2) as course:
        assert (await course.ada.use("late", seconds=0.4)).outcome == "failed"
        await until(lambda: course.bot.codes)
        assert course.bot.codes == [10062]


async def test_a_second_answer_is_40060(course: Course) -> None:
    await course.ada.use("twice")
    await until(lambda: course.bot.codes)
    assert course.bot.codes == [40060]


async def test_an_interaction_token_dies_after_15_minutes(course: Course, clock: Clock) -> None:
    kept: list[discord.Interaction] = []

    async def keep(interaction: discord.Interaction) -> None:
        if interaction.type is discord.InteractionType.application_command:
            kept.append(interaction)

    course.bot.add_listener(keep, "on_interaction")
    await course.ada.use("count")
    message = await course.ada.sees(lambda m: m["content"] == "Counted to 0")
    clock.ahead_s = 14 * 60
    await kept[0].edit_original_response(content="in time")
    clock.ahead_s = 15 * 60 + 1
    with pytest.raises(discord.HTTPException) as caught:
        await kept[0].edit_original_response(content="too late")
    assert (caught.value.status, caught.value.code) == (401, 50027)
    channel = course.bot.get_channel(int(message["channel_id"]))
    assert isinstance(channel, discord.TextChannel)
    await channel.get_partial_message(int(message["id"])).edit(content="as the bot itself")
    await course.ada.sees(lambda m: m["content"] == "as the bot itself")


async def test_an_attachments_address_expires_and_cannot_be_made_up(course: Course, clock: Clock) -> None:
    said = await course.ada.say("file", files={"a.png": png(2, 2)})
    url = said["attachments"][0]["url"]
    assert (await course.ada.download(url))[0] == 200
    assert (await course.ada.download(url.split("?")[0]))[0] == 404
    assert (await course.ada.download(url.replace("hm=", "hm=0")))[0] == 404
    clock.ahead_s = 25 * 3600
    assert (await course.ada.download(url))[0] == 404


async def test_without_permission_to_attach_the_interaction_says_so_and_files_are_50013(course: Course) -> None:
    place = await course.instructor.channel("gallery")
    path = f"channels/{place['id']}/bot-permissions"
    with pytest.raises(Refused, match="403"):
        await course.ada.request("PUT", path, {"attach_files": False})
    seen: list[bool] = []

    async def note(interaction: discord.Interaction) -> None:
        seen.append(interaction.app_permissions.attach_files)

    course.bot.add_listener(note, "on_interaction")
    await course.instructor.request("PUT", path, {"attach_files": False})
    await course.ada.use("post", length=1, pictures=1)
    await course.ada.sees(lambda m: m["content"] == "posted")
    await course.ada.use("post", channel="quiz", length=1, pictures=1)
    await course.ada.sees(lambda m: m["content"] == "posted", channel="quiz")
    assert course.bot.codes == [50013]
    assert seen == [False, True]


async def test_staff_commands_are_hidden_from_students_and_refused(course: Course) -> None:
    names = {command["name"] for command in (await course.ada.channel())["commands"]}
    assert "poll" not in names
    staff = await course.instructor.channel()
    command = next(c for c in staff["commands"] if c["name"] == "poll")
    body = {"kind": "command", "command_id": command["id"], "path": ["start"], "options": {"hours": 1}}
    with pytest.raises(Refused) as refused:
        await course.ada.request("POST", f"channels/{staff['id']}/interactions", body)
    assert (refused.value.status, refused.value.code) == (403, 50013)
    await course.instructor.use("poll start", hours=24)
    await course.ada.sees(lambda m: m["content"] == "open for 24 h")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"hours": 0}, "between 1 and 72"),
        ({"hours": 73}, "between 1 and 72"),
        ({"hours": "soon"}, "not a valid number"),
        ({}, "required"),
        ({"hours": 1, "days": 2}, "no such option"),
    ],
)
async def test_options_are_held_to_their_limits(course: Course, options: dict[str, object], words: str) -> None:
    with pytest.raises(Refused, match=words):
        await course.instructor.use("poll start", **options)


async def test_an_upload_over_the_limit_is_40005_and_the_limit_is_on_the_interaction(open_course: Open) -> None:
    async with open_course(attachment_size_limit=50) as course:
        limits: list[int] = []

        async def note(interaction: discord.Interaction) -> None:
            limits.append(interaction.filesize_limit)

        course.bot.add_listener(note, "on_interaction")
        await course.ada.use("post", length=1, pictures=1)
        await course.ada.sees(lambda m: m["content"] == "posted")
        assert course.bot.codes == [40005]
        assert limits == [50]


@pytest.mark.parametrize(("length", "code"), [(2001, 50035), (0, 50006)])
async def test_what_discord_refuses_is_refused(course: Course, length: int, code: int) -> None:
    await course.ada.use("post", length=length)
    await course.ada.sees(lambda m: m["content"] == "posted")
    assert course.bot.codes == [code]


async def test_a_picture_shown_by_an_embed_is_not_listed_twice(course: Course) -> None:
    await course.ada.use("style", name="The Scream")
    message = await course.ada.sees(lambda m: m["embeds"])
    image = message["embeds"][0]["image"]
    assert message["attachments"] == []
    assert (image["width"], image["height"]) == (320, 200)
    assert (await course.ada.download(image["url"]))[0] == 200


async def test_layout_components_arrive(course: Course) -> None:
    await course.ada.use("layout")
    message = await course.ada.sees(lambda m: m["flags"] & 32768)
    gallery = message["components"][0]["components"][2]
    assert gallery["items"][0]["media"]["width"] == 64


async def test_members_texts_reach_a_bot_without_the_intent_as_blanks(course: Course) -> None:
    await course.ada.say("nobody's business")
    await until(lambda: course.bot.contents)
    assert course.bot.contents == [""]


async def test_privileged_intents_are_refused_unless_switched_on(open_course: Open) -> None:
    intents = discord.Intents(guilds=True, members=True)
    with pytest.raises(discord.PrivilegedIntentsRequired):
        async with open_course(intents=intents):
            pass


async def test_all_members_come_in_chunks_with_the_intent(open_course: Open) -> None:
    async with open_course(intents=discord.Intents(guilds=True, members=True), privileged_intents=True) as course:
        async with asyncio.timeout(30):
            await course.bot.wait_until_ready()
        assert {m.display_name for m in course.bot.guilds[0].members} == {m.name for m in cast.MEMBERS}


async def test_one_member_can_be_fetched_and_queried_without_the_intent(course: Course) -> None:
    async with asyncio.timeout(30):
        await course.bot.wait_until_ready()
    guild = course.bot.guilds[0]
    ada = next(m for m in cast.MEMBERS if m.slug == "ada")
    assert (await guild.fetch_member(int(ada.id))).display_name == "Ada"
    found = await guild.query_members(user_ids=[int(ada.id)])
    assert [member.display_name for member in found] == ["Ada"]


async def test_the_bot_can_write_to_a_member_directly(course: Course) -> None:
    ada = await course.bot.fetch_user(int(next(m.id for m in cast.MEMBERS if m.slug == "ada")))
    await ada.send("Your review is due")
    state = await course.ada.state()
    direct = next(c for c in state["channels"] if c["type"] == 1)
    messages = await course.ada.request("GET", f"channels/{direct['id']}/messages")
    assert [m["content"] for m in messages] == ["Your review is due"]
    assert all(c["type"] == 0 for c in (await course.ben.state())["channels"])
    with pytest.raises(Refused, match="404"):
        await course.ben.request("GET", f"channels/{direct['id']}/messages")

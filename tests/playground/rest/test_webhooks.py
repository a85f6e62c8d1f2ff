"""Webhooks of channels, with discord.py on the other side."""

from __future__ import annotations

import discord
import pytest

from tests.playground.conftest import Course, Open


async def hook(course: Course) -> discord.Webhook:
    place = await course.ada.channel()
    await course.driver.bot_permissions(place["id"], manage_webhooks=True)
    channel = course.bot.get_channel(int(place["id"]))
    assert isinstance(channel, discord.TextChannel)
    return await channel.create_webhook(name="Course news")


async def test_a_webhook_needs_the_permission(course: Course) -> None:
    channel = course.bot.get_channel(int((await course.ada.channel())["id"]))
    assert isinstance(channel, discord.TextChannel)
    with pytest.raises(discord.Forbidden, match="50013"):
        await channel.create_webhook(name="Course news")


async def test_a_webhook_posts_edits_and_deletes_under_a_name_of_its_own(course: Course) -> None:
    news = await hook(course)
    await news.send("The room has moved.")
    said = await course.ada.sees(lambda m: m["content"] == "The room has moved.")
    assert (said["author"]["username"], said["webhook_id"]) == ("Course news", str(news.id))
    sent = await news.send("It's B 12.", username="Office", wait=True)
    assert sent.author.name == "Office"
    await sent.edit(content="It's B 14.")
    await course.ada.sees(lambda m: m["content"] == "It's B 14.")
    await sent.delete()
    await course.ada.misses(lambda m: m["id"] == str(sent.id))


async def test_the_address_alone_is_enough_and_survives_a_restart(open_course: Open) -> None:
    async with open_course() as course:
        news = await hook(course)
        assert [found.name for found in await course.bot.guilds[0].webhooks()] == ["Course news"]
    async with open_course() as course:
        post = f"{course.playground.api_base}/webhooks/{news.id}/{news.token}"
        async with course.session.post(post, params={"wait": "true"}, json={"content": "from a script"}) as answer:
            assert (answer.status, (await answer.json())["author"]["username"]) == (200, "Course news")
        async with course.session.post(post[:-1] + "!", json={"content": "from somebody else"}) as answer:
            assert (answer.status, (await answer.json())["code"]) == (401, 50027)
        bare = f"{course.playground.api_base}/webhooks/{news.id}"
        async with course.session.get(bare) as answer:
            assert answer.status == 401, "without its token it needs the bot's"
        async with course.session.get(bare, headers={"Authorization": f"Bot {course.playground.token}"}) as answer:
            assert (await answer.json())["url"] == post
        async with course.session.delete(post) as answer:
            assert answer.status == 204
        async with course.session.post(post, json={"content": "too late"}) as answer:
            assert (answer.status, (await answer.json())["code"]) == (404, 10015)

"""Apps of a member's own: commands that come with the member, not with the server."""

from __future__ import annotations

from discord import Interaction, app_commands

from playground.world import cast
from tests.playground.conftest import Course, Open


async def add_command(course: Course, owners: list[tuple[bool, bool]]) -> None:
    """`/everywhere`, for servers and members alike: it notes for which of them it was used."""

    @course.bot.tree.command(description="For everywhere")
    @app_commands.allowed_installs(guilds=True, users=True)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    async def everywhere(interaction: Interaction) -> None:
        owners.append((interaction.is_guild_integration(), interaction.is_user_integration()))
        await interaction.response.send_message("here")

    await course.bot.tree.sync()


async def commands(course: Course, slug: str) -> set[str]:
    place = await course.driver.member(slug).channel()
    return {command["name"] for command in place["commands"]}


async def test_a_members_own_app_works_where_the_bot_is_not(course: Course) -> None:
    owners: list[tuple[bool, bool]] = []
    await add_command(course, owners)
    assert (await course.ada.use("everywhere")).outcome == "answered"
    await course.driver.install("ada")
    assert (await course.ada.use("everywhere")).outcome == "answered"
    await course.driver.kick()
    assert (await course.ada.use("everywhere")).outcome == "answered"
    assert owners == [(True, False), (True, True), (False, True)]
    assert await commands(course, "ada") == {"everywhere"}
    assert await commands(course, "ben") == set(), "who hasn't installed it doesn't have it"
    used = (await course.ada.messages())[-1]["interaction_metadata"]
    assert used["authorizing_integration_owners"] == {"1": course.playground.users[used["user"]["id"]].id}
    await course.driver.install("ada", is_installed=False)
    assert await commands(course, "ada") == set()


async def test_an_app_stays_installed_over_a_restart(open_course: Open) -> None:
    async with open_course() as course:
        await course.driver.install("ben")
    async with open_course() as course:
        ben = next(member for member in cast.MEMBERS if member.slug == "ben")
        assert course.playground.installed_by == {ben.id}

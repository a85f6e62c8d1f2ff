"""Where the bot is: the invitation asks for what it needs, other servers are left, a renamed role still makes staff."""

import discord

from bot.answering.posting import PERMISSION_NAMES
from bot.client import Woodshed
from bot.errors import STAFF_ONLY
from bot.hosting.servers import invitation, is_allowed, missing_permissions
from bot.settings import BotSettings, ClubSettings, HostingSettings


def test_the_invitation_has_the_permissions_and_scopes_that_the_bot_needs():
    address = invitation(4711)
    assert "client_id=4711" in address
    assert "scope=bot+applications.commands" in address
    wanted = discord.Permissions(**dict.fromkeys(PERMISSION_NAMES, True))
    assert f"permissions={wanted.value}" in address
    assert wanted.create_public_threads, "without it nobody can be asked in a thread"


def test_what_is_missing_is_named_as_a_person_reads_it():
    held = discord.Permissions(**dict.fromkeys(PERMISSION_NAMES, True))
    assert missing_permissions(held) == []
    held.attach_files = False
    assert missing_permissions(held) == ["attach files"]


def test_without_a_list_every_server_is_served():
    assert is_allowed(1, ())
    assert is_allowed(1, (1, 2))
    assert not is_allowed(3, (1, 2))
    assert is_allowed(None, (1, 2)), "direct messages"


async def test_the_bot_leaves_servers_that_arent_on_the_list(club):
    stranger = club.env.create_guild("somewhere else")
    settings = BotSettings(hosting=HostingSettings(servers=(club.guild.id,)), discord=club.settings.discord)
    await club.env.restart_bot(Woodshed(settings, club.store, club.engine))
    left = [
        request.path for request in club.env.http_requests if request.method == "DELETE" and "guilds" in request.path
    ]
    assert left == [f"/users/@me/guilds/{stranger.id}"]


async def test_a_renamed_staff_role_still_makes_staff(club):
    guild = club.bot.get_guild(club.guild.id)
    role = discord.utils.get(guild.roles, name=ClubSettings().staff_role)
    await club.bot.staff_roles.learn(guild)
    await role.edit(name="Teaching team")
    await club.env.settle()
    assert club.bot.staff_roles.role_of(guild).name == "Teaching team"
    await club.restart()
    result = await club.instructor.slash(club.channel, "styles remove", name="x")
    assert result.response.content != STAFF_ONLY
    result = await club.student.slash(club.channel, "styles remove", name="x")
    assert result.response.content == STAFF_ONLY
    club.refusals()


async def test_when_the_staff_role_is_gone_a_new_one_of_that_name_counts(club):
    guild = club.bot.get_guild(club.guild.id)
    former = await club.bot.staff_roles.learn(guild)
    await former.delete()
    await club.env.settle()
    result = await club.instructor.slash(club.channel, "styles remove", name="x")
    assert result.response.content == STAFF_ONLY
    again = club.guild.create_role(ClubSettings().staff_role)
    newcomer = club.guild.add_member(club.env.create_user("linus"), roles=[again])
    result = await newcomer.slash(club.channel, "styles remove", name="x")
    assert result.response.content != STAFF_ONLY
    club.refusals()


async def test_another_role_in_the_settings_counts_from_the_next_start_and_may_be_renamed(club):
    guild = club.bot.get_guild(club.guild.id)
    former = await club.bot.staff_roles.learn(guild)
    tutors = club.guild.create_role("Tutors")
    tutor = club.guild.add_member(club.env.create_user("linus"), roles=[tutors])
    club.settings = club.settings.model_copy(update={"club": ClubSettings(staff_role="Tutors")})
    await club.restart()
    guild = club.bot.get_guild(club.guild.id)
    assert club.bot.is_staff(guild.get_member(tutor.id) or await guild.fetch_member(tutor.id))
    assert not club.bot.is_staff(await guild.fetch_member(club.instructor.id))
    await guild.get_role(tutors.id).edit(name="Teaching team")
    await club.env.settle()
    await club.restart()
    guild = club.bot.get_guild(club.guild.id)
    assert club.bot.staff_roles.role_of(guild).id == tutors.id
    await guild.get_role(former.id).edit(name="Tutors")
    await club.env.settle()
    assert club.bot.staff_roles.role_of(guild).id == tutors.id, "a name alone makes nobody staff"


async def test_a_role_made_while_the_bot_runs_is_known_by_more_than_its_name(club):
    guild = club.bot.get_guild(club.guild.id)
    await (await club.bot.staff_roles.learn(guild)).delete()
    await club.env.settle()
    again = await guild.create_role(name=ClubSettings().staff_role)
    await club.env.settle()
    await again.edit(name="Teaching team")
    await club.env.settle()
    assert club.bot.staff_roles.role_of(guild).id == again.id


async def test_notices_reach_the_staffs_channel(club):
    settings = BotSettings(hosting=HostingSettings(staff_channel=club.channel.id), discord=club.settings.discord)
    bot = Woodshed(settings, club.store, club.engine)
    bot.notices.report("engine", "The engine was restarted.")
    await club.env.restart_bot(bot)
    await bot.notices.drain()
    path = f"/channels/{club.channel.id}/messages"
    posted = [request.json["content"] for request in club.env.http_requests if request.path == path]
    assert posted == ["⚠️ The engine was restarted."]

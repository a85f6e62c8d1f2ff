"""/queue, /about and /help, as a member would use them."""

import asyncio
import contextlib
import re
from pathlib import Path
from types import SimpleNamespace

import discord
import pytest
from discord import AppCommandType, app_commands

from bot.answering.job_buttons import cancel_view
from bot.engine.failures import HUNG
from bot.errors import EngineHung, JobCancelled
from bot.hosting.staff_roles import SHOWN_TO
from engine.contract import engine_pb2 as pb
from tests.conftest import STAFF_ROLE
from tests.engine_double import Behaviour
from tests.waiting import until

README = Path(__file__).parents[2] / "README.md"
WRITTEN = {AppCommandType.chat_input: "`/{}`", AppCommandType.message: "*{}*"}


def entries(club):
    own, others = club.bot.member_key(club.student.id), club.bot.member_key(club.other.id)
    return [
        pb.QueueReply.Entry(job_id="a" * 32, member_key=others, kind="play", position=0, waited_s=3.2, fraction=0.4),
        pb.QueueReply.Entry(job_id="b" * 32, member_key=own, kind="stylize", position=1, waited_s=2.0),
    ]


async def test_an_empty_queue_is_said_to_be_empty(club):
    result = await club.student.slash(club.channel, "queue")
    assert (result.response.content, result.ephemeral) == ("The queue is empty.", True)
    assert result.response.components == []


async def test_the_queue_shows_what_runs_and_which_jobs_are_mine(club):
    club.double.entries = entries(club)
    result = await club.student.slash(club.channel, "queue")
    assert result.response.content.splitlines() == [
        "- a clip: running, 40%, 3 s so far",
        "- **yours: a picture: number 1 in the queue, 2 s so far**",
    ]
    labels = [item["label"] for row in result.response.components for item in row["components"]]
    assert labels == ["Cancel a picture (number 1)"]


async def test_a_long_queue_is_cut_short_but_never_before_my_own_jobs(club):
    mine, running = reversed(entries(club))
    waiting = [
        pb.QueueReply.Entry(job_id=f"{n:032x}", member_key=running.member_key, kind="see", position=n, waited_s=1.0)
        for n in range(1, 40)
    ]
    mine.position = 40
    club.double.entries = [running, *waiting, mine]
    lines = (await club.student.slash(club.channel, "queue")).response.content.splitlines()
    assert lines[-2:] == ["- **yours: a picture: number 40 in the queue, 2 s so far**", "- and 20 more"]
    assert len(lines) == 22


async def test_i_cancel_my_own_job_and_nobody_elses(club):
    club.double.entries = entries(club)
    queue = await club.student.slash(club.channel, "queue")
    result = await club.student.click(queue.response, label="Cancel a picture (number 1)")
    assert (result.response.content, result.ephemeral) == ("Cancelled.", True)
    assert club.double.cancelled == [("b" * 32, club.bot.member_key(club.student.id))]


async def test_staff_cancel_anybodys_job_on_their_server_and_are_told_what_it_is(club):
    club.double.entries = entries(club)
    with contextlib.ExitStack() as stack:
        for entry in club.double.entries:
            stack.enter_context(club.bot.jobs.on_server(entry.job_id, club.guild.id))
        await staff_cancel(club)


async def test_staff_of_another_server_cancel_nothing_here(club):
    club.double.entries = entries(club)
    job_id = club.double.entries[0].job_id
    guild = club.env.create_guild("Another course")
    channel, role = guild.create_text_channel("gallery"), guild.create_role(STAFF_ROLE, permissions=SHOWN_TO)
    boss = guild.add_member(club.env.create_user("mallory"), roles=[role])
    with club.bot.jobs.on_server(job_id, club.guild.id):
        assert (await boss.slash(channel, "queue")).response.components == []
        await club.bot.get_channel(channel.id).send(view=cancel_view(job_id))
        pressed = await boss.click(channel.last_message, label="Cancel")
    assert "isn't one of your jobs" in pressed.response.content
    assert club.double.cancelled == [(job_id, club.bot.member_key(boss.id))], (
        "asked for as somebody's own, not as staff"
    )


async def test_where_a_job_was_asked_for_is_known_until_it_is_over(club, monkeypatch):
    here, play = [], club.bot.engine.play

    async def seen(request, *more, **options):
        here.append((request.job.job_id, club.bot.jobs.is_on(request.job.job_id, club.guild.id)))
        return await play(request, *more, **options)

    monkeypatch.setattr(club.bot.engine, "play", seen)
    await club.student.slash(club.channel, "jazz")
    ((job_id, was_here),) = here
    assert (was_here, club.bot.jobs.is_on(job_id, club.guild.id)) == (True, False)


async def staff_cancel(club):
    queue = await club.instructor.slash(club.channel, "queue")
    labels = [item["label"] for row in queue.response.components for item in row["components"]]
    assert labels == ["Cancel a clip (running, not yours)", "Cancel a picture (number 1, not yours)"]
    result = await club.instructor.click(queue.response, label=labels[1])
    assert result.response.content == "Cancelled."


async def test_the_queue_says_how_long_it_will_take_when_the_engine_knows(club):
    club.double.entries = entries(club)
    club.double.entries[0].eta_s, club.double.entries[1].eta_s = 23.0, 140.0
    content = (await club.student.slash(club.channel, "queue")).response.content
    assert "about 25 s to go" in content
    assert "about 2 min to go" in content


async def test_with_a_hung_engine_the_queue_still_lists_my_jobs_with_buttons_that_cancel_them(club, monkeypatch):
    club.double.misbehave(Behaviour.SLOW)
    playing = asyncio.create_task(
        club.bot.engine.play(pb.PlayRequest(job=pb.Job(member_key=club.bot.member_key(club.student.id))))
    )
    await until(lambda: club.double.requests)

    async def hung():
        raise EngineHung(HUNG)

    monkeypatch.setattr(club.bot.engine, "queue", hung)
    queue = await club.student.slash(club.channel, "queue")
    assert queue.response.content.splitlines() == [HUNG, "You have 1 job under way."]
    await club.student.click(queue.response, label="Cancel job 1")
    with pytest.raises(JobCancelled):
        await playing


async def test_a_job_of_another_is_not_cancelled_even_with_its_button(club):
    from bot.answering.job_buttons import cancel_view

    club.double.entries = entries(club)
    channel = club.bot.get_channel(club.channel.id)
    message = await channel.send("progress", view=cancel_view("b" * 32))
    result = await club.other.click(message, label="Cancel")
    assert result.response.content == "That isn't one of your jobs, or it has already finished."


async def test_about_names_versions_device_models_and_hands_out_their_cards(club):
    result = await club.student.slash(club.channel, "about")
    embed = result.response.embeds[0]
    fields = {field.name: field.value for field in embed.fields}
    assert embed.title == "Woodshed 0.1.0"
    assert fields["Device"] == "cpu (2 threads)"
    assert fields["Running for"] == "0 h 1 min"
    assert fields["PyTorch's documentation"] == "5,022 entries"
    assert "2.70 M parameters, version def5678" in fields["Model: jazz"]
    card = await club.student.click(result.response, label="Model card: jazz")
    assert card.ephemeral
    assert await card.response.attachments[0].read() == b"# Jazz"


async def test_help_offers_a_student_what_a_student_can_do(club):
    shown = (await club.student.slash(club.channel, "help")).response.embeds[0]
    leaves = list(walk(club.bot.tree.get_commands(type=AppCommandType.chat_input)))
    mine = [leaf for leaf in leaves if not leaf.description.startswith("Staff:")]
    assert {f"/{leaf.qualified_name}" for leaf in mine if offered(club, leaf)} == set(clickable(shown.description))
    assert "Stylize this" in shown.description
    assert not shown.fields
    assert shown.description.index("**Paint**") < shown.description.index("</stylize:")
    assert len(shown.description) < 4096, "nothing is cut off"
    assert not shown.description.endswith("…")


async def test_help_offers_staff_everything(club):
    shown = (await club.instructor.slash(club.channel, "help")).response.embeds[0]
    leaves = list(walk(club.bot.tree.get_commands(type=AppCommandType.chat_input)))
    everything = "\n".join([shown.description, *(field.value for field in shown.fields)])
    assert {f"/{leaf.qualified_name}" for leaf in leaves} == set(clickable(everything))
    assert any(field.name == "For staff: human or ai?" for field in shown.fields)


async def test_help_does_without_the_ids_of_the_commands(club, monkeypatch):
    async def refused(**_):
        raise discord.HTTPException(SimpleNamespace(status=503, reason="Service Unavailable"), "no")

    monkeypatch.setattr(club.bot.tree, "fetch_commands", refused)
    shown = (await club.student.slash(club.channel, "help")).response.embeds[0]
    assert "**/stylize**" in shown.description


def walk(found):
    for command in found:
        yield from walk(command.commands) if isinstance(command, app_commands.Group) else [command]


def offered(club, leaf):
    return leaf.qualified_name in club.student.available_commands(club.channel)


def clickable(text):
    return re.findall(r"<(/[\w -]+):\d+>", text)


async def test_the_readme_lists_every_command_and_menu(club):
    rows = [line.split("|")[1] for line in README.read_text().splitlines() if line.startswith(("| `/", "| *"))]
    wanted = [
        written.format(command.name)
        for kind, written in WRITTEN.items()
        for command in club.bot.tree.get_commands(type=kind)
    ]
    assert "*Stylize this*" in wanted
    assert [name for name in wanted if not any(name in row for row in rows)] == []

"""/queue, /about and /help, as a member would use them."""

import asyncio
from pathlib import Path

import pytest
from discord import AppCommandType

from bot.engine.failures import HUNG
from bot.errors import EngineHung, JobCancelled
from engine.contract import engine_pb2 as pb
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


async def test_staff_cancel_anybodys_job_and_are_told_what_it_is(club):
    club.double.entries = entries(club)
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
    assert "2.70 M parameters, version def5678" in fields["Model: jazz"]
    card = await club.student.click(result.response, label="Model card: jazz")
    assert card.ephemeral
    assert await card.response.attachments[0].read() == b"# Jazz"


async def test_help_names_every_command_there_is(club):
    result = await club.student.slash(club.channel, "help")
    text = result.response.embeds[0].description
    for name in club.student.available_commands(club.channel):
        assert f"**/{name}**" in text
    assert "**Stylize this**" in text


async def test_the_readme_lists_every_command_and_menu(club):
    rows = [line.split("|")[1] for line in README.read_text().splitlines() if line.startswith(("| `/", "| *"))]
    wanted = [
        written.format(command.name)
        for kind, written in WRITTEN.items()
        for command in club.bot.tree.get_commands(type=kind)
    ]
    assert "*Stylize this*" in wanted
    assert [name for name in wanted if not any(name in row for row in rows)] == []

"""With the engine dead or still warming every command says so in one sentence, and what needs no engine goes on."""

import asyncio

import pytest

from bot.answering.live_reply import LiveReply, progress_text
from bot.client import Woodshed
from bot.engine.calls import EngineClient
from bot.engine.connection import open_channel
from bot.engine.failures import UNREACHABLE, WARMING
from bot.errors import EngineUnavailable
from tests.engine_double import png


@pytest.fixture
def address(tmp_path):
    return f"unix:{tmp_path / 'another.sock'}"


@pytest.fixture
async def alone(club, address):
    """The bot, restarted beside an engine that is not there."""
    channel = open_channel(address)
    patience = {"patience_s": 0.0, "job_patience_s": 0.0}  # SimCord's clock stands still
    await club.env.restart_bot(Woodshed(club.settings, club.store, EngineClient(channel, **patience)))
    yield club
    await channel.close()


def sentences(result):
    """All that the member reads in the end."""
    messages = [result.response, *result.followups]
    return [message.content for message in messages if message is not None and message.content]


COMMANDS = [
    ("stylize", {"image": ("cat.png", png())}),
    ("see", {"image": ("cat.png", png())}),
    ("jazz", {"chords": "Dm7 G7"}),
    ("quiz question", {}),
    ("ask", {"question": "what does backward do?"}),
    ("queue", {}),
]


@pytest.mark.parametrize(("command", "options"), COMMANDS, ids=[name for name, _ in COMMANDS])
async def test_without_an_engine_a_command_ends_in_one_sentence(alone, command, options):
    result = await alone.student.slash(alone.channel, command, **options)
    assert [sentence.splitlines()[0] for sentence in sentences(result)] == [UNREACHABLE]
    assert alone.bot.jobs.taken(alone.student.id) == 0


async def test_about_help_and_scores_do_without_an_engine(alone):
    about = await alone.student.slash(alone.channel, "about")
    assert [field.value for field in about.response.embeds[0].fields if field.name == "Engine"] == [UNREACHABLE]
    assert (await alone.student.slash(alone.channel, "help")).response.embeds
    assert (await alone.student.slash(alone.channel, "quiz score")).response.embeds


async def test_no_poll_is_drawn_without_an_engine(alone):
    result = await alone.instructor.slash(alone.channel, "poll start", closes_in=10)
    assert sentences(result) == [UNREACHABLE]
    assert (await alone.store.fetch_one("SELECT count(*) AS n FROM series"))["n"] == 0


@pytest.mark.parametrize(("command", "options"), COMMANDS, ids=[name for name, _ in COMMANDS])
async def test_an_engine_that_stays_cold_is_said_to_be_warming(alone, monkeypatch, command, options):
    async def still_cold(self, timeout_s):
        raise EngineUnavailable(WARMING)

    monkeypatch.setattr(EngineClient, "wait_serving", still_cold)
    result = await alone.student.slash(alone.channel, command, **options)
    assert [sentence.splitlines()[0] for sentence in sentences(result)] == [WARMING]


async def test_whoever_starts_a_class_quiz_is_told_at_once_that_the_engine_warms_up(club, monkeypatch):
    """The class is waiting, too: "thinking ..." for twenty seconds looks like a fault."""
    shown = []

    async def cold(self):
        return False

    async def show(self, event):
        shown.append(progress_text(event))

    monkeypatch.setattr(EngineClient, "is_serving", cold)
    monkeypatch.setattr(LiveReply, "show", show)
    started = await club.instructor.slash(club.channel, "quiz class", questions=1)
    assert len(shown) == 1
    assert shown[0].startswith("Waiting for the engine")
    assert "The class quiz is on" in started.response.content


async def test_the_seasons_of_the_model_do_not_wait_for_an_engine_that_is_warming_up(club, address, monkeypatch):
    asked = []

    async def patient(self):
        asked.append(self)
        raise EngineUnavailable(WARMING)

    monkeypatch.setattr(EngineClient, "list_jazz_options", patient)
    monkeypatch.setattr(club.bot.catalogue.jazz, "_fetched_at", asyncio.get_running_loop().time())
    result = await club.student.slash(club.channel, "poll seasons")
    assert result.response.embeds[0].title == "The model's seasons"
    assert asked == [], "what is at hand is enough"

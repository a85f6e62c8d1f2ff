"""Bad input for the band, all the way: a member's command, the bot, gRPC, the real jazz room, and one sentence back."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import grpc
import pretty_midi
import pytest
import torch
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from bot.engine.calls import EngineClient
from bot.engine.connection import open_channel
from bot.store import clips
from engine.contract import MESSAGE_OPTIONS
from engine.contract import engine_pb2_grpc as pb_grpc
from engine.jazz.combo import Combo
from engine.serving.intake.pool import Intake
from engine.serving.scheduler import Scheduler
from engine.serving.servicer import EngineServicer
from engine.settings import JazzSettings
from tests.bad_jazz import BAD_AUDIO, BAD_MIDI, BAD_OPTIONS, midi_file, tune
from tests.conftest import Club

SMALL_SOUNDFONT = str(Path(pretty_midi.__file__).parent / "TimGM6mb.sf2")


@pytest.fixture(scope="module")
def combo() -> Combo:
    return Combo(torch.device("cpu"), JazzSettings(soundfont=SMALL_SOUNDFONT))


@pytest.fixture
async def engine(tmp_path: Path, combo: Combo) -> AsyncIterator[EngineClient]:
    """The bot's client, connected to the real servicer with the real jazz room and nothing else."""
    server = grpc.aio.server(options=MESSAGE_OPTIONS)
    async with Intake(1) as intake, Scheduler(4, intake) as scheduler:
        servicer = EngineServicer(scheduler, torch.device("cpu"), intake)
        servicer.rooms = SimpleNamespace(combo=combo)  # type: ignore[assignment]
        pb_grpc.add_EngineServicer_to_server(servicer, server)
        readiness = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(readiness, server)
        await readiness.set("", health_pb2.HealthCheckResponse.SERVING)
        address = f"unix:{tmp_path / 'real.sock'}"
        server.add_insecure_port(address)
        await server.start()
        channel = open_channel(address)
        yield EngineClient(channel, job_timeout_s=60.0, patience_s=5.0, job_patience_s=5.0)
        await channel.close()
        await server.stop(None)


def told(result) -> str:
    """The one sentence that the member alone reads in the end."""
    messages = [message for message in [result.response, *result.followups] if message is not None]
    (message,) = messages
    assert message.ephemeral
    assert not message.embeds
    assert not message.attachments
    sentence: str = message.content
    assert sentence[-1] in ".?"
    assert len(sentence) < 300
    assert not re.search(r"Traceback|Error|Exception|\bNone\b", sentence)
    return sentence


@pytest.mark.parametrize(("options", "words"), BAD_OPTIONS, ids=[str(options)[:40] for options, _ in BAD_OPTIONS])
async def test_an_option_that_makes_no_sense_is_named(club: Club, options: dict, words: str) -> None:
    sentence = told(await club.student.slash(club.channel, "jazz", **options))
    assert re.search(words, sentence), sentence
    assert club.refusals() == [sentence]


@pytest.mark.parametrize("what", BAD_MIDI)
async def test_a_bad_phrase_is_refused(club: Club, what: str) -> None:
    make, words = BAD_MIDI[what]
    sentence = told(await club.student.slash(club.channel, "jazz", phrase=("phrase.mid", make())))
    assert re.search(words, sentence), sentence
    assert club.refusals() == [sentence]


@pytest.mark.parametrize("what", [*BAD_MIDI, *BAD_AUDIO])
async def test_a_bad_upload_is_refused_and_nothing_is_stored(club: Club, what: str) -> None:
    make, words = (BAD_MIDI | BAD_AUDIO)[what]
    result = await club.instructor.slash(
        club.channel, "clips add", file=("take", make()), performer="Ada", title="Blues", consent=True
    )
    sentence = told(result)
    assert re.search(words, sentence), sentence
    assert club.refusals() == [sentence]
    assert await clips.human_clips(club.store, club.guild.id) == []


async def test_a_track_that_is_not_there_is_named_with_those_that_are(club: Club) -> None:
    result = await club.instructor.slash(
        club.channel, "clips add", file=("a.mid", midi_file(tune())), performer="A", title="B", consent=True, track=9
    )
    assert told(result).startswith("There's no melody on track 9. Tracks with notes: 0")
    assert club.refusals()


@pytest.mark.parametrize("chords", ["H7", "Dm7 | G7 | K9"])
async def test_bad_chords_for_a_clip_are_named(club: Club, chords: str) -> None:
    result = await club.instructor.slash(
        club.channel, "clips add", file=("a.mid", midi_file(tune())), performer="A", title="B", consent=True,
        chords=chords,
    )  # fmt: skip
    assert chords.split()[-1] in told(result)
    assert club.refusals()

"""The log: to standard error, structured, and never with the token."""

import json
import os
import subprocess
import sys
from pathlib import Path

import grpc
import pytest
import structlog
from structlog.testing import capture_logs

from engine.contract import PARENT_FD_VARIABLE
from tests.engine_double import Behaviour, png

HOUSE = Path(__file__).parents[2]

SCRIPT = """
import logging, structlog
from bot.logs import configure_logs
from engine.contract.process_settings import LogSettings
configure_logs(LogSettings(format={format!r}, level={level!r}), "t0ken-abc")
log = structlog.get_logger("woodshed")
log.debug("whisper")
log.info("started", answer=42)
log.warning("header", headers={{"Authorization": "Bot t0ken-abc"}})
logging.getLogger("discord.http").warning("got %s", "t0ken-abc")
try:
    raise ValueError("t0ken-abc in an exception")
except ValueError:
    log.exception("failed")
"""


def logged(**options):
    script = SCRIPT.format(**{"format": "console", "level": "info", **options})
    ended = subprocess.run([sys.executable, "-c", script], cwd=HOUSE, capture_output=True, text=True, check=True)
    assert ended.stdout == ""
    return ended.stderr


@pytest.mark.parametrize("format", ["console", "json"])
def test_the_token_is_in_no_line(format):
    text = logged(format=format)
    assert "t0ken" not in text
    assert text.count("<token>") == 3
    assert "ValueError" in text


def test_json_lines_are_for_collectors():
    lines = [json.loads(line) for line in logged(format="json").splitlines()]
    assert (lines[0]["event"], lines[0]["answer"], lines[0]["level"]) == ("started", 42, "info")


def test_an_engine_of_its_own_logs_for_collectors_too_and_keeps_the_shared_token():
    script = (
        "import structlog\nfrom engine.logs import configure_logs\n"
        "from engine.contract.process_settings import LogSettings\n"
        "configure_logs(LogSettings(format='json', level='warning'), 't0ken-abc')\n"
        "log = structlog.get_logger()\nlog.info('whisper')\nlog.warning('called', metadata=['t0ken-abc'])\n"
    )
    environment = {name: value for name, value in os.environ.items() if name != PARENT_FD_VARIABLE}
    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=HOUSE, env=environment, capture_output=True, text=True, check=True
    )
    (line,) = map(json.loads, ended.stderr.splitlines())
    assert (line["event"], line["metadata"], line["level"]) == ("called", "['<token>']", "warning")
    assert line["timestamp"]


def test_the_level_is_kept():
    assert "whisper" not in logged()
    assert "whisper" in logged(level="debug")
    assert "started" not in logged(level="warning")


def test_the_engines_token_is_in_no_line_either():
    script = SCRIPT.format(format="console", level="info").replace('"t0ken-abc")\nlog', '"other", "t0ken-abc")\nlog')
    ended = subprocess.run([sys.executable, "-c", script], cwd=HOUSE, capture_output=True, text=True, check=True)
    assert "t0ken" not in ended.stderr


async def test_one_id_leads_from_an_interaction_to_the_engine_and_through_the_log(club):
    result = await club.student.slash(club.channel, "stylize", image=("cat.png", png()))
    sent = [pairs["x-request-id"] for pairs in club.double.metadata if "x-request-id" in pairs]
    (of_the_command,) = set(sent)
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        club.double.misbehave(Behaviour.FAIL)
        await club.student.click(result.response, label="Weaker")
    (line,) = [line for line in lines if line["event"] == "not done"]
    assert line["request_id"] == club.double.metadata[-1]["x-request-id"] != of_the_command
    club.refusals()


FORGED = """
import logging, structlog
from {module} import configure_logs
{configure}
nasty = "a\\n2026-11-27 12:00:00 [error    ] forged \\x1b[31m \\x9b31m \\u202e \\u2028b \\r"
log = structlog.get_logger("woodshed")
log.info("refused", sentence=nasty, custom_id=nasty.split()[-4])
{foreign}
try:
    raise ValueError(nasty)
except ValueError:
    log.exception("failed")
"""
BOT = {
    "module": "bot.logs",
    "configure": 'from bot.settings import LogSettings; configure_logs(LogSettings(format="console", level="info"))',
    "foreign": 'logging.getLogger("discord.http").warning("got %s", nasty)',
}
ENGINE = {"module": "engine.logs", "configure": "configure_logs()", "foreign": ""}


@pytest.mark.parametrize("process", [BOT, ENGINE], ids=["bot", "engine"])
def test_what_a_member_typed_makes_no_line_of_its_own_and_colours_no_terminal(process):
    ended = subprocess.run(
        [sys.executable, "-c", FORGED.format(**process)], cwd=HOUSE, capture_output=True, text=True, check=True
    )
    text = ended.stderr
    assert "ValueError: a" in text
    assert all(sign.isprintable() or sign == "\n" for sign in text)
    assert not [line for line in text.split("\n") if "forged" in line and line.startswith("2026-11-27 12:00:00")]


async def test_what_members_write_is_in_no_line_even_when_it_fails(club):
    club.double.refusal = (grpc.StatusCode.INVALID_ARGUMENT, "bad_chords", "I don't know the chord “xylophone”.")
    with capture_logs() as lines:
        for behaviour in (Behaviour.HONEST, Behaviour.REFUSE, Behaviour.FAIL):
            club.double.misbehave(behaviour)
            await club.student.slash(club.channel, "ask", question="why does my xylophone leak?")
            await club.student.slash(club.channel, "jazz", chords="xylophone Dm7")
            await club.student.slash(club.channel, "stylize", image=("xylophone.png", png()), style="xylophone")
        await club.instructor.slash(club.channel, "vote", question="Is a xylophone?", options="yes | xylophone")
    assert "I don't know the chord “…”." in [line.get("sentence") for line in lines]
    assert "xylophone" not in repr(lines)
    club.refusals()

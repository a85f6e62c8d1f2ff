"""What a local engine logs reads in the bot's log like the bot's own lines."""

import json

from structlog.testing import capture_logs

from bot.engine.process import pass_on


def test_an_event_of_the_engine_keeps_its_level_and_fields():
    with capture_logs() as entries:
        pass_on(json.dumps({"event": "out of memory", "level": "error", "kind": "play", "job_id": "7"}))
    assert entries == [
        {"event": "out of memory", "log_level": "error", "source": "engine", "kind": "play", "job_id": "7"}
    ]


def test_whatever_else_the_engine_prints_is_logged_as_it_is():
    for line in ("libfoo: warning", "[1, 2]", '{"event": "no level"}', '{"level": 3, "event": "x"}', "null"):
        with capture_logs() as entries:
            pass_on(line)
        assert entries == [{"event": line, "log_level": "info", "source": "engine"}]

"""The log: structured lines on standard error, discord.py's own included, and never the token."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

from engine.contract.log_lines import Redaction, visible
from engine.contract.process_settings import LogSettings

REQUEST_ID = "request_id"
"""Under this name an interaction's id stands in every line that it leads to, of the bot's log and of the engine's."""


def begin_request(interaction_id: int) -> None:
    """Everything that the running task logs from here on belongs to this interaction."""
    structlog.contextvars.bind_contextvars(**{REQUEST_ID: f"{interaction_id:x}"})


def current_request() -> str:
    """The id of the interaction that the running task works for; "" if there is none."""
    return str(structlog.contextvars.get_contextvars().get(REQUEST_ID, ""))


def configure_logs(settings: LogSettings, *secrets: str) -> None:
    """Send structlog and the standard library's loggers to standard error in the format of the settings.

    None of the `secrets` (the bot's token, the engine's) shows in any line."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S", utc=False),
        structlog.processors.format_exc_info,
    ]
    rendering: list[Any] = (
        [structlog.processors.JSONRenderer()]
        if settings.format == "json"
        else [visible, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    )
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, Redaction(*secrets), *rendering],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.level.upper())
    if settings.level != "debug":
        logging.getLogger("discord").setLevel(max(logging.INFO, root.level))

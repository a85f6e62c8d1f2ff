"""The engine's log on standard error: lines for people, or, under a bot, JSON that the bot's log takes over."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

import structlog

from engine.contract import PARENT_FD_VARIABLE
from engine.contract.log_lines import Redaction, visible
from engine.contract.process_settings import LogSettings


def configure_logs(settings: LogSettings | None = None, *secrets: str) -> None:
    """Set up structlog, the one log of every room, on standard error (a bot adds time and format itself).

    None of the `secrets`, such as the token that bot and engine share, shows in any line."""
    settings = settings or LogSettings()
    timed: list[Any] = [
        structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S", utc=False),
        structlog.processors.format_exc_info,
        Redaction(*secrets),
    ]
    for_people: list[Any] = [
        *timed,
        visible,
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
    ]
    for_collectors: list[Any] = [*timed, structlog.processors.JSONRenderer()]
    for_the_bot: list[Any] = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            *(
                for_the_bot
                if PARENT_FD_VARIABLE in os.environ
                else for_collectors
                if settings.format == "json"
                else for_people
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, settings.level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )

"""The bot's tables of config.toml, typed and frozen. Every default is repeated, with its reason, in config.toml."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from engine.contract.configuration import BOT_TABLES, ConfigurationError, configuration_path, read_settings
from engine.contract.process_settings import ProcessSettings, Table

MIB = 1024 * 1024
TOKEN_VARIABLE = "DISCORD_TOKEN"
PLAYGROUND_TOKEN = "playground"
"""What the bot logs in with where `api_base` is not Discord and no token is set."""


def _split_on_commas(value: Any) -> Any:
    """An environment variable is one string: `1,2` means the list [1, 2]."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


class DiscordSettings(Table):
    """[discord]: which Discord, and what it is asked for."""

    api_base: str = Field(default="", pattern=r"^(https?://.+[^/])?$")
    guild_ids: Annotated[tuple[int, ...], BeforeValidator(_split_on_commas)] = ()
    max_attachment_bytes: int = Field(default=25 * MIB, ge=1, le=50 * MIB)
    progress_interval_s: float = Field(default=1.5, ge=0.0, le=60.0)


class StoreSettings(Table):
    """[store]: the database."""

    path: Path = Path("var/woodshed.sqlite3")
    busy_timeout_s: float = Field(default=5.0, gt=0)
    picture_days: float = Field(default=30.0, gt=0)


class ClubSettings(Table):
    """[club]: the house rules."""

    staff_role: str = Field(default="Course staff", min_length=1)
    jobs_per_member: int = Field(default=3, ge=1, le=100)
    poll_minutes: int = Field(default=1440, ge=1, le=20_160)
    poll_reminders: bool = True
    styles_per_server: int = Field(default=24, ge=1, le=100)


class LogSettings(Table):
    """[log]: what is written to standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["console", "json"] = "console"


class BotSettings(BaseModel):
    """All tables of config.toml that the bot reads, and the token, which only the environment may hold."""

    model_config = ConfigDict(frozen=True)

    discord: DiscordSettings = DiscordSettings()
    store: StoreSettings = StoreSettings()
    club: ClubSettings = ClubSettings()
    log: LogSettings = LogSettings()
    engine: ProcessSettings = ProcessSettings()
    token: SecretStr = SecretStr("")


def load_bot_settings(path: Path | None = None, environment: Mapping[str, str] = os.environ) -> BotSettings:
    """Settings from the configuration file and the environment.

    Raises ConfigurationError: a wrong or unknown setting, or no token where Discord itself is to be reached."""
    path = path or configuration_path(environment)
    settings = read_settings(BotSettings, (*BOT_TABLES, "engine"), path, environment)
    token = environment.get(TOKEN_VARIABLE, "").strip()
    if not token and not settings.discord.api_base:
        raise ConfigurationError(
            f"{TOKEN_VARIABLE} is not set in the environment and 'discord.api_base' in {path} is empty: "
            "set the token to reach Discord, or the address of a playground."
        )
    return settings.model_copy(update={"token": SecretStr(token or PLAYGROUND_TOKEN)})

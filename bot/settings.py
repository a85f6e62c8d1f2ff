"""The bot's tables of config.toml, typed and frozen. Every default is repeated, with its reason, in config.toml."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator

from engine.contract.configuration import (
    BOT_TABLES,
    TOKEN_VARIABLE,
    ConfigurationError,
    configuration_path,
    read_settings,
)
from engine.contract.limits import MIB
from engine.contract.process_settings import LogSettings, ProcessSettings, Table

PLAYGROUND_TOKEN = "playground"
"""What the bot logs in with where `api_base` is not Discord and no token is set."""


def _split_on_commas(value: Any) -> Any:
    """An environment variable is one string: `1,2` means the list [1, 2]."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Ids = Annotated[tuple[Annotated[int, Field(ge=1)], ...], BeforeValidator(_split_on_commas)]


class DiscordSettings(Table):
    """[discord]: which Discord, and what it is asked for."""

    api_base: str = Field(
        default="",
        pattern=r"^(https?://.+[^/])?$",
        description="empty, or an address without a slash at its end, such as 'http://127.0.0.1:8600/api/v10'",
    )
    guild_ids: Ids = ()
    user_install: bool = False
    shards: int = Field(default=0, ge=0)
    max_attachment_bytes: int = Field(default=25 * MIB, ge=1, le=50 * MIB)
    progress_interval_s: float = Field(default=1.5, ge=0.0, le=60.0)


class StoreSettings(Table):
    """[store]: the database."""

    path: Path = Path("var/woodshed.sqlite3")

    @field_validator("path")
    @classmethod
    def _names_a_file(cls, path: Path) -> Path:
        if not path.name or path.is_dir():
            raise ValueError(f"it's {str(path)!r}, and must be a file's path, such as 'var/woodshed.sqlite3'")
        return path

    busy_timeout_s: float = Field(default=5.0, gt=0)
    picture_days: float = Field(default=30.0, gt=0)
    picture_mb: int = Field(default=2000, ge=10)
    member_mb: int = Field(default=100, ge=1)


class ClubSettings(Table):
    """[club]: the house rules."""

    staff_role: str = Field(default="Course staff", min_length=1)
    jobs_per_member: int = Field(default=3, ge=1, le=100)
    poll_minutes: int = Field(default=1440, ge=1, le=20_160)
    poll_reminders: bool = True
    styles_per_server: int = Field(default=24, ge=1, le=100)
    anyone_may_host_quiz: bool = False


class HostingSettings(Table):
    """[hosting]: what keeps the bot running, and who hears about it."""

    servers: Ids = ()
    staff_channel: int = Field(default=0, ge=0)
    backup_folder: str = ""
    backup_every_h: float = Field(default=24.0, gt=0)
    backups_kept: int = Field(default=7, ge=0, le=1000)
    free_disk_mb: int = Field(default=1000, ge=0)
    drain_s: float = Field(default=12.0, ge=0, le=600)
    metrics_port: int = Field(default=0, ge=0, le=65_535)


class BotSettings(BaseModel):
    """All tables of config.toml that the bot reads, and the token, which only the environment may hold."""

    model_config = ConfigDict(frozen=True)

    discord: DiscordSettings = DiscordSettings()
    store: StoreSettings = StoreSettings()
    club: ClubSettings = ClubSettings()
    hosting: HostingSettings = HostingSettings()
    log: LogSettings = LogSettings()
    engine: ProcessSettings = ProcessSettings()
    token: SecretStr = SecretStr("")

    @property
    def backup_folder(self) -> Path:
        """Where the automatic backups are: as set, or beside the database."""
        return Path(self.hosting.backup_folder) if self.hosting.backup_folder else self.store.path.parent / "backups"


def load_bot_settings(
    path: Path | None = None, environment: Mapping[str, str] = os.environ, *, needs_token: bool = True
) -> BotSettings:
    """Settings from the configuration file and the environment. A backup, for one, needs no token.

    Raises ConfigurationError: a wrong or unknown setting, or no token where Discord itself is to be reached."""
    path = path or configuration_path(environment)
    settings = read_settings(BotSettings, (*BOT_TABLES, "engine"), path, environment)
    token = environment.get(TOKEN_VARIABLE, "").strip()
    if needs_token and not token and not settings.discord.api_base:
        raise ConfigurationError(
            f"{TOKEN_VARIABLE} is not set in the environment and 'discord.api_base' in {path} is empty: "
            "set the token to reach Discord, or the address of a playground."
        )
    if re.search(r"[^\x21-\x7e]|^['\"]|['\"]$|^Bot\b", token):
        raise ConfigurationError(
            f"{TOKEN_VARIABLE} in the environment isn't a token; set it to the token alone, without quotes or spaces."
        )
    if not token and settings.discord.api_base:
        token = PLAYGROUND_TOKEN
    return settings.model_copy(update={"token": SecretStr(token)})

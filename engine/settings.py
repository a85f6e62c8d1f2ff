"""The engine's tables of config.toml, typed and frozen. Every default is repeated, with its reason, in config.toml."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from engine.contract.configuration import ENGINE_TABLES, configuration_path, read_settings
from engine.contract.limits import MAX_BARS, MAX_TAKES, MIB
from engine.contract.process_settings import LogSettings, ProcessSettings, Table


class StylizeSettings(Table):
    """[stylize]: bounds on pictures."""

    max_upload_bytes: int = Field(default=25 * MIB, ge=1)
    max_pixels: int = Field(default=50_000_000, ge=1)
    default_size_px: int = Field(default=1024, ge=64, le=8192)
    max_size_px: int = Field(default=2048, ge=64, le=8192)
    film_side_px: int = Field(default=480, ge=64, le=1024)
    max_frames: int = Field(default=120, ge=1)
    tile_px: int = Field(default=1024, ge=128, le=4096)


class JazzSettings(Table):
    """[jazz]: bounds on clips, and the sound."""

    soundfont: str = ""
    candidate: str = ""
    max_bars: int = Field(default=64, ge=4, le=MAX_BARS)
    takes: int = Field(default=16, ge=1, le=MAX_TAKES)
    clip_duration_s: float = Field(default=30.0, gt=1)
    max_import_duration_s: float = Field(default=600.0, gt=1)
    max_upload_bytes: int = Field(default=25 * MIB, ge=1)


class TeachSettings(Table):
    """[teach]: where answers come from."""

    documentation: bool = True


class EngineSettings(Table):
    """All tables of config.toml that the engine reads."""

    engine: ProcessSettings = ProcessSettings()
    stylize: StylizeSettings = StylizeSettings()
    jazz: JazzSettings = JazzSettings()
    teach: TeachSettings = TeachSettings()
    log: LogSettings = LogSettings()


def load_engine_settings(path: Path | None = None) -> EngineSettings:
    """Settings from the configuration file and the environment.

    Raises `engine.contract.configuration.ConfigurationError`."""
    return read_settings(EngineSettings, (*ENGINE_TABLES, "log"), path or configuration_path())

"""Reading config.toml: the file has tables for the bot and for the engine, and each process checks its own.

A setting comes from, in this order: the environment (`WOODSHED_<TABLE>__<KEY>`), the file, the default in code.
Whatever is wrong ends in one sentence that names the key and the place.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from engine.contract import PARENT_FD_VARIABLE

BOT_TABLES = ("discord", "store", "club", "hosting", "log")
ENGINE_TABLES = ("engine", "stylize", "jazz", "teach")
ENVIRONMENT_PREFIX = "WOODSHED_"
CONFIG_VARIABLE = "WOODSHED_CONFIG"
"""The environment variable that names another configuration file."""

Settings = TypeVar("Settings", bound=BaseModel)


class ConfigurationError(Exception):
    """A setting is wrong or missing. The message is one sentence that names the key and the place."""


def configuration_path(environment: Mapping[str, str] = os.environ) -> Path:
    """The configuration file in force: `WOODSHED_CONFIG`, else `config.toml` in the working directory."""
    return Path(environment.get(CONFIG_VARIABLE) or "config.toml")


def read_settings(
    model: type[Settings],
    tables: tuple[str, ...],
    path: Path,
    environment: Mapping[str, str] = os.environ,
) -> Settings:
    """Build `model` (one field per table, each a model itself) from `tables` of the file and the environment.

    Raises ConfigurationError for an unreadable file, an unknown table or key, or a value that doesn't fit."""
    document = _read_file(path)
    _refuse_unknown(document.keys(), BOT_TABLES + ENGINE_TABLES, "table", str(path))
    values: dict[str, dict[str, Any]] = {}
    origin: dict[tuple[str, str], str] = {}
    for table in tables:
        content = document.get(table, {})
        if not isinstance(content, dict):
            raise ConfigurationError(f"'{table}' in {path} must be a table, written as [{table}].")
        known = _keys(model, table)
        _refuse_unknown(content.keys(), known, f"key in [{table}]", str(path))
        values[table] = dict(content)
        origin.update({(table, key): str(path) for key in content})
    for name, text in environment.items():
        table, key = _split_variable(name)
        if table not in tables:
            continue
        _refuse_unknown([key], _keys(model, table), f"key in [{table}]", f"the environment variable {name}")
        values[table][key] = text
        origin[table, key] = f"the environment variable {name}"
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = tuple(str(part) for part in first["loc"][:2])
        place = origin.get(where, str(path)) if len(where) == 2 else str(path)
        raise ConfigurationError(f"'{'.'.join(where)}' in {place} is wrong: {_sentence(first['msg'])}") from error


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"There is no configuration file {path}; create it, or set {CONFIG_VARIABLE} to where yours is."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"The configuration file {path} can't be read: {error}.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"The configuration file {path} is not valid TOML: {error}.") from error


def _keys(model: type[BaseModel], table: str) -> tuple[str, ...]:
    annotation = model.model_fields[table].annotation
    assert isinstance(annotation, type)
    assert issubclass(annotation, BaseModel)
    return tuple(annotation.model_fields)


def _split_variable(name: str) -> tuple[str, str]:
    """`WOODSHED_ENGINE__ADDRESS` -> ("engine", "address"); ("", "") for any other variable.

    Raises ConfigurationError for a variable with our prefix that names no table."""
    if not name.startswith(ENVIRONMENT_PREFIX) or name in (CONFIG_VARIABLE, PARENT_FD_VARIABLE):
        return "", ""
    table, separator, key = name[len(ENVIRONMENT_PREFIX) :].lower().partition("__")
    if not separator:
        raise ConfigurationError(
            f"The environment variable {name} names no setting; write {ENVIRONMENT_PREFIX}<TABLE>__<KEY>."
        )
    _refuse_unknown([table], BOT_TABLES + ENGINE_TABLES, "table", f"the environment variable {name}")
    return table, key


def _refuse_unknown(names: Any, known: tuple[str, ...], what: str, where: str) -> None:
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(known)}."
            raise ConfigurationError(f"Unknown {what} '{name}' in {where}: {hint}")


def _sentence(message: str) -> str:
    message = message.removeprefix("Value error, ").strip()
    return message if message.endswith((".", "?", "!")) else message + "."

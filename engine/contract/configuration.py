"""Reading config.toml: the file has tables for the bot and for the engine, and each process checks its own.

A setting comes from, in this order: the environment (`WOODSHED_<TABLE>__<KEY>`), the file, the default in code.
Whatever is wrong ends in one sentence that names the key and the place, and says what would be right.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from engine.contract import PARENT_FD_VARIABLE

BOT_TABLES = ("discord", "store", "club", "hosting", "log")
ENGINE_TABLES = ("engine", "stylize", "jazz", "teach")
ENVIRONMENT_PREFIX = "WOODSHED_"
CONFIG_VARIABLE = "WOODSHED_CONFIG"
"""The environment variable that names another configuration file."""
TOKEN_VARIABLE = "DISCORD_TOKEN"
"""The environment variable that holds the bot's token, which no file may."""
WANTED = {
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "string_type": "a text in quotes",
    "path_type": "a text in quotes",
    "tuple_type": "a list in brackets, such as [1, 2]",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "literal_error": "{expected}",
    "string_too_short": "something, not empty",
    "string_pattern_mismatch": "{description}",
}
"""What a setting must be, by the kind of pydantic's error (https://docs.pydantic.dev/latest/errors/validation_errors/)."""

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
    text = _read_file(path)
    document = _parse(text, path)
    _refuse_strays(document, path, text)
    values: dict[str, dict[str, Any]] = {}
    origin: dict[tuple[str, str], str] = {}
    for table in tables:
        content = document.get(table, {})
        if not isinstance(content, dict):
            raise ConfigurationError(f"'{table}' in {path} must be a table, written as [{table}].")
        known = _keys(model, table)
        for key in content:
            _refuse_misplaced(model, tables, table, key, _place(path, text, table, key))
            _refuse_unknown(key, known, f"key in [{table}]", _place(path, text, table, key))
        values[table] = dict(content)
        origin.update({(table, key): _place(path, text, table, key) for key in content})
    for name, value in environment.items():
        table, key = _split_variable(name)
        if table not in tables:
            continue
        _refuse_unknown(key, _keys(model, table), f"key in [{table}]", f"the environment variable {name}")
        values[table][key] = value
        origin[table, key] = f"the environment variable {name}"
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = tuple(str(part) for part in first["loc"][:2])
        place = origin.get(where, str(path)) if len(where) == 2 else str(path)
        raise ConfigurationError(f"'{'.'.join(where)}' in {place} is wrong: {_what(model, where, first)}.") from error


def _read_file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")  # some editors put a mark of byte order in front
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"There is no configuration file {path}; create it, or set {CONFIG_VARIABLE} to where yours is."
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"The configuration file {path} isn't UTF-8; save it as UTF-8.") from error
    except OSError as error:
        raise ConfigurationError(f"The configuration file {path} can't be read: {error.strerror}.") from error


def _parse(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        what, _, where = str(error).removesuffix(")").rpartition(" (at ")
        raise ConfigurationError(
            f"The configuration file {path} is not valid TOML{f' at {where}' if what else ''} ({what or where}); texts "
            "stand in straight quotes with every backslash doubled, true and false are written small, and each key "
            "stands once as `key = value`."
        ) from error


def _refuse_strays(document: Mapping[str, Any], path: Path, text: str) -> None:
    """Refuse tables that nobody knows, and keys outside of any table."""
    for name, content in document.items():
        if name in BOT_TABLES + ENGINE_TABLES:
            continue
        place = _place(path, text, "", name)
        if not isinstance(content, dict):
            raise ConfigurationError(f"'{name}' in {place} stands in no table; move it below its line in [brackets].")
        _refuse_unknown(name, BOT_TABLES + ENGINE_TABLES, "table", _place(path, text, name))


def _refuse_misplaced(model: type[BaseModel], tables: tuple[str, ...], table: str, key: str, place: str) -> None:
    """Refuse a key that another table knows, and the token, with where they belong."""
    if key in _keys(model, table):
        return
    if (table, key) == ("discord", "token"):
        raise ConfigurationError(
            f"The bot's token doesn't belong in {place}; put it in the environment instead, as {TOKEN_VARIABLE}."
        )
    for other in tables:
        if key in _keys(model, other):
            raise ConfigurationError(f"'{key}' in {place} stands in [{table}]; it belongs in [{other}].")


def _place(path: Path, text: str, table: str, key: str = "") -> str:
    """The file and the line where a key of a table stands, or the table itself; the file alone where it isn't found,
    as in a table written on one line."""
    current = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[\s*[\"']?([\w-]+)[\"']?\s*\]", line):
            current = header[1]
            if current == table and not key:
                return f"{path} (line {number})"
        elif current == table and key and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", line):
            return f"{path} (line {number})"
    return str(path)


def _table(model: type[BaseModel], table: str) -> type[BaseModel]:
    annotation = model.model_fields[table].annotation
    assert isinstance(annotation, type)
    assert issubclass(annotation, BaseModel)
    return annotation


def _keys(model: type[BaseModel], table: str) -> tuple[str, ...]:
    return tuple(_table(model, table).model_fields)


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
    _refuse_unknown(table, BOT_TABLES + ENGINE_TABLES, "table", f"the environment variable {name}")
    return table, key


def _refuse_unknown(name: str, known: tuple[str, ...], what: str, where: str) -> None:
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(known)}."
        raise ConfigurationError(f"Unknown {what} '{name}' in {where}: {hint}")


def _what(model: type[BaseModel], where: tuple[str, ...], error: ErrorDetails) -> str:
    """What's wrong with a value and what would be right, without a full stop; a secret's value isn't told."""
    field = _table(model, where[0]).model_fields.get(where[-1])
    wanted = WANTED.get(error["type"])
    if wanted is None:  # a sentence of our own, from a validator
        return error["msg"].removeprefix("Value error, ").removesuffix(".")
    must = wanted.format(**error.get("ctx", {}), description=field.description if field is not None else "")
    if field is None or not field.repr:
        return f"it must be {must}"
    return f"it's {_shown(error['input'])}, and must be {must}"


def _shown(value: Any) -> str:
    """A value as config.toml writes it, cut to a readable length."""
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"

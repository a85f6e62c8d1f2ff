"""The version of Woodshed: it runs from its checkout, so no installed metadata knows it."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path


@cache
def woodshed_version() -> str:
    """The version in pyproject.toml."""
    document = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    return str(document["project"]["version"])

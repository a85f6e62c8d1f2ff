"""Where a command puts its results: checked before the work begins, so that no work is lost."""

from __future__ import annotations

import os
from pathlib import Path

from engine.errors import BadOption


def require_writable(*paths: Path | None) -> None:
    """Make the folders of these files, and check that each file can be written. None stands for "not wanted".

    Raises `BadOption` with the reason."""
    for path in paths:
        if path is None:
            continue
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadOption(f"{path} can't be written: {error.strerror}.") from error
        if path.is_dir():
            raise BadOption(f"{path} can't be written: it is a folder.")
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            raise BadOption(f"{path} can't be written: permission denied.")


def write_file(path: Path, data: bytes) -> None:
    """Write a result. Raises `BadOption` where the disk refuses it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise BadOption(f"{path} can't be written: {error.strerror}.") from error

"""What a process has loaded, as the kernel shows it: on Linux alone."""

from __future__ import annotations

from pathlib import Path

import psutil


def packages_of(process: psutil.Process) -> set[str]:
    """The installed packages whose libraries are in its memory."""
    paths = (Path(loaded.path).parts for loaded in process.memory_maps())
    return {parts[parts.index("site-packages") + 1] for parts in paths if "site-packages" in parts}

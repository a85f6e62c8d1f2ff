"""Commands as this host types them, for sentences that name one: copied and pasted, they should work."""

from __future__ import annotations

import sys
from pathlib import Path


def typed(command: str) -> str:
    """`doctor` -> `.venv/bin/python -m bot doctor`, where that's the Python that runs this."""
    python = Path(sys.executable)
    folder = Path.cwd()
    return f"{python.relative_to(folder) if python.is_relative_to(folder) else 'python'} -m bot {command}"

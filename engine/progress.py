"""How a long job says how far it is, and learns that nobody wants it any more."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from tqdm import tqdm

Progress = Callable[[str, float], None]
"""`progress(stage, fraction)`: a word or two for the member and 0..1 of the whole job.

Call it between steps of at most half a second: it raises `engine.errors.Cancelled` when the job was cancelled."""


def silent(stage: str, fraction: float) -> None:
    """The `Progress` of a caller who doesn't want to know."""


@contextlib.contextmanager
def progress_bar(description: str, delay_s: float = 2.0) -> Iterator[Progress]:
    """A `Progress` for the command line: a bar on standard error that appears only after `delay_s` seconds."""
    with tqdm(total=100, delay=delay_s, leave=False, bar_format="{desc} {percentage:3.0f}%|{bar}|") as bar:

        def advance(stage: str, fraction: float) -> None:
            bar.set_description_str(f"{description}: {stage}", refresh=False)
            bar.update(max(0.0, 100 * fraction - bar.n))

        yield advance

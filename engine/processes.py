"""Processes that share out work on the processor's cores: reading a corpus, decoding a collection of pictures."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor


def process_pool(workers: int | None = None) -> ProcessPoolExecutor:
    """A pool of `workers` processes, as many as there are cores by default, each started afresh.

    A fork would copy this process while other threads (torch's, gRPC's, tqdm's) hold locks that nobody in the copy ever
    releases: the copy may hang, or spin, for ever (Python documentation, multiprocessing, "Contexts and start
    methods"). So what the workers are given has to be picklable, and a script needs its `__main__` guard."""
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))

"""Where the networks run: CUDA where there is one, else the CPU."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import torch

from engine.contract.configuration import ConfigurationError

_M_ARENA_MAX = -8
"""Of mallopt(3)."""


def choose_device(name: str = "auto") -> torch.device:
    """`auto` takes CUDA when torch sees a device, else the CPU; any other name is taken as it is.

    Raises ConfigurationError for a CUDA device that isn't there."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ConfigurationError(
            f"'engine.device' is '{name}', but torch sees {torch.cuda.device_count()} CUDA devices; "
            "write 'auto' or 'cpu'."
        )
    return device


def available_cores() -> int:
    """Processor cores that this process may use (an affinity mask or `taskset` counts)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def use_threads(threads: int) -> int:
    """Set how many threads one torch operation may use; 0 means all available cores. Returns the number in force.

    Two torch processes that each take all cores starve each other: their waiting threads spin."""
    torch.set_num_threads(threads or available_cores())
    return torch.get_num_threads()


def describe(device: torch.device) -> str:
    """One line for `/about`: `cpu (2 threads)` or `cuda: NVIDIA H200`."""
    if device.type == "cuda":
        return f"cuda: {torch.cuda.get_device_name(device)}"
    return f"{device.type} ({torch.get_num_threads()} threads)"


def memory(device: torch.device) -> tuple[int, int]:
    """Bytes in use and bytes in all: of a CUDA device, by whomever; on a CPU, of this process and of the machine."""
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        return total - free, total
    return psutil.Process().memory_info().rss, psutil.virtual_memory().total


@contextmanager
def one_thread(device: torch.device) -> Iterator[None]:
    """On the CPU, one thread for each torch operation inside. Where the matrices are small, as those of a single note
    are, a second thread saves nothing, and on a busy machine waiting for it makes every one of the thousands of steps
    ten times slower (measured)."""
    threads = torch.get_num_threads()
    if device.type == "cpu":
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def share_heaps() -> None:
    """Let all threads take memory from two heaps. glibc would give each thread its own, which keeps what that thread
    once needed: with a device's thread, finishers and readers that came to 100 MB. Call it before threads start."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)


def trim_heaps() -> None:
    """Give free memory back to the system. glibc keeps whatever lies below something still in use: after a few
    pictures that is more than 100 MB. Whoever works next asks for it again, so call it at rest only."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that memory has run out: CUDA's own, Python's, or the plain RuntimeError that the
    processor's allocator raises."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    text = str(error)
    return isinstance(error, RuntimeError) and ("can't allocate memory" in text or "not enough memory" in text)


def release_memory(device: torch.device) -> None:
    """Give back what nothing refers to any more. Call it after the `except` block has ended: inside, the exception's
    traceback still holds the frames with all their tensors."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def is_device_lost(error: BaseException) -> bool:
    """Whether an exception says that the CUDA context is broken: from then on every call fails in this process."""
    if is_out_of_memory(error) or not isinstance(error, RuntimeError):
        return False
    return "CUDA error" in str(error) or type(error).__name__ == "AcceleratorError"

"""Runs the documentation's own examples, each in a child process of its own with limits on time, memory and files.

Only ever given what stands in the docstrings of the installed torch: whoever runs torch trusts those already. The
limits are for examples that hang, download, or fill the disk."""

from __future__ import annotations

import ast
import contextlib
import ctypes
import io
import os
import resource
import select
import signal
import sys
import time
import traceback
from typing import Any

TIME_LIMIT_S = 4.0
MEMORY_BYTES = 1 << 30
MAX_OUTPUT = 700
SEED = 0

_PREAMBLE = (
    "import math, torch, torchvision\nimport numpy as np\nimport torch.nn as nn\nimport torch.nn.functional as F\n"
    "from torch import Tensor, optim\nfrom torch.utils.data import DataLoader, Dataset, TensorDataset\n"
)
_NEWUSER, _NEWNET = 0x10000000, 0x40000000


def printed_by(code: str) -> str | None:
    """What `code` prints when it's typed in line by line; None if it fails, asks for too much, or prints nothing.

    Call it from a process with one thread and torch in it: the child is a fork, and works in the same folder."""
    mine, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(mine)
        _run_and_leave(code, theirs)
    os.close(theirs)
    output = _read(mine, time.monotonic() + TIME_LIMIT_S)
    os.close(mine)
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    text = None if output is None else output.decode("utf-8", "replace").rstrip()
    return text if text and text[0] == "=" and (text := text[1:].strip("\n")) else None


def shown_and_printed(code: str) -> tuple[str, str]:
    """An example and what it prints, "" if it can't be run. One that ends in an assignment gets the shape printed."""
    output = printed_by(code)
    if output is None and (name := _assigned_last(code)):
        longer = f"{code}\n{name}.shape"
        if output := printed_by(longer):
            return longer, output
    return code, output or ""


def _assigned_last(code: str) -> str:
    try:
        last = ast.parse(code).body[-1:]
    except SyntaxError:
        return ""
    target = last[0].targets[0] if last and isinstance(last[0], ast.Assign) else None
    return target.id if isinstance(target, ast.Name) else ""


def _read(pipe: int, deadline: float) -> bytes | None:
    """All up to the pipe's end; None at the deadline."""
    parts = b""
    while (left := deadline - time.monotonic()) > 0:
        if not select.select([pipe], [], [], left)[0]:
            return None
        part = os.read(pipe, 1 << 16)
        if not part:
            return parts
        parts += part
        if len(parts) > 1 << 20:
            return None
    return None


def _run_and_leave(code: str, pipe: int) -> None:
    """In the child. "=" and the output are written to the pipe if every line went well."""
    try:
        _close_in()
        output = run_lines(code)
        os.write(pipe, b"=" + output[:MAX_OUTPUT].encode("utf-8", "replace"))
    except BaseException:  # noqa: BLE001 -- an example may raise anything, SystemExit too
        traceback.print_exc()
    finally:
        os._exit(0)


def _close_in() -> None:
    with contextlib.suppress(OSError):
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
    used = 0
    with contextlib.suppress(OSError), open("/proc/self/statm") as text:
        used = int(text.read().split()[0]) * resource.getpagesize()
    limits = [(resource.RLIMIT_CPU, int(TIME_LIMIT_S) + 1), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0)]
    if used:
        limits.append((resource.RLIMIT_AS, used + MEMORY_BYTES))
    for kind, most in limits:
        resource.setrlimit(kind, (most, most))
    if sys.platform == "linux":
        ctypes.CDLL(None).unshare(_NEWUSER | _NEWNET)


def run_lines(code: str) -> str:
    """What an interactive interpreter would show: printed text, and the value of each line that is an expression."""
    import torch

    torch.manual_seed(SEED)
    room: dict[str, Any] = {"__name__": "__main__"}
    exec(_PREAMBLE, room)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        for statement in ast.parse(code).body:
            exec(compile(ast.Interactive([statement]), "<example>", "single"), room)
    return out.getvalue()

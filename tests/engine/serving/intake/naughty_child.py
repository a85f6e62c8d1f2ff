"""A child whose reader obeys the file: what a decoder that was taken over might do."""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.progress import Progress
from engine.serving.intake import child, messages, readers
from engine.uploads import CALCULATION, PICTURE, Reading

FORBIDDEN = (
    "read a file",
    "write a file",
    "list a folder",
    "make a folder",
    "delete a file",
    "open a socket",
    "open a local socket",
    "start a program",
    "fork",
    "signal another",
    "open shared memory",
    "look into another",
)


def attempt(what: str) -> None:
    match what:
        case "read a file":
            with open("/etc/passwd") as file:
                file.read()
        case "write a file":
            with open("/tmp/woodshed-naughty", "w") as file:
                file.write("I was here")
        case "list a folder":
            os.listdir("/")
        case "make a folder":
            os.mkdir("/tmp/woodshed-naughty-folder")
        case "delete a file":
            os.unlink("/tmp/woodshed-naughty")
        case "open a socket":
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        case "open a local socket":
            socket.socketpair()
        case "start a program":
            subprocess.Popen(["/bin/true"])
        case "fork":
            os.fork()
        case "signal another":
            os.kill(os.getppid(), 0)
        case "open shared memory":
            os.memfd_create("naughty")
        case "look into another":
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.ptrace(16, os.getppid(), 0, 0) != 0:  # PTRACE_ATTACH
                raise OSError(ctypes.get_errno(), "ptrace")


def obey(data: bytes, options: Mapping[str, Any], progress: Progress) -> Reading:
    what = data.decode(errors="replace")
    if what in FORBIDDEN:
        came = "nothing"
        try:
            attempt(what)
        except Exception as error:  # noqa: BLE001 -- whatever it is is the answer
            came = type(error).__name__
        return Reading({"came": came})
    match what:
        case "exit":
            os._exit(3)
        case "segfault":
            ctypes.string_at(8)
        case "hang":
            while True:
                time.sleep(1)
        case "spin":
            while True:
                pass
        case "memory":
            hoard = []
            while True:
                hoard.append(np.ones(1 << 22))
        case "lie":
            child_out({"facts": {}, "arrays": [{"dtype": "|u1", "shape": [1 << 40], "at": 0}]})
        case "flood":
            os.write(answer_pipe(), b"\xff\xff\xff\xff")
    return Reading({"came": what})


def answer_pipe() -> int:
    """The pipe of answers, found as code that was taken over would find it."""
    for descriptor in range(3, 16):
        with contextlib.suppress(OSError):
            if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
                return descriptor
    raise OSError("no pipe")


def child_out(message: dict[str, Any]) -> None:
    os.write(answer_pipe(), messages.packed(message))


readers.READERS.update(dict.fromkeys((PICTURE, CALCULATION), obey))

if __name__ == "__main__":
    child.warm_up = lambda: None  # type: ignore[attr-defined, assignment]
    sys.exit(child.main(sys.argv[1:]))

"""How engine and child talk: a length and a JSON object on a pipe, arrays and files in one piece of shared memory.

No pickles: the engine believes the child nothing that it hasn't checked here.
"""

from __future__ import annotations

import fcntl
import json
import mmap
import os
import struct
import tempfile
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.uploads import Array, Reading

LENGTH = struct.Struct(">I")
MOST_MESSAGE_BYTES = 4 * 1024 * 1024
MOST_ARRAYS = 64
MOST_DIMENSIONS = 5
DTYPES = {np.dtype(name).str for name in ("u1", "i2", "i4", "i8", "f4", "f8")}
ALIGNMENT = 64
_F_ADD_SEALS, _SEAL, _SHRINK, _GROW = 1033, 1, 2, 4
"""Of fcntl(2), "File Sealing"."""


class Malformed(Exception):
    """The other side said something that no honest child says."""


def packed(message: dict[str, Any]) -> bytes:
    text = json.dumps(message, separators=(",", ":"), allow_nan=False).encode()
    if len(text) > MOST_MESSAGE_BYTES:
        raise Malformed(f"a message of {len(text)} bytes")
    return LENGTH.pack(len(text)) + text


def unpacked(text: bytes) -> dict[str, Any]:
    """Raises `Malformed`."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Malformed("not JSON") from error
    if not isinstance(message, dict):
        raise Malformed("not an object")
    return message


def shared_memory(size: int) -> int:
    """The descriptor of `size` bytes that two processes can map, without a name that could be left behind.

    Its size is sealed: a child that cut it would kill the engine as soon as that reads on."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("woodshed-intake", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(descriptor, size)
        fcntl.fcntl(descriptor, _F_ADD_SEALS, _SEAL | _SHRINK | _GROW)
        return descriptor
    with tempfile.TemporaryFile() as file:
        file.truncate(size)
        return os.dup(file.fileno())


def put_arrays(memory: mmap.mmap, start: int, arrays: Sequence[Array]) -> list[dict[str, Any]]:
    """Copy arrays into the memory from `start` on; what the message says of each. Raises `MemoryError`."""
    described = []
    at = start
    for array in arrays:
        at = -(-at // ALIGNMENT) * ALIGNMENT
        if at + array.nbytes > len(memory):
            raise MemoryError(f"{array.nbytes} bytes of results")
        view = np.frombuffer(memory, array.dtype, array.size, at) if array.size else None
        if view is not None:
            view[:] = np.ascontiguousarray(array).reshape(-1)
        described.append({"dtype": array.dtype.str, "shape": list(array.shape), "at": at})
        at += array.nbytes
    return described


def reading_of(message: dict[str, Any], memory: mmap.mmap) -> Reading:
    """The facts and copies of the arrays. Raises `Malformed` for anything out of bounds."""
    facts, described = message.get("facts"), message.get("arrays")
    if not isinstance(facts, dict) or not isinstance(described, list) or len(described) > MOST_ARRAYS:
        raise Malformed("no facts or arrays")
    arrays = []
    for one in described:
        if not isinstance(one, dict):
            raise Malformed("an array that is none")
        dtype, shape, at = one.get("dtype"), one.get("shape"), one.get("at")
        if dtype not in DTYPES or not isinstance(shape, list) or len(shape) > MOST_DIMENSIONS:
            raise Malformed("an array of no known kind")
        if type(at) is not int or not all(type(side) is int and 0 <= side <= 1 << 32 for side in [*shape, at]):
            raise Malformed("an array of no size")
        kind = np.dtype(dtype)
        count = 1
        for side in shape:
            count *= side
        if at % ALIGNMENT or at + count * kind.itemsize > len(memory):
            raise Malformed("an array that ends outside")
        arrays.append(np.frombuffer(memory, kind, count, at).reshape(shape).copy())
    seconds = message.get("seconds", 0.0)
    return Reading(facts, tuple(arrays), float(seconds) if isinstance(seconds, int | float) else 0.0)

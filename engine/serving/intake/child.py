"""The child process: imports every reader, closes itself in, and reads one file after the other until its pipe ends.

python -m engine.serving.intake.child MEMORY_FD MEMORY_BYTES
"""

from __future__ import annotations

import contextlib
import gc
import io
import mmap
import os
import sys
import time
import traceback
from typing import Any, BinaryIO

import numpy as np
import structlog

from engine.errors import EngineError
from engine.serving.intake import messages, sandbox
from engine.serving.intake.readers import READERS
from engine.serving.intake.warming import warm_up

PROGRESS_INTERVAL_S = 0.1
LONGEST_TRACEBACK = 4000


def main(arguments: list[str]) -> int:
    sandbox.leave_with_parent()
    descriptor, memory_bytes = (int(one) for one in arguments)
    memory = mmap.mmap(descriptor, os.fstat(descriptor).st_size)
    os.close(descriptor)
    # Nobody but us writes to the pipe of answers; whatever a library prints goes nowhere.
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    requests = os.fdopen(0, "rb", buffering=0, closefd=False)
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    try:
        warm_up()
    except Exception:
        answers.write(messages.packed({"failed": traceback.format_exc()[-LONGEST_TRACEBACK:]}))
        raise
    gc.collect()
    gc.freeze()
    holds = sandbox.close_in(memory_bytes)
    heavy = sorted({"torch", "grpc", "matplotlib"} & set(sys.modules))
    answers.write(messages.packed({"ready": True, "holds": list(holds), "heavy": heavy}))
    while head := _exactly(requests, messages.LENGTH.size):
        message = messages.unpacked(_exactly(requests, messages.LENGTH.unpack(head)[0]))
        answers.write(messages.packed(_answer(message, memory, answers)))
        gc.collect()
    return 0


def _exactly(pipe: io.FileIO | BinaryIO, count: int) -> bytes:
    """`count` bytes, or none at the pipe's end."""
    parts = b""
    while len(parts) < count:
        part = pipe.read(count - len(parts))
        if not part:
            return b""
        parts += part
    return parts


def _answer(message: dict[str, Any], memory: mmap.mmap, answers: Any) -> dict[str, Any]:
    """What came of one file: facts and arrays, a sentence for the member, or a traceback for the log."""
    data = memory[: message["bytes"]]
    last_sent = time.monotonic()

    def progress(stage: str, fraction: float) -> None:
        nonlocal last_sent
        if time.monotonic() - last_sent >= PROGRESS_INTERVAL_S:
            last_sent = time.monotonic()
            answers.write(messages.packed({"stage": stage, "fraction": fraction}))

    try:
        began = time.perf_counter()
        reading = READERS[message["kind"]](data, message["options"], progress)
        start = message["bytes"]
        arrays = [np.asarray(array) for array in reading.arrays]
        seconds = time.perf_counter() - began
        return {"facts": reading.facts, "arrays": messages.put_arrays(memory, start, arrays), "seconds": seconds}
    except EngineError as error:
        return {"error": error.code, "sentence": str(error)}
    except MemoryError:
        return {"error": "memory", "traceback": "MemoryError"}
    except Exception:  # noqa: BLE001 -- a decoder may raise anything at a file that somebody made for it
        return {"error": "fault", "traceback": traceback.format_exc()[-LONGEST_TRACEBACK:]}


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        sys.exit(main(sys.argv[1:]))
    os._exit(1)

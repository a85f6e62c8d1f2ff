"""The process that finishes clips, one after the other, until its pipe ends: python -m engine.jazz.finishing.child FONT

It never loads torch, which alone would take 300 MB: for the room's reverberation it asks the engine.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import pyloudnorm  # noqa: F401 -- comes with the first measured loudness, which no member is to wait for
import structlog

from engine.errors import EngineError
from engine.jazz.finishing import wire
from engine.jazz.finishing.clip import finish_clip
from engine.jazz.rendering.render import Synthesizer
from engine.jazz.rendering.samples import Stereo

PROGRESS_INTERVAL_S = 0.1
LONGEST_TRACEBACK = 4000


def main(arguments: list[str]) -> int:
    # Nobody but us writes to the pipe of answers; whatever a library prints goes to the log.
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    requests = os.fdopen(0, "rb", buffering=0, closefd=False)
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    synthesizer = Synthesizer(Path(arguments[0]))
    wire.send(answers, {"ready": True, "heavy": "torch" in sys.modules})
    while True:
        facts, parts = wire.receive(requests)
        wire.send(answers, *_answer(facts, parts, synthesizer, requests, answers))


def _answer(
    facts: dict[str, Any], parts: list[bytes], synthesizer: Synthesizer, requests: Any, answers: Any
) -> tuple[dict[str, Any], wire.Parts]:
    """The clip; a sentence for the member; or a traceback for the log."""
    last_sent = 0.0

    def progress(stage: str, fraction: float) -> None:
        nonlocal last_sent
        if time.monotonic() - last_sent >= PROGRESS_INTERVAL_S:
            last_sent = time.monotonic()
            wire.send(answers, {"stage": stage, "fraction": fraction})

    def room(send: Stereo) -> Stereo:
        wire.send(answers, {"room": True}, (wire.samples_part(send),))
        _, (wet,) = wire.receive(requests)
        return wire.samples_of(wet)

    try:
        clip = finish_clip(wire.work_of(facts, parts), synthesizer, progress, room)
        return {"done": True}, (clip.SerializeToString(),)
    except EngineError as error:
        return {"error": error.code, "sentence": str(error)}, ()
    except (EOFError, BrokenPipeError):
        raise
    except Exception:  # noqa: BLE001 -- the engine logs it
        return {"fault": traceback.format_exc()[-LONGEST_TRACEBACK:]}, ()


if __name__ == "__main__":
    with contextlib.suppress(EOFError, BrokenPipeError, KeyboardInterrupt):
        sys.exit(main(sys.argv[1:]))
    os._exit(0)

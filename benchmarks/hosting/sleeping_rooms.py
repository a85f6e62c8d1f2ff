"""Rooms whose device is somewhere else: a clip's turn takes a quarter of a second and no processor.

So a measurement of several engines on a small machine shows what the cluster adds, not how they fight for its cores."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from engine.contract import engine_pb2 as pb
from engine.progress import Progress
from engine.settings import EngineSettings

TURN_S = 0.25
STEPS = 5
CLIP_BYTES = 300_000


class SleepingCombo:
    """Clips of silence."""

    soundfont = "none"

    def warm(self) -> None: ...

    def model(self) -> pb.Model:
        return pb.Model(name="jazz", version="asleep")

    def options(self) -> pb.ListJazzOptionsReply:
        return pb.ListJazzOptionsReply(instruments=["tenor sax"])

    def uploads(self, request: Any) -> tuple[()]:
        return ()

    def heard(self, request: Any, readings: Sequence[Any]) -> None:
        return None

    def improvise(self, request: pb.PlayRequest, heard: None, progress: Progress) -> pb.Clip:
        for step in range(STEPS):
            progress("sleeping", step / STEPS)
            time.sleep(TURN_S / STEPS)
        return pb.Clip(seed=request.seed)

    def finish(self, work: pb.Clip, progress: Progress) -> pb.Clip:
        return pb.Clip(
            seed=work.seed, audio=bytes(CLIP_BYTES), midi=b"MThd", roll=b"\x89PNG", chords="F7", bars=4,
            tempo_bpm=120.0, instrument="tenor sax", form="blues", key="F", feel="swing", soundfont="none",
            duration_s=8.0, takes=1, beats_per_bar=4, style="bebop",
        )  # fmt: skip


class SleepingStudio:
    version = "asleep"

    def warm(self) -> None: ...

    def model(self) -> pb.Model:
        return pb.Model(name="stylize", version="asleep")

    def styles(self) -> list[pb.Style]:
        return []


class SleepingLibrary:
    card_count = generator_count = 1

    def topics(self) -> list[str]:
        return ["sleep"]

    def warm(self) -> None: ...

    def reference_state(self) -> str:
        return "asleep"

    def calculation(self, request: pb.AskRequest) -> None:
        return None

    def answer(self, request: pb.AskRequest, calculated: None) -> pb.AskReply:
        return pb.AskReply(known=True, cards=[pb.Card(id="sleep", title="Sleep", text="It's good for you.")])

    def quiz(self, request: pb.QuizRequest) -> pb.QuizReply:
        return pb.QuizReply(
            generator="sleep", topic="sleep", seed=request.seed, question="Awake?", options=["yes", "no"], correct=1,
            explanation="**no**: it's asleep.",
        )  # fmt: skip


class SleepingRooms:
    """What an engine is loaded with (`--rooms benchmarks.hosting.sleeping_rooms:SleepingRooms`)."""

    def __init__(self, settings: EngineSettings) -> None:
        self.studio: Any = SleepingStudio()
        self.combo: Any = SleepingCombo()
        self.library: Any = SleepingLibrary()

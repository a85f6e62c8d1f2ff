"""`python -m benchmarks.hosting.soak_engine ADDRESS MODE_FILE`: an engine that has bad days when told to, for the soak.

It's the real server with rooms that sleep. What stands in MODE_FILE while a clip is made decides how that goes;
"contract" and "garbage" at the start make an engine of another version, and something that is no engine at all.

Loading takes longer than an engine of the soak lives. So this process loads once, and for each line on standard input
it forks an engine and tells its process id on standard output."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.hosting.sleeping_rooms import SleepingCombo, SleepingRooms
from engine.contract import engine_pb2 as pb
from engine.contract.process_settings import ProcessSettings
from engine.logs import configure_logs
from engine.progress import Progress
from engine.serving import server, servicer
from engine.settings import EngineSettings

SLOW_S = 4.0
ANOTHER_CONTRACT = 99


class MoodyCombo(SleepingCombo):
    """Clips, or trouble."""

    def __init__(self, mode: Path) -> None:
        self._mode = mode

    def improvise(self, request: pb.PlayRequest, heard: None, progress: Progress) -> pb.Clip:
        match self._mode.read_text():
            case "memory":
                raise MemoryError
            case "defect":
                raise RuntimeError("a defect that nobody foresaw")
            case "slow":
                for step in range(20):
                    progress("sleeping badly", step / 20)
                    time.sleep(SLOW_S / 20)
        return super().improvise(request, heard, progress)

    def finish(self, work: pb.Clip, progress: Progress) -> pb.Clip:
        if self._mode.read_text() == "rubbish":
            return pb.Clip(seed=work.seed, tempo_bpm=float("nan"), chords="\x00", instrument="?" * 5000)
        return super().finish(work, progress)


async def answer_garbage(path: str) -> None:
    """Take every connection at a socket that isn't there yet, and send bytes that nobody can follow."""

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(os.urandom(512))
        writer.close()

    async with await asyncio.start_unix_server(greet, path):
        await asyncio.Event().wait()


def serve(arguments: Sequence[str]) -> None:
    address, mode = arguments[0], Path(arguments[1])
    if mode.read_text() == "garbage":
        Path(address.removeprefix("unix:")).unlink(missing_ok=True)
        asyncio.run(answer_garbage(address.removeprefix("unix:")))
    if mode.read_text() == "contract":
        server.CONTRACT_VERSION = servicer.CONTRACT_VERSION = ANOTHER_CONTRACT

    def rooms(settings: EngineSettings) -> SleepingRooms:
        loaded = SleepingRooms(settings)
        loaded.combo = MoodyCombo(mode)
        return loaded

    settings = EngineSettings(engine=ProcessSettings(listen=address, device="cpu", intake_processes=1, threads=1))
    asyncio.run(server.serve(settings, rooms))


def main(arguments: Sequence[str]) -> None:
    configure_logs()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the engines' ends are nobody's concern
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            serve(arguments)
            os._exit(0)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])

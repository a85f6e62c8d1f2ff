"""How long jobs are in each stage, for the host's figures."""

from __future__ import annotations

from engine.contract import engine_pb2 as pb
from engine.serving.jobs import Job


class StageTimes:
    """Jobs that ended well and the seconds they spent, by kind and stage, since the engine started."""

    def __init__(self) -> None:
        self._times: dict[tuple[str, str], tuple[int, float]] = {}

    def took(self, job: Job) -> None:
        for stage, seconds in job.spent.items():
            count, before = self._times.get((job.kind, stage), (0, 0.0))
            self._times[job.kind, stage] = (count + 1, before + seconds)

    def told(self) -> list[pb.StageTime]:
        return [
            pb.StageTime(kind=kind, stage=stage, count=count, seconds=seconds)
            for (kind, stage), (count, seconds) in self._times.items()
        ]

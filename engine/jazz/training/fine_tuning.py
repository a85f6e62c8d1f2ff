"""The frame of the stages that go on from a likelihood-only soloist under another teacher: averaged weights, resuming,
measuring, and the stop when likelihood has been forgotten."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from engine.jazz.model.batches import Encoded, every_excerpt
from engine.jazz.model.perplexity import measure, to_device
from engine.jazz.model.soloist_net import SoloistNet, SoloistShape
from engine.jazz.training.stage import Group, Log, adamw, learning_rate, load_checkpoint, save_checkpoint, seed_step
from engine.training.average import Average

LARGEST_NORM = 1.0
WARMUP_STEPS = 10
LATE = 1000
"""The average begins as if it had seen that many steps: it starts from trained weights and forgets them slowly."""


@dataclass(frozen=True)
class FineTuningPlan:
    """`weight` of the teacher's word against one nat of likelihood. A run ends early when val perplexity has risen by
    more than `max_rise`; what was measured before that is kept."""

    steps: int
    weight: float
    max_rise: float
    peak: float = 1.5e-4
    average: float = 0.95
    seed: int = 1
    measure_every: int = 10


class Learner:
    """A network in training with its optimiser."""

    def __init__(self, network: nn.Module, peak: float, group: Group) -> None:
        self.network, self.peak, self.group = network, peak, group
        self.optimiser = adamw(network, peak, 0.05)

    def learn(self, loss: torch.Tensor) -> None:
        """One step down the gradient of `loss`, which is averaged over the processes."""
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.group.average(self.network)
        nn.utils.clip_grad_norm_(self.network.parameters(), LARGEST_NORM)
        self.optimiser.step()

    def set_rate(self, step: int, steps: int) -> None:
        for settings in self.optimiser.param_groups:
            settings["lr"] = learning_rate(step, steps, self.peak, WARMUP_STEPS, steps // 3)

    def state(self) -> dict[str, Any]:
        return {"network": self.network.state_dict(), "optimiser": self.optimiser.state_dict()}

    def load(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])


class FineTuning:
    """`soloist` begins with the averaged weights of the checkpoint `start`; the run is kept in `folder`/`name`.pt and
    resumed from there."""

    def __init__(
        self, name: str, start: Path, plan: FineTuningPlan, folder: Path, group: Group, **changed_shape: float
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        begun = load_checkpoint(start, group.device)
        self.name, self.plan, self.folder, self.group = name, plan, folder, group
        self.shape = replace(SoloistShape(**begun["shape"]), **changed_shape)  # type: ignore[arg-type]
        self.network = SoloistNet(self.shape).to(group.device)
        self.network.load_state_dict(begun["average"])
        self.soloist = Learner(self.network, plan.peak, group)
        self.average = Average(self.network, plan.average)

    def run(
        self,
        take_step: Callable[[np.random.Generator], dict[str, float]],
        held_out: list[Encoded],
        *,
        seed_offset: int,
        show_progress: bool,
        **others: Learner,
    ) -> dict[str, float]:
        """Call `take_step` until the end; it lets the soloist (and the `others`) learn and says what to log.

        Returns the measurement of what was kept; `rise` is the rise of val perplexity per note over the start."""
        plan, group = self.plan, self.group
        learners = {"soloist": self.soloist, **others}
        judge = SoloistNet(self.shape).to(group.device)
        batches = [to_device(batch, group.device) for batch in every_excerpt(held_out, 128)]

        def nats() -> float:
            judge.load_state_dict(self.average.weights)
            return sum(measure(judge, batches, "notes").values())

        before = nats()

        def measured() -> dict[str, float]:
            val = nats()
            return {"val": val, "rise": float(np.exp(val - before) - 1.0)}

        first = self._resume(learners)
        if group.leads and first == 0:
            self._save(learners, 0)
        kept = measured()
        running: dict[str, float] = {}
        log: Log | None = None
        bar = tqdm(
            range(first, plan.steps), desc=self.name, disable=not (show_progress and group.leads), mininterval=5.0
        )
        for step in bar:
            for learner in learners.values():
                learner.set_rate(step, plan.steps)
            now = take_step(seed_step(plan.seed, seed_offset + step, group.rank))
            self.average.update(self.network, step + LATE)
            running = {name: 0.9 * running.get(name, value) + 0.1 * value for name, value in now.items()}
            bar.set_postfix_str(" ".join(f"{name} {value:.3f}" for name, value in running.items()), refresh=False)
            done = step + 1
            if done % plan.measure_every == 0 or done == plan.steps:
                found = measured()
                if group.leads:
                    log = log or Log(self.folder / f"{self.name}.csv", ("step", *running, *found))
                    log.write({"step": done, **running, **found})
                    if show_progress:
                        tqdm.write(f"step {done} {running} val {found['val']:.4f} ({100 * found['rise']:+.2f} %)")
                if found["rise"] > plan.max_rise:
                    break
                kept = found
                if group.leads:
                    self._save(learners, done)
        if log is not None:
            log.plot(self.folder / f"{self.name}.png")
        return kept

    def kept(self) -> dict[str, torch.Tensor]:
        """The averaged weights of the last checkpoint."""
        weights: dict[str, torch.Tensor] = load_checkpoint(self._checkpoint, self.group.device)["average"]
        return weights

    @property
    def _checkpoint(self) -> Path:
        return self.folder / f"{self.name}.pt"

    def _resume(self, learners: dict[str, Learner]) -> int:
        if not self._checkpoint.exists():
            return 0
        state = load_checkpoint(self._checkpoint, self.group.device)
        for name, learner in learners.items():
            learner.load(state["learners"][name])
        self.average.weights = state["average"]
        return int(state["step"])

    def _save(self, learners: dict[str, Learner], step: int) -> None:
        save_checkpoint(
            self._checkpoint,
            learners={name: learner.state() for name, learner in learners.items()},
            average=self.average.weights, step=step, shape=asdict(self.shape), plan=asdict(self.plan),
        )  # fmt: skip

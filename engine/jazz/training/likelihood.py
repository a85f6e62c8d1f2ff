"""Stage one: the soloist (and, apart, its rendition) learns to predict every next note of the human solos."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from tqdm import tqdm

from engine.jazz.model.batches import Encoded, every_excerpt, random_batch
from engine.jazz.model.perplexity import PARTS, losses, measure, to_device
from engine.jazz.model.rendition_net import RenditionNet, RenditionShape
from engine.jazz.model.soloist_net import SoloistNet, SoloistShape
from engine.jazz.training.stage import (
    Group,
    Log,
    adamw,
    learning_rate,
    load_checkpoint,
    save_checkpoint,
    seed_step,
    total,
)
from engine.training.average import Average


@dataclass(frozen=True)
class LikelihoodPlan:
    """How long, how fast and how regularised. `batch` excerpts of `notes` notes a step and process."""

    part: str = "notes"
    steps: int = 1800
    batch: int = 32
    notes: int = 128
    peak: float = 1.2e-3
    warmup: int = 60
    decay: int = 400
    weight_decay: float = 0.1
    smoothing: float = 0.0
    average: float = 0.995
    seed: int = 1
    measure_every: int = 100
    augment: bool = True


def build(part: str, shape: Mapping[str, Any]) -> SoloistNet | RenditionNet:
    """The network of a part from the hyper-parameters in a checkpoint or a weights file."""
    return SoloistNet(SoloistShape(**shape)) if part == "notes" else RenditionNet(RenditionShape(**shape))


def train_likelihood(
    solos: list[Encoded],
    held_out: list[Encoded],
    shape: SoloistShape | RenditionShape,
    plan: LikelihoodPlan,
    folder: Path,
    group: Group,
    *,
    show_progress: bool = True,
    until: int | None = None,
) -> dict[str, float]:
    """Train one network; resumes from `folder`/`<part>.pt`. Returns the last measurement on the held-out solos.

    `until` stops before that step (as an interruption would). The state at the start of the decay is kept apart as
    `<part>-plateau.pt`, from which a longer run can go on."""
    part = plan.part
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / f"{part}.pt"
    torch.manual_seed(plan.seed)
    network = build(part, asdict(shape)).to(group.device)
    optimiser = adamw(network, plan.peak, plan.weight_decay)
    average = Average(network, plan.average)
    first = 0
    if checkpoint.exists():
        state = load_checkpoint(checkpoint, group.device)
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        average.weights = state["average"]
        first = state["step"]
    if group.device.type == "cuda":
        torch.set_float32_matmul_precision("high")
    judge = build(part, asdict(shape)).to(group.device)
    batches = [to_device(batch, group.device) for batch in every_excerpt(held_out, plan.notes)]
    log = Log(folder / f"{part}.csv", ("step", "train", *PARTS[part], "sum", "seconds"))
    measured: dict[str, float] = {}
    began, running = time.monotonic(), 0.0

    def keep(step: int, path: Path) -> None:
        save_checkpoint(path, network=network.state_dict(), optimiser=optimiser.state_dict(), average=average.weights,
                        step=step, shape=asdict(shape), plan=asdict(plan))  # fmt: skip

    bar = tqdm(range(first, plan.steps), desc=f"{part}", disable=not (show_progress and group.leads), mininterval=5.0)
    for step in bar:
        if until is not None and step >= until:
            break
        generator = seed_step(plan.seed, step, group.rank)
        batch = to_device(random_batch(solos, plan.batch, plan.notes, generator, augment=plan.augment), group.device)
        for settings in optimiser.param_groups:
            settings["lr"] = learning_rate(step, plan.steps, plan.peak, plan.warmup, plan.decay)
        with torch.autocast(group.device.type, torch.bfloat16):
            loss = total(losses(network, batch, plan.smoothing))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        group.average(network)
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        average.update(network, step)
        running = loss.item() if running == 0.0 else 0.97 * running + 0.03 * loss.item()
        bar.set_postfix_str(f"{running:.3f} nats", refresh=False)
        done = step + 1
        if group.leads and done == plan.steps - plan.decay:
            keep(done, folder / f"{part}-plateau.pt")
        if group.leads and (done % plan.measure_every == 0 or done == plan.steps):
            judge.load_state_dict(average.weights)
            measured = measure(judge, batches, part)
            row = {"step": done, "train": running, **measured, "sum": sum(measured.values())}
            log.write({**row, "seconds": time.monotonic() - began})
            log.plot(folder / f"{part}.png")
            keep(done, checkpoint)
            if show_progress:
                tqdm.write(" ".join(f"{name} {value:.4g}" for name, value in row.items()))
    if until is not None and group.leads:
        keep(min(until, plan.steps), checkpoint)
    return measured

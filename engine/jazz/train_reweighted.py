"""The soloist learns from the critic that chooses: what that finds human gets likelier, the rest less likely.

Maximum-likelihood augmented discrete GAN (Che et al., 2017, eq. 6 and 8): with D the discriminator's verdict on a
sample, r = D / (1 - D) is the density ratio human : soloist, and the gradient of log p(sample) weighted by
r / mean(r) - 1 leads from the soloist's distribution towards the human one. No gradient has to pass through the
sampling. Always mixed with likelihood of the human solos.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from engine.jazz.excerpts import Batch, Encoded, collate, every_excerpt, excerpt_end, random_batch
from engine.jazz.generator import SoloistNet, SoloistShape
from engine.jazz.matched import Clip
from engine.jazz.take_critic import BEATS_PER_BAR, Look, TakeCritic
from engine.jazz.train_critic import encode_clips
from engine.jazz.train_likelihood import losses, measure, to_device
from engine.jazz.train_take_critic import windows_of_clips
from engine.jazz.training import (
    Average,
    Group,
    Log,
    adamw,
    learning_rate,
    load_checkpoint,
    save_checkpoint,
    seed_step,
    total,
)
from engine.jazz.windows import WINDOW_BARS, Window, notated_columns, window_at

BLOCK = WINDOW_BARS * BEATS_PER_BAR
LARGEST_RATIO = 5.0
"""Weights are cut there: a few windows must not drown the others."""


@dataclass(frozen=True)
class ReweightedPlan:
    """`batch` generated and `likelihood_batch` human excerpts a step. `weight` of the critic's word against one nat of
    likelihood. Runs end early when val perplexity has risen by `max_rise`."""

    steps: int = 110
    batch: int = 24
    likelihood_batch: int = 20
    notes: int = 128
    weight: float = 0.8
    peak: float = 1.5e-4
    average: float = 0.95
    max_rise: float = 0.027
    seed: int = 1
    measure_every: int = 10


@dataclass(frozen=True)
class Weighed:
    """A generated solo and r / mean(r) of each of its blocks of eight bars."""

    line: Encoded
    ratios: np.ndarray


def weigh_crosswise(human: dict[Look, list[Window]], clips: Sequence[Clip]) -> list[Weighed]:
    """Every clip with the ratios of a critic that learned from the other half of them: nobody judges what he learned
    from, which he would take for more telling than it is."""
    found = []
    for half in (0, 1):
        critic = TakeCritic.fit(human, windows_of_clips(clips[half::2]))
        found += weigh(encode_clips(list(clips[1 - half :: 2])), critic)
    return found


def weigh(lines: Sequence[Encoded], critic: TakeCritic) -> list[Weighed]:
    """Lines of whole blocks in 4/4 with the critic's ratios."""
    odds, kept = [], []
    for line in lines:
        columns = notated_columns(line.events)
        blocks = len(line.changes) // BLOCK
        windows = [window_at(columns, number * BLOCK, BLOCK, line.tempo_bpm) for number in range(blocks)]
        if windows and line.beats_per_bar == BEATS_PER_BAR:
            odds.append(critic.log_odds(windows, "score"))
            kept.append(line)
    ratios = [np.exp(values) for values in odds]
    mean = float(np.mean(np.concatenate(ratios)))
    return [Weighed(line, np.minimum(r / mean, LARGEST_RATIO)) for line, r in zip(kept, ratios, strict=True)]


def draw_weighed(
    lines: Sequence[Weighed], size: int, notes: int, generator: np.random.Generator
) -> tuple[Batch, Tensor]:
    """Excerpts of generated lines, each in a key drawn by chance, and the weight of each of their notes (B, T)."""
    items, weights = [], np.zeros((size, notes), np.float32)
    for row in range(size):
        weighed = lines[int(generator.integers(len(lines)))]
        last = excerpt_end(weighed.line, 0, notes)
        items.append((weighed.line, 0, last, int(generator.integers(-6, 6)), 0))
        block = np.minimum(weighed.line.events.beat[:last] // BLOCK, len(weighed.ratios) - 1)
        weights[row, :last] = weighed.ratios[block] - 1.0
    return collate(items, notes), torch.from_numpy(weights)


def train_reweighted(
    solos: list[Encoded],
    held_out: list[Encoded],
    lines: list[Weighed],
    start: Path,
    plan: ReweightedPlan,
    folder: Path,
    group: Group,
    *,
    show_progress: bool = True,
) -> dict[str, float]:
    """Go on from the checkpoint `start`, whose soloist has played `lines`; resumes from `folder`/reweighted.pt.

    Returns the last measurement; `rise` is the rise of val perplexity per note over the start."""
    folder.mkdir(parents=True, exist_ok=True)
    begun = load_checkpoint(start, group.device)
    shape = SoloistShape(**begun["shape"])
    network, judge = SoloistNet(shape).to(group.device), SoloistNet(shape).to(group.device)
    network.load_state_dict(begun["average"])
    optimiser = adamw(network, plan.peak, 0.05)
    average = Average(network, plan.average)
    batches = [to_device(batch, group.device) for batch in every_excerpt(held_out, 128)]
    judge.load_state_dict(average.weights)
    before = sum(measure(judge, batches, "notes").values())
    checkpoint, first = folder / "reweighted.pt", 0
    if checkpoint.exists():
        state = load_checkpoint(checkpoint, group.device)
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        average.weights, first = state["average"], state["step"]
    log = Log(folder / "reweighted.csv", ("step", "likelihood", "critic", "val", "rise"))
    measured: dict[str, float] = {}
    running: dict[str, float] = {}
    bar = tqdm(
        range(first, plan.steps), desc="reweighted", disable=not (show_progress and group.leads), mininterval=5.0
    )
    for step in bar:
        generator = seed_step(plan.seed, 2_000_000 + step, group.rank)
        for settings in optimiser.param_groups:
            settings["lr"] = learning_rate(step, plan.steps, plan.peak, 10, plan.steps // 3)
        human = to_device(random_batch(solos, plan.likelihood_batch, plan.notes, generator), group.device)
        played, weight = draw_weighed(lines, plan.batch, plan.notes, generator)
        played, weight = to_device(played, group.device), weight.to(group.device)
        with torch.autocast(group.device.type, torch.bfloat16):
            likelihood_loss = total(losses(network, human))
            told = total(network.losses(played.excerpt, played.setting, played.shift, weight=weight))
        optimiser.zero_grad(set_to_none=True)
        (likelihood_loss + plan.weight * told).backward()
        group.average(network)
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        average.update(network, step + 1000)
        now = {"likelihood": likelihood_loss.item(), "critic": told.item()}
        running = {name: 0.9 * running.get(name, value) + 0.1 * value for name, value in now.items()}
        bar.set_postfix_str(" ".join(f"{name} {value:.3f}" for name, value in running.items()), refresh=False)
        done = step + 1
        if done % plan.measure_every == 0 or done == plan.steps:
            judge.load_state_dict(average.weights)
            val = sum(measure(judge, batches, "notes").values())
            measured = {"val": val, "rise": float(np.exp(val - before) - 1.0)}
            if group.leads:
                log.write({"step": done, **running, **measured})
                save_checkpoint(checkpoint, network=network.state_dict(), optimiser=optimiser.state_dict(),
                                average=average.weights, step=done, shape=asdict(shape), plan=asdict(plan))  # fmt: skip
                if show_progress:
                    tqdm.write(f"step {done} {running} val {val:.4f} ({100 * measured['rise']:+.2f} %)")
            if measured["rise"] > plan.max_rise:
                break
    log.plot(folder / "reweighted.png")
    return measured

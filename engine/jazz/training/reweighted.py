"""The soloist learns from the critic that chooses: what that finds human gets likelier, the rest less likely.

Maximum-likelihood augmented discrete GAN (Che et al., 2017, eq. 6 and 8): with D the discriminator's verdict on a
sample, r = D / (1 - D) is the density ratio human : soloist, and the gradient of log p(sample) weighted by
r / mean(r) - 1 leads from the soloist's distribution towards the human one. No gradient has to pass through the
sampling. Always mixed with likelihood of the human solos.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine.jazz.model.batches import Encoded, TrainingBatch, collate, excerpt_end, random_batch
from engine.jazz.model.perplexity import losses, to_device
from engine.jazz.model.take_critic import BEATS_PER_BAR, Look, TakeCritic
from engine.jazz.model.windows import WINDOW_BARS, Window, notated_columns, window_at
from engine.jazz.playing.matched import Clip
from engine.jazz.training.critic import encode_clips
from engine.jazz.training.fine_tuning import FineTuning, FineTuningPlan
from engine.jazz.training.stage import Group, total
from engine.jazz.training.take_critic import windows_of_clips

BLOCK = WINDOW_BARS * BEATS_PER_BAR
LARGEST_RATIO = 5.0
"""Weights are cut there: a few windows must not drown the others."""


@dataclass(frozen=True)
class ReweightedPlan(FineTuningPlan):
    """`batch` generated and `likelihood_batch` human excerpts of `notes` notes a step."""

    steps: int = 110
    weight: float = 0.5
    max_rise: float = 0.027
    batch: int = 24
    likelihood_batch: int = 20
    notes: int = 128


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
        columns = notated_columns(line.events, line.changes)
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
) -> tuple[TrainingBatch, Tensor]:
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

    Returns the measurement of what was kept; `rise` is the rise of val perplexity per note over the start."""
    tuning = FineTuning("reweighted", start, plan, folder, group)
    network = tuning.network

    def take_step(generator: np.random.Generator) -> dict[str, float]:
        human = to_device(random_batch(solos, plan.likelihood_batch, plan.notes, generator), group.device)
        played, weight = draw_weighed(lines, plan.batch, plan.notes, generator)
        played, weight = to_device(played, group.device), weight.to(group.device)
        with torch.autocast(group.device.type, torch.bfloat16):
            likelihood = total(losses(network, human))
            told = total(losses(network, played, weight=weight))
        tuning.soloist.learn(likelihood + plan.weight * told)
        return {"likelihood": likelihood.item(), "critic": told.item()}

    return tuning.run(take_step, held_out, seed_offset=2_000_000, show_progress=show_progress)

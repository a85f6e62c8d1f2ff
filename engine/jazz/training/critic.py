"""Stage two: the critic. First it guesses hidden notes of human solos, then it tells humans from the soloist."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from tqdm import tqdm

from engine.jazz.model.batches import Encoded, TrainingBatch, random_batch
from engine.jazz.model.critic_net import SHORTEST, CriticNet, CriticShape, SoftNotes
from engine.jazz.model.excerpt import Excerpt
from engine.jazz.model.logistic import auc
from engine.jazz.model.perplexity import to_device
from engine.jazz.model.tokens import IGNORE
from engine.jazz.playing.matched import Clip
from engine.jazz.training.stage import Group, Log, adamw, learning_rate, load_checkpoint, save_checkpoint, seed_step
from engine.training.average import Average


@dataclass(frozen=True)
class CriticPlan:
    """Steps of the pretraining, then of the comparison; `batch` excerpts of each side a step."""

    pretraining: int = 150
    steps: int = 400
    batch: int = 32
    peak: float = 1e-3
    weight_decay: float = 0.1
    average: float = 0.98
    seed: int = 1
    measure_every: int = 50


def encode_clips(clips: list[Clip]) -> list[Encoded]:
    """Generated clips as training excerpts are cut from; the setting is the one that was asked for."""
    encoded = []
    for clip in clips:
        events = clip.improvisation.events
        if events is not None and len(events) > SHORTEST:
            request = clip.request
            encoded.append(
                Encoded(events, request.table(), request.tempo_bpm, *request.numbers(), 0, request.beats_per_bar)
            )
    return encoded  # fmt: skip


def sides(
    human: list[Encoded], machine: list[Encoded], size: int, notes: int, generator: np.random.Generator
) -> list[TrainingBatch]:
    """A batch of each side, alike in everything but who played: keys by chance, player and style withheld, every other
    excerpt cut short."""
    batches = [random_batch(side, size, notes, generator) for side in (human, machine)]
    for batch in batches:
        for name in ("performer", "style"):
            setattr(batch.setting, name, torch.zeros_like(batch.setting.performer))
        keep = torch.from_numpy(
            np.where(generator.random(size) < 0.5, notes, generator.integers(SHORTEST, notes, size))
        )
        late = torch.arange(notes + 1)[None] > keep[:, None]
        batch.excerpt.timing[late] = IGNORE
    return batches


def notes_of(batch: TrainingBatch) -> Excerpt:
    """The excerpts without their start event."""
    return batch.excerpt.slice(1, batch.excerpt.pitch.shape[1])


def log_odds(critic: CriticNet, batch: TrainingBatch) -> torch.Tensor:
    """The critic's opinion (B,) on notes as they are."""
    notes = notes_of(batch)
    answer: torch.Tensor = critic(SoftNotes.of(notes), notes, batch.setting)
    return answer


def train_critic(
    human: list[Encoded],
    human_held_out: list[Encoded],
    machine: list[Encoded],
    machine_held_out: list[Encoded],
    shape: CriticShape,
    plan: CriticPlan,
    folder: Path,
    group: Group,
    *,
    show_progress: bool = True,
) -> dict[str, float]:
    """Train the critic; resumes from `folder`/critic.pt. Returns loss and AUC on held-out excerpts of both sides."""
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / "critic.pt"
    torch.manual_seed(plan.seed)
    critic = CriticNet(shape).to(group.device)
    optimiser = adamw(critic, plan.peak, plan.weight_decay)
    average = Average(critic, plan.average)
    first = 0
    if checkpoint.exists():
        state = load_checkpoint(checkpoint, group.device)
        critic.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        average.weights, first = state["average"], state["step"]
    log = Log(folder / "critic.csv", ("step", "train", "held_out", "auc"))
    steps = plan.pretraining + plan.steps
    measured: dict[str, float] = {}
    running = 0.0
    bar = tqdm(range(first, steps), desc="critic", disable=not (show_progress and group.leads), mininterval=5.0)
    for step in bar:
        generator = seed_step(plan.seed, step, group.rank)
        for settings in optimiser.param_groups:
            settings["lr"] = learning_rate(step, steps, plan.peak, 20, plan.steps // 2)
        with torch.autocast(group.device.type, torch.bfloat16):
            if step < plan.pretraining:
                batch = to_device(random_batch(human, 2 * plan.batch, shape.notes, generator), group.device)
                loss = critic.guess(notes_of(batch), batch.setting.without_player())
            else:
                pair = [
                    to_device(batch, group.device)
                    for batch in sides(human, machine, plan.batch, shape.notes, generator)
                ]
                real, generated = (log_odds(critic, batch).float() for batch in pair)
                loss = F.softplus(-real).mean() + F.softplus(generated).mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        group.average(critic)
        nn.utils.clip_grad_norm_(critic.parameters(), 1.0)
        optimiser.step()
        average.update(critic, step)
        running = loss.item() if running == 0.0 or step == plan.pretraining else 0.95 * running + 0.05 * loss.item()
        bar.set_postfix_str(f"{running:.3f}", refresh=False)
        done = step + 1
        if group.leads and (done == steps or (done > plan.pretraining and done % plan.measure_every == 0)):
            fresh = CriticNet(shape).to(group.device)
            fresh.load_state_dict(average.weights)
            measured = measure_critic(fresh, human_held_out, machine_held_out, group.device)
            log.write({"step": done, "train": running, **measured})
            save_checkpoint(checkpoint, network=critic.state_dict(), optimiser=optimiser.state_dict(),
                            average=average.weights, step=done, shape=asdict(shape), plan=asdict(plan))  # fmt: skip
            if show_progress:
                tqdm.write(
                    f"step {done} train {running:.3f} held out {measured['held_out']:.3f} AUC {measured['auc']:.3f}"
                )
    log.plot(folder / "critic.png")
    return measured


@torch.no_grad()
def measure_critic(
    critic: CriticNet, human: list[Encoded], machine: list[Encoded], device: torch.device, batches: int = 6
) -> dict[str, float]:
    """Loss and AUC on 64 excerpts a batch of each held-out side."""
    critic.eval()
    generator = np.random.default_rng(99)
    scores: list[list[np.ndarray]] = [[], []]
    loss = 0.0
    for _ in range(batches):
        pair = [to_device(batch, device) for batch in sides(human, machine, 64, critic.shape.notes, generator)]
        real, generated = (log_odds(critic, batch).float() for batch in pair)
        loss += (F.softplus(-real).mean() + F.softplus(generated).mean()).item() / batches
        scores[0].append(real.cpu().numpy())
        scores[1].append(generated.cpu().numpy())
    return {"held_out": loss, "auc": auc(np.concatenate(scores[0]), np.concatenate(scores[1]))}

"""Stage three: the soloist plays on from where a human stopped, and learns from what the critic says; always mixed with
likelihood.

The gradient reaches the soloist through the sampler: for the classes that were drawn, Gumbel noise is drawn that
explains them (Maddison et al., A* Sampling, 2014, sec. 3), and the critic reads straight-through Gumbel-softmax classes
(Jang et al. 2017). So the line is drawn once, quickly, without a graph, and all its logits are computed at once. A
note's gradient does not run through the notes drawn after it. The loss is relativistic and paired: the same beginning,
continued by the human and by the soloist (Jolicoeur-Martineau 2019).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from engine.jazz.model.batches import (
    Encoded,
    TrainingBatch,
    bar_start,
    collate,
    excerpt_end,
    first_of_bar,
    random_batch,
)
from engine.jazz.model.changes import NO_ROOT, Changes
from engine.jazz.model.critic_net import CriticNet, CriticShape, SoftNotes
from engine.jazz.model.excerpt import Excerpt
from engine.jazz.model.perplexity import losses, to_device
from engine.jazz.model.soloist_net import SoloistNet
from engine.jazz.model.tokens import ADVANCES, Events
from engine.jazz.playing.sampling import Improviser, excerpt_of_takes
from engine.jazz.training.fine_tuning import FineTuning, FineTuningPlan, Learner
from engine.jazz.training.stage import Group, load_checkpoint, total


@dataclass(frozen=True)
class AdversarialPlan(FineTuningPlan):
    """`heard` notes at most are the human's, then `played` are the soloist's."""

    steps: int = 120
    weight: float = 0.3
    max_rise: float = 0.03
    measure_every: int = 20
    batch: int = 16
    likelihood_batch: int = 8
    heard: int = 16
    played: int = 32
    temperature: float = 0.7
    critic_peak: float = 3e-4


@dataclass
class Duel:
    """Beginnings that a human played: the whole human excerpt, its `heard` notes, chords to go on over."""

    human: TrainingBatch
    changes: list[Changes]
    primers: list[Events]


def _part(item: Encoded, start: int, shift: int, beats: int) -> Changes:
    columns = {name: getattr(item.changes, name)[start : start + beats] for name in Changes.__dataclass_fields__}
    for name in ("root", "next_root"):
        columns[name] = np.where(columns[name] < NO_ROOT, (columns[name] + shift) % 12, NO_ROOT)
    return Changes(**columns)


def draw_duel(solos: list[Encoded], plan: AdversarialPlan, generator: np.random.Generator) -> Duel:
    """Excerpts of `heard` + `played` notes in keys drawn by chance."""
    size = plan.heard + plan.played
    long_enough = [item for item in solos if len(item.events) > 2 * size]
    weights = np.array([len(item.events) for item in long_enough], float)
    items: list[tuple[Encoded, int, int, int, int]] = []
    changes, primers = [], []
    while len(items) < plan.batch:
        item = long_enough[int(generator.choice(len(long_enough), p=weights / weights.sum()))]
        first = first_of_bar(item, int(generator.integers(0, len(item.events) - size)))
        if excerpt_end(item, first, size) - first < size:
            continue
        shift = int(generator.integers(-6, 6))
        items.append((item, first, first + size, shift, 0))
        start = bar_start(item, int(item.events.beat[first]))
        changes.append(_part(item, start, shift, 40 * plan.played // 8))
        events = item.events
        heard = {name: getattr(events, name)[first : first + plan.heard].copy() for name in Events.__dataclass_fields__}
        heard["beat"] -= start
        heard["advance"][0] = heard["beat"][0]
        heard["pitch"] += shift
        primers.append(Events(**heard))
    return Duel(collate(items, size), changes, primers)


def explaining_gumbels(logits: Tensor, chosen: Tensor) -> Tensor:
    """Perturbed logits (..., K), drawn given that their argmax is `chosen` (...,). Gradients flow into `logits`."""
    logits = logits.float()
    noise = torch.rand_like(logits).clamp(1e-9, 1 - 1e-7)
    first = torch.rand_like(logits[..., :1]).clamp(1e-9, 1 - 1e-7)
    top = torch.logsumexp(logits, -1, keepdim=True) - torch.log(-torch.log(first))
    below = -torch.log(torch.exp(-top) - torch.log(noise) * torch.exp(-logits.clamp_min(-60.0)))
    return torch.where(F.one_hot(chosen, logits.shape[-1]).bool(), top, below)


def straight_through(logits: Tensor, chosen: Tensor, temperature: float) -> Tensor:
    """The one-hot of what was drawn, with the gradient of its Gumbel-softmax relaxation."""
    soft = torch.softmax(explaining_gumbels(logits, chosen) / temperature, dim=-1)
    return F.one_hot(chosen, logits.shape[-1]).to(soft.dtype) + soft - soft.detach()


def soft_line(network: SoloistNet, x: Excerpt, batch: TrainingBatch, heard: int, temperature: float) -> SoftNotes:
    """The notes of `x` (B, T + 1 events) as the critic reads them; those after the first `heard` carry gradients."""
    state = network(x.slice(0, -1), network.setting(batch.setting))
    following = x.slice(1, x.pitch.shape[1])
    timing = network.timing_logits(state)
    position, told = network.position_logits(state, following.timing.clamp_min(0), following.beat_in_bar)
    last = torch.where(x.pitch[:, :-1] > 0, x.pitch[:, :-1], -1)
    pitch = network.pitch_logits(told, following.position, following, last, batch.shift)
    hard = SoftNotes.of(following)
    mine = slice(heard, None)
    when = straight_through(timing[:, mine], following.timing[:, mine].clamp_min(0), temperature)
    advance = when[..., :ADVANCES] + when[..., ADVANCES:]
    return SoftNotes(
        torch.cat([hard.advance[:, :heard], advance], 1),
        torch.cat(
            [hard.position[:, :heard], straight_through(position[:, mine], following.position[:, mine], temperature)], 1
        ),
        torch.cat([hard.pitch[:, :heard], straight_through(pitch[:, mine], following.pitch[:, mine], temperature)], 1),
        hard.real,
    )


@torch.no_grad()
def play_on(network: SoloistNet, duel: Duel, plan: AdversarialPlan, generator: torch.Generator) -> Excerpt:
    """The soloist's continuation of every beginning, with the beginning."""
    network.eval()
    improviser = Improviser(network, duel.changes, duel.human.setting, generator, shift=duel.human.shift)
    improviser.prime(duel.primers)
    for _ in range(plan.played):
        improviser.step()
    network.train()
    excerpt = excerpt_of_takes(improviser.takes, improviser.table)
    excerpt.register = torch.where(
        excerpt.pitch > 0, (excerpt.pitch - duel.human.shift[:, None]).clamp(0, 127), excerpt.pitch
    )
    return excerpt


def train_adversarial(
    solos: list[Encoded],
    held_out: list[Encoded],
    likelihood: Path,
    critic_path: Path,
    plan: AdversarialPlan,
    folder: Path,
    group: Group,
    *,
    show_progress: bool = True,
) -> dict[str, float]:
    """Go on from the checkpoints `likelihood` and `critic_path`; resumes from `folder`/adversarial.pt.

    Returns the measurement of what was kept; `rise` is the rise of val perplexity per note over the start."""
    tuning = FineTuning("adversarial", likelihood, plan, folder, group, corruption=0.0)
    network = tuning.network
    critic_state = load_checkpoint(critic_path, group.device)
    critic = CriticNet(CriticShape(**critic_state["shape"])).to(group.device)
    critic.load_state_dict(critic_state["average"])
    opponent = Learner(critic, plan.critic_peak, group)

    def take_step(generator: np.random.Generator) -> dict[str, float]:
        torch_generator = torch.Generator(group.device)
        torch_generator.manual_seed(int(generator.integers(1 << 62)))
        duel = draw_duel(solos, plan, generator)
        to_device(duel.human, group.device)
        drawn = play_on(network, duel, plan, torch_generator)
        human_notes = duel.human.excerpt.slice(1, duel.human.excerpt.pitch.shape[1])
        drawn_notes = drawn.slice(1, drawn.pitch.shape[1])
        asked = duel.human.setting.without_player()

        # the critic's turn
        human = critic(SoftNotes.of(human_notes), human_notes, asked)
        machine = critic(SoftNotes.of(drawn_notes), drawn_notes, asked)
        critic_loss = F.softplus(machine - human).mean() + 1e-3 * (human.square() + machine.square()).mean()
        opponent.learn(critic_loss)

        # the soloist's turn
        batch = to_device(random_batch(solos, plan.likelihood_batch, 128, generator), group.device)
        critic.requires_grad_(False).eval()
        line = soft_line(network, drawn, duel.human, plan.heard, plan.temperature)
        with torch.no_grad():
            human = critic(SoftNotes.of(human_notes), human_notes, asked)
        fooling = F.softplus(human - critic(line, drawn_notes, asked)).mean()
        likelihood_loss = total(losses(network, batch))
        tuning.soloist.learn(likelihood_loss + plan.weight * fooling)
        critic.requires_grad_(True).train()
        return {"likelihood": likelihood_loss.item(), "fooling": fooling.item(), "critic": critic_loss.item(),
                "lead": (human - machine).mean().item()}  # fmt: skip

    return tuning.run(take_step, held_out, seed_offset=1_000_000, show_progress=show_progress, critic=opponent)

"""How well the networks predict the next note: their losses on a batch, and the mean over whole solos."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.jazz.model.batches import TrainingBatch
from engine.jazz.model.rendition_net import Played, RenditionNet
from engine.jazz.model.soloist_net import SoloistNet
from engine.jazz.model.tokens import IGNORE, LENGTHS, OFFSET_LIMIT, OFFSET_STEP_MS

PARTS = {"notes": ("timing", "position", "pitch"), "rendition": ("offset", "length", "loudness")}


def losses(
    network: nn.Module, batch: TrainingBatch, smoothing: float = 0.0, weight: Tensor | None = None
) -> dict[str, Tensor]:
    """Mean cross-entropies of either network on a batch, in nats a note, by stream. `smoothing` of the labels and
    `weight` (B, T) of each note are for the note network only."""
    if isinstance(network, SoloistNet):
        return _losses_of_notes(network, batch, smoothing, weight)
    assert isinstance(network, RenditionNet)
    return _losses_of_rendition(network, batch)


def log_likelihoods(network: SoloistNet, batch: TrainingBatch) -> Tensor:
    """(B,): the mean log probability of the notes of each excerpt, in nats a note."""
    padded = batch.excerpt.timing[:, 1:] == IGNORE
    total = torch.zeros(len(padded), device=padded.device)
    for logits, target in _streams(network, batch).values():
        found = F.cross_entropy(
            logits.flatten(0, 1).float(), target.masked_fill(padded, IGNORE).flatten(), ignore_index=IGNORE,
            reduction="none",
        )  # fmt: skip
        total = total - found.view(padded.shape).sum(dim=1)
    return total / (~padded).sum(dim=1).clamp_min(1)


def _streams(network: SoloistNet, batch: TrainingBatch) -> dict[str, tuple[Tensor, Tensor]]:
    """Logits (B, T, K) and what was played (B, T), by stream."""
    x = batch.excerpt
    state = network(x.slice(0, -1), network.setting(batch.setting))
    following = x.slice(1, x.pitch.shape[1])
    wanted = following.timing
    timing = network.timing_logits(state)
    position, told = network.position_logits(state, wanted.clamp_min(0), following.beat_in_bar)
    last = torch.where(x.pitch[:, :-1] > 0, x.pitch[:, :-1], -1)
    pitch = network.pitch_logits(told, following.position, following, last, batch.shift)
    return {
        "timing": (timing, wanted),
        "position": (position, following.position),
        "pitch": (pitch, following.pitch),
    }


def _losses_of_notes(
    network: SoloistNet, batch: TrainingBatch, smoothing: float, weight: Tensor | None
) -> dict[str, Tensor]:
    padded = batch.excerpt.timing[:, 1:] == IGNORE

    def entropy(logits: Tensor, target: Tensor) -> Tensor:
        target = target.masked_fill(padded, IGNORE)
        found = F.cross_entropy(
            logits.flatten(0, 1).float(), target.flatten(), ignore_index=IGNORE, label_smoothing=smoothing,
            reduction="mean" if weight is None else "none",
        )  # fmt: skip
        return found if weight is None else (found * weight.flatten()).sum() / (~padded).sum()

    return {name: entropy(logits, target) for name, (logits, target) in _streams(network, batch).items()}


def _losses_of_rendition(network: RenditionNet, batch: TrainingBatch) -> dict[str, Tensor]:
    offset, loudness, length = batch.offset, batch.loudness, batch.length
    score, before_ms = network.read(batch.excerpt, batch.setting)
    state = network(score, Played.before(offset, loudness, length), batch.excerpt.onset[:, 1:])
    known = offset.clamp_min(0)
    moved = (known - F.pad(known[:, :-1], (1, 0), value=OFFSET_LIMIT)) * OFFSET_STEP_MS
    held = F.pad(length[:, :-1], (1, 0), value=IGNORE)
    padded = offset == IGNORE
    length_logits, told = network.length_logits(state, known, before_ms + moved)
    loudness_logits = network.loudness_logits(told, torch.where(held == IGNORE, LENGTHS, held))

    def entropy(logits: Tensor, target: Tensor) -> Tensor:
        target = target.masked_fill(padded, IGNORE)
        return F.cross_entropy(logits.flatten(0, 1).float(), target.flatten(), ignore_index=IGNORE)

    return {
        "offset": entropy(network.offset_logits(state), offset),
        "length": entropy(length_logits, held),
        "loudness": entropy(loudness_logits, loudness),
    }


@torch.no_grad()
def measure(network: nn.Module, batches: list[TrainingBatch], part: str) -> dict[str, float]:
    """Mean nats a note over whole solos, each note counted once."""
    network.eval()
    sums = dict.fromkeys(PARTS[part], 0.0)
    notes = 0
    for batch in batches:
        count = int((batch.offset >= 0).sum())
        for name, value in losses(network, batch).items():
            sums[name] += value.item() * count
        notes += count
    network.train()
    return {name: value / notes for name, value in sums.items()}


def to_device(batch: TrainingBatch, device: torch.device) -> TrainingBatch:
    """The batch with its tensors on a device."""
    if device.type == "cpu":
        return batch
    for holder in (batch.excerpt, batch.setting):
        for name in holder.__dataclass_fields__:
            setattr(holder, name, getattr(holder, name).to(device, non_blocking=True))
    for name in ("shift", "offset", "loudness", "length"):
        setattr(batch, name, getattr(batch, name).to(device, non_blocking=True))
    return batch

"""The critic: reads an excerpt in both directions and says how much likelier a human played it than the soloist.

It sees only what sounds: beats on, place in the beat, pitch, over the chords; no phrase marks, no place in the form.
Notes come as one-hot or as soft classes, so that gradients reach a sampler that draws with Gumbel-softmax.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.jazz.model.changes import BEATS_IN_BAR, NO_ROOT
from engine.jazz.model.excerpt import Excerpt, Setting
from engine.jazz.model.layers import ChordReader, SettingReader, TwoClocks, init_weights
from engine.jazz.model.soloist_net import Block
from engine.jazz.model.tokens import ADVANCES, IGNORE, PITCHES, POSITION_BEATS, POSITIONS

INTERVAL_CENTRES = 37  # -18 .. 18 semitones
GAP_CENTRES = 24
SHORTEST = 12
"""Notes of the shortest excerpt that the critic is shown: it must judge a line that has only begun."""


@dataclass(frozen=True)
class CriticShape:
    """Hyper-parameters of the network."""

    width: int = 128
    blocks: int = 3
    heads: int = 4
    dropout: float = 0.3
    notes: int = 48


@dataclass
class SoftNotes:
    """Notes as class weights: `advance` (B, T, ADVANCES), `position` (B, T, POSITIONS), `pitch` (B, T, PITCHES); `real`
    (B, T) is False in the padding."""

    advance: Tensor
    position: Tensor
    pitch: Tensor
    real: Tensor

    @classmethod
    def of(cls, notes: Excerpt) -> SoftNotes:
        """One-hot classes of an excerpt without its start event."""
        real = notes.timing != IGNORE
        return cls(
            F.one_hot(notes.timing.clamp_min(0) % ADVANCES, ADVANCES).float(),
            F.one_hot(notes.position, len(POSITIONS)).float(),
            F.one_hot(notes.pitch, PITCHES).float(),
            real,
        )


class CriticNet(nn.Module):
    """`forward` -> log odds (B,) human : soloist; `guess` -> logits for hidden notes (the pretraining)."""

    place_beats: Tensor
    interval_centres: Tensor
    gap_centres: Tensor

    def __init__(self, shape: CriticShape) -> None:
        super().__init__()
        self.shape = shape
        width = shape.width
        self.advance = nn.Linear(ADVANCES, width, bias=False)
        self.position = nn.Linear(len(POSITIONS), width, bias=False)
        self.pitch = nn.Linear(PITCHES, width, bias=False)
        self.degree = nn.Linear(12, width, bias=False)
        self.interval = nn.Linear(2 * INTERVAL_CENTRES, width, bias=False)
        self.gap = nn.Linear(GAP_CENTRES, width)
        self.beat_in_bar = nn.Embedding(BEATS_IN_BAR, width)
        self.chords = ChordReader(width)
        self.setting = SettingReader(width, 0)
        self.hidden = nn.Parameter(torch.zeros(width))
        self.drop = nn.Dropout(shape.dropout)
        self.clocks = TwoClocks(shape.heads, width // shape.heads)
        self.body = nn.ModuleList(Block(width, shape.heads, shape.dropout, causal=False) for _ in range(shape.blocks))
        self.norm = nn.LayerNorm(width)
        self.verdict = nn.Sequential(
            nn.Linear(2 * width, width), nn.GELU(), nn.Dropout(shape.dropout), nn.Linear(width, 1)
        )
        self.guess_pitch = nn.Linear(width, PITCHES)
        self.guess_position = nn.Linear(width, len(POSITIONS))
        self.register_buffer("place_beats", torch.from_numpy(POSITION_BEATS).float(), persistent=False)
        half = INTERVAL_CENTRES // 2
        self.register_buffer("interval_centres", torch.arange(-half, half + 1).float(), persistent=False)
        self.register_buffer(
            "gap_centres", torch.linspace(math.log(0.05), math.log(8.0), GAP_CENTRES), persistent=False
        )
        self.apply(init_weights)

    def read(self, soft: SoftNotes, notes: Excerpt, setting: Setting, hide: Tensor | None = None) -> Tensor:
        """States (B, T, C). `notes` gives chords and onsets (not the classes); `hide` (B, T) notes are not shown."""
        real = soft.real[..., None].float()
        classes = soft.pitch
        number = torch.arange(PITCHES, device=classes.device).float()
        height = classes @ number
        onset = soft.advance @ number[:ADVANCES]
        gap = onset[:, 1:] + (soft.position[:, 1:] - soft.position[:, :-1]) @ self.place_beats
        octaves = F.pad(classes, (0, 132 - PITCHES)).view(*classes.shape[:2], 11, 12).sum(2)
        turn = (torch.arange(12, device=classes.device) + notes.root[..., None] % 12) % 12
        degree = octaves.gather(-1, turn) * (notes.root < NO_ROOT)[..., None]
        step = F.pad(height[:, 1:] - height[:, :-1], (1, 1))
        near = torch.softmax(-2.0 * (step[..., None] - self.interval_centres) ** 2, dim=-1)
        steps = torch.cat([near[:, :-1], near[:, 1:]], dim=-1)
        shown = real if hide is None else real * (~hide)[..., None]
        known = torch.cat([shown[:, :1] * 0, shown[:, 1:] * shown[:, :-1]], dim=1)
        after = torch.cat([known[:, 1:], known[:, :1] * 0], dim=1)
        steps = steps * torch.cat([known.expand(-1, -1, INTERVAL_CENTRES), after.expand(-1, -1, INTERVAL_CENTRES)], -1)
        scale = (self.gap_centres[1] - self.gap_centres[0]).item()
        log_gap = F.pad(gap.clamp_min(0.02).log(), (1, 0), value=-4.0)
        gaps = torch.exp(-0.5 * ((log_gap[..., None] - self.gap_centres) / scale) ** 2) * known
        what = (
            self.pitch(classes) + self.degree(degree) + self.advance(soft.advance) + self.position(soft.position)
            + self.interval(steps) + self.gap(gaps)
        )  # fmt: skip
        if hide is not None:
            what = torch.where(hide[..., None], self.hidden, what)
        state = what + self.beat_in_bar(notes.beat_in_bar) + self.chords(notes) + self.setting(setting)[:, None]
        state = self.drop(state) * real
        index = torch.arange(state.shape[1], device=state.device)[None].expand(state.shape[:2])
        clock = self.clocks(index, notes.onset.detach())
        mask = soft.real[:, None, None, :]
        for block in self.body:
            state = block(state, clock, mask=mask)
        return self.norm(state)

    def forward(self, soft: SoftNotes, notes: Excerpt, setting: Setting) -> Tensor:
        state = self.read(soft, notes, setting)
        real = soft.real[..., None].to(state.dtype)
        mean = (state * real).sum(1) / real.sum(1).clamp_min(1.0)
        peak = (state - 100.0 * (1 - real)).amax(1)
        answer: Tensor = self.verdict(torch.cat([mean, peak], dim=-1))
        return answer[:, 0]

    def guess(self, notes: Excerpt, setting: Setting, share: float = 0.2) -> Tensor:
        """Mean cross-entropy (nats) of pitch and place of hidden notes: the pretraining's loss."""
        soft = SoftNotes.of(notes)
        hide = (torch.rand(notes.pitch.shape, device=notes.pitch.device) < share) & soft.real
        state = self.read(soft, notes, setting, hide)[hide]
        pitch = F.cross_entropy(self.guess_pitch(state).float(), notes.pitch[hide])
        return pitch + F.cross_entropy(self.guess_position(state).float(), notes.position[hide])

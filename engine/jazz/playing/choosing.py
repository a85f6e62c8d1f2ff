"""Which of many takes is played on: drawn every eight bars in proportion to the critic's odds, copies left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from engine.jazz.model.changes import Changes
from engine.jazz.model.take_critic import BEATS_PER_BAR, Look, TakeCritic
from engine.jazz.model.tokens import decode
from engine.jazz.model.windows import WINDOW_BARS, Window, columns_of, notated_columns, window_at
from engine.jazz.playing.copying import MAX_COPIED_RUN, KnownRuns
from engine.jazz.playing.performing import Interpreter, events_of_take
from engine.jazz.playing.sampling import Takes


class Choice:
    """Draws for several requests at once, each of which has `takes` neighbouring rows of the batch.

    `beats`, `changes`, `tempo_bpm`: of each request; `lead` beats and `heard` notes are a primer's, and `changes`
    count from its beginning. Always taking what the critic
    likes best would overrate its fancies: so each take has the chance that its odds, to the power of `trust`, give it.
    Without a critic, in another metre than 4/4 and in less than eight bars, all have the same."""

    def __init__(
        self,
        beats: Sequence[int],
        changes: Sequence[Changes],
        tempo_bpm: Sequence[float],
        beats_per_bar: int,
        takes: int,
        *,
        lead: int,
        heard: int,
        critic: TakeCritic | None,
        trust: float,
        runs: KnownRuns,
        generator: torch.Generator,
    ) -> None:
        self.beats, self.changes, self.tempo_bpm = beats, changes, tempo_bpm
        self.beats_per_bar, self.takes = beats_per_bar, takes
        self.lead, self.heard, self.trust, self.runs, self.generator = lead, heard, trust, runs, generator
        self.critic = critic if beats_per_bar == BEATS_PER_BAR else None
        self.block = WINDOW_BARS * beats_per_bar
        self._odds: list[list[float]] = [[] for _ in beats]

    def block_ends(self) -> list[list[int]]:
        """Block by block, the beat at which it ends for each request; a shorter request has ended before."""
        blocks = -(-max(self.beats) // self.block)
        return [[self.lead + min((n + 1) * self.block, beats) for beats in self.beats] for n in range(blocks)]

    def odds(self, request: int) -> float:
        """The critic's mean log odds human : soloist of the line chosen; 0 if it hasn't been asked."""
        return float(np.mean(self._odds[request])) if self._odds[request] else 0.0

    def of_lines(self, takes: Takes, ends: list[int], ends_before: list[int] | None) -> Tensor:
        """Rows (B,) to play on from, after all have been played up to `ends`."""
        rows = torch.arange(len(takes.count))
        for request, end in enumerate(ends):
            if ends_before is not None and end == ends_before[request]:
                continue
            mine = range(request * self.takes, (request + 1) * self.takes)
            lines = [events_of_take(takes, row, row, None) for row in mine]

            def window(number: int, end: int = end, lines: list = lines, request: int = request) -> Window:
                columns = notated_columns(lines[number], self.changes[request])
                return window_at(columns, end - self.block, self.block, self.tempo_bpm[request])

            odds = self._log_odds("score", end, window)
            mute = np.array([len(line) <= self.heard for line in lines])
            copied = np.array([self.runs.longest(line.since(self.heard)) > MAX_COPIED_RUN for line in lines])
            best = self._draw(odds, mute.astype(int) * 2 + copied)
            rows[mine.start : mine.stop] = mine.start + best
            if self.critic is not None:
                self._odds[request].append(float(odds[best]))
        return rows.to(takes.count.device)

    def of_renditions(self, takes: Takes, interpreter: Interpreter, request: int, end: int, notes: int) -> Tensor:
        """Rows (B,) to perform on from, after the first `notes` notes, which end block `end`, have been performed."""
        rows = torch.arange(len(takes.count))
        mine = range(request * self.takes, (request + 1) * self.takes)
        rendition = interpreter.rendition()

        def window(number: int) -> Window:
            row = mine[number]
            events = events_of_take(takes, row, row, rendition, last=notes)
            dither = np.random.default_rng(number)
            played = decode(events, self.tempo_bpm[request], end_beat=float(end), dither=dither)
            return window_at(columns_of(played), end - self.block, self.block, self.tempo_bpm[request])

        odds = self._log_odds("performance", end, window)
        rows[mine.start : mine.stop] = mine.start + self._draw(odds, np.zeros(self.takes, int))
        return rows.to(takes.count.device)

    def _log_odds(self, look: Look, end: int, window: Callable[[int], Window]) -> np.ndarray:
        if self.critic is None or end - self.block < self.lead or self.takes == 1:
            return np.zeros(self.takes)
        return self.critic.log_odds([window(number) for number in range(self.takes)], look)

    def _draw(self, log_odds: np.ndarray, fault: np.ndarray) -> int:
        """One number among those with the least `fault`, by their odds."""
        device = self.generator.device
        luck = torch.rand(len(log_odds), generator=self.generator, device=device, dtype=torch.float64).cpu().numpy()
        wish = self.trust * log_odds - np.log(-np.log(luck.clip(1e-12, 1 - 1e-12)))  # Gumbel: the largest is a draw
        return int(np.argmax(np.where(fault == fault.min(), wish, -np.inf)))

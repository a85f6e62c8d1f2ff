"""Generated solos that are comparable with human ones: the same chords, tempo, instrument and feel, clip by clip."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from engine.jazz.corpus.solos import Solo
from engine.jazz.model.windows import Window, cut
from engine.jazz.playing.request import Improvisation, Request
from engine.jazz.playing.soloist import Soloist
from engine.jazz.theory.score import ChordSpan


@dataclass(frozen=True)
class Clip:
    """A generated solo and what was asked for. `source` is the human solo whose chords it plays over."""

    source: str
    request: Request
    improvisation: Improvisation
    seed: int

    def windows(self) -> list[Window]:
        beats_per_bar = self.request.beats_per_bar
        return cut(
            self.improvisation.notes,
            self.request.tempo_bpm,
            f"machine {self.source} {self.seed}",
            beats_per_bar=beats_per_bar,
            last_beat=float(self.request.bars * beats_per_bar),
        )


def spans_of(symbols: Sequence[str]) -> tuple[ChordSpan, ...]:
    """Chord symbols of single beats as spans from beat 0."""
    spans: list[ChordSpan] = []
    for beat, symbol in enumerate(symbols):
        if spans and spans[-1].symbol == symbol:
            spans[-1] = ChordSpan(spans[-1].onset, spans[-1].beats + 1, symbol)
        else:
            spans.append(ChordSpan(float(beat), 1.0, symbol))
    return tuple(spans)


def requests_like(solos: Sequence[Solo], clips: int, bars: int, seed: int) -> list[tuple[str, Request]]:
    """What a member would have to ask for to get the setting of a human excerpt, `clips` times: solos in 4/4 drawn by
    their length, from a bar drawn by chance. Style and player are left to the soloist."""
    generator = np.random.default_rng(seed)
    members = [
        solo for solo in solos if solo.beats_per_bar == 4 and solo.instrument and len(solo.beats) >= 4 * bars + 8
    ]
    weights = np.array([len(solo.beats) for solo in members], float)
    drawn = generator.choice(len(members), clips, p=weights / weights.sum())
    result = []
    for pick in drawn:
        solo = members[pick]
        starts = np.flatnonzero(solo.beats["beat_in_bar"] == 0)
        starts = starts[starts + 4 * bars <= len(solo.beats)]
        start = int(generator.choice(starts))
        symbols = solo.symbols()[start : start + 4 * bars]
        tempo = float(np.clip(solo.tempo_bpm, 30, 400))
        result.append((solo.name, Request(spans_of(symbols), bars, tempo, solo.instrument, 4, "", solo.feel)))
    return result


def matched_clips(
    soloist: Soloist,
    solos: Sequence[Solo],
    clips: int,
    *,
    bars: int = 16,
    seed: int = 0,
    takes: int = 4,
    batch: int = 16,
    progress: Callable[[int], object] | None = None,
) -> list[Clip]:
    """Play `clips` solos in the settings of human excerpts."""
    wanted = requests_like(solos, clips, bars, seed)
    result: list[Clip] = []
    for first in range(0, clips, batch):
        part = wanted[first : first + batch]
        played = soloist.improvise_many([request for _, request in part], seed=seed * 100_003 + first, takes=takes)
        result += [
            Clip(source, request, improvisation, seed * 100_003 + first + i)
            for i, ((source, request), improvisation) in enumerate(zip(part, played, strict=True))
        ]
        if progress is not None:
            progress(len(part))
    return result

"""What the device turn of a clip leaves to its finishing: notes without a band, or a recording without its level."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.contract import engine_pb2 as pb
from engine.jazz.rendering.samples import Stereo
from engine.jazz.theory.feel import Feel
from engine.jazz.theory.score import ChordSpan, Note, Section


@dataclass(frozen=True)
class Lead:
    """A solo with everything that the band needs to play under it. Onsets in beats from the first bar.

    `key`: the sounding key ("Bb", "Cm"). `notated`: where notes of the solo stand on paper, in beats."""

    solo: tuple[Note, ...]
    changes: tuple[ChordSpan, ...]
    sections: tuple[Section, ...]
    bars: int
    tempo_bpm: float
    feel: Feel
    instrument: str
    seed: int
    beats_per_bar: int
    key: str
    notated: dict[Note, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Work:
    """A clip between its device turn and its finishing. `music`: what will be heard. `clip`: what is known about it so
    far; its sound and its pictures are still to come. `compute_s`: seconds that the device turn took."""

    music: Lead | Stereo
    clip: pb.Clip
    max_bytes: int
    compute_s: float
    for_trial: bool = False
    """one side of a blind trial: the other side has to be exactly as long, as loud and as large"""

"""The rhythm section's weights in one safetensors file: bass tables, drummer's bank, chord model."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save_file

from engine.jazz.band.bass import BassTables
from engine.jazz.band.drums import DrumBank, Performance
from engine.jazz.theory.chord_model import ChordModel

PATH = Path(__file__).resolve().parent.parent / "weights" / "band.safetensors"


@dataclass(frozen=True)
class BandWeights:
    bass: BassTables
    drums: DrumBank
    chords: ChordModel


def save(weights: BandWeights, path: Path = PATH) -> None:
    """Write all three; counts and tables in half or single precision, drum hits as (bar, position, pitch, velocity)."""
    arrays: dict[str, NDArray[np.generic]] = {
        f"bass.{field.name}": getattr(weights.bass, field.name).astype(np.float32) for field in fields(BassTables)
    }
    described = []
    for index, p in enumerate(weights.drums.performances):
        bars = np.concatenate([np.full(len(bar), i) for i, bar in enumerate(p.bars)]).astype(np.uint16)
        hits = np.concatenate(list(p.bars))
        arrays[f"drums.{index}.bar"] = bars
        arrays[f"drums.{index}.position"] = hits[:, 0].astype(np.float32)
        arrays[f"drums.{index}.pitch_velocity"] = hits[:, 1:].astype(np.uint8)
        arrays[f"drums.{index}.fill"] = np.array(p.fill, dtype=np.uint8)
        described.append({"name": p.name, "family": p.family, "tempo_bpm": p.tempo_bpm, "swing": p.swing})
    model = weights.chords
    for name in ("opening", "pair", "place", "change"):
        arrays[f"chords.{name}"] = getattr(model, name)
    arrays |= {f"chords.triple.{mode}": rows for mode, rows in enumerate(model.triple)}
    path.parent.mkdir(parents=True, exist_ok=True)
    ready = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    save_file(ready, path, metadata={"performances": json.dumps(described)})


@lru_cache(maxsize=2)
def load(path: Path = PATH) -> BandWeights:
    """Raises `FileNotFoundError` when the weights were never learned."""
    with safe_open(str(path), framework="numpy") as file:
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
        described = json.loads(file.metadata()["performances"])
    bass = BassTables(**{field.name: arrays[f"bass.{field.name}"].astype(np.float64) for field in fields(BassTables)})
    performances = []
    for index, description in enumerate(described):
        fill = arrays[f"drums.{index}.fill"].astype(bool)
        hits = np.column_stack(
            [arrays[f"drums.{index}.position"], arrays[f"drums.{index}.pitch_velocity"].astype(np.float32)]
        ).astype(np.float32)
        bar_of = arrays[f"drums.{index}.bar"]
        bars = tuple(hits[bar_of == bar] for bar in range(len(fill)))
        performances.append(Performance(**description, bars=bars, fill=tuple(bool(flag) for flag in fill)))
    chords = ChordModel(
        arrays["chords.opening"],
        arrays["chords.pair"],
        (arrays["chords.triple.0"], arrays["chords.triple.1"]),
        arrays["chords.place"],
        arrays["chords.change"],
    )
    return BandWeights(bass, DrumBank(tuple(performances)), chords)

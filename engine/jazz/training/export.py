"""From checkpoints to the weights file that the engine plays with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from engine.jazz.corpus.solos import INSTRUMENTS, Solo
from engine.jazz.model.batches import encode_solos
from engine.jazz.model.tokens import encode
from engine.jazz.model.weights_file import Weights
from engine.jazz.playing.copying import hashes_of_solos
from engine.jazz.training.stage import load_checkpoint

MIN_SOLOS_FOR_RANGE = 3


def facts_of(solos: list[Solo], performers: tuple[str, ...]) -> dict[str, Any]:
    """Roster and ranges of the training solos. A range leaves out the outermost notes of 1 in 1000."""
    encoded = encode_solos(solos, performers)
    ranges: dict[str, tuple[int, int]] = {}
    for instrument in INSTRUMENTS:
        members = [solo for solo in solos if solo.instrument == instrument]
        if members:
            pitch = np.concatenate([solo.notes["pitch"] for solo in members])
            ranges[instrument] = (int(np.quantile(pitch, 0.001)), int(np.quantile(pitch, 0.999)))
    roster = [[item.instrument, item.style, item.feel, item.performer, round(item.tempo_bpm, 1)] for item in encoded]
    return {"roster": roster, "ranges": ranges, "performers": list(performers)}


def collect(
    checkpoints: dict[str, Path], solos: list[Solo], performers: tuple[str, ...], name: str, **more: Any
) -> Weights:
    """Averaged weights of every network's checkpoint with the facts and the index of runs."""
    states = {network: load_checkpoint(path, torch.device("cpu")) for network, path in checkpoints.items()}
    return Weights(
        networks={network: state["average"] for network, state in states.items()},
        shapes={network: state["shape"] for network, state in states.items()},
        runs=hashes_of_solos([encode(solo) for solo in solos]),
        facts={
            "name": name,
            "steps": {network: state["step"] for network, state in states.items()},
            **facts_of(solos, performers),
            **more,
        },
        version=name,
    )  # fmt: skip

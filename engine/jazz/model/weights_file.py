"""The soloist's weights file: every network's tensors, the index of training runs, and what the numbers mean.

One safetensors file of half-precision tensors; the JSON in its metadata holds the networks' hyper-parameters, the names
behind class numbers, the roster (which kinds of solos there are: instrument, style, feel, performer, tempo) and the
range of each instrument.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from engine.errors import Internal
from engine.finite import require_finite

FILE_NAME = "soloist.safetensors"


@dataclass
class Weights:
    """Contents of the file. `networks`: state dictionaries by name; `shapes`: their hyper-parameters."""

    networks: dict[str, dict[str, Tensor]]
    shapes: dict[str, dict[str, Any]]
    runs: np.ndarray
    facts: dict[str, Any] = field(default_factory=dict)
    version: str = ""

    def without(self, network: str) -> Weights:
        """The same without one of the networks."""
        return replace(self, networks={name: state for name, state in self.networks.items() if name != network})

    def with_network(self, network: str, other: Weights) -> Weights:
        """The same with a network taken from another file."""
        return replace(
            self,
            networks={**self.networks, network: other.networks[network]},
            shapes={**self.shapes, network: other.shapes[network]},
        )


def save_weights(path: Path, weights: Weights) -> None:
    """Write the file; floating-point tensors are stored in half precision."""
    tensors: dict[str, Tensor] = {"runs": torch.from_numpy(weights.runs)}
    for network, state in weights.networks.items():
        for name, value in state.items():
            tensors[f"{network}.{name}"] = (value.half() if value.is_floating_point() else value).contiguous()
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path, metadata={"shapes": json.dumps(weights.shapes), "facts": json.dumps(weights.facts)})


def load_weights(path: Path) -> Weights:
    """Read the file. Raises `Internal` when it is missing or not what `save_weights` writes."""
    try:
        digest = hashlib.blake2b(path.read_bytes(), digest_size=4).hexdigest()
        networks: dict[str, dict[str, Tensor]] = {}
        with safe_open(path, framework="pt") as file:
            metadata: Mapping[str, str] = file.metadata()
            runs = file.get_tensor("runs").numpy()
            for key in file.keys():  # noqa: SIM118 - a safetensors file, not a dictionary
                if key != "runs":
                    network, _, name = key.partition(".")
                    value = require_finite(key, file.get_tensor(key))
                    networks.setdefault(network, {})[name] = value.float() if value.is_floating_point() else value
        facts = json.loads(metadata["facts"])
        return Weights(networks, json.loads(metadata["shapes"]), runs, facts, f"{facts['name']}-{digest}")
    except (OSError, KeyError, ValueError, RuntimeError, SafetensorError) as error:
        raise Internal(f"The soloist's weights can't be read from {path.name}.") from error

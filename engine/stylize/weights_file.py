"""The committed weights: where they lie, what they are called, how they are read and written."""

from __future__ import annotations

import hashlib
import json
import pickle
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from engine.errors import BadOption
from engine.finite import require_finite
from engine.stylize.finishing.palette import PALETTE_NUMBERS
from engine.stylize.network import Shape, StyleNetwork

FOLDER = Path(__file__).parent / "weights"
NETWORK_FILE = FOLDER / "style_network.safetensors"
BOOK_FILE = FOLDER / "style_book.safetensors"
CARD_FILE = FOLDER / "MODEL_CARD.md"


def weights_version(path: Path = NETWORK_FILE) -> str:
    """Short hash of a weights file: what `/about` shows, and what a style's code is stamped with."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def save_network(network: StyleNetwork, path: Path = NETWORK_FILE, notes: dict[str, str] | None = None) -> None:
    """Write float16 weights, with the network's shape in the header, and of how many numbers a style's codes are: codes
    of another make are then of another version."""
    halves = {name: value.detach().half().contiguous().cpu() for name, value in network.state_dict().items()}
    header = {"shape": json.dumps(asdict(network.shape)), "code": f"{network.shape.code} + {PALETTE_NUMBERS}"}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(halves, path, metadata={**header, **(notes or {})})


def load_network(path: Path = NETWORK_FILE) -> StyleNetwork:
    """The network of a weights file, float32 on the CPU. Raises `FileNotFoundError`, and `Internal` for weights that
    aren't numbers."""
    if not path.exists():
        raise FileNotFoundError(f"There are no weights at {path}; train them with `python -m engine train stylize`.")
    with safe_open(path, framework="pt") as file:
        shape = json.loads(file.metadata()["shape"])
    network = StyleNetwork(_shape(shape))
    network.load_state_dict({name: require_finite(name, value).float() for name, value in load_file(path).items()})
    return network.eval()


def weights_of(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a weights file, whatever network they are of. Raises `FileNotFoundError`."""
    return load_file(path)


def network_of_checkpoint(path: Path) -> tuple[StyleNetwork, int, float]:
    """The averaged network of a training checkpoint, its step, and the seconds it was trained for.

    Raises `FileNotFoundError`, and `BadOption` for a file that is no such checkpoint."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        network = StyleNetwork(_shape(state["shape"]))
        network.load_state_dict(state["average"])
        return network.eval(), int(state["step"]), float(state["trained_s"])
    except FileNotFoundError:
        raise
    except (OSError, RuntimeError, pickle.UnpicklingError, EOFError, LookupError, TypeError) as error:
        raise BadOption(f"{path} is no checkpoint of this network.") from error


def _shape(told: dict[str, Any]) -> Shape:
    return Shape(**{**told, "style": tuple(told["style"])})

"""Weights that are missing, cut off or of another version end the start with one sentence, not with a traceback."""

import shutil

import pytest
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from engine.contract.configuration import ConfigurationError
from engine.contract.process_settings import ProcessSettings
from engine.jazz import combo
from engine.jazz.playing.soloist import WEIGHTS_DIR, Soloist
from engine.serving.server import LoadedRooms
from engine.settings import EngineSettings
from engine.stylize import studio
from engine.stylize.weights_file import NETWORK_FILE, load_network

SETTINGS = EngineSettings(engine=ProcessSettings(device="cpu"))


def missing(path):
    path.unlink()


def cut_off(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def of_another_version(path):
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    tensors = load_file(path)
    name = next(name for name in tensors if name.endswith("weight"))
    tensors[f"{name}_of_tomorrow"] = tensors.pop(name)
    save_file(tensors, path, metadata=metadata)


def without_its_shape(path):
    save_file(load_file(path), path, metadata={"shape_of_tomorrow": "{}"})


def with_a_nan(path):
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    tensors = load_file(path)
    name = next(name for name in tensors if name.endswith("weight"))
    tensors[name].view(-1)[0] = float("nan")
    save_file(tensors, path, metadata=metadata)


@pytest.mark.parametrize("harm", [missing, cut_off, of_another_version, without_its_shape, with_a_nan])
@pytest.mark.parametrize("whose", ["pictures", "solos"])
def test_unusable_weights_end_the_start_with_a_sentence(tmp_path, monkeypatch, whose, harm):
    if whose == "pictures":
        path = shutil.copy(NETWORK_FILE, tmp_path / NETWORK_FILE.name)
        monkeypatch.setattr(studio, "load_network", lambda: load_network(path))
    else:
        folder = shutil.copytree(WEIGHTS_DIR, tmp_path / "weights")
        path = folder / "soloist.safetensors"
        monkeypatch.setattr(combo, "Soloist", lambda device: Soloist(device, folder))
    harm(path)
    with pytest.raises(ConfigurationError) as ended:
        LoadedRooms(SETTINGS)
    sentence = str(ended.value)
    assert sentence.startswith("The weights of the networks can't be used: ")
    assert sentence.endswith("(git checkout -- engine), or train them again (docs/training.md).")
    assert "\n" not in sentence


def test_a_style_book_of_other_weights_is_told_too(monkeypatch):
    monkeypatch.setattr(studio, "weights_version", lambda: "0" * 12)
    with pytest.raises(ConfigurationError, match="The style book was made for different weights"):
        LoadedRooms(SETTINGS)

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest
import torch

_SPEC = importlib.util.spec_from_file_location("jazz_solos", Path(__file__).with_name("solos.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
_SOLOS = importlib.util.module_from_spec(_SPEC)
sys.modules["jazz_solos"] = _SOLOS
_SPEC.loader.exec_module(_SOLOS)

from engine.jazz.model.rendition_net import RenditionNet, RenditionShape  # noqa: E402
from engine.jazz.model.soloist_net import SoloistNet, SoloistShape  # noqa: E402
from engine.jazz.model.take_critic import LOOKS, TakeCritic  # noqa: E402
from engine.jazz.model.tokens import encode  # noqa: E402
from engine.jazz.model.weights_file import Weights  # noqa: E402
from engine.jazz.playing.copying import hashes_of_solos  # noqa: E402
from engine.jazz.training.export import facts_of  # noqa: E402
from engine.jazz.training.take_critic import windows_of_humans  # noqa: E402

TINY = {"width": 16, "blocks": 2, "heads": 2, "performers": 1}


@pytest.fixture
def tiny_weights() -> Weights:
    """Untrained networks small enough to play in a blink, with a roster of one."""
    torch.manual_seed(0)
    solos = [_SOLOS.made_up_solo(seed) for seed in range(3)]
    human = windows_of_humans(solos)
    critic = TakeCritic.fit(human, {look: human[look][::-1] for look in LOOKS})
    shapes = {"notes": dict(TINY), "rendition": dict(TINY), "takes": critic.columns}
    networks = {
        "notes": SoloistNet(SoloistShape(**shapes["notes"])).state_dict(),
        "rendition": RenditionNet(RenditionShape(**shapes["rendition"])).state_dict(),
        "takes": critic.state_dict(),
    }
    runs = hashes_of_solos([encode(solo) for solo in solos])
    return Weights(networks, shapes, runs, {"name": "tiny", **facts_of(solos, ("A",))}, "tiny-0")

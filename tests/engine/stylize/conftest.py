"""A studio on the committed weights, for a file of tests."""

from __future__ import annotations

import pytest
import torch

from engine.settings import StylizeSettings
from engine.stylize.studio import Studio


@pytest.fixture(scope="module")
def studio() -> Studio:
    return Studio(torch.device("cpu"), StylizeSettings(), draw_seed=lambda: 77)

"""The sheet of feature maps shows what it says."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.stylize.network import StyleNetwork
from engine.stylize.see import MAP_PX, feature_map_image, feature_sheet, telling_maps
from tests.engine.stylize.pictures.uploads import opened


def noise(channels: int, seed: int) -> Tensor:
    return torch.rand(1, channels, MAP_PX, MAP_PX, generator=torch.Generator().manual_seed(seed))


def most_alike(maps: list[tuple[int, Tensor]]) -> float:
    """The largest correlation of any two maps as they are shown."""
    shown = torch.corrcoef(torch.stack([feature.clamp(min=0).flatten() for _, feature in maps]))
    return float((shown - torch.eye(len(maps))).abs().max())


def test_no_two_maps_look_the_same_while_others_vary() -> None:
    strong = 10 * noise(1, 0) + 3 * noise(12, 1)
    turned = 14 - strong[:, :2]
    silent = torch.zeros(1, 4, MAP_PX, MAP_PX)
    chosen = telling_maps(torch.cat([strong, turned, silent, noise(20, 2)], dim=1))
    assert len({channel for channel, _ in chosen}) == 16
    assert most_alike(chosen) < 0.9


def test_maps_that_look_the_same_come_before_maps_that_show_nothing() -> None:
    features = torch.cat([torch.full((1, 30, MAP_PX, MAP_PX), -1.0), noise(1, 0) + 0.05 * noise(20, 1)], dim=1)
    features[:, :30] -= noise(30, 2)  # they vary, but only below zero, where nothing is shown
    assert {channel for channel, _ in telling_maps(features)} <= set(range(30, 50))


def test_black_is_no_answer_and_white_the_strongest() -> None:
    feature = torch.linspace(-1, 3, MAP_PX).expand(MAP_PX, MAP_PX)
    shown = np.asarray(feature_map_image(feature))
    assert (shown[:, feature[0] <= 0] == 0).all()
    assert (shown[:, feature[0] > 0.02] > 0).all()
    assert (np.diff(shown[0].astype(int)) >= 0).all()
    assert shown[0, -1] == 255
    offset = np.asarray(feature_map_image(torch.linspace(2, 3, MAP_PX).expand(MAP_PX, MAP_PX)))
    assert offset.min() > 160, "a weak answer is not none"
    spot = torch.full((MAP_PX, MAP_PX), -0.1)
    spot[40, 50] = 2.0
    assert np.argwhere(np.asarray(feature_map_image(spot))).tolist() == [[40, 50]]


@pytest.mark.parametrize("value", [-0.3, 0.0, 1e-7, 0.7])
def test_a_map_of_a_flat_picture_is_flat(value: float) -> None:
    shown = np.asarray(feature_map_image(torch.full((16, 24), value)))
    assert shown.shape == (round(MAP_PX * 16 / 24), MAP_PX)
    assert (shown == (255 if value > 0 else 0)).all()


@pytest.mark.parametrize("colour", [0.0, 0.4, 1.0])
def test_a_flat_picture_has_a_sheet_too(colour: float) -> None:
    photo = torch.full((1, 3, 64, 96), colour)
    with torch.inference_mode():
        features = StyleNetwork().encode_content(photo)
    assert opened(feature_sheet(photo, features)).width > 1000

"""The two frozen networks that the training loss looks through.

- VGG-19 distilled to 16/32/64/128 channels with 1x1 heads that lift relu{1..5}_1 to VGG-19's widths
  (Wang et al., Collaborative Distillation, CVPR 2020);
- the original VGG-16 up to relu2_2 (Simonyan & Zisserman, ICLR 2015): a second opinion on fine texture.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

DISTILLED_FILE = "vgg19_distilled_16x.safetensors"
STEM_FILE = "vgg16_to_relu2_2.safetensors"

DISTILLED_STAGES = (("11", "12"), ("21", "22"), ("31", "32", "33", "34"), ("41", "42", "43", "44"), ("51",))


class DistilledVGG19(nn.Module):
    """Forward (B, 3, H, W) RGB in [0, 1] -> {name: feature}.

    Names: `relu1_1` .. `relu5_1` and every layer between in the narrow widths (16, 32, 64, 128, 128), and
    `lifted1_1` .. `lifted5_1` in VGG-19's own widths (64, 128, 256, 512, 512)."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        weights = load_file(path)
        self.layers = nn.ModuleDict()
        for name in sorted({key.split(".")[0] for key in weights}):
            weight = weights[f"{name}.weight"]
            layer = nn.Conv2d(weight.shape[1], weight.shape[0], weight.shape[2])
            layer.load_state_dict({"weight": weight, "bias": weights[f"{name}.bias"]})
            self.layers[name] = layer
        self.requires_grad_(False).eval()

    def forward(self, picture: Tensor, wanted: tuple[str, ...]) -> dict[str, Tensor]:
        found: dict[str, Tensor] = {}
        x = self.layers["conv0"](picture)
        for stage, layers in enumerate(DISTILLED_STAGES, start=1):
            if stage > 1:
                x = F.max_pool2d(x, 2)
            for layer in layers:
                x = F.relu(self.layers[f"conv{layer}"](F.pad(x, (1, 1, 1, 1), mode="reflect")))
                name = f"relu{layer[0]}_{layer[1]}"
                if name in wanted:
                    found[name] = x
                if layer[1] == "1" and f"lifted{stage}_1" in wanted:
                    found[f"lifted{stage}_1"] = F.relu(self.layers[f"conv{layer}_aux"](x))
            if len(found) == len(wanted):
                break
        return found


class VGG16Stem(nn.Module):
    """Forward (B, 3, H, W) RGB in [0, 1] -> {`stem1_1`, `stem1_2`, `stem2_1`, `stem2_2`: feature after ReLU}."""

    mean: Tensor

    def __init__(self, path: Path) -> None:
        super().__init__()
        weights = load_file(path)
        self.layers = nn.ModuleDict()
        for name in ("conv1_1", "conv1_2", "conv2_1", "conv2_2"):
            weight = weights[f"{name}.weight"]
            layer = nn.Conv2d(weight.shape[1], weight.shape[0], 3, padding=1)
            layer.load_state_dict({"weight": weight, "bias": weights[f"{name}.bias"]})
            self.layers[name] = layer
        self.register_buffer("mean", torch.tensor([123.68, 116.779, 103.939]).view(1, 3, 1, 1))
        self.requires_grad_(False).eval()

    def forward(self, picture: Tensor) -> dict[str, Tensor]:
        x = picture * 255 - self.mean
        found = {}
        for name, layer in self.layers.items():
            x = F.relu(layer(x))
            found["stem" + name.removeprefix("conv")] = x
            if name == "conv1_2":
                x = F.max_pool2d(x, 2)
        return found

"""Painting pictures of any size with a trained network: tiles, strength, several frames in one style.

A large picture is painted in tiles. The instance statistics that AdaIN needs are those of the whole picture: a first
pass over the tiles runs the content encoder alone and adds up its sums, a second pass paints. So a tiled picture is
the untiled one, except for what lies outside a tile's margin, and memory depends on the tile only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.progress import Progress, silent
from engine.stylize.network import ContentStatistics, StyleNetwork, statistics_of_moments

ALIGNMENT_PX = 8
"""Encoders halve three times."""
SMALLEST_SIDE_PX = 32
"""Smaller pictures are padded up to this, so that every padding by reflection finds enough pixels."""
MARGIN_PX = 96
"""What a tile sees beyond its own pixels. The receptive field reaches 116 px, but hardly anything comes from the rim:
in float32 a picture painted in tiles differs from the whole by less than one level of 255 at the worst pixel (with 64
px it was up to 67 in busy styles, a visible seam)."""
STYLE_SIDE_PX = 256
"""Short side at which a style picture is encoded: the size of the crops that the network was trained on."""
STYLE_LONGEST_ASPECT = 3


@dataclass(frozen=True)
class Tile:
    """Its own pixels `top..bottom, left..right`, and the larger window that the network sees, all px."""

    top: int
    bottom: int
    left: int
    right: int
    window_top: int
    window_bottom: int
    window_left: int
    window_right: int


def tiles(height: int, width: int, tile_px: int, margin_px: int = MARGIN_PX) -> list[Tile]:
    """Tiles that cover height x width (multiples of 8) once; one tile where all fits into a tile and its margins."""
    tile_px = max(ALIGNMENT_PX, tile_px // ALIGNMENT_PX * ALIGNMENT_PX)

    def spans(length: int) -> list[tuple[int, int, int, int]]:
        if length <= tile_px + 2 * margin_px:
            return [(0, length, 0, length)]
        count = -(-length // tile_px)
        step = -(-length // count // ALIGNMENT_PX) * ALIGNMENT_PX
        starts = range(0, length, step)
        return [
            (start, min(start + step, length), max(0, start - margin_px), min(length, start + step + margin_px))
            for start in starts
        ]

    return [
        Tile(top, bottom, left, right, window_top, window_bottom, window_left, window_right)
        for top, bottom, window_top, window_bottom in spans(height)
        for left, right, window_left, window_right in spans(width)
    ]


def padded(picture: Tensor) -> Tensor:
    """(1, 3, H, W) -> sides multiples of 8 and at least 32, by mirroring where there is enough to mirror."""
    height, width = picture.shape[-2:]
    bottom = max(SMALLEST_SIDE_PX, -(-height // ALIGNMENT_PX) * ALIGNMENT_PX) - height
    right = max(SMALLEST_SIDE_PX, -(-width // ALIGNMENT_PX) * ALIGNMENT_PX) - width
    if not bottom and not right:
        return picture
    mode = "reflect" if bottom < height and right < width else "replicate"
    return F.pad(picture, (0, right, 0, bottom), mode=mode)


def bfloat16_pays(device: torch.device) -> bool:
    """Whether bfloat16 is faster than float32 there: any CUDA device since Ampere, CPUs with the instructions."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and torch.backends.cpu.get_cpu_capability() == "AVX512" and _cpu_has_bfloat16()


def _cpu_has_bfloat16() -> bool:
    try:
        with open("/proc/cpuinfo") as text:
            flags = next((line for line in text if line.startswith("flags")), "")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


class Painter:
    """A network on a device, in evaluation, with the memory format and number type that are fast there."""

    def __init__(self, network: StyleNetwork, device: torch.device, tile_px: int, bfloat16: bool | None = None) -> None:
        self.network = network.to(device).to(memory_format=torch.channels_last).eval().requires_grad_(False)
        self.device, self.tile_px = device, tile_px
        self.bfloat16 = bfloat16_pays(device) if bfloat16 is None else bfloat16
        # Of encoder and decoder, where the time goes: each works once a tile.
        others = set(network.style_encoder.modules())
        self._layers = [one for one in network.modules() if isinstance(one, nn.Conv2d) and one not in others]
        self._encoder_layers = [one for one in network.content_encoder.modules() if isinstance(one, nn.Conv2d)]

    def fast(self) -> AbstractContextManager[object]:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16)

    def _on_device(self, picture: Tensor) -> Tensor:
        return picture.to(self.device).contiguous(memory_format=torch.channels_last)

    @torch.inference_mode()
    def encode_style(self, picture: Tensor) -> Tensor:
        """Style picture (1, 3, H, W) in [0, 1] of any size -> code (1, code), float32 on the CPU.

        Long pictures are cut to 3:1 in the middle; always float32 (in a GPU's convolutions TF32), so that a code
        differs between machines by rounding alone."""
        height, width = picture.shape[-2:]
        cut_height, cut_width = (
            min(height, STYLE_LONGEST_ASPECT * width),
            min(width, STYLE_LONGEST_ASPECT * height),
        )
        top, left = (height - cut_height) // 2, (width - cut_width) // 2
        picture = picture[:, :, top : top + cut_height, left : left + cut_width]
        scale = STYLE_SIDE_PX / min(cut_height, cut_width)
        size = [
            max(ALIGNMENT_PX, round(side * scale / ALIGNMENT_PX) * ALIGNMENT_PX) for side in (cut_height, cut_width)
        ]
        resized = F.interpolate(picture, size=size, mode="bicubic", antialias=True).clamp(0, 1)
        return self.network.encode_style(self._on_device(resized)).cpu()

    @torch.inference_mode()
    def content_statistics(self, pictures: Sequence[Tensor], progress: Progress = silent) -> ContentStatistics:
        """Instance statistics of the encoder's three levels over all `pictures` (1, 3, H, W) of one size together.

        Raises `engine.errors.Cancelled` between layers, through `progress`."""
        sums: list[Tensor] = []
        squares: list[Tensor] = []
        counts = [0.0, 0.0, 0.0]
        work = [(padded(picture), tile) for picture in pictures for tile in self._tiles(padded(picture))]
        for done, (picture, tile) in enumerate(work):
            share = _part(progress, done / len(work), (done + 1) / len(work))
            with self.fast(), _reported(self._encoder_layers, "looking", share):
                features = self.network.encode_content(self._window(picture, tile))
            for level, feature in enumerate(features):
                own = self._own(feature, tile, 2 ** (level + 1)).float()
                total, square = own.sum((2, 3), keepdim=True), own.square().sum((2, 3), keepdim=True)
                if len(sums) <= level:
                    sums.append(total)
                    squares.append(square)
                else:
                    sums[level] += total
                    squares[level] += square
                counts[level] += own.shape[2] * own.shape[3]
        first, second, third = (
            statistics_of_moments(total / count, square / count)
            for total, square, count in zip(sums, squares, counts, strict=True)
        )
        return first, second, third

    @torch.inference_mode()
    def paint(
        self, picture: Tensor, code: Tensor, statistics: ContentStatistics | None = None, progress: Progress = silent
    ) -> Tensor:
        """Content (B, 3, H, W) in [0, 1] on the CPU and codes (B, code) -> pictures (B, 3, H, W) on the CPU.

        `statistics` of a whole film keep its frames alike; without them the picture's own are taken. Raises
        `engine.errors.Cancelled` between layers, through `progress`: a tile of 1024 px takes seconds."""
        height, width = picture.shape[-2:]
        whole = padded(picture)
        parts = self._tiles(whole)
        code = code.to(self.device)
        if len(parts) > 1 and statistics is None:
            statistics = self.content_statistics([picture], lambda stage, part: progress(stage, 0.15 * part))
        out = torch.empty_like(whole)
        painting = _part(progress, 0.15 if len(parts) > 1 else 0.0, 1.0)
        for done, tile in enumerate(parts):
            share = _part(painting, done / len(parts), (done + 1) / len(parts))
            with self.fast(), _reported(self._layers, "painting", share):
                features = self.network.encode_content(self._window(whole, tile))
                if statistics is None:
                    statistics = self.network.statistics(features)
                painted = self.network.paint(features, statistics, code)
            out[:, :, tile.top : tile.bottom, tile.left : tile.right] = self._own(painted, tile, 1).cpu()
        return out[:, :, :height, :width].contiguous()

    def paint_with_strength(
        self,
        picture: Tensor,
        code: Tensor,
        strength: float,
        statistics: ContentStatistics | None = None,
        own: Tensor | None = None,
        progress: Progress = silent,
    ) -> Tensor:
        """Strength 1 is `paint`, 0 the picture itself, exactly; between, the code moves from the picture's own.

        A picture painted in its own style isn't quite itself, so what is lost there is added back in proportion:
        out(s) = paint(code(s)) + (1 - s) (picture - paint(own code)), with code(s) = own + s (style - own).
        `own` (1, code) is given for the frames of a film, which have one style among themselves."""
        if strength <= 0:
            return picture.clone()
        if strength >= 1:
            return self.paint(picture, code, statistics, progress)
        if statistics is None:
            statistics = self.content_statistics([picture], _part(progress, 0.0, 0.1))
        own = self.encode_style(picture) if own is None else own
        mixed = self.paint(picture, torch.lerp(own, code, strength), statistics, _part(progress, 0.1, 0.55))
        itself = self.paint(picture, own, statistics, _part(progress, 0.55, 1.0))
        return (mixed + (1 - strength) * (picture - itself)).clamp_(0, 1)

    def _tiles(self, picture: Tensor) -> list[Tile]:
        return tiles(picture.shape[-2], picture.shape[-1], self.tile_px)

    def _window(self, picture: Tensor, tile: Tile) -> Tensor:
        window = picture[:, :, tile.window_top : tile.window_bottom, tile.window_left : tile.window_right]
        return self._on_device(window)

    @staticmethod
    def _own(features: Tensor, tile: Tile, scale: int) -> Tensor:
        top, left = (tile.top - tile.window_top) // scale, (tile.left - tile.window_left) // scale
        height, width = (tile.bottom - tile.top) // scale, (tile.right - tile.left) // scale
        return features[:, :, top : top + height, left : left + width]


@contextmanager
def _reported(layers: Sequence[nn.Module], stage: str, progress: Progress) -> Iterator[None]:
    """Within it, `progress(stage, share)` is called before each of the layers, of which each works once."""
    done = 0

    def before(*_: object) -> None:
        nonlocal done
        progress(stage, done / len(layers))
        done += 1

    hooks = [layer.register_forward_pre_hook(before) for layer in layers]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _part(progress: Progress, start: float, end: float) -> Progress:
    """The part start..end of a longer job."""
    return lambda stage, fraction: progress(stage, start + (end - start) * fraction)

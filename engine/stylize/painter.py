"""Painting pictures of any size with a trained network: tiles, strength, several frames in one style.

A large picture is painted in two passes over its tiles. The first encodes: it adds up the statistics that AdaIN needs,
those of the whole picture, and keeps the features at 1/8, from which the large forms are decided for the whole picture
at once. The second draws what is finer. So a tiled picture is the untiled one to the last rounding, and what is held
beside a tile and the picture is the features at 1/8, a third as many numbers as the picture has, and the coarser ones;
and, while it is looked at for what its style lacks, a draft, which has an eighth of the picture's pixels.

All of it happens on the device, drafts, stains and palettes as well: on a GPU, a processor would take most of the time
for those.

A style is a code of the network's and, after it, the style's palette (`finishing.palette`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.progress import Progress, silent
from engine.stylize.drafts import at_side, feedback, guided, sides_px
from engine.stylize.finishing.palette import PALETTE_NUMBERS, in_palette, palette_of
from engine.stylize.finishing.stains import without_stains
from engine.stylize.network import ContentStatistics, StyleNetwork, statistics_of_moments
from engine.stylize.style_codes import CODE_SIZES_PX, CodeAt, between, encoded_side_px, remembered, same_at_all_sizes

ALIGNMENT_PX = 8
"""Down to 1/8 sides are halved evenly; the two coarser levels round up."""
SMALLEST_SIDE_PX = 32
"""Smaller pictures are padded up to this, so that every padding by reflection finds enough pixels."""
MARGIN_PX = 64
"""What a tile sees beyond its own pixels: more than reaches them, in either pass."""
STYLE_LONGEST_ASPECT = 3
FRAME_SHIFTS = ((0, 0), (1, 1), (2, 3), (3, 2))
"""Down and right in px, of the four paintings that a film's frame is the mean of: every parity along both sides, and
every place in a cell of 4 px along each. The first two alone left 1.6 to 4 times as much shimmer."""


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
    """A network on a device, in evaluation, with the memory format and number type that are fast there.

    The content encoder works in float32 everywhere: over a very smooth picture its features vary by less than
    bfloat16 resolves, AdaIN divides by that, and single pixels would be off by up to 120 levels of 255."""

    def __init__(self, network: StyleNetwork, device: torch.device, tile_px: int, bfloat16: bool | None = None) -> None:
        self.network = network.to(device).to(memory_format=torch.channels_last).eval().requires_grad_(False)
        self.device, self.tile_px = device, tile_px
        self.bfloat16 = bfloat16_pays(device) if bfloat16 is None else bfloat16
        # Where the time goes: each works once a tile or, the coarser ones of a tiled picture, once a picture.
        others = set(network.style_encoder.modules())
        self._layers = [one for one in network.modules() if isinstance(one, nn.Conv2d) and one not in others]
        encoder = network.content_encoder
        coarse = set(encoder.to_sixteenth.modules()) | set(encoder.sixteenth_context.modules())
        coarse |= set(encoder.to_thirty_second.modules()) | set(encoder.thirty_second_context.modules())
        of_encoder = {one for one in encoder.modules() if isinstance(one, nn.Conv2d)}
        self._encoder_layers = [one for one in self._layers if one in of_encoder - coarse]
        finest = {encoder.to_half, encoder.to_quarter}
        drawing = {network.quarter_merge, network.quarter_first, network.quarter_second, network.narrow,
                   network.half_first, network.half_second, network.unfold, network.full, network.rgb}  # fmt: skip
        drawing = {inner for one in drawing for inner in one.modules()} | finest
        self._drawing_layers = [one for one in self._layers if one in drawing]
        self._decoder_layers = [one for one in self._layers if one not in of_encoder]

    def fast(self) -> AbstractContextManager[object]:
        """For the decoder."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16)

    def _on_device(self, picture: Tensor) -> Tensor:
        return picture.to(self.device).contiguous(memory_format=torch.channels_last)

    @torch.inference_mode()
    def encode_style(self, picture: Tensor, side_px: float) -> Tensor:
        """Style picture (1, 3, H, W) in [0, 1] of any size -> its code and palette (1, code) for a result with a short
        side of `side_px`, float32 on the CPU.

        Long pictures are cut to 3:1 in the middle; always float32 (in a GPU's convolutions TF32), so that a code
        differs between machines by rounding alone."""
        picture = middle(picture)
        short = min(picture.shape[-2:])
        scale = encoded_side_px(side_px, short) / short
        size = [max(ALIGNMENT_PX, round(side * scale / ALIGNMENT_PX) * ALIGNMENT_PX) for side in picture.shape[-2:]]
        resized = F.interpolate(picture, size=size, mode="bicubic", antialias=True).clamp(0, 1)
        return torch.cat([self.network.encode_style(self._on_device(resized)).cpu(), palette_of(resized)], dim=1)

    def encode_style_at_all_sizes(self, picture: Tensor) -> Tensor:
        """Codes (len(CODE_SIZES_PX), code) of a style picture (1, 3, H, W), for keeping."""
        return torch.cat([self.encode_style(picture, side_px) for side_px in CODE_SIZES_PX])

    @torch.inference_mode()
    def content_statistics(self, pictures: Sequence[Tensor], progress: Progress = silent) -> ContentStatistics:
        """Instance statistics of the encoder's five levels over all `pictures` (1, 3, H, W) of one size together.

        Raises `engine.errors.Cancelled` between layers, through `progress`."""
        moments = Moments()
        for done, picture in enumerate(pictures):
            self._look(padded(picture), moments, _part(progress, done / len(pictures), (done + 1) / len(pictures)))
        return moments.statistics()

    def _look(self, whole: Tensor, moments: Moments, progress: Progress) -> tuple[Tensor, Tensor, Tensor]:
        """The features at 1/8, 1/16 and 1/32 of the whole picture, tile by tile; those at all levels go into
        `moments`."""
        encoder, parts = self.network.content_encoder, self._tiles(whole)
        eighth: Tensor | None = None
        for done, tile in enumerate(parts):
            share = _part(progress, done / len(parts), (done + 1) / len(parts))
            with _reported(self._encoder_layers, "looking", share):
                half, quarter = encoder.finest(self._window(whole, tile))
                own = self._own(encoder.middle(quarter), tile, 8)
            for level, features, scale in ((0, half, 2), (1, quarter, 4)):
                moments.add(level, self._own(features, tile, scale))
            if eighth is None:
                size = (whole.shape[0], own.shape[1], whole.shape[2] // 8, whole.shape[3] // 8)
                eighth = torch.empty(size, device=self.device).contiguous(memory_format=torch.channels_last)
            eighth[:, :, tile.top // 8 : tile.bottom // 8, tile.left // 8 : tile.right // 8] = own
        assert eighth is not None
        sixteenth, thirty_second = encoder.coarse(eighth)
        for level, features in enumerate((eighth, sixteenth, thirty_second), 2):
            moments.add(level, features)
        return eighth, sixteenth, thirty_second

    @torch.inference_mode()
    def paint(
        self,
        picture: Tensor,
        style: Tensor | CodeAt,
        statistics: ContentStatistics | None = None,
        progress: Progress = silent,
    ) -> Tensor:
        """Content (B, 3, H, W) in [0, 1] and styles, as codes (B, code) or by size -> pictures (B, 3, H, W)
        on the CPU.

        A picture is painted from coarse to fine (`drafts`) and gets the style's palette. With `statistics`, of a whole
        film, it is one of the film's frames: they get neither, which keeps them alike. Raises
        `engine.errors.Cancelled` between layers, through `progress`: a tile of 1024 px takes seconds."""
        style, own_px = remembered(_by_size(style)), min(picture.shape[-2:])
        picture = picture.to(self.device)
        if statistics is not None:
            painted = self._one_pass(picture, self._code(style, own_px), statistics, progress)
            return without_stains(painted, picture).contiguous().cpu()
        sides = sides_px(own_px)
        parts, before = _parts(progress, [side * side for side in sides]), None
        for side_px, part in zip(sides, parts, strict=True):
            photo, meant = at_side(picture, side_px), self._code(style, side_px)
            content, code = photo, meant
            if before is not None:
                draft, of, meant_of_draft = before
                content = guided(photo, draft, of)
                if min(draft.shape[-2:]) < side_px:  # no style can be read in a tiny picture
                    code = code + feedback(meant_of_draft, self._style_seen(draft), side_px)
            painted = without_stains(self._one_pass(content, code, None, part), photo)
            before = painted, photo, meant
        return in_palette(painted, style(own_px)[:, -PALETTE_NUMBERS:]).contiguous().cpu()

    def _code(self, style: CodeAt, side_px: float) -> Tensor:
        """The network's part of a style's code for that size, (B, code)."""
        return of_network(style(side_px)).to(self.device)

    def _style_seen(self, painted: Tensor) -> Tensor:
        """The code (B, code) of paintings (B, 3, H, W), without their palette, float32. Those that are
        larger than any size that a style is encoded at, drafts of pictures of 2929 px and more, are looked at smaller:
        that wasn't measured."""
        seen = padded(at_side(middle(painted), min(*painted.shape[-2:], CODE_SIZES_PX[-1])))
        return self.network.encode_style(self._on_device(seen))

    def _one_pass(
        self, picture: Tensor, code: Tensor, statistics: ContentStatistics | None, progress: Progress
    ) -> Tensor:
        """(B, 3, H, W) and codes (B, code) -> what the network makes of it, (B, 3, H, W); all on the device."""
        whole = padded(picture)
        paint = self._paint_at_once if len(self._tiles(whole)) == 1 else self._paint_in_tiles
        painted = paint(whole, code, statistics, progress)
        return painted[:, :, : picture.shape[-2], : picture.shape[-1]]

    def _paint_at_once(
        self, whole: Tensor, code: Tensor, statistics: ContentStatistics | None, progress: Progress
    ) -> Tensor:
        with _reported(self._layers, "painting", progress):
            features = self.network.encode_content(self._on_device(whole))
            if statistics is None:
                statistics = self.network.statistics(features)
            with self.fast():
                return self.network.paint(features, statistics, code)

    @torch.inference_mode()
    def paint_in_styles(
        self,
        picture: Tensor,
        styles: Sequence[Tensor | CodeAt],
        statistics: ContentStatistics | None = None,
        progress: Progress = silent,
    ) -> list[Tensor]:
        """Content (1, 3, H, W) in each of the styles: what `paint` gives for each. A film's frame that fits into one
        tile is encoded only once. Raises like `paint`."""
        picture = picture.to(self.device)
        whole, (height, width) = padded(picture), picture.shape[-2:]
        if statistics is None or len(self._tiles(whole)) > 1:
            parts = _parts(progress, [1] * len(styles))
            return [self.paint(picture, style, statistics, part) for style, part in zip(styles, parts, strict=True)]
        looking, *parts = _parts(progress, [0.2, *[0.8 / len(styles)] * len(styles)])
        with _reported(self._encoder_layers, "looking", looking):
            features = self.network.encode_content(self._on_device(whole))
        painted = []
        for style, part in zip(styles, parts, strict=True):
            code = self._code(_by_size(style), min(height, width))
            with _reported(self._decoder_layers, "painting", part), self.fast():
                one = self.network.paint(features, statistics, code)[:, :, :height, :width]
            painted.append(without_stains(one, picture).contiguous().cpu())
        return painted

    def _paint_in_tiles(
        self, whole: Tensor, code: Tensor, statistics: ContentStatistics | None, progress: Progress
    ) -> Tensor:
        moments = Moments()
        coarse = self._look(whole, moments, _part(progress, 0.0, 0.25))
        if statistics is None:
            statistics = moments.statistics()
        progress("painting", 0.25)
        with self.fast():
            eighth = self.network.paint_coarse(*coarse, statistics, code)
        del coarse
        out, parts = torch.empty_like(whole), self._tiles(whole)
        painting = _part(progress, 0.25, 1.0)
        for done, tile in enumerate(parts):
            share = _part(painting, done / len(parts), (done + 1) / len(parts))
            rows, columns = (
                slice(start // 8, end // 8)
                for start, end in ((tile.window_top, tile.window_bottom), (tile.window_left, tile.window_right))
            )
            with _reported(self._drawing_layers, "painting", share):
                half, quarter = self.network.content_encoder.finest(self._window(whole, tile))
                with self.fast():
                    painted = self.network.paint_fine(half, quarter, eighth[:, :, rows, columns], statistics, code)
            out[:, :, tile.top : tile.bottom, tile.left : tile.right] = self._own(painted, tile, 1)
        return out

    def paint_with_strength(
        self,
        picture: Tensor,
        style: Tensor | CodeAt,
        strength: float,
        statistics: ContentStatistics | None = None,
        own: Tensor | CodeAt | None = None,
        progress: Progress = silent,
    ) -> Tensor:
        """`paint_with_strengths` for one strength."""
        return self.paint_with_strengths(picture, style, [strength], statistics, own, progress)[0]

    def paint_with_strengths(
        self,
        picture: Tensor,
        style: Tensor | CodeAt,
        strengths: Sequence[float],
        statistics: ContentStatistics | None = None,
        own: Tensor | CodeAt | None = None,
        progress: Progress = silent,
    ) -> list[Tensor]:
        """Strength 1 is `paint`, 0 the picture itself, exactly; between, the code moves from the picture's own.

        A picture painted in its own style isn't quite itself, so what is lost there is added back in proportion:
        out(s) = paint(code(s)) + (1 - s) (picture - paint(own code)), with code(s) = own + s (style - own).
        `own` is given for the frames of a film, which have one style among themselves."""
        style = remembered(_by_size(style))
        painted_ones = [min(strength, 1.0) for strength in strengths if strength > 0]
        if any(strength < 1 for strength in painted_ones):
            own = remembered(lambda side_px: self.encode_style(picture, side_px)) if own is None else _by_size(own)
            styles = [between(own, style, strength) if strength < 1 else style for strength in painted_ones]
            *painted, itself = self.paint_in_styles(picture, [*styles, own], statistics, progress)
            lost = picture - itself
            painted = [
                (one + (1 - strength) * lost).clamp_(0, 1) if strength < 1 else one
                for one, strength in zip(painted, painted_ones, strict=True)
            ]
        else:
            painted = [self.paint(picture, style, statistics, progress)] * len(painted_ones) if painted_ones else []
        following = iter(painted)
        return [next(following) if strength > 0 else picture.clone() for strength in strengths]

    def paint_frame(
        self,
        frame: Tensor,
        style: Tensor | CodeAt,
        strength: float,
        statistics: ContentStatistics,
        own: Tensor | CodeAt | None = None,
        progress: Progress = silent,
    ) -> Tensor:
        """A frame (1, 3, H, W) of a film: the mean of what `paint_with_strength` gives for it and for the frame moved
        by each of `FRAME_SHIFTS`, moved back.

        The network sees a picture in cells of 2, 4 and more px, so what is finer than those depends on where they lie:
        it shimmers while the camera moves. In the mean of several positions most of that is gone ("cycle spinning":
        Coifman & Donoho, Translation-invariant de-noising, 1995)."""
        if strength <= 0:
            return self.paint_with_strength(frame, style, strength, statistics, own, progress)
        total = torch.zeros_like(frame)
        for number, (down, right) in enumerate(FRAME_SHIFTS):
            moved = F.pad(frame, (right, 0, down, 0), mode="replicate")
            part = _part(progress, number / len(FRAME_SHIFTS), (number + 1) / len(FRAME_SHIFTS))
            painted = self.paint_with_strength(moved, style, strength, statistics, own, part)
            total += painted[:, :, down:, right:]
        return total / len(FRAME_SHIFTS)

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


def middle(pictures: Tensor) -> Tensor:
    """(B, 3, H, W), cut to 3:1 in the middle where they are longer."""
    height, width = pictures.shape[-2:]
    cut_height, cut_width = min(height, STYLE_LONGEST_ASPECT * width), min(width, STYLE_LONGEST_ASPECT * height)
    top, left = (height - cut_height) // 2, (width - cut_width) // 2
    return pictures[:, :, top : top + cut_height, left : left + cut_width]


def of_network(style: Tensor) -> Tensor:
    """A style's code (B, code) without its palette."""
    return style[:, :-PALETTE_NUMBERS]


class Moments:
    """Sums of values and of their squares, channel by channel, of five levels of features."""

    def __init__(self) -> None:
        self._sums: dict[int, tuple[Tensor, Tensor, int]] = {}

    def add(self, level: int, features: Tensor) -> None:
        """Those of features (B, C, h, w)."""
        features = features.float()
        total, square = features.sum((2, 3), keepdim=True), features.square().sum((2, 3), keepdim=True)
        before = self._sums.get(level, (0, 0, 0))
        count = features.shape[2] * features.shape[3]
        self._sums[level] = (before[0] + total, before[1] + square, before[2] + count)

    def statistics(self) -> ContentStatistics:
        """Of everything added."""
        half, quarter, eighth, sixteenth, thirty_second = (
            statistics_of_moments(total / count, square / count)
            for total, square, count in (self._sums[level] for level in range(5))
        )
        return half, quarter, eighth, sixteenth, thirty_second


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


def _parts(progress: Progress, weights: Sequence[float]) -> list[Progress]:
    """The parts of a job one after the other, as long as their weights."""
    ends = [sum(weights[: number + 1]) / sum(weights) for number in range(len(weights))]
    return [_part(progress, start, end) for start, end in zip([0.0, *ends], ends, strict=False)]


def _by_size(style: Tensor | CodeAt) -> CodeAt:
    return same_at_all_sizes(style) if isinstance(style, Tensor) else style

"""What the network is trained for: the style's statistics, the photo's structure, and calm pictures.

Pictures of a batch have one size S, style pictures one size T, which may differ: all style terms compare statistics.

Every style term is divided, sample by sample, by the style's own size (Cheng et al., Style-Aware Normalized Loss,
CVPR 2021): otherwise styles with strong features take all the gradient and quiet ones come out unchanged. Each term is
taken at several scales and through unlike networks, one of them of random filters that are drawn anew for each step,
because a network that only has to please one of them at one scale soon learns that one's blind spots.

No term reads a value back from the device or draws by chance: what is random comes with the batch. So a whole step can
be recorded once as a CUDA graph and replayed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.stylize.perception.loss_networks import DistilledVGG19, VGG16Stem
from engine.stylize.pictures.colour import luma
from engine.stylize.training import light

MOMENT_LAYERS = {"relu1_1": 0.7, "relu2_1": 1.0, "lifted3_1": 1.0, "lifted4_1": 1.0, "lifted5_1": 0.5}
"""Layers whose channel means and standard deviations are matched (Huang & Belongie 2017, eq. 13), and their weights."""
GRAM_LAYERS = ("relu2_1", "relu3_1", "relu4_1")
"""Layers whose Gram matrices are matched (Gatys et al. 2016): which features go together, not only how strong."""
CONTENT_LAYERS = {"relu2_1": 0.3, "lifted3_1": 1.0, "lifted4_1": 1.0}
"""Layers whose instance-normalised features are matched: structure without colour and contrast."""
CONTRAST_LAYERS = ("lifted3_1", "lifted4_1")
CONTENT_SHARES = {1: 0.65, 2: 0.35}
"""Scales at which the content is compared, and their parts."""
TEXTURE_PX = 512
"""Side of the crops that the VGG-16 stem sees: all of a picture up to this size. On a processor it takes half of a
step's time, and 256 will do."""
STYLE_WANTED = tuple(dict.fromkeys((*MOMENT_LAYERS, *GRAM_LAYERS)))
WANTED = tuple(dict.fromkeys((*STYLE_WANTED, *CONTENT_LAYERS)))


@dataclass(frozen=True)
class LossWeights:
    """Weights of the terms; the defaults are those of a run that begins anew."""

    style: float = 14.0
    gram: float = 4.5
    texture: float = 4.0
    fresh: float = 4.0
    content: float = 2.6
    raw_content: float = 1.5
    colour: float = 4.0
    palette: float = 6.0
    contrast: float = 0.3
    identity: float = 3.0
    consistency: float = 16.0
    variation: float = 0.1
    fringe: float = 1.5
    order: float = 3.5
    halo: float = 4.0
    streak: float = 1.0


SCALE_SHARES = {1: 0.5, 2: 0.3, 4: 0.2}
"""Scales at which the style is compared, by how much pictures are made smaller, and their parts of the style terms."""
TEXTURE_SHARES = {1: 0.6, 2: 0.4}


@dataclass(frozen=True)
class Batch:
    """B pictures in [0, 1] and what was drawn for them, all on the device."""

    content: Tensor
    """(B, 3, S, S)."""
    style: Tensor
    """(B, 3, T, T)."""
    identity: Tensor
    """(B,): 1 where the style is the content itself, else 0."""
    perturbed: Tensor
    """(B, 3, S, S): the content seen by a camera that moved a little, softer and with noise."""
    motion: Tensor
    """(B, 3): zoom, and right and down in px: `perturbed` at p shows `content` at
    zoom * (p - S/2) + S/2 + (right, down)."""
    exact: Tensor
    """(B,): 1 where the camera moved by whole pixels and nothing had to be interpolated, else 0."""
    corners: Tensor
    """(2,) in [0, 1]: where the texture's crop lies, from top left to bottom right."""
    directions: Tensor
    """(8, 3): of the palette's slices."""
    filters: tuple[Tensor, Tensor]
    """(32, 3, 5, 5) and (48, 32, 3, 3): this step's random filters."""

    def tensors(self) -> list[Tensor]:
        return [*(getattr(self, name) for name in self.__dataclass_fields__ if name != "filters"), *self.filters]

    @staticmethod
    def of_tensors(tensors: list[Tensor]) -> Batch:
        *plain, first, second = tensors
        return Batch(*plain, filters=(first, second))  # type: ignore[misc, arg-type]


class ChannelMeans(torch.autograd.Function):
    """Means of the values and of their squares over the positions of (B, C, H, W), each (B, C) float32.

    Written out because the loss takes some forty of them a step: sums by matrix product, and a backward pass of one
    multiply-add, cost a third of what autograd makes of `mean` and `square`."""

    @staticmethod
    def forward(ctx: Any, features: Tensor) -> tuple[Tensor, Tensor]:
        ctx.save_for_backward(features)
        if features.is_cuda:
            values = features.float()
            return values.mean((2, 3)), values.square().mean((2, 3))
        batch, channels, height, width = features.shape
        with torch.autocast(features.device.type, enabled=False):
            flat = features.permute(0, 2, 3, 1).reshape(batch, height * width, channels).float()
            weights = flat.new_full((batch, 1, height * width), 1 / (height * width))
            return torch.bmm(weights, flat)[:, 0], torch.bmm(weights, flat * flat)[:, 0]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (features,) = ctx.saved_tensors
        of_mean, of_square = (g[:, :, None, None] / (features.shape[2] * features.shape[3]) for g in gradients)
        return torch.addcmul(of_mean.to(features.dtype), features, (2 * of_square).to(features.dtype))


def mean_and_variance(features: Tensor) -> tuple[Tensor, Tensor]:
    """Over the positions of (B, C, H, W), each (B, C) float32."""
    mean, square = ChannelMeans.apply(features)
    return mean, (square - mean.square()).clamp(min=0)


def moments(features: Tensor) -> Tensor:
    """Channel means and standard deviations of (B, C, H, W), as (B, 2C) float32."""
    mean, variance = mean_and_variance(features)
    return torch.cat([mean, (variance + 1e-5).sqrt()], dim=1)


def gram(features: Tensor) -> Tensor:
    """Gram matrix (B, C, C) of (B, C, H, W), a mean over positions, float32."""
    flat = features.float().flatten(2)
    return flat @ flat.transpose(1, 2) / flat.shape[2]


def relative_distance(of: Tensor, to: Tensor) -> Tensor:
    """|of - to| / |to| for each sample, (B,): 0 is equal, 1 as far as nothing at all."""
    difference = (of - to).flatten(1).square().sum(1)
    return (difference / (to.flatten(1).square().sum(1) + 1e-6) + 1e-5).sqrt()


def normalised_difference(a: Tensor, b: Tensor, epsilon: float = 1e-3) -> Tensor:
    """Mean squared difference of the instance-normalised features (B, C, H, W), (B,): 0 is equal, 2 unrelated.

    In closed form: with x' = (x - mean) / sqrt(var + e), mean((a' - b')^2) follows from the variances and from the
    covariance, and the normalised maps need not be made."""
    mean_a, variance_a = mean_and_variance(a)
    mean_b, variance_b = mean_and_variance(b)
    product = ChannelMeans.apply(a * b)[0]
    noisy_a, noisy_b = variance_a + epsilon, variance_b + epsilon
    correlation = (product - mean_a * mean_b) * (noisy_a * noisy_b).rsqrt()
    return (variance_a / noisy_a + variance_b / noisy_b - 2 * correlation).mean(1)


def sliced_palette_distance(of: Tensor, to: Tensor, directions: Tensor, side: int = 64) -> Tensor:
    """Sliced 1-Wasserstein distance between the colours of two pictures (B, 3, H, W), averaged over areas, (B,).

    Rabin et al. 2011: along each random direction (slices, 3) the distance of two sorted lists is exact."""
    directions = F.normalize(directions, dim=1)
    areas = (F.adaptive_avg_pool2d(picture.float(), side).flatten(2) for picture in (of, to))
    projected = [(directions[:, :, None] * area[:, None]).sum(2).sort(dim=2).values for area in areas]
    return (projected[0] - projected[1]).abs().mean(dim=(1, 2))


def contrastive(of: Tensor, styles: Tensor, queue: Tensor, temperature: float = 0.1) -> Tensor:
    """InfoNCE (van den Oord et al. 2018): output i must be nearest to style i among this batch's and earlier styles.

    `of`, `styles` (B, D) moments; `queue` (N, D). Anchors are outputs, everything they are compared with is a style."""
    candidates = torch.cat([styles, queue])
    distance = torch.cdist(of, candidates) / candidates.norm(dim=1).clamp(min=1e-3)
    return F.cross_entropy(-distance / temperature, torch.arange(len(of), device=of.device))


class PerceptualLoss(nn.Module):
    """All terms of the loss. Call it with what the network painted for `batch.content` and for `batch.perturbed`."""

    queue: Tensor
    """(N, D): moments of the latest styles, of training pictures only: the negatives of the contrastive term."""

    def __init__(
        self,
        distilled: DistilledVGG19,
        stem: VGG16Stem,
        weights: LossWeights,
        queue: int = 48,
        described: int = 2 * (256 + 512),
        texture_px: int = TEXTURE_PX,
    ) -> None:
        """`queue` styles are remembered, by the moments of the `CONTRAST_LAYERS`: `described` numbers."""
        super().__init__()
        self.distilled, self.stem, self.weights, self.texture_px = distilled, stem, weights, texture_px
        self.register_buffer("queue", torch.full((queue, described), 1e3))  # far from everything, at first

    def forward(self, batch: Batch, painted: Tensor, painted_perturbed: Tensor | None = None) -> dict[str, Tensor]:
        """Twice (B, 3, S, S) -> the weighted terms by name, each a scalar; their sum is the loss.

        Without the second nothing is said of `consistency`."""
        w = self.weights
        terms = self._style_and_content(batch, painted)
        terms["texture"] = w.texture * self._texture(batch, painted)
        terms["fresh"] = w.fresh * fresh_distance(painted, batch.style, batch.filters).mean()
        terms["colour"] = w.colour * (moments(painted) - moments(batch.style)).abs().mean()
        terms["palette"] = w.palette * sliced_palette_distance(painted, batch.style, batch.directions).mean()
        same = (painted - batch.content).abs().mean(dim=(1, 2, 3))
        terms["identity"] = w.identity * (same * batch.identity).sum() / len(same)
        terms["consistency"] = painted.new_zeros(())
        if painted_perturbed is not None:
            lost = moved_difference(painted, painted_perturbed, batch.motion, batch.exact)
            terms["consistency"] = w.consistency * lost
        terms["variation"] = w.variation * total_variation(painted)
        terms["fringe"] = w.fringe * fringe_distance(painted, batch.style).mean()
        with torch.autocast(painted.device.type, enabled=False):  # half a level of light counts in a sky
            of, to, source = (luma(pictures.float()) for pictures in (painted, batch.style, batch.content))
            terms["order"] = w.order * light.order_lost(of, source)
            terms["halo"] = w.halo * light.unevenness(of, source)
            terms["streak"] = w.streak * light.restlessness(of, to, source)
        return terms

    def _style_and_content(self, batch: Batch, painted: Tensor) -> dict[str, Tensor]:
        w = self.weights
        changed = 1 - batch.identity
        style, grams = painted.new_zeros(len(painted)), painted.new_zeros(len(painted))
        content, raw, contrast = style.clone(), style.clone(), style.clone()
        for scale, share in SCALE_SHARES.items():
            of = self.distilled(smaller(painted, scale), WANTED if scale < 4 else STYLE_WANTED)
            with torch.no_grad():
                to = self.distilled(smaller(batch.style, scale), STYLE_WANTED)
            total = sum(MOMENT_LAYERS.values())
            for name, weight in MOMENT_LAYERS.items():
                style = style + share * weight / total * relative_distance(moments(of[name]), moments(to[name]))
            for name in GRAM_LAYERS:
                grams = grams + share / len(GRAM_LAYERS) * relative_distance(gram(of[name]), gram(to[name]))
            if scale == 1:
                vectors = [torch.cat([moments(f[name]) for name in CONTRAST_LAYERS], dim=1) for f in (of, to)]
                contrast = contrastive(vectors[0], vectors[1], self.queue.clone())
                with torch.no_grad():  # kept in place: a recorded step finds it where it was
                    self.queue.copy_(torch.cat([vectors[1], self.queue])[: len(self.queue)])
            if scale < 4:
                part = CONTENT_SHARES[scale]
                with torch.no_grad():
                    same = self.distilled(smaller(batch.content, scale), tuple(CONTENT_LAYERS))
                total = sum(CONTENT_LAYERS.values())
                for name, weight in CONTENT_LAYERS.items():
                    content = content + part * weight / total * normalised_difference(of[name], same[name])
                raw = raw + part * relative_distance(of["lifted4_1"].float(), same["lifted4_1"].float())
        return {
            "style": w.style * style.mean(),
            "gram": w.gram * grams.mean(),
            "content": w.content * content.mean(),
            "raw_content": w.raw_content * (raw * changed).mean(),
            "contrast": w.contrast * contrast,
        }

    def _texture(self, batch: Batch, painted: Tensor) -> Tensor:
        """Moments through the VGG-16 stem, at two scales, squared so that crops stay unbiased."""
        total = painted.new_zeros(())
        for scale, share in TEXTURE_SHARES.items():
            of, to = (
                self.stem(window(smaller(pictures, scale), self.texture_px, batch.corners))
                for pictures in (painted, batch.style)
            )
            distances = [relative_distance(moments(of[name]), moments(to[name])).square() for name in of]
            total = total + share * torch.stack(distances).mean()
        return total


def smaller(pictures: Tensor, scale: int) -> Tensor:
    """(B, C, H, W) -> (B, C, H/scale, W/scale), means of squares."""
    return F.avg_pool2d(pictures, scale) if scale > 1 else pictures


def window(pictures: Tensor, side_px: int, corners: Tensor) -> Tensor:
    """The square of `side_px` that lies at `corners` (2,) in [0, 1] of the room that (B, C, H, W) has, or all of it.

    By index, not by slice: where it lies is known on the device alone."""
    for axis, corner in zip((2, 3), corners, strict=True):
        room = pictures.shape[axis] - side_px
        if room > 0:
            start = (corner * (room + 1)).floor().clamp(max=room).long()
            pictures = pictures.index_select(axis, start + torch.arange(side_px, device=pictures.device))
    return pictures


def fresh_distance(painted: Tensor, style: Tensor, filters: tuple[Tensor, Tensor]) -> Tensor:
    """Relative distance of the moments behind two layers of random filters at three scales, (B,). Of random filters,
    textures can be made (Ustyuzhaninov et al., ICLR 2017); fresh ones in each step have no blind spots to learn."""
    total = painted.new_zeros(len(painted))
    for scale in (1, 2, 4):
        first = [F.relu(F.conv2d(smaller(p, scale) - 0.5, filters[0])) for p in (painted, style)]
        second = [F.relu(F.conv2d(F.avg_pool2d(f, 2), filters[1])) for f in first]
        for of, to in (first, second):
            total = total + relative_distance(moments(of), moments(to)) / 6
    return total


def moved_difference(painted: Tensor, perturbed: Tensor, motion: Tensor, exact: Tensor, margin: int = 8) -> Tensor:
    """Mean absolute difference of (B, 3, S, S), seen from where the camera moved to, and what was painted there.

    Interpolation costs sharpness, which is nobody's fault: unless `exact`, both are compared a little softer."""
    size = painted.shape[-1]
    grid = camera_grid(motion, size, size)
    warped = F.grid_sample(painted.float(), grid, mode="bicubic", padding_mode="border", align_corners=False)
    limit = 1 - 2 * margin / size
    seen = (grid.abs().amax(-1) < limit)[:, None].float()
    inner = torch.zeros_like(seen)
    inner[..., margin:-margin, margin:-margin] = 1
    difference = (warped - perturbed.float()) * seen * inner
    softer = F.avg_pool2d(F.avg_pool2d(F.pad(difference, (1, 1, 1, 1)), 2, stride=1), 2, stride=1)
    whole = exact[:, None, None, None]
    return (whole * difference + (1 - whole) * softer).abs().sum() / (3 * (seen * inner).sum() + 1)


def camera_grid(motion: Tensor, size: int, of_size: int) -> Tensor:
    """(B, size, size, 2) for `grid_sample` on pictures of `of_size` px with the same middle: see `Batch.motion`."""
    zoom, right, down = motion.unbind(1)
    place = (torch.arange(size, device=motion.device) + 0.5 - size / 2) * 2 / of_size  # of pixels' middles, in -1..1
    x, y = (zoom[:, None] * place + shift[:, None] * 2 / of_size for shift in (right, down))
    return torch.stack([x[:, None, :].expand(-1, size, size), y[:, :, None].expand(-1, size, size)], dim=3)


def total_variation(pictures: Tensor) -> Tensor:
    """Mean absolute difference of neighbouring pixels."""
    return (pictures.diff(dim=2).abs().mean() + pictures.diff(dim=3).abs().mean()) / 2


def colour_edges(pictures: Tensor) -> Tensor:
    """Mean and root mean square of the gradient of the chroma (RGB minus luma) of (B, 3, H, W), (B, 2)."""
    chroma = pictures - luma(pictures)
    square = (chroma.diff(dim=2)[..., :-1].square() + chroma.diff(dim=3)[:, :, :-1].square()).sum(1)
    return torch.stack([(square + 1e-8).sqrt().mean((1, 2)), (square.mean((1, 2)) + 1e-8).sqrt()], dim=1)


def fringe_distance(painted: Tensor, style: Tensor) -> Tensor:
    """How much stronger or weaker the colours change from pixel to pixel than in the style, at two scales, (B,).

    The loss networks hardly see thin seams of red and blue along an edge of light and dark: without this term a
    network comes to paint them, with half as much again of such change as the paintings have."""
    distance = painted.new_zeros(len(painted))
    for scale in (1, 2):
        of, to = (colour_edges(F.avg_pool2d(p, scale) if scale > 1 else p) for p in (painted, style))
        distance = distance + ((of - to).abs() / (to + 0.004)).mean(1) / 2
    return distance

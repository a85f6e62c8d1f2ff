"""ArtFID's two parts (Wright & Ommer, "ArtFID: Quantitative Evaluation of Neural Style Transfer", GCPR 2022):

    ArtFID = (1 + LPIPS(photo, painted)) (1 + FID(paintings, painted))

The paper takes LPIPS of an AlexNet and FID of an Inception network that was trained on art. Neither is at hand here:
both parts are of VGG-19 as the loss network distils it, so they stand beside the figures of other networks measured so,
and beside the two bounds, but not beside the paper's own numbers.

- `lpips_like`: Zhang et al., CVPR 2018, without their learned weights: features of relu1_1 .. relu5_1, each position
  scaled to length 1, squared distance, mean over positions and layers.
- `fid_like`: Heusel et al., NIPS 2017: the Frechet distance of two Gaussians, fitted to relu5_1 in 4 x 4 cells of each
  picture. Of few pictures it's too large (a covariance needs many), for every row alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.stylize.perception.loss_networks import DistilledVGG19

LAYERS = ("lifted1_1", "lifted2_1", "lifted3_1", "lifted4_1", "lifted5_1")
DEEPEST = "relu5_1"
CELLS = 4
"""Rows and columns of a picture whose features count as one sample each."""
NETWORKS = "both of VGG-19 distilled to a sixteenth, relu1_1 .. relu5_1 and relu5_1"


@dataclass(frozen=True)
class ArtFID:
    """The parts, and what they come to."""

    lpips_like: float
    fid_like: float

    @property
    def whole(self) -> float:
        return (1 + self.lpips_like) * (1 + self.fid_like)


class Parts:
    """Adds up both parts over pairs of one size; all pictures are (1, 3, H, W) in [0, 1]."""

    def __init__(self, distilled: DistilledVGG19) -> None:
        self._distilled = distilled
        self._distances: list[float] = []
        self._samples: list[Tensor] = []

    @torch.no_grad()
    def add(self, painted: Tensor, photo: Tensor) -> None:
        wanted = (*LAYERS, DEEPEST)
        of_painted, of_photo = (self._distilled(picture, wanted) for picture in (painted, photo))
        self._distances.append(perceptual_distance([(of_painted[name], of_photo[name]) for name in LAYERS]))
        self._samples.append(in_cells(of_painted[DEEPEST]))

    def against(self, paintings: Iterable[Tensor]) -> ArtFID:
        """Beside the pictures whose styles were meant."""
        with torch.no_grad():
            of_paintings = [in_cells(self._distilled(one, (DEEPEST,))[DEEPEST]) for one in paintings]
        distance = sum(self._distances) / len(self._distances)
        return ArtFID(distance, frechet_distance(torch.cat(of_paintings), torch.cat(self._samples)))


def perceptual_distance(layers: Sequence[tuple[Tensor, Tensor]]) -> float:
    """Of the features (1, C, H, W) of two pictures, layer by layer: 0 equal, 4 opposite."""
    return sum(
        float((F.normalize(a, dim=1, eps=1e-8) - F.normalize(b, dim=1, eps=1e-8)).square().sum(1).mean())
        for a, b in layers
    ) / len(layers)


def in_cells(features: Tensor) -> Tensor:
    """(1, C, H, W) -> means over cells, (CELLS ** 2, C), float64."""
    return F.adaptive_avg_pool2d(features, CELLS).flatten(2)[0].T.double()


def frechet_distance(a: Tensor, b: Tensor) -> float:
    """Between Gaussians fitted to samples (N, C) and (M, C):
    |mean difference|^2 + tr(A + B - 2 (A B)^(1/2)) (Dowson & Landau 1982)."""
    cov_a, cov_b = (torch.cov(samples.T) for samples in (a, b))
    values, vectors = torch.linalg.eigh(cov_a)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    cross = torch.linalg.eigvalsh(root @ cov_b @ root).clamp(min=0).sqrt().sum()
    between = (a.mean(0) - b.mean(0)).square().sum() + cov_a.trace() + cov_b.trace() - 2 * cross
    return max(0.0, float(between))

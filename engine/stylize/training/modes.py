"""The kinds of steps of a training run: how large pictures are, how many go into a batch, how often each comes up."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Mode:
    """One kind of step: sizes of photos and painted pictures and of style pictures, how many, how often (relative)."""

    size_px: int
    style_px: int
    count: int
    share: float
    served: bool = False
    """Painted over drafts and without stains, as members get stills; else in one pass, as they get films."""


MODES = (
    Mode(256, 256, 20, 0.24),
    Mode(384, 384, 9, 0.16),
    Mode(512, 512, 6, 0.26),
    Mode(768, 768, 3, 0.14),
    Mode(1024, 1024, 2, 0.12),
    Mode(1024, 512, 2, 0.05),
    Mode(512, 1024, 6, 0.03),
)
"""Kinds of steps of a run that begins anew."""
SERVED_MODES = (
    Mode(256, 256, 20, 0.16),
    Mode(384, 384, 9, 0.12),
    Mode(512, 512, 6, 0.10),
    Mode(768, 768, 3, 0.06),
    Mode(1024, 1024, 2, 0.06),
    Mode(1024, 512, 2, 0.04),
    Mode(512, 1024, 6, 0.04),
    Mode(512, 512, 6, 0.16, served=True),
    Mode(768, 768, 3, 0.12, served=True),
    Mode(1024, 1024, 2, 0.14, served=True),
)
"""Of a run from trained weights that also paints as members get it."""


def chosen_modes(largest_px: int, batch_share: float, served: bool = False) -> tuple[Mode, ...]:
    """Those of `MODES`, or `SERVED_MODES`, with pictures up to `largest_px`, their batches made smaller or larger."""
    return tuple(
        replace(mode, count=max(1, round(mode.count * batch_share)))
        for mode in (SERVED_MODES if served else MODES)
        if max(mode.size_px, mode.style_px) <= largest_px
    )

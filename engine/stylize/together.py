"""Several members' pictures of one size in one pass of the network, where the device gains by that (`Studio.batches`).

Decoding and encoding take longer than a GPU's painting: they go on side by side on the processor's cores.
"""

from __future__ import annotations

import functools
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from engine.contract import engine_pb2 as pb
from engine.device import available_cores
from engine.progress import Progress
from engine.stylize.pictures.colour import keep_colours
from engine.stylize.pictures.files import fitted, header_size

if TYPE_CHECKING:
    from engine.stylize.studio import Prepared, Restyled, Studio

log = logging.getLogger(__name__)

LARGEST_SHARED_PX = 2_000_000
"""Pictures with more pixels fill a device by themselves."""


def shape_to_share(request: pb.StylizeRequest, max_side_px: int) -> tuple[int, int] | None:
    """(width, height) at which the request's picture will be painted, from its header alone; None if it has to be
    painted alone, as films are, or in more than the one plain pass."""
    if request.strength < 1 or request.style_image:
        return None
    size = header_size(request.image)
    shape = fitted(size, max_side_px) if size else (0, 0)
    return shape if 0 < shape[0] * shape[1] <= LARGEST_SHARED_PX else None


def stylize_together(
    studio: Studio, requests: Sequence[pb.StylizeRequest], progresses: Sequence[Progress]
) -> list[pb.StylizeResult | Exception]:
    """A result, or what it raised, for each request."""
    started = time.perf_counter()
    shares = [Share(studio, *one) for one in zip(requests, progresses, strict=True)]
    with ThreadPoolExecutor(min(len(shares), available_cores()), thread_name_prefix="pictures") as pool:
        list(pool.map(Share.prepare, shares))
        _paint(studio, shares)
        list(pool.map(lambda share: share.finish(started), shares))
    return [share.outcome() for share in shares]


def _paint(studio: Studio, shares: Sequence[Share]) -> None:
    """Equal shapes in one pass, all others alone; alone also after a pass that failed, each with its own error."""
    groups: defaultdict[tuple[int, ...], list[Share]] = defaultdict(list)
    for share in shares:
        share.announce()
        if share.error is None and share.work is not None:
            groups[len(share.work.picture.frames), *share.work.picture.size].append(share)
    for (frames, *_), group in groups.items():
        works = [share.work for share in group if share.work is not None]
        if frames == 1 and len(works) > 1:
            try:
                pictures = torch.cat([work.picture.frames[0].rgb for work in works])
                painted = studio.painter.paint(pictures, torch.cat([work.code for work in works])).split(1)
            except Exception:
                log.warning("%d pictures are painted one by one after a failure", len(works), exc_info=True)
            else:
                for share, picture in zip(group, painted, strict=True):
                    share.take(picture)
    for share in shares:
        share.paint_alone()


def _own_errors(step: Callable[..., None]) -> Callable[..., None]:
    """A step of a `Share` that keeps what it raises to itself, and is left out after an earlier error."""

    @functools.wraps(step)
    def guarded(share: Share, *arguments: object) -> None:
        if share.error is None:
            try:
                step(share, *arguments)
            except Exception as error:  # noqa: BLE001 -- the scheduler tells its member and the log
                share.error = error

    return guarded


class Share:
    """One request on its way through a shared turn."""

    def __init__(self, studio: Studio, request: pb.StylizeRequest, progress: Progress) -> None:
        self.studio, self.request, self.progress = studio, request, progress
        self.work: Prepared | None = None
        self.painted: Restyled | None = None
        self.result: pb.StylizeResult | None = None
        self.error: Exception | None = None

    def outcome(self) -> pb.StylizeResult | Exception:
        assert self.error is not None or self.result is not None
        return self.error or self.result  # type: ignore[return-value]

    @_own_errors
    def prepare(self) -> None:
        self.work = self.studio.prepare(self.request, self.progress)

    @_own_errors
    def announce(self) -> None:
        self.progress("painting", 0.05)

    @_own_errors
    def take(self, picture: Tensor) -> None:
        """Its picture (1, 3, H, W) out of the shared pass."""
        assert self.work is not None
        if self.request.keep_colors:
            picture = keep_colours(picture, self.work.picture.frames[0].rgb)
        self.painted = self.work.painted([picture])

    @_own_errors
    def paint_alone(self) -> None:
        if self.painted is None:
            assert self.work is not None
            self.painted = self.studio.paint(self.work, self.request, self.progress)

    @_own_errors
    def finish(self, started: float) -> None:
        assert self.painted is not None
        self.result = self.studio.finish(self.painted, self.request, self.progress, started)

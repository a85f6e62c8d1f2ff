"""Several members' pictures of one size in one pass of the network, where that pays (`Studio.batches`)."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence

import structlog
import torch

from engine.device import release_memory
from engine.progress import Progress
from engine.stylize.painter import Painter
from engine.stylize.painting import Prepared, Restyled, paint
from engine.stylize.pictures.colour import keep_colours

log = structlog.get_logger(__name__)

LARGEST_SHARED_PX = 2_000_000
"""Pictures with more pixels fill a device by themselves."""


def shape_to_share(work: Prepared) -> tuple[int, int] | None:
    """(height, width) of what is visible of a picture that may be painted together with others of that size; None if
    it has to be painted alone, as films are, or in more than the one plain pass."""
    plain = work.strength == 1 and not work.rising and not work.style.is_bold and not work.faces
    if not plain or work.style.codes is None or len(work.picture.frames) > 1:
        return None
    rows, columns = work.picture.visible_box
    height, width = rows.stop - rows.start, columns.stop - columns.start
    return (height, width) if height * width <= LARGEST_SHARED_PX else None


def paint_together(
    painter: Painter, works: Sequence[Prepared], progresses: Sequence[Progress]
) -> list[Restyled | Exception]:
    """The painted picture, or what it raised, for each: equal shapes in one pass, all others alone; alone also after a
    pass that failed, each with its own error."""
    outcomes: dict[int, Restyled | Exception] = {}
    groups: defaultdict[tuple[int, int] | None, list[int]] = defaultdict(list)
    for number, (work, progress) in enumerate(zip(works, progresses, strict=True)):
        left = _own_error(lambda progress=progress: progress("painting", 0.05))  # type: ignore[misc]
        if left is not None:
            outcomes[number] = left
        else:
            groups[shape_to_share(work)].append(number)
    for shape, numbers in groups.items():
        if shape is not None and len(numbers) > 1:
            painted = _one_pass(painter, [works[number] for number in numbers])
            outcomes.update(zip(numbers, painted, strict=False))
    for number, (work, progress) in enumerate(zip(works, progresses, strict=True)):
        if number not in outcomes:
            try:
                outcomes[number] = paint(painter, work, progress)
            except Exception as error:  # noqa: BLE001 -- the scheduler tells the member and the log
                outcomes[number] = error
    return [outcomes[number] for number in range(len(works))]


def _one_pass(painter: Painter, works: Sequence[Prepared]) -> list[Restyled]:
    """All painted, or none of them after a failure."""
    started = time.perf_counter()
    try:
        photos = [work.visible.picture.frames[0].rgb for work in works]
        styles = [work.style.code_at(painter) for work in works]
        painted = painter.paint(
            torch.cat(photos), lambda side_px: torch.cat([style(side_px) for style in styles])
        ).split(1)
        return [
            work.painted([keep_colours(own, photo) if work.keep_colours else own], time.perf_counter() - started)
            for work, own, photo in zip(works, painted, photos, strict=True)
        ]
    except Exception:
        log.warning("pictures are painted one by one after a failure", pictures=len(works), exc_info=True)
    release_memory(painter.device)
    return []


def _own_error(step: Callable[[], None]) -> Exception | None:
    try:
        step()
    except Exception as error:  # noqa: BLE001 -- one member's cancellation leaves the others alone
        return error
    return None

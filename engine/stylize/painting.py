"""One request's pictures on the device: in the chosen style, at the wished strength, in tiles that fit its memory."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog
import torch
from torch import Tensor

from engine.device import is_out_of_memory, release_memory
from engine.errors import OutOfMemory
from engine.progress import Progress
from engine.stylize.chosen_style import ChosenStyle
from engine.stylize.painter import Painter
from engine.stylize.pictures.colour import keep_colours, light, light_together
from engine.stylize.pictures.faces import MILD_PART, Face, faces_mask
from engine.stylize.pictures.kuwahara import in_bold_strokes
from engine.stylize.pictures.picture import Frame, Picture
from engine.stylize.rising import PAINTED_SHARES, RisingFilm

log = structlog.get_logger(__name__)

SMALLEST_TILE_PX = 128


@dataclass(frozen=True)
class Prepared:
    """A picture that was read, and how it is to be painted."""

    picture: Picture
    style: ChosenStyle
    seed: int
    strength: float
    keep_colours: bool
    max_bytes: int
    """Upload limit for the result; 0: none."""
    read_s: float = 0.0
    """What the reading took."""
    keep_copies: bool = False
    """Copies of the pictures go along with the result."""
    rising: bool = False
    """Painted as a film in which the strength rises from 0."""
    faces: tuple[Face, ...] = ()
    """In the visible part of a still: where it is painted more mildly."""

    @property
    def visible(self) -> Prepared:
        """What is painted of it. A transparent margin has nothing to paint, but would count in the statistics and
        colours of the whole: a small sticker on a large sheet would come out in glaring contrast."""
        return replace(self, picture=self.picture.visible)

    def painted(self, parts: Sequence[Tensor], compute_s: float) -> Restyled:
        """With what is visible of its frames as painted, (1, 3, h, w) each; they keep transparency and pace."""
        pairs = zip(parts, self.picture.frames, strict=True)
        return Restyled(self, [frame.repainted(part, self.picture.visible_box) for part, frame in pairs], compute_s)


@dataclass(frozen=True)
class Restyled:
    """A painted picture, not yet a file."""

    work: Prepared
    frames: Sequence[Frame]
    compute_s: float
    """What the painting took."""


def paint(painter: Painter, work: Prepared, progress: Progress) -> Restyled:
    """Paint; when the device runs out of memory, again in tiles of half the side.

    Raises `OutOfMemory`, `Cancelled`."""
    started, tile_px = time.perf_counter(), painter.tile_px
    visible = work.visible
    while True:
        sized = Painter(painter.network, painter.device, tile_px, painter.bfloat16)
        try:
            if work.rising:
                (photo,), box = work.picture.frames, work.picture.visible_box
                strengths = [photo.repainted(part, box).rgb for part in _paint_rising(sized, visible, progress)]
                return Restyled(work, RisingFilm(strengths), time.perf_counter() - started)
            return work.painted(_paint_frames(sized, visible, progress), time.perf_counter() - started)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
        # Out here the exception is gone, and with it the traceback whose frames held on to the device's memory.
        release_memory(painter.device)
        log.warning("out of memory", tile_px=tile_px)
        tile_px //= 2
        if tile_px < SMALLEST_TILE_PX:
            raise OutOfMemory("I don't have enough memory for that picture right now; please try a smaller one.")


def _paint_frames(painter: Painter, work: Prepared, progress: Progress) -> list[Tensor]:
    """All frames, (1, 3, H, W) each. A film's frames share statistics, own style and light: likes stay alike."""
    frames = work.picture.frames
    if len(frames) == 1:
        return _paint_still(painter, work, [work.strength], progress)
    style = work.style.code_at(painter)
    # Of all frames: every so many might be the dark ones of a film that flashes, and the others' excess would be
    # divided by hardly anything.
    statistics = painter.content_statistics([frame.rgb for frame in frames], lambda stage, _: progress(stage, 0.05))
    own = painter.encode_style(frames[0].rgb, min(work.picture.size)) if work.strength < 1 else None
    painted = []
    for number, frame in enumerate(frames):
        report = _frame_progress(progress, number, len(frames))
        painted.append(painter.paint_frame(frame.rgb, style, work.strength, statistics, own, report))
    if work.keep_colours and work.strength > 0:
        return _with_own_colours(painted, frames, progress)
    return painted


def _paint_rising(painter: Painter, work: Prepared, progress: Progress) -> list[Tensor]:
    """The still picture at each of the `PAINTED_SHARES` of its strength, (1, 3, H, W) each."""
    return _paint_still(painter, work, [share * work.strength for share in PAINTED_SHARES], progress)


def _paint_still(painter: Painter, work: Prepared, strengths: Sequence[float], progress: Progress) -> list[Tensor]:
    """The only frame at each of the strengths, (1, 3, H, W) each, its faces at `MILD_PART` of that."""
    if not work.faces:
        return _paint_alike(painter, work, strengths, progress)
    milder = [MILD_PART * strength for strength in strengths]
    different = list(dict.fromkeys([*strengths, *milder]))  # in a rising film some are both
    painted = dict(zip(different, _paint_alike(painter, work, different, progress), strict=True))
    mask = faces_mask(work.faces, work.picture.size)
    return [torch.lerp(painted[one], painted[mild], mask) for one, mild in zip(strengths, milder, strict=True)]


def _paint_alike(painter: Painter, work: Prepared, strengths: Sequence[float], progress: Progress) -> list[Tensor]:
    """The only frame at each of the strengths, (1, 3, H, W) each, its faces as the rest."""
    painted, over = _paint_over(painter, work, strengths, progress)
    if not work.keep_colours:
        return painted
    progress("colours", 0.95)
    return [
        keep_colours(one, under) if strength > 0 else one
        for one, under, strength in zip(painted, over, strengths, strict=True)
    ]


def _paint_over(
    painter: Painter, work: Prepared, strengths: Sequence[float], progress: Progress
) -> tuple[list[Tensor], list[Tensor]]:
    """The only frame at each of the strengths, (1, 3, H, W) each, and what it is painted over there.

    With a bold brush that is what such a brush would leave of the photo; below full strength the rest comes back in
    proportion, in either."""
    photo, report = work.picture.frames[0].rgb, _frame_progress(progress, 0, 1)
    bold = work.style.is_bold and any(strength > 0 for strength in strengths)
    left = in_bold_strokes(photo, painter.device, report) if bold else photo
    painted = painter.paint_with_strengths(left, work.style.code_at(painter), strengths, progress=report)
    if not bold:
        return painted, [photo] * len(strengths)
    over = [torch.lerp(photo, left, strength) for strength in strengths]
    return [
        (one + (under - left)).clamp_(0, 1) if strength > 0 else photo.clone()
        for one, under, strength in zip(painted, over, strengths, strict=True)
    ], over


def _with_own_colours(painted: Sequence[Tensor], frames: Sequence[Frame], progress: Progress) -> list[Tensor]:
    """The light of `painted`, (1, 3, H, W) each, with the hues of the frames."""

    def reported(frame: Frame) -> Tensor:
        progress("colours", 0.95)
        return frame.rgb

    painted_light = light_together([light(picture) for picture in painted])
    photo_light = light_together([light(reported(frame)) for frame in frames])
    return [
        keep_colours(picture, reported(frame), painted_light, photo_light)
        for picture, frame in zip(painted, frames, strict=True)
    ]


def _frame_progress(progress: Progress, number: int, count: int) -> Progress:
    """The progress of one frame of several, within 0.05..0.95 of the job."""

    def report(stage: str, fraction: float) -> None:
        name = stage if count == 1 else f"frame {number + 1} of {count}"
        progress(name, 0.05 + 0.9 * (number + fraction) / count)

    return report

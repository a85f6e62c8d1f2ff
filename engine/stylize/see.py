"""What the network sees: a sheet of feature maps of the content encoder's five stages."""

from __future__ import annotations

import io

import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from engine.stylize.network import Features
from engine.stylize.pictures.picture import to_image

MAPS_A_STAGE = 16
MOST_ALIKE = 0.9
"""Correlation above which two maps would look the same."""
VARIES = 0.01
"""Share of the most varying map's deviation below which a map is as good as flat."""
COLUMNS = 8
MAP_PX = 128
PHOTO_PX = 264
GAP_PX = 4
CAPTION_PX = 30
STAGES = (
    ("First stage", 6, "edges, spots and plain colours"),
    ("Second stage", 14, "textures: stripes, grain, corners"),
    ("Third stage", 70, "larger shapes: what belongs together"),
    ("Fourth stage", 222, "things as a whole: a head, a tree"),
    ("Last stage", 526, "the layout: where it is light, busy, empty"),
)
"""Name, receptive field in px (each unit sees a square of that side), and what such units tend to react to."""


def answers(feature: Tensor) -> Tensor:
    """What is shown of a feature map: where it lies below zero the filter doesn't answer, though the leaky units let a
    tenth of that through."""
    return feature.clamp(min=0)


def feature_map_image(feature: Tensor) -> Image.Image:
    """One map (h, w), fitted to MAP_PX x MAP_PX: black is no answer, white the strongest hundredth of its answers.

    Over a flat picture a map is white or black all over."""
    shown = answers(feature)
    given = shown[shown > 0]
    strongest = torch.quantile(given, 0.99) if len(given) else shown.new_ones(())
    scaled = (shown / strongest).clamp(max=1)
    side = max(scaled.shape)
    size = [max(1, round(length / side * MAP_PX)) for length in scaled.shape]
    resized = F.interpolate(scaled[None, None], size=size, mode="bilinear", antialias=True)[0, 0]
    return Image.fromarray((resized * 255).round().byte().numpy(), "L")


def telling_maps(features: Tensor, count: int = MAPS_A_STAGE) -> list[tuple[int, Tensor]]:
    """`count` channels of (1, C, h, w), as (channel, map), whose answers vary much over the picture and differ.

    Greedy: each next one has the largest standard deviation left after what it shares with those already shown. One
    that is nearly the same as, or the negative of, one of them waits until no other varies."""
    maps = features[0].float().cpu()
    flat = answers(maps).flatten(1)
    flat = flat - flat.mean(1, keepdim=True)
    sd = flat.norm(dim=1)
    alike = ((flat @ flat.T) / (sd[:, None] * sd[None]).clamp(min=1e-9)).abs()
    left = sd.clone()
    twin = torch.zeros(len(maps), dtype=torch.bool)
    chosen: list[int] = []
    for _ in range(min(count, len(maps))):
        candidates = left.masked_fill(twin, -1)
        channel = int(candidates.argmax())
        if candidates[channel] <= VARIES * sd.max():
            channel = int(left.argmax())
        chosen.append(channel)
        left = torch.minimum(left, sd * (1 - alike[channel].square()).clamp(min=0).sqrt())
        left[chosen] = -2
        twin |= alike[channel] > MOST_ALIKE
    return [(channel, maps[channel]) for channel in chosen]


def feature_sheet(photo: Tensor, features: Features) -> bytes:
    """PNG of the photo (1, 3, H, W) and, for each stage, its maps with their channel numbers."""
    width = COLUMNS * (MAP_PX + GAP_PX) + GAP_PX
    rows = MAPS_A_STAGE // COLUMNS
    stage_px = CAPTION_PX + rows * (MAP_PX + 16 + GAP_PX)
    head_px = PHOTO_PX + 2 * GAP_PX
    sheet = Image.new("RGB", (width, head_px + len(STAGES) * stage_px), "white")
    draw = ImageDraw.Draw(sheet)
    title, text, small = (ImageFont.load_default(size) for size in (24, 16, 11))
    picture = to_image(photo)
    picture.thumbnail((PHOTO_PX, PHOTO_PX))
    sheet.paste(picture, (GAP_PX, GAP_PX))
    left = PHOTO_PX + 6 * GAP_PX
    draw.text((left, 20), "What the network sees", "black", title)
    lines = (
        "Each small picture is one feature map: the answer of one learned filter",
        "at every place of the photo. Black: zero or below, no answer; white: its strongest.",
        f"Shown are the {MAPS_A_STAGE} channels of each stage that vary most and repeat each other least.",
        "Deeper stages are coarser: fewer places, but each sees more of the photo.",
    )
    for number, line in enumerate(lines):
        draw.text((left, 70 + 28 * number), line, "black", text)
    for stage, ((name, field_px, meaning), feature) in enumerate(zip(STAGES, features, strict=True)):
        top = head_px + stage * stage_px
        channels, height, columns = feature.shape[1:]
        grid = f"{channels} channels of {columns} x {height}"
        caption = f"{name}: {grid}; each place sees {field_px} x {field_px} px: {meaning}"
        draw.text((GAP_PX, top + 6), caption, "black", text)
        for number, (channel, single) in enumerate(telling_maps(feature)):
            x = GAP_PX + number % COLUMNS * (MAP_PX + GAP_PX)
            y = top + CAPTION_PX + number // COLUMNS * (MAP_PX + 16 + GAP_PX)
            draw.text((x, y), f"channel {channel}", "black", small)
            sheet.paste(feature_map_image(single), (x, y + 14))
    out = io.BytesIO()
    sheet.save(out, "PNG")
    return out.getvalue()

"""What the network sees: a sheet of feature maps of the content encoder's first, middle and last stage."""

from __future__ import annotations

import io

import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from engine.stylize.network import Features
from engine.stylize.pictures import to_image

MAPS_A_STAGE = 16
COLUMNS = 8
MAP_PX = 128
PHOTO_PX = 264
GAP_PX = 4
CAPTION_PX = 30
STAGES = (
    ("First stage", 6, "edges, spots and plain colours"),
    ("Middle stage", 14, "textures: stripes, grain, corners"),
    ("Last stage", 70, "larger shapes: what belongs together"),
)
"""Name, receptive field in px (each unit sees a square of that side), and what such units tend to react to."""


def feature_map_image(feature: Tensor) -> Image.Image:
    """One map (h, w), scaled so that its 1st..99th percentile spans dark to light, fitted to MAP_PX x MAP_PX."""
    low, high = torch.quantile(feature, torch.tensor([0.01, 0.99]))
    scaled = ((feature - low) / (high - low).clamp(min=1e-6)).clamp(0, 1)
    side = max(scaled.shape)
    size = [max(1, round(length / side * MAP_PX)) for length in scaled.shape]
    resized = F.interpolate(scaled[None, None], size=size, mode="bilinear", antialias=True)[0, 0]
    return Image.fromarray((resized * 255).round().byte().numpy(), "L")


def telling_maps(features: Tensor, count: int = MAPS_A_STAGE) -> list[tuple[int, Tensor]]:
    """`count` channels of (1, C, h, w) that vary much over the picture and unlike each other, as (channel, map).

    Greedy: each next one has the largest standard deviation left after what it shares with those already shown."""
    maps = features[0].float().cpu()
    flat = maps.flatten(1)
    flat = flat - flat.mean(1, keepdim=True)
    sd = flat.norm(dim=1)
    alike = (flat @ flat.T) / (sd[:, None] * sd[None]).clamp(min=1e-9)
    left = sd.clone()
    chosen: list[int] = []
    for _ in range(min(count, len(maps))):
        channel = int(left.argmax())
        chosen.append(channel)
        left = torch.minimum(left, sd * (1 - alike[channel].square()).clamp(min=0).sqrt())
        left[chosen] = -1
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
        "at every place of the photo. Light: it answers strongly; dark: not at all.",
        f"Shown are the {MAPS_A_STAGE} channels of each stage that vary most, and unlike each other.",
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

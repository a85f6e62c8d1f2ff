"""Training pictures, decoded and resized once into memory-mapped uint8 shards.

A shard is two files: `<name>.u8`, the RGB bytes of all pictures end to end, and `<name>.json`, where each one lies.
Which pictures are held out, and which of those are only for the last report, is decided by a hash of the folder's and
the file's name, so it never changes with the order, the machine or the number of pictures.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import structlog
from PIL import Image, ImageOps
from tqdm import tqdm

from engine.processes import process_pool
from engine.stylize.pictures.reading import DAMAGE

log = structlog.get_logger(__name__)

SHORT_SIDE_PX = 320
"""Stored short side at most, for crops of up to 256 px: they leave room for a change of scale. Pictures are stored no
larger than they are; a crop of a smaller one is enlarged."""
LONGEST_ASPECT = 3.0
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
HELD_OUT_OF_1000 = 100
TWIN = re.compile(r"larger copy of (\S+)")

RgbArray = npt.NDArray[np.uint8]


@cache
def twins(folder: Path) -> dict[Path, str]:
    """Of the large copies in a folder, by path, the smaller picture that each repeats (folder/file), as the
    `manifest.csv` in or above it says ("larger copy of ..." in its `note`)."""
    for place in (folder, *list(folder.parents)[:2]):
        manifest = place / "manifest.csv"
        if manifest.is_file():
            with manifest.open(newline="", encoding="utf-8") as rows:
                noted = ((row.get("file"), TWIN.search(row.get("note") or "")) for row in csv.DictReader(rows))
                return {place / file: told[1] for file, told in noted if file and told}
    return {}


def name_for_the_split(path: Path) -> str:
    """Folder and file name of a picture, or of the smaller one that it repeats: both stand on the same side."""
    path = Path(twins(path.parent).get(path, path))
    return f"{path.parent.name}/{path.name}"


def is_held_out(path: Path) -> bool:
    """Whether a picture is kept away from training: one in ten, by the SHA-256 of its folder and file name."""
    digest = hashlib.sha256(name_for_the_split(path).encode()).digest()
    return int.from_bytes(digest[:4], "big") % 1000 < HELD_OUT_OF_1000


def is_watched(path: Path) -> bool:
    """Of the held-out pictures, whether training may look at this one's figures on the way: every second. The others
    are kept for `evaluate`, so that no choice made by looking is in the figures that are reported."""
    return hashlib.sha256(f"watched {name_for_the_split(path)}".encode()).digest()[0] % 2 == 0


def stored_side_px(size_px: int) -> int:
    """Short side at which pictures are stored for crops of `size_px`."""
    return max(SHORT_SIDE_PX, size_px * SHORT_SIDE_PX // 256)


def picture_files(folder: Path) -> list[Path]:
    """All picture files below a folder, sorted. Raises `FileNotFoundError` when there is none."""
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not files:
        raise FileNotFoundError(f"There are no pictures under {folder}.")
    return files


def decode_for_training(path: Path, short_side_px: int = SHORT_SIDE_PX) -> RgbArray | None:
    """RGB (H, W, 3), upright, what is transparent on white, with the short side at most `short_side_px`, cut to 3:1 at
    the longest; None if unreadable."""
    try:
        with Image.open(path) as file:
            upright = ImageOps.exif_transpose(file)
            if upright.has_transparency_data:
                seen = upright.convert("RGBA")
                upright = Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen)
            picture = upright.convert("RGB")
    except (*DAMAGE, Image.DecompressionBombError):
        return None
    width, height = picture.size
    box_w, box_h = min(width, int(height * LONGEST_ASPECT)), min(height, int(width * LONGEST_ASPECT))
    left, top = (width - box_w) // 2, (height - box_h) // 2
    scale = min(1.0, short_side_px / min(box_w, box_h))
    size = (max(1, round(box_w * scale)), max(1, round(box_h * scale)))
    resized = picture.resize(size, Image.Resampling.LANCZOS, box=(left, top, left + box_w, top + box_h))
    return np.asarray(resized)


@dataclass(frozen=True)
class Entry:
    """Where a picture lies in its shard."""

    name: str
    offset: int
    height: int
    width: int


class Shard(Sequence[RgbArray]):
    """The pictures of one shard, read through the page cache."""

    def __init__(self, stem: Path) -> None:
        index = json.loads(stem.with_suffix(".json").read_text())
        self.entries = [Entry(**entry) for entry in index["pictures"]]
        file = stem.with_suffix(".u8")
        self.bytes: np.ndarray = np.memmap(file, np.uint8, "c") if self.entries else np.zeros(0, np.uint8)

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, index: int) -> RgbArray:  # type: ignore[override]
        entry = self.entries[index]
        size = entry.height * entry.width * 3
        return self.bytes[entry.offset : entry.offset + size].reshape(entry.height, entry.width, 3)


def _fingerprint(files: Sequence[Path], short_side_px: int) -> str:
    text = "\n".join(f"{path.name} {path.stat().st_size}" for path in files)
    return hashlib.sha256(f"{short_side_px} {LONGEST_ASPECT}\n{text}".encode()).hexdigest()


def _decoded(
    files: Sequence[Path], short_side_px: int, workers: int, title: str
) -> Iterator[tuple[Path, RgbArray | None]]:
    with process_pool(workers) as pool:
        pictures = pool.map(partial(decode_for_training, short_side_px=short_side_px), files, chunksize=8)
        yield from zip(files, tqdm(pictures, total=len(files), desc=title, unit="picture"), strict=True)


def build_shard(
    files: Sequence[Path], stem: Path, workers: int | None = None, short_side_px: int = SHORT_SIDE_PX
) -> Shard:
    """Write the shard `stem` unless one of the very same files is there already; files that can't be read or have a
    side below 64 px are left out and counted in the log."""
    fingerprint = _fingerprint(files, short_side_px)
    index_file = stem.with_suffix(".json")
    if index_file.exists() and json.loads(index_file.read_text())["fingerprint"] == fingerprint:
        return Shard(stem)
    stem.parent.mkdir(parents=True, exist_ok=True)
    entries: list[Entry] = []
    unreadable: list[str] = []
    offset = 0
    with stem.with_suffix(".u8").open("wb") as out:
        for path, picture in _decoded(files, short_side_px, workers or os.cpu_count() or 1, stem.name):
            if picture is None or min(picture.shape[:2]) < 64:
                unreadable.append(path.name)
                continue
            out.write(picture.tobytes())
            entries.append(Entry(f"{path.parent.name}/{path.name}", offset, picture.shape[0], picture.shape[1]))
            offset += picture.nbytes
    index = {"fingerprint": fingerprint, "unreadable": unreadable, "pictures": [asdict(entry) for entry in entries]}
    temporary = index_file.with_suffix(".tmp")
    temporary.write_text(json.dumps(index))
    temporary.replace(index_file)
    if unreadable:
        log.warning(
            "unreadable files were left out",
            shard=stem.name,
            of=len(files),
            count=len(unreadable),
            first=unreadable[:5],
        )
    return Shard(stem)


def build_shards(
    folder: Path, cache: Path, name: str, workers: int | None = None, size_px: int = 256
) -> tuple[Shard, Shard]:
    """Shards for training and for watching it, of all pictures below `folder` but those kept for `evaluate`; for crops
    of `size_px`, cached in `cache`."""
    files = picture_files(folder)
    side = stored_side_px(size_px)
    if side != SHORT_SIDE_PX:
        name = f"{name}-{side}"
    return (
        build_shard([path for path in files if not is_held_out(path)], cache / f"{name}-train", workers, side),
        build_shard(
            [path for path in files if is_held_out(path) and is_watched(path)], cache / f"{name}-watched", workers, side
        ),
    )


def central_crop(picture: RgbArray, size_px: int) -> RgbArray:
    """The middle square, resized to (size_px, size_px, 3)."""
    height, width = picture.shape[:2]
    short = min(height, width)
    top, left = (height - short) // 2, (width - short) // 2
    square = Image.fromarray(np.ascontiguousarray(picture[top : top + short, left : left + short]))
    return np.asarray(square.resize((size_px, size_px), Image.Resampling.BICUBIC))

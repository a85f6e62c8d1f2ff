"""Training pictures, decoded and resized once into memory-mapped uint8 shards.

A shard is two files: `<name>.u8`, the RGB bytes of all pictures end to end, and `<name>.json`, where each one lies.
Which pictures are held out is decided by a hash of the file's own name, so it never changes with the order, the
machine or the number of pictures.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError
from tqdm import tqdm

SHORT_SIDE_PX = 320
"""Stored short side at most; pictures are never enlarged. Crops of 256 px leave room for a change of scale."""
LONGEST_ASPECT = 3.0
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
HELD_OUT_OF_1000 = 100

RgbArray = npt.NDArray[np.uint8]


def is_held_out(path: Path) -> bool:
    """Whether a picture is kept away from training: one in ten, by the SHA-256 of its folder and file name."""
    digest = hashlib.sha256(f"{path.parent.name}/{path.name}".encode()).digest()
    return int.from_bytes(digest[:4], "big") % 1000 < HELD_OUT_OF_1000


def picture_files(folder: Path) -> list[Path]:
    """All picture files below a folder, sorted. Raises `FileNotFoundError` when there is none."""
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not files:
        raise FileNotFoundError(f"There are no pictures under {folder}.")
    return files


def decode_for_training(path: Path) -> RgbArray | None:
    """RGB (H, W, 3) with the short side at most `SHORT_SIDE_PX`, cut to 3:1 at the longest; None if unreadable."""
    try:
        with Image.open(path) as file:
            picture = file.convert("RGB")
    except (UnidentifiedImageError, OSError):
        return None
    width, height = picture.size
    box_w, box_h = min(width, int(height * LONGEST_ASPECT)), min(height, int(width * LONGEST_ASPECT))
    left, top = (width - box_w) // 2, (height - box_h) // 2
    scale = min(1.0, SHORT_SIDE_PX / min(box_w, box_h))
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
        self.bytes: np.ndarray = np.memmap(file, np.uint8, "r") if self.entries else np.zeros(0, np.uint8)

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, index: int) -> RgbArray:  # type: ignore[override]
        entry = self.entries[index]
        size = entry.height * entry.width * 3
        return self.bytes[entry.offset : entry.offset + size].reshape(entry.height, entry.width, 3)


def _fingerprint(files: Sequence[Path]) -> str:
    text = "\n".join(f"{path.name} {path.stat().st_size}" for path in files)
    return hashlib.sha256(f"{SHORT_SIDE_PX} {LONGEST_ASPECT}\n{text}".encode()).hexdigest()


def _decoded(files: Sequence[Path], workers: int, title: str) -> Iterator[tuple[Path, RgbArray | None]]:
    with ProcessPoolExecutor(max_workers=workers) as pool:
        pictures = pool.map(decode_for_training, files, chunksize=8)
        yield from zip(files, tqdm(pictures, total=len(files), desc=title, unit="picture"), strict=True)


def build_shard(files: Sequence[Path], stem: Path, workers: int | None = None) -> Shard:
    """Write the shard `stem` unless one of the very same files is there already; unreadable files are left out."""
    fingerprint = _fingerprint(files)
    index_file = stem.with_suffix(".json")
    if index_file.exists() and json.loads(index_file.read_text())["fingerprint"] == fingerprint:
        return Shard(stem)
    stem.parent.mkdir(parents=True, exist_ok=True)
    entries: list[Entry] = []
    unreadable: list[str] = []
    offset = 0
    with stem.with_suffix(".u8").open("wb") as out:
        for path, picture in _decoded(files, workers or os.cpu_count() or 1, stem.name):
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
    return Shard(stem)


def build_shards(folder: Path, cache: Path, name: str, workers: int | None = None) -> tuple[Shard, Shard]:
    """Training and held-out shards of all pictures below `folder`, cached in `cache`."""
    files = picture_files(folder)
    held_out = [path for path in files if is_held_out(path)]
    train = [path for path in files if not is_held_out(path)]
    return (
        build_shard(train, cache / f"{name}-train", workers),
        build_shard(held_out, cache / f"{name}-held-out", workers),
    )


def random_crop(picture: RgbArray, size_px: int, generator: np.random.Generator, smallest: float = 0.55) -> RgbArray:
    """A random square of `smallest`..1 of the short side, resized to (size_px, size_px, 3), mirrored half the time."""
    height, width = picture.shape[:2]
    short = min(height, width)
    side = max(min(size_px, short), int(short * generator.uniform(smallest, 1.0)))
    top, left = int(generator.integers(height - side + 1)), int(generator.integers(width - side + 1))
    square = Image.fromarray(np.ascontiguousarray(picture[top : top + side, left : left + side]))
    crop = np.asarray(square.resize((size_px, size_px), Image.Resampling.BICUBIC, reducing_gap=2.0))
    return crop[:, ::-1] if generator.random() < 0.5 else crop


def central_crop(picture: RgbArray, size_px: int) -> RgbArray:
    """The middle square, resized to (size_px, size_px, 3)."""
    height, width = picture.shape[:2]
    short = min(height, width)
    top, left = (height - short) // 2, (width - short) // 2
    square = Image.fromarray(np.ascontiguousarray(picture[top : top + short, left : left + short]))
    return np.asarray(square.resize((size_px, size_px), Image.Resampling.BICUBIC))

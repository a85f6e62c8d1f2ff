"""The corpus on disk, a memory-mapped shard for each split: training processes share pages and start at once."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from engine.jazz.corpus.readers import read_corpus
from engine.jazz.corpus.solos import Report, Solo


def write_shards(solos: Iterable[Solo], report: Report, folder: Path) -> None:
    """Write `notes.npy`, `beats.npy` and `index.json` for each split into `folder` (kept for `open_shard`)."""
    folder.mkdir(parents=True, exist_ok=True)
    by_split: dict[str, list[Solo]] = {}
    for solo in solos:
        by_split.setdefault(solo.split, []).append(solo)
    for split, members in by_split.items():
        np.save(folder / f"{split}-notes.npy", np.concatenate([solo.notes for solo in members]))
        np.save(folder / f"{split}-beats.npy", np.concatenate([solo.beats for solo in members]))
        index: list[dict[str, Any]] = []
        note = beat = 0
        for solo in members:
            index.append({
                "name": solo.name, "tune": solo.tune, "performer": solo.performer, "instrument": solo.instrument,
                "style": solo.style, "feel": solo.feel, "tempo_bpm": solo.tempo_bpm,
                "beats_per_bar": solo.beats_per_bar, "chords": solo.chords,
                "notes": [note, note + len(solo.notes)], "beats": [beat, beat + len(solo.beats)],
            })  # fmt: skip
            note += len(solo.notes)
            beat += len(solo.beats)
        (folder / f"{split}.json").write_text(json.dumps(index))
    (folder / "report.txt").write_text(report.text() + "\n")


def open_shard(folder: Path, split: str) -> list[Solo]:
    """The solos of a split; their arrays are views of memory-mapped files."""
    notes = np.load(folder / f"{split}-notes.npy", mmap_mode="r")
    beats = np.load(folder / f"{split}-beats.npy", mmap_mode="r")
    solos = []
    for entry in json.loads((folder / f"{split}.json").read_text()):
        first, last = entry.pop("notes")
        first_beat, last_beat = entry.pop("beats")
        chords = tuple(entry.pop("chords"))
        solos.append(Solo(**entry, chords=chords, notes=notes[first:last], beats=beats[first_beat:last_beat],
                          split=split))  # fmt: skip
    return solos


def corpus_of(data: Path, out: Path, workers: int, *, rebuild: bool = False) -> dict[str, list[Solo]]:
    """The splits of the corpus from shards under `out`, which are written on the first call."""
    shards = out / "corpus"
    if rebuild or not (shards / "train.json").exists():
        solos, report = read_corpus(data, workers)
        write_shards(solos, report, shards)
        sys.stdout.write(report.text() + "\n")
    return {split: open_shard(shards, split) for split in ("train", "val") if (shards / f"{split}.json").exists()}

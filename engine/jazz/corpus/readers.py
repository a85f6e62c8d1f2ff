"""Readers of solos: the Weimar Jazz Database as MCSV files or as its own SQLite file, and folders of MIDI.

The database: Pfleiderer et al. (eds.), Inside the Jazzomat, Schott 2017; schema at
https://jazzomat.hfm-weimar.de/dbformat/dbformat.html.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from engine.errors import BadChords
from engine.jazz.corpus.midi_solos import read_midi
from engine.jazz.corpus.sides import tune_key
from engine.jazz.corpus.solos import (
    DroppedSolo,
    Report,
    Solo,
    check,
)
from engine.jazz.corpus.weimar import database_solos, read_database_solo, read_mcsv, split_of
from engine.processes import process_pool

_MIDI_SUFFIXES = (".mid", ".midi", ".kar")


def read_corpus(folder: Path, workers: int = 1, *, show_progress: bool = True) -> tuple[list[Solo], Report]:
    """All solos found under `folder`: `wjazzd/mcsv_melody`, what any `wjazzd.db` has besides, and the MIDI files below
    `midi/`, or below `folder` itself where it has none of these three.

    A tune is on one side: on that of `split.csv` if it is named there, else on the side that its title is hashed to.

    Raises `FileNotFoundError` when there is nothing that it knows."""
    jobs: list[tuple[Callable[..., Solo], tuple[Any, ...]]] = []
    sides: dict[str, str] = {}
    known: set[object] = set()  # names of solos, and (performer, title), for databases without names
    weimar = next((path for path in (folder / "wjazzd", folder) if (path / "mcsv_melody").is_dir()), None)
    if weimar is not None:
        metas = _by_name(weimar / "meta.csv", "id")
        splits = _by_name(weimar / "split.csv", "id")
        for path in sorted((weimar / "mcsv_melody").glob("*.csv")):
            beat_path = weimar / "mcsv_beat" / f"{path.stem}_beattrack.csv"
            meta, split = metas.get(path.stem, {}), splits.get(path.stem, {})
            jobs.append((read_mcsv, (path, beat_path, meta, split)))
            known |= {path.stem, (meta.get("performer"), meta.get("title"))}
            sides.setdefault(tune_key(meta.get("title") or split.get("title") or path.stem), split_of(split))
        for split in splits.values():
            sides.setdefault(tune_key(split.get("title", "")), split_of(split))
    for database in sorted(folder.rglob("wjazzd.db")):
        new = [(melid, key) for melid, key in database_solos(database) if key not in known]
        jobs += [(read_database_solo, (database, melid, sides)) for melid, _ in new]
        known |= {key for _, key in new}
    midi_folder = folder if not jobs and not (folder / "midi").is_dir() else folder / "midi"
    if midi_folder.is_dir():
        found = (path for path in sorted(midi_folder.rglob("*")) if path.suffix.lower() in _MIDI_SUFFIXES)
        jobs += [(read_midi, (path, sides)) for path in found if path.is_file()]
    if not jobs:
        raise FileNotFoundError(f"{folder}: found no mcsv_melody folder, no wjazzd.db and no MIDI files")

    report = Report()
    solos: list[Solo] = []
    tasks: Iterator[tuple[str, Solo | str]]
    with process_pool(workers) if workers > 1 else _InThisProcess() as pool:
        tasks = pool.map(_attempt, jobs, chunksize=8)
        for name, result in tqdm(tasks, total=len(jobs), desc="reading solos", disable=not show_progress):
            if isinstance(result, str):
                report.drop(name, result)
                continue
            solos.append(result)
            report.solos += 1
            report.notes += len(result.notes)
            if np.isnan(result.notes["loudness_db"]).all():
                report.notices["solo without loudness (dynamics are not learned from it)"] += 1
            if set(result.chords) <= {"NC"}:
                report.notices["solo without chords (kept, over NC)"] += 1
    return solos, report


class _InThisProcess:
    """Stands in for a process pool where one worker is enough."""

    def __enter__(self) -> _InThisProcess:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def map(self, function: Callable[[Any], Any], jobs: list[Any], chunksize: int = 1) -> Iterator[Any]:
        return map(function, jobs)


def _attempt(job: tuple[Callable[..., Solo], tuple[Any, ...]]) -> tuple[str, Solo | str]:
    reader, arguments = job
    name = " ".join(
        part.name if isinstance(part, Path) else str(part) for part in arguments if not isinstance(part, dict)
    )
    try:
        return name, check(reader(*arguments))
    except (DroppedSolo, BadChords, KeyError, ValueError, OSError, EOFError) as error:
        return name, f"{type(error).__name__}: {error}" if not isinstance(error, DroppedSolo) else str(error)


def _by_name(path: Path, key: str) -> dict[str, dict[str, str]]:
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        return {row[key].removesuffix(".sv"): row for row in csv.DictReader(file)}

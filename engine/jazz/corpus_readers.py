"""Readers of solos: the Weimar Jazz Database as MCSV files or as its own SQLite file, and folders of MIDI.

The database: Pfleiderer et al. (eds.), Inside the Jazzomat, Schott 2017; schema at
https://jazzomat.hfm-weimar.de/dbformat/dbformat.html.
"""

from __future__ import annotations

import csv
import math
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from engine.errors import BadChords
from engine.jazz.corpus import (
    BEAT_FIELDS,
    NOTE_FIELDS,
    UNKNOWN,
    DroppedSolo,
    Report,
    Solo,
    bars_in_section,
    check,
)
from engine.jazz.harmony import parse_chord

_INSTRUMENT_CODES = {
    "as": "alto sax", "bs": "baritone sax", "bcl": "bass clarinet", "cl": "clarinet", "cor": "cornet", "g": "guitar",
    "p": "piano", "ss": "soprano sax", "ts": "tenor sax", "ts-c": "tenor sax", "tb": "trombone", "tp": "trumpet",
    "vib": "vibraphone",
}  # fmt: skip
_STYLE_CODES = {"POSTBOP": "postbop", "HARDBOP": "hard bop", "SWING": "swing", "BEBOP": "bebop", "COOL": "cool",
                "FUSION": "fusion", "TRADITIONAL": "traditional", "FREE": "free"}  # fmt: skip
_FEEL_CODES = {"SWING": "swing", "LATIN": "latin", "FUNK": "funk", "BALLAD": "ballad", "TWOBEAT": "two-beat"}

# General MIDI programs (0-based) of solo instruments, for folders of MIDI.
_PROGRAMS = {65: "alto sax", 67: "baritone sax", 71: "clarinet", 26: "guitar", 0: "piano", 64: "soprano sax",
             66: "tenor sax", 57: "trombone", 56: "trumpet", 59: "trumpet", 11: "vibraphone"}  # fmt: skip


def read_corpus(folder: Path, workers: int = 1, *, show_progress: bool = True) -> tuple[list[Solo], Report]:
    """All solos found under `folder`: `wjazzd/mcsv_melody`, any `wjazzd.db`, and MIDI files below `midi/`.

    Raises `FileNotFoundError` when there is nothing that it knows."""
    jobs: list[tuple[Callable[..., Solo], tuple[Any, ...]]] = []
    weimar = next((path for path in (folder / "wjazzd", folder) if (path / "mcsv_melody").is_dir()), None)
    if weimar is not None:
        metas = _by_name(weimar / "meta.csv", "id")
        splits = _by_name(weimar / "split.csv", "id")
        for path in sorted((weimar / "mcsv_melody").glob("*.csv")):
            beat_path = weimar / "mcsv_beat" / f"{path.stem}_beattrack.csv"
            jobs.append((read_mcsv, (path, beat_path, metas.get(path.stem, {}), splits.get(path.stem, {}))))
    for database in sorted(folder.rglob("wjazzd.db")):
        jobs += [(read_database_solo, (database, melid)) for melid in database_ids(database)]
    midi_folder = folder / "midi"
    if midi_folder.is_dir():
        jobs += [(read_midi, (path,)) for path in sorted(midi_folder.rglob("*.mid*"))]
    if not jobs:
        raise FileNotFoundError(f"{folder}: found no mcsv_melody folder, no wjazzd.db and no midi folder")

    report = Report()
    solos: list[Solo] = []
    tasks: Iterator[tuple[str, Solo | str]]
    with ProcessPoolExecutor(workers) if workers > 1 else _InThisProcess() as pool:
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


# --- MCSV -----------------------------------------------------------------------------------------------------------


def read_mcsv(melody_path: Path, beat_path: Path, meta: dict[str, str], split: dict[str, str]) -> Solo:
    """One solo of the MCSV export. `meta` and `split` are its rows of `meta.csv` and `split.csv`."""
    with beat_path.open(newline="", encoding="utf-8") as file:
        beat_rows = list(csv.DictReader(file))
    with melody_path.open(newline="", encoding="utf-8") as file:
        note_rows = list(csv.DictReader(file))
    if not note_rows or not beat_rows:
        raise DroppedSolo("no notes")
    signature = note_rows[0]["signature"].strip("'\" ")
    notes = [
        (row["onset"], row["duration"], row["bar"], row["beat"], row["tatum"], row["division"], row["pitch"],
         row["phrase_begin"], row.get("loud_median") or "nan")
        for row in note_rows
    ]  # fmt: skip
    beats = [
        (row["onset"], row["bar"], row["beat"], row["chord"], (row["form"], row["chorus_id"])) for row in beat_rows
    ]
    return _weimar_solo(melody_path.stem, notes, beats, signature, meta, split.get("split", "train"))


def _weimar_solo(
    name: str, notes: list[Any], beats: list[Any], signature: str, meta: dict[str, Any], split: str
) -> Solo:
    """`notes`: onset, duration, bar, beat, tatum, division, pitch, phrase begin, loudness; `beats`: onset, bar, beat,
    chord, section label. Chords may be blank where the last one goes on."""
    onset_s = np.array([float(beat[0]) for beat in beats])
    bars = [int(beat[1]) for beat in beats]
    if (np.diff(onset_s) <= 0).any() or len(beats) < 8:
        raise DroppedSolo("beats out of order")
    index = {(int(beat[1]), int(beat[2])): i for i, beat in enumerate(beats)}
    beat_s = np.diff(onset_s, append=2 * onset_s[-1] - onset_s[-2])
    symbols: list[str] = []
    for beat in beats:
        symbols.append((beat[3] or "").strip() or (symbols[-1] if symbols else "NC"))
    chords = tuple(sorted(set(symbols)))
    for symbol in chords:
        parse_chord(symbol)  # raises BadChords

    beat_array = np.zeros(len(beats), BEAT_FIELDS)
    beat_array["beat_in_bar"] = [int(beat[2]) - 1 for beat in beats]
    beat_array["bar_in_section"] = bars_in_section(bars, [beat[4] for beat in beats])
    beat_array["chord"] = [chords.index(symbol) for symbol in symbols]

    note_array = np.zeros(len(notes), NOTE_FIELDS)
    for i, (onset, duration, bar, beat, tatum, division, pitch, phrase_begin, loudness) in enumerate(notes):
        place = index.get((int(bar), int(beat)))
        if place is None:
            raise DroppedSolo(f"note {i} lies in bar {bar}, beat {beat}, which is not annotated")
        performed = float(onset)
        tempo_place = int(np.clip(np.searchsorted(onset_s, performed, side="right") - 1, 0, len(beats) - 1))
        note_array[i] = (
            tempo_place + (performed - onset_s[tempo_place]) / beat_s[tempo_place], performed, float(duration),
            beat_s[place], place, int(tatum) - 1, int(division), round(float(pitch)), bool(int(phrase_begin)),
            float(loudness if loudness is not None else math.nan),
        )  # fmt: skip
    note_array = note_array[np.argsort(note_array["onset_s"], kind="stable")]
    beats_per_bar = int(signature.split("/")[0]) if "/" in signature else 4
    return Solo(
        name=name,
        tune=str(meta.get("title") or name),
        performer=str(meta.get("performer") or UNKNOWN),
        instrument=_INSTRUMENT_CODES.get(str(meta.get("instrument")), UNKNOWN),
        style=_STYLE_CODES.get(str(meta.get("style")), UNKNOWN),
        feel=next((feel for code, feel in _FEEL_CODES.items() if code in str(meta.get("rhythmfeel"))), UNKNOWN),
        tempo_bpm=float(60.0 / np.median(beat_s)),
        beats_per_bar=beats_per_bar,
        notes=note_array,
        beats=beat_array,
        chords=chords,
        split=split,
    )


# --- the database's own SQLite file ------------------------------------------------------------------------------


def database_ids(path: Path) -> list[int]:
    """The `melid` of every solo in a `wjazzd.db`."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        return [row[0] for row in database.execute("SELECT melid FROM solo_info ORDER BY melid")]


def read_database_solo(path: Path, melid: int, val_percent: int = 10) -> Solo:
    """One solo of `wjazzd.db` (tables `solo_info`, `composition_info`, `melody`, `beats`, `sections`).

    The file has no split: a hash of the tune's title sends about `val_percent` of the tunes to `val`, all versions of
    a tune to the same side."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        database.row_factory = sqlite3.Row
        info = database.execute("SELECT * FROM solo_info WHERE melid = ?", (melid,)).fetchone()
        if info is None:
            raise DroppedSolo(f"no solo has the melid {melid}")
        meta = dict(info)
        columns = {row[1] for row in database.execute("PRAGMA table_info(melody)")}
        loudness = "loud_med" if "loud_med" in columns else "loud_median" if "loud_median" in columns else "NULL"
        notes = [
            tuple(row)
            for row in database.execute(
                f"SELECT onset, duration, bar, beat, tatum, division, pitch, 0, {loudness} FROM melody "
                "WHERE melid = ? ORDER BY onset, eventid",
                (melid,),
            )
        ]
        beats = [
            tuple(row)
            for row in database.execute(
                "SELECT onset, bar, beat, chord, form || ' ' || chorus_id FROM beats WHERE melid = ? ORDER BY onset",
                (melid,),
            )
        ]
        phrases: set[int] = set()
        if database.execute("SELECT 1 FROM sqlite_master WHERE name = 'sections'").fetchone():
            query = "SELECT start FROM sections WHERE melid = ? AND type = 'PHRASE'"
            phrases = {row[0] for row in database.execute(query, (melid,))}
    notes = [(*note[:7], int(i in phrases), note[8]) for i, note in enumerate(notes)]
    beats = [(*beat[:4], (beat[4] or "").strip()) for beat in beats]
    labels = ""
    filled = []  # the form is written where a section starts
    for beat in beats:
        labels = beat[4] or labels
        filled.append((*beat[:4], labels))
    title = str(meta.get("title") or melid)
    side = "val" if sum(title.lower().encode()) % 100 < val_percent else "train"
    return _weimar_solo(f"{path.stem}-{melid}", notes, filled, str(meta.get("signature") or "4/4"), meta, side)


# --- MIDI -----------------------------------------------------------------------------------------------------------


def read_midi(path: Path, val_percent: int = 10) -> Solo:
    """The highest-voiced monophonic part of a MIDI file as a solo without chords annotations of its own: chord symbols
    are taken from text events where they parse, else the solo lies over NC. Beats come from the file's tempo map."""
    import pretty_midi  # slow to import, needed by this reader only

    midi = pretty_midi.PrettyMIDI(str(path))
    parts = [part for part in midi.instruments if not part.is_drum and len(part.notes) >= 24]
    if not parts:
        raise DroppedSolo("no part with 24 notes")
    part = max(parts, key=lambda part: (part.name.lower() == "solo", _share_alone(part.notes)))
    if _share_alone(part.notes) < 0.9:
        raise DroppedSolo("no part in one voice")
    beat_s = midi.get_beats()
    beats_per_bar = midi.time_signature_changes[0].numerator if midi.time_signature_changes else 4
    last = max(note.end for note in part.notes)
    step = beat_s[-1] - beat_s[-2] if len(beat_s) > 1 else 0.5
    onsets = list(beat_s)
    while onsets[-1] <= last:
        onsets.append(onsets[-1] + step)
    ordered = sorted(part.notes, key=lambda note: (note.start, -note.pitch))
    notes, previous_end = [], -math.inf
    for note in ordered:
        place = max(0, int(np.searchsorted(onsets, note.start + 1e-6, side="right")) - 1)
        length = onsets[place + 1] - onsets[place] if place + 1 < len(onsets) else step
        tatum = round((note.start - onsets[place]) / length * 12)
        carried = place + tatum // 12
        notes.append(
            (
                note.start,
                note.end - note.start,
                carried // beats_per_bar,
                carried % beats_per_bar + 1,
                tatum % 12 + 1,
                12,
                note.pitch,
                int(note.start - previous_end > length),
                40 + note.velocity / 4,
            )
        )
        previous_end = note.end
    symbols = _symbols_of_texts(midi, onsets)
    beats = [
        (onset, i // beats_per_bar, i % beats_per_bar + 1, symbols[i], i // (8 * beats_per_bar))
        for i, onset in enumerate(onsets)
    ]
    side = "val" if sum(path.stem.lower().encode()) % 100 < val_percent else "train"
    solo = _weimar_solo(path.stem, notes, beats, f"{beats_per_bar}/4", {"title": path.stem}, side)
    instrument = _PROGRAMS.get(part.program, UNKNOWN)
    return Solo(**{**{name: getattr(solo, name) for name in solo.__dataclass_fields__}, "instrument": instrument})


def _share_alone(notes: list[Any]) -> float:
    """Share of notes that start after the one before has all but ended."""
    ordered = sorted(notes, key=lambda note: note.start)
    alone = sum(b.start >= a.end - 0.05 and b.start > a.start for a, b in pairwise(ordered))
    return alone / max(1, len(ordered) - 1)


def _symbols_of_texts(midi: Any, onsets: list[float]) -> list[str]:
    symbols = [""] * len(onsets)
    for event in sorted(midi.text_events, key=lambda event: event.time):
        try:
            parse_chord(event.text)
        except BadChords:
            continue
        symbols[max(0, int(np.searchsorted(onsets, event.time + 1e-3, side="right")) - 1)] = event.text
    return symbols

"""Readers of solos: the Weimar Jazz Database as MCSV files or as its own SQLite file, and folders of MIDI.

The database: Pfleiderer et al. (eds.), Inside the Jazzomat, Schott 2017; schema at
https://jazzomat.hfm-weimar.de/dbformat/dbformat.html.
"""

from __future__ import annotations

import csv
import math
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from engine.errors import BadChords
from engine.jazz.corpus.solos import (
    BEAT_FIELDS,
    NOTE_FIELDS,
    UNKNOWN,
    DroppedSolo,
    Report,
    Solo,
    bars_in_section,
    check,
)
from engine.jazz.theory.harmony import chords_among, parse_chord

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
            sides.setdefault(_tune_key(meta.get("title") or split.get("title") or path.stem), _split_of(split))
        for split in splits.values():
            sides.setdefault(_tune_key(split.get("title", "")), _split_of(split))
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


def _split_of(row: Mapping[str, str]) -> str:
    return row.get("split") or "train"


def _tune_key(title: str) -> str:
    """What two spellings of a title have in common: "Blues for Alice", "blues-for-alice"."""
    return "".join(letter for letter in title.casefold() if letter.isalnum()) or title


def _side(titles: list[str], sides: Mapping[str, str], val_percent: int) -> str:
    """The side of a tune that goes by `titles`: the one that it is on, else about `val_percent` of the tunes to val."""
    keys = [_tune_key(title) for title in titles]
    drawn = "val" if sum(keys[0].encode()) % 100 < val_percent else "train"
    return next((sides[key] for key in keys if key in sides), drawn)


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
    return _weimar_solo(melody_path.stem, notes, beats, signature, meta, _split_of(split))


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


def database_solos(path: Path) -> list[tuple[int, object]]:
    """The `melid` of every solo in a `wjazzd.db`, and what tells it from others: the name under which the MCSV export
    has it (`filename_sv` of `transcription_info`), or (performer, title) in a file without that table."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        names: dict[int, str] = {}
        if _has_table(database, "transcription_info"):
            rows = database.execute("SELECT melid, filename_sv FROM transcription_info WHERE filename_sv > ''")
            names = {melid: name.removesuffix(".sv") for melid, name in rows}
        solos = database.execute("SELECT melid, performer, title FROM solo_info ORDER BY melid")
        return [(melid, names.get(melid, (performer, title))) for melid, performer, title in solos]


def _has_table(database: sqlite3.Connection, name: str) -> bool:
    found = database.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (name,)).fetchone()
    return found is not None


def read_database_solo(path: Path, melid: int, sides: Mapping[str, str] | None = None, val_percent: int = 10) -> Solo:
    """One solo of `wjazzd.db` (tables `solo_info`, `melody`, `beats`, `sections`, and `composition_info` for the title
    of the tune that several solos may be on).

    The file has no split: a tune is on the side that `sides` (by `_tune_key`) has it on, else a hash of its title sends
    about `val_percent` of the tunes to `val`."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        database.row_factory = sqlite3.Row
        info = database.execute("SELECT * FROM solo_info WHERE melid = ?", (melid,)).fetchone()
        if info is None:
            raise DroppedSolo(f"no solo has the melid {melid}")
        meta = dict(info)
        titles = [str(meta.get("title") or melid)]
        if meta.get("compid") is not None and _has_table(database, "composition_info"):
            query = "SELECT title FROM composition_info WHERE compid = ? AND title > ''"
            titles = [row[0] for row in database.execute(query, (meta["compid"],))] + titles
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
        if _has_table(database, "sections"):
            query = "SELECT start FROM sections WHERE melid = ? AND type = 'PHRASE'"
            phrases = {row[0] for row in database.execute(query, (melid,))}
    notes = [(*note[:7], int(i in phrases), note[8]) for i, note in enumerate(notes)]
    beats = [(*beat[:4], (beat[4] or "").strip()) for beat in beats]
    labels = ""
    filled = []  # the form is written where a section starts
    for beat in beats:
        labels = beat[4] or labels
        filled.append((*beat[:4], labels))
    signature = str(meta.get("signature") or "4/4")
    side = _side(titles, sides or {}, val_percent)
    return _weimar_solo(f"{path.stem}-{melid}", notes, filled, signature, meta | {"title": titles[0]}, side)


# --- MIDI -----------------------------------------------------------------------------------------------------------


def read_midi(path: Path, sides: Mapping[str, str] | None = None, val_percent: int = 10) -> Solo:
    """The highest-voiced monophonic part of a MIDI file as a solo without chords annotations of its own: chord symbols
    are taken from its text events if most of them are chords, else the solo lies over NC. Beats come from the file's
    tempo map. The file's name is the tune's title; `sides` as in `read_database_solo`."""
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
    side = _side([path.stem], sides or {}, val_percent)
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
    for time_s, symbol in sorted(chords_among([(event.time, event.text) for event in midi.text_events])):
        symbols[max(0, int(np.searchsorted(onsets, time_s + 1e-3, side="right")) - 1)] = symbol
    return symbols

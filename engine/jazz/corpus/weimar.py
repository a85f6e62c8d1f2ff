"""Solos of the Weimar Jazz Database, from its MCSV export or from its own SQLite file.

The database: Pfleiderer et al. (eds.), Inside the Jazzomat, Schott 2017; schema at
https://jazzomat.hfm-weimar.de/dbformat/dbformat.html.
"""

from __future__ import annotations

import csv
import math
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from engine.jazz.corpus.sides import side_of
from engine.jazz.corpus.solos import BEAT_FIELDS, NOTE_FIELDS, UNKNOWN, DroppedSolo, Solo, bars_in_section
from engine.jazz.theory.harmony import parse_chord

_INSTRUMENT_CODES = {
    "as": "alto sax", "bs": "baritone sax", "bcl": "bass clarinet", "cl": "clarinet", "cor": "cornet", "g": "guitar",
    "p": "piano", "ss": "soprano sax", "ts": "tenor sax", "ts-c": "tenor sax", "tb": "trombone", "tp": "trumpet",
    "vib": "vibraphone",
}  # fmt: skip
_STYLE_CODES = {"POSTBOP": "postbop", "HARDBOP": "hard bop", "SWING": "swing", "BEBOP": "bebop", "COOL": "cool",
                "FUSION": "fusion", "TRADITIONAL": "traditional", "FREE": "free"}  # fmt: skip
_FEEL_CODES = {"SWING": "swing", "LATIN": "latin", "FUNK": "funk", "BALLAD": "ballad", "TWOBEAT": "two-beat"}


def split_of(row: Mapping[str, str]) -> str:
    return row.get("split") or "train"


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
    return annotated_solo(melody_path.stem, notes, beats, signature, meta, split_of(split))


def annotated_solo(
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

    The file has no split: a tune is on the side that `sides` (by `tune_key`) has it on, else a hash of its title sends
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
    side = side_of(titles, sides or {}, val_percent)
    return annotated_solo(f"{path.stem}-{melid}", notes, filled, signature, meta | {"title": titles[0]}, side)

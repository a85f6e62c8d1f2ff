"""Count the chord model's tables in the iRb corpus of jazz standards."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.jazz.theory.chord_model import CELLS, KINDS, TOKENS, ChordModel, token_of
from engine.jazz.theory.chords import parse_chord

Tune = list[tuple[str, float, int]]  # section label, duration in beats, token
OPENING_A, CLOSING_A, BRIDGE = range(len(KINDS))


def read_tunes(path: Path) -> list[tuple[int, Tune]]:
    """(mode, chords) of each tune in 4/4; mode 0 major, 1 minor. `path`: `irb_chords.csv`."""
    rows: dict[str, list[dict[str, str]]] = defaultdict(list)
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            rows[row["id"]].append(row)
    tunes: list[tuple[int, Tune]] = []
    for chords in rows.values():
        if chords[0]["time"] != "4/4":
            continue
        tonic, mode = chords[0]["key"].split("-")
        root = parse_chord(tonic).root or 0
        tune = [(row["section"], float(row["duration"]), token_of(row["chord"], root)) for row in chords]
        tunes.append((int(mode == "min"), tune))
    return tunes


def sections_of(tune: Tune) -> list[tuple[int, list[int | None]]]:
    """The eight-bar sections as (kind, cells). First and second endings (`N1`, `N2`) complete their `A`."""
    runs: list[tuple[str, list[tuple[float, int]]]] = []
    for label, beats, token in tune:
        if not runs or runs[-1][0] != label:
            runs.append((label, []))
        runs[-1][1].append((beats, token))
    body: list[tuple[str, list[tuple[float, int]]]] = []
    for label, chords in runs:
        if label in ("N1", "N2") and body:
            body[-1] = (body[-1][0] + label, body[-1][1] + chords)
        elif label in ("A", "A2", "A3", "B"):
            body.append((label, chords))
    found = []
    for index, (label, chords) in enumerate(body):
        cells = cells_of(chords)
        if len(cells) != CELLS:
            continue
        last = index == len(body) - 1 or label.endswith("N2")
        found.append((BRIDGE if label == "B" else CLOSING_A if last or label in ("A2", "A3") else OPENING_A, cells))
    return found


def cells_of(chords: list[tuple[float, int]]) -> list[int | None]:
    """Half-bar cells: the chord that starts there, or None where the one before goes on."""
    cells: list[int | None] = []
    beat = 0.0
    for beats, token in chords:
        while len(cells) < beat / 2 - 1e-6:
            cells.append(None)
        if len(cells) == int(beat // 2):
            cells.append(token)
        beat += beats
    while len(cells) < beat / 2 - 1e-6:
        cells.append(None)
    return cells


def count(tunes: list[tuple[int, Tune]]) -> ChordModel:
    opening = np.zeros((2, len(KINDS), TOKENS), dtype=np.float32)
    pair = np.zeros((2, TOKENS, TOKENS), dtype=np.float32)
    place = np.zeros((2, len(KINDS), CELLS, TOKENS), dtype=np.float32)
    change = np.zeros((len(KINDS), CELLS, 2), dtype=np.float32)
    triples: tuple[Counter[tuple[int, int, int]], Counter[tuple[int, int, int]]] = (Counter(), Counter())
    for mode, tune in tunes:
        tokens = [token for i, (_, _, token) in enumerate(tune) if i == 0 or token != tune[i - 1][2]]
        for a, b in pairwise(tokens):
            pair[mode, a, b] += 1
        triples[mode].update(zip(tokens, tokens[1:], tokens[2:], strict=False))
        for kind, cells in sections_of(tune):
            if cells[0] is not None:
                opening[mode, kind, cells[0]] += 1
            for cell, token in enumerate(cells):
                change[kind, cell, int(token is not None)] += 1
                if token is not None:
                    place[mode, kind, cell, token] += 1
    probability = (change[:, :, 1] + 0.5) / (change.sum(axis=2) + 1.0)
    return ChordModel(opening, pair, (_rows(triples[0]), _rows(triples[1])), place, probability)


def _rows(triples: Counter[tuple[int, int, int]]) -> NDArray[np.int32]:
    """Triples seen at least twice: once is chance, or one composer's."""
    return np.array([(*key, n) for key, n in sorted(triples.items()) if n >= 2], dtype=np.int32).reshape(-1, 4)

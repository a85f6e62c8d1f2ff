"""Solos that tests make up: scales over a blues, with time feel, loudness and rests."""

from __future__ import annotations

import numpy as np

from engine.jazz.corpus.solos import BEAT_FIELDS, NOTE_FIELDS, Solo

CHORDS = ("Bb7", "C-7", "Eb7", "F7", "NC")


def made_up_solo(seed: int = 0, notes: int = 80, tune: str = "", performer: str = "A", split: str = "train") -> Solo:
    """A line that walks up and down; every number follows from the seed."""
    generator = np.random.default_rng(seed)
    tempo = float(generator.uniform(90, 260))
    beat_s = 60.0 / tempo
    division = generator.choice([1, 2, 3, 4, 6], notes)
    advance = generator.choice([0, 1, 1, 2, 6], notes, p=[0.4, 0.3, 0.1, 0.15, 0.05])
    records = np.zeros(notes, NOTE_FIELDS)
    beat, place = 0, -0.1
    pitch = 60
    for i in range(notes):
        tatum = int(generator.integers(0, division[i]))
        beat += int(advance[i]) if i else 0
        if tatum / division[i] <= place and not advance[i]:
            beat += 1
        place = tatum / division[i]
        pitch = int(np.clip(pitch + generator.integers(-5, 6), 48, 84))
        onset = max(beat + place + generator.normal(0.01, 0.02) / beat_s, 0.0)
        records[i] = (onset, onset * beat_s, generator.uniform(0.05, 0.4), beat_s, beat, tatum, division[i], pitch,
                      i == 0 or advance[i] > 2, generator.normal(62, 4))  # fmt: skip
    records = records[np.argsort(records["onset_beats"], kind="stable")]
    records["beat"] = np.maximum.accumulate(records["beat"])
    beats = np.zeros(int(records["beat"][-1]) + 9, BEAT_FIELDS)
    beats["beat_in_bar"] = np.arange(len(beats)) % 4
    beats["bar_in_section"] = np.arange(len(beats)) // 4 % 8
    beats["chord"] = (np.arange(len(beats)) // 8) % len(CHORDS)
    return Solo(
        f"solo-{seed}", tune or f"tune {seed}", performer, "tenor sax", "bebop", "swing", tempo, 4, records, beats,
        CHORDS, split,
    )  # fmt: skip

"""`python -m engine.jazz.band.learn DATA`: learn the rhythm section's weights (half a minute on one core)."""

from __future__ import annotations

import argparse
import csv
import math
import sys
from pathlib import Path

import torch

from engine.jazz.band.bass import BassTables
from engine.jazz.band.drums import DrumBank
from engine.jazz.band.learn_bass import CANDIDATES, fit, negative_log_likelihood, read_bass_notes
from engine.jazz.band.learn_drums import read_performances
from engine.jazz.band.learn_form import count, read_tunes
from engine.jazz.band.weights import PATH, BandWeights, save


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="learn", description="Learn bass, drums and chord changes from the corpora.")
    parser.add_argument("data", type=Path, help="folder with wjazzd/, groove/ and irb_chords.csv")
    parser.add_argument("--out", type=Path, default=PATH)
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args(argv)
    torch.set_num_threads(args.threads)

    train, held_out = _swinging_solos(args.data / "wjazzd")
    notes = read_bass_notes(args.data / "wjazzd", train)
    unseen = read_bass_notes(args.data / "wjazzd", held_out)
    tables, losses = fit(notes, steps=args.steps)
    with torch.no_grad():
        val = float(negative_log_likelihood(tables, unseen, None))
    sys.stdout.write(
        f"bass: {len(notes.pitch)} notes, perplexity {math.exp(losses[-1]):.2f}; held out {len(unseen.pitch)} notes, "
        f"perplexity {math.exp(val):.2f} (uniform {CANDIDATES})\n"
    )
    bass = BassTables(**{name: table.double().numpy() for name, table in tables.items() if name != "noise"})

    performances = read_performances(args.data / "groove")
    for p in performances:
        sys.stdout.write(
            f"drums: {p.name} ({p.family}, {p.tempo_bpm:g} bpm, off-beat at {p.swing:.3f}): "
            f"{sum(not fill for fill in p.fill)} bars of time, "
            f"{sum(fill and len(bar) > 0 for fill, bar in zip(p.fill, p.bars, strict=True))} fills\n"
        )

    tunes = read_tunes(args.data / "irb_chords.csv")
    chords = count(tunes)
    sys.stdout.write(f"chords: {len(tunes)} tunes, {int(chords.pair.sum())} pairs\n")

    save(BandWeights(bass, DrumBank(performances), chords), args.out)
    sys.stdout.write(f"{args.out.name}: {args.out.stat().st_size / 1024:.0f} KiB\n")
    return 0


def _swinging_solos(folder: Path) -> tuple[set[str], set[str]]:
    """Ids of the solos over a swinging rhythm section: (train, held out), by the corpus's own split of tunes."""
    with (folder / "meta.csv").open(newline="") as file:
        swinging = {row["id"].removesuffix(".sv") for row in csv.DictReader(file) if row["rhythmfeel"] == "SWING"}
    with (folder / "split.csv").open(newline="") as file:
        split = {row["id"]: row["split"] for row in csv.DictReader(file)}
    train = {name for name in swinging if split.get(name) == "train"}
    return train, {name for name in swinging if name in split} - train


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

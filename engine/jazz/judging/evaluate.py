"""`python -m engine evaluate jazz`: how far the soloist is from human solos, on the committed weights.

Prints (and with `--card` writes into the model card) what fresh judges say, what the solos are like beside human ones
that the soloist never heard, the perplexities on those, and how much was copied.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from engine.command_line import Parser
from engine.jazz.corpus.shards import corpus_of
from engine.jazz.corpus.solos import Solo
from engine.jazz.judging.judge import Verdict, judge
from engine.jazz.judging.measures import Line, table
from engine.jazz.judging.side_by_side import draw_all
from engine.jazz.model.batches import encode_solos, every_excerpt
from engine.jazz.model.perplexity import measure
from engine.jazz.model.tokens import encode
from engine.jazz.model.weights_file import FILE_NAME, load_weights
from engine.jazz.model.windows import Window, notes_of_solo, windows_of_solo
from engine.jazz.playing.matched import Clip, matched_clips, spans_of
from engine.jazz.playing.soloist import DEFAULT_TAKES, WEIGHTS_DIR, Soloist

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
FOLDS = 5


@dataclass(frozen=True)
class Contender:
    """A way of playing that is judged, with its clips."""

    name: str
    soloist: Soloist
    clips: list[Clip]

    def windows(self) -> list[Window]:
        return [window for clip in self.clips for window in clip.windows()]


def lines_of_solos(solos: Sequence[Solo], bars: int) -> list[Line]:
    """Human solos in 4/4 cut into pieces of `bars` bars, each with its chords."""
    lines = []
    for solo in solos:
        if solo.beats_per_bar != 4:
            continue
        notes, symbols = notes_of_solo(solo), solo.symbols()
        starts = [int(beat) for beat in np.flatnonzero(solo.beats["beat_in_bar"] == 0)[::bars]]
        for start in starts:
            end = start + 4 * bars
            inside = tuple(
                type(note)(note.onset - start, note.duration, note.pitch, note.velocity)
                for note in notes if start <= note.onset < end
            )  # fmt: skip
            if end <= len(symbols) and len(inside) >= 16:
                lines.append(Line(inside, spans_of(symbols[start:end])))
    return lines


def contenders(weights_dir: Path, solos: Sequence[Solo], clips: int, takes: int, seed: int) -> list[Contender]:
    """The soloist as shipped, then its note network and every other one beside it without the critic."""
    shipped = load_weights(weights_dir / FILE_NAME)
    own = str(shipped.facts["name"])
    players = [("as shipped", Soloist(torch.device("cpu"), weights_dir))]
    players.append((f"{own}, no critic", Soloist.of(shipped.without("takes"))))
    for path in sorted(weights_dir.glob("notes-*.safetensors")):
        other = load_weights(path)
        swapped = shipped.without("takes").with_network("notes", other)
        players.append((f"{other.facts['name']}, no critic", Soloist.of(swapped)))
    result = []
    for name, soloist in players:
        with tqdm(total=clips, desc=f"playing: {name}") as bar:
            batch = 10 if soloist.take_critic is not None else 50
            played = matched_clips(
                soloist, solos, clips, seed=seed, takes=takes if soloist.take_critic is not None else 1, batch=batch,
                progress=bar.update,
            )  # fmt: skip
        result.append(Contender(name, soloist, played))
    return result


def _verdict_cell(verdict: Verdict) -> str:
    low, high = verdict.interval
    kinds = (verdict.statistics_auc, verdict.figures_auc, verdict.network_auc)
    return f"{verdict.auc:.3f} [{low:.3f}, {high:.3f}] ({', '.join(f'{kind:.2f}' for kind in kinds)})"


def report(
    splits: dict[str, list[Solo]], weights_dir: Path, clips: int, takes: int, seed: int, pictures: Path | None = None
) -> str:
    """The whole evaluation as Markdown; `pictures` is a folder for solos as one can see them."""
    train, val = splits["train"], splits["val"]
    generator = np.random.default_rng(seed)
    rows = contenders(weights_dir, val, clips, takes, seed)
    human = [window for solo in val for window in windows_of_solo(solo)]
    others = [window for solo in train for window in windows_of_solo(solo)]
    others = [others[i] for i in generator.permutation(len(others))[: len(rows[0].windows())]]
    if pictures is not None:
        pieces = [(line, solo.tempo_bpm) for solo in val for line in lines_of_solos([solo], 16)[:1]]
        draw_all(pictures, human, rows[0].windows(), pieces, rows[0].clips)
    shuffled = [replace(window, pitch=generator.permutation(window.pitch)) for window in others]
    text = [
        f"{clips} clips of 16 bars in the settings of excerpts of the val solos (chords, tempo, instrument, feel;",
        f"player and style drawn), seed {seed}, against all {len(human)} windows of 8 bars of {len(val)} val solos,",
        "which no network and no critic learned from. AUC of the best of three kinds of fresh classifiers or their",
        f"sum, {FOLDS} folds by tune and clip, 95 % bootstrap over tunes and clips; in brackets each kind's own:",
        "statistics (which the soloist's critic looks at too), figures, network. .5: can't be told apart.",
        "",
        "| who | notes: AUC | notes and feel: AUC | nats a note on val | copied run: median, longest |",
        "|---|---|---|---|---|",
    ]

    def verdicts(windows: list[Window]) -> str:
        return " | ".join(
            _verdict_cell(judge(human, windows, feel=feel, seed=seed, folds=FOLDS)) for feel in (False, True)
        )

    runs = rows[0].soloist.runs
    copied = [runs.longest(encode(solo)) for solo in val]
    text.append(f"| other humans (train) | {verdicts(others)} | - | {np.median(copied):.0f}, {max(copied)} (val) |")
    text.append(f"| other humans, pitches shuffled | {verdicts(shuffled)} | - | - |")
    for row in rows:
        batches = every_excerpt(encode_solos(val, tuple(row.soloist.facts["performers"])), 128)
        nats = sum(measure(row.soloist.notes, batches, "notes").values())
        row.soloist.notes.eval()
        copied = [clip.improvisation.longest_copied_run for clip in row.clips]
        text.append(f"| {row.name} | {verdicts(row.windows())} | {nats:.3f} | {np.median(copied):.0f}, {max(copied)} |")
    text += [
        "",
        "What the solos are like, mean ± standard deviation over pieces of 16 bars; `*`: further from the human",
        "mean than half a human standard deviation.",
        "",
    ]
    lines: dict[str, Sequence[Line]] = {"human (val)": lines_of_solos(val, 16)}
    for row in rows:
        lines[row.name] = [Line(clip.improvisation.notes, clip.request.changes) for clip in row.clips]
    text += [table(lines), "", perplexities(rows[0].soloist, val)]
    return "\n".join(text)


def perplexities(soloist: Soloist, val: Sequence[Solo]) -> str:
    """Perplexities on the val split beside those that MINGUS reports, with what is not comparable."""
    batches = every_excerpt(encode_solos(list(val), tuple(soloist.facts["performers"])), 128)
    nats = {**measure(soloist.notes, batches, "notes"), **measure(soloist.rendition, batches, "rendition")}
    soloist.notes.eval()
    soloist.rendition.eval()
    rows = [
        ("pitch", "pitch", "11.0"),
        ("beats on and place in the beat (when the note comes)", "timing+position", "-"),
        ("length (121 spans, 11 silences before the next note, or tied)", "length", "4.14 (12 note values)"),
        ("offset from the grid (43 steps of 8 ms)", "offset", "-"),
        ("loudness (29 steps of 1 dB)", "loudness", "-"),
    ]
    text = ["| perplexity on val | this soloist | MINGUS 2021 |", "|---|---|---|"]
    for label, key, other in rows:
        value = math.exp(sum(nats[name] for name in key.split("+")))
        text.append(f"| {label} | {value:.2f} | {other} |")
    text.append("")
    text.append(
        "Pitch compares as far as both ask for a MIDI pitch over known chords on solos of the same database; MINGUS"
    )
    text.append(
        "also predicts rests, splits the solos otherwise and isn't told the onset. Lengths don't compare at all."
    )
    return "\n".join(text)


def write_card(card: Path, figures: str) -> None:
    """Replace what stands between the two marks in the model card."""
    text = card.read_text(encoding="utf-8")
    if BEGIN not in text:
        text += f"\n{BEGIN}\n{END}\n"
    before, _, rest = text.partition(BEGIN)
    card.write_text(f"{before}{BEGIN}\n{figures}\n{END}{rest.partition(END)[2]}", encoding="utf-8")


def main(argv: list[str]) -> int:
    parser = Parser(prog="python -m engine evaluate jazz", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder that the soloist was trained on")
    parser.add_argument("--out", type=Path, default=Path("var/train/jazz"), help="folder of the corpus shards")
    parser.add_argument("--weights", type=Path, default=WEIGHTS_DIR)
    parser.add_argument("--clips", type=int, default=150)
    parser.add_argument("--takes", type=int, default=DEFAULT_TAKES, help="takes that the critic picks from")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; default: torch decides")
    parser.add_argument("--card", action="store_true", help="write the figures into the model card")
    parser.add_argument(
        "--pictures", type=Path, metavar="FOLDER", help="also draw histograms and piano rolls beside human ones"
    )
    args = parser.parse_args(argv)
    if args.threads:
        torch.set_num_threads(args.threads)
    figures = report(corpus_of(args.data, args.out, 2), args.weights, args.clips, args.takes, args.seed, args.pictures)
    sys.stdout.write(figures + "\n")
    if args.card:
        write_card(args.weights / "MODEL_CARD.md", figures)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

"""`python -m engine jazz` and `python -m engine import-clips`: clips without Discord."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from tqdm import tqdm

from engine.contract import engine_pb2 as pb
from engine.contract.limits import MAX_TAKES, METRES
from engine.device import choose_device, use_threads
from engine.errors import BadMidi, BadOption, CallerError
from engine.jazz.combo import Combo
from engine.jazz.corpus.solos import STYLES
from engine.jazz.theory.feel import FEELS
from engine.jazz.theory.form import FORM_NAMES
from engine.output_files import require_writable, write_file
from engine.progress import Progress, silent
from engine.settings import EngineSettings, load_engine_settings

PROGRESS_AFTER_S = 2.0
WRITTEN_SUFFIXES = (".ogg", ".oga", ".opus")
CHORDS_SUFFIX = ".chords"
MIDI_SUFFIXES = (".mid", ".midi", ".kar", ".rmi")
AUDIO_SUFFIXES = (".wav", ".mp3", ".ogg", ".oga", ".opus", ".flac", ".m4a", ".aac", ".aif", ".aiff", ".mp4", ".mov",
                  ".webm", ".mkv", ".wma")  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", type=Path, required=True, metavar="CLIP.ogg", help="where to write the clip (OGG/Opus)"
    )
    parser.add_argument("--midi", type=Path, metavar="FILE.mid", help="also write the score as MIDI")
    parser.add_argument("--roll", type=Path, metavar="FILE.png", help="also draw a piano roll")
    parser.add_argument("--lead-sheet", type=Path, metavar="FILE.musicxml", help="also write the solo as MusicXML")
    parser.add_argument("--chords", default="", help="'Dm7 G7 | Cmaj7'; without bar lines, one chord a bar")
    parser.add_argument("--form", default="", help=", ".join(FORM_NAMES))
    parser.add_argument("--key", default="", help="key of the form: F, Bb, Cm, ...")
    parser.add_argument("--feel", default="", help=", ".join(FEELS))
    parser.add_argument("--style", default="", help=f"style of the solo: {', '.join(STYLES)}; default: whatever suits")
    parser.add_argument("--metre", choices=METRES, default="4/4", help="4/4 (default) or 3/4, a waltz")
    parser.add_argument("--bars", type=int, default=0, help="length in bars; default: that of the chords or the form")
    parser.add_argument("--tempo", type=float, default=0.0, metavar="BPM", help="default: chosen by the seed")
    parser.add_argument("--instrument", default="", help="tenor sax, trumpet, ...; default: chosen by the seed")
    parser.add_argument("--seed", type=int, help="the same seed gives the same clip")
    parser.add_argument(
        "--takes",
        type=int,
        default=0,
        help=f"takes tried for every eight bars, at most {MAX_TAKES}; the critic picks one; default: see config.toml",
    )
    parser.add_argument("--continue-from", type=Path, metavar="FILE.mid", help="a phrase for the soloist to answer")


def run(args: argparse.Namespace) -> int:
    """Raises `engine.errors.EngineError` for bad input; `python -m engine` prints its sentence."""
    request = _request(args)
    if args.out.suffix.lower() not in WRITTEN_SUFFIXES:
        raise BadOption(f"'{args.out.name}' must end in .ogg, .oga or .opus: clips are OGG/Opus files.")
    require_writable(args.out, args.midi, args.roll, args.lead_sheet)
    combo = _combo()
    with _bar("jazz") as bar:
        clip = combo.play(request, _shown_on(bar))
    write_file(args.out, clip.audio)
    for path, data in ((args.midi, clip.midi), (args.roll, clip.roll), (args.lead_sheet, clip.lead_sheet)):
        if path is not None:
            write_file(path, data)
    metre = "in 3/4" if clip.beats_per_bar == 3 else ""
    words = dict.fromkeys((clip.style, clip.feel, clip.form, metre, f"in {clip.key}" if clip.key else ""))
    described = " ".join(word for word in words if word)
    sys.stdout.write(
        f"{args.out}: {clip.instrument}, {described}, {clip.bars} bars at {clip.tempo_bpm:.0f} bpm, seed {clip.seed}, "
        f"{clip.duration_s:.1f} s, {clip.loudness_lufs:.1f} LUFS, {clip.true_peak_dbtp:.1f} dBTP\n{clip.chords}\n"
        f"best of {clip.takes} takes; longest run shared with a training solo: {clip.longest_copied_run} notes; "
        f"{clip.compute_s:.1f} s\n"
    )
    for note in clip.notes:
        sys.stdout.write(f"{note}\n")
    return 0


def _request(args: argparse.Namespace) -> pb.PlayRequest:
    """The command line as a request. Raises `BadOption` for numbers that the contract cannot carry."""
    for name, value in (("bars", args.bars), ("takes", args.takes)):
        if not 0 <= value < 2**31:
            raise BadOption(f"The number of {name} can't be {value}.")
    request = pb.PlayRequest(
        chords=args.chords,
        form=args.form,
        key=args.key,
        feel=args.feel,
        bars=args.bars,
        tempo_bpm=args.tempo,
        instrument=args.instrument,
        takes=args.takes,
        style=args.style,
        beats_per_bar=METRES[args.metre],
    )
    if args.seed is not None:
        if not 0 <= args.seed < 2**64:
            raise BadOption(f"The seed must be between 0 and 2^64 - 1, not {args.seed}.")
        request.seed = args.seed
    if args.continue_from:
        request.continue_from = _read(args.continue_from)
    return request


def add_import_clips_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder",
        type=Path,
        metavar="FOLDER",
        help="folder with MIDI and audio files, also in folders inside it; a.chords holds the chords of a.mid",
    )
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where to write the clips; default: FOLDER/clips")
    parser.add_argument("--seed", type=int, default=0, help="seed of the band and of whatever the files leave open")
    parser.add_argument("--instrument", default="", help="solo instrument for MIDI files; default: the file's own")
    parser.add_argument("--duration", type=float, default=0.0, metavar="S", help="longest clip, in seconds")


def run_import_clips(args: argparse.Namespace) -> int:
    """Every MIDI and audio file of a folder -> `<name>.ogg` (and `.png`, and `.mid` where there is a score).

    The clips of `a.mid` and `a.wav` in one folder are `a.mid.ogg` and `a.wav.ogg`.

    Chords that had to be estimated are printed; the right ones, in `<name>.chords` beside a MIDI file, win.

    A file that cannot be read is named and left out; then the exit code is that of bad input."""
    suffixes = (*MIDI_SUFFIXES, *AUDIO_SUFFIXES)
    out: Path = args.out or args.folder / "clips"
    if not args.folder.is_dir():
        raise BadOption(f"{args.folder} is not a folder.")
    files = sorted(path for path in args.folder.rglob("*") if path.suffix.lower() in suffixes and path.is_file())
    files = [path for path in files if out.resolve() not in path.resolve().parents]
    if not files:
        raise BadOption(f"There are no MIDI or audio files in {args.folder}.")
    targets = _targets(files)
    combo = _combo()
    failed = 0
    for path in tqdm(files, unit="clip", desc="import-clips"):
        request = pb.RenderRequest(
            seed=args.seed, instrument=args.instrument, melody_track=-1, max_duration_s=args.duration
        )
        try:
            data = _read(path)
            if path.suffix.lower() in MIDI_SUFFIXES or data.startswith(b"MThd"):
                request.midi, request.chords = data, _chords_beside(path)
            else:
                request.audio = data
            clip = combo.render(request, silent)
        except CallerError as error:
            failed += 1
            tqdm.write(f"{path.name}: {error}", file=sys.stderr)
            continue
        target = out / targets[path].relative_to(args.folder)
        for suffix, content in ((".ogg", clip.audio), (".png", clip.roll), (".mid", clip.midi)):
            if content:
                write_file(target.with_name(target.name + suffix), content)
        tqdm.write(f"{path.name}: {clip.duration_s:.1f} s" + "".join(f" {note}" for note in clip.notes))
    if failed:
        raise BadMidi(f"{failed} of {len(files)} files couldn't be turned into clips.")
    return 0


def _targets(files: list[Path]) -> dict[Path, Path]:
    """Each file without its suffix, or with it where two files would meet."""
    targets = {path: path.with_suffix("") for path in files}
    while len(taken := Counter(targets.values())) < len(files):  # `a.mid`, `a.wav` and `a.mid.mp3` take two rounds
        targets = {path: path if taken[target] > 1 else target for path, target in targets.items()}
    return targets


def _chords_beside(path: Path) -> str:
    """The chords of `tune.mid` stand in `tune.chords`, where there is one. Raises `BadOption`."""
    written = path.with_suffix(CHORDS_SUFFIX)
    return _read(written).decode("utf-8", "replace").strip() if written.is_file() else ""


def _combo() -> Combo:
    settings: EngineSettings = load_engine_settings()
    use_threads(settings.engine.threads)
    return Combo(choose_device(settings.engine.device), settings.jazz)


def _bar(what: str) -> tqdm[Any]:
    return tqdm(total=1.0, desc=what, delay=PROGRESS_AFTER_S, bar_format="{desc:24}{percentage:3.0f}%|{bar}| {elapsed}")


def _shown_on(bar: tqdm[Any]) -> Progress:
    def show(stage: str, fraction: float) -> None:
        bar.set_description(stage, refresh=False)
        bar.update(fraction - bar.n)

    return show


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadOption(f"Can't read {path}: {error.strerror}.") from error

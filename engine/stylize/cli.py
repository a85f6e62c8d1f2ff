"""`python -m engine stylize`: repaint files and folders of pictures from the command line."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from tqdm import tqdm

from engine.contract import engine_pb2 as pb
from engine.device import choose_device, use_threads
from engine.errors import BadOption, BadPicture, CallerError
from engine.output_files import require_writable, write_file
from engine.progress import progress_bar, silent
from engine.settings import load_engine_settings
from engine.stylize.book import pack_codes
from engine.stylize.painting import Restyled
from engine.stylize.pictures.faces import FACES_NAMES
from engine.stylize.pictures.film_writing import encode_film
from engine.stylize.pictures.picture import Frame, to_image
from engine.stylize.pictures.writing import Encoded, before_after, encode, gif, half_transparent, webp
from engine.stylize.studio import Studio
from engine.stylize.style_codes import BRUSH_NAMES

READ_SUFFIXES = {
    ".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif",
    ".mp4", ".webm", ".mov",
}  # fmt: skip
WRITTEN_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".mp4")
MOVING_SUFFIXES = (".webp", ".gif", ".mp4")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("photo", type=Path, nargs="?", metavar="PHOTO", help="a picture or film, or a folder of them")
    parser.add_argument("--style", default="", metavar="NAME_OR_FILE", help="a name of the style book, or a picture")
    parser.add_argument("--out", type=Path, metavar="OUT", help="the result; a folder when PHOTO is one")
    parser.add_argument("--strength", type=float, default=1.0, help="0 (the photo itself) .. 1 (default)")
    parser.add_argument("--keep-colors", action="store_true", help="paint in the photo's own colours")
    parser.add_argument("--size", type=int, default=0, metavar="PX", help="longer side of the result, px")
    parser.add_argument("--brush", choices=BRUSH_NAMES, default="medium", help="how wide the strokes are")
    parser.add_argument(
        "--faces", choices=FACES_NAMES, default="as-the-rest", help="mild: still recognisable; not in films"
    )
    parser.add_argument("--blend-with", default="", metavar="NAME_OR_FILE", help="a second style")
    parser.add_argument("--blend", type=float, help="0 (only --style) .. 1 (only --blend-with); 0.5 by default")
    parser.add_argument("--seed", type=int, help="draws the style when none is given")
    parser.add_argument("--before-after", type=Path, metavar="JPEG", help="also write photo and result side by side")
    parser.add_argument("--see", type=Path, metavar="PNG", help="also write what the network sees in PHOTO")
    parser.add_argument("--sheet", type=Path, metavar="JPEG", help="also write PHOTO, or a portrait, in every style")
    parser.add_argument("--list-styles", action="store_true", help="print the style book and stop")


def run(args: argparse.Namespace) -> int:
    """Raises `engine.errors.EngineError` for bad input; `python -m engine` prints its sentence."""
    settings = load_engine_settings()
    use_threads(settings.engine.threads)
    studio = Studio(choose_device(settings.engine.device), settings.stylize)
    if args.list_styles:
        for style in studio.styles():
            sys.stdout.write(f"{style.name:24} {style.artist}, {style.title}, {style.year}\n")
        return 0
    folder = args.photo is not None and args.photo.is_dir()
    _check_paths(args, folder)
    request = _request(args, studio)
    if args.see:
        write_file(args.see, studio.see(pb.SeeRequest(image=_read(args.photo)), silent).sheet)
    if args.sheet:
        _write_sheet(args, studio)
    if args.out is None:
        return 0
    return _paint_folder(args, studio, request) if folder else _paint_file(args, studio, request)


def _check_paths(args: argparse.Namespace, folder: bool) -> None:
    """Before any work. Raises `BadOption`."""
    if args.photo is None and (args.sheet is None or args.out or args.see):
        raise BadOption("Name a picture or a folder of pictures, or ask for --list-styles.")
    if args.out is None and (folder or not (args.see or args.sheet)):
        raise BadOption("Say with --out where the result goes.")
    if args.before_after and args.out is None:
        raise BadOption("--before-after needs a result: say with --out where that goes.")
    if not folder:
        if args.out is not None and args.out.suffix.lower() not in WRITTEN_SUFFIXES:
            raise BadOption(f"'{args.out.name}' should end in one of {', '.join(WRITTEN_SUFFIXES)}.")
        require_writable(args.out, args.before_after, args.see, args.sheet)
        return
    for option, path in (("--before-after", args.before_after), ("--see", args.see), ("--sheet", args.sheet)):
        if path:
            raise BadOption(f"{option} is for one picture; {args.photo} is a folder.")
    if args.out.exists() and not args.out.is_dir():
        raise BadOption(f"{args.out} is a file; the pictures of a folder go into a folder.")
    if args.out.resolve() == args.photo.resolve():
        raise BadOption(f"{args.out} is the folder that is read; the results would overwrite its pictures.")


def _request(args: argparse.Namespace, studio: Studio) -> pb.StylizeRequest:
    """Everything but the picture. Raises `CallerError`s."""
    if not 0 <= args.size < 2**31:
        raise BadOption(f"The size can't be {args.size} pixels.")
    if args.blend is not None and not args.blend_with:
        raise BadOption("--blend is the share of the second style; please name that style with --blend-with.")
    request = pb.StylizeRequest(strength=args.strength, keep_colors=args.keep_colors, size=args.size)
    request.brush = BRUSH_NAMES[args.brush]
    request.faces = FACES_NAMES[args.faces]
    if args.seed is not None:
        if not 0 <= args.seed < 2**64:
            raise BadOption(f"The seed must be between 0 and 2^64 - 1, not {args.seed}.")
        request.seed = args.seed
    if _is_file_name(args.style):
        request.style_name, request.style_code = _style_of_file(Path(args.style), studio)
    else:
        request.style = args.style
    if args.blend_with:
        request.blend = 0.5 if args.blend is None else args.blend
        if _is_file_name(args.blend_with):
            request.blend_with_name, request.blend_with_code = _style_of_file(Path(args.blend_with), studio)
        else:
            request.blend_with = args.blend_with
    studio.check(request)
    return request


def _is_file_name(style: str) -> bool:
    """A file that is there, or a name that can only mean one."""
    path = Path(style)
    return bool(style) and (path.is_file() or len(path.parts) > 1 or path.suffix.lower() in READ_SUFFIXES)


def _style_of_file(path: Path, studio: Studio) -> tuple[str, bytes]:
    return path.name, pack_codes(studio.codes_of_picture(_read(path)), studio.version)


def _write_sheet(args: argparse.Namespace, studio: Studio) -> None:
    """The contact sheet: the first page under the given name, further ones numbered beside it."""
    image = _read(args.photo) if args.photo is not None else b""
    with progress_bar("sheet") as show:
        pages = studio.sheet(pb.StyleSheetRequest(image=image), show).pages
    for number, page in enumerate(pages, 1):
        path = args.sheet if number == 1 else args.sheet.with_stem(f"{args.sheet.stem}-{number}")
        write_file(path, page.sheet)
        sys.stdout.write(f"{path}: {', '.join(page.names)}\n")


def _paint_file(args: argparse.Namespace, studio: Studio, request: pb.StylizeRequest) -> int:
    request.image = _read(args.photo)
    with progress_bar("stylize") as show:
        painted = studio.restyle(request, show)
    encoded = _encoded_as(args.out.suffix.lower(), painted)
    write_file(args.out, encoded.data)
    if args.before_after:
        write_file(args.before_after, before_after(painted.work.picture.frames[0].rgb, painted.frames[0].rgb))
    sys.stdout.write(f"{args.out}: {_made(painted.work.style.name, encoded, painted.work.seed)}\n")
    for note in (*painted.work.picture.notes, *encoded.notes, *_left_out(args.out.suffix.lower(), painted.frames)):
        sys.stdout.write(f"{note}\n")
    return 0


def _made(style: str, size: Encoded | pb.StylizeResult, seed: int) -> str:
    """What it takes to make a result again."""
    return f"{style}, {size.width} × {size.height} px, seed {seed}"


def _left_out(suffix: str, frames: Sequence[Frame]) -> Iterator[str]:
    """Sentences about what the format that the file's name asks for can't hold."""
    if len(frames) > 1 and suffix not in MOVING_SUFFIXES:
        yield "Only the first frame was written; name the result .webp, .gif or .mp4 for all of them."
    if suffix == ".gif" and half_transparent(frames):
        yield "A GIF's pixels are there or not; name the result .webp to keep what is half transparent."
    elif suffix in (".jpg", ".jpeg", ".mp4") and any(frame.alpha is not None for frame in frames):
        better = ".webp" if suffix == ".mp4" else ".png"
        yield f"What was transparent is painted over; name the result {better} to keep it."


def _paint_folder(args: argparse.Namespace, studio: Studio, request: pb.StylizeRequest) -> int:
    photos = sorted(path for path in args.photo.iterdir() if path.suffix.lower() in READ_SUFFIXES)
    if not photos:
        raise BadPicture(f"There are no pictures in {args.photo}.")
    shared = {stem for stem, count in Counter(photo.stem for photo in photos).items() if count > 1}
    failed = 0
    for photo in tqdm(photos, unit="picture", desc="stylize"):
        try:
            request.image = _read(photo)
            result = studio.stylize(request, silent)
        except CallerError as error:
            failed += 1
            tqdm.write(f"{photo.name}: {error}", file=sys.stderr)
            continue
        name = photo.name if photo.stem in shared else photo.stem  # cat.png must not overwrite what cat.heic gave
        path = args.out / f"{name}.{result.extension}"
        write_file(path, result.image)
        tqdm.write("; ".join([f"{path}: {_made(result.style, result, result.seed)}", *result.notes]))
    if failed:
        raise BadPicture(f"{failed} of {len(photos)} pictures could not be painted.")
    return 0


def _encoded_as(suffix: str, painted: Restyled) -> Encoded:
    """The result in the format that the file's name asks for; JPEG and MP4 have no transparency."""
    frames = painted.frames
    height, width = frames[0].rgb.shape[-2:]
    if suffix == ".mp4":
        return encode_film(frames)
    if suffix == ".gif":
        images = [to_image(frame.rgb, frame.alpha) for frame in frames]
        return Encoded(gif(images, [frame.duration_ms for frame in frames]), "image/gif", "gif", width, height)
    if suffix == ".webp":
        data = webp([to_image(frame.rgb, frame.alpha) for frame in frames], [frame.duration_ms for frame in frames])
        return Encoded(data, "image/webp", "webp", width, height)
    if suffix == ".png":
        return encode(frames[:1], photographic=False)
    return encode([Frame(frames[0].rgb, None)], photographic=True)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadPicture(f"{path} can't be read: {error.strerror}.") from error

"""The room's one door for the server: requests of the contract in, finished pictures out."""

from __future__ import annotations

import hashlib
import logging
import math
import random
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from engine.contract import engine_pb2 as pb
from engine.errors import BadOption, BadPicture, OutOfMemory, PictureTooLarge
from engine.progress import Progress, silent
from engine.settings import StylizeSettings
from engine.stylize.book import load_book, pack_code, unpack_code
from engine.stylize.painter import STYLE_LONGEST_ASPECT, Painter, padded
from engine.stylize.pictures.colour import keep_colours, light, light_together
from engine.stylize.pictures.files import (
    FIRST_FRAME_NOTE,
    Encoded,
    Frame,
    Picture,
    before_after,
    check_upload,
    decode,
    encode,
    jpeg,
    to_image,
)
from engine.stylize.pictures.film import decode_film, encode_film, is_film
from engine.stylize.pictures.sample_photo import sample_photo
from engine.stylize.see import feature_sheet
from engine.stylize.sheet import ITSELF, ContactSheet, NamedCode, encode_pages, page, picture_itself, split
from engine.stylize.style_names import style_name
from engine.stylize.together import shape_to_share, stylize_together
from engine.stylize.weights_file import CARD_FILE, load_network, weights_version

log = logging.getLogger(__name__)

OWN_PICTURE = "your picture"
SAVED_STYLE = "saved style"
SEE_SIDE_PX = 512
FRAMES_FOR_STATISTICS = 16
STYLE_PICTURE_PX = 512
"""Longer side of the copy that is kept of a saved style's picture."""
SMALLEST_STYLE_PX = 32
"""A style that is to be kept needs some strokes to be taken from."""
MOST_SAVED_STYLES = 200
LONGEST_NAME = 64
SMALLEST_TILE_PX = 128
CUDA_TILE_PX = 4096
"""A GPU has room for a 4K picture in one piece, and small tiles would leave it idle."""
SMALLEST_SIZE_PX = 16


def _system_seed() -> int:
    return random.SystemRandom().getrandbits(32)


@dataclass(frozen=True)
class Restyled:
    """What was read, and its frames as painted."""

    picture: Picture
    frames: list[Frame]
    style: str
    seed: int
    drawn: str
    """The style that the seed drew; empty when the request said which."""


@dataclass(frozen=True)
class Prepared:
    """What was read, and the style to paint it in."""

    picture: Picture
    style: str
    seed: int
    drawn: str
    code: Tensor
    """(1, code)"""

    def painted(self, frames: Sequence[Tensor]) -> Restyled:
        """With its frames as painted, (1, 3, H, W) each; they keep the picture's transparency and pace."""
        pairs = zip(frames, self.picture.frames, strict=True)
        kept = [Frame(rgb, frame.alpha, frame.duration_ms) for rgb, frame in pairs]
        return Restyled(self.picture, kept, self.style, self.seed, self.drawn)


class Studio:
    """Stylizing with the committed weights. Everything is synchronous and meant for the scheduler's one worker."""

    def __init__(
        self, device: torch.device, settings: StylizeSettings, draw_seed: Callable[[], int] = _system_seed
    ) -> None:
        """Loads weights and style book. Raises `FileNotFoundError` where they are missing."""
        self.settings, self.draw_seed = settings, draw_seed
        self.network = load_network()
        self.version = weights_version()
        self.book = load_book()
        if self.book.version != self.version:
            raise FileNotFoundError(
                "The style book belongs to other weights; rebuild it with `python -m engine.stylize.book`."
            )
        self.tile_px = served_tile_px(settings, device)
        self.painter = Painter(self.network, device, self.tile_px)
        self.contact_sheet = ContactSheet(self.painter, self.version)
        # Small pictures leave a GPU idle, and the cores beside it can decode and encode several at once. A CPU is full
        # with one: eight 512 px pictures together cost it 2.2 times what they cost one by one (docs/performance.md).
        self.batches = device.type == "cuda"

    def warm(self) -> None:
        """One small picture through everything, so that the first member doesn't wait for it."""
        code = self.book.codes[self.book.names[0]]
        self.painter.paint(torch.rand(1, 3, 256, 256, generator=torch.Generator().manual_seed(0)), code)

    def model(self) -> pb.Model:
        card = CARD_FILE.read_text()
        paragraphs = [part.strip() for part in card.split("\n\n") if part.strip() and not part.startswith("#")]
        parameters = sum(parameter.numel() for parameter in self.network.parameters())
        summary = " ".join(paragraphs[0].split())
        return pb.Model(name="stylize", version=self.version, parameters=parameters, summary=summary, card=card)

    def styles(self) -> list[pb.Style]:
        return [pb.Style(name=s.name, title=s.title, artist=s.artist, year=s.year) for s in self.book.styles]

    def encode_style(self, image: bytes) -> pb.EncodeStyleReply:
        """A style picture's code, and what it takes to renew it. Raises `BadPicture`, `PictureTooLarge`."""
        picture = self._decode(image, 1024, 1)
        height, width = picture.size
        if min(height, width) < SMALLEST_STYLE_PX:
            raise BadPicture(
                f"That picture has {width} × {height} pixels; a style can be taken from one of at least "
                f"{SMALLEST_STYLE_PX} × {SMALLEST_STYLE_PX}."
            )
        rgb = picture.frames[0].rgb
        return pb.EncodeStyleReply(
            code=pack_code(self.painter.encode_style(rgb), self.version),
            model_version=self.version,
            picture=_small_copy(rgb),
        )

    def stylize(self, request: pb.StylizeRequest, progress: Progress) -> pb.StylizeResult:
        """Paint the request's picture. Raises `CallerError`s, `Cancelled`, `OutOfMemory`."""
        started = time.perf_counter()
        return self.finish(self.restyle(request, progress), request, progress, started)

    def stylize_together(
        self, requests: Sequence[pb.StylizeRequest], progresses: Sequence[Progress]
    ) -> list[pb.StylizeResult | Exception]:
        """`stylize` for requests of one `batch_key`: a result, or what it raised, for each."""
        return stylize_together(self, requests, progresses)

    def batch_key(self, request: pb.StylizeRequest) -> Hashable | None:
        """Requests of equal keys may be painted together; None goes alone. Reads no more than the picture's header."""
        side_px = min(request.size or self.settings.default_size_px, self.settings.max_size_px)
        return shape_to_share(request, side_px) if self.batches else None

    def sheet(self, request: pb.StyleSheetRequest, progress: Progress) -> pb.StyleSheetResult:
        """One picture in all styles of the book and in the request's own. Raises `CallerError`s, `Cancelled`."""
        started = time.perf_counter()
        progress("decoding", 0.0)
        if len(request.saved) > MOST_SAVED_STYLES:
            raise BadOption(f"A sheet can show at most {MOST_SAVED_STYLES} saved styles.")
        length = self.network.shape.code
        saved = [NamedCode(s.name[:LONGEST_NAME], unpack_code(s.code, length, self.version)) for s in request.saved]
        book = [NamedCode(name, self.book.codes[name]) for name in self.book.names]
        notes: tuple[str, ...] = ()
        if request.image:
            picture = self._decode(request.image, SEE_SIDE_PX, 1)
            photo, notes = picture.frames[0].rgb, picture.notes
        else:
            photo = sample_photo()
        digest = hashlib.sha256(request.image).hexdigest()
        cells, painted = self.contact_sheet.cells(photo, digest, [*book, *saved], progress)
        progress("encoding", 0.95)
        labelled = list(zip(cells, (style.name for style in [*book, *saved]), strict=True))
        groups = [([(picture_itself(photo), ITSELF), *labelled[: len(book)]], False), (labelled[len(book) :], True)]
        sheets, pages = [], []
        for group, is_saved in groups:
            for numbers in split(len(group)):
                shown = [group[number] for number in numbers]
                sheets.append(page([cell for cell, _ in shown], [label for _, label in shown]))
                names = [label for _, label in shown[0 if is_saved or numbers.start else 1 :]]
                pages.append(pb.StyleSheetResult.Page(names=names, saved=is_saved))
        for message, data in zip(pages, encode_pages(sheets, request.max_bytes), strict=True):
            message.sheet = data
        return pb.StyleSheetResult(
            pages=pages,
            model_version=self.version,
            painted=painted,
            compute_s=time.perf_counter() - started,
            notes=notes,
        )

    def restyle(self, request: pb.StylizeRequest, progress: Progress) -> Restyled:
        """The painted frames, not yet encoded. Raises like `stylize`."""
        return self.paint(self.prepare(request, progress), request, progress)

    def check(self, request: pb.StylizeRequest) -> None:
        """Raises what `stylize` would about the options of a request, whatever its picture."""
        check_strengths(request)
        self._side(request.size)
        self._style(request, seed=0)

    def prepare(self, request: pb.StylizeRequest, progress: Progress) -> Prepared:
        """Everything before the painting. Raises `CallerError`s, `Cancelled`."""
        check_strengths(request)
        progress("decoding", 0.0)
        seed = request.seed if request.HasField("seed") else self.draw_seed()
        style, drawn, code = self._style(request, seed)
        picture = self._decode(request.image, self._side(request.size), self.settings.max_frames, progress)
        picture = replace(picture, notes=(*picture.notes, *self._said_of_size(request.size, picture)))
        return Prepared(picture, style, seed, drawn, code)

    def finish(
        self, work: Restyled, request: pb.StylizeRequest, progress: Progress, started: float
    ) -> pb.StylizeResult:
        """Everything after the painting; `started` is when it all began. Raises `PictureTooLarge`, `Cancelled`."""
        progress("encoding", 0.95)
        encoded = _encode(work.frames, work.picture.photographic, request.max_bytes, progress)
        return pb.StylizeResult(
            image=encoded.data,
            media_type=encoded.media_type,
            extension=encoded.extension,
            width=encoded.width,
            height=encoded.height,
            before_after=before_after(work.picture.frames[0].rgb, work.frames[0].rgb),
            style=work.style,
            compute_s=time.perf_counter() - started,
            seed=work.seed,
            notes=[*work.picture.notes, *encoded.notes],
            model_version=self.version,
            drawn_style=work.drawn,
        )

    def see(self, request: pb.SeeRequest, progress: Progress) -> pb.SeeResult:
        """The sheet of feature maps of a picture. Raises `CallerError`s, `Cancelled`."""
        progress("decoding", 0.0)
        picture = self._decode(request.image, SEE_SIDE_PX, 1)
        photo = padded(picture.frames[0].rgb)
        progress("looking", 0.3)
        with torch.inference_mode():
            features = self.network.encode_content(photo.to(self.painter.device))
        progress("drawing", 0.6)
        return pb.SeeResult(sheet=feature_sheet(picture.frames[0].rgb, features), notes=picture.notes)

    def _side(self, size_px: int) -> int:
        if 0 < size_px < SMALLEST_SIZE_PX:
            raise BadOption(f"The size must be at least {SMALLEST_SIZE_PX} pixels, not {size_px}.")
        return min(size_px or self.settings.default_size_px, self.settings.max_size_px)

    def _said_of_size(self, size_px: int, picture: Picture) -> tuple[str, ...]:
        """A sentence where a picture is painted smaller than it came and than was asked for, with what gives more."""
        film = len(picture.frames) > 1
        largest, key = self.settings.max_size_px, "max_size_px"
        if film and self._largest_film_px < largest:
            largest, key = self._largest_film_px, "film_side_px"
        painted = min(self._side(size_px), largest)
        if picture.full_side_px <= painted or 0 < size_px <= largest:
            return ()
        if not size_px and painted < largest:
            more = min(largest, picture.full_side_px)
            came = f"{painted} of the picture's {picture.full_side_px} pixels"
            return (f"Painted at {came}; the option `size` gives up to {more}.",)
        return (f"{painted} pixels is the largest size {'of films ' if film else ''}here (setting `stylize.{key}`).",)

    def _decode(self, data: bytes, max_side_px: int, max_frames: int, progress: Progress = silent) -> Picture:
        settings = self.settings
        if is_film(data):
            check_upload(data, settings.max_upload_bytes)
            side_px = min(max_side_px, self._largest_film_px)
            film = decode_film(data, settings.max_pixels, side_px, max_frames, progress)
            return film if max_frames > 1 else Picture(film.frames, (FIRST_FRAME_NOTE,), photographic=True)
        return decode(
            data,
            settings.max_upload_bytes,
            settings.max_pixels,
            max_side_px,
            max_frames,
            progress,
            self._largest_film_px,
        )

    @property
    def _largest_film_px(self) -> int:
        """Longer side of an animation or film at most; even, as an MP4's sides are."""
        return min(self.settings.film_side_px, self.settings.max_size_px) // 2 * 2

    def code_of_picture(self, image: bytes) -> Tensor:
        """Code (1, code) of a style picture of any size. Raises `BadPicture`, `PictureTooLarge`."""
        picture = self._decode(image, 1024, 1)
        return self.painter.encode_style(picture.frames[0].rgb)

    def _style(self, request: pb.StylizeRequest, seed: int) -> tuple[str, str, Tensor]:
        """Name, name if it was drawn by seed, and code (1, code) of what the request asks for: a name of the book, a
        picture, a saved code, or a draw."""
        length, drawn = self.network.shape.code, ""
        if request.style:
            name = style_name(self.book, request.style)
            code = self.book.codes[name]
        elif request.style_image:
            name, code = OWN_PICTURE, self.code_of_picture(request.style_image)
        elif request.style_code:
            name = request.style_name[:LONGEST_NAME] or SAVED_STYLE
            code = unpack_code(request.style_code, length, self.version)
        else:
            name = drawn = random.Random(seed).choice(self.book.names)
            code = self.book.codes[name]
        if request.blend_with or request.blend_with_code:
            if request.blend_with:
                other_name = style_name(self.book, request.blend_with)
                other = self.book.codes[other_name]
            else:
                other_name = request.blend_with_name[:LONGEST_NAME] or SAVED_STYLE
                other = unpack_code(request.blend_with_code, length, self.version)
            name = f"{name} + {other_name}"
            code = torch.lerp(code, other, request.blend)
        return name, drawn, code

    def paint(self, work: Prepared, request: pb.StylizeRequest, progress: Progress) -> Restyled:
        """Paint; when the device runs out of memory, again in tiles of half the side.

        Raises `OutOfMemory`, `Cancelled`."""
        tile_px = self.tile_px
        while True:
            painter = Painter(self.network, self.painter.device, tile_px, self.painter.bfloat16)
            try:
                return work.painted(self._paint(painter, work.picture, work.code, request, progress))
            except torch.OutOfMemoryError as error:
                log.warning("out of memory with tiles of %d px", tile_px)
                if tile_px // 2 < SMALLEST_TILE_PX:
                    raise OutOfMemory("The engine has too little memory for that picture right now.") from error
                tile_px //= 2
                if self.painter.device.type == "cuda":
                    torch.cuda.empty_cache()

    @staticmethod
    def _paint(
        painter: Painter, picture: Picture, code: Tensor, request: pb.StylizeRequest, progress: Progress
    ) -> list[Tensor]:
        """All frames, (1, 3, H, W) each. A film's frames share statistics, own style and light: likes stay alike."""
        frames, statistics, own = picture.frames, None, None
        if len(frames) > 1:
            step = -(-len(frames) // FRAMES_FOR_STATISTICS)
            looked_at = [frame.rgb for frame in frames[::step]]
            statistics = painter.content_statistics(looked_at, lambda stage, _: progress(stage, 0.05))
            own = painter.encode_style(frames[0].rgb) if request.strength < 1 else None
        painted = []
        for number, frame in enumerate(frames):
            report = _frame_progress(progress, number, len(frames))
            painted.append(painter.paint_with_strength(frame.rgb, code, request.strength, statistics, own, report))
        if request.keep_colors and request.strength > 0:
            return _with_own_colours(painted, frames, progress)
        return painted


def served_tile_px(settings: StylizeSettings, device: torch.device) -> int:
    """Side of the tiles in which large pictures are painted there."""
    return max(settings.tile_px, CUDA_TILE_PX) if device.type == "cuda" else settings.tile_px


def check_strengths(request: pb.StylizeRequest) -> None:
    """Raises `BadOption` for a strength or blend outside 0..1."""
    for name, value in (("strength", request.strength), ("blend", request.blend)):
        if not (math.isfinite(value) and 0 <= value <= 1):
            raise BadOption(f"The {name} must be between 0 and 1, not {value:g}.")


def _small_copy(rgb: Tensor) -> bytes:
    """JPEG of what `Painter.encode_style` looks at in (1, 3, H, W), its longer side at most `STYLE_PICTURE_PX`."""
    image = to_image(rgb)
    width, height = image.size
    cut_width, cut_height = min(width, STYLE_LONGEST_ASPECT * height), min(height, STYLE_LONGEST_ASPECT * width)
    left, top = (width - cut_width) // 2, (height - cut_height) // 2
    image = image.crop((left, top, left + cut_width, top + cut_height))
    image.thumbnail((STYLE_PICTURE_PX, STYLE_PICTURE_PX))
    return jpeg(image)


def _encode(frames: list[Frame], photographic: bool, max_bytes: int, progress: Progress) -> Encoded:
    """A film stays a film, as long as that fits; a picture stays a picture."""
    if len(frames) > 1 and photographic:  # came as a film
        try:
            return encode_film(frames, max_bytes, progress)
        except PictureTooLarge:
            log.info("the film is too large as MP4 and is tried as a small GIF")
            encoded = encode(frames, photographic, max_bytes, progress)
            return replace(encoded, notes=("The film became a GIF.", *encoded.notes))
    return encode(frames, photographic, max_bytes, progress)


def _with_own_colours(painted: Sequence[Tensor], frames: Sequence[Frame], progress: Progress) -> list[Tensor]:
    """The light of `painted`, (1, 3, H, W) each, with the hues of the frames."""

    def told(frame: Frame) -> Tensor:
        progress("colours", 0.95)
        return frame.rgb

    painted_light = light_together([light(picture) for picture in painted])
    photo_light = light_together([light(told(frame)) for frame in frames])
    return [
        keep_colours(picture, told(frame), painted_light, photo_light)
        for picture, frame in zip(painted, frames, strict=True)
    ]


def _frame_progress(progress: Progress, number: int, count: int) -> Progress:
    """The progress of one frame of several, within 0.05..0.95 of the job."""

    def report(stage: str, fraction: float) -> None:
        name = stage if count == 1 else f"frame {number + 1} of {count}"
        progress(name, 0.05 + 0.9 * (number + fraction) / count)

    return report

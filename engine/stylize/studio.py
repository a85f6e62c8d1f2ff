"""The room's one door for the server: requests of the contract in, finished pictures out."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace

import structlog
import torch
from torch import Tensor

from engine.contract import engine_pb2 as pb
from engine.errors import BadOption, BadPicture, PictureTooLarge
from engine.progress import Progress, silent
from engine.settings import StylizeSettings
from engine.stylize.book import load_book, pack_code, unpack_code
from engine.stylize.chosen_style import LONGEST_NAME, chosen_style
from engine.stylize.painter import STYLE_LONGEST_ASPECT, Painter, padded
from engine.stylize.painting import Prepared, Restyled, paint
from engine.stylize.pictures.film_reading import decode_film, is_film
from engine.stylize.pictures.film_writing import encode_film
from engine.stylize.pictures.picture import Frame, Picture, to_image
from engine.stylize.pictures.reading import FIRST_FRAME_NOTE, check_upload, decode, fitted, header_size
from engine.stylize.pictures.sample_photo import sample_photo
from engine.stylize.pictures.writing import Encoded, before_after, encode, jpeg
from engine.stylize.see import feature_sheet
from engine.stylize.sheet import ITSELF, ContactSheet, NamedCode, encode_pages, page, picture_itself, split
from engine.stylize.together import LARGEST_SHARED_PX, paint_together
from engine.stylize.weights_file import CARD_FILE, load_network, weights_version

log = structlog.get_logger(__name__)

SEE_SIDE_PX = 512
STYLE_SIDE_PX = 1024
"""Longer side at which style pictures are read; the encoder looks at them far smaller."""
STYLE_PICTURE_PX = 512
"""Longer side of the copy that is kept of a saved style's picture."""
SMALLEST_STYLE_PX = 32
"""A style that is kept needs room for a few strokes."""
MOST_SAVED_STYLES = 200
CUDA_TILE_PX = 4096
"""A GPU has room for a 4K picture in one piece, and small tiles would leave it idle."""
SMALLEST_SIZE_PX = 16


def _system_seed() -> int:
    return random.SystemRandom().getrandbits(32)


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
        self.painter = Painter(self.network, device, served_tile_px(settings, device))
        self.contact_sheet = ContactSheet(self.painter, self.version)
        # Small pictures leave a GPU idle. A CPU is full with one: eight 512 px pictures together cost it 2.2 times
        # what they cost one by one (docs/performance.md).
        self.batches = device.type == "cuda"

    def warm(self) -> None:
        """Paint one small picture, so that the first member doesn't wait while everything loads."""
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

    # ------------------------------------------------------------ /stylize

    def stylize(self, request: pb.StylizeRequest, progress: Progress) -> pb.StylizeResult:
        """Paint the request's picture. Raises `CallerError`s, `Cancelled`, `OutOfMemory`."""
        return self.finish(self.restyle(request, progress), progress)

    def stylize_together(
        self, requests: Sequence[pb.StylizeRequest], progresses: Sequence[Progress]
    ) -> list[pb.StylizeResult | Exception]:
        """`stylize` for requests of one `batch_key`: a result, or what it raised, for each."""
        works: dict[int, Prepared] = {}
        outcomes: dict[int, pb.StylizeResult | Exception] = {}
        for number, (request, progress) in enumerate(zip(requests, progresses, strict=True)):
            try:
                works[number] = self.prepare(request, progress)
            except Exception as error:  # noqa: BLE001 -- the scheduler tells the member and the log
                outcomes[number] = error
        painted = paint_together(self.painter, list(works.values()), [progresses[number] for number in works])
        for number, one in zip(works, painted, strict=True):
            try:
                outcomes[number] = one if isinstance(one, Exception) else self.finish(one, progresses[number])
            except Exception as error:  # noqa: BLE001 -- likewise
                outcomes[number] = error
        return [outcomes[number] for number in range(len(requests))]

    def batch_key(self, request: pb.StylizeRequest) -> Hashable | None:
        """Requests of equal keys may be painted together; None goes alone. Reads no more than the picture's header."""
        size = header_size(request.image) if self.batches else None
        if size is None or request.strength < 1 or request.style_image:
            return None
        shape = fitted(size, min(request.size or self.settings.default_size_px, self.settings.max_size_px))
        return shape if shape[0] * shape[1] <= LARGEST_SHARED_PX else None

    def check(self, request: pb.StylizeRequest) -> None:
        """Raises what `stylize` would about the options of a request, whatever its picture."""
        self._side(request.size)
        chosen_style(self.book, request, seed=0, picture=None)

    def prepare(self, request: pb.StylizeRequest, progress: Progress) -> Prepared:
        """Everything before the painting. Raises `CallerError`s, `Cancelled`."""
        started = time.perf_counter()
        progress("decoding", 0.0)
        self.check(request)
        seed = request.seed if request.HasField("seed") else self.draw_seed()
        shown = self._decode(request.style_image, STYLE_SIDE_PX, 1).frames[0].rgb if request.style_image else None
        style = chosen_style(self.book, request, seed, shown)
        picture = self._decode(request.image, self._side(request.size), self.settings.max_frames, progress)
        picture = replace(picture, notes=(*picture.notes, *self._size_notes(request.size, picture)))
        return Prepared(picture, style, seed, request.strength, request.keep_colors, request.max_bytes, started)

    def restyle(self, request: pb.StylizeRequest, progress: Progress) -> Restyled:
        """The painted frames, not yet encoded. Raises like `stylize`."""
        return self.paint(self.prepare(request, progress), progress)

    def paint(self, work: Prepared, progress: Progress) -> Restyled:
        """The painted frames, not yet encoded. Raises `OutOfMemory`, `Cancelled`."""
        return paint(self.painter, work, progress)

    def finish(self, painted: Restyled, progress: Progress) -> pb.StylizeResult:
        """Everything after the painting. Raises `PictureTooLarge`, `Cancelled`."""
        progress("encoding", 0.95)
        work = painted.work
        encoded = _encode(painted.frames, work.picture.photographic, work.max_bytes, progress)
        return pb.StylizeResult(
            image=encoded.data,
            media_type=encoded.media_type,
            extension=encoded.extension,
            width=encoded.width,
            height=encoded.height,
            before_after=before_after(work.picture.frames[0].rgb, painted.frames[0].rgb),
            style=work.style.name,
            compute_s=time.perf_counter() - work.started,
            seed=work.seed,
            notes=[*work.picture.notes, *encoded.notes],
            model_version=self.version,
            drawn_style=work.style.drawn,
        )

    # ------------------------------------------------------------ saved styles, the contact sheet, /see

    def code_of_picture(self, image: bytes) -> Tensor:
        """Code (1, code) of a style picture of any size. Raises `BadPicture`, `PictureTooLarge`."""
        return self.painter.encode_style(self._decode(image, STYLE_SIDE_PX, 1).frames[0].rgb)

    def encode_style(self, image: bytes) -> pb.EncodeStyleReply:
        """A style picture's code, and what it takes to renew it. Raises `BadPicture`, `PictureTooLarge`."""
        picture = self._decode(image, STYLE_SIDE_PX, 1)
        height, width = picture.size
        if min(height, width) < SMALLEST_STYLE_PX:
            raise BadPicture(
                f"That picture is only {width} × {height} pixels; to save a style I need at least "
                f"{SMALLEST_STYLE_PX} × {SMALLEST_STYLE_PX}."
            )
        rgb = picture.frames[0].rgb
        return pb.EncodeStyleReply(
            code=pack_code(self.painter.encode_style(rgb), self.version),
            model_version=self.version,
            picture=_small_copy(rgb),
        )

    def sheet(self, request: pb.StyleSheetRequest, progress: Progress) -> pb.StyleSheetResult:
        """One picture in all styles of the book and in the request's own. Raises `CallerError`s, `Cancelled`."""
        started = time.perf_counter()
        progress("decoding", 0.0)
        if len(request.saved) > MOST_SAVED_STYLES:
            raise BadOption(f"A contact sheet has room for {MOST_SAVED_STYLES} saved styles; please choose fewer.")
        length = self.book.code_length
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

    # ------------------------------------------------------------ sizes and reading

    def _side(self, size_px: int) -> int:
        if 0 < size_px < SMALLEST_SIZE_PX:
            raise BadOption(f"Please ask for a size of {SMALLEST_SIZE_PX} pixels or more; {size_px} is too small.")
        return min(size_px or self.settings.default_size_px, self.settings.max_size_px)

    def _size_notes(self, size_px: int, picture: Picture) -> tuple[str, ...]:
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
            return (
                f"I painted it {painted} pixels wide or high, though the picture has {picture.full_side_px}; "
                f"the option `size` goes up to {more}.",
            )
        return (f"{painted} pixels is the largest size {'for films ' if film else ''}here (setting `stylize.{key}`).",)

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


def served_tile_px(settings: StylizeSettings, device: torch.device) -> int:
    """Side of the tiles in which large pictures are painted there."""
    return max(settings.tile_px, CUDA_TILE_PX) if device.type == "cuda" else settings.tile_px


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
            return replace(encoded, notes=("I turned the film into a GIF.", *encoded.notes))
    return encode(frames, photographic, max_bytes, progress)

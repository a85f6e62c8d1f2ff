"""The room's one door for the server: requests of the contract in, finished pictures out."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import asdict, replace

import structlog
import torch
from torch import Tensor

from engine.contract import engine_pb2 as pb
from engine.errors import BadOption, BadPicture
from engine.progress import Progress, silent
from engine.settings import StylizeSettings
from engine.stylize.book import STYLE_SIDE_PX, load_book, pack_codes, unpack_codes
from engine.stylize.chosen_style import LONGEST_NAME, chosen_style
from engine.stylize.network import Features
from engine.stylize.painter import STYLE_LONGEST_ASPECT, Painter, padded
from engine.stylize.painting import Prepared, Restyled, paint
from engine.stylize.pictures.faces import Face, find_faces
from engine.stylize.pictures.film_reading import read_picture_or_film
from engine.stylize.pictures.film_writing import encode_film
from engine.stylize.pictures.picture import Frame, Picture, picture_of, still, to_image
from engine.stylize.pictures.reading import Bounds
from engine.stylize.pictures.sample_photo import sample_photo
from engine.stylize.pictures.writing import Encoded, before_after, encode, jpeg, png, webp
from engine.stylize.rising import LONGEST_SIDE_PX
from engine.stylize.see import feature_sheet
from engine.stylize.sheet import ContactSheet, NamedCode, PaintedSheet, SheetWork
from engine.stylize.style_codes import code_at
from engine.stylize.together import paint_together, shape_to_share
from engine.stylize.weights_file import CARD_FILE, load_network, weights_version
from engine.uploads import PICTURE, Reading, Upload

log = structlog.get_logger(__name__)

SEE_SIDE_PX = 512
STYLE_PICTURE_PX = 1024
"""Longer side of the copy that is kept of a saved style's picture: with it the style is encoded again for new weights,
and all but its largest code are nearly what the picture itself would give."""
SMALLEST_STYLE_PX = 32
"""A style that is kept needs room for a few strokes."""
MOST_SAVED_STYLES = 200
KEPT_JPEG_QUALITY = 95
LARGEST_KEPT_BYTES = 8_000_000
"""Of a copy that is kept so that a picture can be painted once more; a PNG over it becomes a JPEG."""
CUDA_TILE_PX = 4096
"""A GPU has room for a 4K picture in one piece, and small tiles would leave it idle."""
SMALLEST_SIZE_PX = 16
NO_FACE = "I found no face in this picture, so all of it is painted alike."
FACES_OF_FILMS = (
    "Faces in films and animations are painted like the rest; only in still pictures can I paint them mildly."
)
FILM_ALREADY = "That's a film already; I can only make a film of how a still picture becomes a painting."


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
                "The style book was made for different weights; rebuild it with `python -m engine.stylize.book`."
            )
        self.painter = Painter(self.network, device, served_tile_px(settings, device))
        self.contact_sheet = ContactSheet(self.painter, self.version)
        # Small pictures leave a GPU idle. A CPU is full with one: eight 512 px pictures together cost it 2.2 times
        # what they cost one by one (docs/performance.md).
        self.batches = device.type == "cuda"

    def warm(self) -> None:
        """Paint one small picture, so that the first member doesn't wait while everything loads."""
        code = code_at(self.book.codes[self.book.names[0]], 256)
        self.painter.paint(torch.rand(1, 3, 256, 256, generator=torch.Generator().manual_seed(0)), code)

    def model(self) -> pb.Model:
        card = CARD_FILE.read_text()
        paragraphs = [part.strip() for part in card.split("\n\n") if part.strip() and not part.startswith("#")]
        parameters = sum(parameter.numel() for parameter in self.network.parameters())
        summary = " ".join(paragraphs[0].split())
        return pb.Model(name="stylize", version=self.version, parameters=parameters, summary=summary, card=card)

    def styles(self) -> list[pb.Style]:
        return [
            pb.Style(name=s.name, title=s.title, artist=s.artist, year=s.year, period=s.period)
            for s in self.book.styles
        ]

    # ------------------------------------------------------------ /stylize

    def stylize(self, request: pb.StylizeRequest, progress: Progress) -> pb.StylizeResult:
        """Read, paint and finish the request's picture in one go. Raises `CallerError`s, `Cancelled`, `OutOfMemory`."""
        return self.finish(self.restyle(request, progress), progress)

    def restyle(self, request: pb.StylizeRequest, progress: Progress) -> Restyled:
        """The painted frames, not yet encoded. Raises like `stylize`."""
        progress("decoding", 0.0)
        return self.paint(self.prepare(request, self.read(self.uploads(request), progress)), progress)

    def read(self, uploads: Sequence[Upload], progress: Progress = silent) -> list[Reading]:
        """Read files here and now, for the command line; the server has processes for that (`engine.serving.intake`).

        Raises `BadPicture`, `PictureTooLarge`, and whatever `progress` raises."""
        return [read_picture_or_film(upload.data, upload.options, progress) for upload in uploads]

    def uploads(self, request: pb.StylizeRequest) -> tuple[Upload, ...]:
        """The files of a request, its options checked before any of them is read. Raises `CallerError`s."""
        self.check(request)
        side_px = self._side(request.size)
        if request.rising:  # two frames are enough to tell a film from a picture
            picture = self._upload(request.image, min(side_px, LONGEST_SIDE_PX), min(2, self.settings.max_frames))
        else:
            picture = self._upload(request.image, side_px, self.settings.max_frames)
        if not request.style_image:
            return (picture,)
        return picture, self._upload(request.style_image, STYLE_SIDE_PX)

    def check(self, request: pb.StylizeRequest) -> None:
        """Raises what `stylize` would about the options of a request, whatever its picture."""
        self._side(request.size)
        if request.rising and request.strength == 0:
            raise BadOption("At strength 0 there's no painting to come; please make it stronger first.")
        if request.faces not in pb.Faces.values():
            raise BadOption("Please choose whether faces are painted mildly or as the rest.")
        chosen_style(self.book, request, seed=0, picture=None)

    def prepare(self, request: pb.StylizeRequest, readings: Sequence[Reading]) -> Prepared:
        """What there is to paint, from what was read of `uploads`. Raises `CallerError`s."""
        picture, *others = [picture_of(reading) for reading in readings]
        seed = request.seed if request.HasField("seed") else self.draw_seed()
        style = chosen_style(self.book, request, seed, others[0].frames[0].rgb if others else None)
        if request.rising and len(picture.frames) > 1:
            raise BadOption(FILM_ALREADY)
        faces, face_notes = _faces_to_spare(request, picture)
        if request.rising:
            picture = replace(picture, notes=())  # they were said when the picture was painted
        else:
            notes = (*picture.notes, *self._size_notes(request.size, picture), *face_notes)
            picture = replace(picture, notes=notes)
        return Prepared(
            picture,
            style,
            seed,
            request.strength,
            request.keep_colors,
            request.max_bytes,
            sum(one.seconds for one in readings),
            request.keep_copies,
            request.rising,
            faces,
        )

    def share_key(self, work: Prepared) -> Hashable | None:
        """Works of equal keys may be painted together; None goes alone."""
        return shape_to_share(work) if self.batches else None

    def paint(self, work: Prepared, progress: Progress) -> Restyled:
        """The painted frames, not yet encoded. Raises `OutOfMemory`, `Cancelled`."""
        return paint(self.painter, work, progress)

    def paint_together(
        self, works: Sequence[Prepared], progresses: Sequence[Progress]
    ) -> Sequence[Restyled | Exception]:
        """`paint` for works of one `share_key`: a painting, or what it raised, for each."""
        return paint_together(self.painter, works, progresses)

    def finish(self, painted: Restyled, progress: Progress) -> pb.StylizeResult:
        """Everything after the painting. Raises `PictureTooLarge`, `Cancelled`."""
        started = time.perf_counter()
        progress("encoding", 0.95)
        work = painted.work
        if work.rising:
            encoded, beside = encode_film(painted.frames, work.max_bytes, progress), b""
        else:
            encoded = _encode(painted.frames, work.picture.photographic, work.max_bytes, progress)
            beside = before_after(work.picture.frames[0].rgb, painted.frames[0].rgb)
        return pb.StylizeResult(
            image=encoded.data,
            media_type=encoded.media_type,
            extension=encoded.extension,
            width=encoded.width,
            height=encoded.height,
            before_after=beside,
            style=work.style.name,
            compute_s=work.read_s + painted.compute_s + time.perf_counter() - started,
            seed=work.seed,
            notes=[*work.picture.notes, *encoded.notes],
            model_version=self.version,
            drawn_style=work.style.drawn,
            kept_image=_copy(work.picture, progress) if work.keep_copies else b"",
            kept_style_image=_style_copy(work.style.picture) if work.keep_copies else b"",
        )

    # ------------------------------------------------------------ saved styles

    def codes_of_picture(self, image: bytes) -> Tensor:
        """Codes (len(CODE_SIZES_PX), code) of a style picture of any size, read here.

        Raises `BadPicture`, `PictureTooLarge`."""
        (reading,) = self.read([self._upload(image, STYLE_SIDE_PX)])
        return self.painter.encode_style_at_all_sizes(picture_of(reading).frames[0].rgb)

    def style_upload(self, request: pb.EncodeStyleRequest) -> Upload:
        return self._upload(request.image, STYLE_SIDE_PX)

    def encode_style(self, reading: Reading, progress: Progress = silent) -> tuple[Tensor, Tensor]:
        """The style picture (1, 3, H, W) that was read, and its codes (len(CODE_SIZES_PX), code). Raises
        `BadPicture`."""
        picture = picture_of(reading)
        height, width = picture.size
        if min(height, width) < SMALLEST_STYLE_PX:
            raise BadPicture(
                f"That picture is only {width} × {height} pixels; to save a style I need at least "
                f"{SMALLEST_STYLE_PX} × {SMALLEST_STYLE_PX}."
            )
        progress("looking", 0.5)
        rgb = picture.frames[0].rgb
        return rgb, self.painter.encode_style_at_all_sizes(rgb)

    def finish_style(self, encoded: tuple[Tensor, Tensor], progress: Progress = silent) -> pb.EncodeStyleReply:
        """A style's codes, and what it takes to renew them."""
        rgb, codes = encoded
        return pb.EncodeStyleReply(
            code=pack_codes(codes, self.version), model_version=self.version, picture=_small_copy(rgb)
        )

    # ------------------------------------------------------------ the contact sheet

    def sheet(self, request: pb.StyleSheetRequest, progress: Progress) -> pb.StyleSheetResult:
        """One picture in all styles, in one go. Raises `CallerError`s, `Cancelled`."""
        progress("decoding", 0.0)
        work = self.prepare_sheet(request, self.read(self.sheet_uploads(request)))
        return self.finish_sheet(self.paint_sheet(work, progress), progress)

    def sheet_uploads(self, request: pb.StyleSheetRequest) -> tuple[Upload, ...]:
        """The sheet's picture, unless it is our own. Raises `BadOption` for too many styles."""
        if len(request.saved) > MOST_SAVED_STYLES:
            raise BadOption(f"A contact sheet has room for {MOST_SAVED_STYLES} saved styles; please choose fewer.")
        return (self._upload(request.image, SEE_SIDE_PX),) if request.image else ()

    def prepare_sheet(self, request: pb.StyleSheetRequest, readings: Sequence[Reading]) -> SheetWork:
        """The picture and the styles of the book and of the request. Raises `BadOption`, `StaleStyle`, `BadPicture`."""
        picture = picture_of(readings[0]) if readings else still(sample_photo())
        saved = [
            NamedCode(one.name[:LONGEST_NAME], unpack_codes(one.code, self.book.code_length, self.version))
            for one in request.saved
        ]
        book = [NamedCode(style.name, self.book.codes[style.name], style.period) for style in self.book.styles]
        return SheetWork(picture, hashlib.sha256(request.image).hexdigest(), book, saved, request.max_bytes)

    def paint_sheet(self, work: SheetWork, progress: Progress) -> PaintedSheet:
        """All cells. Raises `Cancelled`."""
        started = time.perf_counter()
        styles = [*work.book, *work.saved]
        cells, painted = self.contact_sheet.cells(work.picture.frames[0].rgb, work.digest, styles, progress)
        return PaintedSheet(work, cells, painted, time.perf_counter() - started)

    def finish_sheet(self, painted: PaintedSheet, progress: Progress) -> pb.StyleSheetResult:
        """The pages. Raises `PictureTooLarge`, `Cancelled`."""
        progress("encoding", 0.95)
        return pb.StyleSheetResult(
            pages=painted.pages(),
            model_version=self.version,
            painted=painted.painted,
            compute_s=painted.compute_s,
            notes=painted.work.picture.notes,
        )

    # ------------------------------------------------------------ /see

    def see(self, request: pb.SeeRequest, progress: Progress) -> pb.SeeResult:
        """The sheet of feature maps of a picture, in one go. Raises `CallerError`s, `Cancelled`."""
        progress("decoding", 0.0)
        (reading,) = self.read([self.see_upload(request)])
        return self.finish_see(self.look(self.prepare_see(reading), progress), progress)

    def see_upload(self, request: pb.SeeRequest) -> Upload:
        return self._upload(request.image, SEE_SIDE_PX)

    def prepare_see(self, reading: Reading) -> Picture:
        """Raises `BadPicture`."""
        return picture_of(reading)

    def look(self, picture: Picture, progress: Progress) -> tuple[Picture, Features]:
        """A picture with what the encoder makes of it, on the processor. Raises `Cancelled`."""
        progress("looking", 0.3)
        with torch.inference_mode():
            features = self.network.encode_content(padded(picture.frames[0].rgb).to(self.painter.device))
            return picture, Features(*(feature.cpu() for feature in features))

    def finish_see(self, seen: tuple[Picture, Features], progress: Progress) -> pb.SeeResult:
        """The drawn sheet. Raises `Cancelled`."""
        progress("drawing", 0.6)
        picture, features = seen
        return pb.SeeResult(sheet=feature_sheet(picture.frames[0].rgb, features), notes=picture.notes)

    # ------------------------------------------------------------ sizes and reading

    def _side(self, size_px: int) -> int:
        if 0 < size_px < SMALLEST_SIZE_PX:
            raise BadOption(f"Please choose a size of at least {SMALLEST_SIZE_PX} pixels; {size_px} is too small.")
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
                f"I painted it {painted} pixels on the longer side; your picture has {picture.full_side_px}, and "
                f"the `size` option goes up to {more}.",
            )
        return (f"{painted} pixels is the largest size {'for films ' if film else ''}here (setting `stylize.{key}`).",)

    def _upload(self, data: bytes, max_side_px: int, max_frames: int = 1) -> Upload:
        settings = self.settings
        bounds = Bounds(settings.max_upload_bytes, settings.max_pixels, max_side_px, max_frames, self._largest_film_px)
        return Upload(PICTURE, data, asdict(bounds))

    @property
    def _largest_film_px(self) -> int:
        """Longer side of an animation or film at most; even, as an MP4's sides are."""
        return min(self.settings.film_side_px, self.settings.max_size_px) // 2 * 2


def served_tile_px(settings: StylizeSettings, device: torch.device) -> int:
    """Side of the tiles in which large pictures are painted there."""
    return max(settings.tile_px, CUDA_TILE_PX) if device.type == "cuda" else settings.tile_px


def _faces_to_spare(request: pb.StylizeRequest, picture: Picture) -> tuple[tuple[Face, ...], tuple[str, ...]]:
    """The faces that are to be painted mildly, px of what is visible of a picture, and what to say where there are
    none."""
    if request.faces != pb.FACES_MILD or request.strength == 0:
        return (), ()
    if len(picture.frames) > 1:
        return (), (FACES_OF_FILMS,)
    faces = find_faces(picture.visible.frames[0].rgb)
    return faces, () if faces else (NO_FACE,)


def _small_copy(rgb: Tensor) -> bytes:
    """JPEG of what `Painter.encode_style` looks at in (1, 3, H, W), its longer side at most `STYLE_PICTURE_PX`."""
    image = to_image(rgb)
    width, height = image.size
    cut_width, cut_height = min(width, STYLE_LONGEST_ASPECT * height), min(height, STYLE_LONGEST_ASPECT * width)
    left, top = (width - cut_width) // 2, (height - cut_height) // 2
    image = image.crop((left, top, left + cut_width, top + cut_height))
    image.thumbnail((STYLE_PICTURE_PX, STYLE_PICTURE_PX))
    return jpeg(image)


def _copy(picture: Picture, progress: Progress) -> bytes:
    """A picture or film as it was read, as a file of our own: what may be kept of a stranger's."""
    if len(picture.frames) == 1:
        image = to_image(picture.frames[0].rgb, picture.frames[0].alpha)
        if picture.photographic and image.mode == "RGB":
            return jpeg(image, KEPT_JPEG_QUALITY)
        # The member waits for this one, too, and nobody downloads it: quick rather than small.
        if len(quick := png(image, level=1)) <= LARGEST_KEPT_BYTES:
            return quick
    elif not picture.photographic:
        images = [to_image(frame.rgb, frame.alpha) for frame in picture.frames]
        durations_ms = [frame.duration_ms for frame in picture.frames]
        if len(looping := webp(images, durations_ms, KEPT_JPEG_QUALITY, progress)) <= LARGEST_KEPT_BYTES:
            return looping
    return _encode(picture.frames, picture.photographic, LARGEST_KEPT_BYTES, progress).data


def _style_copy(rgb: Tensor | None) -> bytes:
    """The same of a style's picture (1, 3, H, W), if there is one."""
    return b"" if rgb is None else jpeg(to_image(rgb), KEPT_JPEG_QUALITY)


def _encode(frames: Sequence[Frame], photographic: bool, max_bytes: int, progress: Progress) -> Encoded:
    """What came as a film stays one, an animation goes on looping, and a picture stays a picture."""
    if len(frames) > 1 and photographic:
        return encode_film(frames, max_bytes, progress)
    return encode(frames, photographic, max_bytes, progress)

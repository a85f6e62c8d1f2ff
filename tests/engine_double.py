"""An engine for tests: real gRPC over a real Unix socket, small honest media, and every way of failing on demand.

It answers pictures with pictures and notes with a sound that plays; what it cannot do is art. Set `double.behaviour`
to make jobs misbehave, look at `double.requests` for what arrived.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import functools
import io
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from engine.contract import CONTRACT_VERSION, ERROR_METADATA_KEY, MAX_MESSAGE_BYTES
from engine.contract import engine_pb2 as pb
from engine.contract import engine_pb2_grpc as pb_grpc

STYLES = (
    pb.Style(name="great-wave", title="The Great Wave off Kanagawa", artist="Katsushika Hokusai", year="1831"),
    pb.Style(name="starry-night", title="The Starry Night", artist="Vincent van Gogh", year="1889"),
    pb.Style(name="scream", title="The Scream", artist="Edvard Munch", year="1893"),
)
INSTRUMENTS = ("tenor sax", "trumpet", "vibraphone")
PIECES = (
    pb.Piece(id="maple-leaf-rag", title="Maple Leaf Rag", composer="Scott Joplin", year="1899", source="music21"),
)


class Behaviour(enum.Enum):
    HONEST = enum.auto()
    SLOW = enum.auto()  # one progress event, then waits for `release`
    HANG = enum.auto()  # never says anything
    DIE_QUEUED = enum.auto()  # the connection breaks before the job began
    DIE_STARTED = enum.auto()  # ... after its first progress
    REFUSE = enum.auto()
    FULL = enum.auto()
    FAIL = enum.auto()
    CANCEL = enum.auto()  # the engine ends the job as cancelled
    SILENT = enum.auto()  # the stream ends without a result


@dataclass
class EngineDouble(pb_grpc.EngineServicer):
    """`dies` counts down: after so many misbehaving jobs it is honest again; -1 misbehaves for ever."""

    behaviour: Behaviour = Behaviour.HONEST
    times: int = -1
    honest: int = 0
    refusal: tuple[grpc.StatusCode, str, str] = (
        grpc.StatusCode.INVALID_ARGUMENT,
        "bad_picture",
        "That file is not a picture.",
    )
    release: asyncio.Event = field(default_factory=asyncio.Event)
    requests: list[Any] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    entries: list[pb.QueueReply.Entry] = field(default_factory=list)
    cancelled: list[tuple[str, str]] = field(default_factory=list)
    steps: int = 3
    metadata: list[dict[str, str]] = field(default_factory=list)
    questions: list[pb.QuizReply] = field(default_factory=list)  # handed out first, in this order
    cards: list[pb.Card] = field(default_factory=list)  # instead of the one below
    pieces: tuple[pb.Piece, ...] = PIECES
    human_metre: int = 4  # beats per bar of the humans' MIDI files and pieces
    fingerprint: bytes = b""  # of humans' MIDI files and recordings
    estimates: bool = False  # of MIDI without given chords: as if the file named none, either
    weights: str = "abc1234"  # version of the stylize network's; codes of any other are refused as stale
    encoded: list[bytes] = field(default_factory=list)  # pictures whose style was taken
    film: bool = False  # pictures are films: painted frame by frame, and answered as MP4
    contract: int = CONTRACT_VERSION
    notes: list[str] = field(default_factory=list)  # that come with painted pictures
    calculation: pb.AskReply.Calculation = field(
        default_factory=lambda: pb.AskReply.Calculation(
            asked="Conv2d(3, 64, 3)", answer="1792 parameters", steps=["64 · (3 · 3 · 3 + 1) = 1792"]
        )
    )
    entry: pb.AskReply.Entry = field(
        default_factory=lambda: pb.AskReply.Entry(
            name="torch.gather",
            signature="(input, dim, index) -> Tensor",
            text="Gathers values along an axis.",
            example="torch.gather(t, 1, i)",
            output="tensor([[1, 1]])",
            link="https://docs.pytorch.org/docs/2.15/generated/torch.gather.html",
            version="torch 2.15.0",
        )
    )

    def misbehave(self, behaviour: Behaviour, times: int = -1, after: int = 0) -> None:
        """Behave so for `times` jobs (-1: for ever), after so many honest ones."""
        self.behaviour, self.times, self.honest = behaviour, times, after

    async def _misbehave(self, context: grpc.aio.ServicerContext, event_type: Any) -> AsyncIterator[Any]:
        if self.honest > 0:
            self.honest -= 1
            return
        if self.times == 0:
            return
        self.times -= 1
        match self.behaviour:
            case Behaviour.SLOW:
                yield event_type(progress=pb.Progress(stage="painting", fraction=0.25))
                await self.release.wait()
            case Behaviour.HANG:
                await asyncio.Event().wait()
            case Behaviour.DIE_QUEUED:
                await context.abort(grpc.StatusCode.UNAVAILABLE, "Socket closed")
            case Behaviour.DIE_STARTED:
                yield event_type(progress=pb.Progress(stage="painting", fraction=0.25))
                await context.abort(grpc.StatusCode.UNAVAILABLE, "Socket closed")
            case Behaviour.REFUSE:
                status, code, sentence = self.refusal
                await context.abort(status, sentence, trailing_metadata=((ERROR_METADATA_KEY, code),))
            case Behaviour.FULL:
                await context.abort(
                    grpc.StatusCode.RESOURCE_EXHAUSTED,
                    "The queue is full (32 jobs are waiting); please try again in a minute.",
                    trailing_metadata=((ERROR_METADATA_KEY, "queue_full"),),
                )
            case Behaviour.FAIL:
                await context.abort(grpc.StatusCode.UNKNOWN, "ValueError: secret path /home/somebody")
            case Behaviour.CANCEL:
                await context.abort(
                    grpc.StatusCode.CANCELLED,
                    "The job was cancelled.",
                    trailing_metadata=((ERROR_METADATA_KEY, "cancelled"),),
                )

    async def _events(self, request: Any, context: grpc.aio.ServicerContext, event_type: Any) -> AsyncIterator[Any]:
        self.requests.append(request)
        self.metadata.append({key: str(value) for key, value in context.invocation_metadata()})
        try:
            yield event_type(queued=pb.Queued(position=1))
            if any(not code.startswith(f"{self.weights}:".encode()) for code in codes_of(request)):
                await context.abort(
                    grpc.StatusCode.INVALID_ARGUMENT,
                    "That style was saved with another version of the network; please add its picture again.",
                    trailing_metadata=((ERROR_METADATA_KEY, "stale_style"),),
                )
            async for event in self._misbehave(context, event_type):
                yield event
            if self.behaviour is Behaviour.SILENT:
                return
            for step in range(self.steps):
                stage = f"frame {step + 1} of {self.steps}" if self.film else "working"
                yield event_type(progress=pb.Progress(stage=stage, fraction=step / self.steps))
            yield event_type(result=self._result(request))
        finally:
            self.closed.append(request.job.job_id)

    def _result(self, request: Any) -> Any:
        match request:
            case pb.StylizeRequest():
                return self._stylized(request)
            case pb.StyleSheetRequest():
                return style_sheet(request, self.weights)
            case pb.SeeRequest():
                return pb.SeeResult(sheet=png(96, 64, 200), notes=["Three stages of the encoder."])
            case pb.PlayRequest():
                return clip(request)
            case pb.RenderRequest():
                rendered = human_clip(request, self.estimates, self.human_metre)
                rendered.fingerprint = self.fingerprint
                return rendered
        raise TypeError(type(request).__name__)

    def _stylized(self, request: pb.StylizeRequest) -> pb.StylizeResult:
        result = stylized(request)
        result.notes.extend(self.notes)
        if self.film or request.rising:
            result.media_type, result.extension = "video/mp4", "mp4"
        return result

    async def Stylize(self, request: pb.StylizeRequest, context: grpc.aio.ServicerContext) -> AsyncIterator[Any]:
        async for event in self._events(request, context, pb.StylizeEvent):
            yield event

    async def StyleSheet(self, request: pb.StyleSheetRequest, context: grpc.aio.ServicerContext) -> AsyncIterator[Any]:
        async for event in self._events(request, context, pb.StyleSheetEvent):
            yield event

    async def See(self, request: pb.SeeRequest, context: grpc.aio.ServicerContext) -> AsyncIterator[Any]:
        async for event in self._events(request, context, pb.SeeEvent):
            yield event

    async def Play(self, request: pb.PlayRequest, context: grpc.aio.ServicerContext) -> AsyncIterator[Any]:
        async for event in self._events(request, context, pb.PlayEvent):
            yield event

    async def Render(self, request: pb.RenderRequest, context: grpc.aio.ServicerContext) -> AsyncIterator[Any]:
        async for event in self._events(request, context, pb.PlayEvent):
            yield event

    async def About(self, request: pb.AboutRequest, context: grpc.aio.ServicerContext) -> pb.AboutReply:
        return pb.AboutReply(
            version="0.1.0",
            torch_version="2.15.0",
            device="cpu (2 threads)",
            models=[
                pb.Model(name="stylize", version="abc1234", parameters=390_000, summary="Repaints.", card="# Stylize"),
                pb.Model(name="jazz", version="def5678", parameters=2_700_000, summary="Improvises.", card="# Jazz"),
            ],
            soundfont="TimGM6mb.sf2",
            uptime_s=61.0,
            cards=60,
            generators=12,
            reference="5,022 entries",
            contract=self.contract,
            stages=[pb.StageTime(kind="stylize", stage="running", count=2, seconds=3.0)],
            memory_used_bytes=1_000_000,
            memory_bytes=2_000_000,
        )

    async def ListStyles(self, request: pb.ListStylesRequest, context: grpc.aio.ServicerContext) -> pb.ListStylesReply:
        return pb.ListStylesReply(styles=STYLES, model_version=self.weights)

    async def EncodeStyle(
        self, request: pb.EncodeStyleRequest, context: grpc.aio.ServicerContext
    ) -> pb.EncodeStyleReply:
        async for _ in self._misbehave(context, pb.StylizeEvent):
            pass
        self.encoded.append(request.image)
        return pb.EncodeStyleReply(
            code=code_of(request.image, self.weights),
            model_version=self.weights,
            picture=png(16, 16, zlib.crc32(request.image) % 256),
        )

    async def ListJazzOptions(
        self, request: pb.ListJazzOptionsRequest, context: grpc.aio.ServicerContext
    ) -> pb.ListJazzOptionsReply:
        return pb.ListJazzOptionsReply(
            instruments=INSTRUMENTS,
            forms=["blues", "rhythm changes", "ii-V-I"],
            keys=["C", "F", "Bb"],
            feels=["swing", "bossa"],
            pieces=self.pieces,
            min_bars=1,
            max_bars=64,
            min_tempo_bpm=40,
            max_tempo_bpm=320,
            styles=["bebop", "cool"],
        )

    async def ListTopics(self, request: pb.ListTopicsRequest, context: grpc.aio.ServicerContext) -> pb.ListTopicsReply:
        return pb.ListTopicsReply(topics=["tensors", "autograd"])

    async def Ask(self, request: pb.AskRequest, context: grpc.aio.ServicerContext) -> pb.AskReply:
        self.requests.append(request)
        card = pb.Card(
            id="backward",
            topic="autograd",
            title="What backward() does",
            text="`backward()` walks the graph from the loss to the leaves and **adds** to every leaf's `.grad`.",
            code="import torch\nx = torch.tensor(3.0, requires_grad=True)\n(x * x).backward()\nprint(x.grad)",
            output="tensor(6.)",
            source="PyTorch documentation: torch.Tensor.backward",
            score=7.5,
        )
        card.see.append(pb.Card.Link(id="no-grad", title="no_grad and detach"))
        cards = self.cards or [card]
        if request.card_id:
            known = [one for one in cards if one.id == request.card_id]
            if not known:
                await context.abort(
                    grpc.StatusCode.INVALID_ARGUMENT,
                    "That card isn't in the deck any more.",
                    trailing_metadata=((ERROR_METADATA_KEY, "bad_option"),),
                )
            return pb.AskReply(known=True, cards=known)
        if request.symbol:
            return pb.AskReply(entries=[self.entry])
        reply = pb.AskReply(known="backward" in request.question.lower(), cards=cards)
        if "Conv2d(" in request.question:
            reply.calculation.CopyFrom(self.calculation)
        if "gather" in request.question:
            reply.entries.append(self.entry)
        given = {alias.question: alias.card_id for alias in request.aliases}
        if given.get(request.question):
            reply.known = True
        reply.quotes.extend(i for i, passage in enumerate(request.passages[:2]) if passage.text)
        return reply

    async def ReadNotes(self, request: pb.ReadNotesRequest, context: grpc.aio.ServicerContext) -> pb.ReadNotesReply:
        self.requests.append(request)
        if not request.filename.endswith(".md"):
            await context.abort(
                grpc.StatusCode.INVALID_ARGUMENT,
                "I read .md, .txt, .py, .ipynb and .pdf files; please save it as one of those.",
                trailing_metadata=((ERROR_METADATA_KEY, "bad_notes"),),
            )
        passages = [pb.Passage(heading="Week 3", text=part) for part in request.data.decode().split("\n\n")]
        return pb.ReadNotesReply(passages=passages, cut=len(passages) > 3)

    async def Quiz(self, request: pb.QuizRequest, context: grpc.aio.ServicerContext) -> pb.QuizReply:
        self.requests.append(request)
        if self.questions:
            return self.questions.pop(0)
        seed = request.seed if request.HasField("seed") else 7
        return pb.QuizReply(
            generator="shape-of-matmul",
            topic=request.topic or "tensors",
            seed=seed,
            question="What is the shape of `a @ b`?",
            code="a = torch.ones(2, 3)\nb = torch.ones(3, 4)",
            options=["(2, 4)", "(3, 3)", "(4, 2)", "it raises an error"],
            correct=0,
            explanation="**`(2, 4)`**: rows of the first, columns of the second.",
            card_id="backward",
        )

    async def Queue(self, request: pb.QueueRequest, context: grpc.aio.ServicerContext) -> pb.QueueReply:
        return pb.QueueReply(entries=self.entries)

    async def Cancel(self, request: pb.CancelRequest, context: grpc.aio.ServicerContext) -> pb.CancelReply:
        self.cancelled.append((request.job_id, request.member_key))
        found = [e for e in self.entries if e.job_id == request.job_id]
        return pb.CancelReply(cancelled=any(request.anyones or e.member_key == request.member_key for e in found))


@contextlib.asynccontextmanager
async def serve_double(address: str, double: EngineDouble, *, serving: bool = True) -> AsyncIterator[Any]:
    """Serve on `address` ("unix:/path"); yields the health servicer, whose status a test may change."""
    limits = [
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ]
    server = grpc.aio.server(options=limits)
    pb_grpc.add_EngineServicer_to_server(double, server)
    readiness = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(readiness, server)
    status = health_pb2.HealthCheckResponse
    await readiness.set("", status.SERVING if serving else status.NOT_SERVING)
    server.add_insecure_port(address)
    await server.start()
    try:
        yield readiness
    finally:
        await server.stop(None)


def socket_address(folder: Path) -> str:
    return f"unix:{folder / 'engine.sock'}"


# ---------------------------------------------------------------- small honest media


@functools.lru_cache(maxsize=32)
def png(width: int = 32, height: int = 24, shade: int = 120) -> bytes:
    """A PNG with a gradient, so that it is a picture of something."""
    from PIL import Image

    picture = Image.new("RGB", (width, height))
    picture.putdata([(x * 255 // width, y * 255 // height, shade) for y in range(height) for x in range(width)])
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


@functools.lru_cache(maxsize=4)
def ogg(seconds: float = 0.5, frequency_hz: float = 440.0) -> bytes:
    """A sine in Ogg/Opus, mono, 48 kHz."""
    import av
    import numpy as np

    rate = 48_000
    wave = (0.2 * 32767 * np.sin(2 * np.pi * frequency_hz * np.arange(int(rate * seconds)) / rate)).astype(np.int16)
    out = io.BytesIO()
    with av.open(out, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(wave[None, :], format="s16", layout="mono")
        frame.sample_rate = rate
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return out.getvalue()


@functools.lru_cache(maxsize=1)
def midi() -> bytes:
    """Format 0, one track named `solo`, one quarter note."""
    track = b"\x00\xff\x03\x04solo\x00\xff\x51\x03\x07\xa1\x20\x00\x90\x3c\x50\x83\x60\x80\x3c\x00\x00\xff\x2f\x00"
    return b"MThd\x00\x00\x00\x06\x00\x00\x00\x01\x01\xe0" + b"MTrk" + len(track).to_bytes(4, "big") + track


def stylized(request: pb.StylizeRequest) -> pb.StylizeResult:
    seed = request.seed if request.HasField("seed") else 4711
    saved = (request.style_name or "saved style") if request.style_code else ""
    drawn = "" if request.style or saved or request.style_image else STYLES[seed % len(STYLES)].name
    style = as_in_the_book(request.style) or saved or drawn or "your picture"
    if request.blend_with or request.blend_with_code:
        style += f" + {as_in_the_book(request.blend_with) or request.blend_with_name or 'saved style'}"
    return pb.StylizeResult(
        image=png(32, 24, int(255 * request.strength)),
        media_type="image/png",
        extension="png",
        width=32,
        height=24,
        before_after=png(64, 24),
        style=style,
        compute_s=0.42,
        seed=seed,
        model_version="abc1234",
        drawn_style=drawn,
        kept_image=clean(request.image) if request.keep_copies else b"",
        kept_style_image=clean(request.style_image) if request.keep_copies else b"",
    )


def clean(picture: bytes) -> bytes:
    """A copy without what comes after a PNG's end."""
    name, end = b"IEND", 4  # of the chunk, and of its checksum
    return picture[: picture.find(name) + len(name) + end] if name in picture else picture


def as_in_the_book(typed: str) -> str:
    return "-".join(typed.lower().split())


def code_of(picture: bytes, weights: str) -> bytes:
    """Another one for every picture and for all other weights."""
    return b"%s:%08x" % (weights.encode(), zlib.crc32(picture))


def codes_of(request: Any) -> list[bytes]:
    """The saved codes that a request brings along."""
    match request:
        case pb.StylizeRequest():
            return [code for code in (request.style_code, request.blend_with_code) if code]
        case pb.StyleSheetRequest():
            return [saved.code for saved in request.saved]
    return []


def style_sheet(request: pb.StyleSheetRequest, weights: str) -> pb.StyleSheetResult:
    """A page of the book and, if there are any, one of the saved styles."""
    page = pb.StyleSheetResult.Page
    saved = [style.name for style in request.saved]
    pages = [page(sheet=png(90, 40), names=[style.name for style in STYLES])]
    if saved:
        pages.append(page(sheet=png(30, 40), names=saved, saved=True))
    return pb.StyleSheetResult(pages=pages, model_version=weights, painted=len(STYLES) + len(saved), compute_s=0.5)


def clip(request: pb.PlayRequest) -> pb.Clip:
    return pb.Clip(
        audio=ogg(),
        midi=midi(),
        roll=png(64, 32),
        lead_sheet=b"<?xml version='1.0'?><score-partwise version='4.0'/>",
        seed=request.seed if request.HasField("seed") else 99,
        chords=request.chords or "F7 | Bb7 | F7 | F7",
        bars=request.bars or 12,
        tempo_bpm=request.tempo_bpm or 132.0,
        instrument=request.instrument or INSTRUMENTS[0],
        form=request.form or "blues",
        key=request.key or "F",
        feel=request.feel or "swing",
        model_version="def5678",
        soundfont="TimGM6mb.sf2",
        duration_s=0.5,
        loudness_lufs=-16.0,
        true_peak_dbtp=-1.2,
        compute_s=1.3,
        takes=request.takes or 4,
        style=request.style,
        beats_per_bar=request.beats_per_bar or 4,
        longest_copied_run=5,
    )


def human_clip(request: pb.RenderRequest, estimates: bool = False, metre: int = 4) -> pb.Clip:
    result = clip(pb.PlayRequest(chords=request.chords, tempo_bpm=request.tempo_bpm, instrument=request.instrument))
    result.audio = ogg(frequency_hz=330.0)
    result.model_version = ""
    result.takes = 0
    result.beats_per_bar = metre if request.WhichOneof("source") != "audio" else 0
    result.notated = request.WhichOneof("source") == "piece_id"
    if request.WhichOneof("source") == "midi":
        result.tracks.extend([pb.Track(number=1, name="horn", notes=64), pb.Track(number=2, notes=12)])
        result.melody_track = 1 if request.melody_track < 0 else request.melody_track
        if estimates and not request.chords:
            result.chords_estimated = True
            result.notes.append(f"The chords were estimated from the notes: {result.chords}.")
    if request.WhichOneof("source") == "audio":
        result.midi = b""
        result.lead_sheet = b""
    return result

"""Files that were damaged or forged: small sound ones of every format that intake takes, mutated from a seed."""

from __future__ import annotations

import io
import json
import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import av
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from engine.uploads import CALCULATION, MIDI, NOTES, PICTURE, SOUND, Upload

PICTURE_BOUNDS: dict[str, Any] = {
    "max_upload_bytes": 25 << 20, "max_pixels": 50_000_000, "max_side_px": 1024, "max_frames": 120, "film_side_px": 480
}  # fmt: skip
SOUND_BOUNDS: dict[str, Any] = {"max_duration_s": 600.0, "phrase_s": 30.0}
MIDI_BOUNDS: dict[str, Any] = {"max_duration_s": 600.0}
FILMS = (("mp4", "libx264"), ("mov", "libx264"), ("webm", "libvpx"), ("avi", "mpeg4"), ("mpegts", "libx264"))
SOUNDS = (
    ("wav", "pcm_s16le", 44100), ("aiff", "pcm_s16be", 44100), ("flac", "flac", 44100), ("ogg", "libopus", 48000),
    ("mp3", "libmp3lame", 44100), ("adts", "aac", 44100), ("ipod", "aac", 44100), ("webm", "libopus", 48000),
    ("caf", "pcm_s16be", 44100), ("au", "pcm_s16be", 44100),
)  # fmt: skip
LARGE = tuple(struct.pack(">I", value) for value in (0, 1, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF))
LURES = {
    "session description": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
    "session behind a mark": b"\x1a\x45\xdf\xa3v=0\no=- 0 0 IN IP4 0.0.0.0\ns=x\nt=0 0\nm=video 5006 RTP/AVP 96\n",
    "session that says webm": b"\x1a\x45\xdf\xa3webm\nv=0\no=- 0 0 IN IP4 0.0.0.0\ns=x\nm=video 5006 RTP/AVP 96\n",
    "playlist": b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n",
    "playlist of a host": b"#EXTM3U\n#EXTINF:9,\nhttp://127.0.0.1:9/a.ts\n",
    "concat": b"ffconcat version 1.0\nfile /etc/hostname\n",
    "concat protocol": b"concat:/etc/hostname|/etc/hosts",
    "subfile": b"subfile,,start,0,end,20,,:/etc/hostname",
    "data": b"data:audio/wav;base64,UklGRg==",
    "dash": b"<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011'><BaseURL>file:///etc/</BaseURL></MPD>",
    "image sequence": b"/tmp/%03d.png",
    "playlist called a film": b"\0\0\0\x18ftypisom#EXTM3U\n#EXTINF:9,\nfile:///etc/hostname\n",
    "playlist called sound": b"OggS#EXTM3U\n#EXTINF:9,\nfile:///etc/hostname\n",
    "drawing that names a file": b"<svg xmlns:xlink='http://www.w3.org/1999/xlink'><image xlink:href='file:///etc/hostname'/></svg>",
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/hostname) run\n",
}  # fmt: skip
"""Files that name other files or hosts, for decoders that would go there."""


@dataclass(frozen=True)
class Broken:
    """One mutated file, what it was, and how it was made."""

    name: str
    upload: Upload


def upload(kind: str, data: bytes) -> Upload:
    bounds: dict[str, dict[str, Any]] = {PICTURE: PICTURE_BOUNDS, SOUND: SOUND_BOUNDS, MIDI: MIDI_BOUNDS}
    return Upload(kind, data, bounds[kind])


def lures() -> list[Broken]:
    """Each as a picture, as sound and as MIDI."""
    return [
        Broken(f"{name} as {kind}", upload(kind, data))
        for name, data in LURES.items()
        for kind in (PICTURE, SOUND, MIDI)
    ]


def broken_files(count: int, seed: int) -> Iterator[Broken]:
    """`count` mutated files, all formats in turn; the same seed gives the same files."""
    draw = random.Random(seed)
    whole = {name: upload(kind, data) for name, (kind, data) in sound_files().items()} | written_files()
    names = list(whole)
    for number in range(count):
        name = names[number % len(names)]
        one, other = whole[name], whole[draw.choice(names)].data
        yield Broken(f"{number}: {name}", Upload(one.kind, mutated(one.data, other, draw), one.options))


def mutated(data: bytes, other: bytes, draw: random.Random) -> bytes:
    """One to six changes, most of them near the beginning, where the headers are."""
    changed = bytearray(data)
    for _ in range(draw.randint(1, 6)):
        if not changed:
            break
        at = min(len(changed) - 1, int(len(changed) * draw.random() ** draw.choice((1, 1, 4))))
        match draw.randrange(8):
            case 0:
                changed[at] ^= 1 << draw.randrange(8)
            case 1:
                changed[at] = draw.randrange(256)
            case 2:
                size = draw.choice((1, 2, 4))
                changed[at : at + size] = draw.choice(LARGE)[-size:][:: draw.choice((1, -1))]
            case 3:
                del changed[at:]
            case 4:
                del changed[at : at + draw.randint(1, 64)]
            case 5:
                changed[at:at] = changed[at : at + draw.randint(1, 200)] * draw.randint(1, 4)
            case 6:
                changed[at : at + 32] = draw.randbytes(draw.randint(0, 40))
            case 7:
                start = draw.randrange(len(other))
                changed[at:at] = other[start : start + draw.randint(1, 300)]
    return bytes(changed)


QUALITIES = (
    "", "m", "-", "maj7", "M7", "Δ", "^7", "7", "9", "13", "m7", "mi7", "-7", "min9", "m7b5", "ø", "h7", "o7", "dim",
    "°", "+", "aug", "6", "69", "6/9", "m6", "sus4", "7sus4", "7alt", "7b9", "7#9", "7#11", "13b9", "7(b9,#11)", "mM7",
    "m(maj7)", "7M", ":maj7", ":min7", ":hdim7", "add9", "5", "2", "C7", "7#5#9",
)  # fmt: skip
BETWEEN = (
    " | ",
    " | ",
    " | ",
    " ",
    " || ",
    " |: ",
    " :| ",
    " :| x3 ",
    " |1. ",
    " :|2. ",
    " | % | ",
    "\n",
    " / ",
    " | A: ",
)
ODDITIES = "|:%/()[]{}#b♭♯ø△∆°+-^x0123456789. \u200b\u0301\x00☃HhNno,;\"'`*_~<@>\n"


def chord_lines(count: int, seed: int) -> Iterator[str]:
    """Chord lines as members write them: every second one is by the grammar, the others are broken in a few places."""
    draw = random.Random(seed)
    for number in range(count):
        symbols = []
        for _ in range(draw.randint(1, 24)):
            root = draw.choice("ABCDEFG") + draw.choice(("", "", "", "b", "#", "♭", "♯"))
            bass = "/" + draw.choice("ABCDEFG") if draw.random() < 0.1 else ""
            symbols.append(draw.choice(("N.C.", "%")) if draw.random() < 0.05 else root + draw.choice(QUALITIES) + bass)
        line = symbols[0] + "".join(draw.choice(BETWEEN) + symbol for symbol in symbols[1:])
        for _ in range(draw.randint(1, 6) if number % 2 else 0):
            at = draw.randrange(len(line) + 1)
            match draw.randrange(4):
                case 0:
                    line = line[:at] + draw.choice(ODDITIES) + line[at:]
                case 1:
                    line = line[:at] + line[at + draw.randint(1, 3) :]
                case 2:
                    line = line[:at] + line[at : at + 12] * draw.randint(2, 40) + line[at:]
                case 3:
                    line = line[:at] + chr(draw.choice((draw.randrange(1, 0x3000), draw.randrange(0x10000, 0x11000))))
        yield line


@cache
def sound_files() -> dict[str, tuple[str, bytes]]:
    """One sound file of every format: name -> (kind, bytes). Ogg and WebM draw a number for each file they write, which
    is all that differs between two runs."""
    photo = Image.fromarray(np.random.default_rng(1).integers(0, 255, (6, 8, 3), dtype=np.uint8)).resize((64, 48))
    grey = Image.fromarray(np.linspace(0, 65535, 48 * 32).reshape(32, 48).astype(np.uint16))
    moving = [photo.rotate(15 * turn) for turn in range(4)]
    files = {kind.lower(): (PICTURE, _picture(photo, kind)) for kind in ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "AVIF")}
    files["16-bit png"] = (PICTURE, _picture(grey, "PNG"))
    files["float tiff"] = (PICTURE, _picture(Image.fromarray(np.asarray(grey, dtype=np.float32)), "TIFF"))
    files["see-through webp"] = (PICTURE, _picture(photo.convert("RGBA"), "WEBP", lossless=True))
    for kind in ("GIF", "PNG", "WEBP"):
        files[f"moving {kind.lower()}"] = (PICTURE, _picture(moving[0], kind, save_all=True, append_images=moving[1:]))
    for kind, codec in FILMS:
        files[f"film {kind}"] = (PICTURE, _film(kind, codec, moving))
    for kind, codec, rate in SOUNDS:
        files[f"sound {kind}"] = (SOUND, _sound(kind, codec, rate))
    for tracks in (1, 3):
        files[f"midi of {tracks}"] = (MIDI, _midi(tracks))
    return files


@cache
def written_files() -> dict[str, Upload]:
    """Notes of every kind, and questions that ask for a calculation."""
    cells = [{"cell_type": "markdown", "source": ["# Loss\n", "It falls."]}, {"cell_type": "code", "source": "x = 1"}]
    notebook = {"cells": cells, "nbformat": 4}
    out = io.BytesIO()
    page = Figure(figsize=(3, 2))
    page.text(0.1, 0.5, "Gradients add up in .grad until somebody zeroes them.")
    page.savefig(out, format="pdf", metadata={"CreationDate": None})
    notes = {
        ".md": b"# Tensors\nA tensor has a shape.\n\n```python\ntorch.ones(2, 3)\n```\n## Views\nThey share memory.\n"
        * 4,
        ".txt": "A line of plain text, naïve and über.\n\n".encode() * 9,
        ".py": b'"""About."""\n\n\nclass Net:\n    """A net."""\n\n    def forward(self, x):\n        return x\n',
        ".ipynb": json.dumps(notebook).encode(),
        ".pdf": out.getvalue(),
    }
    questions = (
        b"what is torch.arange(6.).view(2, 3).softmax(1)?",
        b"what shape is nn.Conv2d(3, 16, 5, stride=2, padding=2)(torch.rand(8, 3, 28, 28))",
        b"how many parameters has nn.Sequential(nn.Linear(784, 100), nn.ReLU(), nn.Linear(100, 10))?",
        b"kernel 5, stride 2 and padding 1 on 28 x 28 pixels",
        b"torch.cat([torch.ones(2, 3), torch.zeros(4, 3)], dim=0).sum(0, keepdim=True) * 3",
    )
    written = {f"notes {ending}": Upload(NOTES, data, {"ending": ending}) for ending, data in notes.items()}
    return written | {f"question {number}": Upload(CALCULATION, text) for number, text in enumerate(questions)}


def _picture(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def _film(kind: str, codec: str, frames: list[Image.Image]) -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format=kind, options={"fflags": "+bitexact"}) as container:
        stream: Any = container.add_stream(codec, rate=15)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number, image in enumerate(frames * 3):
            frame = av.VideoFrame.from_image(image).reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 15)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return out.getvalue()


def _sound(kind: str, codec: str, rate: int) -> bytes:
    """Two seconds."""
    out = io.BytesIO()
    tone = (0.3 * np.sin(np.arange(2 * rate) * 2 * np.pi * 330 / rate)).astype(np.float32)
    with av.open(out, "w", format=kind, options={"fflags": "+bitexact"}) as container:
        stream: Any = container.add_stream(codec, rate=rate, layout="mono")
        context: Any = stream.codec_context
        frame = av.AudioFrame.from_ndarray(tone[None], format="fltp", layout="mono")
        frame.sample_rate, frame.pts = rate, 0
        resampler = av.AudioResampler(context.format.name, "mono", rate, frame_size=context.frame_size or 1024)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return out.getvalue()


def _midi(tracks: int) -> bytes:
    def track(number: int) -> bytes:
        pitches = (62, 65, 69, 72, 71, 67, 65, 64)
        notes = b"".join(bytes([0, 0x90 | number, pitch, 80, 0x60, 0x80 | number, pitch, 0]) for pitch in pitches * 3)
        body = b"\0\xff\x51\3\x07\xa1\x20\0\xff\x58\4\4\2\x18\x08\0\xff\1\3Dm7" + notes + b"\0\xff\x2f\0"
        return b"MTrk" + struct.pack(">I", len(body)) + body

    head = b"MThd" + struct.pack(">IHHH", 6, 1, tracks, 96)
    return head + b"".join(track(number) for number in range(tracks))

"""How engine and finishing process talk: a JSON object and a few blocks of bytes on a pipe. No pickles."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import IO, Any

import numpy as np

from engine.contract import engine_pb2 as pb
from engine.jazz.finishing.work import Lead, Work
from engine.jazz.rendering.samples import Stereo
from engine.jazz.theory.feel import Feel
from engine.jazz.theory.score import ChordSpan, Note, Section

LENGTH = struct.Struct(">I")
Pipe = IO[bytes] | io.FileIO
Parts = Sequence[bytes]


def send(pipe: Pipe, facts: dict[str, Any], parts: Parts = ()) -> None:
    """Raises `BrokenPipeError`."""
    head = json.dumps({"parts": [len(part) for part in parts], **facts}, default=_plain).encode()
    for block in (LENGTH.pack(len(head)), head, *parts):
        rest = memoryview(block)
        while rest:
            rest = rest[pipe.write(rest) :]


def receive(pipe: Pipe) -> tuple[dict[str, Any], list[bytes]]:
    """Raises `EOFError` when the other side is gone."""
    (size,) = LENGTH.unpack(_exactly(pipe, LENGTH.size))
    facts = json.loads(_exactly(pipe, size))
    return facts, [_exactly(pipe, length) for length in facts["parts"]]


def _exactly(pipe: Pipe, count: int) -> bytes:
    block = bytearray(count)
    rest = memoryview(block)
    while rest:
        got = pipe.readinto(rest)  # type: ignore[union-attr]
        if not got:
            raise EOFError("the other side is gone")
        rest = rest[got:]
    return bytes(block)


def _plain(value: object) -> Any:
    """A number of NumPy's as one of Python's."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} has no place in a message")


def samples_part(signal: Stereo) -> bytes:
    return np.ascontiguousarray(signal, dtype=np.float32).tobytes()


def samples_of(part: bytes) -> Stereo:
    return np.frombuffer(part, np.float32).reshape(-1, 2)


def packed_work(work: Work) -> tuple[dict[str, Any], Parts]:
    """A work as what `send` takes."""
    facts = {one.name: getattr(work, one.name) for one in fields(Work) if one.name not in ("music", "clip")}
    clip = work.clip.SerializeToString()
    if not isinstance(work.music, Lead):
        return facts, (clip, samples_part(work.music))
    lead = {one.name: getattr(work.music, one.name) for one in fields(Lead)}
    lead["notated"] = [[asdict(note), place] for note, place in work.music.notated.items()]
    for name in ("solo", "changes", "sections"):
        lead[name] = [asdict(one) for one in lead[name]]
    lead["feel"] = asdict(work.music.feel)
    return facts | {"lead": lead}, (clip,)


def work_of(facts: dict[str, Any], parts: Sequence[bytes]) -> Work:
    """What `packed_work` was given."""
    plain = {one.name: facts[one.name] for one in fields(Work) if one.name not in ("music", "clip")}
    music: Lead | Stereo
    if "lead" in facts:
        lead = dict(facts["lead"])
        feel = lead.pop("feel")
        music = Lead(
            solo=tuple(Note(**one) for one in lead.pop("solo")),
            changes=tuple(ChordSpan(**one) for one in lead.pop("changes")),
            sections=tuple(Section(**one) for one in lead.pop("sections")),
            notated={Note(**note): place for note, place in lead.pop("notated")},
            feel=Feel(**feel | {"tempo_bpm": tuple(feel["tempo_bpm"])}),
            **lead,
        )
    else:
        music = samples_of(parts[1])
    return Work(music=music, clip=pb.Clip.FromString(parts[0]), **plain)

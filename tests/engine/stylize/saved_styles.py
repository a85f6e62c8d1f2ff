"""A style as the server saves it: read, encoded, finished."""

from __future__ import annotations

from engine.contract import engine_pb2 as pb
from engine.stylize.studio import Studio


def saved_style(studio: Studio, image: bytes) -> pb.EncodeStyleReply:
    (reading,) = studio.read([studio.style_upload(pb.EncodeStyleRequest(image=image))])
    return studio.finish_style(studio.encode_style(reading))

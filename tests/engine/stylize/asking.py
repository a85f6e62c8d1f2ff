"""A studio is asked for a picture as the server asks it."""

from __future__ import annotations

from engine.contract import engine_pb2 as pb
from engine.progress import silent
from engine.stylize.studio import Studio
from tests.engine.stylize.pictures.uploads import photo


def ask(studio: Studio, **fields: object) -> pb.StylizeResult:
    return studio.stylize(
        pb.StylizeRequest(**{"image": photo(), "strength": 1.0, "style": "starry-night", **fields}), silent
    )

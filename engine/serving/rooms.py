"""What the server needs of the three rooms, and how each of their requests becomes the stages of a job."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Protocol

from engine.contract import engine_pb2 as pb
from engine.progress import Progress
from engine.serving.stages import SharedTurn, Stages
from engine.uploads import Reading, Upload

SOLO_SHARE, PERFORMING_SHARE = 0.35, 0.1
"""What the device's turn takes of an improvised clip's time, and of somebody else's."""


class StylizeRoom(Protocol):
    """`engine.stylize.studio.Studio`. Whatever a stage hands to the next one is the room's own affair."""

    def warm(self) -> None: ...
    def model(self) -> pb.Model: ...
    @property
    def version(self) -> str: ...
    def styles(self) -> list[pb.Style]: ...

    def uploads(self, request: pb.StylizeRequest) -> tuple[Upload, ...]: ...
    def prepare(self, request: pb.StylizeRequest, readings: Sequence[Reading]) -> Any: ...
    def share_key(self, work: Any) -> Hashable | None: ...
    def paint(self, work: Any, progress: Progress) -> Any: ...
    def paint_together(self, works: Sequence[Any], progresses: Sequence[Progress]) -> Sequence[Any]: ...
    def finish(self, painted: Any, progress: Progress) -> pb.StylizeResult: ...

    def style_upload(self, request: pb.EncodeStyleRequest) -> Upload: ...
    def encode_style(self, reading: Reading, progress: Progress) -> Any: ...
    def finish_style(self, encoded: Any, progress: Progress) -> pb.EncodeStyleReply: ...

    def sheet_uploads(self, request: pb.StyleSheetRequest) -> tuple[Upload, ...]: ...
    def prepare_sheet(self, request: pb.StyleSheetRequest, readings: Sequence[Reading]) -> Any: ...
    def paint_sheet(self, work: Any, progress: Progress) -> Any: ...
    def finish_sheet(self, painted: Any, progress: Progress) -> pb.StyleSheetResult: ...

    def see_upload(self, request: pb.SeeRequest) -> Upload: ...
    def prepare_see(self, reading: Reading) -> Any: ...
    def look(self, work: Any, progress: Progress) -> Any: ...
    def finish_see(self, seen: Any, progress: Progress) -> pb.SeeResult: ...


class JazzRoom(Protocol):
    """`engine.jazz.combo.Combo`."""

    @property
    def soundfont(self) -> str: ...
    def warm(self) -> None: ...
    def model(self) -> pb.Model: ...
    def options(self) -> pb.ListJazzOptionsReply: ...
    def uploads(self, request: pb.PlayRequest | pb.RenderRequest) -> tuple[Upload, ...]: ...
    def heard(self, request: pb.PlayRequest | pb.RenderRequest, readings: Sequence[Reading]) -> Any: ...
    def improvise(self, request: pb.PlayRequest | pb.RenderRequest, heard: Any, progress: Progress) -> Any: ...
    def finish(self, work: Any, progress: Progress) -> pb.Clip: ...


class TeachRoom(Protocol):
    """`engine.teach.library.Library`."""

    @property
    def card_count(self) -> int: ...
    @property
    def generator_count(self) -> int: ...
    def reference_state(self) -> str: ...
    def warm(self) -> None: ...
    def topics(self) -> list[str]: ...
    def calculation(self, request: pb.AskRequest) -> Upload | None: ...
    def answer(self, request: pb.AskRequest, calculated: Reading | None) -> pb.AskReply: ...
    def notes_upload(self, request: pb.ReadNotesRequest) -> Upload: ...
    def notes(self, reading: Reading) -> pb.ReadNotesReply: ...
    def quiz(self, request: pb.QuizRequest) -> pb.QuizReply: ...


class Rooms(Protocol):
    """The three rooms, loaded."""

    studio: StylizeRoom
    combo: JazzRoom
    library: TeachRoom


def stylize_stages(studio: StylizeRoom, request: pb.StylizeRequest) -> Stages:
    """Raises `CallerError`s about the request's options."""
    return Stages(
        uploads=studio.uploads(request),
        prepare=lambda readings: studio.prepare(request, readings),
        turn=studio.paint,
        finish=studio.finish,
        shared=SharedTurn(studio.share_key, studio.paint_together),
    )


def style_stages(studio: StylizeRoom, request: pb.EncodeStyleRequest) -> Stages:
    return Stages(
        uploads=(studio.style_upload(request),),
        prepare=lambda readings: readings[0],
        turn=studio.encode_style,
        finish=studio.finish_style,
    )


def sheet_stages(studio: StylizeRoom, request: pb.StyleSheetRequest) -> Stages:
    """Raises `BadOption`."""
    return Stages(
        uploads=studio.sheet_uploads(request),
        prepare=lambda readings: studio.prepare_sheet(request, readings),
        turn=studio.paint_sheet,
        finish=studio.finish_sheet,
    )


def see_stages(studio: StylizeRoom, request: pb.SeeRequest) -> Stages:
    return Stages(
        uploads=(studio.see_upload(request),),
        prepare=lambda readings: studio.prepare_see(readings[0]),
        turn=studio.look,
        finish=studio.finish_see,
    )


def jazz_stages(combo: JazzRoom, request: pb.PlayRequest | pb.RenderRequest) -> Stages:
    """Raises `CallerError`s about the request's options."""
    bars = float(request.bars or 12) if isinstance(request, pb.PlayRequest) else 1.0
    share = SOLO_SHARE if isinstance(request, pb.PlayRequest) else PERFORMING_SHARE
    return Stages(
        uploads=combo.uploads(request),
        prepare=lambda readings: combo.heard(request, readings),
        turn=lambda heard, progress: combo.improvise(request, heard, _part(progress, 0.0, share)),
        finish=lambda work, progress: combo.finish(work, _part(progress, share, 1.0)),
        size=bars,
    )


def _part(progress: Progress, start: float, end: float) -> Progress:
    """The part start..end of a whole job."""
    return lambda stage, fraction: progress(stage, start + (end - start) * fraction)

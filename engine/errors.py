"""Errors that the engine answers with.

    EngineError
    ├── CallerError            the request is at fault; sending it again won't help
    │   ├── BadPicture         not a picture, cut off, empty, or a format that we don't read
    │   ├── PictureTooLarge    more pixels or bytes than the settings allow
    │   ├── UnknownStyle
    │   ├── BadChords          a chord symbol that does not parse; the sentence names it and its place
    │   ├── BadOption          a number out of range, an unknown instrument, form, key, feel or topic
    │   │   └── StaleStyle     a saved style's code from other weights; its picture has to be encoded again
    │   ├── BadMidi            no notes, too long, or not a MIDI file
    │   ├── BadAudio           silent, too long, or not audio
    │   └── BadNotes           course notes that can't be read, or hold no text
    ├── Cancelled              the caller closed the stream or cancelled the job
    └── EngineFault            the engine is at fault
        ├── QueueFull          trying again later helps
        ├── OutOfMemory        even the smallest tiles didn't fit
        ├── OtherContract      bot and engine are of versions that don't understand each other
        ├── Restarting        the engine starts anew; the same request will do in a minute
        └── Internal           anything else; the details are in the engine's log

Each message is one plain sentence that a member may read.
"""

from __future__ import annotations

from typing import ClassVar


class EngineError(Exception):
    """Base of the tree; `code` crosses the wire in the trailing metadata `woodshed-error`, `status` as gRPC's own."""

    code: ClassVar[str] = "internal"
    status: ClassVar[str] = "INTERNAL"


class CallerError(EngineError):
    """The request is at fault."""

    code = "bad_request"
    status = "INVALID_ARGUMENT"


class BadPicture(CallerError):
    code = "bad_picture"


class PictureTooLarge(CallerError):
    code = "picture_too_large"


class UnknownStyle(CallerError):
    code = "unknown_style"
    status = "NOT_FOUND"


class BadChords(CallerError):
    code = "bad_chords"


class BadOption(CallerError):
    code = "bad_option"


class StaleStyle(BadOption):
    code = "stale_style"


class BadMidi(CallerError):
    code = "bad_midi"


class BadAudio(CallerError):
    code = "bad_audio"


class BadNotes(CallerError):
    code = "bad_notes"


class Cancelled(EngineError):
    """Raised inside a job by its `progress` callback once the caller has gone or has cancelled."""

    code = "cancelled"
    status = "CANCELLED"


class EngineFault(EngineError):
    """The engine is at fault."""


class QueueFull(EngineFault):
    code = "queue_full"
    status = "RESOURCE_EXHAUSTED"


class OutOfMemory(EngineFault):
    code = "out_of_memory"
    status = "RESOURCE_EXHAUSTED"


class Restarting(EngineFault):
    code = "restarting"
    status = "UNAVAILABLE"


class OtherContract(EngineFault):
    code = "other_contract"
    status = "FAILED_PRECONDITION"


class Internal(EngineFault):
    code = "internal"

"""The bytes of a Standard MIDI File as people really have them: chunks and events, leniently, in one pass.

Counts and lengths in the file are not believed, and chunks and events that nobody needs are skipped, whatever they
hold. The format: Standard MIDI Files 1.0 (MIDI Manufacturers Association, RP-001).
"""

from __future__ import annotations

import unicodedata
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from engine.errors import BadMidi

MAX_BYTES = 2 * 2**20
"""Ten hours of six notes a second, at four bytes for each start and each end. What is larger is not parsed at all."""
MAX_EVENTS = 400_000
MAX_NOTES = 50_000
MAX_TRACKS = 1024
MAX_TEXTS = 20_000
MAX_TEXT_LENGTH = 200
MAX_TICKS = 2**40
DEFAULT_TEMPO = 500_000
DRUM_CHANNEL = 9

_DATA_BYTES = {0x8: 2, 0x9: 2, 0xA: 2, 0xB: 2, 0xC: 1, 0xD: 1, 0xE: 2}
_SYSTEM_BYTES = {0xF1: 1, 0xF2: 2, 0xF3: 1}
_ALL_OFF = (120, 123)
"""Controllers: all sound off, all notes off."""
_GS_RHYTHM = bytes((0x41, 0x42, 0x12, 0x40, 0x15))
"""Of Roland GS's SysEx "use for rhythm part": maker, model, command, and two parts of the address."""


@dataclass(slots=True)
class SmfTrack:
    """Everything of a track that music needs; times in ticks from the beginning of the file.

    `notes`: (start, end, channel, pitch, velocity). `tempi`: (tick, microseconds a quarter note). `metres`: (tick,
    numerator, denominator). `texts`: (tick, text) of text events. `programs`: by channel."""

    name: str = ""
    notes: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    tempi: list[tuple[int, int]] = field(default_factory=list)
    metres: list[tuple[int, int, int]] = field(default_factory=list)
    texts: list[tuple[int, str]] = field(default_factory=list)
    programs: dict[int, int] = field(default_factory=dict)
    drum_channels: set[int] = field(default_factory=lambda: {DRUM_CHANNEL})
    end: int = 0


@dataclass(slots=True)
class Smf:
    """A parsed file. `per_beat`: ticks of a quarter note. In a file of format 2 its songs stand one after the other."""

    per_beat: int
    tracks: list[SmfTrack]


def parse_smf(data: bytes) -> Smf:
    """Raises `BadMidi`: not MIDI, damaged or cut off, counted in film frames, or beyond the limits above."""
    data = _unwrapped(data)
    if len(data) > MAX_BYTES:
        raise BadMidi(
            f"That MIDI file is larger than {MAX_BYTES // 2**20} MiB, which is enough for ten hours of piano and the "
            "most that I can read."
        )
    header = int.from_bytes(data[4:8], "big")
    song_format, division = (int.from_bytes(data[at : at + 2], "big") for at in (8, 12))
    if division & 0x8000:
        raise BadMidi("That MIDI file counts time in film frames, not in beats. Export it with a tempo.")
    if len(data) < 14 or not division:
        raise BadMidi("That MIDI file is damaged or cut off.")
    parser = _Parser(data)
    tracks = list(parser.tracks(8 + header if 6 <= header <= 1024 else 14))
    if not tracks:
        raise BadMidi("That MIDI file is damaged or cut off.")
    if song_format == 2:
        _one_after_the_other(tracks, 4 * division)
    return Smf(division, tracks)


def _unwrapped(data: bytes) -> bytes:
    """The MIDI file inside of what it came in: a RIFF file (RMID), MacBinary's 128 bytes."""
    if not data:
        raise BadMidi("That file is empty.")
    if data.startswith(b"MThd"):
        return data
    if data[128:132] == b"MThd":
        return data[128:]
    start = data.find(b"MThd", 0, 4096) if data.startswith(b"RIFF") else -1
    if start < 0:
        raise BadMidi("That is not a MIDI file.")
    size = int.from_bytes(data[start - 4 : start], "little") if data[max(0, start - 8) : start - 4] == b"data" else 0
    return data[start : start + size] if size else data[start:]


def _one_after_the_other(tracks: list[SmfTrack], bar: int) -> None:
    """Move the tracks of a file of format 2, each a song of its own: each begins when the one before is over."""
    begin = 0
    for track in tracks:
        track.notes = [(start + begin, end + begin, *rest) for start, end, *rest in track.notes]  # type: ignore[misc]
        track.tempi = [(tick + begin, tempo) for tick, tempo in track.tempi]
        track.metres = [(tick + begin, *metre) for tick, *metre in track.metres]  # type: ignore[misc]
        track.texts = [(tick + begin, text) for tick, text in track.texts]
        track.end += begin
        begin = -(-track.end // bar) * bar


class _CutOff(Exception):
    """The file ends in the middle of an event."""


class _Parser:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.events = self.notes = self.texts = 0

    def tracks(self, at: int) -> Iterator[SmfTrack]:
        """The tracks from byte `at` on; other chunks are skipped."""
        data, count = self.data, 0
        while at + 8 <= len(data):
            name, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "big")
            if name == b"MTrk":
                count += 1
                if count > MAX_TRACKS:
                    raise BadMidi(f"That MIDI file has more than {MAX_TRACKS} tracks. Export the melody alone.")
                track, at = self._track(at + 8, at + 8 + length)
                yield track
            elif name.isalnum() and name.isascii() and at + 8 + length <= len(data):
                at += 8 + length
            else:
                at = data.find(b"MTrk", at + 1)
                if at < 0:
                    return

    def _track(self, at: int, declared_end: int) -> tuple[SmfTrack, int]:
        """The track whose events begin at byte `at`, and where the next chunk may begin."""
        data = self.data
        believed = declared_end == len(data) or data[declared_end : declared_end + 4].isalnum()
        following = data.find(b"MTrk", at)
        limit = declared_end if believed else following if following >= 0 else len(data)
        reader = _TrackReader(self)
        try:
            stop, ended = reader.read(at, min(limit, len(data)))
        except _CutOff as error:
            if limit < len(data):  # the next track is still there
                return reader.finished(), limit
            raise BadMidi("That MIDI file is damaged or cut off.") from error
        if not ended and declared_end > len(data):
            raise BadMidi("That MIDI file is damaged or cut off.")
        return reader.finished(), declared_end if believed else stop


class _TrackReader:
    """Reads one track's events. A note that nobody ends is over when the next of its channel begins."""

    def __init__(self, parser: _Parser) -> None:
        self.parser = parser
        self.track = SmfTrack()
        self.open: dict[int, deque[tuple[int, int]]] = {}
        """Sounding notes by channel * 128 + pitch: (start, velocity), the first to begin first."""
        self.now = 0

    def read(self, at: int, limit: int) -> tuple[int, bool]:
        """Read events up to byte `limit`; returns where it stopped, and whether the track said that it ends there.

        Raises `_CutOff`, `BadMidi`."""
        data, status, now, events = self.parser.data, 0, 0, self.parser.events
        try:
            while at < limit:
                delta = data[at]
                at += 1
                if delta & 0x80:
                    delta, at = _variable(data, at - 1)
                now += delta
                byte = data[at]
                events += 1
                if events > MAX_EVENTS or now > MAX_TICKS:
                    raise BadMidi(f"That MIDI file holds more than {MAX_EVENTS:,} events. Send a shorter excerpt.")
                if byte >= 0xF0:
                    at, ended = self._system(byte, at + 1, now)
                    if ended:
                        return at, True
                    continue
                if byte & 0x80:
                    status = byte
                    at += 1
                elif not status:
                    at += 1  # a data byte that belongs to nothing
                    continue
                kind, channel = status >> 4, status & 0x0F
                if kind == 0x9 and data[at + 1]:
                    self._begin(now, channel, data[at] & 0x7F, data[at + 1] & 0x7F or 127)
                elif kind in (0x8, 0x9):
                    self._end(now, channel * 128 + (data[at] & 0x7F))
                elif kind == 0xB and data[at] in _ALL_OFF:
                    self._end_all(now, channel)
                elif kind == 0xC:
                    self.track.programs.setdefault(channel, data[at] & 0x7F)
                at += _DATA_BYTES[kind]
        except IndexError as error:
            raise _CutOff from error
        finally:
            self.now = self.track.end = now
            self.parser.events = events
        if at > limit:
            raise _CutOff
        return at, False

    def _begin(self, now: int, channel: int, pitch: int, velocity: int) -> None:
        self.parser.notes += 1
        if self.parser.notes > MAX_NOTES:
            raise BadMidi(f"That MIDI file holds more than {MAX_NOTES:,} notes. Send a shorter excerpt.")
        self.open.setdefault(channel * 128 + pitch, deque()).append((now, velocity))

    def _end(self, now: int, key: int) -> None:
        sounding = self.open.get(key)
        if sounding:
            start, velocity = sounding.popleft()
            self.track.notes.append((start, max(now, start + 1), key // 128, key % 128, velocity))

    def _end_all(self, now: int, channel: int) -> None:
        for key in [key for key, sounding in self.open.items() if sounding and key // 128 == channel]:
            while self.open[key]:
                self._end(now, key)

    def _system(self, byte: int, at: int, now: int) -> tuple[int, bool]:
        """A SysEx, meta event or other system message from byte `at` on: where it ends, and whether the track does."""
        data, track = self.parser.data, self.track
        if byte not in (0xF0, 0xF7, 0xFF):
            return at + _SYSTEM_BYTES.get(byte, 0), False
        kind = -1
        if byte == 0xFF:
            kind = data[at]
            at += 1
        length, at = _variable(data, at)
        body, at = data[at : at + length], at + length
        if kind == 0x2F:
            return at, True
        if at > len(data):
            raise _CutOff
        if kind == 0x51 and length >= 3:
            track.tempi.append((now, int.from_bytes(body[:3], "big") or DEFAULT_TEMPO))
        elif kind == 0x58 and length >= 2 and body[1] <= 7:
            track.metres.append((now, body[0], 2 ** body[1]))
        elif kind == 0x03:
            track.name = track.name or name_of(body)
        elif kind == 0x01:
            self.parser.texts += 1
            text = decoded(body[:MAX_TEXT_LENGTH])
            if text and self.parser.texts <= MAX_TEXTS:
                track.texts.append((now, text))
        elif byte == 0xF0 and length >= 9 and body[0:1] + body[2:5] + body[6:7] == _GS_RHYTHM:
            channel = (DRUM_CHANNEL, *range(DRUM_CHANNEL), *range(DRUM_CHANNEL + 1, 16))[body[5] & 0x0F]
            (track.drum_channels.add if body[7] else track.drum_channels.discard)(channel)
        return at, False

    def finished(self) -> SmfTrack:
        """The track, with an end for the notes that have none; a pitch that is struck again has ended before."""
        left = [(key, note) for key, sounding in self.open.items() for note in sounding]
        begins: dict[int, set[int]] = {}
        for start, _, channel, *_ in self.track.notes:
            begins.setdefault(channel, set()).add(start)
        for key, (start, _) in left:
            begins.setdefault(key // 128, set()).add(start)
        after = {channel: _ends(sorted(starts)) for channel, starts in begins.items()}
        for key, (start, velocity) in left:
            self.track.notes.append((start, after[key // 128][start], key // 128, key % 128, velocity))
        struck: dict[tuple[int, int], int] = {}
        cut = []
        for start, end, channel, pitch, velocity in sorted(self.track.notes, reverse=True):
            again = struck.get((channel, pitch), end)
            cut.append((start, min(end, again) if again > start else end, channel, pitch, velocity))
            struck[channel, pitch] = start
        self.track.notes = cut[::-1]
        return self.track


def _ends(starts: list[int]) -> dict[int, int]:
    """Where notes without an end are over that begin at these ticks: at the next one, and the last lasts like the
    one before it."""
    gaps = [later - start for start, later in pairwise(starts)]
    return {start: start + gap for start, gap in zip(starts, [*gaps, *(gaps[-1:] or [1])], strict=True)}


def _variable(data: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, at most four bytes of it, and where it ends."""
    value = 0
    for _ in range(4):
        byte = data[at]
        at += 1
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            break
    return value, at


def decoded(body: bytes) -> str:
    """Text in UTF-8, else in Latin-1, without control characters and the spaces around."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        whole = error.start if len(body) - error.start < 4 and error.end == len(body) else 0  # cut within a letter
        text = body[:whole].decode("utf-8") if whole else body.decode("latin-1")
    return " ".join("".join(" " if unicodedata.category(letter)[0] in "CZ" else letter for letter in text).split())


MAX_NAME_LENGTH = 60
_MARKUP = str.maketrans({**dict.fromkeys("*`~|\\<>[]@", None), "_": " "})


def name_of(body: bytes) -> str:
    """A track's name, without the signs that chat would take for markup or a mention."""
    return " ".join(decoded(body[:MAX_TEXT_LENGTH]).translate(_MARKUP).split())[:MAX_NAME_LENGTH].strip()

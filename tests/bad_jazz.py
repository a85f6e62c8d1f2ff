"""What people hand in by mistake: MIDI and recordings that cannot become a clip, each with words of its refusal."""

from __future__ import annotations

import functools
import io
import random
from collections.abc import Callable

import av
import mido
import numpy as np

HOUR_BEATS = 7200
"""Quarter notes of an hour at 120 bpm."""


def midi_file(notes: list[tuple[float, float, int]], *, channel: int = 0, metre: tuple[int, int] = (4, 4)) -> bytes:
    """One track at 120 bpm of (onset, duration, pitch) in quarter notes."""
    file = mido.MidiFile(ticks_per_beat=480)
    track = mido.MidiTrack([mido.MetaMessage("time_signature", numerator=metre[0], denominator=metre[1])])
    events = [(onset, 1, mido.Message("note_on", channel=channel, note=pitch)) for onset, _, pitch in notes]
    events += [
        (onset + length, 0, mido.Message("note_off", channel=channel, note=pitch)) for onset, length, pitch in notes
    ]
    now = 0
    for beat, _, message in sorted(events, key=lambda event: event[:2]):
        track.append(message.copy(time=round(beat * 480) - now))
        now = round(beat * 480)
    file.tracks.append(track)
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def tune(bars: int = 8) -> list[tuple[float, float, int]]:
    return [(i / 2 + 0.03 * (i % 3), 0.4, 62 + i * 5 % 12) for i in range(8 * bars)]


def mash() -> list[tuple[float, float, int]]:
    draw = random.Random(0)
    return [(i / 2, 4.0, pitch) for i in range(60) for pitch in draw.sample(range(36, 90), 9)]


@functools.lru_cache(maxsize=8)
def recording(seconds: float, level: float = 0.0, container: str = "flac", rate_hz: int = 8000) -> bytes:
    """A hum, or silence, as an audio file; mono, 16 bit."""
    buffer = io.BytesIO()
    samples = max(1, int(seconds * rate_hz))
    with av.open(buffer, "w", format=container) as file:
        stream = file.add_stream("flac" if container == "flac" else "pcm_s16le", rate=rate_hz, layout="mono")
        for start in range(0, samples, 1 << 20):
            at = np.arange(start, min(samples, start + (1 << 20)))
            wave = (level * 32767 * np.sin(at * 0.3)).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(wave[None, :], format="s16", layout="mono")
            frame.sample_rate, frame.pts = rate_hz, start
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return buffer.getvalue()


@functools.lru_cache(maxsize=1)
def silent_film() -> bytes:
    """A video without a sound track."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), dtype=np.uint8))))
        container.mux(stream.encode(None))
    return buffer.getvalue()


BAD_MIDI: dict[str, tuple[Callable[[], bytes], str]] = {
    "not MIDI": (lambda: b"MThis is a letter", "not a MIDI file|neither audio nor MIDI"),
    "no notes": (lambda: midi_file([]), "no notes"),
    "drums only": (lambda: midi_file(tune(), channel=9), "only drums"),
    "polyphonic mash": (lambda: midi_file(mash()), "melody"),
    "10 h long": (lambda: midi_file([(0, 10 * HOUR_BEATS, 60)]), "long|hours"),
    "truncated": (lambda: midi_file(tune())[:200], "damaged or cut off"),
    "in 5/4": (lambda: midi_file(tune(), metre=(5, 4)), "4/4"),
}
BAD_AUDIO: dict[str, tuple[Callable[[], bytes], str]] = {
    "silence": (lambda: recording(5.0), "silent"),
    "one sample": (lambda: recording(0.0, 0.5, "wav"), "no sound|shorter than a second"),
    "3 h long": (lambda: recording(3 * 3600.0, rate_hz=1000), "3.0 hours"),
    "a film without sound": (silent_film, "no sound track"),
    "truncated": (lambda: recording(5.0, 0.5)[:20], "neither audio nor MIDI|no sound|no audio"),
    "not audio": (lambda: b"a letter " * 50, "neither audio nor MIDI"),
}
BAD_OPTIONS = (
    ({"chords": "Dm7 H13 Cmaj7"}, r"“H13” \(chord 2, bar 2\)"),
    ({"chords": "Dm7 | G7 Xyz"}, r"“Xyz” \(chord 3, bar 2\)"),
    ({"chords": "|||"}, "no chords"),
    ({"chords": "C7 " * 70}, "70 bars; I play 64"),
    ({"bars": 65}, "2 to 64 bars, not 65"),
    ({"instrument": "kazoo"}, "kazoo"),
    ({"form": "sonata"}, "sonata"),
    ({"key": "H", "form": "blues"}, "the key “H”"),
    ({"feel": "polka"}, "polka"),
    ({"style": "be-bop"}, "“be-bop”. Choose one of these: bebop, cool"),
    ({"metre": "3/4", "form": "bossa"}, "in 4/4"),
    ({"chords": "C7", "form": "blues"}, "not both"),
)

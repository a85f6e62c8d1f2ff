"""Score -> sound: SoundFont voices by stems, a small room, one mix, one loudness, OGG/Opus.

Every clip of the club goes through `finish`, whoever played it: 48 kHz stereo, -16 LUFS (ITU-R BS.1770), true peak at
most -1 dBTP, the same encoder. The same score gives the same bytes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tinysoundfont
from numpy.typing import NDArray

from engine.contract.configuration import ConfigurationError
from engine.jazz.rendering.loudness import integrated_lufs
from engine.jazz.rendering.samples import RATE_HZ, Stereo
from engine.jazz.theory.instruments import (
    BASS_PROGRAM,
    BRUSH_KIT,
    JAZZ_KIT,
    STANDARD_KIT,
    comping_program,
    find_instrument,
)
from engine.jazz.theory.score import PARTS, Note, Score

TAIL_S = 5.0
"""What may ring on after the last note: releases, cymbal, room. `ring_out` keeps as much of it as can be heard."""
QUIET_DB = -60.0
"""Below the loudest 20 ms: inaudible after music."""

SOUNDFONT_FOLDERS = ("/usr/share/sounds/sf3", "/usr/share/sounds/sf2", "/usr/share/soundfonts",
                     "/usr/local/share/soundfonts", "/opt/homebrew/share/soundfonts")  # fmt: skip
PREFERRED_SOUNDFONTS = ("MuseScore_General_Full.sf2", "MuseScore_General_HQ.sf3", "MuseScore_General.sf2",
                        "MuseScore_General.sf3", "MuseScore_General_Lite.sf3", "FluidR3_GM.sf2", "FluidR3Mono_GM.sf3",
                        "default-GM.sf3", "default-GM.sf2", "TimGM6mb.sf2")  # fmt: skip


Room = Callable[[Stereo], Stereo]
"""What a room answers to the sound that is sent into it; as long as that. `engine.jazz.rendering.room` has one."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a part stands in the mix: `gain_db`, `pan` (-1 left .. 1 right), `room` (share sent to the reverb)."""

    gain_db: float
    pan: float
    room: float


MIX = {
    "solo": Place(0.0, 0.08, 0.20),
    "bass": Place(-4.0, -0.12, 0.08),
    "comping": Place(-8.0, 0.38, 0.20),
    "drums": Place(-7.0, -0.30, 0.16),
}
STEM_LUFS = -20.0
"""Loudness that each stem is brought to before its gain: SoundFonts differ in how loud their voices are."""


def find_soundfont(configured: str = "") -> Path:
    """The SoundFont in use: the configured one, else the best known one on the machine, else pretty_midi's own.

    Raises `ConfigurationError` when the configured file does not exist."""
    if configured:
        path = Path(configured).expanduser()
        if not path.is_file():
            raise ConfigurationError(f"'jazz.soundfont' names {configured}, but there is no such file.")
        return path
    found = {path.name: path for folder in SOUNDFONT_FOLDERS for path in sorted(Path(folder).glob("*.sf[23]"))}
    for name in PREFERRED_SOUNDFONTS:
        if name in found:
            return found[name]
    if found:
        return max(found.values(), key=lambda path: path.stat().st_size)
    import pretty_midi  # only for the file that it brings along

    return Path(pretty_midi.__file__).parent / "TimGM6mb.sf2"


class Synthesizer:
    """Renders scores with one SoundFont, loaded once. Threads that need it at the same time wait for each other."""

    def __init__(self, soundfont: Path) -> None:
        """Raises `ConfigurationError` for a file that is no SoundFont."""
        self.soundfont = soundfont
        self._turn = threading.Lock()
        self._synth = tinysoundfont.Synth(samplerate=RATE_HZ, gain=-6.0)
        try:
            self._sfid = self._synth.sfload(str(soundfont), max_voices=128)
        except RuntimeError as error:
            raise ConfigurationError(f"'jazz.soundfont' names {soundfont}, which is not a SoundFont.") from error

    @property
    def name(self) -> str:
        return self.soundfont.resolve().name

    def kit(self, brushes: bool) -> int:
        """The kit's program: brushes or jazz sticks where the SoundFont has them, else its standard kit."""
        wanted = BRUSH_KIT if brushes else JAZZ_KIT
        for program in (wanted, JAZZ_KIT, STANDARD_KIT):
            if self._synth.sfpreset_name(self._sfid, 128, program) is not None:
                return program
        return STANDARD_KIT

    def stems(self, score: Score, brushes: bool, step: Callable[[float], None]) -> dict[str, Stereo]:
        """Each part alone, dry, (N, 2), all of the same length. `step` is called with 0..1 as it goes."""
        soloist = find_instrument(score.instrument)
        programs = {"solo": soloist.program, "bass": BASS_PROGRAM, "comping": comping_program(soloist)}
        last = max((n.onset + n.duration for notes in score.parts.values() for n in notes), default=score.beats)
        length = int((score.seconds(max(last, score.beats)) + TAIL_S) * RATE_HZ)
        sounding = [part for part in PARTS if score.parts.get(part)]
        stems = {}
        with self._turn:
            for index, part in enumerate(sounding):
                self._synth.sounds_off()
                if part == "drums":
                    self._synth.program_select(0, self._sfid, 128, self.kit(brushes), True)
                else:
                    self._synth.program_select(0, self._sfid, 0, programs[part], False)
                done = index / len(sounding)
                share = 1 / len(sounding)
                along = lambda f, d=done, s=share: step(d + f * s)  # noqa: E731
                stems[part] = self._part(score, score.parts[part], length, along)
        return stems

    def _part(self, score: Score, notes: tuple[Note, ...], length: int, step: Callable[[float], None]) -> Stereo:
        events: list[tuple[int, int, int, int]] = []  # sample, 0 off / 1 on, pitch, velocity
        for note in notes:
            start = max(0, round(score.seconds(note.onset) * RATE_HZ))
            stop = max(start + 64, round(score.seconds(note.onset + note.duration) * RATE_HZ))
            events.append((start, 1, note.pitch, note.velocity))
            events.append((stop, 0, note.pitch, 0))
        events.sort()
        self._synth.generate(512)  # let the last part's voices die
        pieces: list[NDArray[np.float32]] = []
        now = 0
        for index, (sample, on, pitch, velocity) in enumerate(events):
            if sample > now:
                pieces.append(self._generate(min(sample, length) - now))
                now = min(sample, length)
            if on:
                self._synth.noteon(0, pitch, velocity)
            else:
                self._synth.noteoff(0, pitch)
            if index % 64 == 0:
                step(index / len(events))
        if now < length:
            pieces.append(self._generate(length - now))
        return np.concatenate(pieces)[:length].reshape(-1, 2)

    def _generate(self, samples: int) -> NDArray[np.float32]:
        block: NDArray[np.float32] = np.frombuffer(self._synth.generate(samples), dtype=np.float32).reshape(-1, 2)
        return block.copy()


def mix(stems: dict[str, Stereo], room: Room) -> Stereo:
    """Stems -> one stereo signal in one small room (not yet at its final loudness)."""
    dry: Stereo | None = None
    send: Stereo | None = None
    for part, stem in stems.items():
        place = MIX[part]
        gain = 10 ** ((place.gain_db + STEM_LUFS - _loudness(stem)) / 20)
        placed = _pan(stem, place.pan) * np.float32(gain)
        dry = placed if dry is None else dry + placed
        sent = placed * np.float32(place.room)
        send = sent if send is None else send + sent
    if dry is None or send is None:
        return np.zeros((RATE_HZ, 2), dtype=np.float32)
    return dry + room(send)


def ring_out(signal: Stereo) -> Stereo:
    """The signal up to where it has died away; what still sounds at its very end fades over the last half second."""
    frame = RATE_HZ // 50
    blocks = signal[: len(signal) // frame * frame].reshape(-1, frame * 2).astype(np.float64)
    power = (blocks**2).mean(axis=1)
    sounding = np.flatnonzero(power > power.max(initial=0.0) * 10 ** (QUIET_DB / 10))
    if not len(sounding):
        return signal
    end = min(len(signal), (int(sounding[-1]) + 3) * frame)
    rung = signal[:end].copy()
    fade = RATE_HZ // 2
    if end > len(signal) - fade:
        rung[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)[:, None] ** 2
    return rung


def _pan(stem: Stereo, pan: float) -> Stereo:
    """Constant-power panning of the stem's middle; its own width is kept at half."""
    angle = (pan + 1) * np.pi / 4
    middle = stem.mean(axis=1)
    side = (stem[:, 0] - stem[:, 1]) * 0.25
    left = middle * np.cos(angle) * np.sqrt(2) + side
    right = middle * np.sin(angle) * np.sqrt(2) - side
    panned: Stereo = np.stack([left, right], axis=1).astype(np.float32)
    return panned


def _loudness(stem: Stereo) -> float:
    measured = integrated_lufs(stem)
    return measured if np.isfinite(measured) else STEM_LUFS

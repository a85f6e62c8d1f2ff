"""The jazz room's one door: requests of the contract in, clips out.

A clip takes three steps: `read` what was uploaded (a process apart does that in the server), `improvise` (the device
turn: networks only), `finish` (band, sound, pictures; on other threads, while the device already has the next job).
"""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import structlog
import torch

from engine.contract import engine_pb2 as pb
from engine.contract.configuration import ConfigurationError
from engine.contract.limits import MAX_TEMPO_BPM, MIN_BARS, MIN_TEMPO_BPM
from engine.device import one_thread
from engine.errors import BadMidi
from engine.jazz.corpus.solos import STYLES
from engine.jazz.finishing.process import Died, FinishingProcess
from engine.jazz.finishing.work import Work
from engine.jazz.human_solo import check_duration, perform
from engine.jazz.importing.intake import phrase_of, piece_of, read_midi_upload, read_sound_upload
from engine.jazz.importing.midi_file import Piece
from engine.jazz.importing.pieces import PIECES
from engine.jazz.machine_solo import improvise
from engine.jazz.model.weights_file import load_weights
from engine.jazz.playing.soloist import Soloist
from engine.jazz.rendering.render import Synthesizer, find_soundfont
from engine.jazz.rendering.room import CPU, in_room
from engine.jazz.rendering.samples import Stereo
from engine.jazz.theory.feel import FEELS
from engine.jazz.theory.form import FORM_NAMES
from engine.jazz.theory.instruments import SOLOISTS
from engine.jazz.theory.keys import KEYS
from engine.progress import Progress, silent
from engine.settings import JazzSettings
from engine.uploads import MIDI, SOUND, Reading, Upload

log = structlog.get_logger(__name__)

MAX_DRAWN_SEED = 2**32
MAX_PHRASE_S = 120.0
TURN, FINISHING = 0.7, 0.3
"""Shares of the whole that the device turn and the finishing of a clip take, about."""


class Combo:
    """Soloist, rhythm section and sound. `improvise` is for one thread at a time: the scheduler lends it to one job.
    `finish` is for any."""

    def __init__(self, device: torch.device, settings: JazzSettings) -> None:
        self.device = device
        self.settings = settings
        self._soundfont: Path = find_soundfont(settings.soundfont)
        if settings.candidate and not Path(settings.candidate).expanduser().is_file():
            raise ConfigurationError(f"'jazz.candidate' names {settings.candidate}, but there is no such file.")
        self._synthesizer: Synthesizer | None = None
        self._loading = threading.Lock()
        self._soloist: Soloist | None = None
        self._candidate: Soloist | None = None
        self.finisher: FinishingProcess | None = None
        """Where clips are finished; without one, on the thread that asks."""

    @property
    def soundfont(self) -> str:
        """File name of the SoundFont in use."""
        return self._soundfont.resolve().name

    @property
    def synthesizer(self) -> Synthesizer:
        with self._loading:
            if self._synthesizer is None:
                self._synthesizer = Synthesizer(self._soundfont)
            return self._synthesizer

    @property
    def soloist(self) -> Soloist:
        if self._soloist is None:
            self._soloist = Soloist(self.device)
        return self._soloist

    @property
    def candidate(self) -> Soloist | None:
        """The soloist that plays beside the first one, if the settings name its file. Raises `Internal` for a file that
        isn't one."""
        if self._candidate is None and self.settings.candidate:
            self._candidate = Soloist.of(load_weights(Path(self.settings.candidate).expanduser()), self.device)
        return self._candidate

    def soloist_of(self, version: str) -> Soloist:
        """Who plays under that version; the first soloist where nobody does."""
        candidate = self.candidate
        return candidate if candidate is not None and candidate.version == version else self.soloist

    def warm(self) -> None:
        """Load everything and play two real bars, so that the first member doesn't wait for it."""
        request = pb.PlayRequest(chords="Dm7 G7", tempo_bpm=240, instrument="tenor sax", seed=0, takes=1)
        self.play(request, silent)
        if self.candidate is not None:
            self.candidate.warm()

    def model(self) -> pb.Model:
        card = self.soloist.card
        paragraphs = [text.strip() for text in card.split("\n\n") if text.strip() and not text.lstrip().startswith("#")]
        return pb.Model(
            name="jazz",
            version=self.soloist.version,
            parameters=self.soloist.parameters,
            summary=paragraphs[0].replace("\n", " ") if paragraphs else "",
            card=card,
        )

    def options(self) -> pb.ListJazzOptionsReply:
        pieces = [
            pb.Piece(id=p.id, title=p.title, composer=p.composer, year=p.year, source=p.source) for p in PIECES.values()
        ]
        return pb.ListJazzOptionsReply(
            instruments=list(SOLOISTS),
            forms=list(FORM_NAMES),
            keys=[*KEYS, *(f"{key}m" for key in KEYS)],
            feels=list(FEELS),
            pieces=pieces,
            min_bars=MIN_BARS,
            max_bars=self.settings.max_bars,
            min_tempo_bpm=MIN_TEMPO_BPM,
            max_tempo_bpm=MAX_TEMPO_BPM,
            styles=STYLES,
            model_versions=[soloist.version for soloist in (self.soloist, self.candidate) if soloist is not None],
        )

    def play(self, request: pb.PlayRequest, progress: Progress) -> pb.Clip:
        """Improvise a clip, all steps in a row. Raises `BadChords`, `BadOption`, `BadMidi`, `Cancelled`."""
        return self._in_a_row(request, progress)

    def render(self, request: pb.RenderRequest, progress: Progress) -> pb.Clip:
        """A clip of somebody's MIDI file or recording, or of a piece that comes with music21, under the same
        conditions, all steps in a row. Raises `BadMidi`, `BadAudio`, `BadChords`, `BadOption`, `Cancelled`."""
        return self._in_a_row(request, progress)

    def _in_a_row(self, request: pb.PlayRequest | pb.RenderRequest, progress: Progress) -> pb.Clip:
        heard = self.read(request)
        work = self.improvise(request, heard, lambda stage, share: progress(stage, TURN * share))
        return self.finish(work, lambda stage, share: progress(stage, TURN + FINISHING * share))

    # ------------------------------------------------------------ step by step

    def read(self, request: pb.PlayRequest | pb.RenderRequest) -> Piece | Stereo | None:
        """What the request brings along, read in this process; None where it brings nothing.

        Raises `BadMidi`, `BadAudio`, `BadOption`."""
        readers = {MIDI: read_midi_upload, SOUND: read_sound_upload}
        readings = [readers[upload.kind](upload.data, upload.options, silent) for upload in self.uploads(request)]
        return self.heard(request, readings)

    def uploads(self, request: pb.PlayRequest | pb.RenderRequest) -> tuple[Upload, ...]:
        """The files of a request that intake reads; its options are checked first. Raises `BadMidi`, `BadOption`."""
        limit_s = self.settings.max_import_duration_s
        if isinstance(request, pb.PlayRequest):
            if not request.continue_from:
                return ()
            return (Upload(MIDI, self._checked(request.continue_from), {"max_duration_s": MAX_PHRASE_S}),)
        phrase_s = check_duration(request, self.settings)
        source = request.WhichOneof("source")
        if source == "audio":
            return (Upload(SOUND, self._checked(request.audio), {"max_duration_s": limit_s, "phrase_s": phrase_s}),)
        return (Upload(MIDI, self._checked(request.midi), {"max_duration_s": limit_s}),) if source == "midi" else ()

    def heard(self, request: pb.PlayRequest | pb.RenderRequest, readings: Sequence[Reading]) -> Piece | Stereo | None:
        """What the request brings along, from what was read of `uploads`. Raises `BadMidi`, `BadAudio`, `BadOption`."""
        if not readings:
            return None
        if isinstance(request, pb.RenderRequest) and request.WhichOneof("source") == "audio":
            return phrase_of(readings[0], check_duration(request, self.settings))
        return piece_of(readings[0])

    def improvise(
        self, request: pb.PlayRequest | pb.RenderRequest, heard: Piece | Stereo | None, progress: Progress
    ) -> Work:
        """The device turn. `heard`: what `read` returns. A request without a seed gets one.

        Raises `BadChords`, `BadOption`, `BadMidi`, `BadAudio`, `Cancelled`."""
        seed = request.seed if request.HasField("seed") else secrets.randbelow(MAX_DRAWN_SEED)
        with one_thread(self.device):
            if isinstance(request, pb.PlayRequest):
                phrase = heard if isinstance(heard, Piece) else None
                return improvise(request, seed, phrase, self.soloist_of(request.model_version), self.settings, progress)
            return perform(request, seed, heard, self.soloist, self.settings, progress)

    def finish(self, work: Work, progress: Progress) -> pb.Clip:
        """Band, sound and pictures of a clip. Raises `BadAudio` where it can't be made small enough, `Cancelled`."""
        started = time.monotonic()
        with one_thread(CPU):
            clip = self._finished(work, progress)
        clip.compute_s = work.compute_s + time.monotonic() - started
        progress("done", 1.0)
        return clip

    def _finished(self, work: Work, progress: Progress) -> pb.Clip:
        if self.finisher is not None:
            try:
                return self.finisher.finish(work, in_room, progress)
            except Died as error:
                log.warning("a clip is finished here, for the process that should is gone", why=str(error))
        from engine.jazz.finishing.clip import finish_clip  # with Matplotlib, which the engine starts without

        return finish_clip(work, self.synthesizer, progress, in_room)

    def finish_apart(self) -> None:
        """From now on finish clips in a process of their own, beside the next clip's networks."""
        self.finisher = FinishingProcess(self._soundfont)
        with contextlib.suppress(Died):  # the first clip tells
            self.finisher.start()

    def _checked(self, data: bytes) -> bytes:
        if len(data) > self.settings.max_upload_bytes:
            raise BadMidi(f"That file is larger than {self.settings.max_upload_bytes // 2**20} MiB.")
        return data

"""The jazz room's one door: requests of the contract in, clips out."""

from __future__ import annotations

import secrets
import time
from dataclasses import replace
from pathlib import Path

import torch

from engine.contract import engine_pb2 as pb
from engine.contract.limits import MAX_TEMPO_BPM, MIN_BARS, MIN_TEMPO_BPM
from engine.device import one_thread
from engine.errors import BadMidi, BadOption
from engine.jazz.band import weights as band_weights
from engine.jazz.band.section import accompany
from engine.jazz.human.importing import HumanSolo, human_score, phrase_to_answer, with_written_dynamics
from engine.jazz.human.melody import fit_range
from engine.jazz.human.midi_file import read_midi
from engine.jazz.human.pieces import PIECES, read_piece
from engine.jazz.human.recording import cut_phrase
from engine.jazz.model.tokens import POSITION_BEATS, Events
from engine.jazz.plan import Plan, check_tempo, make_plan
from engine.jazz.playing.soloist import Improvisation, Request, Soloist, styles
from engine.jazz.rendering.codec import decode
from engine.jazz.rendering.leadsheet import write_lead_sheet
from engine.jazz.rendering.midi import write_midi
from engine.jazz.rendering.render import Renderer, find_soundfont
from engine.jazz.rendering.roll import draw_roll, draw_spectrogram
from engine.jazz.rendering.sound import Finished, finish, play_score
from engine.jazz.theory.feel import FEELS
from engine.jazz.theory.form import FORM_NAMES, KEYS
from engine.jazz.theory.harmony import format_changes
from engine.jazz.theory.instruments import SOLOISTS, find_instrument
from engine.jazz.theory.score import ChordSpan, Note, Score, Section
from engine.progress import Progress
from engine.settings import JazzSettings

SOLOIST_FEELS = {"swing": "swing", "up": "swing", "modal": "swing", "ballad": "ballad", "bossa": "latin"}
"""The soloist's word for each of the band's feels."""
MAX_DRAWN_SEED = 2**32
MAX_PHRASE_S = 120.0
NOTATED = "The file is notated, not played: the notes are its own, time feel and dynamics the soloist network's."
ON_THE_GRID = (
    "The file is notated, not played: the notes and their loudness are its own, the time feel the soloist network's."
)


class Combo:
    """Soloist, rhythm section and sound. Not for two threads at a time: the scheduler lends it to one job."""

    def __init__(self, device: torch.device, settings: JazzSettings) -> None:
        self.device = device
        self.settings = settings
        self._soundfont: Path = find_soundfont(settings.soundfont)
        self._renderer: Renderer | None = None
        self._soloist: Soloist | None = None

    @property
    def soundfont(self) -> str:
        """File name of the SoundFont in use."""
        return self._soundfont.resolve().name

    @property
    def renderer(self) -> Renderer:
        if self._renderer is None:
            self._renderer = Renderer(self._soundfont)
        return self._renderer

    @property
    def soloist(self) -> Soloist:
        if self._soloist is None:
            self._soloist = Soloist(self.device)
        return self._soloist

    def warm(self) -> None:
        """Load everything and play two real bars, so that the first member doesn't wait for it."""
        request = pb.PlayRequest(chords="Dm7 G7", tempo_bpm=240, instrument="tenor sax", seed=0, takes=1)
        self.play(request, _unheard)

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
            styles=styles(),
        )

    # ------------------------------------------------------------ the machine plays

    def play(self, request: pb.PlayRequest, progress: Progress) -> pb.Clip:
        """Improvise a clip. Raises `BadChords`, `BadOption`, `BadMidi`, `Cancelled`."""
        with one_thread(self.device):
            return self._play(request, progress)

    def _play(self, request: pb.PlayRequest, progress: Progress) -> pb.Clip:
        started = time.monotonic()
        seed = request.seed if request.HasField("seed") else secrets.randbelow(MAX_DRAWN_SEED)
        band = band_weights.load()
        phrase = None
        if request.continue_from:
            self._check_size(len(request.continue_from))
            phrase = phrase_to_answer(
                read_midi(request.continue_from, MAX_PHRASE_S), request.chords, self.settings.max_bars
            )
        plan = make_plan(
            request, seed, self.settings.max_bars, self.settings.takes, band.chords,
            tempo_bpm=phrase.tempo_bpm if phrase else 0.0, chords=phrase.chords if phrase else "",
        )  # fmt: skip
        progress("reading the changes", 0.01)
        phrase_changes: tuple[ChordSpan, ...] = ()
        if phrase:
            phrase_changes = phrase.changes or _looped(plan.changes, phrase.bars)
        improvisation = self._improvise(request, plan, phrase.notes if phrase else (), phrase_changes, progress)
        solo, changes, sections, bars = improvisation.notes, plan.changes, plan.sections, plan.bars
        remarks = []
        if request.HasField("solo_seed"):
            solo, _ = fit_range(solo, find_instrument(plan.instrument))
        places = places_of(improvisation.events)
        if phrase:
            asked, _ = fit_range(phrase.notes, find_instrument(plan.instrument))
            lead = phrase.bars * 4.0
            answer = tuple(replace(note, onset=note.onset + lead) for note in solo)
            notated = dict(zip(answer, (place + lead for place in places), strict=False))
            solo = (*asked, *answer)
            changes = (*phrase_changes, *(replace(span, onset=span.onset + lead) for span in changes))
            sections = (Section(0.0, "your phrase"), Section(lead, "answer"))
            bars += phrase.bars
            remarks.append(f"Bars 1 to {phrase.bars} are the phrase that you handed in; then the soloist answers.")
        else:
            notated = dict(zip(solo, places, strict=False))
        progress("the band joins in", 0.72)
        score = accompany(
            band, solo, changes, sections, bars, plan.tempo_bpm, plan.feel, plan.instrument, seed,
            plan.beats_per_bar,
        )  # fmt: skip
        clip = self._clip(
            score, plan.feel.name == "ballad", request.max_bytes, lambda s, f: progress(s, 0.74 + 0.26 * f),
            plan.key, notated,
        )  # fmt: skip
        clip.seed = seed
        clip.bars = plan.bars
        clip.chords = format_changes(plan.changes, plan.beats_per_bar)
        clip.form, clip.key, clip.feel = plan.form, plan.key, plan.feel.name
        clip.style = plan.style
        clip.model_version = self.soloist.version
        clip.takes = improvisation.takes
        clip.longest_copied_run = improvisation.longest_copied_run
        clip.notes.extend(remarks)
        clip.compute_s = time.monotonic() - started
        progress("done", 1.0)
        return clip

    def _improvise(
        self,
        request: pb.PlayRequest,
        plan: Plan,
        phrase: tuple[Note, ...],
        phrase_changes: tuple[ChordSpan, ...],
        progress: Progress,
    ) -> Improvisation:
        """The solo. It answers `phrase` as the instrument that it is improvised on sounds it, over `phrase_changes`."""
        kept = request.HasField("solo_seed")
        instrument, tempo = plan.instrument, plan.tempo_bpm
        if kept and request.solo_instrument:
            instrument = find_instrument(request.solo_instrument).name
        if kept:
            tempo = check_tempo(request.solo_tempo_bpm) or tempo

        def bar_by_bar(_stage: str, share: float) -> None:
            bar = min(plan.bars, 1 + int(share * plan.bars))
            progress(f"bar {bar} of {plan.bars}", 0.02 + 0.70 * share)

        return self.soloist.improvise(
            plan.changes,
            bars=plan.bars,
            beats_per_bar=plan.beats_per_bar,
            tempo_bpm=tempo,
            instrument=instrument,
            style=plan.style,
            feel=SOLOIST_FEELS[plan.feel.name],
            seed=request.solo_seed if kept else plan.seed,
            takes=plan.takes,
            primer=fit_range(phrase, find_instrument(instrument))[0] if phrase else (),
            primer_changes=phrase_changes,
            progress=bar_by_bar,
        )

    def _clip(
        self, score: Score, brushes: bool, max_bytes: int, progress: Progress, key: str, notated: dict[Note, float]
    ) -> pb.Clip:
        """Everything of a clip that comes out of its score; `notated`: where notes of the solo stand on paper."""
        signal = play_score(self.renderer, score, brushes, self.device, lambda s, f: progress(s, 0.5 * f))
        finished = finish(signal, max_bytes, lambda s, f: progress(s, 0.5 + 0.35 * f))
        clip = _heard(finished)
        progress("drawing", 0.9)
        clip.midi = write_midi(score, self.renderer.kit(brushes))
        clip.roll = draw_roll(score)
        clip.lead_sheet = write_lead_sheet(score, key=key, notated=notated)
        clip.tempo_bpm = score.tempo_bpm
        clip.beats_per_bar = score.beats_per_bar
        clip.instrument = score.instrument
        clip.soundfont = self.soundfont
        return clip

    # ------------------------------------------------------------ people play

    def render(self, request: pb.RenderRequest, progress: Progress) -> pb.Clip:
        """A clip of somebody's MIDI, recording, or of a piece that comes with music21, under the same conditions.

        Raises `BadMidi`, `BadAudio`, `BadChords`, `BadOption`, `Cancelled`."""
        with one_thread(self.device):
            return self._render(request, progress)

    def _render(self, request: pb.RenderRequest, progress: Progress) -> pb.Clip:
        started = time.monotonic()
        seed = request.seed if request.HasField("seed") else secrets.randbelow(MAX_DRAWN_SEED)
        duration_s = request.max_duration_s or self.settings.clip_duration_s
        if not 1.0 < duration_s <= self.settings.max_import_duration_s:
            raise BadOption(
                f"A clip lasts between 1 and {self.settings.max_import_duration_s:g} s, not {duration_s:g}."
            )
        source = request.WhichOneof("source")
        progress("reading", 0.02)
        if source == "audio":
            clip = self._recording(request, duration_s, progress)
        elif source in ("midi", "piece_id"):
            clip = self._human_score(request, seed, duration_s, progress)
        else:
            raise BadMidi("There is nothing to play: hand in a MIDI file, a recording, or name a piece.")
        clip.seed = seed
        clip.soundfont = self.soundfont if source != "audio" else ""
        clip.compute_s = time.monotonic() - started
        progress("done", 1.0)
        return clip

    def _recording(self, request: pb.RenderRequest, duration_s: float, progress: Progress) -> pb.Clip:
        self._check_size(len(request.audio))
        signal = decode(request.audio, self.settings.max_import_duration_s)
        progress("finding the phrase", 0.4)
        phrase = cut_phrase(signal, duration_s)
        finished = finish(phrase, request.max_bytes, lambda s, f: progress(s, 0.5 + 0.4 * f))
        clip = _heard(finished)
        clip.roll = draw_spectrogram(decode(finished.audio, self.settings.max_import_duration_s))
        clip.instrument = find_instrument(request.instrument).name if request.instrument else ""
        return clip

    def _human_score(self, request: pb.RenderRequest, seed: int, duration_s: float, progress: Progress) -> pb.Clip:
        instrument = request.instrument
        if request.WhichOneof("source") == "piece_id":
            piece = read_piece(request.piece_id)
            instrument = instrument or PIECES[request.piece_id].instrument
        else:
            self._check_size(len(request.midi))
            piece = read_midi(request.midi, self.settings.max_import_duration_s)
        progress("finding the melody", 0.2)
        found = human_score(
            piece, request.chords, check_tempo(request.tempo_bpm), instrument, request.melody_track, seed, duration_s
        )
        solo, remarks = found.solo, found.remarks
        notated: dict[Note, float] = {}
        if found.notated:
            solo, remarks = self._performed(found, seed), (*remarks, ON_THE_GRID if found.dynamics else NOTATED)
            written = sorted(found.solo, key=lambda note: note.onset)
            notated = {note: text.onset for note, text in zip(solo, written, strict=True)}
        score = accompany(
            band_weights.load(), solo, found.changes, found.sections, found.bars, found.tempo_bpm, found.feel,
            found.instrument, seed, found.beats_per_bar,
        )  # fmt: skip
        clip = self._clip(
            score, found.feel.name == "ballad", request.max_bytes, lambda s, f: progress(s, 0.3 + 0.7 * f),
            found.key, notated,
        )  # fmt: skip
        clip.chords = format_changes(found.changes, found.beats_per_bar)
        clip.bars, clip.key, clip.feel = found.bars, found.key, found.feel.name
        clip.chords_estimated, clip.notated = found.estimated, found.notated
        clip.melody_track = found.track
        clip.tracks.extend(pb.Track(number=n, name=name, notes=notes) for n, name, notes in piece.tracks)
        clip.notes.extend(remarks)
        return clip

    def _performed(self, found: HumanSolo, seed: int) -> tuple[Note, ...]:
        """A notated solo as the soloist's rendition network plays it: the composer's notes, a player's time, and a
        player's dynamics where the file has none."""
        asked = Request(
            changes=found.changes,
            bars=found.bars,
            tempo_bpm=found.tempo_bpm,
            instrument=found.instrument,
            beats_per_bar=found.beats_per_bar,
            feel=SOLOIST_FEELS[found.feel.name],
        )
        played = self.soloist.perform(asked, found.solo, seed)
        return with_written_dynamics(played, found.solo) if found.dynamics else played

    def _check_size(self, size: int) -> None:
        if size > self.settings.max_upload_bytes:
            raise BadMidi(f"The file is larger than {self.settings.max_upload_bytes // 2**20} MiB.")


def places_of(events: Events | None) -> list[float]:
    """Where each note of an improvisation stands on paper, in beats from the first bar; nothing without its tokens."""
    if events is None:
        return []
    places: list[float] = (events.beat + POSITION_BEATS[events.position]).tolist()
    return places


def _heard(finished: Finished) -> pb.Clip:
    return pb.Clip(
        audio=finished.audio,
        duration_s=finished.duration_s,
        loudness_lufs=finished.loudness_lufs,
        true_peak_dbtp=finished.true_peak_dbtp,
    )


def _looped(changes: tuple[ChordSpan, ...], bars: int) -> tuple[ChordSpan, ...]:
    """The first `bars` bars of changes, round and round where they are shorter."""
    total = max(span.onset + span.beats for span in changes)
    looped: list[ChordSpan] = []
    start = 0.0
    while start < bars * 4:
        for span in changes:
            onset = start + span.onset
            if onset < bars * 4:
                looped.append(ChordSpan(onset, min(span.beats, bars * 4 - onset), span.symbol))
        start += total
    return tuple(looped)


def _unheard(stage: str, fraction: float) -> None:
    """Progress of a job that nobody waits for."""

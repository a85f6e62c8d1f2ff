"""The soloist as the band meets it: chords in, an improvised line out.

soloist = Soloist(device)
improvisation = soloist.improvise(changes, bars=12, tempo_bpm=180, instrument="tenor sax", seed=7)
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine.device import one_thread
from engine.jazz.corpus.solos import FEELS, INSTRUMENTS, STYLES
from engine.jazz.model.changes import Changes, changes_of_spans
from engine.jazz.model.excerpt import Setting
from engine.jazz.model.rendition_net import RenditionNet, RenditionShape
from engine.jazz.model.soloist_net import SoloistNet, SoloistShape
from engine.jazz.model.take_critic import TakeCritic
from engine.jazz.model.tokens import ADVANCES, decode, events_of_notes
from engine.jazz.model.weights_file import FILE_NAME, Weights, load_weights
from engine.jazz.playing.choosing import Choice
from engine.jazz.playing.copying import MAX_COPIED_RUN, KnownRuns
from engine.jazz.playing.performing import Interpreter, events_of_take
from engine.jazz.playing.request import Improvisation, Request
from engine.jazz.playing.sampling import ChangesTable, Heat, Improviser, Takes, excerpt_of_takes
from engine.jazz.theory.score import ChordSpan, Note
from engine.progress import Progress, silent

WEIGHTS_DIR = Path(__file__).parents[1] / "weights"
DEFAULT_TAKES = 16
MAX_REDRAWS = 3
COMPOSED = 0.7
"""Share of the work when the line is chosen and has still to be performed."""


class Soloist:
    """The networks on a device. Not safe for concurrent use: the engine's scheduler lends the device to one job."""

    def __init__(self, device: torch.device | str = "cpu", weights_dir: Path = WEIGHTS_DIR) -> None:
        self.device = torch.device(device)
        self._use(load_weights(Path(weights_dir) / FILE_NAME))
        card = Path(weights_dir) / "MODEL_CARD.md"
        self.card = card.read_text(encoding="utf-8") if card.exists() else ""

    @classmethod
    def of(cls, weights: Weights, device: torch.device | str = "cpu") -> Soloist:
        """A soloist from weights in memory (training, tests)."""
        soloist = cls.__new__(cls)
        soloist.device = torch.device(device)
        soloist._use(weights)
        soloist.card = ""
        return soloist

    def _use(self, weights: Weights) -> None:
        self.version = weights.version
        self.facts = weights.facts
        self.runs = KnownRuns(weights.runs)
        self.notes = SoloistNet(SoloistShape(**weights.shapes["notes"])).to(self.device)
        self.notes.load_state_dict(weights.networks["notes"])
        self.rendition = RenditionNet(RenditionShape(**weights.shapes["rendition"])).to(self.device)
        self.rendition.load_state_dict(weights.networks["rendition"])
        self.take_critic: TakeCritic | None = None
        if "takes" in weights.networks:
            self.take_critic = TakeCritic(weights.shapes["takes"])
            self.take_critic.load_state_dict(weights.networks["takes"])
        self.trust = float(weights.facts.get("trust", 1.0))
        self.notes.eval().requires_grad_(False)
        self.rendition.eval().requires_grad_(False)
        self.heat = Heat(**weights.facts.get("heat", {}))

    @property
    def parameters(self) -> int:
        """Number of weights of both networks."""
        return sum(weight.numel() for network in (self.notes, self.rendition) for weight in network.parameters())

    def warm(self) -> None:
        """One real solo, so that the first member doesn't wait for lazy initialisation."""
        self.improvise((ChordSpan(0.0, 4.0, "C7"),), bars=1, tempo_bpm=160.0, instrument="tenor sax", seed=0, takes=1)

    def improvise(
        self,
        changes: tuple[ChordSpan, ...],
        *,
        bars: int,
        beats_per_bar: int = 4,
        tempo_bpm: float,
        instrument: str = "tenor sax",
        style: str = "",
        feel: str = "swing",
        seed: int = 0,
        takes: int = DEFAULT_TAKES,
        primer: tuple[Note, ...] = (),
        primer_changes: tuple[ChordSpan, ...] = (),
        progress: Progress = silent,
    ) -> Improvisation:
        """Improvise over `changes` for `bars` bars.

        `style` is one of `STYLES` or "" (whatever suits instrument and tempo, drawn by the seed). `primer`: a phrase
        that somebody played before beat 0 of the form, its onsets counted from its own first bar, over the chords
        `primer_changes`; the solo answers it.
        Raises `BadOption` for an instrument, style, feel or number that it doesn't know, `BadChords` for chords."""
        request = Request(changes, bars, tempo_bpm, instrument, beats_per_bar, style, feel)
        return self.improvise_many(
            [request], seed=seed, takes=takes, primer=primer, primer_changes=primer_changes, progress=progress
        )[0]

    @torch.inference_mode()
    def improvise_many(
        self,
        requests: Sequence[Request],
        *,
        seed: int = 0,
        takes: int = DEFAULT_TAKES,
        primer: tuple[Note, ...] = (),
        primer_changes: tuple[ChordSpan, ...] = (),
        progress: Progress = silent,
    ) -> list[Improvisation]:
        """Several solos in one batch. Those that only copied are drawn again together, a few times; should one copy
        every time, the draw that does so least is kept, and says by how much."""
        for request in requests:
            request.check(takes)
        generator = torch.Generator(self.device)
        generator.manual_seed(seed % (1 << 63))
        best: dict[int, Improvisation] = {}
        again = list(range(len(requests)))
        for redrawn in range(MAX_REDRAWS + 1):
            with one_thread(self.device):
                drawn = self._draw([requests[i] for i in again], takes, primer, primer_changes, generator, progress)
            for i, improvisation in zip(again, drawn, strict=True):
                if i not in best or _faults(improvisation) < _faults(best[i]):
                    best[i] = dataclasses.replace(improvisation, redrawn=redrawn)
            again = [i for i in again if _faults(best[i]) > (False, MAX_COPIED_RUN)]
            if not again:
                break
        progress("improvising", 1.0)
        return [best[i] for i in range(len(requests))]

    @torch.inference_mode()
    def perform(self, request: Request, written: tuple[Note, ...], seed: int = 0) -> tuple[Note, ...]:
        """Play somebody's written notes: a player's time feel and dynamics; pitches and written lengths stay.

        `request` says over what, on what and how fast. Raises `BadOption`, `BadChords`."""
        request.check(1)
        generator = torch.Generator(self.device)
        generator.manual_seed(seed % (1 << 63))
        setting = self._setting(request, 1, generator)
        events = events_of_notes(written, request.tempo_bpm)
        timing = np.minimum(events.advance, ADVANCES - 1) + ADVANCES * events.phrase

        def row(values: np.ndarray) -> Tensor:
            return torch.from_numpy(values.astype(np.int64)).to(self.device)[None]

        count = torch.tensor([len(events)], device=self.device)
        takes = Takes(row(timing), row(events.beat), row(events.position), row(events.pitch), count)
        excerpt = excerpt_of_takes(takes, ChangesTable.of([request.table()], self.device))
        interpreter = Interpreter(self.rendition, excerpt, setting, generator, self.heat)
        interpreter.play(len(events))
        told = [values[0].cpu().numpy() for values in interpreter.rendition()]
        events = dataclasses.replace(events, offset=told[0], loudness=told[1], length=told[2])
        ordered = sorted(written, key=lambda note: note.onset)
        played = decode(events, request.tempo_bpm, end_beat=float(request.beats))
        following = [note.onset for note in played[1:]] + [float(request.beats)]
        return tuple(
            dataclasses.replace(note, duration=max(0.05, min(text.duration, after - note.onset)))
            for note, text, after in zip(played, ordered, following, strict=True)
        )

    def _draw(
        self,
        requests: Sequence[Request],
        takes: int,
        primer: tuple[Note, ...],
        primer_changes: tuple[ChordSpan, ...],
        generator: torch.Generator,
        progress: Progress,
    ) -> list[Improvisation]:
        """Every eight bars, `takes` lines of each request are played on from the one chosen so far, and one of them is
        drawn in proportion to the critic's odds; then the finished line is performed in the same manner."""
        heard = events_of_notes(primer, requests[0].tempo_bpm) if primer else None
        metre = requests[0].beats_per_bar
        lead = 0
        if heard is not None:  # the phrase's own bars: its last note may ring into one that its chords still have
            end = max([int(heard.beat[-1]) + 1, *(span.onset + span.beats for span in primer_changes)])
            lead = math.ceil(end / metre) * metre
        tables, settings, ranges = [], [], []
        for request in requests:
            tables += [_led(request, lead, primer_changes)] * takes
            settings.append(self._setting(request, takes, generator))
            ranges += [self.facts["ranges"].get(request.instrument, (36, 96))] * takes
        setting = Setting(**{
            name: torch.cat([getattr(item, name) for item in settings]) for name in Setting.__dataclass_fields__
        })  # fmt: skip
        improviser = Improviser(
            self.notes, tables, setting, generator, self.heat, torch.tensor(ranges, device=self.device)
        )
        if heard is not None:
            improviser.prime([heard] * len(tables))
        choice = Choice(
            [request.beats for request in requests], tables[::takes], [request.tempo_bpm for request in requests],
            metre, takes, lead=lead, heard=len(heard or ()), critic=self.take_critic, trust=self.trust, runs=self.runs,
            generator=generator,
        )  # fmt: skip
        ends_before: list[int] | None = None
        last = lead + max(request.beats for request in requests)
        for ends in choice.block_ends():
            share = COMPOSED * max(ends) / last
            improviser.play(
                torch.tensor(ends, device=self.device).repeat_interleave(takes),
                progress=lambda done, share=share: progress("improvising", done * share),  # type: ignore[misc]
            )
            improviser.keep(choice.of_lines(improviser.takes, ends, ends_before))
            ends_before = ends
        played = improviser.takes
        interpreter = Interpreter(
            self.rendition, excerpt_of_takes(played, improviser.table), improviser.asked, generator, self.heat
        )

        def performed(notes: int) -> None:
            progress("improvising", COMPOSED + (0.95 - COMPOSED) * notes / max(1, played.pitch.shape[1]))

        for count, number, end in _stops(played, choice.block_ends(), takes):
            until = min(count + 1, int(played.count[number * takes]))  # then the last note's length is known
            interpreter.play(until, performed)
            interpreter.keep(choice.of_renditions(played, interpreter, number, end, count))
        interpreter.play(played.pitch.shape[1], performed)
        dither = np.random.default_rng(int(torch.randint(1 << 31, (1,), generator=generator, device=self.device)))
        rendition = interpreter.rendition()
        improvisations = []
        for number, request in enumerate(requests):
            row = number * takes
            events = events_of_take(played, row, row, rendition, len(heard or ()))
            events = dataclasses.replace(events, beat=events.beat - lead)
            events = events.since(int(np.searchsorted(events.beat, 0)))  # no pickups: the band starts here
            notes = decode(events, request.tempo_bpm, end_beat=float(request.beats), dither=dither)
            style = int(improviser.asked.style[row])
            improvisations.append(Improvisation(
                notes, takes, self.runs.longest(events), choice.odds(number),
                STYLES[style - 1] if style else "", events=events,
            ))  # fmt: skip
        return improvisations

    def _setting(self, request: Request, lines: int, generator: torch.Generator) -> Setting:
        """Players from the roster who play this instrument at about this tempo, one a line, drawn by chance."""
        roster = np.array(self.facts["roster"], float)  # instrument, style, feel, performer, tempo
        instrument = INSTRUMENTS.index(request.instrument) + 1
        fit = np.exp(-0.5 * (np.log(roster[:, 4] / request.tempo_bpm) / 0.25) ** 2) + 1e-6
        fit *= np.where(roster[:, 0] == instrument, 1.0, 1e-4)
        if request.style:
            fit *= np.where(roster[:, 1] == STYLES.index(request.style) + 1, 1.0, 1e-3)
        if request.feel:
            fit *= np.where(roster[:, 2] == FEELS.index(request.feel) + 1, 1.0, 0.05)
        weights = torch.from_numpy(fit).float().to(self.device)
        picks = torch.multinomial(weights, lines, replacement=True, generator=generator)

        def whole(value: int) -> Tensor:
            return torch.full((lines,), value, device=self.device)

        def of_player(column: int) -> Tensor:
            return torch.from_numpy(roster[:, column].astype(np.int64)).to(self.device)[picks]

        return Setting(
            tempo_bpm=torch.full((lines,), float(request.tempo_bpm), device=self.device),
            instrument=whole(instrument),
            style=whole(STYLES.index(request.style) + 1) if request.style else of_player(1),
            feel=whole(FEELS.index(request.feel) + 1) if request.feel else of_player(2),
            performer=of_player(3),
            beats_per_bar=whole(request.beats_per_bar),
        )


def _faults(improvisation: Improvisation) -> tuple[bool, int]:
    """What speaks for drawing again, in this order: silence, copying."""
    return not improvisation.notes, improvisation.longest_copied_run


def _stops(played: Takes, block_ends: list[list[int]], takes: int) -> list[tuple[int, int, int]]:
    """(notes before it, request, beat) of every block's end, in the order of the notes; each once."""
    found = set()
    for ends in block_ends:
        for number, end in enumerate(ends):
            row = number * takes
            notes = int((played.beat[row, : played.count[row]] < end).sum())
            if notes:
                found.add((notes, number, end))
    return sorted(found)


def _led(request: Request, lead: int, primer_changes: tuple[ChordSpan, ...]) -> Changes:
    """The request's table with `lead` more beats in front (a whole number of bars), over the primer's chords; where
    those aren't known, over the first one of the request."""
    table = request.table()
    if not lead:
        return table
    first = request.changes[:1] or (ChordSpan(0.0, 0.0, "NC"),)
    before = [span for span in primer_changes if span.onset < lead] or [ChordSpan(0.0, float(lead), first[0].symbol)]
    after = [dataclasses.replace(span, onset=span.onset + lead) for span in request.changes]
    whole = changes_of_spans((*before, *after), lead + request.beats, request.beats_per_bar)
    whole.bar_in_section[lead:] = table.bar_in_section
    return whole

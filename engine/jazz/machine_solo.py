"""The device turn of `/jazz`: plan the clip and let the soloist improvise."""

from __future__ import annotations

import time
from dataclasses import replace

from engine.contract import engine_pb2 as pb
from engine.jazz.band import weights as band_weights
from engine.jazz.finishing.work import Lead, Work
from engine.jazz.importing.for_the_band import Phrase, phrase_to_answer
from engine.jazz.importing.melody import fit_range
from engine.jazz.importing.midi_file import Piece
from engine.jazz.model.tokens import POSITION_BEATS, Events
from engine.jazz.plan import Plan, check_tempo, make_plan
from engine.jazz.playing.request import Improvisation
from engine.jazz.playing.soloist import Soloist
from engine.jazz.theory.feel import SOLOIST_FEELS
from engine.jazz.theory.harmony import format_changes
from engine.jazz.theory.instruments import find_instrument
from engine.jazz.theory.score import ChordSpan, Section
from engine.progress import Progress
from engine.settings import JazzSettings


def improvise(
    request: pb.PlayRequest, seed: int, heard: Piece | None, soloist: Soloist, settings: JazzSettings,
    progress: Progress,
) -> Work:  # fmt: skip
    """A solo over the chords or the form that was asked for. `heard`: the phrase that it answers, read.

    Raises `BadChords`, `BadOption`, `BadMidi`, `Cancelled`."""
    started = time.monotonic()
    phrase = phrase_to_answer(heard, request.chords, settings.max_bars) if heard is not None else None
    plan = make_plan(
        request, seed, settings.max_bars, settings.takes, band_weights.load().chords,
        tempo_bpm=phrase.tempo_bpm if phrase else 0.0, chords=phrase.chords if phrase else "",
    )  # fmt: skip
    progress("reading the changes", 0.01)
    improvisation = _line(request, plan, phrase, soloist, progress)
    clip = pb.Clip(
        seed=seed, bars=plan.bars, chords=format_changes(plan.changes, plan.beats_per_bar), form=plan.form,
        key=plan.key, feel=plan.feel.name, style=plan.style, model_version=soloist.version, takes=improvisation.takes,
        longest_copied_run=improvisation.longest_copied_run,
    )  # fmt: skip
    lead = _lead(request, plan, improvisation)
    if phrase:
        lead = _answering(lead, phrase)
        clip.notes.append(f"Bars 1 to {phrase.bars} are your phrase; the soloist answers from bar {phrase.bars + 1}.")
    return Work(lead, clip, request.max_bytes, time.monotonic() - started, request.for_trial)


def _line(
    request: pb.PlayRequest, plan: Plan, phrase: Phrase | None, soloist: Soloist, progress: Progress
) -> Improvisation:
    """The solo. It answers the phrase as the instrument that it is improvised on sounds it."""
    kept = request.HasField("solo_seed")
    instrument, tempo = plan.instrument, plan.tempo_bpm
    if kept and request.solo_instrument:
        instrument = find_instrument(request.solo_instrument).name
    if kept:
        tempo = check_tempo(request.solo_tempo_bpm) or tempo

    def bar_by_bar(_stage: str, share: float) -> None:
        bar = min(plan.bars, 1 + int(share * plan.bars))
        progress(f"bar {bar} of {plan.bars}", 0.02 + 0.98 * share)

    return soloist.improvise(
        plan.changes,
        bars=plan.bars,
        beats_per_bar=plan.beats_per_bar,
        tempo_bpm=tempo,
        instrument=instrument,
        style=plan.style,
        feel=SOLOIST_FEELS[plan.feel.name],
        seed=request.solo_seed if kept else plan.seed,
        takes=plan.takes,
        primer=fit_range(phrase.notes, find_instrument(instrument))[0] if phrase else (),
        primer_changes=_phrase_changes(phrase, plan.changes) if phrase else (),
        progress=bar_by_bar,
    )


def _lead(request: pb.PlayRequest, plan: Plan, improvisation: Improvisation) -> Lead:
    solo = improvisation.notes
    if request.HasField("solo_seed"):
        solo, _ = fit_range(solo, find_instrument(plan.instrument))
    return Lead(
        solo, plan.changes, plan.sections, plan.bars, plan.tempo_bpm, plan.feel, plan.instrument, plan.seed,
        plan.beats_per_bar, plan.key, dict(zip(solo, places_of(improvisation.events), strict=False)),
    )  # fmt: skip


def _answering(lead: Lead, phrase: Phrase) -> Lead:
    """The solo with the phrase in front."""
    beats = phrase.bars * 4.0
    later = {note: replace(note, onset=note.onset + beats) for note in lead.solo}
    spans = [replace(span, onset=span.onset + beats) for span in lead.changes]
    question, _ = fit_range(phrase.notes, find_instrument(lead.instrument))
    return replace(
        lead,
        solo=(*question, *(later[note] for note in lead.solo)),
        changes=(*_phrase_changes(phrase, lead.changes), *spans),
        sections=(Section(0.0, "your phrase"), Section(beats, "answer")),
        bars=lead.bars + phrase.bars,
        notated={later[note]: place + beats for note, place in lead.notated.items()},
    )


def _phrase_changes(phrase: Phrase, changes: tuple[ChordSpan, ...]) -> tuple[ChordSpan, ...]:
    """The phrase's own chords; where it has none, those of its answer, from their beginning."""
    return phrase.changes or looped(changes, phrase.bars)


def places_of(events: Events | None) -> list[float]:
    """Where each note of an improvisation stands on paper, in beats from the first bar; nothing without its tokens."""
    if events is None:
        return []
    places: list[float] = (events.beat + POSITION_BEATS[events.position]).tolist()
    return places


def looped(changes: tuple[ChordSpan, ...], bars: int) -> tuple[ChordSpan, ...]:
    """The first `bars` bars in 4/4 of the changes, round and round where they are shorter."""
    total = max(span.onset + span.beats for span in changes)
    found: list[ChordSpan] = []
    start = 0.0
    while start < bars * 4:
        for span in changes:
            onset = start + span.onset
            if onset < bars * 4:
                found.append(ChordSpan(onset, min(span.beats, bars * 4 - onset), span.symbol))
        start += total
    return tuple(found)

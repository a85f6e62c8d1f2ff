"""From a `PlayRequest` to a plan: every number checked, everything not asked for drawn by the seed.

Each choice draws from a stream of its own, so that a request with the drawn values written out plans the same clip.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np

from engine.contract import engine_pb2 as pb
from engine.contract.limits import MAX_TAKES, MAX_TEMPO_BPM, METRES, MIN_BARS, MIN_TEMPO_BPM
from engine.errors import BadOption
from engine.jazz.corpus.solos import STYLES
from engine.jazz.theory.chord_model import ChordModel
from engine.jazz.theory.feel import FEELS, Feel, feel_of_tempo
from engine.jazz.theory.form import FORM_NAMES, FORMS, changes_of, chorus_of, sections_of
from engine.jazz.theory.harmony import count_bars, parse_changes
from engine.jazz.theory.instruments import DRAWN_INSTRUMENTS, find_instrument
from engine.jazz.theory.keys import USUAL_KEYS, USUAL_MINOR_KEYS, home_key, split_key
from engine.jazz.theory.score import ChordSpan, Section

MAX_DURATION_S = 240.0
DRAWN_FORMS = ("blues", "blues", "minor blues", "ii-V-I")
"""Forms of 12 and 16 bars, drawn when neither chords nor a form are asked for: clips of half a minute."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be played. `form` is empty when the chords were given; `key` is "Bb" or "Cm"; `style` is empty when
    none was asked for."""

    changes: tuple[ChordSpan, ...]
    sections: tuple[Section, ...]
    bars: int
    tempo_bpm: float
    instrument: str
    feel: Feel
    form: str
    key: str
    seed: int
    takes: int
    beats_per_bar: int = 4
    style: str = ""


def make_plan(
    request: pb.PlayRequest,
    seed: int,
    max_bars: int,
    takes: int,
    model: ChordModel,
    tempo_bpm: float = 0.0,
    chords: str = "",
) -> Plan:
    """Check and complete a request. `takes`, `tempo_bpm`, `chords`: what holds when the request leaves them open.

    Raises `BadChords`, `BadOption`."""
    if request.bars and not MIN_BARS <= request.bars <= max_bars:
        raise BadOption(f"A clip can have {MIN_BARS} to {max_bars} bars, not {request.bars}.")
    tempo = check_tempo(request.tempo_bpm)
    beats_per_bar = check_metre(request.beats_per_bar)
    if request.continue_from and beats_per_bar != 4:
        raise BadOption("I can only answer a phrase in 4/4.")
    wanted_takes = request.takes or takes
    if not 1 <= wanted_takes <= MAX_TAKES:
        raise BadOption(f"Choose between 1 and {MAX_TAKES} takes, not {wanted_takes}.")
    instrument = request.instrument and find_instrument(request.instrument).name
    style = find_style(request.style) if request.style else ""
    asked_feel = find_feel(request.feel) if request.feel else None
    text = request.chords.strip() or ("" if request.form else chords)
    if request.chords.strip() and request.form:
        raise BadOption("Choose chords or a form, not both.")
    if text and request.key:
        raise BadOption("Your chords already set the key. Choose a key only together with a form.")
    if request.form_chords and not request.form:
        raise BadOption("Name the form that these changes belong to, or send them as chords.")

    if text:
        form, feel = "", asked_feel or FEELS["swing"]
        bars = request.bars or count_bars(text, beats_per_bar)
        if bars > max_bars:
            raise BadOption(f"Those chords fill {bars} bars; I play {max_bars} at most.")
        changes = parse_changes(text, bars, beats_per_bar)
        sections: tuple[Section, ...] = (Section(0.0, "A"),)
        key = home_key(changes)
    else:
        form = find_form(request.form) if request.form else _draw(seed, "form", DRAWN_FORMS)
        key = _key(request.key, form, seed)
        if request.bars == 0 and form in FORMS and FORMS[form].bars > max_bars:
            raise BadOption(f"A chorus of {form} has {FORMS[form].bars} bars; I play {max_bars} at most.")
        bars = request.bars or chorus_of(form)[0]
        if request.form_chords:
            changes = parse_changes(request.form_chords, bars, beats_per_bar)
            sections = sections_of(form, bars, beats_per_bar)
        else:
            changes, sections = changes_of(form, key, bars, model, _stream(seed, "changes"), beats_per_bar)
        feel = asked_feel or FEELS[FORMS[form].feel if form in FORMS else "swing"]
    tempo = tempo or check_tempo(tempo_bpm) or float(_stream(seed, "tempo").integers(*feel.tempo_bpm))
    if asked_feel is None and not form:
        feel = feel_of_tempo(tempo)
    if beats_per_bar == 3 and feel.drums == "bossa":
        raise BadOption("Bossa nova is in 4/4. For 3/4, choose another feel.")
    beats = bars * beats_per_bar
    if beats * 60.0 / tempo > MAX_DURATION_S:
        raise BadOption(f"{bars} bars at {tempo:g} bpm would last {beats / tempo:.1f} minutes; "
                        f"I play {MAX_DURATION_S / 60:.0f} minutes at most.")  # fmt: skip
    return Plan(
        changes=changes,
        sections=sections,
        bars=bars,
        tempo_bpm=tempo,
        instrument=instrument or _draw(seed, "instrument", DRAWN_INSTRUMENTS),
        feel=feel,
        form=form,
        key=key,
        seed=seed,
        takes=wanted_takes,
        beats_per_bar=beats_per_bar,
        style=style,
    )


def check_tempo(tempo_bpm: float) -> float:
    """The tempo itself; 0 stays 0. Raises `BadOption`."""
    if math.isfinite(tempo_bpm) and (tempo_bpm == 0 or MIN_TEMPO_BPM <= tempo_bpm <= MAX_TEMPO_BPM):
        return tempo_bpm
    raise BadOption(f"The tempo must be between {MIN_TEMPO_BPM:g} and {MAX_TEMPO_BPM:g} bpm, not {tempo_bpm:g}.")


def check_metre(beats_per_bar: int) -> int:
    """Beats per bar; 0 is 4. Raises `BadOption`."""
    if beats_per_bar in (0, *METRES.values()):
        return beats_per_bar or 4
    raise BadOption(f"The band plays in {' and '.join(METRES)}, not in bars of {beats_per_bar} beats.")


def find_feel(name: str) -> Feel:
    """Raises `BadOption` with the nearest name."""
    return FEELS[_known(name, tuple(FEELS), "feel")]


def find_form(name: str) -> str:
    """Raises `BadOption` with the nearest name."""
    return _known(name, FORM_NAMES, "form")


def find_style(name: str) -> str:
    """Raises `BadOption` with all the names: there are few, and styles are called by many words."""
    wanted = " ".join(name.lower().split())
    if wanted in STYLES:
        return wanted
    raise BadOption(f"I don't know the style “{name}”. Choose one of these: {', '.join(STYLES)}.")


def _known(name: str, names: tuple[str, ...], what: str) -> str:
    by_lower = {known.lower(): known for known in names}
    wanted = " ".join(name.lower().split())
    if wanted in by_lower:
        return by_lower[wanted]
    near = get_close_matches(wanted, by_lower, n=1, cutoff=0.5)
    hint = f"Did you mean {by_lower[near[0]]}?" if near else f"Choose one of these: {', '.join(names)}."
    raise BadOption(f"I don't know the {what} “{name}”. {hint}")


def _key(asked: str, form: str, seed: int) -> str:
    """The key as asked, or drawn; its mode is one that the form has."""
    if asked:
        tonic, minor = split_key(asked)
    else:
        tonic, minor = "", bool(_stream(seed, "mode").random() < 0.25)
    if form in FORMS:
        minor = FORMS[form].mode(minor)
    tonic = tonic or _draw(seed, "key", USUAL_MINOR_KEYS if minor else USUAL_KEYS)
    return tonic + ("m" if minor else "")


def _stream(seed: int, purpose: str) -> np.random.Generator:
    return np.random.default_rng([seed % 2**63, *purpose.encode()])


def _draw(seed: int, purpose: str, options: tuple[str, ...]) -> str:
    return options[int(_stream(seed, purpose).integers(len(options)))]

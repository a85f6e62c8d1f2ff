"""The rhythm section keeps to the chords, to the time and out of the soloist's way."""

from itertools import pairwise

import numpy as np
import pytest

from engine.jazz.band import bass, bass_feel, comping, drums, ending, weights
from engine.jazz.band.section import accompany
from engine.jazz.band.swing import swing_share
from engine.jazz.band.voicing import HIGHEST, LOWEST, lead, movement, voicings
from engine.jazz.theory.feel import FEELS
from engine.jazz.theory.form import FORM_NAMES, changes_of
from engine.jazz.theory.harmony import chord_at, parse_changes, parse_chord
from engine.jazz.theory.score import ChordSpan, Note, Score

BAND = weights.load()
BLUES = parse_changes("Bb7 | Eb7 | Bb7 | Fm7 Bb7 | Eb7 | Eo7 | Bb7 | Dm7 G7alt | Cm7 | F7 | Bb7 G7 | Cm7 F7")
ODD = parse_changes("Cmaj7/E | F#m7b5 B7b9 | E7sus4 | A+7 D7#9#5 | NC | Abmaj7#11 / / G7 | Cm(maj7) | C6/9")


def line_of(changes, seed, bars):
    return bass.walk(BAND.bass, changes, bars * 4, 4, np.random.default_rng(seed))


@pytest.mark.parametrize("changes", [BLUES, ODD], ids=["blues", "odd chords"])
@pytest.mark.parametrize("seed", range(4))
def test_the_walking_bass_never_leaves_the_chord(changes, seed):
    bars = round(max(span.onset + span.beats for span in changes) / 4)
    line = line_of(changes, seed, bars)
    assert len(line) == bars * 4
    for beat, pitch in enumerate(line):
        span = chord_at(changes, beat)
        chord = parse_chord(span.symbol)
        if chord.root is None:
            assert pitch is None
            continue
        assert bass.LOWEST <= pitch <= bass.HIGHEST
        if beat == span.onset:
            assert pitch % 12 in {chord.bass, *chord.tones[:3]}, f"beat {beat}: {span.symbol} starts on {pitch % 12}"
        elif beat % 2 == 0:
            assert pitch % 12 in {chord.bass, *chord.tones}, f"beat {beat}"
        following = line[beat + 1] if beat + 1 < len(line) else None
        if pitch % 12 not in {chord.bass, *chord.tones} and following is not None:
            next_chord = parse_chord(chord_at(changes, beat + 1).symbol)
            step = 1 <= abs(following - pitch) <= 2
            falling_fifth = (pitch - following) % 12 == 7 and following % 12 == next_chord.bass
            assert step or falling_fifth, f"beat {beat}: {pitch} goes to {following}"


@pytest.mark.parametrize("seed", range(6))
def test_the_walking_bass_leaps_an_octave_at_most_and_never_stands_still(seed):
    line = [pitch for pitch in line_of(BLUES * 1, seed, 12) if pitch is not None]
    assert max(abs(b - a) for a, b in pairwise(line)) <= 12
    assert not any(a == b == c for a, b, c in zip(line, line[1:], line[2:], strict=False))


def test_the_walking_bass_walks_by_step_more_often_than_it_leaps():
    lines = [line_of(BLUES, seed, 12) for seed in range(8)]
    moves = [abs(b - a) for line in lines for a, b in pairwise(line)]
    assert np.mean([1 <= move <= 2 for move in moves]) > 0.4
    assert np.mean([move > 7 for move in moves]) < 0.1


def test_the_bass_lands_on_roots_most_of_the_time():
    on_root = []
    for seed in range(8):
        line = line_of(BLUES, seed, 12)
        on_root += [line[round(span.onset)] % 12 == parse_chord(span.symbol).root for span in BLUES]
    assert np.mean(on_root) > 0.6


@pytest.mark.parametrize("style", ["walking", "two", "bossa"])
def test_every_bass_style_plays_chord_tones_where_chords_start(style):
    notes = bass_feel.play(BAND.bass, BLUES, 12, style, 0.62, np.random.default_rng(3))
    for note in notes:
        if round(note.onset) % 2 == 0 and abs(note.onset - round(note.onset)) < 0.01:
            chord = parse_chord(chord_at(BLUES, note.onset).symbol)
            assert note.pitch % 12 in {chord.bass, *chord.tones}, note
    assert all(b.onset >= a.onset + a.duration - 1e-6 for a, b in pairwise(notes)), "the bass is one voice"


@pytest.mark.parametrize("form", FORM_NAMES)
def test_no_bass_leaps_over_an_octave_or_starts_a_bar_beside_its_chord(form):
    for seed in range(2):
        changes, _ = changes_of(form, "F", 0, BAND.chords, np.random.default_rng(seed))
        bars = round(max(span.onset + span.beats for span in changes) / 4)
        for style in ("walking", "two", "bossa"):
            notes = bass_feel.play(BAND.bass, changes, bars, style, 0.62, np.random.default_rng(seed))
            assert max(abs(b.pitch - a.pitch) for a, b in pairwise(notes)) <= 12, (style, seed)
            starts = {round(note.onset): note.pitch for note in notes if note.onset % 4 == 0}
            assert set(starts) == set(range(0, bars * 4, 4)), (style, seed)
            for beat, pitch in starts.items():
                chord = parse_chord(chord_at(changes, beat).symbol)
                assert pitch % 12 in {chord.bass, *chord.tones}, (style, seed, beat)
                assert bass.LOWEST <= pitch <= bass.HIGHEST


@pytest.mark.parametrize("beats", [3, 4])
@pytest.mark.parametrize("style", ["walking", "two", "bossa"])
@pytest.mark.parametrize(
    "text",
    [
        "Cmaj7 A7 Dm7 G7 | Em7 A7 Dm7 Db7",
        "C / / B7 | Bb7 / A7 / | C/E F F#o7 | G7sus",
        "Cmaj7 | % | Am7 D7 | NC G7 | Abmaj7 / Db7 / | Fm7/C / / Gb7",
        "Cmaj7 Eb7 Abmaj7 B7 | Emaj7 G7 | Cmaj7 | %",
    ],
)
def test_every_chord_gets_a_bass_note_of_its_own_where_it_starts(text, style, beats):
    if beats == 3:
        text = " | ".join(" ".join(bar.split()[:3]) for bar in text.split("|"))
    changes = parse_changes(text, 16, beats)
    for seed in range(3):
        notes = bass_feel.play(BAND.bass, changes, 16, style, 0.62, np.random.default_rng(seed), beats)
        struck = {note.onset: note.pitch for note in notes}
        assert len(struck) == len(notes)
        for span, before in zip(changes, (None, *changes), strict=False):
            chord = parse_chord(span.symbol)
            if chord.root is None or (before is not None and before.symbol == span.symbol):
                continue
            assert span.onset in struck, f"{span.symbol} on beat {span.onset} has no bass note"
            # a line that walks may begin a chord on its third, too
            own = {chord.bass} if style == "bossa" or chord.bass != chord.root else {*chord.tones[:3]}
            assert struck[span.onset] % 12 in own, f"{struck[span.onset]} under {span.symbol}, beat {span.onset}"
        for a, b in pairwise(notes):
            assert abs(b.pitch - a.pitch) <= 12
            assert b.onset >= a.onset + a.duration - 1e-6, "the bass is one voice"
            under = parse_chord(chord_at(changes, a.onset).symbol)
            over = [span for span in changes if a.onset < span.onset < a.onset + a.duration - 1e-6]
            assert all(span.symbol == under.symbol for span in over), f"{a} sounds into {over}"
        if style == "bossa":
            for note in notes:
                chord = parse_chord(chord_at(changes, note.onset).symbol)
                assert note.pitch % 12 in {chord.bass, chord.tones[2]}, note
                assert bass.LOWEST <= note.pitch <= bass.HIGHEST


@pytest.mark.parametrize("onset", [1.5, 2.25])
@pytest.mark.parametrize("style", ["walking", "two", "bossa"])
def test_a_chord_that_begins_between_two_beats_is_played_then_or_on_the_next(style, onset):
    changes = (ChordSpan(0.0, onset, "Cmaj7"), ChordSpan(onset, 8.0 - onset, "Db7"))
    for seed in range(4):
        notes = bass_feel.play(BAND.bass, changes, 2, style, 0.6, np.random.default_rng(seed))
        assert {onset, float(np.ceil(onset))} & {note.onset for note in notes}
        for note in notes:
            chord = parse_chord(chord_at(changes, note.onset).symbol)
            if note.onset in (0.0, onset, np.ceil(onset)):
                assert note.pitch % 12 in {*chord.tones[:3]}, note


def test_voicings_hold_third_and_seventh_and_stay_in_their_register():
    for symbol in ("Dm7", "G7", "G7alt", "Cmaj7", "C6", "F#m7b5", "Bo7", "E7sus4", "Ab7#11", "Am6", "Bbmaj7#11"):
        chord = parse_chord(symbol)
        assert voicings(chord), symbol
        for shape in voicings(chord):
            classes = {pitch % 12 for pitch in shape}
            assert chord.third in classes, symbol
            assert chord.seventh in classes, symbol
            assert LOWEST <= shape[0] <= shape[-1] <= HIGHEST
            assert classes <= {*chord.scale, *chord.tones, *chord.tensions}, (symbol, shape)


def test_voices_lead_smoothly_through_a_cycle_of_fifths():
    chords = [parse_chord(symbol) for symbol in ("Dm7", "G7", "Cmaj7", "Fmaj7", "Bm7b5", "E7alt", "Am7", "D7")]
    path = lead(chords)
    steps = [movement(a, b) for a, b in pairwise(path)]
    assert np.mean(steps) < 9  # four voices, the top one twice: under two semitones a voice
    assert max(abs(a[-1] - b[-1]) for a, b in pairwise(path)) <= 5


def test_modal_comping_stacks_fourths():
    shape = voicings(parse_chord("Dm7"), True)[0]
    steps = [b - a for a, b in pairwise(shape)]
    assert steps[0] in (5, 6)
    assert steps[1] in (5, 6)


def strokes(solo, seed):
    """Onsets of the comping over the blues."""
    return {note.onset for note in comping.comp(BLUES, 12, FEELS["swing"], 0.62, solo, np.random.default_rng(seed))}


def test_comping_leaves_room_for_a_busy_soloist():
    busy = tuple(Note(i / 2, 0.45, 70, 90) for i in range(12 * 8))
    alone = [len(strokes((), seed)) for seed in range(6)]
    under = [len(strokes(busy, seed)) for seed in range(6)]
    assert np.mean(under) < 0.75 * np.mean(alone)


def test_comping_answers_in_the_gaps():
    first_halves = tuple(Note(bar * 4 + i / 2, 0.45, 70, 90) for bar in range(12) for i in range(4))
    late = [onset % 4 >= 1.9 for seed in range(6) for onset in strokes(first_halves, seed)]
    assert np.mean(late) > 0.55


def test_where_the_soloist_leaves_no_room_there_is_no_comping():
    solo = tuple(Note(i / 4, 0.25, 60, 80) for i in range(8))
    for seed in range(40):
        for beats in (2, 4):
            changes = parse_changes("C7", 1, beats)
            notes = comping.comp(changes, 1, FEELS["swing"], 0.62, solo, np.random.default_rng(seed), beats)
            assert all(0 <= note.onset < beats for note in notes)


def test_comping_plays_only_what_its_chord_allows():
    for feel in ("swing", "ballad", "bossa", "modal"):
        notes = comping.comp(BLUES, 12, FEELS[feel], 0.62, (), np.random.default_rng(1))
        for note in notes:
            # an off-beat stroke may belong to the beat that it anticipates
            near = {chord_at(BLUES, note.onset).symbol, chord_at(BLUES, note.onset + 0.5).symbol}
            allowed = {pitch for symbol in near for pitch in parse_chord(symbol).scale}
            assert note.pitch % 12 in allowed, (feel, note)


def drum_notes(family, tempo, swing, seed, bars=16):
    return drums.play(
        BAND.drums, family, bars, tempo, swing, frozenset({7}), np.full(bars, 2.0), np.random.default_rng(seed)
    )


@pytest.mark.parametrize("tempo", [110, 160, 220, 290])
def test_the_ride_swings_as_the_tempo_asks_and_the_hat_closes_on_two_and_four(tempo):
    swing = swing_share(tempo, FEELS["swing"])
    for seed in range(3):
        notes = drum_notes("swing", tempo, swing, seed)
        ride = [n.onset % 1 for n in notes if n.pitch == drums.RIDE and 0.4 < n.onset % 1 < 0.88]
        assert abs(np.median(ride) - swing) < 0.06
        for bar in set(range(16)) - {7}:
            for beat in (1, 3):
                near = [n for n in notes if n.pitch == drums.PEDAL_HAT and abs(n.onset - bar * 4 - beat) < 0.2]
                assert near, f"bar {bar}, beat {beat + 1}"


def test_swing_ratio_falls_with_tempo_to_even_eighths():
    shares = [swing_share(tempo, FEELS["swing"]) for tempo in (100, 140, 180, 220, 260, 300)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 0.74  # about 3:1
    assert shares[-1] == 0.5


@pytest.mark.parametrize("family", ["swing", "bossa", "ballad"])
def test_drums_do_not_drift(family):
    tempo = {"swing": 160, "bossa": 130, "ballad": 66}[family]
    notes = drum_notes(family, tempo, 0.62 if family != "bossa" else 0.5, 1, bars=32)
    time = [n for n in notes if n.pitch in (drums.RIDE, drums.CLOSED_HAT, drums.PEDAL_HAT)]
    on_beat = [(n.onset, (n.onset - round(n.onset)) * 60 / tempo) for n in time if abs(n.onset - round(n.onset)) < 0.12]
    first = [deviation for onset, deviation in on_beat if onset < 64]
    last = [deviation for onset, deviation in on_beat if onset >= 64]
    assert abs(np.median(first)) < 0.020
    assert abs(np.median(last) - np.median(first)) < 0.010


def test_a_fill_ends_the_section():
    fills = time = 0
    for seed in range(8):
        notes = drum_notes("swing", 170, 0.62, seed)

        def struck(bar, notes=notes):
            return sum(n.pitch in (drums.SNARE, *drums.TOMS) and bar * 4 <= n.onset < bar * 4 + 4 for n in notes)

        fills += struck(7)
        time += struck(5)
    assert fills > 1.5 * time


def test_fills_are_about_as_frequent_as_in_the_performances():
    played = [
        sum(bool(fill) and len(bar) > 0 for fill, bar in zip(p.fill, p.bars, strict=True)) / len(p.bars)
        for p in BAND.drums.of("swing")
    ]
    ends = frozenset({7, 15, 23})
    drawn = [
        len(drums.planned_fills(ends, 32, np.full(32, 2.0), np.random.default_rng(seed))) / 32 for seed in range(40)
    ]
    assert min(played) < np.mean(drawn) < max(played)
    assert np.mean(drawn) > 0.1


def test_every_section_ends_with_a_fill_and_mostly_one_leads_into_the_ending():
    plans = [
        drums.planned_fills(frozenset({3, 7}), 12, np.full(12, 4.0), np.random.default_rng(seed)) for seed in range(40)
    ]
    assert all({3, 7} <= set(plan) for plan in plans)
    assert all(plan[3] == 2.0 for plan in plans), "four bars earn two beats"
    assert 0.5 < np.mean([11 in plan for plan in plans]) < 0.9
    whole = drums.planned_fills(frozenset({7}), 16, np.full(16, 4.0), np.random.default_rng(0))
    assert whole[7] == 0.0, "eight bars earn a bar"


def test_the_drummer_fills_where_the_soloist_rests():
    def within(activity):
        plans = [
            drums.planned_fills(frozenset({7}), 16, np.full(16, activity), np.random.default_rng(seed))
            for seed in range(60)
        ]
        return np.mean([3 in plan or 11 in plan for plan in plans])

    assert within(0.0) > 2 * within(2.0)


@pytest.mark.parametrize(("family", "beats"), [("swing", 4), ("ballad", 4), ("bossa", 4), ("waltz", 3)])
def test_no_drummer_repeats_one_fill_for_ever(family, beats):
    tempo = {"swing": 160, "ballad": 66, "bossa": 130, "waltz": 150}[family]
    generator = np.random.default_rng(0)
    for performance in BAND.drums.of(family):
        lenders = BAND.drums.lenders(family)
        fills = [drums._fill(performance, lenders, tempo, beats, generator)[0] for _ in range(40)]
        assert len({fill.tobytes() for fill in fills}) >= 4, performance.name
        assert all(len(fill) and fill[:, 0].max() < beats for fill in fills)


def test_nothing_is_played_so_fast_that_a_fill_turns_into_a_machine_gun():
    tempo = 290
    for seed in range(6):
        notes = drum_notes("swing", tempo, 0.5, seed, bars=32)
        for pitch in (drums.SNARE, *drums.TOMS):
            onsets = sorted(n.onset for n in notes if n.pitch == pitch)
            fifth = [b - a for a, b in zip(onsets, onsets[4:], strict=False)]
            assert min(fifth, default=9.0) * 60 / tempo > 0.1


def test_the_cymbal_that_keeps_time_changes_only_with_the_section():
    def keeper(notes, bar):
        ride, hat = (
            sum(n.pitch in pitches and bar * 4 - 0.15 <= n.onset < bar * 4 + 3.85 for n in notes)
            for pitches in ((drums.RIDE, drums.RIDE_BELL), (drums.CLOSED_HAT, drums.OPEN_HAT))
        )
        return ride >= hat

    switched = [
        keeper(notes, bar) != keeper(notes, bar + 1)
        for notes in (drum_notes("bossa", 130, 0.5, seed) for seed in range(6))
        for bar in (0, 1, 2, 3, 4, 5, 9, 10, 11, 12, 13, 14)
    ]
    assert np.mean(switched) < 0.05


def test_no_drum_is_struck_twice_at_once():
    for family in ("swing", "bossa", "ballad"):
        notes = drum_notes(family, 140, 0.6, 2)
        for pitch in {n.pitch for n in notes}:
            onsets = sorted(n.onset for n in notes if n.pitch == pitch)
            assert all(b - a >= 1 / 12 - 1e-6 for a, b in pairwise(onsets))


def test_warping_moves_only_the_off_beat():
    assert drums.warp(3.0, 0.67, 0.55) == 3.0
    assert drums.warp(2.67, 0.67, 0.55) == pytest.approx(2.55)
    assert drums.warp(2.97, 0.67, 0.55) == 2.97
    places = [drums.warp(x, 0.7, 0.5) for x in np.linspace(0, 0.999, 200)]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("text", "final"),
    [
        ("Dm7 | G7 | Cmaj7 | A7", "C69"),
        ("C7 | F7 | C7 A7 | Dm7 G7", "C9"),
        ("Cm7 | Fm7 | Dm7b5 | G7alt", "Cm69"),
        ("Dm7 | G7 | Cmaj7", "C69"),
        ("Dm7 | Ebm7 | Dm7", "Dm69"),
        ("NC", "NC"),
    ],
)
def test_the_ending_comes_home(text, final):
    assert ending.final_symbol(parse_changes(text)) == final


def whole(seed, bars=12, feel="swing", changes=BLUES, tempo=160.0) -> Score:
    solo = tuple(Note(i * 1.0, 0.8, 65 + i % 5, 90) for i in range(bars * 4))
    return accompany(BAND, solo, changes, (), bars, tempo, FEELS[feel], "tenor sax", seed)


def test_the_band_ends_together_and_lets_it_ring():
    score = whole(3)
    assert score.sections[-1].name == "ending"
    for part in ("bass", "comping", "drums"):
        after = [note for note in score.parts[part] if note.onset >= score.beats]
        assert after, part
        assert {round(n.onset, 6) for n in score.parts["bass"] if n.onset >= score.beats} == {
            round(n.onset, 6) for n in after
        }
    last = max(score.parts["bass"], key=lambda note: note.onset)
    assert score.seconds(last.duration) > 1.5
    assert all(n.onset + n.duration <= score.beats + 1e-6 for n in score.parts["bass"] if n.onset < score.beats)


def test_the_same_seed_plays_the_same_and_another_does_not():
    assert whole(5) == whole(5)
    assert whole(5).parts["bass"] != whole(6).parts["bass"]


@pytest.mark.parametrize("form", FORM_NAMES)
def test_the_band_plays_every_form_in_every_feel(form):
    changes, _ = changes_of(form, "Eb", 0, BAND.chords, np.random.default_rng(1))
    bars = round(max(span.onset + span.beats for span in changes) / 4)
    for feel in FEELS:
        score = whole(2, bars=bars, feel=feel, changes=changes, tempo=FEELS[feel].tempo_bpm[0])
        assert set(score.parts) == {"solo", "bass", "comping", "drums"}
        for part, notes in score.parts.items():
            assert notes, (feel, part)
            assert all(1 <= n.velocity <= 127 and n.duration > 0 and n.onset >= 0 for n in notes), (feel, part)


def test_a_waltz_has_three_beats():
    solo = tuple(Note(float(i), 0.8, 70, 90) for i in range(36))
    changes = parse_changes("Dm7 | G7 | Cmaj7 | A7", 12, beats_per_bar=3)
    score = accompany(BAND, solo, changes, (), 12, 140.0, FEELS["swing"], "trumpet", 1, 3)
    assert score.beats == 36
    downs = [n for n in score.parts["drums"] if n.pitch == drums.RIDE and abs(n.onset % 3) < 0.15]
    assert len(downs) >= 9

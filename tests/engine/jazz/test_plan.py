"""What is asked for is checked, what is left open is drawn by the seed, and a pinned request plans the same clip."""

import pytest

from engine.contract import engine_pb2 as pb
from engine.contract.limits import MAX_BARS, MAX_TAKES
from engine.errors import BadChords, BadOption
from engine.jazz.band import weights
from engine.jazz.plan import make_plan
from engine.jazz.playing.request import Request
from engine.jazz.playing.soloist import DEFAULT_TAKES
from engine.jazz.theory.form import FORM_NAMES
from engine.jazz.theory.harmony import format_changes
from engine.jazz.theory.score import ChordSpan
from engine.settings import JazzSettings

MODEL = weights.load().chords


def plan(seed=1, max_bars=64, **asked):
    return make_plan(pb.PlayRequest(**asked), seed, max_bars=max_bars, takes=4, model=MODEL)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"bars": 1}, "A clip can have 2 to 64 bars, not 1."),
        ({"bars": 500}, "A clip can have 2 to 64 bars, not 500."),
        ({"tempo_bpm": 10}, "The tempo must be between 40 and 320 bpm, not 10."),
        ({"tempo_bpm": 1000}, "The tempo must be between 40 and 320 bpm, not 1000."),
        ({"tempo_bpm": -120}, "The tempo must be between"),
        ({"tempo_bpm": float("nan")}, "The tempo must be between"),
        ({"instrument": "tenor sex"}, "Did you mean tenor sax?"),
        ({"instrument": "xylorimba of doom"}, "Nobody here plays"),
        ({"form": "blus"}, "Did you mean blues?"),
        ({"feel": "polka"}, "I don't know the feel “polka”"),
        ({"key": "H", "form": "blues"}, "I don't know the key “H”"),
        ({"takes": 99}, "Choose between 1 and 32 takes, not 99."),
        ({"chords": "C", "form": "blues"}, "not both"),
        ({"chords": "C", "key": "F"}, "Your chords already set the key"),
        ({"form_chords": "C7 | F7"}, "Name the form"),
        (
            {"style": "swinging"},
            "Choose one of these: bebop, cool, free, fusion, hard bop, postbop, swing, traditional.",
        ),
        ({"beats_per_bar": 5}, "The band plays in 4/4 and 3/4, not in bars of 5 beats"),
        ({"beats_per_bar": 3, "feel": "bossa"}, "Bossa nova is in 4/4"),
        ({"beats_per_bar": 3, "continue_from": b"MThd"}, "I can only answer a phrase in 4/4."),
        ({"form": "rhythm changes", "tempo_bpm": 40, "bars": 64}, "minutes"),
    ],
)
def test_a_bad_option_is_refused_with_a_sentence(asked, sentence):
    with pytest.raises(BadOption) as refused:
        plan(**asked)
    assert sentence in str(refused.value)
    assert str(refused.value)[-1] in ".?"


@pytest.mark.parametrize("takes", [1, 24, MAX_TAKES])
def test_every_number_of_takes_that_the_settings_allow_is_played(takes):
    allowed = JazzSettings(takes=takes).takes
    assert make_plan(pb.PlayRequest(form="blues"), 1, max_bars=64, takes=allowed, model=MODEL).takes == takes
    with pytest.raises(BadOption, match="between 1 and 32 takes, not 33"):
        make_plan(pb.PlayRequest(form="blues"), 1, max_bars=64, takes=MAX_TAKES + 1, model=MODEL)


def test_the_longest_clip_that_the_settings_allow_can_be_improvised():
    longest = plan(chords="Dm7 G7", bars=MAX_BARS, tempo_bpm=320, max_bars=JazzSettings(max_bars=MAX_BARS).max_bars)
    Request(longest.changes, longest.bars, longest.tempo_bpm, longest.instrument).check(MAX_TAKES)
    with pytest.raises(ValueError, match="max_bars"):
        JazzSettings(max_bars=MAX_BARS + 1)
    with pytest.raises(ValueError, match="takes"):
        JazzSettings(takes=MAX_TAKES + 1)
    assert JazzSettings().takes == DEFAULT_TAKES


def test_an_unreadable_chord_is_named_with_its_place():
    with pytest.raises(BadChords, match=r"“H7” \(chord 2, bar 1\)"):
        plan(chords="Dm7 H7 | C")


def test_no_bars_means_those_of_the_chords_or_the_form():
    assert plan(chords="Dm7 G7 Cmaj7").bars == 3
    assert plan(form="blues").bars == 12
    assert plan(form="AABA").bars == 32
    assert plan(chords="Dm7 | G7", bars=5).bars == 5


def test_names_are_read_in_any_case():
    made = plan(form="Rhythm Changes", instrument="TENOR", feel="Swing", key="bb")
    assert (made.form, made.instrument, made.feel.name, made.key) == ("rhythm changes", "tenor sax", "swing", "Bb")


@pytest.mark.parametrize("seed", range(12))
def test_a_pinned_request_plans_the_same_clip(seed):
    for asked in ({}, {"form": "AABA"}, {"form": "bossa"}, {"chords": "Dm7 G7 | Cmaj7"}, {"bars": 8}):
        first = plan(seed, **asked)
        pinned = {"bars": first.bars, "tempo_bpm": first.tempo_bpm, "instrument": first.instrument,
                  "feel": first.feel.name}  # fmt: skip
        if "chords" in asked:
            pinned["chords"] = asked["chords"]
        else:
            pinned |= {"form": first.form, "key": first.key}
        assert plan(seed, **pinned) == first


@pytest.mark.parametrize("form", FORM_NAMES)
def test_a_form_over_the_changes_of_an_earlier_clip_is_the_same_form(form):
    for seed in range(6):
        first = plan(seed, form=form, bars=(0, 10, 40)[seed % 3])
        told = {"form": form, "key": first.key, "bars": first.bars, "form_chords": format_changes(first.changes)}
        again = plan(seed + 50, **told)
        assert (again.changes, again.sections) == (first.changes, first.sections)
        assert (again.form, again.key, again.bars) == (form, first.key, first.bars)


def test_chords_in_three_four_fill_bars_of_three_beats():
    made = plan(chords="Dm7 G7 | Cmaj7", beats_per_bar=3)
    assert made.changes == (ChordSpan(0, 2, "Dm7"), ChordSpan(2, 1, "G7"), ChordSpan(3, 3, "Cmaj7"))
    assert (made.bars, made.beats_per_bar, plan(chords="Dm7").beats_per_bar) == (2, 3, 4)


@pytest.mark.parametrize("form", [form for form in FORM_NAMES if form != "bossa"])
def test_a_form_in_three_four_has_its_bars_and_sections(form):
    made, common = plan(form=form, beats_per_bar=3, key="C"), plan(form=form, key="C")
    assert made.changes[-1].onset + made.changes[-1].beats == made.bars * 3
    assert [section.onset / 3 for section in made.sections] == [section.onset / 4 for section in common.sections]
    assert [span.symbol for span in made.changes] == [span.symbol for span in common.changes]


def test_a_style_is_read_in_any_case_and_left_open_when_nobody_asks():
    assert (plan(style="Hard  Bop").style, plan().style) == ("hard bop", "")


def test_seeds_draw_different_clips():
    assert len({(p.form, p.key, p.tempo_bpm, p.instrument) for p in map(plan, range(20))}) > 15


def test_the_feel_follows_form_and_tempo():
    assert plan(form="bossa").feel.name == "bossa"
    assert plan(form="ballad").feel.name == "ballad"
    assert plan(chords="Dm7 G7", tempo_bpm=60).feel.name == "ballad"
    assert plan(chords="Dm7 G7", tempo_bpm=260).feel.name == "up"
    low, high = plan(form="ballad").feel.tempo_bpm
    assert low <= plan(form="ballad").tempo_bpm <= high

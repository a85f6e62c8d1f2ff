"""Forms in every key, and tunes drawn from the chord model."""

from itertools import pairwise

import numpy as np
import pytest

from engine.errors import BadOption
from engine.jazz.band import weights
from engine.jazz.theory.chord_model import is_tonic, token_of
from engine.jazz.theory.form import FORMS, changes_of
from engine.jazz.theory.harmony import chord_at, parse_chord
from engine.jazz.theory.keys import KEYS, split_key

MODEL = weights.load().chords


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("form", FORMS)
def test_a_form_fills_its_chorus_in_every_key(form):
    for key in KEYS:
        for seed in range(3):
            changes, sections = changes_of(form, key, 0, MODEL, rng(seed))
            assert changes[0].onset == 0
            for before, after in pairwise(changes):
                assert after.onset == before.onset + before.beats
            assert changes[-1].onset + changes[-1].beats == FORMS[form].bars * 4
            assert sections[0].onset == 0


def test_a_blues_in_f_is_a_blues_in_f():
    for seed in range(8):
        changes, _ = changes_of("blues", "F", 0, MODEL, rng(seed))
        roots = [parse_chord(chord_at(changes, bar * 4).symbol).root for bar in (0, 4, 9)]
        assert roots == [5, 10, 0]


def test_a_key_is_major_or_minor_as_it_says():
    for seed in range(6):
        for key, quality in (("C", "major"), ("Cm", "minor")):
            changes, _ = changes_of("bossa", key, 0, MODEL, rng(seed))
            assert parse_chord(changes[0].symbol).quality == quality
    assert FORMS["minor blues"].mode(False)
    assert not FORMS["blues"].mode(True)


def test_forms_repeat_or_are_cut_to_the_bars_asked_for():
    changes, sections = changes_of("blues", "C", 30, MODEL, rng())
    assert changes[-1].onset + changes[-1].beats == 120
    assert [section.onset for section in sections if section.name == "1"] == [0, 48, 96]
    assert changes_of("modal", "D", 4, MODEL, rng())[0][-1].onset == 12


@pytest.mark.parametrize("minor", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_a_drawn_tune_is_aaba_and_comes_home(seed, minor):
    changes, sections = changes_of("AABA", "Cm" if minor else "C", 0, MODEL, rng(seed))
    assert [section.name for section in sections] == ["A", "A", "bridge", "A"]

    def bar(number):
        return [(span.onset % 4, span.symbol) for span in changes if span.onset // 4 == number]

    assert [bar(i) for i in range(5)] == [bar(8 + i) for i in range(5)] == [bar(24 + i) for i in range(5)]
    assert is_tonic(token_of(chord_at(changes, 30 * 4).symbol, 0), int(minor))
    assert len({span.symbol for span in changes}) >= 5


def test_drawn_tunes_differ_and_one_seed_draws_one_tune():
    tunes = {changes_of("AABA", "F", 0, MODEL, rng(seed))[0] for seed in range(10)}
    assert len(tunes) >= 9
    assert changes_of("AABA", "F", 0, MODEL, rng(4)) == changes_of("AABA", "F", 0, MODEL, rng(4))


def test_keys_are_read_in_either_spelling():
    assert split_key("f#") == ("Gb", False)
    assert split_key("Ebm") == ("Eb", True)
    assert split_key("bb") == ("Bb", False)
    with pytest.raises(BadOption, match="“H”"):
        split_key("H")
    with pytest.raises(BadOption, match="polka"):
        changes_of("polka", "C", 0, MODEL, rng())

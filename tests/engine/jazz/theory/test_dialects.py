"""Chord symbols as seven traditions and several keyboards write them: read alike, and what stays unread gets a hint."""

import random

import pytest

from engine.errors import BadChords
from engine.jazz.theory.chords import NO_CHORD, parse_chord, transpose_symbol


def steps(symbol: str) -> tuple[list[int], list[int]]:
    chord = parse_chord(symbol)
    assert chord.root is not None
    over = [[(tone - chord.root) % 12 for tone in tones] for tones in (chord.tones, chord.tensions)]
    return over[0], sorted(over[1])


SAME = {
    "the triangles of keyboards": "E^7 E∆7 EΔ7 E△7 Emaj7 EMA7 Emajor7 E7M Et7",
    "half-diminished": "Em7b5 Eø Eø7 E⌀7 E∅7 Eh Eh7 Ehdim7 E07 E0 Em7(b5) Em7(5-) Em7/5- E-7-5 EMI7(b5) Ehalf-dim7",
    "diminished": "E°7 E˚7 Eº7 Eo7 Edim7 Edim. Ediminished7",
    "seventh": "E7 E⁷ Edominant7 Edom7 Ｅ７ E\u200b7 Е7",
    "minor seventh": "Em7 E-7 E–7 E−7 EMI7 Emi7 EMIN7 Eminor7 E:min7 E‑7",
    "minor with a major seventh": "Em(maj7) Em/maj7 Em+7 Em#7 Em7M Em(7M) E-Δ7 E-∆7 EmM7 Eminmaj7 E:minmaj7 EMI(MA7)",
    "flat nine": "E7b9 E7♭9 E7(b9) E7(9-) E7/9- E7-9 E9b E79b E7⁽♭⁹⁾",
    "sharp five": "E7#5 E7♯5 E7(5+) E7(+5) E+7 E7+ Eaug7 E7aug E7/5+",
    "nine": "E9 E7/9 E7(9) E79",
    "sus": "E7sus E7sus4 E7/4 E4/7 E7sus. E7SUS4",
    "six nine": "E6/9 E69 E6(9) E⁶/⁹",
    "altered": "E7alt E7alt. E7(alt) Ealt E7ALT",
    "fourth with a sharp fifth": "E4(5+) Esus4(#5)",
    "flat five": "E-5 E(b5) E5-",
    "added nine": "Eadd9 E/9 E(9) E(add9) E:maj(9)",
}


@pytest.mark.parametrize("name", SAME)
def test_every_dialect_means_the_same_chord(name: str) -> None:
    symbols = SAME[name].split()
    first = steps(symbols[0])
    assert {symbol: steps(symbol) for symbol in symbols} == dict.fromkeys(symbols, first)
    assert {parse_chord(symbol).root for symbol in symbols} == {4}


@pytest.mark.parametrize(
    ("symbol", "tones", "tensions"),
    [
        ("Cm7M(9)", [0, 3, 7, 11], [2]),
        ("Ch9", [0, 3, 6, 10], [2]),
        ("C4", [0, 5, 7], []),
        ("Cm4", [0, 3, 7], [5]),
        ("C7/9/11+", [0, 4, 7, 10], [2, 6]),
        ("C7(b9/13)", [0, 4, 7, 10], [1, 9]),
        ("C7(9-/13-)", [0, 4, 7, 10], [1, 8]),
        ("Csus24", [0, 5, 7], [2]),
        ("C7phryg", [0, 5, 7, 10], [1]),
        ("Clyd", [0, 4, 7, 11], [6]),
        ("C7no5", [0, 4, 7, 10], []),
        ("C-Δ7", [0, 3, 7, 11], []),
        ("C7sus4(b9)", [0, 5, 7, 10], [1]),
        ("C13#11", [0, 4, 7, 10], [6, 9]),
        ("C:sus4(b7,9)", [0, 5, 7, 10], [2]),
        ("C:(b3,5,b7)", [0, 3, 7, 10], []),
        ("C:(1,5)", [0, 7, 7], []),
    ],
)
def test_a_symbol_says_these_tones(symbol: str, tones: list[int], tensions: list[int]) -> None:
    assert steps(symbol) == (tones, tensions)


@pytest.mark.parametrize(
    ("symbol", "root", "bass", "plain"),
    [
        ("Sib7", 10, 10, "Bb7"), ("Rém7", 2, 2, "Dm7"), ("Fa#m7(b5)", 6, 6, "F#m7(b5)"), ("Lab7M", 8, 8, "Abmaj7"),
        ("Re7/Fa#", 2, 6, "D7/F#"), ("C:maj7/3", 0, 4, "Cmaj7/E"), ("Bb:7/b7", 10, 8, "Bb7/Ab"),
        ("F#:hdim7/b5", 6, 0, "F#hdim7/C"), ("dm7/c", 2, 0, "Dm7/C"), ("F#b5", 6, 6, "F#(b5)"), ("B##", 1, 1, "B##"),
    ],
)  # fmt: skip
def test_root_and_bass_are_found_in_any_alphabet(symbol: str, root: int, bass: int, plain: str) -> None:
    chord = parse_chord(symbol)
    assert (chord.root, chord.bass, chord.symbol) == (root, bass, plain)


@pytest.mark.parametrize("symbol", ["N", "NC", "N.C.", "n.c.", "N.C"])
def test_no_chord_has_many_spellings(symbol: str) -> None:
    assert parse_chord(symbol).symbol == NO_CHORD


@pytest.mark.parametrize(
    ("symbol", "hint"),
    [
        ("H7", "write B7."), ("Hm7b5", "write Bm7b5."), ("Dm77", "Did you mean Dm7?"), ("Cmajj7", "mean Cmaj7?"),
        ("Cmaj77", "Did you mean Cmaj7?"), ("Amm7", "Did you mean Am7?"), ("Gdm7/B", "/B?"), ("ii7", "scale degrees"),
        ("bVII7", "scale degrees"), ("1", "scale degrees"), ("x4", "|: before"), ("C/E/G", "Name the chord"),
        ("C############7", "“C############7”"), ("K9", "“K9”"), ("C7((b9)", "“C7((b9)”"), ("C//", "“C//”"),
    ],
)  # fmt: skip
def test_a_symbol_that_stays_unread_gets_a_hint(symbol: str, hint: str) -> None:
    with pytest.raises(BadChords) as refused:
        parse_chord(symbol)
    assert hint in str(refused.value)
    assert str(refused.value)[-1] in ".?"


ROOTS = ["C", "Db", "D#", "Eb", "F", "F#", "G", "Ab", "Bb", "B", "c", "bb"]
KINDS = ["", "m", "-", "maj7", "^", "Δ9", "7", "9", "13", "6", "69", "ø", "h7", "o7", "dim", "+", "aug7", "sus4", "4",
         "m(maj7)", "7alt", "7M", "m7", "MI7", "5", "add9", "7sus", "2", "11", "maj13"]  # fmt: skip
MORE = ["", "b9", "#9", "(b9,b13)", "#11", "(#5)", "/9", "/9-", "(13)", "no5", "/E", "/Gb", "b5", "9b", "(add11)", " "]
SCRAPS = [*"CDGmb#7913/(),-+^°Δ∆ø|%:.xNhk ", "maj", "sus", "add", "𝄫", "７", "⁷", "é", "\u200b", "Sol", "♭", "H"]


@pytest.mark.parametrize("seed", range(10))
def test_what_is_read_is_read_the_same_again_and_in_every_key(seed: int) -> None:
    """300 symbols, grammatical and broken: a chord whose plain spelling means the same, or one clear refusal."""
    draw = random.Random(seed)
    read, refusals = 0, []
    for number in range(30):
        if number % 2:
            symbol = draw.choice(ROOTS) + draw.choice(KINDS) + draw.choice(MORE) + draw.choice(MORE)
        else:
            symbol = "".join(draw.choice(SCRAPS) for _ in range(draw.randint(1, 9)))
        try:
            chord = parse_chord(symbol)
        except BadChords as refusal:
            refusals.append((symbol, str(refusal)))
            continue
        read += 1
        assert parse_chord(chord.symbol) == chord, symbol
        assert {*chord.tones, *chord.tensions} <= set(chord.scale), symbol
        if chord.root is not None and chord.bass is not None:
            moved = parse_chord(transpose_symbol(symbol, 5))
            assert moved.tones == tuple((tone + 5) % 12 for tone in chord.tones), symbol
            assert moved.bass == (chord.bass + 5) % 12, symbol
    assert read > 5
    assert [symbol for symbol, sentence in refusals if f"“{symbol}”" not in sentence] == []

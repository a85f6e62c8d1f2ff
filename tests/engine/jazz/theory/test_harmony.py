"""Chord symbols in both spellings, and lines of them over bars."""

import pytest

from engine.errors import BadChords
from engine.jazz.theory.harmony import (
    chord_at,
    format_changes,
    parse_changes,
    parse_chord,
    transpose_symbol,
)


def steps(symbol: str) -> tuple[str, list[int], list[int]]:
    chord = parse_chord(symbol)
    assert chord.root is not None
    return (
        chord.quality,
        [(tone - chord.root) % 12 for tone in chord.tones],
        [(tone - chord.root) % 12 for tone in chord.tensions],
    )


@pytest.mark.parametrize(
    ("spellings", "quality", "tones", "tensions"),
    [
        ("C C^ Cmaj7 CM7 Cj7 CΔ7 CMaj7", "major", None, []),
        ("Cmaj7 CM7 Cj7 C^7 CΔ Cj", "major", [0, 4, 7, 11], []),
        ("C6", "major", [0, 4, 7, 9], []),
        ("C6/9 C69 C6(9)", "major", [0, 4, 7, 9], [2]),
        ("Cm7 C-7 Cmin7 Cmi7", "minor", [0, 3, 7, 10], []),
        ("Cm9 C-79 Cmin9", "minor", [0, 3, 7, 10], [2]),
        ("Cm6 C-6 Cmin6", "minor", [0, 3, 7, 9], []),
        ("Cmadd9", "minor", [0, 3, 7], [2]),
        ("Cm(maj7) CmM7 C-j7 C-^7 Cminmaj7", "minor_major", [0, 3, 7, 11], []),
        ("C7 Cdom7", "dominant", [0, 4, 7, 10], []),
        ("C9#11 C7911# C911#", "dominant", [0, 4, 7, 10], [2, 6]),
        ("C7b9 C79b C7-9 C7(b9) C9b", "altered", [0, 4, 7, 10], [1]),
        ("C7#9 C79# C7+9 C9#", "altered", [0, 4, 7, 10], [3]),
        ("C13b9 C79b13 C139b", "altered", [0, 4, 7, 10], [1, 9]),
        ("C7b9b13 C79b13b", "altered", [0, 4, 7, 10], [1, 8]),
        ("C7#5 C+7 C7+ Caug7", "altered", [0, 4, 8, 10], []),
        ("C7#9#5 C+79# C79#+", "altered", [0, 4, 8, 10], [3]),
        ("C7alt Calt", "altered", [0, 4, 8, 10], [1, 3]),
        ("C7sus C7sus4 Csus7", "suspended", [0, 5, 7, 10], []),
        ("Cm7b5 C-7b5 Cø Cø7 Cmin7b5", "half_diminished", [0, 3, 6, 10], []),
        ("Co Co7 Cdim Cdim7 C°7", "diminished", [0, 3, 6, 9], []),
        ("C+ Caug", "augmented", [0, 4, 8], []),
        ("C+j7 Cmaj7+ Cmaj7#5", "augmented", [0, 4, 8, 11], []),
        ("Cmaj7#11 Cj711# Cmaj7(#11)", "major", [0, 4, 7, 11], [6]),
    ],
)
def test_every_spelling_of_a_chord_means_the_same(
    spellings: str, quality: str, tones: list[int] | None, tensions: list[int]
) -> None:
    for symbol in spellings.split():
        read = steps(symbol)
        assert read[0] == quality, symbol
        assert tones is None or read[1] == tones, symbol
        assert read[2] == tensions, symbol


def test_a_scale_holds_every_written_tone() -> None:
    for symbol in ("C7911#", "Cj79#", "C-j7911#", "C13b11#", "Co7", "C7alt", "C7susadd3", "C5", "Csus2", "Cm69"):
        chord = parse_chord(symbol)
        assert {*chord.tones, *chord.tensions} <= set(chord.scale), symbol


def test_flats_of_lower_case_roots_are_read() -> None:
    assert parse_chord("bb7").root == 10
    assert parse_chord("bbm7b5").symbol == "Bbm7b5"
    assert parse_chord("F♯m7").root == 6


def test_the_bass_of_a_slash_chord_is_not_its_root() -> None:
    chord = parse_chord("C-7/Eb")
    assert (chord.root, chord.bass, chord.third) == (0, 3, 3)


def test_no_chord_is_a_chord_of_no_tones() -> None:
    for symbol in ("NC", "N.C."):
        chord = parse_chord(symbol)
        assert chord.quality == "none"
        assert chord.root is None
        assert chord.tones == ()


def test_avoid_notes_are_a_semitone_above_a_chord_tone() -> None:
    assert parse_chord("Cmaj7").avoid == (5,)
    assert parse_chord("Cm7").avoid == ()
    assert parse_chord("C7").avoid == (5,)
    assert parse_chord("C7alt").avoid == ()


@pytest.mark.parametrize(
    "symbol", ["H7", "C/H", "Hm7", "7", "Cfoo", "Cm8", "C15", "Cmm7", "C7b", "xyz", "", "C/", "G99"]
)
def test_what_is_no_chord_is_refused_with_its_name(symbol: str) -> None:
    with pytest.raises(BadChords, match=f"“{symbol}”"):
        parse_chord(symbol)


def test_transposing_moves_root_and_bass_and_nothing_else() -> None:
    assert transpose_symbol("C-7/Eb", 2) == "D-7/F"
    assert transpose_symbol("Bb79b13", -1) == "A79b13"
    assert transpose_symbol("NC", 3) == "NC"
    assert transpose_symbol("Bdim7", 2, flats=False) == "C#dim7"


def test_chords_without_bar_lines_have_a_bar_each_and_repeat_to_fill() -> None:
    changes = parse_changes("Dm7 G7 Cmaj7", bars=4)
    assert [(span.onset, span.beats, span.symbol) for span in changes] == [
        (0, 4, "Dm7"),
        (4, 4, "G7"),
        (8, 4, "Cmaj7"),
        (12, 4, "Dm7"),
    ]


def test_chords_of_a_bar_share_it_and_slashes_count_beats() -> None:
    changes = parse_changes("Dm7 G7 | Cmaj7 / / A7 | % | C D E")
    assert [(span.onset, span.beats, span.symbol) for span in changes] == [
        (0, 2, "Dm7"),
        (2, 2, "G7"),
        (4, 3, "Cmaj7"),
        (7, 1, "A7"),
        (8, 3, "Cmaj7"),
        (11, 1, "A7"),
        (12, 2, "C"),
        (14, 1, "D"),
        (15, 1, "E"),
    ]


def test_repeat_signs_repeat_and_the_line_reads_back() -> None:
    changes = parse_changes("|: Dm7 G7 | Cmaj7 :| A7 / / D7 |")
    assert len(changes) == 8
    again = parse_changes(format_changes(changes))
    assert again == changes


def test_commas_and_spaces_in_parentheses_belong_to_the_chord() -> None:
    for line in ("C7(b9,b13) | Fm6", "C7(b9, b13) | Fm6", "C7( b9 , b13 ), Fm6"):
        changes = parse_changes(line)
        assert [(span.onset, span.symbol) for span in changes] == [(0, "C7(b9,b13)"), (4, "Fm6")]
        assert parse_changes(format_changes(changes)) == changes
    assert parse_chord("C7(b9,b13)").tensions == parse_chord("C7b9b13").tensions
    first, second = parse_changes("C7(b9, #11) Dm7, | G7")[:2]
    assert (first.symbol, second.symbol, second.onset) == ("C7(b9,#11)", "Dm7", 2)


def test_a_symbol_is_written_without_spaces_so_that_a_line_of_them_reads_back() -> None:
    assert parse_chord("C7 (b9, #11)").symbol == "C7(b9,#11)"
    assert parse_chord(" Dm7 ").symbol == "Dm7"


def test_a_chord_is_found_at_every_beat() -> None:
    changes = parse_changes("Dm7 G7 | Cmaj7")
    assert [chord_at(changes, beat).symbol for beat in (0, 1.99, 2, 3.5, 4, 99)] == [
        "Dm7",
        "Dm7",
        "G7",
        "G7",
        "Cmaj7",
        "Cmaj7",
    ]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Dm7 H7 | C", "“H7” (chord 2, bar 1)"),
        ("Dm7 | G7 | Hm", "“Hm” (chord 3, bar 3)"),
        ("Dm7 | C7(b9, b13 | Fm6", "“C7(b9” (chord 2, bar 2)"),
        ("Dm7 | C7 b9, #11) | Fm6", "“#11)” (chord 4, bar 2)"),
        ("Dm7 | C7(b9, x) | Fm6", "“C7(b9, x)” (chord 2, bar 2)"),
        ("% C", "bar 1"),
        ("C D E F G | A", "Bar 1 has 5 chords"),
        ("", "no chords"),
        ("| |", "no chords"),
        ("C " * 4000, "characters long"),
    ],
)
def test_an_unreadable_line_names_the_token_and_its_place(text: str, named: str) -> None:
    with pytest.raises(BadChords) as refused:
        parse_changes(text)
    assert named in str(refused.value)

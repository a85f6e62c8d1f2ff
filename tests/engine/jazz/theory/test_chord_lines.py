"""Lines of chords as people type and paste them: bars, repeats, labels and odd characters come out as meant."""

import random

import pytest

from engine.errors import BadChords
from engine.jazz.theory.harmony import count_bars, format_changes, parse_changes

LINES = {
    "A: C F B: G": "C | F | G",
    "Intro: Dm7 G7": "Dm7 | G7",
    "Verse 1:\nC | F\nChorus:\nG | C": "C | F | G | C",
    "[Verse] C | G": "C | G",
    "[A] Dm7 | G7\n[B] C | F": "Dm7 | G7 | C | F",
    "[Dm7] [G7] [C]": "Dm7 | G7 | C",
    "Last chorus, slower: Dm7 G7": "Dm7 | G7",
    "Bridge Dm7 G7": "Dm7 | G7",
    "A' C | F": "C | F",
    "Dm7 G7 | | | Cmaj7": "Dm7 G7 | G7 | % | Cmaj7",
    "| | C | F": "NC | C | F",
    "C | |\nF": "C | % | F",
    "| C | F |\n| G | C |": "C | F | G | C",
    "C |\nF |\n\nG | C": "C | F | G | C",
    "C || F ||| G": "C | F | G",
    "|: Dm7 | G7 :| x3": "Dm7 | G7 | Dm7 | G7 | Dm7 | G7",
    "|: Dm7 | G7 :|x2 C": "Dm7 | G7 | Dm7 | G7 | C",
    "|: Dm7 | G7 :| (3x) | C": "Dm7 | G7 | Dm7 | G7 | Dm7 | G7 | C",
    "|: C :| 3 times": "C | % | %",
    "|: C | F x3 :|": "C | F | C | F | C | F",
    "|: C | F :| ×1": "C | F",
    "|: C | F |1. G :|2. C |": "C | F | G | C | F | C",
    "|: C | F | [1. G :| [2. C ]": "C | F | G | C | F | C",
    "|: C | F |1 G :|2 C | D": "C | F | G | C | F | C | D",
    "|: C |1.2. F :|3. G |": "C | F | C | F | C | G",
    "|: C |1-3. F :|4. G | A": "C | F | C | F | C | F | C | G | A",
    "|: C | F |1. G :|2. C :|": "C | F | G | C | F | C",
    "|: C |1. F :| G": "C | F | C | G",
    "{Dm7 | G7 }": "Dm7 | G7 | Dm7 | G7",
    "|: Am7 :||: D7 :|": "Am7 | % | D7 | %",
    "C ‖ F 𝄆 G 𝄇": "C | F | G | %",
    "C ｜ Ｆ７": "C | F7",
    "C | x | F": "C | % | F",
    "C | D | %% | F": "C | D | C | D | F",
    "Dm7 | G7 | Cmaj7.": "Dm7 | G7 | Cmaj7",
    "Dm7\u200b | G7\ufeff": "Dm7 | G7",
    "`Dm7 | G7`": "Dm7 | G7",
    "```\nDm7 | G7\n```": "Dm7 | G7",
    "**Dm7** | G7": "Dm7 | G7",
    "> Dm7 | G7": "Dm7 | G7",
    "“Dm7 | G7”": "Dm7 | G7",
    "Dm7 → G7 → C": "Dm7 | G7 | C",
    "Dm7-G7-C": "Dm7 | G7 | C",
    "Dm7, G7; C": "Dm7 | G7 | C",
    "(Dm7 G7) | C": "Dm7 G7 | C",
    "| C / / / | F /// |": "C | F",
    "C:maj7 | A:min7": "Cmaj7 | Amin7",
    "C∆7 | F∆7": "C^7 | F^7",
    "C7M | Cm7M(9) | C7/9 C7(9-)": "Cmaj7 | Cmmaj7(9) | C7(9) C7(b9)",
    "Do Re Mi": "C | D | E",
    "Lam7 | Re7 | Sol7M": "Am7 | D7 | Gmaj7",
    "C Do Dm7": "C | Ddim | Dm7",
    "D° | D°": "Ddim | %",
    "dm7 | g7 | cmaj7": "Dm7 | G7 | Cmaj7",
    "4/4 | C | F": "C | F",
    "N.C. | NC": "NC | %",
    "C N.C. F": "C | NC | F",
    "Dm7 G7 % %": "Dm7 | G7 | % | %",
    "Dm7 G7 |": "Dm7 G7 |",
}


@pytest.mark.parametrize("line", LINES)
def test_a_line_comes_out_as_meant(line: str) -> None:
    changes = parse_changes(line)
    assert format_changes(changes) == LINES[line]
    assert parse_changes(LINES[line]) == changes
    assert count_bars(line) == count_bars(LINES[line])


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("Do", "C or D diminished"),
        ("Dm7 | G7 x2", "“x2” (chord 3, bar 2)"),
        ("Dm7 | D.C. al Fine", "Write the form out"),
        ("1 4 5", "scale degrees"),
        ("Dm7 | H7", "write B7."),
        ("Dm7 | Gm77", "Did you mean Gm7?"),
        ("|: C | F :| x600", "more than 1024 bars"),
        ("|: C :| x99999999999", "more than 1024 bars"),
        ("|: |: :|", "no chords"),
        ("C7((b9) | F", "A parenthesis is never closed."),
        ("la la la", "“la” (chord 1"),
        ("%", "none before bar 1"),
        ("/", "none before bar 1"),
        ("C D E F G | A", "room for 4"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place_and_a_hint(line: str, words: str) -> None:
    with pytest.raises(BadChords) as refused:
        parse_changes(line)
    assert words in str(refused.value)
    assert str(refused.value)[-1] in ".?"
    assert len(str(refused.value)) < 250


PIECES = ["|", "||", "|:", ":|", "|1.", ":|2.", " ", " ", "\n", "%", "/", "x3", "A:", "[B]", "(", ")", "Dm7", "G7", "C",
          "F#ø", "N.C.", "Bb7(b9, #11)", "∆", "Sol", "do", "-", "...", "4/4", "`", "H7", "☃", "1", "{"]  # fmt: skip


@pytest.mark.parametrize("seed", range(10))
def test_random_lines_are_read_back_the_same_or_refused_in_one_sentence(seed: int) -> None:
    draw, sentences = random.Random(seed), []
    for _ in range(30):
        line = "".join(draw.choice(PIECES) + draw.choice(["", " "]) for _ in range(draw.randint(1, 24)))
        for beats_per_bar in (3, 4):
            try:
                changes = parse_changes(line, beats_per_bar=beats_per_bar)
            except BadChords as refusal:
                sentences.append((str(refusal), line))
                continue
            assert parse_changes(format_changes(changes, beats_per_bar), beats_per_bar=beats_per_bar) == changes, line
            assert all(span.beats > 0 for span in changes)
    assert [line for sentence, line in sentences if sentence[-1] not in ".?"] == []

"""A line of chords as people type or paste it, read into bars: bar lines, repeats, endings, labels and quotes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from engine.errors import BadChords
from engine.jazz.theory.chords import NO_CHORD, parse_chord
from engine.jazz.theory.dialects import hint, solfege
from engine.jazz.theory.symbols import plain

MAX_TEXT_LENGTH = 4000
MAX_BARS_WRITTEN_OUT = 1024
"""Bars after all repeats are written out."""

Bar = list[tuple[float, float, str]]
"""(onset within the bar, beats, symbol) of each chord."""

SECTION_WORDS = ("intro", "verse", "chorus", "pre-chorus", "prechorus", "bridge", "outro", "coda", "interlude", "vamp",
                 "tag", "ending", "turnaround", "refrain", "head", "solo", "solos", "theme", "section", "part", "tune",
                 "channel", "release")  # fmt: skip
_JUMPS = r"(?i:d\.?\s?[cs]\.?|dal segno|da capo|al fine|fine|to coda)"
_HOLDS = ("/", ".")
_BETWEEN = ("-", "->", ">", "=>", "→", "•", "·", "&", "+")


@dataclass(frozen=True, slots=True)
class _Token:
    """`kind`: chord, bar, open, close, ending, label, line. `count`: how often a repeat is played; `endings`: which
    times an ending is for."""

    kind: str
    text: str = ""
    count: int = 2
    endings: tuple[int, ...] = ()


def read_bars(text: str, beats_per_bar: int) -> list[Bar]:
    """The bars of a line of chords, every repeat written out; none where it names no chord.

    Raises `BadChords` with the token that can't be read, its number and its bar."""
    if len(text) > MAX_TEXT_LENGTH:
        raise BadChords(f"Your chords are {len(text)} characters long; I read {MAX_TEXT_LENGTH} at most.")
    text = re.sub(r"\bD[°º˚](?!\d)", "Ddim", text)  # in plain letters it couldn't be told from solfège's Do
    tokens = _tokens(_unquoted(plain(text)))
    if any(token.kind == "chord" for token in tokens):
        return _Reader(beats_per_bar, tokens).bars
    return []


# ---------------------------------------------------------------- text -> tokens


def _unquoted(text: str) -> str:
    """Without what chat and chord sheets put around chords: quotes, Markdown, comments, iReal Pro's braces."""
    text = re.sub(r"[`´\"“”„«»_]|\*(?![35])|^\s*>+\s", "", text, flags=re.MULTILINE)
    text = re.sub(r"<[^<>]*>", " ", text).replace("{", " |: ").replace("}", " :| ")
    outside = re.sub(r"\[[^\[\]|]*\]", " ", text)
    all_in_brackets = not any(_is_chord(word) for word in re.split(r"[\s|:]+", outside))

    def opened(match: re.Match[str]) -> str:
        inside = match.group(1).strip()
        if re.match(r"\d[\d.,\-]*[.)]?\s", inside):  # an ending that the page closes
            return f" {inside} | "
        label = re.fullmatch(r"[A-H]", inside) and not all_in_brackets
        chords = not label and inside and all(_is_chord(word) for word in inside.split())
        return f" {inside} " if chords else " "

    text = re.sub(r"\[([^\[\]|]*)\]", opened, text)
    return re.sub(r"\[(?=\s*\d)", " ", text).replace("[", " | ").replace("]", " | ")


def _is_chord(word: str) -> bool:
    try:
        parse_chord(word)
    except BadChords:
        return False
    return bool(word)


_PIECE = re.compile(
    r"(?P<close>:\|+)(?:\s*\(?\s*(?:[xX]\s*(?P<times>\d+)|(?P<times2>\d+)\s*(?:[xX]\b|times\b))\s*\)?)?"
    r"(?P<reopen>:)?"
    r"|(?P<open>\|+:)|(?P<bar>\|+)"
    r"|(?P<chord>(?:(?<=[A-G#b]):(?=[a-z0-9(])|\([^()|\n]*\)|[^\s|,;:])+:?)"
)
_ENDING = re.compile(r"N?(\d(?:[.,\-]+\d)*)[.)]*")


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    for line in text.splitlines():
        found.append(_Token("line"))
        line = _without_heading(line)
        line = re.sub(r"\(?\b[xX](\d+)\)?\s*(:\|+)", r" \2 x\1 ", line)  # the number before the sign
        line = re.sub(r"(\||:)\s*\[?N?(\d(?:[.,\-]+\d)*)[.)]*(?!\s*(?:[xX]\b|times))(?=\s|[A-G(%])", r"\1 N\2 ", line)
        line = re.sub(r"(?:(?<=\s)|^)(\d(?:[.,\-]+\d)*)[.)](?=\s|[A-G(%])", r"N\1 ", line)
        for match in _PIECE.finditer(line):
            found.extend(_token(match))
    return found


def _without_heading(line: str) -> str:
    """A line without the words and the colon in front of its chords ("Last chorus, slower: Dm7 G7")."""
    match = re.match(r"\s*([^|:]{1,40}):(?=\s|$)", line)
    if match and not any(_is_chord(word) and not re.fullmatch(r"[A-Z]", word) for word in match.group(1).split()):
        return line[match.end() :] if len(match.group(1).split()) > 1 else line
    return line


def _token(match: re.Match[str]) -> list[_Token]:
    if match["close"]:
        closed = _Token("close", count=int((match["times"] or match["times2"] or "2")[:5]))
        return [closed, _Token("open")] if match["reopen"] else [closed]
    if match["open"]:
        return [_Token("open")]
    if match["bar"]:
        return [_Token("bar")]
    word = match["chord"]
    if word.startswith("N") and (ending := _ENDING.fullmatch(word)):
        return [_Token("ending", word, endings=_numbers(ending.group(1)))]
    name, colon = word.removesuffix(":"), word.endswith(":")
    if colon and (re.fullmatch(r"[A-Za-z][1-4]?'*", name) or not _is_chord(name)):
        return [_Token("label")]
    if name.lower() in SECTION_WORDS or re.fullmatch(r"[A-H]1'*|[A-H][1-4]?'+|\d{1,2}/(?:2|4|8|16)|T\d\d", name):
        return [_Token("label")]
    if not name or name in _BETWEEN:
        return []
    words = re.split(r"->|[->→]", name)  # `Dm7-G7-C`
    if len(words) > 1 and not _is_chord(name) and all(re.match("[A-G]", word) and _is_chord(word) for word in words):
        return [_Token("chord", word) for word in words]
    return [_Token("chord", name)]


def _numbers(text: str) -> tuple[int, ...]:
    """ "1.2." -> (1, 2), "1-3" -> (1, 2, 3)."""
    numbers = [int(number) for number in re.findall(r"\d", text)]
    return tuple(range(numbers[0], numbers[-1] + 1)) if "-" in text and len(numbers) == 2 else tuple(numbers)


# ---------------------------------------------------------------- tokens -> bars


@dataclass(slots=True)
class _Reader:
    beats_per_bar: int
    tokens: list[_Token]
    bars: list[Bar] = field(default_factory=list)
    open_bar: list[tuple[int, str]] = field(default_factory=list)
    repeat_from: int = 0
    ending_from: int | None = None
    endings: tuple[int, ...] = ()
    body: list[Bar] = field(default_factory=list)
    """What is played before every ending."""

    def __post_init__(self) -> None:
        words = [token.text for token in self.tokens if token.kind == "chord"]
        syllables = any(not _is_letters(word) and solfege(plain(word)) and _is_chord(word) for word in words)
        others = [word for word in words if word.lower() != "do"]
        if not syllables and len(others) < len(words) and not any(_is_letters(word) for word in others):
            raise BadChords("“Do” could be C or D diminished. Write C or Ddim.")
        has_bar_lines = any(token.kind in ("bar", "open", "close") for token in self.tokens)
        before, number = "line", 0
        for place, token in enumerate(self.tokens):
            if token.kind == "chord":
                number += 1
                word = (solfege(token.text) or token.text) if syllables else token.text
                if before != "chord" or not self._belongs_to_the_last(word):
                    self.open_bar.append((number, word))
                if not has_bar_lines and not self._goes_on(place):
                    self._close_bar()
            elif token.kind in ("bar", "label"):
                if token.kind == "bar" and before == "bar" and not self.open_bar:
                    self._hold_a_bar()
                self._close_bar()
            else:
                self._close_bar()
                self._sign(place, token)
            before = token.kind
        self._close_bar()

    def _goes_on(self, place: int) -> bool:
        """Whether the next token is an alteration in parentheses that belongs to this chord."""
        following = self.tokens[place + 1] if place + 1 < len(self.tokens) else None
        return following is not None and re.match(r"\((?![A-GN])", following.text) is not None

    def _belongs_to_the_last(self, word: str) -> bool:
        """`(b9, #11)` behind `C7`: joins it to the chord before."""
        if not (re.match(r"\((?![A-GN])", word) and self.open_bar):
            return False
        number, last = self.open_bar[-1]
        if not _is_chord(last + word):
            return False
        self.open_bar[-1] = (number, last + word)
        return True

    def _sign(self, place: int, token: _Token) -> None:
        """Repeats and endings."""
        if token.kind == "open":
            self.repeat_from, self.ending_from, self.body = len(self.bars), None, []
        elif token.kind == "ending":
            if self.ending_from is None and not self.body:
                self.body = self.bars[self.repeat_from :]
            self.ending_from, self.endings = len(self.bars), token.endings
        elif token.kind == "close" and self.ending_from is not None:
            last = self.bars[self.ending_from :]
            for _ in self.endings[1:]:
                self._append(self.body + last)
            following = next((t.kind for t in self.tokens[place + 1 :] if t.kind not in ("bar", "line")), "")
            if following == "ending" or self.endings[0] == 1:
                self._append(self.body)
            self.ending_from, self.repeat_from = None, len(self.bars)
            if following != "ending":
                self.body = []
        elif token.kind == "close":
            part = self.bars[self.repeat_from :]
            for _ in range(max(1, token.count) - 1):
                self._append(part)
            self.repeat_from = len(self.bars)

    def _append(self, bars: list[Bar]) -> None:
        self.bars.extend([list(bar) for bar in bars])
        if len(self.bars) > MAX_BARS_WRITTEN_OUT:
            raise BadChords(f"With all repeats, your chords fill more than {MAX_BARS_WRITTEN_OUT} bars.")

    def _hold_a_bar(self) -> None:
        """An empty bar: the chord before goes on."""
        symbol = self.bars[-1][-1][2] if self.bars else NO_CHORD
        self._append([[(0.0, float(self.beats_per_bar), symbol)]])

    def _close_bar(self) -> None:
        tokens, self.open_bar = self.open_bar, []
        if not tokens:
            return
        if len(tokens) == 1 and tokens[0][1] in ("%", "x", "%%", *_HOLDS):
            sign = tokens[0][1]
            if not self.bars:
                raise BadChords(f"“{sign}” repeats the bar before it, but there is none before bar 1.")
            if sign in _HOLDS:
                self._hold_a_bar()
            else:
                self._append(self.bars[-2:] if sign == "%%" else self.bars[-1:])
            return
        self._append([self._filled(tokens)])

    def _filled(self, tokens: list[tuple[int, str]]) -> Bar:
        """The chords of a bar share it evenly, the first taking what is left over, unless slashes count its beats."""
        place = len(self.bars) + 1
        cells: list[str] = []
        for number, token in tokens:
            previous = cells[-1] if cells else (self.bars[-1][-1][2] if self.bars else None)
            cells.extend(_symbols(token, number, place, previous))
        if len(cells) > self.beats_per_bar:
            raise BadChords(
                f"Bar {place} has {len(cells)} chords (from “{tokens[0][1]}”, chord {tokens[0][0]}), "
                f"but room for {self.beats_per_bar}: one on each beat."
            )
        onsets = [*even_onsets(len(cells), self.beats_per_bar), self.beats_per_bar]
        bar: Bar = []
        for index, symbol in enumerate(cells):
            start, end = onsets[index], onsets[index + 1]
            if bar and bar[-1][2] == symbol:
                bar[-1] = (bar[-1][0], end - bar[-1][0], symbol)
            else:
                bar.append((float(start), float(end - start), symbol))
        return bar


def _is_letters(word: str) -> bool:
    """Whether a word is a chord without solfège."""
    return _is_chord(word) and (
        not re.match(r"R[eé]|Mi|Fa|Sol|La|Si", word) or re.match("Fa(?:dd|ug)", word) is not None
    )


def _symbols(token: str, number: int, bar: int, previous: str | None) -> list[str]:
    """What a token stands for: a chord, several in parentheses, or beats of the last one."""
    if re.fullmatch(r"/+|[.%]", token):
        if previous is None:
            raise BadChords(f"“{token}” (number {number}, bar {bar}) has no chord before it.")
        return [previous] * len(token)
    if _is_chord(token):
        return [parse_chord(token).symbol]
    if (held := re.fullmatch(r"(.+?)(//+)", token)) and _is_chord(held.group(1)):
        return [parse_chord(held.group(1)).symbol] * (1 + len(held.group(2)))
    bare = token.rstrip(".!?'")
    if re.fullmatch(r"\([A-GN][^()]*\)", bare):
        bare = bare[1:-1]
    if bare.split() and all(_is_chord(word) for word in bare.split()):
        return [parse_chord(word).symbol for word in bare.split()]
    raise BadChords(f"I can't read “{token}” (chord {number}, bar {bar}) as a chord. {_advice(token)}".rstrip())


def _advice(token: str) -> str:
    if re.fullmatch(_JUMPS, token):
        return "Write the form out in the order in which it's played."
    if token.count("(") != token.count(")"):
        return "A parenthesis is never closed."
    return hint(token)


def even_onsets(count: int, beats_per_bar: int) -> list[int]:
    """Beats on which `count` chords of a bar start: even shares, what is left over goes to the first."""
    share, rest = divmod(beats_per_bar, max(count, 1))
    return [0] + [share * i + rest for i in range(1, count)]

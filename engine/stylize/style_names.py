"""What members type for a style: its name, its title, or an artist, who may have several."""

from __future__ import annotations

import difflib
import re
import unicodedata

from engine.errors import UnknownStyle
from engine.stylize.book import Style, StyleBook


def plain(typed: str) -> str:
    """Lower case without accents and punctuation, words joined by hyphens: "Théo  van_Rysselberghe" becomes
    "theo-van-rysselberghe"."""
    letters = unicodedata.normalize("NFKD", typed.casefold())
    return "-".join(re.findall(r"[^\W_]+", "".join(each for each in letters if not unicodedata.combining(each))))


def style_name(book: StyleBook, typed: str) -> str:
    """The book's name for what a member typed: a name, a title, or the whole line of `/styles list`.

    Raises `UnknownStyle` with an artist's styles, or with the nearest name."""
    wanted = plain(typed)
    known = {spelling: style.name for style in reversed(book.styles) for spelling in _spellings(style)}
    known |= {plain(style.name): style.name for style in book.styles}  # a name comes before another style's title
    if wanted in known:
        return known[wanted]
    by_artist: dict[str, list[str]] = {}
    for style in book.styles:
        if wanted and set(wanted.split("-")) <= set(plain(style.artist).split("-")):
            by_artist.setdefault(style.artist, []).append(f"'{style.name}'")
    if by_artist:
        found = "; ".join(f"{' and '.join(_commas(names))} by {artist}" for artist, names in by_artist.items())
        raise UnknownStyle(f"There is no style called '{typed.strip()[:60]}', but the style book has {found}.")
    near = _nearest(wanted, {plain(style.name): style.name for style in book.styles}) or _nearest(wanted, known)
    hint = f" Did you mean '{near}'?" if near else ""
    raise UnknownStyle(f"There is no style called '{typed.strip()[:60]}'.{hint}")


def _nearest(wanted: str, known: dict[str, str]) -> str:
    """The name of the most similar spelling, or "" where none is."""
    found = difflib.get_close_matches(wanted, list(known), n=1, cutoff=0.5)
    return known[found[0]] if found else ""


def _spellings(style: Style) -> tuple[str, ...]:
    """Everything that clearly means this style, in `plain` letters."""
    work = f"{style.title}, {style.artist}"
    return tuple(
        plain(each) for each in (style.title, work, f"{work} {style.year}", f"{style.name} {work} {style.year}")
    )


def _commas(names: list[str]) -> list[str]:
    """["a", "b", "c"] -> ["a, b", "c"]"""
    return [", ".join(names[:-1]), names[-1]] if len(names) > 1 else names

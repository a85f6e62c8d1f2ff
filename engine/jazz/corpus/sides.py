"""On which side of the split a tune is, whoever plays it and however its title is spelled."""

from __future__ import annotations

from collections.abc import Mapping


def tune_key(title: str) -> str:
    """What two spellings of a title have in common: "Blues for Alice", "blues-for-alice"."""
    return "".join(letter for letter in title.casefold() if letter.isalnum()) or title


def side_of(titles: list[str], sides: Mapping[str, str], val_percent: int) -> str:
    """The side of a tune that goes by `titles`: the one that it is on, else about `val_percent` of the tunes to val."""
    keys = [tune_key(title) for title in titles]
    drawn = "val" if sum(keys[0].encode()) % 100 < val_percent else "train"
    return next((sides[key] for key in keys if key in sides), drawn)

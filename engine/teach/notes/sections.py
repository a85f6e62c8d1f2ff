"""What every kind of file is read to, and the text under its bytes."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from engine.errors import BadNotes

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""Invisible signs; among them those that turn the direction of writing around."""


@dataclass(frozen=True)
class Section:
    heading: str
    text: str


def cleaned(text: str) -> str:
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    "))


def text_of(data: bytes) -> str:
    """The text in UTF-8, UTF-16 with its mark, or Windows' Western code page. Raises `BadNotes` for what is no text."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = data.decode("utf-16", "replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("cp1252", "replace")
    if text.count("\0") + len(re.findall(r"[\x01-\x08\x0e-\x1f]", text)) > len(text) / 100:
        raise BadNotes("That file isn't text; please save it as plain text.")
    return cleaned(text)

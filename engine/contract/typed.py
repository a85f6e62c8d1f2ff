"""Whether what somebody typed is the answer, however they wrote it. Both sides use it: the engine checks its questions
with it, and the bot judges answers with it, also while the engine is away.

>>> same_answer("(8, 3, 32)", "8x3x32"), same_answer("0.693", "0,69"), same_answer("1024", "1,024")
(True, True, True)
"""

from __future__ import annotations

import math
import re

MAX_TYPED = 200
"""Characters; what is longer is no number and no shape."""

_SIZE = re.compile(r"torch\.size|tensor|shape|size", re.IGNORECASE)
_NUMBER = re.compile(r"[-+]?(?:\d+\.\d*|\.\d+|\d+)(?:e[-+]?\d+)?", re.IGNORECASE)
_GROUPED = re.compile(r"[-+]?[1-9]\d{0,2}(?:[, '_]\d{3})+(?:\.\d+)?")


def same_answer(expected: str, typed: str) -> bool:
    """Whether `typed` says `expected`, what torch printed: a number, a shape, a list of numbers, or words.

    Numbers may be rounded (to two significant digits or more) and written with a comma, in groups of three, as a
    power of ten or a fraction. Shapes and lists may be written with any brackets, with commas, spaces or `x`. Words
    are compared without regard to case, quotes and spaces. Any text at all is taken; nothing is evaluated."""
    typed = typed.strip().strip("`\"'").strip()
    if not typed or len(typed) > MAX_TYPED:
        return False
    single = _number(expected)
    if single is not None:
        readings = [_number(typed)]
        if re.fullmatch(r"[-+]?\d+,\d+", typed):  # 1,024 may be a thousand and a bit, or one and a bit
            readings.append(float(typed.replace(",", ".")))
        return any(given is not None and _close(single, given, expected, typed) for given in readings)
    numbers = _numbers(expected)
    if numbers is not None:
        given_numbers = _numbers(typed)
        if given_numbers is None or len(numbers) != len(given_numbers):
            return False
        return all(_close(float(a), float(b), a, b) for a, b in zip(numbers, given_numbers, strict=True))
    return _words(expected) == _words(typed)


def is_number_or_shape(text: str) -> bool:
    """Whether an answer can be typed without having seen it: a number, a shape or a list of numbers."""
    return _number(text) is not None or _numbers(text) is not None


def _plain(text: str) -> str:
    return text.replace("\u2212", "-").replace("\u2013", "-").replace("\u00d7", "x").strip()


def _number(text: str) -> float | None:
    """The one number that `text` is, else None."""
    text = _plain(text).rstrip(".").lower()
    if text in ("nan", "inf", "-inf", "infinity", "-infinity"):
        return float(text)
    if _GROUPED.fullmatch(text):
        return float(re.sub(r"[, '_]", "", text))
    if re.fullmatch(r"[-+]?\d+,\d+", text):
        text = text.replace(",", ".")
    power = re.fullmatch(r"([-+]?\d+(?:\.\d+)?)(?:[x*\u00b7]10(?:\^|\*\*))([-+]?\d{1,3})", text.replace(" ", ""))
    if power:
        text = f"{power[1]}e{power[2]}"
    fraction = re.fullmatch(r"([-+]?\d+)\s*/\s*(\d+)", text)
    if fraction:
        return int(fraction[1]) / int(fraction[2]) if int(fraction[2]) else None
    if not _NUMBER.fullmatch(text):
        return None
    return float(text)


def _numbers(text: str) -> list[str] | None:
    """The numbers of a shape or a list, as they are written; None if there is anything else in it."""
    text = _SIZE.sub(" ", _plain(text))
    text = re.sub(r"(?<=[\d\s])[x*](?=[\d\s])", " ", text)
    text = re.sub(r"[\[\](){}<>,;]", " ", text)
    parts = text.split()
    return parts if parts and all(_NUMBER.fullmatch(part) for part in parts) else None


def _close(expected: float, given: float, expected_text: str, given_text: str) -> bool:
    if not (math.isfinite(expected) and math.isfinite(given)):
        return str(expected) == str(given)
    if expected == given:
        return True
    if "." not in expected_text and "e" not in expected_text.lower():
        return False  # a count, a size, a shape: exact
    digits = len(re.sub(r"\D", "", given_text.lower().partition("e")[0]).lstrip("0"))
    if expected.is_integer() and (given.is_integer() or expected_text.endswith(".0")):
        return abs(expected - given) < 1e-3 * max(1.0, abs(expected)) and not given.is_integer()
    decimals = len(expected_text.rpartition(".")[2]) if "." in expected_text else 0
    rounding = 0.51 * 10**-decimals
    if digits >= 2:
        rounding = (
            max(rounding, 0.51 * 10 ** -len(given_text.replace(",", ".").rpartition(".")[2]))
            if ("." in given_text or "," in given_text)
            else rounding
        )
    return abs(expected - given) <= rounding and abs(expected - given) <= 0.05 * max(abs(expected), 10**-decimals)


def _words(text: str) -> str:
    return re.sub(r"[^a-z0-9.+-]", "", text.lower().replace("torch.", ""))

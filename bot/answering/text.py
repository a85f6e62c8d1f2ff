"""Text within Discord's limits (API v10)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import discord

MAX_ALT_TEXT = 1024
MAX_CHOICE = 100
"""Characters of a choice, of a menu's option, or of what is typed into an option with choices."""
MAX_CONTENT = 2000
MAX_DESCRIPTION = 4096
MAX_EMBED = 6000
MAX_FIELD = 1024
MAX_TITLE = 256
MAX_LABEL = 80
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_JOINERS = frozenset("\u200b\u200c\u200d")
"""Of emoji and of Persian, and the one that keeps a fence inside a code block apart."""
_LINK = re.compile(r"https?://[^\s<>]+")


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters, cut at a word where that loses little; the cut is shown by an ellipsis."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    space = max(cut.rfind(" "), cut.rfind("\n"))
    return (cut[:space] if space > limit * 3 // 4 else cut).rstrip() + "…"


def plain(text: str) -> str:
    """The text without what isn't seen and changes how the rest is read: control characters, and Unicode's marks that
    turn the direction of writing or hide between letters (UAX 9, 2). Lines stay lines, and emoji stay whole."""
    return "".join(
        char for char in text if char == "\n" or char in _JOINERS or unicodedata.category(char) not in _UNSEEN
    )


def seen(text: str) -> str:
    """What there is to see of a text, to compare it by: two that look the same are the same (UAX 15, NFKC). "" where
    there's nothing to see."""
    visible = "".join(char for char in plain(text) if char not in _JOINERS)
    return " ".join(unicodedata.normalize("NFKC", visible).casefold().split())


def named(text: str) -> str:
    """A name, a title or a heading that somebody typed, as it stands within a line of ours: in one line, without marks
    that nobody sees, and with whatever Discord would take for formatting shown as it's written."""
    return discord.utils.escape_markdown(" ".join(plain(text).split()))


def code_block(code: str, language: str = "", limit: int = MAX_DESCRIPTION) -> str:
    """A fenced block of at most `limit` characters. A fence inside the code can't end it."""
    fence_free = code.replace("```", "`\u200b`\u200b`")
    frame = len(f"```{language}\n\n```")
    return f"```{language}\n{shorten(fence_free, limit - frame)}\n```"


def percent(share: float) -> str:
    """0.583 -> "58 %"."""
    return f"{100 * share:.0f} %"


def counted(number: int, one: str, many: str = "") -> str:
    """1, "vote" -> "1 vote"; 2 -> "2 votes"."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def too_many_questions(wait_s: float) -> str:
    """Said by /ask and /quiz to somebody who asks faster than their quota allows."""
    return f"You're fast! Please wait {wait_s:.0f} s before the next question."


def in_a_row(words: Sequence[str]) -> str:
    """["a"] -> "a"; ["a", "b", "c"] -> "a, b and c"."""
    return " and ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)


def without_previews(text: str) -> str:
    """The same text, under which Discord shows no previews of its links."""
    return _LINK.sub(r"<\g<0>>", text)


def roughly(seconds: float) -> str:
    """How long something takes, no more precisely than anybody knows: 23 -> "25 s", 140 -> "2 min"."""
    if seconds < 90:
        return f"{max(5, 5 * round(seconds / 5))} s"
    return f"{round(seconds / 60)} min"


def in_words(slug: str) -> str:
    """A topic as it's read: "loss-functions" -> "loss functions"."""
    return slug.replace("-", " ")

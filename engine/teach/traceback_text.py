"""What a pasted traceback says: its last line, without what differs from one machine to the next."""

from __future__ import annotations

import re

MOST_STORY = 300
"""Characters around a traceback that are kept: what its owner says about it."""

_ERROR_LINE = re.compile(
    r"^[ \t>|]*(?:[\w.]*\.)?(?:\w+(?:Error|Exception|Warning)|KeyboardInterrupt|StopIteration)\b:?.*", re.MULTILINE
)
_FRAME = re.compile(
    r"^[ \t>|]*File \".*?\", line \d+.*$|^[ \t>|]*Traceback \(most recent call last\):.*$|^[-=~^ \t]{4,}$", re.MULTILINE
)
_DIFFERS = (
    (re.compile(r"0x[0-9a-fA-F]+"), " "),  # addresses
    (re.compile(r"(?:[A-Za-z]:)?(?:[/\\][\w.+\- ]*[\w.+\-](?=[/\\]))+[/\\][\w.+\-]+(?::\d+)?"), " "),  # paths
    (re.compile(r"\btorch\.Size\(\[[^\]]*\]\)"), " size "),
    (re.compile(r"\[[\d,\s]+\]"), " "),
    (re.compile(r"\b(?:cuda|xpu|mps):\d+"), "cuda"),
)


def asked_in(text: str) -> str:
    """`text`, any text at all, as it is searched for: of a traceback the error and what is said around it."""
    errors = _ERROR_LINE.findall(text)
    if not errors or not (_FRAME.search(text) or len(text) > MOST_STORY or "\n" in text):
        return stripped(text) if errors else text
    first = min(text.find(errors[0]), _first_frame(text))
    story = text[:first].strip()[-MOST_STORY:]
    after = text[text.rfind(errors[-1]) + len(errors[-1]) :].strip()[:MOST_STORY]
    return stripped("\n".join(part for part in (errors[-1].strip(" >|\t"), story, after) if part))


def stripped(message: str) -> str:
    """An error message without paths, addresses, shapes and the numbers of devices."""
    for pattern, instead in _DIFFERS:
        message = pattern.sub(instead, message)
    return message


def _first_frame(text: str) -> int:
    found = _FRAME.search(text)
    return found.start() if found else len(text)

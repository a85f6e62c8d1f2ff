"""Tables that staff open in a spreadsheet."""

from __future__ import annotations


def cell(value: object) -> object:
    """What goes into a cell. A spreadsheet takes a text that begins like a formula for one, and some of these texts are
    typed by members (OWASP, "CSV Injection"): an apostrophe before it makes it a text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value

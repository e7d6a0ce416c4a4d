"""What a terminal is given to print."""

from __future__ import annotations


def plain(text: str) -> str:
    """The text with nothing in it that a terminal would obey."""
    return "".join(c if c.isprintable() else "?" for c in text)

"""Puts what a run printed into a page, between its two marks."""

from __future__ import annotations

from pathlib import Path

BEGIN, END = "<!-- run -->\n", "<!-- /run -->\n"


def put(page: str, text: str) -> str:
    """The page with `text` in the place of what was there.

    Raises:
        ValueError: the page has not the two marks.
    """
    before, found, rest = page.partition(BEGIN)
    _, closed, after = rest.partition(END)
    if not found or not closed:
        raise ValueError(f"the page has no {BEGIN.strip()} and {END.strip()}")
    return f"{before}{BEGIN}{text.rstrip()}\n{END}{after}"


def write(path: Path, text: str) -> None:
    """Put it into a file."""
    path.write_text(put(path.read_text(), text))

"""What a device's terminal says of its suggestions: why, and how to answer."""

from __future__ import annotations

from collections.abc import Callable

from trivet.app.board import Board
from trivet.app.view import TimelineEntry
from trivet.domain import AnswerKind, Suggestion
from trivet.domain.clock import clock_text
from trivet.engine.explain import reason_lines

#: Given a line and its local time as text.
Tell = Callable[[TimelineEntry, str], None]
_WORDS = {
    AnswerKind.YES: "Yes",
    AnswerKind.NOT_NOW: "Not now",
    AnswerKind.UNDONE: "Taken back",
}


def tell_board(board: Board, device: str, tell: Tell) -> None:
    """Have a device's terminal told of what is shown on it, and of what is over."""

    def show(suggestion: Suggestion) -> None:
        told("suggestion", suggestion.need.title, lines(suggestion, device))

    def end(suggestion: Suggestion, kind: AnswerKind) -> None:
        told("answer", f"{_WORDS.get(kind, 'No longer')}: {suggestion.need.title}", [])

    def told(kind: str, text: str, details: list[str]) -> None:
        entry = TimelineEntry(board.time, kind, text, tuple(details))
        tell(entry, clock_text(entry.time, board.zone))

    board.on_show(show)
    board.on_over(end)


def lines(suggestion: Suggestion, device: str) -> list[str]:
    """What a person reads below a suggestion's title."""
    need = suggestion.need
    answer = f"trivet answer {suggestion.id} yes|no --device {device}"
    return [*need.details, *reason_lines(need.reasons), answer]

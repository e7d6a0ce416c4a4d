"""A switch: learn from what happens, or foretell from what is known alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from html import escape

from trivet.app.web.tag import attribute, button, html, tag, text
from trivet.domain.error import TrivetError


class LearnSwitch:
    """Builds its elements where it is made.

    Args:
        choose: has the household learn, or not.
    """

    def __init__(self, choose: Callable[[bool], Awaitable[None]]) -> None:
        self._choose = choose
        self._is_on = True
        with tag("div", "learn"):
            text("Learn from what happens", "span", id="learn-label")
            self._button = button(
                "<i></i>",
                self._turn,
                "switch",
                role="switch",
                aria_checked="true",
                aria_labelledby="learn-label",
            )
        self._off = text(
            "Nothing is learned now; what is known is kept.", "p", "quiet off"
        )
        self._failure = html("", "p", "failure", role="alert")
        self._off.set_visibility(False)

    def show(self, is_on: bool, is_past: bool) -> None:
        """Show whether it learns; of the past nothing can be chosen."""
        self._is_on = is_on
        attribute(self._button, "aria-checked", "true" if is_on else "false")
        attribute(self._button, "disabled", "disabled" if is_past else None)
        self._off.set_visibility(not is_on)

    async def _turn(self) -> None:
        try:
            await self._choose(not self._is_on)
            self._failure.set_content("")
        except TrivetError as error:
            self._failure.set_content(escape(str(error)))

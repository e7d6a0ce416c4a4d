"""The panel that tells why: reasons, what would change it, what was not used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from time import monotonic

from trivet.app.web.icon import icon
from trivet.app.web.tag import attribute, button, html
from trivet.domain.why import Why

Ask = Callable[[], Why]
#: An account that somebody looks at is asked for anew so often, in seconds: what would
#: change it is asked of the engine, for some hundredths of a second at a time.
ANEW_S = 5.0


class WhyButton:
    """A button that unfolds the account; asked for when unfolded, not before.

    Args:
        ask: gives the account.
        name: unique on the page.
        about: what a screen reader hears after "Why".
    """

    def __init__(self, ask: Ask, name: str, about: str) -> None:
        self._ask = ask
        self._is_open = False
        self._asked_at = 0.0
        self.button = button(
            f"{icon('why')}<span>Why"
            f"<span class='unseen'>: {escape(about)}</span></span>",
            self._turn,
            "plain why",
            aria_expanded="false",
            aria_controls=name,
        )
        self.list = html("", classes="why-list", id=name)
        self.list.set_visibility(False)

    def _turn(self) -> None:
        self._is_open = not self._is_open
        attribute(self.button, "aria-expanded", "true" if self._is_open else "false")
        self.list.set_visibility(self._is_open)
        self.refresh(is_other=True)

    def refresh(self, *, is_other: bool = False) -> None:
        """Ask anew, if somebody is looking and it is old, or of something other."""
        is_old = monotonic() - self._asked_at >= ANEW_S
        if self._is_open and (is_old or is_other):
            self.list.set_content(why_html(self._ask()))
            self._asked_at = monotonic()


def why_html(why: Why) -> str:
    """The account as lists with headings; says so where no reason was kept."""
    return (
        _list((*why.reasons, *why.notes) or ("No reason was kept.",), "")
        + _list(why.changes, "What would change it")
        + _list(why.unused, "Not used")
    )


def _list(lines: Sequence[str], heading: str) -> str:
    if not lines:
        return ""
    rows = "".join(f"<li>{escape(line)}</li>" for line in lines)
    head = f'<p class="quiet why-head">{heading}</p>' if heading else ""
    return f'{head}<ul class="reasons">{rows}</ul>'

"""Laws of the account on the page: asked for when looked at, and not again at once."""

from __future__ import annotations

import pytest

from trivet.app.web import why
from trivet.domain.why import Why


class Drawn:
    """An element of which only what it says is kept."""

    content = ""

    def set_visibility(self, is_shown: bool) -> None: ...

    def set_content(self, content: str) -> None:
        self.content = content


class Told:
    """Counts how often the engine is asked; stands at a time of its own."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.asked, self.time = 0, 100.0
        for name in ("button", "html"):
            patch.setattr(why, name, lambda *_, **__: Drawn())
        patch.setattr(why, "attribute", lambda *_: None)
        patch.setattr(why, "monotonic", lambda: self.time)
        self.button = why.WhyButton(self._ask, "why", "this")

    def _ask(self) -> Why:
        self.asked += 1
        return Why((f"Account {self.asked}.",))


def test_an_account_is_asked_for_when_it_is_looked_at_and_seldom_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = Told(monkeypatch)
    told.button.refresh()
    assert told.asked == 0
    told.button._turn()
    for _ in range(20):
        told.button.refresh()
    assert told.asked == 1
    told.time += why.ANEW_S
    told.button.refresh()
    assert told.asked == 2
    told.button._turn()
    told.time += why.ANEW_S
    told.button.refresh()
    assert told.asked == 2


def test_of_something_other_it_is_asked_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = Told(monkeypatch)
    told.button._turn()
    told.button.refresh(is_other=True)
    assert told.asked == 2

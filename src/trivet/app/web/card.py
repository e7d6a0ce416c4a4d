"""Suggestion cards: what is suggested, why, and the two answers to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from html import escape

from nicegui import ui

from trivet.app.web.icon import icon
from trivet.app.web.panel import card_html
from trivet.app.web.tag import attribute, button, html, tag, text
from trivet.app.web.why import WhyButton
from trivet.domain.error import TrivetError, UsageError
from trivet.domain.suggestion import AnswerKind, Suggestion
from trivet.domain.why import Why
from trivet.engine.explain import reason_lines

Ask = Callable[[str], Why]
Tell = Callable[[str, AnswerKind], Awaitable[None]]


class Cards:
    """The suggestions that wait for an answer, newest first.

    Args:
        ask: gives the reasons of a suggestion by its id.
        tell: records an answer, and does what a "yes" asks for.
    """

    def __init__(self, ask: Ask, tell: Tell) -> None:
        self._ask, self._tell = ask, tell
        self._cards: dict[str, tuple[Suggestion, str, ui.element]] = {}
        self._heading = text("Suggestions", "h2", tabindex="-1", id="suggestions")
        self._empty = text("Nothing to suggest right now.", "p", "quiet nothing")
        self._column = tag("div", "cards")

    def show(self, suggestions: Sequence[Suggestion], zone: str, is_past: bool) -> None:
        """Add what is new, take away what is gone, leave the rest as it is."""
        state = f"{zone} {is_past}"
        wanted = {s.id: (s, state) for s in suggestions}
        for key, (known, drawn, card) in list(self._cards.items()):
            if wanted.get(key) != (known, drawn):
                card.delete()
                del self._cards[key]
        for index, suggestion in enumerate(suggestions):
            if suggestion.id not in self._cards:
                card = self._card(suggestion, zone, is_past)
                card.move(target_index=min(index, len(self._cards)))
                self._cards[suggestion.id] = (suggestion, state, card)
        self._empty.set_visibility(not suggestions)

    def _card(self, suggestion: Suggestion, zone: str, is_past: bool) -> ui.element:
        title = suggestion.need.title
        kind = "card safety" if suggestion.need.is_safety else "card"
        with self._column, tag("article", kind) as card:
            text(title, "h3")
            html(card_html(suggestion, zone))
            with tag("div", "answers") as row:
                if not is_past:
                    self._answers(suggestion)
            why = WhyButton(lambda: self._why(suggestion), f"why-{card.id}", title)
            why.button.move(row)
        return card

    def _answers(self, suggestion: Suggestion) -> None:
        actions = suggestion.need.actions
        label = actions[0].label if actions else "Yes"
        about = escape(suggestion.need.title)
        failure = text("", "p", "failure", role="alert")
        buttons: list[ui.html] = []

        async def give(kind: AnswerKind) -> None:
            for each in buttons:
                attribute(each, "disabled", "disabled")
            try:
                await self._tell(suggestion.id, kind)
            except TrivetError as error:
                failure.set_content(escape(str(error)))
                for each in buttons:
                    attribute(each, "disabled", None)

        buttons.append(
            button(
                f"{icon('yes')}<span>{escape(label)}</span>"
                f"<span class='unseen'>: {about}</span>",
                lambda: give(AnswerKind.YES),
                "primary",
                data_answer="yes",
            )
        )
        buttons.append(
            button(
                f"Not now<span class='unseen'>: {about}</span>",
                lambda: give(AnswerKind.NOT_NOW),
                data_answer="not_now",
            )
        )

    def _why(self, suggestion: Suggestion) -> Why:
        try:
            return self._ask(suggestion.id)
        except UsageError:  # of the past: answered or expired since
            return Why(reason_lines(suggestion.need.reasons))

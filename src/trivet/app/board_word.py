"""What the owner of a machine asks of a device about suggestions; see control.py.

The device that leads answers for the household: it knows all that waits. Any other
answers for its own board, and takes a yes or no to the device that leads.
"""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec
from msgspec import Meta

from trivet.app.board import Board
from trivet.app.control import Control
from trivet.app.explanation import explain_held
from trivet.app.hub import Hub
from trivet.domain import AnswerKind, Forecast, Suggestion, UsageError
from trivet.domain.why import Why
from trivet.engine.explain import reason_lines, why_forecast

_Id = Annotated[str, Meta(max_length=200)]
#: What a person can say; the rest comes by itself.
SAID = (AnswerKind.YES, AnswerKind.NOT_NOW)

#: How a device begins to say that it does not know a suggestion.
UNKNOWN = "no suggestion"


class ShowBoard(msgspec.Struct, frozen=True, tag="suggestions", tag_field="verb"):
    """Ask what is suggested now."""


class ShowForecast(msgspec.Struct, frozen=True, tag="forecast", tag_field="verb"):
    """Ask where the running trip is going."""


class AskWhy(msgspec.Struct, frozen=True, tag="why", tag_field="verb"):
    """Ask why: of one suggestion by the beginning of its id, else of everything."""

    suggestion: _Id = ""


class GiveAnswer(msgspec.Struct, frozen=True, tag="answer", tag_field="verb"):
    """Answer a suggestion, named by its id or the beginning of it."""

    suggestion: Annotated[str, Meta(min_length=1, max_length=200)]
    kind: AnswerKind


class Shown(msgspec.Struct, frozen=True):
    """What is suggested.

    Attributes:
        device: the device that was asked.
        zone: name of the local time zone.
        suggestions: oldest first.
        held: how many more wait until the road takes less attention.
    """

    device: str
    zone: str
    suggestions: tuple[Suggestion, ...]
    held: int = 0


class Foretold(msgspec.Struct, frozen=True):
    """Where a trip is going; `at` says where the person is when none runs."""

    device: str
    zone: str
    time: float
    forecast: Forecast | None
    at: str = ""


class Account(msgspec.Struct, frozen=True):
    """Why one thing is thought or said; the forecast's has no `suggestion`."""

    title: str
    why: Why
    suggestion: str = ""


class Accounts(msgspec.Struct, frozen=True):
    """Why all of it is."""

    device: str
    accounts: tuple[Account, ...]


class Answered(msgspec.Struct, frozen=True):
    """What was answered, what a yes does, and what of it failed."""

    title: str
    kind: AnswerKind
    does: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


class Spokesman:
    """Answers for a device: its board, and once it may lead, its hub.

    Args:
        device: its id.
        board: what it shows.
    """

    def __init__(self, device: str, board: Board) -> None:
        self._device = device
        self._board = board
        #: the device's hub, where it has one
        self.hub: Hub | None = None

    def take_words(self, control: Control) -> None:
        """Have the device take the words about suggestions."""
        control.add(ShowBoard, self._show)
        control.add(ShowForecast, self._foretell)
        control.add(AskWhy, self._tell_why)
        control.add(GiveAnswer, self._answer)

    async def _show(self, _: ShowBoard) -> Shown:
        hub, board = self._leading, self._board
        if hub is not None:
            waiting = tuple(hub.mind.suggester.live)
            return Shown(self._device, hub.mind.zone_name, waiting)
        return Shown(self._device, str(board.zone), tuple(board.shown), board.held)

    async def _foretell(self, _: ShowForecast) -> Foretold:
        hub, board = self._leading, self._board
        if hub is None:
            forecast = board.forecast
            return Foretold(self._device, str(board.zone), board.time, forecast)
        mind, place = hub.mind, hub.mind.place(hub.time)
        at = place.label if place is not None else ""
        return Foretold(self._device, mind.zone_name, hub.time, mind.forecast, at)

    async def _tell_why(self, word: AskWhy) -> Accounts:
        if word.suggestion:
            found = self._find(word.suggestion)
            return Accounts(self._device, (self._account(found),))
        accounts = [Account("forecast", self._why_forecast())]
        accounts += map(self._account, self._waiting)
        hub = self._leading
        for held in () if hub is None else explain_held(hub.mind, hub.time):
            if held is None:
                await asyncio.sleep(0)  # it is much to ask: others work meanwhile
            else:
                accounts.append(Account(f"Not said: {held[0]}", held[1]))
        return Accounts(self._device, tuple(accounts))

    async def _answer(self, word: GiveAnswer) -> Answered:
        if word.kind not in SAID:
            raise UsageError(
                f"{word.kind} comes by itself", hint="answer with yes or no"
            )
        found, hub = self._find(word.suggestion), self._leading
        if hub is not None:
            failed = await hub.answer(found.id, word.kind)
        else:
            failed = await self._board.answer(found.id, word.kind)
        labels = tuple(action.label for action in found.need.actions)
        does = labels if word.kind is AnswerKind.YES else ()
        return Answered(found.need.title, word.kind, does, tuple(failed))

    @property
    def _leading(self) -> Hub | None:
        """The hub while it leads."""
        hub = self.hub
        return hub if hub is not None and hub.is_leading else None

    @property
    def _waiting(self) -> list[Suggestion]:
        hub = self._leading
        return self._board.shown if hub is None else hub.mind.suggester.live

    def _find(self, beginning: str) -> Suggestion:
        found = [each for each in self._waiting if each.id.startswith(beginning)]
        if len(found) == 1 or any(each.id == beginning for each in found):
            return next((e for e in found if e.id == beginning), found[0])
        if found:
            ids = ", ".join(each.id for each in found)
            raise UsageError(f"{beginning!r} begins several: {ids}")
        raise UsageError(
            f"{UNKNOWN} {beginning!r} waits for an answer on {self._device}",
            hint="it expired, or was answered; see: trivet suggestions",
        )

    def _account(self, suggestion: Suggestion) -> Account:
        hub, need = self._leading, suggestion.need
        if hub is not None:
            why = hub.why(suggestion.id)
        else:
            why = suggestion.why or Why(reason_lines(need.reasons))
        return Account(need.title, why, suggestion.id)

    def _why_forecast(self) -> Why:
        hub = self._leading
        if hub is not None:
            return hub.why("")
        forecast = self._board.forecast
        if forecast is None:
            return Why(notes=(f"No forecast of a running trip is at {self._device}.",))
        return why_forecast(forecast, self._board.zone)

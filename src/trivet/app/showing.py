"""Gives suggestions and forecasts to where the person is, and takes them away.

Each suggestion goes to the device of its surface; where that cannot be reached or has
no lease, to the next surface that the need allows. It takes its account along, so that
the device can say why with no connection.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping

from msgspec.structs import replace

from trivet.app.mind import Roles
from trivet.app.part import Part
from trivet.domain import (
    Answer,
    AnswerKind,
    Forecast,
    Suggestion,
    Surface,
    TrivetError,
)
from trivet.domain.why import Why
from trivet.fabric.lease_gate import FORECAST, SUGGESTION

log = logging.getLogger("trivet.app")


class Showing:
    """What the leading device has shown on others, and on itself.

    Args:
        part: the leading device's own part.
        roles: which device is the phone, which the car.
        why: gives the account of a suggestion by its id.
    """

    def __init__(self, part: Part, roles: Roles, why: Callable[[str], Why]) -> None:
        self._part = part
        self._why = why
        self._devices: Mapping[Surface, str] = {
            Surface.PHONE: roles.phone,
            Surface.CAR: roles.car,
        }
        #: where each suggestion that waits for an answer is shown
        self._at: dict[str, str] = {}

    async def suggest(self, suggestion: Suggestion) -> None:
        """Show a suggestion where the person is."""
        surfaces = dict.fromkeys((suggestion.surface, *suggestion.need.surfaces))
        for surface in surfaces:
            device = self._devices.get(surface)
            if device is None:  # the home shows it on its page
                return
            told = replace(suggestion, surface=surface, why=self._why(suggestion.id))
            if await self._give(device, told, SUGGESTION):
                self._at[suggestion.id] = device
                return

    async def tell(self, forecast: Forecast) -> None:
        """Show a forecast on the phone and in the car."""
        for device in self._devices.values():
            await self._give(device, forecast, FORECAST)

    async def settle(self, live: Iterable[Suggestion], time: float) -> None:
        """Take away what waits for an answer no more and had none.

        Args:
            live: what still does.
            time: event time now.
        """
        left = {suggestion.id for suggestion in live}
        for suggestion in [one for one in self._at if one not in left]:
            over = Answer(suggestion, AnswerKind.IGNORED, time)
            await self.end(self.take(suggestion), over)

    def take(self, suggestion: str) -> str:
        """Where it is shown, empty for nowhere; who takes it ends it there."""
        return self._at.pop(suggestion, "")

    async def end(self, device: str, over: Answer) -> None:
        """Tell where one is shown what became of it; if it cannot, that ends by itself.

        Args:
            device: where it is shown, empty for nowhere.
            over: what became of it.
        """
        if device:
            await self._give(device, over, SUGGESTION)

    async def _give(
        self, to: str, message: Suggestion | Forecast | Answer, path: str
    ) -> bool:
        board, me = self._part.board, self._part.link.device
        if to != me:
            try:
                return await self._part.trust.show(to, message, path)
            except TrivetError as error:  # the others are shown all the same
                log.warning("%s: %s is not shown at %s: %s", me, path, to, error)
                return False
        if isinstance(message, Answer):
            board.drop(message.suggestion, message.kind)
        else:
            board.put(message, me)
        return True

"""A device leads its household through its days, or stands by while another does.

Whoever may lead lets the others live on, forecasts and suggests. Who stands by learns
from what it sees all the same, so that it can go on at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic

import msgspec

from trivet.app.hub import Hub
from trivet.domain import AnswerKind, TrivetError

#: Step of event time when nothing runs as fast as it can: on a trip, and at rest.
TRIP_STEP_S, REST_STEP_S = 15.0, 60.0
#: Real seconds between two steps when people watch, and between two looks at who leads.
TICK_S = 0.1


class Pace(msgspec.Struct, frozen=True):
    """How fast days pass.

    Attributes:
        is_headless: as fast as it goes, every suggestion answered with yes; else at
            the hub's own speed.
        leads: whether this device may lead now.
        progress: told the event time after each step.
    """

    is_headless: bool
    leads: Callable[[], bool] = lambda: True
    progress: Callable[[float], None] = lambda _: None


async def lead(hub: Hub, until: float, pace: Pace) -> None:
    """Lead until an event time, whenever this device may; else stand by."""
    hub.follow()
    hub.is_leading, last = pace.leads(), monotonic()
    if hub.is_leading and hub.device != hub.mind.roles.home:
        _note_turn(hub, True)  # the home was lost before this device had learned
    while hub.time < until:
        is_leading = pace.leads()
        if is_leading != hub.is_leading:
            hub.is_leading = is_leading
            _note_turn(hub, is_leading)
        if is_leading and pace.is_headless:
            end = min(until, hub.time + _step_s(hub))
            await run_through(hub, end, AnswerKind.YES)
        else:
            await asyncio.sleep(TICK_S)
        now = monotonic()
        if not is_leading:
            hub.follow()
        elif not pace.is_headless and not hub.is_paused:
            await _step(hub, min(until, hub.time + (now - last) * hub.speed))
        last = now
        pace.progress(hub.time)


async def run_through(
    hub: Hub,
    until: float,
    answer: AnswerKind | None = None,
    progress: Callable[[float], None] | None = None,
) -> None:
    """Let the household live until an event time, as fast as it can.

    Args:
        hub: the device that leads.
        until: event time of the end.
        answer: what the person says to every suggestion, None for nothing.
        progress: told the event time after each step.
    """
    while hub.time < until:
        for suggestion in await hub.step(min(until, hub.time + _step_s(hub))):
            if answer is not None:
                await hub.answer(suggestion.id, answer)
        if progress is not None:
            progress(hub.time)


def _step_s(hub: Hub) -> float:
    return TRIP_STEP_S if hub.mind.forecast else REST_STEP_S


async def _step(hub: Hub, until: float) -> None:
    try:
        await hub.step(until)
    except TrivetError as error:
        hub.mind.note(hub.time, str(error), [])


def _note_turn(hub: Hub, is_leading: bool) -> None:
    hub.follow()
    if is_leading:
        hub.mind.note(hub.time, f"{hub.device} leads now", [])
    else:
        hub.mind.suggester.withdraw()  # who leads now says anew what is to be said
        hub.mind.note(hub.time, f"{hub.device} stands by: another device leads", [])

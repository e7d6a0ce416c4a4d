"""The hub: the device that lets the others live on, learns, suggests, and shows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext

from trivet.app.album import Album
from trivet.app.board import ANSWER
from trivet.app.explanation import explain
from trivet.app.gather import Gatherer
from trivet.app.mind import Mind
from trivet.app.part import COMMAND, Part
from trivet.app.picture import Scene, draw_frame, draw_map
from trivet.app.place_view import CorrectPlace, PlaceRow
from trivet.app.placing import Placing, rows_of
from trivet.app.setting import LEARNS
from trivet.app.showing import Showing
from trivet.app.view import Frame, MapView, TimelineEntry
from trivet.domain import (
    Action,
    Answer,
    AnswerKind,
    RefusedError,
    Sample,
    Suggestion,
    TrivetError,
    UnreachableError,
    UsageError,
)
from trivet.domain.sample import LOCATION
from trivet.domain.why import Why
from trivet.domain.wire import Ack, Command, Message
from trivet.fabric.history import Forget
from trivet.fabric.replica import Put, Remove
from trivet.fabric.seat import ENGINE

#: A sample so many seconds ahead of this device's time comes from a wrong clock: to
#: learn it would make the past of all that is true until then.
AHEAD_S = 300.0
#: Entries of the household's state that are taken off in one write.
_MOST_REMOVED = 50


class Hub:
    """The device that leads: what it shows, and what the page asks of it.

    Args:
        part: the device's own part.
        mind: what learns and suggests.
        scene: what is drawn besides: roads, notice, names.
    """

    def __init__(self, part: Part, mind: Mind, scene: Scene) -> None:
        self.mind = mind
        self.trust = part.trust
        self.gatherer = Gatherer(part.link, part.trust)
        self.album = Album()
        self.time = 0.0
        self.speed = 60.0
        self.is_paused = False
        self.is_leading = True
        #: gives the token to act with on a device's things; 0 where no seats are kept
        self.acting: Callable[[str], AbstractAsyncContextManager[int]] = _act_freely
        #: has what was answered kept, before the answer counts
        self.remember: Callable[[], Awaitable[None]] = _remember_nothing
        #: writes changes into the household's state
        self.write: Callable[..., Awaitable[None]] = _write_nothing
        #: id of the device that leads, as far as this one knows
        self.leader: Callable[[], str] = lambda: ""
        self.part = part
        self._link = part.link
        self._scene = scene
        roles = mind.roles
        everyone = (roles.phone, roles.car, roles.home)
        self._others = tuple(each for each in everyone if each != part.link.device)
        self._silent: set[str] = set()
        self._ahead: set[str] = set()
        #: what people said of places that were forgotten, to be taken off the state
        self._unsaid: list[Remove] = []
        self._showing = Showing(part, roles, self.why)
        part.on_heard(self.gatherer.hear)
        part.on_lived(self.gatherer.keep)
        part.link.answer(ANSWER, self._answered)

    @property
    def device(self) -> str:
        """Id of the device."""
        return self._link.device

    async def reach(self, timeout_s: float) -> None:
        """Wait until the others are there, or go on without after `timeout_s`."""
        for device in self._others:
            try:
                await self._link.reach(device, timeout_s)
            except UnreachableError as error:
                self.mind.note(self.time, f"{device} is not there", [str(error)])
        await self.trust.tick(self.time)

    async def step(self, until: float) -> list[Suggestion]:
        """Let the household live on until an event time; what is newly suggested."""
        faults = await asyncio.gather(
            *(self.gatherer.advance(device, until) for device in self._others)
        )
        for device, fault in zip(self._others, faults, strict=True):
            self._note_fault(device, fault, until)
        await self.part.live_on(until)
        self.time = until
        self._learn()
        before = self.mind.forecast
        new = self.mind.step(until)
        await self._show(new, self.mind.forecast is not before)
        self.album.keep(self.frame())
        return new

    def follow(self) -> None:
        """Another device leads: learn what was lived meanwhile, and say nothing."""
        self.time = max(self.time, self.trust.time)
        self._learn()

    async def forget(self, owner: str, wish: Forget) -> None:
        """A device's samples were forgotten: what was made of them goes too."""
        tells_where = wish.names(LOCATION) or wish.names("transition.enter")
        if owner == self.mind.roles.phone and tells_where:
            said = self.mind.forget(wish.since, min(wish.until, self.time))
            self._unsaid += [Remove(f"places/{place}") for place in said]
            self.album.forget(wish.since, wish.until)
        is_home = owner == self.mind.roles.home
        if is_home and any(map(wish.names, self.mind.foresight.paths)):
            self.mind.forget_home(wish.since, min(wish.until, self.time))
        # what cannot be written is when this is told again
        while taken := self._unsaid[:_MOST_REMOVED]:
            await self.write(*taken)
            self._unsaid = [each for each in self._unsaid if each not in taken]

    def _learn(self) -> None:
        for sample in self.gatherer.take():
            if sample.time <= self.time + AHEAD_S:
                self.mind.learn(sample)
            else:
                self._note_ahead(sample)

    def _note_ahead(self, sample: Sample) -> None:
        if sample.device not in self._ahead:
            self._ahead.add(sample.device)
            ahead_h = (sample.time - self.time) / 3600.0
            text = f"{sample.device}'s clock is {ahead_h:.1f} h ahead"
            self.mind.note(self.time, text, ["what it says of then is not learned"])

    def _note_fault(self, device: str, fault: str, time: float) -> None:
        if fault and device not in self._silent:
            self.mind.note(time, f"{device} does not answer", [fault])
            self._silent.add(device)
        elif not fault and device in self._silent:
            self.mind.note(time, f"{device} answers again", [])
            self._silent.discard(device)

    async def _show(self, new: Sequence[Suggestion], is_forecast_new: bool) -> None:
        await self._showing.settle(self.mind.suggester.live, self.time)
        for suggestion in new:
            await self._showing.suggest(suggestion)
        forecast = self.mind.forecast
        if is_forecast_new and forecast is not None:
            await self._showing.tell(forecast)

    async def _answered(self, asker: str, message: Message | None) -> Message:
        if not isinstance(message, Answer):
            raise UsageError("answer wants a suggestion and a word")
        if message.kind not in (AnswerKind.YES, AnswerKind.NOT_NOW):
            raise UsageError(f"{message.kind} comes by itself, nobody says it")
        failed = await self.answer(message.suggestion, message.kind)
        return Ack(not failed, "; ".join(failed)[:1000])

    # --- what the page asks (app.view.Viewed) ----------------------------------

    async def answer(self, suggestion: str, kind: AnswerKind) -> list[str]:
        """Record what the person said, and do what a "yes" asks for.

        Where it was shown it goes once it is kept: who said it can say it again if
        this device is lost before.

        Returns:
            What of it failed, a line each.

        Raises:
            UsageError: no such suggestion waits for an answer.
            RefusedError: another device leads now.
        """
        if not self.is_leading:
            raise RefusedError(
                f"{self.device} stands by: another device leads",
                hint="answer there; trivet seat show",
            )
        found = self.mind.answer(suggestion, kind, self.time)
        shown_at, failed = self._showing.take(suggestion), []
        try:
            await self.remember()
        except TrivetError as error:
            text = "The answer could not be kept yet"
            self.mind.note(self.time, text, [str(error)])
            failed.append(f"{text}: {error}")
        await self._showing.end(shown_at, Answer(suggestion, kind, self.time))
        if kind is AnswerKind.YES:
            faults = [await self._do(action) for action in found.need.actions]
            failed += filter(None, faults)
        self.album.replace(self.frame())
        return failed

    async def _do(self, action: Action) -> str:
        """Have an action done; why it failed, empty if it did not."""
        try:
            async with self.acting(action.device) as token:
                seat = ENGINE if token else ""
                command = Command(action.path, action.value, self.time, seat, token)
                done = await self._command(action.device, command)
        except TrivetError as error:
            done = Ack(False, str(error)[:1000])
        if isinstance(done, Ack) and not done.ok:
            self.mind.note(self.time, f"{action.label} failed", [done.error])
            return f"{action.label} failed: {done.error}"
        self.mind.note(self.time, f"{action.label}: done", [])
        return ""

    async def _command(self, device: str, command: Command) -> Message:
        if device == self.device:
            return self.part.obey(device, command)
        return await self._link.ask(device, COMMAND, command)

    def frame(self) -> Frame:
        """The newest frame."""
        alive = frozenset({self._link.device}) | self._link.alive
        return draw_frame(
            self.mind,
            self._scene,
            alive,
            (*self.gatherer.flows(), *self.trust.given()),
            time=self.time,
            speed=self.speed,
            is_paused=self.is_paused,
            leader=self.leader(),
        )

    def frame_at(self, time: float) -> Frame:
        """The frame that was newest at event time `time`."""
        return self.album.at(time) or self.frame()

    def span(self) -> tuple[float, float]:
        """Event times of the oldest and the newest frame kept."""
        return self.album.span() or (self.time, self.time)

    def map(self) -> MapView:
        """What the map is drawn from."""
        return draw_map(self.mind, self._scene)

    def timeline(self) -> Sequence[TimelineEntry]:
        """The lines of the day, oldest first."""
        return tuple(sorted(self.mind.lines, key=lambda line: line.time))

    def places(self) -> Sequence[PlaceRow]:
        """The places that are known, most visited first."""
        return rows_of(self.mind)

    async def correct(self, word: CorrectPlace) -> str:
        """Say something of a place, for the whole household; what was done.

        Raises:
            UsageError: it is not known, or that cannot be said of it.
            RefusedError: this device may not write the state.
            SetupError: it cannot be kept.
        """
        said = await Placing(self.mind, self.write).correct(word, self.time)
        self.album.replace(self.frame())
        return said

    async def set_learning(self, is_on: bool) -> None:
        """Have the household learn from what happens, or not.

        Raises:
            RefusedError: this device may not write the state.
            SetupError: it cannot be kept.
        """
        await self.write(Put(LEARNS, is_on))
        has_routine = self.mind.foresight.is_on
        self.mind.set_learning(is_on, self.time, has_routine=has_routine)
        self.album.replace(self.frame())

    def why(self, suggestion: str) -> Why:
        """Why a suggestion was made; why this forecast, for an empty id.

        Raises:
            UsageError: no such suggestion waits for an answer.
        """
        return explain(self.mind, self.time, suggestion, self.trust)

    def set_speed(self, speed: float) -> None:
        """Set event seconds a real second.

        Raises:
            UsageError: not between 0.1 and 3600.
        """
        if not 0.1 <= speed <= 3600:
            raise UsageError(f"a speed of {speed} is not between 0.1 and 3600")
        self.speed = speed

    def set_paused(self, is_paused: bool) -> None:
        """Let event time stand still, or go on."""
        self.is_paused = is_paused


def _act_freely(device: str) -> AbstractAsyncContextManager[int]:
    return nullcontext(0)


async def _write_nothing(*_: object) -> None:
    raise UsageError("this device keeps no state of a household")


async def _remember_nothing() -> None:
    """For a hub without a household's state."""

"""Borrowed devices: sensors and actuators of another device, used like one's own.

A program is given a handle and does not ask where it leads. To a device here it goes
through its adapter; to another one through leases and commands, with all that its owner
and the policy have to say about that.

    car = borrowing.borrow("car", Purpose.COMFORT)
    async for sample in car.signal("Vehicle.Cabin.Temperature"):
        ...
    await car.command("Vehicle.Cabin.HVAC.IsAirConditioningActive", True)
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Protocol

from trivet.app.part import COMMAND
from trivet.app.trust import Trust
from trivet.domain import (
    Adapter,
    Purpose,
    RefusedError,
    Sample,
    TrivetError,
    UnreachableError,
    UsageError,
    Value,
    WireError,
)
from trivet.domain.lease import matches
from trivet.domain.wire import Ack, Command
from trivet.fabric.inbox import Inbox
from trivet.fabric.lessee import Lessee, Standing, Wish
from trivet.fabric.letter import Received
from trivet.fabric.link import Link

#: Samples that wait for a reader; a slow one loses the oldest.
CAPACITY = 256
#: Seconds between two looks at whether a lease still runs, while nothing comes.
_CHECK_S = 0.5
#: Seconds that an answer to a request for a lease is waited for, and between two looks.
_PATIENCE_S, _SOON_S = 6.0, 0.01


class Handle(Protocol):
    """A device's sensors and actuators, wherever it is.

    Attributes:
        device: its id.
    """

    device: str

    def signal(self, path: str) -> AsyncIterator[Sample]:
        """The signal's samples from now on, the newest known one first.

        Each iterator gets them all, in order; one that is read slowly loses the oldest.
        It ends when the handle is closed.

        Raises:
            RefusedError: there is no such signal, or it may not be had; also later,
                when it may not be had any longer.
            UnreachableError: the device is not there; one that goes meanwhile is waited
                for.
            UsageError: the handle is closed.
        """
        ...

    def latest(self, path: str) -> Sample | None:
        """The newest sample that an iterator of it was given, None before any."""
        ...

    async def command(self, path: str, value: Value) -> None:
        """Give an actuator a target value; its effect is seen in later samples.

        Raises:
            RefusedError: the device, or the policy, says no, and why.
            UnreachableError: the device does not answer.
            UsageError: the handle is closed.
        """
        ...

    async def close(self) -> None:
        """Need it no more. Calling it twice is allowed."""
        ...


class _Handle(ABC):
    """What both kinds share: handing samples on to those who read them."""

    def __init__(self, device: str) -> None:
        self.device = device
        self._readers: dict[str, list[Inbox[Sample]]] = {}
        self._latest: dict[str, Sample] = {}
        self._is_closed = False

    def latest(self, path: str) -> Sample | None:
        """See Handle."""
        return self._latest.get(path)

    def feed(self, sample: Sample) -> None:
        """A sample of the device came."""
        readers = self._readers.get(sample.path)
        if sample.device != self.device or not readers:
            return
        self._latest[sample.path] = sample
        for reader in readers:
            reader.put(sample)

    async def signal(self, path: str) -> AsyncGenerator[Sample, None]:
        """See Handle."""
        self._check_open()
        inbox: Inbox[Sample] = Inbox(CAPACITY)
        readers = self._readers.setdefault(path, [])
        readers.append(inbox)
        try:
            await self._begin(path)
            newest = self._latest.get(path)
            if newest is not None and len(readers) > 1:
                yield newest
            async for sample in self._read(path, inbox):
                yield sample
        finally:
            readers.remove(inbox)
            if not readers:
                self._readers.pop(path, None)
                await self._end(path)

    async def command(self, path: str, value: Value) -> None:
        """See Handle."""
        self._check_open()
        ack = await self._tell(path, value)
        if not ack.ok:
            raise RefusedError(f"{self.device} does not set {path}: {ack.error}")

    async def close(self) -> None:
        """See Handle."""
        self._is_closed = True
        for readers in list(self._readers.values()):
            for inbox in readers:
                inbox.close()

    @abstractmethod
    async def _begin(self, path: str) -> None:
        """Somebody begins to read a signal; RefusedError if that cannot be."""

    @abstractmethod
    async def _end(self, path: str) -> None:
        """Nobody reads a signal any more."""

    @abstractmethod
    def _check(self, path: str) -> None:
        """Raise RefusedError if a signal that is read may not be had any longer."""

    @abstractmethod
    async def _tell(self, path: str, value: Value) -> Ack:
        """Give an actuator a target value; what the device says."""

    async def _read(
        self, path: str, inbox: Inbox[Sample]
    ) -> AsyncGenerator[Sample, None]:
        while True:
            try:
                async with asyncio.timeout(_CHECK_S):
                    sample = await anext(inbox)
            except TimeoutError:
                self._check(path)
            except StopAsyncIteration:
                return
            else:
                yield sample

    def _check_open(self) -> None:
        if self._is_closed:
            raise UsageError(f"the handle to {self.device} is closed")


class LocalHandle(_Handle):
    """A device of this machine, over its adapter.

    Whoever lives the device feeds it: see Part.on_lived.

    Args:
        adapter: the device.
        clock: event time now, in seconds.
        obey: gives a command to the device in the adapter's place; see Part.obey.
    """

    def __init__(
        self,
        adapter: Adapter,
        clock: Callable[[], float],
        obey: Callable[[Command], Ack] | None = None,
    ) -> None:
        super().__init__(adapter.device.id)
        self._adapter = adapter
        self._clock = clock
        self._obey = self._command if obey is None else obey

    async def _begin(self, path: str) -> None:
        if path not in {signal.path for signal in self._adapter.device.signals}:
            raise RefusedError(f"{self.device} has no signal {path}")

    async def _end(self, path: str) -> None:
        self._latest.pop(path, None)

    def _check(self, path: str) -> None:
        """One's own may always be had."""

    async def _tell(self, path: str, value: Value) -> Ack:
        return self._obey(Command(path, value, self._clock()))

    def _command(self, command: Command) -> Ack:
        try:
            self._adapter.command(command.path, command.value, command.time)
        except TrivetError as error:
            return Ack(False, str(error)[:1000])
        return Ack(True)


class RemoteHandle(_Handle):
    """A device elsewhere in the household, over leases and commands.

    A signal is leased while somebody reads it. Where this device has a lease for the
    same purpose already, that one serves.

    Args:
        device: its id.
        link: this device's place on the fabric.
        lessee: keeps this device's leases.
        clock: event time now, in seconds.
        purpose: what for.
        exact_m: how exact a position need be, in metres; see Wish.
        every_s: at most one sample of each signal in so many seconds.
    """

    def __init__(
        self,
        device: str,
        link: Link,
        lessee: Lessee,
        clock: Callable[[], float],
        purpose: Purpose,
        exact_m: int = 0,
        every_s: float = 0.0,
    ) -> None:
        super().__init__(device)
        self._link = link
        self._lessee = lessee
        self._clock = clock
        self._purpose = purpose
        self._exact_m = exact_m
        self._every_s = every_s
        self._wished: dict[str, Wish] = {}

    async def _begin(self, path: str) -> None:
        if self.device not in self._link.alive:
            raise UnreachableError(
                f"{self.device} is not there", hint="start it, then try again"
            )
        standing = self._standing(path)
        if standing is None:
            wish = Wish(
                self.device,
                (path,),
                self._purpose,
                every_s=self._every_s,
                exact_m=self._exact_m,
            )
            self._wished[path] = wish
            standing = self._lessee.standing.setdefault(wish, Standing())
        await self._lessee.tick()
        for _ in range(round(_PATIENCE_S / _SOON_S)):  # another one may be asking
            if standing.lease is not None or standing.error:
                break
            await asyncio.sleep(_SOON_S)
        if standing.lease is None and not standing.error:
            raise UnreachableError(f"{self.device} does not answer", hint="try again")
        self._check(path)

    async def _end(self, path: str) -> None:
        self._latest.pop(path, None)
        wish = self._wished.pop(path, None)
        if wish is not None:
            await self._lessee.drop((wish,))

    def _check(self, path: str) -> None:
        standing = self._standing(path)
        if standing is None:
            raise RefusedError(f"{path} of {self.device} is not wanted any more")
        is_there = self.device in self._link.alive
        if is_there and standing.lease is None and standing.error:
            raise RefusedError(standing.error)
        lease = standing.lease
        if lease is not None and path in lease.withheld:
            raise RefusedError(
                f"{self.device} gives some of what was asked for, and not {path}",
                hint=f"trivet policy why {self._link.device} receive "
                f"{self.device} {path} --purpose {self._purpose}",
            )

    def _standing(self, path: str) -> Standing | None:
        """How it stands with the wish that serves a signal, None if none does."""
        for wish, standing in self._lessee.standing.items():
            serves = (
                wish.owner == self.device
                and wish.purpose == self._purpose
                and wish.exact_m <= self._exact_m
                and wish.every_s <= self._every_s
            )
            if serves and any(matches(pattern, path) for pattern in wish.paths):
                return standing
        return None

    async def _tell(self, path: str, value: Value) -> Ack:
        command = Command(path, value, self._clock())
        ack = await self._link.ask(self.device, COMMAND, command)
        if not isinstance(ack, Ack):
            raise WireError(f"{self.device} answered a {type(ack).__name__}")
        return ack


class Borrowing:
    """What one device borrows of the others.

    Args:
        link: its place on the fabric.
        trust: its leases, attached to the link.
    """

    def __init__(self, link: Link, trust: Trust) -> None:
        self._link = link
        self._trust = trust
        self._handles: list[_Handle] = []

    def borrow(
        self,
        device: str,
        purpose: Purpose,
        *,
        exact_m: int = 0,
        every_s: float = 0.0,
    ) -> Handle:
        """A handle to another device; see RemoteHandle."""
        handle = RemoteHandle(
            device,
            self._link,
            self._trust.lessee,
            lambda: self._trust.time,
            purpose,
            exact_m,
            every_s,
        )
        return self._keep(handle)

    def own(
        self, adapter: Adapter, obey: Callable[[Command], Ack] | None = None
    ) -> Handle:
        """A handle to a device of this machine; see LocalHandle."""
        return self._keep(LocalHandle(adapter, lambda: self._trust.time, obey))

    def hear(self, received: Received) -> None:
        """Take in what another device sent; see Part.on_heard."""
        sample = received.message
        if isinstance(sample, Sample) and sample.device == received.owner:
            self.feed(sample)

    def feed(self, sample: Sample) -> None:
        """Take in a sample of this device itself; see Part.on_lived."""
        self._handles = [each for each in self._handles if not each._is_closed]
        for handle in self._handles:
            handle.feed(sample)

    async def close(self) -> None:
        """Give all of it back."""
        for handle in self._handles:
            await handle.close()
        self._handles = []

    def _keep(self, handle: _Handle) -> Handle:
        self._handles.append(handle)
        return handle

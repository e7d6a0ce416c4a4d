"""Devices that were met through a third: Zenoh does not dial them again, so we do.

Zenoh dials an address of its configuration for ever, but one that it learned by gossip
only once: if that link breaks, the two stay apart although both are well, until one of
them meets the third anew. So whoever dialled looks whether somebody answers there, and
if so meets the third anew.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from time import monotonic

from trivet.domain.error import TrivetError
from trivet.fabric.cable import Cable, End
from trivet.fabric.config import SessionConfig
from trivet.fabric.presence import MAX_DEVICES
from trivet.fabric.probe import Verdict, probe

log = logging.getLogger("trivet.fabric")

#: Seconds until the first look for one that is gone, and between looks after that.
LOOK_S, MAX_LOOK_S = 2.0, 30.0
#: Seconds after which one that never answered is forgotten.
FORGET_S = 600.0


class Acquaintances:
    """Addresses that this device dialled though they are not in its configuration.

    Args:
        place: gives the device's configuration as it is now.
        is_there: whether a device is there.
        meet_anew: breaks and makes the links through which others are met.
    """

    def __init__(
        self,
        place: Callable[[], SessionConfig],
        is_there: Callable[[str], bool],
        meet_anew: Callable[[], Awaitable[None]],
    ) -> None:
        self._place = place
        self._is_there = is_there
        self._meet_anew = meet_anew
        self._met: dict[str, tuple[End, float]] = {}
        self._tried: dict[str, int] = {}

    def note(self, device: str, cable: Cable) -> None:
        """A device is linked by this cable; may be called from any thread."""
        config = self._place()
        if is_listened_at(config, cable.near) or is_dialled(config, cable.far):
            self._met.pop(device, None)
        elif device in self._met or len(self._met) < MAX_DEVICES:
            self._met[device] = (cable.far, monotonic())

    async def run(self) -> None:
        """Look after those that are gone, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self._look()
            except TrivetError as error:
                log.warning("cannot look after those that are gone: %s", error)

    async def _look(self) -> None:
        # as they are now: one that comes back meanwhile may be noted otherwise
        met = list(self._met.items())
        gone = {device: at for device, at in met if not self._is_there(device)}
        self._tried = {d: n for d, n in self._tried.items() if d in gone}
        now = monotonic()
        due = {d: far for d, (far, at) in gone.items() if self._is_due(d, far, at, now)}
        if due and any([await self._answers(d, far) for d, far in due.items()]):
            log.info("meets the others anew, to find %s", ", ".join(due))
            await self._meet_anew()

    def _is_due(self, device: str, far: End, last: float, now: float) -> bool:
        """Ever more rarely; one that never answers is forgotten."""
        tries = self._tried.get(device, 0)
        if tries == 0:
            self._met[device] = (far, now)
        elif now - last > FORGET_S:
            self._met.pop(device, None)
            return False
        self._tried[device] = tries + 1
        return tries & (tries - 1) == 0 or tries % int(MAX_LOOK_S / LOOK_S) == 0

    async def _answers(self, device: str, far: End) -> bool:
        host = f"[{far.host}]" if ":" in far.host else far.host
        config = self._place()
        finding = await probe(
            f"{host}:{far.port}",
            config.identity,
            is_name_checked=config.is_name_checked,
        )
        return finding.verdict is Verdict.TRUSTED and not self._is_there(device)


def is_listened_at(config: SessionConfig, end: End) -> bool:
    """Whether this end is one at which the device listens."""
    return any(_port(text) == end.port for text in config.listen)


def is_dialled(config: SessionConfig, end: End) -> bool:
    """Whether this end is one that the configuration dials, by address or by name."""
    for text in config.connect:
        host = text.removeprefix("tls/").rpartition(":")[0].strip("[]")
        if _port(text) == end.port:
            try:
                if str(ip_address(host)) == end.host:
                    return True
            except ValueError:  # a name: it may stand for any address
                return True
    return False


def _port(text: str) -> int:
    return int(text.rpartition(":")[2])

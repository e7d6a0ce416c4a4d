"""Follows the founder: a new authority in the old one's place is taken up by itself.

Who has the old one is not let in any more by those who have the new one, so a device
asks at the addresses that it dials, at the door for late devices, whether there is one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from trivet.domain import TrivetError
from trivet.fabric import certificate
from trivet.fabric.household import Household, read_certificate
from trivet.fabric.late import ask_word, renew_late
from trivet.fabric.link import Link
from trivet.fabric.refounding import adopt
from trivet.fabric.renewer import Renewer

log = logging.getLogger("trivet.app")

#: Seconds between two questions: while nobody is there, and while somebody is, who may
#: be left behind too.
ALONE_S, OFTEN_S = 20.0, 300.0


def _clock() -> datetime:
    return datetime.now(UTC)


class Following:
    """One device's.

    Args:
        household: the household's folder on this machine.
        link: the device's place on the fabric.
        connect: `host:port` of the devices that it dials.
        is_name_checked: whether a dialled device's certificate must name the host.
        clock: the time now.
    """

    def __init__(
        self,
        household: Household,
        link: Link,
        connect: Sequence[str],
        *,
        is_name_checked: bool = True,
        clock: Callable[[], datetime] = _clock,
    ) -> None:
        self._household = household
        self._link = link
        self._connect = tuple(connect)
        self._is_name_checked = is_name_checked
        self._clock = clock

    async def run(self) -> None:
        """Ask until cancelled."""
        waited_s = 0.0
        while True:
            await asyncio.sleep(ALONE_S)
            waited_s += ALONE_S
            if self._connect and (not self._link.alive or waited_s >= OFTEN_S):
                waited_s = 0.0
                await self.look()

    async def look(self) -> bool:
        """Ask now; whether another authority was taken up.

        What is written then is found by whoever watches the certificate and the
        charter, as when another process had written it.
        """
        me = self._link.device
        try:
            word = await ask_word(me, self._connect)
            if not word:
                return False
            path = self._household.folder / "devices" / me / "cert.pem"
            hosts = certificate.hosts_of(read_certificate(path, "pair it anew"))
            now = self._clock()
            if await asyncio.to_thread(adopt, self._household, me, word, now=now):
                log.warning("%s: the household has another authority now", me)
                await self._renew(hosts)
                return True
        except TrivetError as error:
            log.warning("%s: the founder's word: %s", me, error)
        return False

    async def _renew(self, hosts: tuple[str, ...]) -> None:
        """Have the certificate be for the hosts that the old one was for."""
        me, ca_path = self._link.device, self._household.ca_path
        renewer = await asyncio.to_thread(Renewer, self._household, me, hosts)
        try:
            await renew_late(
                renewer,
                ca_path,
                self._connect,
                self._clock,
                is_name_checked=self._is_name_checked,
            )
        except TrivetError as error:
            log.warning("%s: the certificate is without its hosts: %s", me, error)

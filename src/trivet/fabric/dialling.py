"""Dialling that tells the truth: a refusal is no network fault, and is not retried."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine

import msgspec

from trivet.domain.error import RefusedError
from trivet.fabric.background import cancel
from trivet.fabric.config import SessionConfig
from trivet.fabric.probe import Finding, probe

log = logging.getLogger("trivet.fabric")

#: Seconds until the first look at why nobody is there, and between looks after it.
FIRST_LOOK_S, LOOK_S = 1.0, 5.0
#: Seconds until an address that refused is looked at again: it may have been renewed.
REFUSED_LOOK_S = 60.0


class Dialling:
    """What is known of the addresses that a device dials.

    Args:
        config: the device's place; `connect` is what it dials.
        is_alone: whether nobody is there.
        redial: dials these addresses and no others from now on.
    """

    def __init__(
        self,
        config: SessionConfig,
        is_alone: Callable[[], bool],
        redial: Callable[[tuple[str, ...]], Awaitable[None]],
    ) -> None:
        self._config = config
        self._is_alone = is_alone
        self._redial = redial
        self._findings: dict[str, Finding] = {}
        self.refused = asyncio.Event()

    @property
    def why(self) -> str:
        """What was found, one line for a person; empty when nothing was."""
        return "; ".join(
            f"{finding.why}; {finding.hint}" if finding.hint else finding.why
            for finding in self._findings.values()
        )

    def check(self) -> None:
        """Raise what cannot be mended by waiting.

        Raises:
            RefusedError: every address refused, or was refused.
        """
        found = list(self._findings.values())
        if found and all(finding.is_refusal for finding in found):
            why = "; ".join(finding.why for finding in found)
            raise RefusedError(why, hint=found[0].hint)

    async def wait_for(self, coming: Coroutine[None, None, None]) -> None:
        """Wait for somebody to come, unless waiting cannot help.

        Raises:
            RefusedError: every address refused, or was refused.
        """
        reaching = asyncio.ensure_future(coming)
        refused = asyncio.ensure_future(self.refused.wait())
        try:
            await asyncio.wait([reaching, refused], return_when=asyncio.FIRST_COMPLETED)
            if not reaching.done():
                self.check()
            await reaching
        finally:
            for task in (reaching, refused):
                await cancel(task)

    async def run(self) -> None:
        """Look, for as long as nobody is there, why that is so."""
        wait_s = FIRST_LOOK_S
        while self._config.connect:
            await asyncio.sleep(wait_s)
            if self.refused.is_set() or self._is_alone():
                await self._look()
            else:
                self._findings.clear()
            wait_s = REFUSED_LOOK_S if self.refused.is_set() else LOOK_S

    async def _look(self) -> None:
        before = self._dialled()
        for address in self._config.connect:
            finding = await probe(
                address,
                self._config.identity,
                is_name_checked=self._config.is_name_checked,
            )
            if finding != self._findings.get(address) and finding.is_refusal:
                log.error("%s: %s (%s)", self._me, finding.why, finding.hint)
            self._findings[address] = finding
        dialled = self._dialled()
        if dialled != before:
            await self._redial(dialled)
        if len(dialled) < len(self._config.connect):
            self.refused.set()
        else:
            self.refused.clear()

    @property
    def _me(self) -> str:
        return self._config.identity.device

    def _dialled(self) -> tuple[str, ...]:
        return tuple(
            address
            for address in self._config.connect
            if address not in self._findings or not self._findings[address].is_refusal
        )


def with_addresses(config: SessionConfig, connect: tuple[str, ...]) -> SessionConfig:
    """The same place, with other devices to dial."""
    return msgspec.structs.replace(config, connect=connect)

"""Relaying: two devices that cannot reach each other, through a third that can.

The owner's gate decides as ever. What it let pass is locked to the recipient's key
(seal.py) and signed by the owner (envelope.py): the third device hands it on, and can
neither read nor alter it, nor have it taken twice.

    owner -- relay: for whom, sealed --> third -- relayed: sealed --> recipient
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric import ec

from trivet.domain.error import PeerError, RefusedError, UsageError, WireError
from trivet.domain.wire import Ack, Document, Message, decode, encode
from trivet.fabric.envelope import Opener, Sealer
from trivet.fabric.gate import Gate
from trivet.fabric.letter import Received
from trivet.fabric.link import Link
from trivet.fabric.seal import seal_to, unseal_with

log = logging.getLogger("trivet.fabric")

#: Asked of a third device: hand this on.
RELAY = "relay"
#: Path on which what was handed on arrives.
RELAYED = "relayed"
_PURPOSE = "relay"


class Relay:
    """Sends through others, hands on for others, and opens what was handed on.

    Args:
        link: the device's place on the fabric.
        gate: what leaves passes it, as on the direct way.
        sealer: seals in this device's name.
        opener: knows whether what was handed on is whole.
        private: this device's key.
        key_of: the public key of a device that is trusted now, None for any other.
        clock: the real time in seconds since 1970-01-01 UTC.
    """

    def __init__(
        self,
        link: Link,
        gate: Gate,
        sealer: Sealer,
        opener: Opener,
        private: ec.EllipticCurvePrivateKey,
        key_of: Callable[[str], ec.EllipticCurvePublicKey | None],
        clock: Callable[[], float],
    ) -> None:
        self._link = link
        self._gate = gate
        self._sealer = sealer
        self._opener = opener
        self._private = private
        self._key_of = key_of
        self._clock = clock
        link.answer(RELAY, self._asked)

    async def send(self, recipient: str, message: Message, path: str) -> bool:
        """Send one message through whoever is there; False if nobody could.

        Raises:
            RefusedError: the gate does not let it pass.
            UsageError: a bad id or path, or it is too long to be sealed.
        """
        public = self._key_of(recipient)
        carriers = sorted(self._link.alive - {recipient})
        if public is None or not carriers:
            return False
        passed = self._gate.sends(recipient, path, message)
        if passed is None:
            return False
        locked = seal_to(public, _PURPOSE, encode(passed))
        sealed = self._sealer.seal(recipient, path, locked, self._clock())
        for carrier in carriers:
            try:
                answer = await self._link.ask(
                    carrier, RELAY, Document(recipient, sealed), timeout_s=2.0
                )
            except PeerError as error:
                log.info("%s: %s carries nothing: %s", self._me, carrier, error)
                continue
            if isinstance(answer, Ack) and answer.ok:
                return True
        return False

    def hear(self, received: Received) -> Received | None:
        """What was handed on, as its owner sent it; None if it is not to be believed.

        What came on the direct way is handed back as it is.
        """
        message = received.message
        if received.path != RELAYED:
            return received
        try:
            if not isinstance(message, Document):
                raise WireError(f"a {type(message).__name__} is not sealed")
            opened = self._opener.open(message.body, self._clock())
            data = unseal_with(self._private, _PURPOSE, opened.data)
            return Received(opened.owner, opened.path, decode(data))
        except (PeerError, ValueError) as error:
            log.warning("%s: %s handed on: %s", self._me, received.owner, error)
            return None

    async def _asked(self, asker: str, message: Message | None) -> Message:
        if not isinstance(message, Document):
            raise UsageError("relay wants a sealed message and for whom")
        recipient = message.kind
        if recipient not in self._link.alive:
            raise RefusedError(f"{recipient} is not in reach of {self._me} either")
        await self._link.publish(recipient, Document(asker, message.body), RELAYED)
        return Ack(True)

    @property
    def _me(self) -> str:
        return self._link.device

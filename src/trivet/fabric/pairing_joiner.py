"""The joiner's side of a pairing: one attempt with one code; no I/O.

    state       right message   then
    NEW         (start)         GREETED, having sent Hello
    GREETED     Reply           CONFIRMING, having sent Confirm
    CONFIRMING  Confirm         DECIDING: its person looks at the card
    DECIDING    (accept)        REQUESTED, having sent Petition
    REQUESTED   Grant           STORING: its disk
    STORING     (stored)        CLOSING, having sent Stored
    CLOSING     Done            DONE

A Refusal is understood wherever a message is awaited. Any other message, and any of
these in another state, ends the joiner. The exchange itself is told in `pairing`.
"""

from __future__ import annotations

import os
from enum import Enum

from trivet.domain.error import RefusedError, UsageError, WireError
from trivet.fabric.pairing import Entropy, Newcomer, refusal
from trivet.fabric.pairing_code import Code
from trivet.fabric.pairing_key import Channel, Exchange, Role
from trivet.fabric.pairing_wire import (
    MAX_BYTES,
    MAX_GRANT_BYTES,
    NONCE_BYTES,
    Card,
    Confirm,
    Done,
    Grant,
    Hello,
    Inner,
    Message,
    Petition,
    Quit,
    Refusal,
    Reply,
    Sealed,
    Stored,
    UnexpectedError,
    Why,
    decode,
    encode,
)

_INTERFERENCE = "start again; if it recurs, somebody is interfering"
_WORDS: dict[Why, tuple[str, str]] = {
    Why.BUSY: ("the host is pairing another device", "wait a little, then try again"),
    Why.WRONG_CODE: ("the code is wrong", "read it again on the other screen"),
    Why.EXPIRED: ("the time for this code is over", "show a new code on the host"),
    Why.SPENT: ("this code is used up", "show a new code on the host"),
    Why.SILENT: ("the host heard nothing for too long", "show a new code, try again"),
    Why.DECLINED: ("the host's person said no", "agree with them first"),
    Why.NOT_ADMITTED: (
        "the household could not admit this device",
        "the host's screen says why",
    ),
    Why.UNEXPECTED: (
        "the host did not expect this message",
        _INTERFERENCE,
    ),
    Why.MALFORMED: (
        "the host could not read this device's message",
        _INTERFERENCE,
    ),
    Why.VERSION: (
        "the host speaks another version of pairing",
        "update trivet on the older of the two devices",
    ),
    Why.TOO_FAST: ("the host is asked too much at once", "wait a little, try again"),
}


class JoinerState(Enum):
    """Where a joiner is; see the module's table."""

    NEW = "new"
    GREETED = "greeted"
    CONFIRMING = "confirming"
    DECIDING = "deciding"
    REQUESTED = "requested"
    STORING = "storing"
    CLOSING = "closing"
    DONE = "done"
    ENDED = "ended"


class Joiner:
    """The side that was told the code and wants to become a member."""

    def __init__(
        self,
        code: Code,
        newcomer: Newcomer,
        *,
        authority: str = "",
        entropy: Entropy = os.urandom,
    ) -> None:
        """Prepare.

        Args:
            code: as the person read it on the host.
            newcomer: who this device is.
            authority: fingerprint of the household's authority, where a ticket says
                it; empty where the person typed the code.
            entropy: gives so many random bytes.
        """
        self.state = JoinerState.NEW
        self.newcomer = newcomer
        self._code, self._authority, self._entropy = code, authority, entropy
        self._nonce = entropy(NONCE_BYTES)
        self._session = ""
        self._hello = b""
        self._exchange: Exchange | None = None
        self._channel: Channel | None = None
        self._card: Card | None = None
        self._grant: Grant | None = None
        self._parting: bytes | None = None

    @property
    def seat(self) -> str:
        """What this joiner is called in the lobby."""
        return self._nonce.hex()

    @property
    def card(self) -> Card:
        """The household, from DECIDING on.

        Raises:
            UsageError: it is not known yet.
        """
        if self._card is None:
            raise UsageError("the household is not known before the code is verified")
        return self._card

    @property
    def grant(self) -> Grant:
        """What makes this device a member, from STORING on.

        Raises:
            UsageError: it was not granted yet.
        """
        if self._grant is None:
            raise UsageError("nothing was granted yet")
        return self._grant

    def start(self, session: str) -> bytes:
        """Say hello to the host of that session id; the message to send.

        Raises:
            UsageError: it has begun already.
        """
        self._expect(JoinerState.NEW)
        self._session = session
        self._exchange = Exchange(Role.JOINER, self._code, session, self._entropy)
        who = self.newcomer
        self._hello = encode(
            Hello(
                self._nonce, who.device, who.kind, who.fingerprint, self._exchange.share
            )
        )
        self.state = JoinerState.GREETED
        return self._hello

    def receive(self, data: bytes) -> bytes | None:
        """Take the host's answer; hand back the next message, or None.

        None where this side must act first: a person in DECIDING, the disk in STORING;
        or where all is done.

        Raises:
            RefusedError: the host said no.
            WireError: it sent something else than is awaited, or is not the host on
                the ticket; `leave()` has a word for it.
            UsageError: nothing is awaited now.
        """
        awaiting = (
            JoinerState.GREETED,
            JoinerState.CONFIRMING,
            JoinerState.REQUESTED,
            JoinerState.CLOSING,
        )
        self._expect(*awaiting)
        try:
            return self._take(self._open(data), data)
        except RefusedError:
            self.state, self._parting = JoinerState.ENDED, None
            raise
        except WireError:
            self._parting, self.state = self._farewell(), JoinerState.ENDED
            raise

    def accept(self, request: bytes) -> bytes:
        """The person accepts the household; the message to send.

        Args:
            request: the certificate request, for the same device, kind and key.

        Raises:
            UsageError: there is nothing to accept now, or the request is too long.
        """
        self._expect(JoinerState.DECIDING)
        data = self._seal(Petition(request))
        self.state = JoinerState.REQUESTED
        return data

    def stored(self) -> bytes:
        """The grant is on the disk; the message to send.

        Raises:
            UsageError: nothing was to be stored.
        """
        self._expect(JoinerState.STORING)
        data = self._seal(Stored())
        self.state = JoinerState.CLOSING
        return data

    def leave(self) -> bytes | None:
        """End it from this side; a word for the host, or None where it needs none.

        A joiner that ended over the host's message has its word here too, once.
        """
        if self.state is not JoinerState.ENDED:
            self._parting, self.state = self._farewell(), JoinerState.ENDED
        parting, self._parting = self._parting, None
        return parting

    # --- the table ------------------------------------------------------------

    def _take(self, message: Message | Inner, data: bytes) -> bytes | None:
        match self.state, message:
            case _, Refusal() as no:
                raise self._refused(no)
            case JoinerState.GREETED, Reply() as reply:
                return self._prove(reply, data)
            case JoinerState.CONFIRMING, Confirm() as confirm:
                self._meet(confirm)
                return None
            case JoinerState.REQUESTED, Grant() as grant:
                self._grant, self.state = grant, JoinerState.STORING
                return None
            case JoinerState.CLOSING, Done():
                self.state = JoinerState.DONE
                return None
        raise UnexpectedError(
            f"a {type(message).__name__} has no meaning to a joiner that is "
            f"{self.state.value}",
            hint=_INTERFERENCE,
        )

    def _open(self, data: bytes) -> Message | Inner:
        is_long = self.state is JoinerState.REQUESTED
        message = decode(data, MAX_GRANT_BYTES if is_long else MAX_BYTES)
        verified = (JoinerState.REQUESTED, JoinerState.CLOSING)
        if isinstance(message, Sealed) and self.state in verified:
            return self._keys.unseal(message.body)
        return message

    def _prove(self, reply: Reply, data: bytes) -> bytes:
        if reply.session != self._session:
            raise WireError(
                f"host {reply.session} answered in the place of {self._session}",
                hint=_INTERFERENCE,
            )
        assert self._exchange is not None
        derived = self._exchange.finish(reply.share)
        self._channel = Channel(Role.JOINER, derived, self._hello, data)
        self.state = JoinerState.CONFIRMING
        return encode(Confirm(self._channel.prove()))

    def _meet(self, confirm: Confirm) -> None:
        if not self._keys.is_proof(confirm.mac):
            raise WireError(
                "the host does not know the code itself", hint=_INTERFERENCE
            )
        card = self._keys.unseal(confirm.sealed)
        if not isinstance(card, Card):
            raise UnexpectedError(f"a {type(card).__name__} in the place of a card")
        if self._authority not in ("", card.authority):
            raise WireError(
                f"the ticket is of another household than {card.household}",
                hint="scan the QR code that is on the host's screen now",
            )
        self._card, self.state = card, JoinerState.DECIDING

    def _refused(self, no: Refusal) -> RefusedError:
        message, hint = _WORDS[no.why]
        if no.why is Why.WRONG_CODE:
            hint += f"; tries left: {no.tries_left}"
        return RefusedError(message, hint=hint)

    def _farewell(self) -> bytes | None:
        """What tells the host at once that this side is out, or None."""
        if self.state is JoinerState.GREETED:
            return refusal(Why.DECLINED)
        # in CLOSING this device is a member already, whatever the host could say
        states = (
            JoinerState.CONFIRMING,
            JoinerState.DECIDING,
            JoinerState.REQUESTED,
            JoinerState.STORING,
        )
        return self._seal(Quit()) if self.state in states else None

    # --- small things ---------------------------------------------------------

    @property
    def _keys(self) -> Channel:
        assert self._channel is not None
        return self._channel

    def _seal(self, message: Inner) -> bytes:
        return encode(Sealed(self._keys.seal(message)))

    def _expect(self, *states: JoinerState) -> None:
        if self.state not in states:
            raise UsageError(f"not now: this joiner is {self.state.value}")

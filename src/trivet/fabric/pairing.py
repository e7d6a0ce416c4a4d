"""Pairing: a device joins a household by a short code; two state machines, no I/O.

    joiner                                              host
    Hello(nonce, device, kind, fingerprint, share)  ->
                                                    <-  Reply(nonce, session, share)
    Confirm(proof)                                  ->  a wrong code shows here
                                                    <-  Confirm(proof, sealed Card)
    [its person accepts the household]
    sealed Petition(certificate request)            ->  [its person accepts the device]
                                                    <-  sealed Grant
    [stores it]
    sealed Stored                                   ->
                                                    <-  sealed Done

The host, by state and message; an empty cell ends the attempt:

    state     Hello     Confirm   Petition  Stored   Quit     Refusal   silence
    WAITING   ANSWERED  =         =                  =        =         EXPIRED
    ANSWERED            VERIFIED                              a try     a try
    VERIFIED                      ASKING             ENDED              ENDED
    ASKING                                           ENDED              ENDED
    ISSUED                                  DONE     ENDED              ENDED
    DONE      =         =         =         =        =        =
    ENDED     =         =         =         =        =        =

`=`: refused, and nothing changes. Ending an attempt before VERIFIED costs one of three
tries and frees the seat; from VERIFIED on the code has served, so the session is over.
Whoever is not in the seat is told that the host is busy, whatever they send.

The joiner's table is in `pairing_joiner`.

Source: RFC 9382; docs/pairing.md says what it protects against.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from enum import Enum

import msgspec

from trivet.domain.device import DeviceKind
from trivet.domain.error import (
    RefusedError,
    TrivetError,
    UnreachableError,
    UsageError,
    WireError,
)
from trivet.fabric.pairing_code import Code
from trivet.fabric.pairing_key import Channel, Exchange, Role
from trivet.fabric.pairing_wire import (
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
    VersionError,
    Why,
    decode,
    encode,
)

TRIES = 3
#: Seconds that a code lives, and that the persons then have to accept.
CODE_S = 120.0
PEOPLE_S = 120.0
#: Seconds that a joining device may be silent where no person is asked.
SILENCE_S = 10.0

Entropy = Callable[[int], bytes]


class Newcomer(msgspec.Struct, frozen=True):
    """Who wants to join, as it says of itself.

    Attributes:
        device: the id that it wants to have.
        kind: what it is.
        fingerprint: of its key: SHA-256, 64 hexadecimal digits.
    """

    device: str
    kind: DeviceKind
    fingerprint: str


class HostState(Enum):
    """Where a host is; see the module's table."""

    WAITING = "waiting"
    ANSWERED = "answered"
    VERIFIED = "verified"
    ASKING = "asking"
    ISSUED = "issued"
    DONE = "done"
    ENDED = "ended"


class Host:
    """The side that shows the code and admits one device, for one code.

    Times are seconds of one monotonic clock that the caller has.
    """

    def __init__(
        self,
        code: Code,
        card: Card,
        read: Callable[[bytes], Newcomer],
        now: float,
        *,
        on_fault: Callable[[TrivetError], None] = lambda error: None,
        entropy: Entropy = os.urandom,
    ) -> None:
        """Begin to wait.

        Args:
            code: shown to the person, and to nobody else.
            card: the household, for the joiner's person to accept.
            read: who a certificate request is for; WireError if it is none.
            now: the code lives from now on.
            on_fault: told of each try lost and of the session's failure, so of at
                most four errors.
            entropy: gives so many random bytes.
        """
        self.session = entropy(4).hex()
        self.state = HostState.WAITING
        self.tries_left = TRIES
        #: why the session ended, if it did not end well
        self.fault: TrivetError | None = None
        #: malformed or ill-timed messages from whoever was not in the seat
        self.strangers = 0
        #: who asks to be admitted, from VERIFIED on
        self.newcomer: Newcomer | None = None
        self._code, self._card, self._read = code, card, read
        self._on_fault, self._entropy = on_fault, entropy
        self._code_end = now + CODE_S
        self._end_time = self._code_end
        self._seat: str | None = None
        self._channel: Channel | None = None
        self._request = b""
        self._parting = refusal(Why.SPENT)

    @property
    def seat(self) -> str | None:
        """Who is being paired, None when nobody is."""
        return self._seat

    @property
    def deadline(self) -> float | None:
        """When `tick` changes something if no message comes; None when it is over."""
        is_over = self.state in (HostState.DONE, HostState.ENDED)
        return None if is_over else self._end_time

    @property
    def parting(self) -> bytes:
        """What to answer whoever still waits when the session is over."""
        return self._parting

    def tick(self, now: float) -> None:
        """Let the time pass."""
        if self.deadline is None or now < self._end_time:
            return
        if self.state is HostState.ANSWERED and now < self._code_end:
            fault = UnreachableError(f"{self._who} fell silent before it showed a code")
            self._lose(Why.SILENT, fault)
        elif self.state in (HostState.WAITING, HostState.ANSWERED):
            hint = "show a new one"
            self._end(Why.EXPIRED, UnreachableError("the code has expired", hint=hint))
        elif self.state is HostState.ISSUED:
            fault = UnreachableError(
                f"{self._who} was admitted, but did not say that it stored its "
                "certificate",
                hint="if it has none, revoke it and pair it anew",
            )
            self._end(Why.SILENT, fault)
        else:
            fault = UnreachableError(f"nobody accepted {self._who} in time")
            self._end(Why.EXPIRED, fault)

    def receive(self, seat: str, data: bytes, now: float) -> bytes | None:
        """Take a message; hand back the answer, or None when a person must be asked.

        Never raises for what a peer sent: `on_fault` is told, the peer is refused.

        Args:
            seat: who sent it, as the lobby knows: the hexadecimal nonce of its hello.
            data: the message.
            now: the time.
        """
        self.tick(now)
        if self.deadline is None:
            return self._parting
        if self._seat not in (None, seat):
            self.strangers += 1
            return refusal(Why.BUSY)
        try:
            return self._take(self._open(data), seat, data, now)
        except VersionError as error:
            return self._break(Why.VERSION, error)
        except UnexpectedError as error:
            return self._break(Why.UNEXPECTED, error)
        except TrivetError as error:
            return self._break(Why.MALFORMED, error)

    def accept(self, issue: Callable[[bytes], Grant], now: float) -> bytes:
        """The person says yes: have the certificate issued; the answer to send.

        Args:
            issue: makes the grant for the certificate request.
            now: the time.

        Raises:
            UsageError: nobody is to be accepted, or no longer.
            TrivetError: whatever `issue` raised; the session is over then.
        """
        self._expect_asking(now)
        assert self._channel is not None
        try:
            sealed = self._channel.seal(issue(self._request))
            data = encode(Sealed(sealed))
        except Exception as error:
            fault = error if isinstance(error, TrivetError) else TrivetError(str(error))
            self._end(Why.NOT_ADMITTED, fault)
            raise
        self.state, self._end_time = HostState.ISSUED, now + SILENCE_S
        return data

    def decline(self, now: float) -> bytes:
        """The person says no; the answer to send.

        Raises:
            UsageError: nobody is to be declined, or no longer.
        """
        self._expect_asking(now)
        return self._end(Why.DECLINED, RefusedError(f"{self._who} was declined here"))

    def close(self) -> None:
        """The host's person gives up. Calling it when it is over changes nothing."""
        if self.deadline is not None:
            self._end(Why.DECLINED, RefusedError("pairing was given up here"))

    # --- the table ------------------------------------------------------------

    def _take(
        self, message: Message | Inner, seat: str, data: bytes, now: float
    ) -> bytes | None:
        match self.state, message:
            case HostState.WAITING, Hello() as hello:
                return self._greet(hello, seat, data, now)
            case HostState.ANSWERED, Confirm() as confirm:
                return self._verify(confirm, now)
            case HostState.ANSWERED, Refusal():
                fault = RefusedError(f"{self._who} gave up before it showed a code")
                return self._lose(Why.DECLINED, fault)
            case HostState.VERIFIED, Petition() as petition:
                self._judge(petition)
                return None
            case HostState.ISSUED, Stored():
                assert self._channel is not None
                self.state = HostState.DONE
                return encode(Sealed(self._channel.seal(Done())))
            case ((HostState.VERIFIED | HostState.ASKING | HostState.ISSUED), Quit()):
                return self._end(Why.DECLINED, self._left())
        raise UnexpectedError(
            f"a {type(message).__name__} has no meaning to a host that is "
            f"{self.state.value}"
        )

    def _open(self, data: bytes) -> Message | Inner:
        message = decode(data)
        verified = (HostState.VERIFIED, HostState.ASKING, HostState.ISSUED)
        if isinstance(message, Sealed) and self.state in verified:
            assert self._channel is not None
            return self._channel.unseal(message.body)
        return message

    def _greet(self, hello: Hello, seat: str, data: bytes, now: float) -> bytes:
        if seat != hello.nonce.hex():
            raise WireError("a hello from another seat than its own")
        exchange = Exchange(Role.HOST, self._code, self.session, self._entropy)
        derived = exchange.finish(hello.share)  # a bad share ends here, unanswered
        reply = encode(
            Reply(self._entropy(len(hello.nonce)), self.session, exchange.share)
        )
        self._channel = Channel(Role.HOST, derived, data, reply)
        self.newcomer = Newcomer(hello.device, hello.kind, hello.fingerprint)
        self._seat, self.state = seat, HostState.ANSWERED
        self._end_time = min(self._code_end, now + SILENCE_S)
        return reply

    def _verify(self, confirm: Confirm, now: float) -> bytes:
        assert self._channel is not None
        if confirm.sealed or not self._channel.is_proof(confirm.mac):
            hint = (
                "if nobody of yours mistyped it, somebody is guessing; tries left: "
                f"{self.tries_left - 1}"
            )
            fault = RefusedError(f"{self._who} gave a wrong code", hint=hint)
            return self._lose(Why.WRONG_CODE, fault)
        sealed = self._channel.seal(self._card)
        self.state, self._end_time = HostState.VERIFIED, now + PEOPLE_S
        return encode(Confirm(self._channel.prove(), sealed))

    def _judge(self, petition: Petition) -> None:
        asked = self._read(petition.request)
        if asked != self.newcomer:
            raise WireError(
                f"the request is for {asked.device}, a {asked.kind.value} with the key "
                f"{asked.fingerprint}, but {self._who} said hello"
            )
        self._request, self.state = petition.request, HostState.ASKING

    # --- ends -----------------------------------------------------------------

    def _break(self, why: Why, fault: TrivetError) -> bytes:
        """End the attempt, if there is one, over a message that is wrong."""
        if self.state is HostState.WAITING:
            self.strangers += 1
            return refusal(why)
        if self.state is HostState.ANSWERED:
            return self._lose(why, fault)
        return self._end(why, fault)

    def _lose(self, why: Why, fault: TrivetError) -> bytes:
        """A try is gone; the last one takes the session with it."""
        self.tries_left -= 1
        if self.tries_left == 0:
            self._end(Why.SPENT, fault)
            return refusal(why)
        self._seat = self._channel = self.newcomer = None
        self.state, self._end_time = HostState.WAITING, self._code_end
        self._on_fault(fault)
        return refusal(why, self.tries_left)

    def _end(self, why: Why, fault: TrivetError) -> bytes:
        self._parting = refusal(why)
        self._channel, self._request = None, b""
        self.state, self.fault = HostState.ENDED, fault
        self._on_fault(fault)
        return self._parting

    def _expect_asking(self, now: float) -> None:
        self.tick(now)
        if self.state is not HostState.ASKING:
            raise UsageError(
                f"nobody is to be accepted: pairing is {self.state.value}",
                hint="show a new code and pair again",
            ) from self.fault

    @property
    def _who(self) -> str:
        who = self.newcomer
        assert who is not None
        return f"a {who.kind.value} that calls itself {who.device}"

    def _left(self) -> RefusedError:
        was_issued = self.state is HostState.ISSUED
        hint = "revoke it: its certificate was issued already" if was_issued else ""
        return RefusedError(f"{self._who} left", hint=hint)


def refusal(why: Why, tries_left: int = 0) -> bytes:
    """A Refusal as bytes."""
    return encode(Refusal(why, tries_left))

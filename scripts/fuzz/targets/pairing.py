"""Pairing: its messages, its tickets, and the two machines in the midst of a good run.

The machines are attacked both by who is in between, and by a peer that has the code and
seals what it likes.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from random import Random
from unittest.mock import patch

from scripts.fuzz.target import Makers, Target
from scripts.fuzz.tree import MSGPACK

from trivet.domain.device import DeviceKind
from trivet.domain.error import PeerError, TrivetError, UsageError, WireError
from trivet.fabric import pairing_code, pairing_wire
from trivet.fabric.pairing import Host, HostState, Newcomer
from trivet.fabric.pairing_code import Code, make_code
from trivet.fabric.pairing_joiner import Joiner, JoinerState
from trivet.fabric.pairing_key import Channel, Exchange, Role
from trivet.fabric.pairing_wire import (
    MAX_GRANT_BYTES,
    Card,
    Confirm,
    Done,
    Grant,
    Hello,
    Inner,
    Petition,
    Quit,
    Refusal,
    Reply,
    Sealed,
    Stored,
    Why,
)

_PHONE = Newcomer("phone", DeviceKind.PHONE, "ab" * 32)
_CARD = Card("ours", "cd" * 32, "home")
_GRANT = Grant(b"a certificate", b"a household")
_REQUEST = b"phone wants a certificate"
_INNER: tuple[Inner, ...] = (
    _CARD,
    Petition(_REQUEST),
    _GRANT,
    Stored(),
    Done(),
    Quit(),
)
_OUTER = (
    Hello(bytes(16), "phone", DeviceKind.PHONE, "ab" * 32, b"A" + bytes(32)),
    Reply(bytes(16), "0" * 8, b"B" + bytes(32)),
    Confirm(bytes(32)),
    Confirm(bytes(32), bytes(40)),
    Sealed(bytes(40)),
    Refusal(Why.WRONG_CODE, 2),
)
_SEALED = 0x80
_VERSION = bytes([pairing_wire.VERSION])


class _QuickExchange:
    """In place of a key exchange of 10 ms; the real one is a target by itself."""

    def __init__(
        self, role: Role, code: Code, session: str, entropy: Callable[[int], bytes]
    ) -> None:
        self._secret = code.password + session.encode()
        self.share = (b"A" if role is Role.JOINER else b"B") + entropy(32)

    def finish(self, share: bytes) -> bytes:
        return sha256(self._secret + b"".join(sorted((self.share, share)))).digest()


class _Pair:
    """A host and a joiner that go the good way, step by step."""

    def __init__(self) -> None:
        entropy = Random(7).randbytes
        self.now = 0.0
        self.code = make_code(entropy)
        self.is_accepted = False
        self.host = Host(self.code, _CARD, self._read, self.now, entropy=entropy)
        self.joiner = Joiner(self.code, _PHONE, entropy=entropy)

    def _read(self, request: bytes) -> Newcomer:
        if request != _REQUEST:
            raise WireError("another request")
        return _PHONE

    def say(self, step: int) -> bytes:
        """What the joiner says next."""
        match step:
            case 0:
                return self.joiner.start(self.host.session)
            case 1:
                said = self.joiner.receive(self.heard)
                assert said is not None
                return said
            case 2:
                self.joiner.receive(self.heard)
                return self.joiner.accept(_REQUEST)
            case _:
                self.joiner.receive(self.heard)
                return self.joiner.stored()

    def hear(self, step: int, data: bytes) -> bytes:
        """What the host answers to it."""
        answer = self.host.receive(self.joiner.seat, data, self.now)
        if step == 2 and self.host.state is HostState.ASKING:
            self.is_accepted = True
            answer = self.host.accept(lambda request: _GRANT, self.now)
        self.heard = answer or b""
        return self.heard


def _seal(channel: Channel | None, role: Role, used: int, text: bytes) -> bytes:
    """Any bytes, sealed in the place of the good message as who has the key can."""
    if channel is None:
        return b""
    channel._used[role] = max(0, used)
    nonce = channel._nonce(role)
    return channel._seals[role].encrypt(nonce, text, channel._transcript)


_HOST_NEXT = (HostState.ANSWERED, HostState.VERIFIED, HostState.ASKING, HostState.DONE)


def _host(data: bytes) -> None:
    """First byte: which message is another one, and whether it is sealed."""
    first, body = data[:1] or b"\0", data[1:]
    at, is_sealed = first[0] % 4, bool(first[0] & _SEALED)
    pair = _Pair()
    for step in range(at):
        pair.hear(step, pair.say(step))
    good = pair.say(at)
    if is_sealed:
        text = _seal(pair.joiner._channel, Role.JOINER, at - 2, body[1:])
        body = pairing_wire._HEAD + pairing_wire._encoder.encode(Sealed(text))
    answer = pair.host.receive(pair.joiner.seat, body, pair.now)
    if answer is not None:
        pairing_wire.decode(answer, MAX_GRANT_BYTES)
    state = pair.host.state
    if at and not is_sealed and state is _HOST_NEXT[at]:
        assert pairing_wire.decode(body) == pairing_wire.decode(good), "forged"
    if at == 0 and body != good and state is HostState.ANSWERED:
        with suppress(TrivetError):
            pair.heard = answer or b""
            pair.hear(1, pair.say(1))
        assert pair.host.state is not HostState.VERIFIED, "another's hello was proved"
    assert state is not HostState.DONE or pair.is_accepted, "admitted by nobody"
    for good_one in (good, body):
        pair.host.receive(pair.joiner.seat, good_one, pair.now)
    pair.host.tick(pair.now + 1000)
    assert pair.host.deadline is None, "a session without end"


_JOINER_NEXT = (
    JoinerState.CONFIRMING,
    JoinerState.DECIDING,
    JoinerState.STORING,
    JoinerState.DONE,
)


def _joiner(data: bytes) -> None:
    first, body = data[:1] or b"\0", data[1:]
    at, is_sealed = first[0] % 4, bool(first[0] & _SEALED)
    pair = _Pair()
    for step in range(at + 1):
        good = pair.hear(step, pair.say(step))
    if is_sealed:
        body = _sealed_by_host(pair, at, body[1:])
    try:
        pair.joiner.receive(body)
    except (PeerError, UsageError):
        assert pair.joiner.state is JoinerState.ENDED
        word = pair.joiner.leave()
        if word is not None:
            pairing_wire.decode(word)
        return
    assert pair.joiner.state is _JOINER_NEXT[at]
    if at and not is_sealed:
        decoded = pairing_wire.decode(body, MAX_GRANT_BYTES)
        assert decoded == pairing_wire.decode(good), "forged"


def _sealed_by_host(pair: _Pair, at: int, text: bytes) -> bytes:
    """What a host would send that has the key and seals what it likes."""
    channel = pair.host._channel
    sealed = _seal(channel, Role.HOST, at - 1, text)
    message: pairing_wire.Message = Sealed(sealed)
    if at == 1 and channel is not None:
        message = Confirm(channel.prove(), sealed)
    return pairing_wire._HEAD + pairing_wire._encoder.encode(message)


def _quick(run: Callable[[bytes], None]) -> Callable[[bytes], None]:
    def attack(data: bytes) -> None:
        with (
            patch("trivet.fabric.pairing.Exchange", _QuickExchange),
            patch("trivet.fabric.pairing_joiner.Exchange", _QuickExchange),
        ):
            run(data)

    return attack


def _recorded() -> tuple[list[bytes], list[bytes]]:
    """A good run: what the joiner said and what the host said."""
    said: list[bytes] = []
    heard: list[bytes] = []

    def live(data: bytes) -> None:
        pair = _Pair()
        for step in range(4):
            said.append(pair.say(step))
            heard.append(pair.hear(step, said[-1]))

    _quick(live)(b"")
    return said, heard


def _steps(messages: list[bytes]) -> tuple[bytes, ...]:
    """Each message in each place, and each inner one sealed in each."""
    outer = [*messages, *(pairing_wire.encode(message) for message in _OUTER)]
    inner = [_VERSION + pairing_wire.encode_inner(message) for message in _INNER]
    return (
        *(bytes([at]) + message for at in range(4) for message in outer),
        *(bytes([_SEALED | at]) + message for at in range(4) for message in inner),
    )


def _exchange(data: bytes) -> None:
    """A share of the peer's: a point of the group, or refused."""
    Exchange(Role.HOST, Code("12345678"), "0" * 8, Random(3).randbytes).finish(data)


def _shares() -> tuple[bytes, ...]:
    code, session = Code("12345678"), "0" * 8
    shares = tuple(
        Exchange(Role.JOINER, code, session, Random(seed).randbytes).share
        for seed in range(4)
    )
    # points of small order, those that are none, and numbers beyond the field
    odd = (0, 1, 2, 2**255 - 20, 2**255 - 19, 2**255 - 18, 2**256 - 1, 8 << 252)
    return shares + tuple(b"A" + number.to_bytes(32, "little") for number in odd)


def _ticket(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    for read in (pairing_code.read_code, pairing_code.check_address):
        with suppress(UsageError):
            read(text)
    ticket = pairing_code.read_ticket(text)
    assert pairing_code.read_ticket(ticket.url) == ticket
    assert "Code(…)" in repr(ticket)


def _tickets() -> tuple[bytes, ...]:
    code = make_code(Random(5).randbytes)
    addresses = ("192.168.1.20:7450", "home.local:7450", "[fe80::1]:7450")
    full = pairing_code.Ticket(addresses, code, "0a1b2c3d", "cd" * 32)
    short = pairing_code.Ticket(addresses[:1], code, "0a1b2c3d", "cd" * 32)
    return full.url.encode(), short.url.encode()


def _make_machine(name: str, run: Callable[[bytes], None], side: int) -> Target:
    corpus = _steps(_recorded()[side])
    return Target(name, corpus, _quick(run), (), codec=MSGPACK, head=2, slowness=5)


TARGETS: Makers = {
    "pairing-message": lambda: Target(
        "pairing-message",
        tuple(pairing_wire.encode(message) for message in _OUTER),
        lambda data: void(pairing_wire.decode(data)),
        (WireError,),
        codec=MSGPACK,
        head=1,
    ),
    "pairing-inner": lambda: Target(
        "pairing-inner",
        tuple(pairing_wire.encode_inner(message) for message in _INNER),
        lambda data: void(pairing_wire.decode_inner(data)),
        (WireError,),
        codec=MSGPACK,
    ),
    "pairing-host": lambda: _make_machine("pairing-host", _host, 0),
    "pairing-joiner": lambda: _make_machine("pairing-joiner", _joiner, 1),
    "pairing-exchange": lambda: Target(
        "pairing-exchange", _shares(), _exchange, (WireError,), slowness=500
    ),
    "pairing-ticket": lambda: Target(
        "pairing-ticket",
        _tickets(),
        _ticket,
        (UsageError,),
        words=tuple(b"trivet:pair? at code host ca & = : [ ] :: %25 0 65536".split()),
    ),
}


def void(message: object) -> None:
    """Nothing more is asked of what was read."""

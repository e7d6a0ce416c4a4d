"""Two devices that pair on a fake wire, and messages of every kind to throw in."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

from trivet.domain import DeviceKind, TrivetError
from trivet.fabric.pairing import Host, HostState, Newcomer
from trivet.fabric.pairing_code import Code, make_code
from trivet.fabric.pairing_joiner import Joiner, JoinerState
from trivet.fabric.pairing_key import Role
from trivet.fabric.pairing_wire import (
    VERSION,
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
    decode,
    encode,
)

PHONE = Newcomer("phone", DeviceKind.PHONE, "ab" * 32)
CARD = Card("ours", "cd" * 32, "home")
GRANT = Grant(b"a certificate", b"a household")
REQUEST = b"phone wants a certificate"
STRANGER = "f" * 32


class QuickExchange:
    """A key exchange that is quick and worthless, where it is not what is tested."""

    def __init__(
        self, role: Role, code: Code, session: str, entropy: Callable[[int], bytes]
    ) -> None:
        self._secret = code.password + session.encode()
        self.share = (b"A" if role is Role.JOINER else b"B") + entropy(32)

    def finish(self, share: bytes) -> bytes:
        return sha256(self._secret + b"".join(sorted((self.share, share)))).digest()


def other_code(code: Code) -> Code:
    """A well-formed code that is another one."""
    while (other := make_code()) == code:
        pass
    return other


class Pair:
    """A host, a joiner, and the wire between them with all that went over it."""

    def __init__(
        self,
        *,
        guess: Code | None = None,
        code: Code | None = None,
        authority: str = "",
    ) -> None:
        self.now = 1000.0
        self.code = code or make_code()
        self.faults: list[TrivetError] = []
        self.host = Host(
            self.code, CARD, self.read, self.now, on_fault=self.faults.append
        )
        self.joiner = self.new_joiner(guess, authority)
        #: messages as they crossed: those of the joiner, those of the host
        self.said: list[bytes] = []
        self.heard: list[bytes] = []

    def read(self, data: bytes) -> Newcomer:
        return PHONE

    def new_joiner(self, guess: Code | None = None, authority: str = "") -> Joiner:
        return Joiner(guess or self.code, PHONE, authority=authority)

    def send(self, data: bytes, seat: str = "") -> bytes | None:
        return self.host.receive(seat or self.joiner.seat, data, self.now)

    # --- the steps of a good pairing ---------------------------------------------

    def start(self) -> None:
        self.said.append(self.joiner.start(self.host.session))

    def accept(self) -> None:
        self.said.append(self.joiner.accept(REQUEST))

    def store(self) -> None:
        self.said.append(self.joiner.stored())

    def answer(self) -> None:
        data = self.send(self.said[-1])
        if data is not None:
            self.heard.append(data)

    def admit(self) -> None:
        self.heard.append(self.host.accept(lambda request: GRANT, self.now))

    def hear(self) -> None:
        data = self.joiner.receive(self.heard[-1])
        if data is not None:
            self.said.append(data)

    @property
    def steps(self) -> tuple[Callable[[], None], ...]:
        key = (self.start, self.answer, self.hear, self.answer, self.hear)
        grant = (self.accept, self.answer, self.admit, self.hear)
        return (*key, *grant, self.store, self.answer, self.hear)

    def run(self) -> None:
        for step in self.steps:
            step()

    def bring_host(self, state: HostState) -> None:
        """Go on until the host is in a state."""
        for step in self.steps:
            if self.host.state is state:
                return
            step()
        if state is HostState.ENDED:
            self.host = Host(self.code, CARD, self.read, self.now)
            self.host.close()

    def bring_joiner(self, state: JoinerState) -> None:
        """Go on until the joiner is in a state, and has not heard what comes next."""
        for step in self.steps:
            is_there = self.joiner.state is state
            if is_there and step not in (self.answer, self.admit):
                return
            step()
        if state is JoinerState.ENDED:
            self.joiner = self.new_joiner()
            self.joiner.leave()


def why_of(data: bytes | None) -> Why | None:
    """The word of a refusal, None of anything else."""
    if data is None:
        return None
    message = decode(data)
    return message.why if isinstance(message, Refusal) else None


INNER: dict[str, Inner] = {
    "card": CARD,
    "petition": Petition(REQUEST),
    "grant": GRANT,
    "stored": Stored(),
    "done": Done(),
    "quit": Quit(),
}
OUTER: dict[str, bytes] = {
    "hello": encode(
        Hello(bytes(16), "phone", DeviceKind.PHONE, "ab" * 32, b"A" + bytes(32))
    ),
    "reply": encode(Reply(bytes(16), "0" * 8, b"B" + bytes(32))),
    "confirm": encode(Confirm(bytes(32))),
    "refusal": encode(Refusal(Why.DECLINED)),
    "sealed noise": encode(Sealed(bytes(40))),
    "noise": bytes([VERSION]) + b"\x93noise",
    "nothing": b"",
    "other version": bytes([VERSION + 1]) + b"\x80",
    "too long": bytes([VERSION]) + bytes(300_000),
}
NAMES = (*OUTER, *INNER)

"""Pairing as two persons live it: one shows a code, the other types it, both say yes.

Everything that a person sees or is asked goes through the callbacks, so that a
terminal, a page and a test are alike. `ask` may block: it has a thread of its own.
"""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from trivet.domain import (
    DeviceKind,
    RefusedError,
    TrivetError,
    UsageError,
    WireError,
)
from trivet.fabric import certificate
from trivet.fabric.admit import admit, keep
from trivet.fabric.background import cancel, in_thread
from trivet.fabric.charter import load_charter
from trivet.fabric.household import Household, authority, load_household
from trivet.fabric.identity import Identity
from trivet.fabric.key import check_id
from trivet.fabric.lobby import HostLobby, join, open_host_lobby
from trivet.fabric.pairing import Host, Newcomer
from trivet.fabric.pairing_code import (
    Code,
    Ticket,
    is_ticket,
    make_code,
    read_code,
    read_ticket,
)
from trivet.fabric.pairing_joiner import Joiner, JoinerState
from trivet.fabric.pairing_wire import Card, Grant
from trivet.fabric.request import (
    Request,
    fingerprint,
    make_request,
    new_key,
    read_request,
)

Ask = Callable[[str], bool]
Show = Callable[[str], None]

#: Documentation addresses, which are routed like any other.
_SOMEWHERE = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}
#: All systems of a network: never routed, so sent where no route is.
_NEIGHBOURS = "224.0.0.1"
_ANY = {
    "0.0.0.0": (socket.AF_INET,),
    "[::]": (socket.AF_INET, socket.AF_INET6),
}


class Membership(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a member knows of its household, besides its own certificate.

    Attributes:
        ca: the authority's certificate, PEM.
        charter: the household's charter.
    """

    ca: bytes
    charter: bytes


async def pair_device(
    household: Household,
    *,
    ask: Ask,
    show: Show,
    show_ticket: Callable[[Ticket], None],
    listen: Sequence[str] = ("0.0.0.0:0",),
    is_scouting: bool = True,
    is_guest: bool = False,
) -> Newcomer:
    """Show a code and admit the one device that comes with it.

    Args:
        household: must have the authority's key in its folder.
        ask: puts a question to the person.
        show: tells the person what happens.
        show_ticket: shows the code, as digits or as QR.
        listen: `host:port` to be dialled at; port 0 takes a free one.
        is_scouting: whether the device finds this one by itself.
        is_guest: whether it belongs to somebody who is not of the household.

    Returns:
        The device that was admitted and that has stored its certificate.

    Raises:
        UsageError: an address is not `host:port`, or the id is taken or revoked.
        SetupError: no device can be admitted here, or an address cannot be listened at.
        RefusedError: wrong codes, or a person said no.
        UnreachableError: nobody came, or not to the end.
    """
    issuer = _Issuer(household, is_guest)

    def on_fault(error: TrivetError) -> None:
        if host.deadline is not None:  # what ends the session is raised
            show(str(error))

    code = make_code()
    host = Host(code, issuer.card, issuer.read, monotonic(), on_fault=on_fault)
    async with open_host_lobby(host, listen=listen, is_scouting=is_scouting) as lobby:
        dialled, mark = _dialled(lobby.listen), issuer.card.authority
        show_ticket(Ticket(dialled, code, host.session, mark))
        newcomer = await lobby.newcomer()
        if not await _answer(lobby, ask, issuer.question):
            lobby.decline()
            raise RefusedError(f"{newcomer.device} was not admitted")
        lobby.accept(issuer.issue)
        await lobby.finish()
        return newcomer


class _Issuer:
    """What a host needs of its household, for one pairing."""

    def __init__(self, household: Household, is_guest: bool) -> None:
        self._household, self._is_guest = household, is_guest
        self._ca = certificate.to_pem(authority(household).cert)
        self.card = Card(household.name, _fingerprint_of(self._ca), _machine())
        self.question = ""

    def read(self, data: bytes) -> Newcomer:
        """Who a request is for; its question is then the one to ask."""
        request = read_request(data)
        if request.household != self._household.name:
            raise WireError(f"a request to join {request.household}")
        self.question = _newcomer_text(request, self._is_guest)
        return Newcomer(request.device, request.kind, request.fingerprint)

    def issue(self, data: bytes) -> Grant:
        """Admit whom a request is for."""
        pem = admit(self._household, read_request(data), is_guest=self._is_guest)
        known = Membership(self._ca, load_charter(self._household.folder))
        return Grant(pem, msgspec.msgpack.encode(known))


async def join_household(
    text: str,
    folder: Path,
    device: str,
    kind: DeviceKind,
    *,
    ask: Ask,
    show: Show,
    hosts: Sequence[str] = (),
    connect: Sequence[str] = (),
    is_scouting: bool = True,
) -> Identity:
    """Join the household whose code or ticket a person has.

    Args:
        text: the code or the ticket.
        folder: the household's folder on this machine: new, empty, or of the same
            household.
        device: the id that this device is to have.
        kind: what it is.
        ask: puts a question to the person.
        show: tells the person what happens.
        hosts: names and addresses at which others dial this device.
        connect: `host:port` to dial, besides those on the ticket.
        is_scouting: whether to look for the host on this network as well.

    Raises:
        UsageError: no code, ticket, id or address; or the folder holds something else.
        SetupError: the folder cannot be written.
        UnreachableError: no host was found, or it did not answer.
        RefusedError: the code is wrong, or a person said no.
        WireError: somebody interferes.
    """
    code, ticket = _understand(text)
    authority_seen, session = (ticket.authority, ticket.host) if ticket else ("", "")
    addresses = (*connect, *(ticket.addresses if ticket else ()))
    applicant = _Applicant(folder, check_id(device), kind, hosts, ask, show)
    joiner = Joiner(code, applicant.newcomer, authority=authority_seen)
    await join(
        joiner,
        accept=applicant.accept,
        keep=applicant.keep,
        choose=applicant.choose,
        connect=tuple(dict.fromkeys(addresses)),
        is_scouting=is_scouting,
        session=session,
    )
    return applicant.done(is_known=joiner.state is JoinerState.DONE)


class _Applicant:
    """What a joiner needs of this machine and its person, for one pairing."""

    def __init__(
        self,
        folder: Path,
        device: str,
        kind: DeviceKind,
        hosts: Sequence[str],
        ask: Ask,
        show: Show,
    ) -> None:
        _check_free(folder, device)
        self._folder, self._hosts = folder, hosts
        self._ask, self._show = ask, show
        self._private = new_key()
        mark = fingerprint(self._private.public_key())
        self.newcomer = Newcomer(device, kind, mark)
        self.identity: Identity | None = None
        self._card: Card | None = None

    async def choose(self, sessions: Sequence[str]) -> str:
        """Which host the person sees."""
        for session in sessions:
            question = f"Does the other screen show the session {session}?"
            if await _asked(self._ask, question):
                return session
        raise UsageError("no host was chosen", hint="give the right one's --connect")

    async def accept(self, card: Card) -> bytes | None:
        """The request, if the person wants to belong to that household."""
        who = self.newcomer
        _check_free(self._folder, who.device, card.household)
        request = make_request(
            self._private, card.household, who.device, who.kind, self._hosts
        )
        if not await _asked(self._ask, _household_text(card, who)):
            return None
        self._show("Waiting for the other side to admit this device")
        self._card = card
        return request

    async def keep(self, grant: Grant) -> None:
        """Store what was granted, once it is seen to be of the household accepted."""
        try:
            known = msgspec.msgpack.decode(grant.household, type=Membership)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise WireError(f"malformed membership: {error}") from None
        if self._card is None or _fingerprint_of(known.ca) != self._card.authority:
            raise WireError("the authority is not the one that the host showed first")
        self.identity = keep(
            self._folder,
            device=self.newcomer.device,
            private=self._private,
            cert_pem=grant.certificate,
            ca_pem=known.ca,
            charter=known.charter,
        )

    def done(self, *, is_known: bool) -> Identity:
        """This device as a member, with a word if the host may not know."""
        if not is_known:
            self._show("This device is a member, but the other side may not know it")
        assert self.identity is not None
        return self.identity


def spaced(digits: str) -> str:
    """A fingerprint for a person to compare: in groups of eight."""
    return " ".join(digits[i : i + 8] for i in range(0, len(digits), 8))


def _understand(text: str) -> tuple[Code, Ticket | None]:
    if is_ticket(text):
        ticket = read_ticket(text)
        return ticket.code, ticket
    return read_code(text), None


def _check_free(folder: Path, device: str, household: str = "") -> None:
    """Refuse early what could not be kept later, when the id is given away already."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not (folder / "household.json").exists():
        raise UsageError(
            f"{folder} holds something already", hint="choose a folder that is empty"
        )
    there = load_household(folder).name
    if household not in ("", there):
        raise UsageError(
            f"{folder} holds another household, {there}, than {household}",
            hint="choose a folder that is empty",
        )
    if (folder / "devices" / device).exists():
        raise UsageError(
            f"{device} has an identity already in {folder}",
            hint="renew it, or choose another id",
        )


def _fingerprint_of(pem: bytes) -> str:
    """The fingerprint of an authority's key."""
    try:
        public = certificate.from_pem(pem).public_key()
    except ValueError as error:
        raise WireError(f"malformed authority: {error}") from None
    if not isinstance(public, ec.EllipticCurvePublicKey):
        raise WireError("the authority's key is not of an elliptic curve")
    return fingerprint(public)


def _newcomer_text(request: Request, is_guest: bool) -> str:
    role = "a guest's " if is_guest else "a "
    at = f"\n  dialled at  {', '.join(request.hosts)}" if request.hosts else ""
    return (
        f"{request.device} asks to join {request.household} as {role}"
        f"{request.kind.value}.\n"
        f"  key         {spaced(request.fingerprint)}{at}\n"
        "Admit it?"
    )


def _household_text(card: Card, newcomer: Newcomer) -> str:
    return (
        f"{card.host} invites this device to the household {card.household}.\n"
        f"  authority   {spaced(card.authority)}\n"
        f"  your key    {spaced(newcomer.fingerprint)}\n"
        f"Join it as {newcomer.device}, a {newcomer.kind.value}?"
    )


async def _asked(ask: Ask, question: str) -> bool:
    answers: list[bool] = []
    await in_thread(lambda: answers.append(ask(question)))
    return answers[0]


async def _answer(lobby: HostLobby, ask: Ask, question: str) -> bool:
    """The person's answer, or the session's end if that comes first."""
    asking = asyncio.ensure_future(_asked(ask, question))
    ending = asyncio.ensure_future(lobby.ended())
    try:
        await asyncio.wait({asking, ending}, return_when=asyncio.FIRST_COMPLETED)
        if lobby.host.fault is not None:
            raise lobby.host.fault
        return await asking
    finally:
        for task in (asking, ending):
            if not task.done():
                await cancel(task)


def _machine() -> str:
    """This machine's name, as an id."""
    name = re.sub(r"[^a-z0-9-]+", "-", socket.gethostname().split(".")[0].lower())
    return name.strip("-")[:63] or "host"


def _dialled(listen: Sequence[str]) -> tuple[str, ...]:
    """The addresses under which others can dial what is listened at."""
    found: dict[str, None] = {}
    for address in listen:
        host, _, port = address.rpartition(":")
        wildcard = _ANY.get(host)
        for name in [host] if wildcard is None else _own_addresses(wildcard):
            found[f"{name}:{port}"] = None
    return tuple(found)


def _own_addresses(families: Sequence[socket.AddressFamily]) -> list[str]:
    """This machine's addresses on the networks that it would answer through."""
    found = []
    for family in families:
        # connecting a datagram socket sends nothing: it only looks up the route
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((_SOMEWHERE[family], 9))
            own = probe.getsockname()[0]
            found.append(f"[{own}]" if family == socket.AF_INET6 else own)
    return found or _link_addresses() or ["127.0.0.1"]


def _link_addresses() -> list[str]:
    """This machine's IPv4 addresses where nothing is routed, as between two alone."""
    found: dict[str, None] = {}
    for index, _ in socket.if_nameindex():
        with suppress(OSError), socket.socket(type=socket.SOCK_DGRAM) as probe:
            # looks up the address from which a multicast would leave by this interface
            which = struct.pack("=4s4si", b"", b"", index)
            probe.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, which)
            probe.connect((_NEIGHBOURS, 9))
            found[probe.getsockname()[0]] = None
    return list(found)

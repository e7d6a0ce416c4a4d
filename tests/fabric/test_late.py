"""The link of a late renewal serves the household's late devices and no stranger."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from trivet.domain import (
    DeviceKind,
    RefusedError,
    RevokedError,
    SetupError,
    UnreachableError,
    UsageError,
)
from trivet.fabric import late_frame, late_server
from trivet.fabric import turnstile as turnstile_module
from trivet.fabric.background import cancel
from trivet.fabric.certificate import DEVICE_DAYS
from trivet.fabric.charter import own_charter
from trivet.fabric.household import Household, authority, create_household
from trivet.fabric.identity import Identity, issue, load_identity
from trivet.fabric.late import ask_word, late_address, renew_late
from trivet.fabric.late_frame import FOLLOW, HELLO
from trivet.fabric.late_server import LateServer
from trivet.fabric.renewal import LATE, LateDesk, prove
from trivet.fabric.renewer import Renewer
from trivet.fabric.request import new_key
from trivet.fabric.revocation import revoke
from trivet.fabric.turnstile import BURST, MAX_OPEN_EACH, Turnstile

#: TLS reads the machine's own clock, so the ended certificates really have ended.
NOW = datetime.now(UTC)
LIFE = timedelta(days=DEVICE_DAYS)
#: Stands for a founder's word that takes several frames.
WORD = bytes(range(256)) * 200


def free_port() -> int:
    """A port with a free one after it."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as one:
            port: int = one.getsockname()[1]
            try:
                with socket.create_server(("127.0.0.1", port + 1)):
                    return port
            except (OSError, OverflowError):
                continue


class House:
    """An issuer, and a car whose certificate has ended."""

    def __init__(self, folder: Path, ended: timedelta = timedelta(days=30)) -> None:
        self.household: Household = create_household(folder, "ours", now=NOW - 2 * LATE)
        self.home = issue(self.household, "home", DeviceKind.HOME)
        issue(self.household, "car", DeviceKind.CAR, now=NOW - ended - LIFE)
        self.renewer = Renewer(self.household, "car")
        self.address = f"127.0.0.1:{free_port()}"
        self.clock: Callable[[], datetime] = lambda: NOW
        self.desk = LateDesk()
        self.server: LateServer | None = None
        self.proofs: list[bytes] = []

    @property
    def ended(self) -> bytes:
        return (self.household.folder / "devices/car/cert.pem").read_bytes()

    async def answer(self, proof: bytes) -> bytes:
        self.proofs.append(proof)
        agreed = own_charter(self.household.folder)
        issuer = authority(self.household)
        return self.desk.answer(issuer, agreed, proof, now=self.clock())

    @asynccontextmanager
    async def serving(self, identity: Identity | None = None) -> AsyncIterator[None]:
        server = self.server = LateServer(
            identity or self.home,
            lambda: self.desk.challenge(self.clock()),
            self.answer,
            lambda device: WORD if device == "car" else b"",
        )
        task = asyncio.ensure_future(server.run(late_address(self.address)))
        await asyncio.sleep(0.05)
        try:
            yield
            assert not task.done(), task
        finally:
            await cancel(task)

    async def renew(self) -> Identity:
        ca = self.household.ca_path
        return await renew_late(self.renewer, ca, [self.address], self.clock)

    async def dial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """As a stranger, who checks nothing."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        host, _, port = late_address(self.address).rpartition(":")
        return await asyncio.open_connection(host, int(port), ssl=context)

    async def say(self, *frames: bytes) -> list[bytes]:
        """Send these frames; what came back until it hung up."""
        reader, writer = await self.dial()
        try:
            for frame in frames:
                writer.write(len(frame).to_bytes(2, "big") + frame)
            async with asyncio.timeout(5.0):
                data, said = await reader.read(), []
            while data:
                size = int.from_bytes(data[:2], "big")
                said.append(data[2 : 2 + size])
                data = data[2 + size :]
            return said
        except ConnectionError:
            return []
        finally:
            writer.transport.abort()


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "ours")


async def test_a_device_whose_certificate_has_ended_gets_a_new_one(
    house: House,
) -> None:
    assert house.renewer.is_late(NOW)
    async with house.serving():
        identity = await house.renew()
    assert identity.expires > NOW + LIFE / 2
    assert not house.renewer.is_late(NOW)
    assert load_identity(house.household, "car", now=NOW) == identity


async def test_a_renewed_server_shows_its_new_certificate(house: House) -> None:
    ended = issue(house.household, "old", DeviceKind.HOME, now=NOW - 2 * LIFE)
    async with house.serving(ended):
        with pytest.raises(RefusedError, match="expired"):
            await house.renew()
        assert house.server is not None
        house.server.show(house.home)
        await house.renew()


async def test_nobody_there_is_told_as_that_and_the_old_certificate_stays(
    house: House,
) -> None:
    before = house.ended
    with pytest.raises(UnreachableError, match="nobody answers") as caught:
        await house.renew()
    assert "--connect" in caught.value.hint
    with pytest.raises(UnreachableError, match="no address"):
        await renew_late(house.renewer, house.household.ca_path, [], house.clock)
    assert house.ended == before


async def test_it_goes_on_to_the_next_address(house: House) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    async with house.serving():
        ca, dialled = house.household.ca_path, [nobody, house.address]
        await renew_late(house.renewer, ca, dialled, house.clock)


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("home.local:7447", "home.local:7448"),
        ("tls/[::1]:7447", "[::1]:7448"),
        ("127.0.0.1:65534", "127.0.0.1:65535"),
    ],
)
def test_the_port_after_it(address: str, found: str) -> None:
    assert late_address(address) == found


@pytest.mark.parametrize("bad", ["home", "home:0", "home:65535", ":1", "tcp/a:1", ""])
def test_an_address_without_a_port_after_it(bad: str) -> None:
    with pytest.raises(UsageError):
        late_address(bad)


async def test_the_founders_word_is_told_to_whoever_asks_for_it(house: House) -> None:
    async with house.serving():
        assert await ask_word("car", [house.address]) == WORD
        assert await ask_word("phone", [house.address]) == b""
    assert await ask_word("car", [house.address]) == b""


# --- strangers ------------------------------------------------------------------------


def test_attack_one_address_takes_the_turns_of_others() -> None:
    turnstile = Turnstile(0.0)
    entered = 0
    for _ in range(10_000):
        if turnstile.enter("192.0.2.1", 0.0):
            entered += 1
            turnstile.leave("192.0.2.1")
    assert entered == BURST
    assert turnstile.enter("192.0.2.2", 0.0)


def test_attack_many_addresses_ask_for_more_than_all_may() -> None:
    turnstile = Turnstile(0.0)
    entered = sum(turnstile.enter(f"2001:db8::{n:x}", 0.0) for n in range(10_000))
    assert entered == turnstile_module.BURST_ALL
    assert len(turnstile._each) == turnstile_module.MAX_ADDRESSES
    for number in range(10_000):
        if turnstile._inside[f"2001:db8::{number:x}"]:
            turnstile.leave(f"2001:db8::{number:x}")
    assert not turnstile._inside
    assert turnstile.enter("192.0.2.1", 1.0)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.booleans(), st.floats(0.0, 5.0)),
        max_size=60,
    )
)
def test_nobody_is_inside_more_often_than_allowed(
    moves: list[tuple[str, bool, float]],
) -> None:
    turnstile, inside, now = Turnstile(0.0), {"a": 0, "b": 0, "c": 0}, 0.0
    for address, comes, waited in moves:
        now += waited
        if comes:
            inside[address] += turnstile.enter(address, now)
        elif inside[address]:
            inside[address] -= 1
            turnstile.leave(address)
        assert max(inside.values()) <= MAX_OPEN_EACH
        assert dict(turnstile._inside) == {a: n for a, n in inside.items() if n}


async def test_attack_a_stranger_asks_for_challenges_without_end(house: House) -> None:
    async with house.serving():
        answered = 0
        for _ in range(4 * BURST):
            try:
                reader, writer = await house.dial()
            except OSError:
                continue
            writer.write(len(HELLO).to_bytes(2, "big") + HELLO)
            try:
                await reader.readexactly(2)
            except (EOFError, OSError):
                continue
            finally:
                writer.transport.abort()
            answered += 1
        assert 1 <= answered <= BURST + 1
        assert house.desk._answered == {}


async def test_attack_hold_every_connection_and_say_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(late_frame, "IDLE_S", 0.3)
    monkeypatch.setattr(late_server, "IDLE_S", 0.3)
    monkeypatch.setattr(turnstile_module, "MAX_OPEN_EACH", 100)
    monkeypatch.setattr(turnstile_module, "BURST", 100)
    async with house.serving():
        host, _, port = late_address(house.address).rpartition(":")
        held = [
            (await asyncio.open_connection(host, int(port)))[1]
            for _ in range(2 * turnstile_module.MAX_OPEN)
        ]
        await house.renew()
        for writer in held:
            writer.transport.abort()


@pytest.mark.parametrize(
    "said",
    [
        b"\x00\x00",
        b"\x00\x15trivet late renewal 2",
        b"\xff\xff" + bytes(70_000),
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x00\x15" + HELLO + b"\x40\x01" + bytes(17_000),
        b"\x00\x15" + HELLO + b"\x00\x00",
        b"\x00\x15" + HELLO + b"\x01\x00" + bytes(256),
        b"\x00\x14" + FOLLOW,
        b"\x00\x19" + FOLLOW + b"../ca",
        b"\x00\x16" + FOLLOW + b"\xff\xfe",
        b"\x00\xff" + FOLLOW + b"a" * 235,
    ],
    ids=range(11),
)
async def test_attack_hostile_bytes_get_no_word(house: House, said: bytes) -> None:
    async with house.serving():
        reader, writer = await house.dial()
        writer.write(said)
        data = b""
        try:
            async with asyncio.timeout(5.0):
                data = await reader.read()
        except ConnectionError:
            pass
        writer.transport.abort()
        asks = said.startswith(b"\x00\x15" + HELLO)
        assert len(data) in ({0, 2 + 56} if asks else {0})
        await house.renew()


async def test_attack_replay_of_an_answer(house: House) -> None:
    async with house.serving():
        await house.renew()
        before = house.ended
        (proof,) = house.proofs
        said = await house.say(HELLO, proof)
        assert len(said) == 1  # a challenge, and no certificate
        assert len(house.proofs) == 2
    assert house.ended == before


async def test_attack_prove_with_another_key(house: House) -> None:
    thief = new_key()
    async with house.serving():
        reader, writer = await house.dial()
        writer.write(len(HELLO).to_bytes(2, "big") + HELLO)
        challenge = (await reader.readexactly(58))[2:]
        proof = prove(thief, "ours", house.renewer.request(), house.ended, challenge)
        writer.write(len(proof).to_bytes(2, "big") + proof)
        assert await reader.read() == b""
        writer.transport.abort()


async def test_attack_a_revoked_device_comes_late(house: House) -> None:
    revoke(house.household, "car", reason="stolen")
    before = house.ended
    async with house.serving():
        with pytest.raises(RevokedError, match="was revoked by an issuer of ours"):
            await house.renew()
    assert house.ended == before


async def test_attack_come_more_than_ninety_days_late(tmp_path: Path) -> None:
    house = House(tmp_path / "ours", LATE + timedelta(days=1))
    async with house.serving():
        with pytest.raises(RefusedError, match="gave no certificate") as caught:
            await house.renew()
    assert "90 days" in caught.value.hint


async def test_attack_a_man_in_the_middle_of_another_household(
    house: House, tmp_path: Path
) -> None:
    other = create_household(tmp_path / "other", "ours")
    foreign = issue(other, "home", DeviceKind.HOME)
    before = house.ended
    async with house.serving(foreign):
        with pytest.raises(RefusedError, match="not of this household"):
            await house.renew()
    assert house.proofs == []
    assert house.ended == before


async def test_attack_a_member_serves_a_certificate_of_its_own(
    house: House, tmp_path: Path
) -> None:
    """A guest of the household listens there: it is trusted to answer, no more."""
    guest = issue(house.household, "guest", DeviceKind.PHONE)
    before = house.ended
    for made_up in (guest.cert_path.read_bytes(), before, b"", bytes(16_000)):

        async def answer(proof: bytes, made_up: bytes = made_up) -> bytes:
            return made_up

        house.answer = answer  # type: ignore[method-assign]
        async with house.serving(guest):
            with pytest.raises(RefusedError):
                await house.renew()
        assert house.ended == before


async def test_attack_a_member_answers_for_a_host_that_it_is_not(
    house: House,
) -> None:
    house.address = house.address.replace("127.0.0.1", "127.0.0.2")
    async with house.serving():
        with pytest.raises(RefusedError, match="not the host"):
            await house.renew()


async def test_a_port_that_is_taken_is_told(house: House) -> None:
    host, _, port = late_address(house.address).rpartition(":")
    with socket.create_server((host, int(port))):
        server = LateServer(house.home, lambda: b"", house.answer)
        with pytest.raises(SetupError, match="cannot be listened at"):
            await server.run(late_address(house.address))


def test_a_key_in_memory_serves_where_the_disk_has_it_locked(house: House) -> None:
    key_path = house.home.key_path
    key_path.rename(key_path.with_name("gone"))
    LateServer(house.home, lambda: b"", house.answer).show(house.home)
    broken = replace(house.home, cert_path=key_path)
    with pytest.raises(SetupError, match="cannot be used"):
        LateServer(broken, lambda: b"", house.answer)

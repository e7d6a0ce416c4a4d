"""What goes through a third device: whole, for its recipient alone, and once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from trivet.domain import Position, RefusedError, Sample
from trivet.domain.wire import Document, Message
from trivet.fabric import Link, MemoryFabric, OpenGate
from trivet.fabric.envelope import Opener, Sealer
from trivet.fabric.gate import Gate
from trivet.fabric.letter import Received
from trivet.fabric.relay import RELAY, RELAYED, Relay
from trivet.fabric.request import new_key

NOW = 1_800_000_000.0
HERE = Sample("phone", "location", NOW, Position(52.6, 8.0))


class Clock:
    def __init__(self) -> None:
        self.time = NOW

    def __call__(self) -> float:
        return self.time


class Shut(OpenGate):
    def sends(self, recipient: str, path: str, message: Message) -> Message | None:
        if isinstance(message, Sample):
            raise RefusedError("no lease")
        return message


class Side(msgspec.Struct):
    link: Link
    relay: Relay
    clock: Clock


class Three:
    """Phone and car see the home, and not each other."""

    def __init__(self) -> None:
        self.fabric = MemoryFabric("ours")
        self.private = {device: new_key() for device in ("home", "phone", "car")}
        self.revoked: set[str] = set()

    def key_of(self, device: str) -> ec.EllipticCurvePublicKey | None:
        private = None if device in self.revoked else self.private.get(device)
        return None if private is None else private.public_key()

    @asynccontextmanager
    async def side(self, device: str, gate: Gate | None = None) -> AsyncIterator[Side]:
        clock, private = Clock(), self.private[device]
        through = OpenGate() if gate is None else gate
        async with self.fabric.open_session(device, gate=through) as link:
            sealer = Sealer(private, device, boot=1, household="ours")
            opener = Opener(device, key_of=self.key_of, household="ours")
            relay = Relay(link, through, sealer, opener, private, self.key_of, clock)
            yield Side(link, relay, clock)


@asynccontextmanager
async def apart(
    three: Three, gate: Gate | None = None
) -> AsyncIterator[tuple[Side, Side, Side]]:
    async with AsyncExitStack() as stack:
        home = await stack.enter_async_context(three.side("home"))
        phone = await stack.enter_async_context(three.side("phone", gate))
        car = await stack.enter_async_context(three.side("car"))
        for one, other in ((phone, "car"), (car, "phone")):
            one.link._tell(one.link._presence.token(other, False))
        yield home, phone, car


async def arrived(side: Side) -> Received:
    async with asyncio.timeout(2):
        return await anext(side.link.subscribe())


async def test_what_cannot_go_directly_goes_through_a_third_device() -> None:
    async with apart(Three()) as (_, phone, car):
        assert await phone.relay.send("car", HERE, "location")
        got = await arrived(car)
        assert (got.owner, got.path) == ("home", RELAYED)
        assert car.relay.hear(got) == Received("phone", "location", HERE)


async def test_what_came_directly_is_left_as_it_is() -> None:
    async with apart(Three()) as (_, _, car):
        got = Received("home", "forecast", HERE)
        assert car.relay.hear(got) is got


async def test_nobody_to_carry_it_is_no_error() -> None:
    three = Three()
    async with three.side("phone") as phone:
        assert not await phone.relay.send("car", HERE, "location")


async def test_the_gate_decides_on_the_long_way_too() -> None:
    async with apart(Three(), Shut()) as (_, phone, _):
        with pytest.raises(RefusedError, match="no lease"):
            await phone.relay.send("car", HERE, "location")


async def test_attack_the_third_device_reads_what_it_carries() -> None:
    async with apart(Three()) as (home, phone, car):
        assert await phone.relay.send("car", HERE, "location")
        got = await arrived(car)
        assert isinstance(got.message, Document)
        assert home.relay.hear(got) is None
        assert b"52.6" not in got.message.body
        assert b"lat" not in got.message.body


async def test_attack_the_third_device_sends_it_twice_or_late() -> None:
    async with apart(Three()) as (_, phone, car):
        await phone.relay.send("car", HERE, "location")
        got = await arrived(car)
        assert car.relay.hear(got) is not None
        assert car.relay.hear(got) is None
        await phone.relay.send("car", HERE, "location")
        later = await arrived(car)
        car.clock.time += 60
        assert car.relay.hear(later) is None


@pytest.mark.parametrize("place", [0, 40, -70, -1])
async def test_attack_the_third_device_alters_it(place: int) -> None:
    async with apart(Three()) as (_, phone, car):
        await phone.relay.send("car", HERE, "location")
        got = await arrived(car)
        assert isinstance(got.message, Document)
        body = bytearray(got.message.body)
        body[place] ^= 1
        altered = Received("home", RELAYED, Document("phone", bytes(body)))
        assert car.relay.hear(altered) is None


async def test_attack_the_third_device_makes_it_up() -> None:
    three = Three()
    async with apart(three) as (home, _, car):
        forged = Sealer(three.private["home"], "phone", boot=9, household="ours")
        body = forged.seal("car", "location", b"\x02", NOW)
        await home.link.publish("car", Document("phone", body), RELAYED)
        assert car.relay.hear(await arrived(car)) is None


async def test_attack_a_revoked_device_sends_through_another() -> None:
    three = Three()
    async with apart(three) as (_, phone, car):
        await phone.relay.send("car", HERE, "location")
        got = await arrived(car)
        three.revoked.add("phone")
        assert car.relay.hear(got) is None


async def test_who_is_out_of_reach_of_all_is_said_to_be_so() -> None:
    async with apart(Three()) as (home, phone, _):
        with pytest.raises(RefusedError, match="not in reach of home either"):
            await phone.link.ask("home", RELAY, Document("fridge", b"x"))
        assert home.link.unsent == 0


@pytest.mark.parametrize("message", [HERE, Document("phone", b""), Document("x", b"z")])
async def test_attack_hostile_bytes_on_the_relayed_path(message: Message) -> None:
    async with apart(Three()) as (_, _, car):
        assert car.relay.hear(Received("home", RELAYED, message)) is None

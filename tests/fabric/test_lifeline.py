"""Links that tell the truth, over loopback: peers are stopped, stuck, and slow."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from threading import Event
from typing import Any, Self

import msgspec
import pytest
from tests.fabric.contract import speed, take, until
from tests.fabric.peer import BULK
from tests.fabric.test_session import free_port

from trivet.domain import DeviceKind, UnreachableError
from trivet.fabric import (
    Household,
    Link,
    Liveness,
    Received,
    SessionConfig,
    create_household,
    issue,
    load_identity,
    open_session,
)
from trivet.fabric.acquaintance import is_dialled, is_listened_at
from trivet.fabric.cable import End
from trivet.fabric.session import ZenohLink

PEER = Path(__file__).with_name("peer.py")
#: Found within 2 s, on a machine that has much else to do.
FOUND_S = 6.0


@pytest.fixture(scope="module")
def household(tmp_path_factory: pytest.TempPathFactory) -> Household:
    made = create_household(tmp_path_factory.mktemp("h") / "ours", "ours")
    for device in ("home", "car", "phone"):
        issue(made, device, DeviceKind.OTHER)
    return made


class Street:
    """A home that listens, and devices that dial it."""

    def __init__(self, household: Household) -> None:
        self.household = household
        self.address = f"127.0.0.1:{free_port()}"
        self.processes: list[asyncio.subprocess.Process] = []

    def config(self, device: str) -> SessionConfig:
        identity = load_identity(self.household, device)
        if device == "home":
            return SessionConfig(identity, listen=(self.address,))
        return SessionConfig(identity, connect=(self.address,))

    async def start(self, device: str, what: str) -> Peer:
        """A peer in another process that has reached the home."""
        folder = str(self.household.folder)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(PEER), folder, device, self.address, what),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=PEER.parents[2],
        )
        self.processes.append(process)
        peer = Peer(process)
        assert await peer.line() == "there"
        return peer

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for process in self.processes:
            with suppress(ProcessLookupError):
                process.kill()
            await process.communicate()


class Peer:
    """A device in another process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def line(self) -> str:
        assert self.process.stdout is not None
        async with asyncio.timeout(30):
            return (await self.process.stdout.readline()).decode().strip()

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)


@asynccontextmanager
async def loading(link: Link, device: str) -> AsyncIterator[None]:
    """16 KB at 200/s to a device."""

    async def load() -> None:
        while True:
            await link.publish(device, BULK, "bulk")
            await asyncio.sleep(0.005)

    task = asyncio.ensure_future(load())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def see(watch: AsyncIterator[Liveness], life: Liveness, limit_s: float) -> float:
    """Wait until it comes to that. Returns after how many seconds it did."""
    began = time.monotonic()
    async with asyncio.timeout(limit_s):
        async for found in watch:
            if found == life:
                break
    return time.monotonic() - began


async def test_a_peer_that_freezes_under_load_is_cut_and_the_healthy_one_feels_nothing(
    household: Household,
) -> None:
    async with (
        Street(household) as street,
        open_session(street.config("home")) as home,
        open_session(street.config("phone")) as phone,
    ):
        car = await street.start("car", "idle")
        await home.reach("phone", 5)
        await phone.reach("home", 5)
        watch, seen = home.watch(), phone.watch()
        assert await anext(seen) == Liveness("home", True)
        gaps: list[float] = []
        numbers = asyncio.ensure_future(count_gaps(phone, 400, gaps))
        async with loading(home, "car"):
            car.freeze()
            for number in range(400):
                await home.publish("phone", speed(number), "Vehicle.Speed")
                await asyncio.sleep(0.01)
                if number == 50:
                    await see(watch, Liveness("car", False), FOUND_S)
        assert await numbers == list(range(400))
        assert max(gaps) < FOUND_S
        assert phone.lost == phone.dropped == 0
        assert home.alive == {"phone"}
        car.thaw()
        await see(watch, Liveness("car", True), 15)
        assert phone.alive == {"home"}
        unseen = asyncio.ensure_future(anext(seen))
        await asyncio.sleep(0)
        assert not unseen.done()  # to the phone the home was there all the time
        unseen.cancel()


async def count_gaps(link: Link, count: int, gaps: list[float]) -> list[float]:
    numbers: list[float] = []
    last = time.monotonic()
    source = link.subscribe()
    async with asyncio.timeout(30):
        while len(numbers) < count:
            message: Any = (await anext(source)).message
            gaps.append(time.monotonic() - last)
            last = time.monotonic()
            numbers.append(message.value)
    return numbers


async def test_what_is_asked_of_one_that_froze_ends_at_the_time_limit(
    household: Household,
) -> None:
    async with (
        Street(household) as street,
        open_session(street.config("home")) as home,
    ):
        car = await street.start("car", "idle")
        await home.reach("car", 5)
        car.freeze()
        for _ in range(1000):  # until nothing more goes into the cable
            home.publish_nowait("car", BULK, "bulk")
        asked = []
        for _ in range(3):
            began = time.monotonic()
            with pytest.raises(UnreachableError):
                await home.ask("car", "state", timeout_s=0.3)
            asked.append(time.monotonic() - began)
        assert max(asked) < 3.0
        car.thaw()
        answered = [await is_answered(home) for _ in range(20)]
        assert any(answered)


async def is_answered(home: Link) -> bool:
    try:
        await home.ask("car", "state", timeout_s=1.0)
    except UnreachableError:
        await asyncio.sleep(0.1)
        return False
    return True


async def test_what_a_slow_receiver_lost_is_counted_to_the_last_message(
    household: Household,
) -> None:
    came, is_slow = [0], Event()

    def receive(link: Link, received: Received) -> None:
        came[0] += 1
        if is_slow.is_set():
            time.sleep(0.02)

    async with Street(household) as street:
        is_slow.set()
        async with open_session(street.config("home"), on_message=receive) as home:
            car = await street.start("car", "flood")
            sent = int(await car.line())
            is_slow.clear()
            for _ in range(1000):  # a count may be dropped too, and is told again
                if came[0] + home.lost == sent:
                    break
                await asyncio.sleep(0.03)
            assert came[0] + home.lost == sent
            assert home.lost_from == {"car": home.lost}
            assert 0 < home.lost < sent
            await asyncio.sleep(1.2)  # two beats later it is still so
            assert came[0] + home.lost == sent


async def test_a_device_whose_loop_is_stuck_is_gone_until_it_turns(
    household: Household,
) -> None:
    async with (
        Street(household) as street,
        open_session(street.config("home")) as home,
    ):
        car = await street.start("car", "stuck")
        watch = home.watch()
        assert await anext(watch) == Liveness("car", True)
        await see(watch, Liveness("car", False), 15)
        assert await car.line() == "turned"
        await see(watch, Liveness("car", True), 10)


async def test_a_session_is_left_in_time_though_a_peer_is_frozen(
    household: Household,
) -> None:
    async with (
        Street(household) as street,
        open_session(street.config("home")) as home,
    ):
        car = await street.start("car", "idle")
        await home.reach("car", 5)
        async with loading(home, "car"):
            car.freeze()
            await asyncio.sleep(0.5)
        began = time.monotonic()
        await home.close()
        assert time.monotonic() - began < 5.0  # Zenoh alone takes ten


@pytest.mark.parametrize("what", ["leave", "slow"])
async def test_an_interpreter_ends_though_its_session_is_open_or_has_much_to_take(
    household: Household, what: str
) -> None:
    async with (
        Street(household) as street,
        open_session(street.config("home")) as home,
    ):
        car = await street.start("car", what)
        await home.reach("car", 5)
        flooding = asyncio.ensure_future(publish_for_ever(home))
        try:
            async with asyncio.timeout(10):
                _, said = await car.process.communicate()
        finally:
            flooding.cancel()
        assert car.process.returncode == 0, said.decode()
        assert b"FATAL" not in said


async def publish_for_ever(link: Link) -> None:
    while True:
        await link.publish("car", speed(1), "Vehicle.Speed")


async def test_a_link_that_cannot_be_cut_is_made_anew_with_the_others_once(
    household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trivet.fabric.heart.cut", lambda cables: 0)
    opened: list[str] = []
    relink = ZenohLink._relink

    async def count(link: ZenohLink) -> None:
        opened.append(link.device)
        await relink(link)

    monkeypatch.setattr(ZenohLink, "_relink", count)
    async with (
        Street(household) as street,
        open_session(street.config("phone")) as phone,
        open_session(street.config("home")) as home,
    ):
        car = await street.start("car", "idle")
        await home.reach("phone", 5)
        async with loading(home, "car"):
            car.freeze()
            await see(home.watch(), Liveness("car", False), FOUND_S)
            await asyncio.sleep(4)
        assert opened.count("home") == 1
        await phone.reach("home", 20)
        await home.reach("phone", 20)
        car.thaw()
        await see(home.watch(), Liveness("car", True), 15)
        await home.publish("phone", speed(1), "Vehicle.Speed")
        assert [got.message for got in await take(phone.subscribe(), 1)] == [speed(1)]


async def test_a_device_that_was_stopped_itself_does_not_accuse_the_others(
    household: Household, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        Street(household) as street,
        open_session(street.config("home")) as home,
    ):
        car = await street.start("car", "idle")
        await home.reach("car", 5)
        watch = home.watch()
        car.freeze()
        await see(watch, Liveness("car", False), FOUND_S)
        car.thaw()
        await see(watch, Liveness("car", True), 15)
        await asyncio.sleep(3)
        assert home.alive == {"car"}
        assert caplog.text.count("is silent") == 1
        car.process.terminate()
        _, said = await car.process.communicate()
        assert b"is silent" not in said


async def test_two_that_met_through_a_third_meet_again_after_their_link_broke(
    household: Household,
) -> None:
    street, second = Street(household), f"127.0.0.1:{free_port()}"
    listening = msgspec.structs.replace(street.config("car"), listen=(second,))
    async with (
        open_session(street.config("home")) as home,
        open_session(listening) as car,
        open_session(street.config("phone")) as phone,
    ):
        await phone.reach("car", 10)
        await phone.reach("home", 10)
        assert isinstance(phone, ZenohLink)
        watch = phone.watch()
        heart = phone._heart
        await until(lambda: heart.cut(["car"]) == 1)  # once it knows the cable
        await see(watch, Liveness("car", False), 5)
        await see(watch, Liveness("car", True), 15)
        await until(lambda: phone.alive == {"home", "car"} and len(home.alive) == 2)
        await phone.publish("car", speed(1), "Vehicle.Speed")
        assert [got.message for got in await take(car.subscribe(), 1)] == [speed(1)]


def test_whom_the_configuration_dials_is_no_acquaintance(household: Household) -> None:
    identity = load_identity(household, "home")
    config = SessionConfig(
        identity, listen=("0.0.0.0:7447",), connect=("10.0.0.7:7448", "car.local:7449")
    )
    assert is_listened_at(config, End("192.168.1.2", 7447))
    assert not is_listened_at(config, End("192.168.1.2", 7448))
    assert is_dialled(config, End("10.0.0.7", 7448))
    assert is_dialled(config, End("10.9.9.9", 7449))
    assert not is_dialled(config, End("10.0.0.8", 7448))

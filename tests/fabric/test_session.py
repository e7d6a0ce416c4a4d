"""The contract over real sessions on loopback, and what only a network can do."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path

import msgspec
import pytest
import zenoh
from tests.fabric.contract import LinkContract, Stage, speed, take, until

from trivet.domain import (
    Device,
    DeviceKind,
    RefusedError,
    Sample,
    SetupError,
    Signal,
    UnreachableError,
    UsageError,
    WireError,
)
from trivet.domain.wire import encode
from trivet.fabric import (
    Gate,
    Handler,
    Household,
    Link,
    Listener,
    Liveness,
    SessionConfig,
    create_household,
    issue,
    load_identity,
    open_session,
)
from trivet.fabric.config import settings_of

DEVICES = ("home", "car", "phone", "thief")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def household(tmp_path_factory: pytest.TempPathFactory) -> Household:
    made = create_household(tmp_path_factory.mktemp("h") / "ours", "ours")
    for device in DEVICES:
        issue(made, device, DeviceKind.OTHER)
    return made


class ZenohStage(Stage):
    """The first device listens and the others dial it."""

    def __init__(self, household: Household, members: tuple[str, ...] = ()) -> None:
        self.household = household
        self.members = members
        self.address = f"127.0.0.1:{free_port()}"
        self.is_listened_at = False
        self.sessions: dict[str, zenoh.Session] = {}

    def config(self, device: str) -> SessionConfig:
        listens = not self.is_listened_at
        self.is_listened_at = True
        return SessionConfig(
            load_identity(self.household, device),
            listen=(self.address,) if listens else (),
            connect=() if listens else (self.address,),
            members=self.members,
        )

    def open(
        self,
        device: str,
        *,
        gate: Gate | None = None,
        answers: Mapping[str, Handler] | None = None,
        on_message: Listener | None = None,
        capacity: int = 4096,
    ) -> AbstractAsyncContextManager[Link]:
        config = self.config(device)
        settings = {name: getattr(config, name) for name in config.__struct_fields__}
        return open_session(
            SessionConfig(**{**settings, "capacity": capacity}),
            gate=gate,
            answers=answers,
            on_message=on_message,
        )

    async def hostile(self, device: str = "phone") -> zenoh.Session:
        """A session without our code, with a certificate of the household."""
        if device not in self.sessions:
            settings = settings_of(self.config(device))
            settings.pop("access_control", None)
            config = zenoh.Config.from_json5(json.dumps(settings))
            self.sessions[device] = await asyncio.to_thread(zenoh.open, config)
        return self.sessions[device]

    async def inject(self, recipient: Link, text: str, data: bytes) -> None:
        publisher = (await self.hostile()).declare_publisher(text)
        # the stub says bool; it is an object with a bool in it
        await until(lambda: publisher.matching_status.matching)  # type: ignore[attr-defined]
        publisher.put(data)

    async def close(self) -> None:
        for session in self.sessions.values():
            await asyncio.to_thread(session.close)


class TestZenohLink(LinkContract):
    @pytest.fixture
    async def stage(self, household: Household) -> AsyncIterator[Stage]:
        stage = ZenohStage(household)
        yield stage
        await stage.close()


class TestZenohLinkWithMembers(LinkContract):
    """The same laws hold where each device is held to its certificate's name."""

    @pytest.fixture
    async def stage(self, household: Household) -> AsyncIterator[Stage]:
        stage = ZenohStage(household, members=("home", "car", "phone"))
        yield stage
        await stage.close()


CHILD = """
import asyncio, sys
from pathlib import Path
from trivet.fabric import SessionConfig, load_household, load_identity, open_session

async def main(folder, address):
    identity = load_identity(load_household(Path(folder)), "car")
    async with open_session(SessionConfig(identity, connect=(address,))) as link:
        await link.reach("home", 10)
        await asyncio.sleep(60)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture
async def child(
    household: Household,
) -> AsyncIterator[tuple[Link, asyncio.subprocess.Process]]:
    """The home's link, and a car in another process that has reached it."""
    stage = ZenohStage(household)
    async with stage.open("home") as home:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", CHILD, str(household.folder), stage.address
        )
        try:
            await home.reach("car", 15)
            yield home, process
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def test_a_device_that_is_killed_is_seen_gone(
    child: tuple[Link, asyncio.subprocess.Process],
) -> None:
    home, process = child
    watch = home.watch()
    assert await anext(watch) == Liveness("car", True)
    process.send_signal(signal.SIGKILL)
    async with asyncio.timeout(10):
        assert await anext(watch) == Liveness("car", False)
    with pytest.raises(UnreachableError):
        await home.ask("car", "state", timeout_s=1)


async def test_a_device_that_freezes_under_load_is_seen_gone_and_back(
    child: tuple[Link, asyncio.subprocess.Process],
) -> None:
    home, process = child
    watch = home.watch()
    assert await anext(watch) == Liveness("car", True)
    bulk = Device("home", DeviceKind.HOME, signals=(Signal("a" * 200),) * 80)

    async def load() -> None:
        while True:
            await home.publish("car", bulk, "bulk")
            await asyncio.sleep(0.005)

    loading = asyncio.ensure_future(load())
    process.send_signal(signal.SIGSTOP)
    try:
        async with asyncio.timeout(15):
            assert await anext(watch) == Liveness("car", False)
    finally:
        loading.cancel()
        process.send_signal(signal.SIGCONT)
    async with asyncio.timeout(15):
        assert await anext(watch) == Liveness("car", True)


@pytest.mark.parametrize("listener_is_foreign", [False, True])
async def test_a_certificate_of_another_household_is_refused(
    household: Household, tmp_path: Path, listener_is_foreign: bool
) -> None:
    foreign = create_household(tmp_path / "foreign", "ours")
    for device in ("home", "car"):
        issue(foreign, device, DeviceKind.OTHER)
    stage = ZenohStage(foreign if listener_is_foreign else household)
    async with stage.open("home") as home:
        stage.household = household if listener_is_foreign else foreign
        async with stage.open("car") as car:
            with pytest.raises(RefusedError, match="certificate"):
                await car.reach("home", 10.0)
            assert home.alive == frozenset()


async def test_a_taken_port_is_said_to_be_so(household: Household) -> None:
    stage = ZenohStage(household)
    async with stage.open("home"):
        stage.is_listened_at = False
        with pytest.raises(SetupError, match="port"):
            async with stage.open("car"):
                pass


async def test_a_device_dials_until_the_other_is_there(household: Household) -> None:
    stage = ZenohStage(household)
    listening = stage.config("home")
    async with stage.open("car") as car:
        await asyncio.sleep(0.2)
        async with open_session(listening):
            await car.reach("home", 5)


async def test_three_devices_meet_through_one_and_outlive_it(
    household: Household,
) -> None:
    first, second = (f"127.0.0.1:{free_port()}" for _ in range(2))
    hub = SessionConfig(load_identity(household, "home"), listen=(first,))
    car = SessionConfig(
        load_identity(household, "car"), listen=(second,), connect=(first,)
    )
    phone = SessionConfig(load_identity(household, "phone"), connect=(first,))
    async with open_session(car) as car_link, open_session(phone) as phone_link:
        async with open_session(hub):
            await phone_link.reach("home", 5)
            await phone_link.reach("car", 5)
        await phone_link.publish("car", speed(1), "Vehicle.Speed")
        got = await take(car_link.subscribe(), 1)
        assert got[0].owner == "phone"


async def test_a_member_cannot_speak_as_another_nor_read_anothers(
    household: Household,
) -> None:
    stage = ZenohStage(household, members=("home", "car", "phone"))
    heard: list[str] = []
    try:
        async with stage.open("home") as home, stage.open("car") as car:
            await home.reach("car", 5)
            spy = await stage.hostile("phone")
            ears = spy.declare_subscriber("**", lambda s: heard.append(str(s.key_expr)))
            house = f"trivet/{home.household}"
            spy.put(f"{house}/to/home/from/car/x", encode(speed(1)))
            await stage.inject(home, f"{house}/to/home/from/phone/x", encode(speed(2)))
            got = await take(home.subscribe(), 1)
            assert (got[0].owner, got[0].message) == ("phone", speed(2))
            await home.publish("car", speed(3), "x")
            assert (await take(car.subscribe(), 1))[0].message == speed(3)
            ears.undeclare()  # type: ignore[no-untyped-call]
    finally:
        await stage.close()
    # a session hears its own puts; what others gave to the car it must not
    assert not [text for text in heard if "/to/car/" in text]


async def test_attack_no_member_beats_in_anothers_name_nor_reads_anothers_beats(
    household: Household,
) -> None:
    stage = ZenohStage(household, members=("home", "car", "phone"))
    heard: list[str] = []
    try:
        async with stage.open("home") as home, stage.open("car") as car:
            await home.reach("car", 5)
            await car.reach("home", 5)
            spy = await stage.hostile("phone")
            house = f"trivet/{home.household}"
            ears = spy.declare_subscriber(
                f"{house}/beat/**", lambda s: heard.append(str(s.key_expr))
            )
            own = spy.declare_subscriber(
                f"{house}/beat/*/to/phone", lambda s: heard.append("own")
            )
            token = spy.liveliness().declare_token(f"{house}/alive/phone")
            await home.reach("phone", 5)
            for recipient in ("home", "car"):
                spy.put(f"{house}/beat/car/to/{recipient}", b"no beat at all")
                spy.put(f"{house}/beat/home/to/{recipient}", b"no beat at all")
            await stage.inject(home, f"{house}/beat/phone/to/home", b"no beat at all")
            await until(lambda: home.malformed == 1 and "own" in heard)
            await asyncio.sleep(0.6)  # each has beaten since
            assert (home.malformed, car.malformed) == (1, 0)
            for end in (ears, own, token):
                end.undeclare()  # type: ignore[no-untyped-call]
    finally:
        await stage.close()
    # a session hears its own puts; of the others' beats it hears those for it alone
    strange = [text for text in heard if "/beat/home/to/car" in text]
    assert len(strange) <= 1
    assert not [text for text in heard if "/beat/car/to/home" in text][1:]


async def test_who_is_no_member_is_not_heard(household: Household) -> None:
    stage = ZenohStage(household, members=("home", "car"))
    try:
        async with stage.open("home") as home:
            stage.members = ("home", "thief")
            async with stage.open("thief") as thief:
                with pytest.raises(UnreachableError, match="count this device"):
                    await thief.reach("home", 2.5)
                assert home.alive == frozenset()
    finally:
        await stage.close()


async def test_an_answer_that_is_no_message_is_a_wire_error(
    household: Household,
) -> None:
    stage = ZenohStage(household)
    try:
        async with stage.open("home") as home:
            peer = await stage.hostile("phone")
            house = f"trivet/{home.household}"
            token = peer.liveliness().declare_token(f"{house}/alive/phone")
            served = peer.declare_queryable(
                f"{house}/ask/phone/from/**",
                lambda query: query.reply(query.key_expr, b"\x01\xc1"),
            )
            await home.reach("phone", 5)
            with pytest.raises(WireError, match="odd"):
                await home.ask("phone", "odd", timeout_s=2)
            assert home.malformed == 1
            served.undeclare()  # type: ignore[no-untyped-call]
            token.undeclare()  # type: ignore[no-untyped-call]
    finally:
        await stage.close()


@pytest.mark.parametrize(
    "endpoint", ["tcp/127.0.0.1:7447", "quic/a:1", "home", "home:99999", "a:1#x=y", ""]
)
async def test_no_link_is_anything_but_tls(household: Household, endpoint: str) -> None:
    identity = load_identity(household, "car")
    for config in (
        SessionConfig(identity, listen=(endpoint,)),
        SessionConfig(identity, connect=(endpoint,)),
    ):
        with pytest.raises(UsageError, match="host:port"):
            settings_of(config)


def test_the_settings_allow_tls_alone(household: Household) -> None:
    settings = settings_of(SessionConfig(load_identity(household, "car")))
    link = settings["transport"]["link"]
    assert link["protocols"] == ["tls"]
    assert link["tls"]["enable_mtls"] is True
    assert settings["transport"]["shared_memory"] == {"enabled": False}
    assert settings["scouting"]["multicast"]["enabled"] is False
    assert settings["listen"]["endpoints"] == {"peer": [], "router": []}


async def test_a_session_is_opened_anew_and_the_stream_goes_on(
    household: Household,
) -> None:
    stage = ZenohStage(household)
    config = stage.config("home")
    async with open_session(config) as home, stage.open("car") as car:
        await home.reach("car", 5)
        reading = home.subscribe()
        await car.reach("home", 5)
        await car.publish("home", speed(1), "Vehicle.Speed")
        await take(reading, 1)
        await home.reopen(config)
        await until(lambda: "home" in car.alive and "car" in home.alive)
        await car.publish("home", speed(2), "Vehicle.Speed")
        assert [got.message for got in await take(reading, 1)] == [speed(2)]


async def test_more_streams_flow_than_zenoh_is_told_of(
    household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trivet.fabric.session.MAX_STREAMS", 2)
    stage = ZenohStage(household)
    async with stage.open("home") as home, stage.open("car") as car:
        await car.reach("home", 5)
        reading = home.subscribe()
        paths = [f"Vehicle.S{number}" for number in range(5)]
        for path in 2 * paths:
            await car.publish("home", Sample("car", path, 1.0, 1.0), path)
        assert [got.path for got in await take(reading, 10)] == 2 * paths


async def test_a_session_is_opened_anew_once_its_address_is_free(
    household: Household,
) -> None:
    """What the session before left to itself may hold the address for a while."""
    stage = ZenohStage(household)
    config = stage.config("home")
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        there = msgspec.structs.replace(config, listen=(f"127.0.0.1:{port}",))
        async with open_session(config) as home:
            reopening = asyncio.ensure_future(home.reopen(there))
            done, _ = await asyncio.wait([reopening], timeout=1.0)
            assert not done
            holder.close()
            await reopening
            stage.address = f"127.0.0.1:{port}"
            async with stage.open("car") as car:
                await car.reach("home", 5)


async def test_who_is_struck_off_the_members_is_heard_no_more(
    household: Household,
) -> None:
    stage = ZenohStage(household, members=("home", "car", "phone"))
    config = stage.config("home")
    try:
        async with (
            open_session(config) as home,
            stage.open("car") as car,
            stage.open("phone") as phone,
        ):
            await home.reach("car", 5)
            await home.reach("phone", 5)
            await home.reopen(msgspec.structs.replace(config, members=("home", "car")))
            home.bar("phone")
            await until(lambda: home.alive == {"car"})
            await phone.publish("home", speed(1), "Vehicle.Speed")
            await until(lambda: "home" in car.alive)
            await car.publish("home", speed(2), "Vehicle.Speed")
            got = await take(home.subscribe(), 1)
            assert got[0].owner == "car"
            with pytest.raises((UnreachableError, RefusedError)):
                await phone.ask("home", "anything", timeout_s=1.0)
    finally:
        await stage.close()

"""The contract over real sessions on loopback, and what only a network can do."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager

import pytest
import zenoh
from tests.fabric.contract import LinkContract, Stage, until

from trivet.domain import DeviceKind
from trivet.fabric import Gate, Handler, Link
from trivet.fabric.config import SessionConfig, settings_of
from trivet.fabric.identity import Household, create_household, issue, load_identity
from trivet.fabric.session import open_session

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
        capacity: int = 4096,
    ) -> AbstractAsyncContextManager[Link]:
        config = self.config(device)
        settings = {name: getattr(config, name) for name in config.__struct_fields__}
        return open_session(
            SessionConfig(**{**settings, "capacity": capacity}),
            gate=gate,
            answers=answers,
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
        await until(lambda: publisher.matching_status)
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

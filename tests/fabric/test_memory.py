from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager

import pytest
from tests.fabric.contract import LinkContract, Stage

from trivet.domain import UsageError
from trivet.fabric import Gate, Handler, Link, Listener, MemoryFabric


class MemoryStage(Stage):
    def __init__(self) -> None:
        self.fabric = MemoryFabric()

    def open(
        self,
        device: str,
        *,
        gate: Gate | None = None,
        answers: Mapping[str, Handler] | None = None,
        on_message: Listener | None = None,
        capacity: int = 4096,
    ) -> AbstractAsyncContextManager[Link]:
        return self.fabric.open_session(
            device,
            gate=gate,
            answers=answers,
            on_message=on_message,
            capacity=capacity,
        )

    async def inject(self, recipient: Link, text: str, data: bytes) -> None:
        self.fabric.inject(recipient.device, text, data)


class TestMemoryLink(LinkContract):
    @pytest.fixture
    def stage(self) -> Stage:
        return MemoryStage()

    async def test_a_device_is_there_once(self) -> None:
        fabric = MemoryFabric()
        async with fabric.open_session("home"):
            with pytest.raises(UsageError, match="already"):
                async with fabric.open_session("home"):
                    pass

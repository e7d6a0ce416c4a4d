"""A device's trust: what the household agreed holds, whatever the disk says."""

from __future__ import annotations

import pytest
from tests.app.allies import trust_of

from trivet.app.trust import Household
from trivet.domain import Device, DeviceKind, RefusedError, SetupError, Signal
from trivet.fabric import MemoryFabric
from trivet.fabric.access import Party
from trivet.fabric.policy import Policy, shipped_policy


async def test_who_is_out_is_out_though_the_ledger_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours = trust_of(Device("home", DeviceKind.HOME, signals=(Signal("climate.hall"),)))
    async with MemoryFabric().open_session("home", gate=ours.gate) as link:
        ours.attach(link)

        async def fail(device: str) -> None:
            link.bar(device)
            raise SetupError("the disk is full")

        monkeypatch.setattr(ours.lessor, "shut_out", fail)
        policy = Policy(shipped_policy().text, source="another")
        alone = Household({"home": Party("home", DeviceKind.HOME)}, policy)
        with pytest.raises(SetupError, match="full"):
            await ours.agree(alone)
        for device in ("car", "phone"):
            with pytest.raises(RefusedError, match="shut out"):
                await link.ask(device, "lease")
        assert ours.book.policy is policy

"""Who is shut out is told, over real sessions, and stops."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.app.test_keeper import House, eventually, free_port, three

from trivet.app import keeper
from trivet.app.renewing import LateDoor, current_identity
from trivet.domain import PeerError, RevokedError
from trivet.domain.wire import Document
from trivet.fabric import charter
from trivet.fabric.background import cancel
from trivet.fabric.charter import load_charter, own_charter, sign_revocation
from trivet.fabric.household import load_household
from trivet.fabric.request import new_key
from trivet.fabric.revocation import revoke


async def test_who_is_shut_out_is_told_by_whom_when_and_why_and_stops(
    tmp_path: Path,
) -> None:
    async with three(tmp_path) as (house, home, phone, car):
        revoke(house.household, "phone", reason="stolen")
        await eventually(lambda: phone.end is not None)
        assert isinstance(phone.end, RevokedError)
        assert "this device, phone, was revoked by an issuer of ours" in str(phone.end)
        assert str(phone.end).count("stolen") == 1
        await eventually(lambda: "car" in home.link.alive)
        assert home.end is None
        assert car.end is None
        # what is its own stays, and it does not start again
        assert list(phone.trust.ledger.entries()) is not None
        with pytest.raises(RevokedError):
            await current_identity(load_household(tmp_path / "phone"), "phone")


async def test_who_is_shut_out_hears_of_nobody_who_came_since(tmp_path: Path) -> None:
    async with three(tmp_path) as (house, _, phone, _):
        known = own_charter(tmp_path / "phone")
        revoke(house.household, "phone", reason="stolen")
        await eventually(lambda: phone.end is not None)
        kept = own_charter(tmp_path / "phone")
        assert kept.version == known.version
        assert [r.device for r in kept.revoked] == ["phone"]


async def test_who_was_away_is_told_at_an_issuers_door(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No member speaks to it any more; it asks because it meets nobody."""
    monkeypatch.setattr(keeper, "INQUIRE_S", 0.3)
    house = House(tmp_path)
    async with AsyncExitStack() as stack:
        home = await stack.enter_async_context(house.live("home"))
        identity = house.identities["home"].identity
        door = LateDoor(load_household(tmp_path / "home"), identity, house.address)
        serving = asyncio.ensure_future(door.run())
        stack.push_async_callback(cancel, serving)
        revoke(house.household, "phone", reason="stolen")
        await eventually(lambda: "phone" not in home.trust.household.members)
        phone = await stack.enter_async_context(house.live("phone"))
        await eventually(lambda: phone.end is not None)
        assert isinstance(phone.end, RevokedError)
        assert "phone" not in home.link.alive


async def test_who_meets_nobody_and_is_no_outcast_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "INQUIRE_S", 0.05)
    house = House(tmp_path)
    phone = house.identities["phone"]
    house.identities["phone"] = replace(phone, connect=(f"127.0.0.1:{free_port()}",))
    async with house.live("phone") as living:
        await asyncio.sleep(0.5)
        assert living.end is None
        assert living.keeping is not None
        assert not living.keeping.done()


async def test_attack_a_member_tells_another_that_it_is_out(tmp_path: Path) -> None:
    async with three(tmp_path) as (_, home, phone, car):
        before = load_charter(tmp_path / "car")
        fingerprint = next(m.fingerprint for m in own_charter(tmp_path / "car").members)
        forged = sign_revocation(
            new_key(), "ours", "car", fingerprint, 1.8e9, "because I say so"
        )
        last = Document("charter", charter.carry(before, (forged,)))
        await phone.link.publish("car", last, "charter")
        try:
            await phone.link.ask("car", "charter", last)
        except PeerError as error:
            raise AssertionError("it is not even answered") from error
        await asyncio.sleep(0.5)
        assert load_charter(tmp_path / "car") == before
        assert car.end is None
        assert {"car", "phone"} <= set(home.trust.household.members)

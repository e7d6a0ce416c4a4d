"""An offer of the authority's key: issuers alone make it, one device takes it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.fabric.house_stage import Joined, found, join

from trivet.domain import DeviceKind, RefusedError, SetupError, UsageError, WireError
from trivet.fabric import succession
from trivet.fabric.charter import load_charter, save_charter
from trivet.fabric.household import Household, authority
from trivet.fabric.identity import issue
from trivet.fabric.request import new_key
from trivet.fabric.revocation import revoke
from trivet.fabric.seal import seal_to
from trivet.fabric.signature import seal
from trivet.fabric.succession import (
    MAX_BYTES,
    load_offer,
    make_offer,
    open_offers,
    take_offer,
    withdraw_offer,
)


class Stage:
    """A home that can issue; a car, a phone and a guest on machines of their own."""

    def __init__(self, folder: Path) -> None:
        self.house: Household = found(folder / "home")
        issue(self.house, "home", DeviceKind.HOME)
        self.car: Joined = join(self.house, folder / "car")
        self.phone: Joined = join(self.house, folder / "phone", "phone")
        self.guest: Joined = join(self.house, folder / "g", "guest", is_guest=True)
        for joined in (self.car, self.phone, self.guest):
            self.meet(joined)

    def meet(self, joined: Joined) -> None:
        save_charter(joined.household.folder, load_charter(self.house.folder))

    def offer(self, device: str = "car") -> bytes:
        make_offer(self.house, device)
        return load_offer(self.house, device)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(tmp_path_factory.mktemp("kept"))


@pytest.fixture(scope="module")
def offer(kept: Stage) -> bytes:
    return kept.offer()


def forge(offer: bytes, **changes: object) -> bytes:
    read = succession._decoder.decode(offer)
    return msgspec.msgpack.encode(replace(read, **changes))


def test_an_offer_makes_its_recipient_an_issuer(stage: Stage) -> None:
    assert make_offer(stage.house, "car") == ("home",)
    assert open_offers(stage.house) == ("car",)
    take_offer(stage.car.household, "car", "home", load_offer(stage.house, "car"))
    taken = authority(stage.car.household).private.private_numbers()
    assert taken == authority(stage.house).private.private_numbers()
    withdraw_offer(stage.house, "car")
    withdraw_offer(stage.house, "car")
    assert open_offers(stage.house) == ()


def test_an_offer_is_for_its_owners_eyes(stage: Stage) -> None:
    stage.offer()
    path = stage.house.folder / "offers" / "car"
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (
        0o600,
        0o700,
    )
    assert b"PRIVATE KEY" not in path.read_bytes()


def test_an_offer_to_a_device_that_was_shut_out_is_withdrawn(stage: Stage) -> None:
    stage.offer()
    revoke(stage.house, "car", reason="stolen")
    assert open_offers(stage.house) == ()
    assert not (stage.house.folder / "offers" / "car").exists()


def test_a_machine_without_a_device_has_nobody_to_carry_it(tmp_path: Path) -> None:
    house = found(tmp_path / "ours")
    join(house, tmp_path / "car")
    with pytest.raises(UsageError, match="no device of this machine"):
        make_offer(house, "car")


def test_what_can_issue_already_is_offered_nothing(stage: Stage) -> None:
    with pytest.raises(UsageError, match="already"):
        make_offer(stage.house, "home")


def test_attack_a_guest_is_made_issuer(stage: Stage, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="guest"):
        make_offer(stage.house, "guest")
    assert open_offers(stage.house) == ()
    # nor does a guest's device keep what an issuer in error signs for it
    sealed = seal_to(stage.guest.private.public_key(), "issuer of ours", b"")
    offer = forge(stage.offer(), recipient="guest", sealed=sealed, signature=b"")
    read = succession._decoder.decode(offer)
    said = succession._said(read)
    signed = forge(offer, signature=seal(authority(stage.house).private, "offer", said))
    with pytest.raises(RefusedError, match="guest is no device of this household"):
        take_offer(stage.guest.household, "guest", "home", signed)
    assert not stage.guest.household.ca_key_path.exists()


def test_attack_a_member_that_is_no_issuer_makes_an_offer(stage: Stage) -> None:
    with pytest.raises(SetupError):
        make_offer(stage.phone.household, "car")
    sealed = seal_to(
        stage.car.private.public_key(), "issuer of ours", b"not the authority"
    )
    mine = forge(stage.offer(), bearers=("phone",), sealed=sealed)
    said = succession._said(succession._decoder.decode(mine))
    for signature in (b"", seal(stage.phone.private, "offer", said)):
        with pytest.raises(RefusedError, match="no issuer has signed"):
            take_offer(
                stage.car.household, "car", "phone", forge(mine, signature=signature)
            )
    assert not stage.car.household.ca_key_path.exists()


def test_attack_a_member_brings_an_offer_that_it_came_by(stage: Stage) -> None:
    with pytest.raises(RefusedError, match="phone may not bring an offer of home"):
        take_offer(stage.car.household, "car", "phone", stage.offer())
    with pytest.raises(RefusedError, match="no issuer has signed"):
        take_offer(
            stage.car.household,
            "car",
            "phone",
            forge(stage.offer(), bearers=("phone",)),
        )
    assert not stage.car.household.ca_key_path.exists()


def test_attack_an_offer_for_another_device(stage: Stage) -> None:
    with pytest.raises(RefusedError, match="for car, not for phone"):
        take_offer(stage.phone.household, "phone", "home", stage.offer("car"))
    assert not stage.phone.household.ca_key_path.exists()


def test_attack_an_offer_that_is_not_sealed_to_the_recipient(stage: Stage) -> None:
    """Even an issuer's signature opens nothing that is sealed to another key."""
    read = succession._decoder.decode(stage.offer())
    private = authority(stage.house).private
    plain = b"-----BEGIN PRIVATE KEY-----"
    for sealed in (plain, seal_to(new_key().public_key(), "issuer of ours", plain)):
        offer = replace(read, sealed=sealed, signature=b"")
        said = succession._said(offer)
        signed = replace(offer, signature=seal(private, "offer", said))
        with pytest.raises(WireError, match="no authority's key for car"):
            take_offer(
                stage.car.household, "car", "home", msgspec.msgpack.encode(signed)
            )
    assert not stage.car.household.ca_key_path.exists()


def test_attack_a_shut_out_issuer_brings_its_offer(stage: Stage) -> None:
    offer = stage.offer()
    revoke(stage.house, "home", reason="stolen")
    stage.meet(stage.car)
    with pytest.raises(RefusedError, match="home is no device of this household"):
        take_offer(stage.car.household, "car", "home", offer)


def test_attack_an_offer_of_a_household_of_the_same_name(
    stage: Stage, tmp_path: Path
) -> None:
    other = Stage(tmp_path / "other")
    with pytest.raises(RefusedError, match="no issuer has signed"):
        take_offer(stage.car.household, "car", "home", other.offer())


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=200), at=st.integers(0, 10_000), is_raw=st.booleans())
def test_attack_an_offer_of_hostile_bytes(
    kept: Stage, offer: bytes, data: bytes, at: int, is_raw: bool
) -> None:
    at %= len(offer)
    bad = data if is_raw else offer[:at] + data + offer[at + len(data) :]
    if bad != offer:
        with pytest.raises((WireError, RefusedError)):
            take_offer(kept.car.household, "car", "home", bad)


def test_attack_an_offer_that_never_ends(stage: Stage) -> None:
    with pytest.raises(WireError, match="the most is"):
        take_offer(stage.car.household, "car", "home", stage.offer() + bytes(MAX_BYTES))

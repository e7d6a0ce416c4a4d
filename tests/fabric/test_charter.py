from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.fabric.house_stage import NOW, crash, found, join, tree

from trivet.domain import DeviceKind, SetupError, UsageError, WireError
from trivet.fabric import certificate
from trivet.fabric.charter import (
    FILE,
    MAX_BYTES,
    Charter,
    Member,
    Revocation,
    is_revoked,
    load_charter,
    newer,
    own_charter,
    read_charter,
    save_charter,
    sign,
    sign_revocation,
)
from trivet.fabric.household import Household, authority
from trivet.fabric.request import fingerprint, new_key, public_der
from trivet.fabric.revocation import revoke

CA_KEY = new_key()
CA = certificate.to_pem(certificate.authority(CA_KEY, "ours", NOW))
KEYS = {device: new_key().public_key() for device in ("car", "home", "phone")}
MEMBERS = {
    device: Member(
        device, DeviceKind.OTHER, fingerprint(public), False, 1.0, public_der(public)
    )
    for device, public in KEYS.items()
}


def charter(version: int, *ids: str, policy: str = "", shut: str = "") -> Charter:
    """A charter with these members, in which one device is shut out."""
    revoked: tuple[Revocation, ...] = ()
    if shut:
        mark = MEMBERS[shut].fingerprint
        revoked = (sign_revocation(CA_KEY, "ours", shut, mark, float(version), "gone"),)
    members = tuple(MEMBERS[device] for device in ids)
    return Charter("ours", version, members, policy, (CA.decode(),), revoked)


def ids(data: bytes) -> list[str]:
    return [m.device for m in read_charter(data, [CA]).members]


def shut_out(data: bytes) -> set[str]:
    return {r.device for r in read_charter(data, [CA]).revoked}


def test_a_charter_is_read_back_as_it_was_signed() -> None:
    made = charter(3, "car", "home", policy="permit(principal, action, resource);")
    assert read_charter(sign(made, CA_KEY), [CA]) == made
    assert made.member("car") == MEMBERS["car"]
    assert made.member("boat") is None


def test_the_higher_version_holds_whoever_shows_it() -> None:
    old, new = sign(charter(1, "car"), CA_KEY), sign(charter(2, "home"), CA_KEY)
    assert newer(old, new) == newer(new, old) == new


def test_attack_roll_the_charter_back() -> None:
    """An old charter, rightly signed, in which the thief was still a member."""
    old = sign(charter(1, "car", "home"), CA_KEY)
    new = sign(charter(2, "home", shut="car"), CA_KEY)
    assert newer(new, old) == new
    assert ids(newer(new, old)) == ["home"]


def test_attack_lose_a_revocation_in_a_merge() -> None:
    """A higher version that has not heard of a revocation does not undo it."""
    low = sign(charter(2, "home", shut="car"), CA_KEY)
    high = sign(charter(9, "car", "home", "phone"), CA_KEY)
    for merged in (newer(low, high), newer(high, low)):
        assert read_charter(merged, [CA]).version == 9
        assert shut_out(merged) == {"car"}
        assert ids(merged) == ["home", "phone"]
        assert is_revoked(read_charter(merged, [CA]), "car", "")


SEVERAL = [
    sign(charter(1, "car", "home", "phone"), CA_KEY),
    sign(charter(2, "home", "phone", shut="car"), CA_KEY),
    sign(charter(2, "car", "phone", shut="home"), CA_KEY),
    sign(charter(3, "car", "home", policy="a"), CA_KEY),
    sign(charter(3, "car", "home", policy="b", shut="phone"), CA_KEY),
]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.sampled_from(SEVERAL), min_size=1, max_size=3))
def test_devices_that_met_in_any_order_agree(met: list[bytes]) -> None:
    """Merging is commutative, associative and idempotent, down to the byte."""
    results = set()
    for order in permutations(met):
        left = order[0]
        for one in order[1:]:
            left = newer(left, one)
        right = order[-1]
        for one in reversed(order[:-1]):
            right = newer(one, right)
        results |= {left, right, newer(left, left), newer(left, right)}
    assert len(results) == 1
    assert shut_out(results.pop()) == set().union(*(shut_out(m) for m in met))


def test_the_same_key_and_id_cannot_be_two_members() -> None:
    twice = replace(charter(1), members=(MEMBERS["car"], MEMBERS["car"]))
    with pytest.raises(UsageError, match="same id"):
        sign(twice, CA_KEY)
    alias = replace(MEMBERS["car"], device="bike")
    with pytest.raises(UsageError, match="same key"):
        sign(replace(charter(1), members=(MEMBERS["car"], alias)), CA_KEY)
    mixed = replace(MEMBERS["car"], public_key=MEMBERS["home"].public_key)
    with pytest.raises(UsageError, match="fingerprint"):
        sign(replace(charter(1), members=(mixed,)), CA_KEY)


def test_a_charter_that_would_not_be_read_is_not_signed() -> None:
    with pytest.raises(UsageError, match="malformed"):
        sign(charter(1, policy="x" * 100_000), CA_KEY)
    with pytest.raises(UsageError, match="does not name"):
        sign(replace(charter(1), issuers=()), CA_KEY)


def test_attack_a_charter_of_another_household() -> None:
    private = new_key()
    other = certificate.to_pem(certificate.authority(private, "ours", NOW))
    named = Charter("ours", 99, (), "", (other.decode(),))
    theirs, mine = sign(named, private), sign(charter(1, "car"), CA_KEY)
    with pytest.raises(WireError, match="not signed by an issuer"):
        read_charter(theirs, [CA])
    with pytest.raises(WireError, match="not signed by an issuer"):
        newer(mine, theirs)


def test_attack_sign_a_charter_with_a_device_certificate(tmp_path: Path) -> None:
    """A member signs rules of its own and names itself their issuer."""
    household = found(tmp_path / "ours")
    joined = join(household, tmp_path / "car")
    pem = joined.identity.cert_path.read_bytes()
    mine = load_charter(household.folder)
    real = own_charter(household.folder)
    own = replace(real, version=99, issuers=(*real.issuers, pem.decode()))
    with pytest.raises(UsageError, match="that of a device"):
        sign(own, joined.private)
    stolen = sign(replace(real, version=99), authority(household, NOW).private)
    forged = stolen.replace(
        fingerprint(authority(household, NOW).private.public_key()).encode(),
        fingerprint(joined.private.public_key()).encode(),
    )
    with pytest.raises(WireError):
        newer(mine, forged)
    with pytest.raises(WireError, match="that of a device"):
        read_charter(mine, [pem])


def test_attack_name_an_issuer_of_another_household() -> None:
    other = certificate.to_pem(certificate.authority(new_key(), "theirs", NOW))
    made = replace(charter(1), issuers=(CA.decode(), other.decode()))
    with pytest.raises(UsageError, match="another household"):
        sign(made, CA_KEY)


def test_attack_revoke_a_device_with_a_made_up_signature() -> None:
    private = new_key()
    mark = MEMBERS["car"].fingerprint
    real = fingerprint(CA_KEY.public_key())
    by_nobody = sign_revocation(private, "ours", "car", mark, 1.0, "spite")
    posing = replace(by_nobody, signer=real)
    moved = sign_revocation(CA_KEY, "theirs", "car", mark, 1.0, "elsewhere")
    for forged in (by_nobody, posing, moved):
        with pytest.raises(UsageError, match="revocation of car is not signed"):
            sign(replace(charter(1), revoked=(forged,)), CA_KEY)


@settings(max_examples=150, deadline=None)
@given(
    at=st.integers(0, 10_000),
    put=st.binary(min_size=1, max_size=4),
    is_cut=st.booleans(),
)
def test_attack_a_charter_of_hostile_bytes(at: int, put: bytes, is_cut: bool) -> None:
    """Whatever comes is what an issuer signed, or a WireError and nothing else."""
    good = SEVERAL[4]
    at %= len(good)
    bad = good[:at] if is_cut else good[:at] + put + good[at + len(put) :]
    if bad != good:
        with pytest.raises(WireError):
            read_charter(bad, [CA])
        with pytest.raises(WireError):
            newer(good, bad)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=200))
def test_attack_a_charter_of_noise(noise: bytes) -> None:
    with pytest.raises(WireError):
        read_charter(b"\x01" + noise, [CA])
    with pytest.raises(WireError):
        read_charter(SEVERAL[0], [noise])


def test_attack_a_charter_that_never_ends() -> None:
    with pytest.raises(WireError, match="the most is"):
        read_charter(SEVERAL[0] + bytes(MAX_BYTES), [CA])


@pytest.fixture
def household(tmp_path: Path) -> Household:
    return found(tmp_path / "ours")


def test_what_is_saved_is_merged_with_what_is_there(
    household: Household, tmp_path: Path
) -> None:
    """Saving an older charter gives nothing back to anybody."""
    member = join(household, tmp_path / "car").household
    join(household, tmp_path / "phone", "phone")
    before = load_charter(household.folder)
    revoke(household, "phone", reason="lost", now=NOW)
    save_charter(member.folder, load_charter(household.folder))
    save_charter(member.folder, before)
    kept = own_charter(member.folder)
    assert [m.device for m in kept.members] == ["car"]
    assert is_revoked(kept, "phone", "")


def test_attack_put_another_charter_in_the_folder(household: Household) -> None:
    before = tree(household.folder)
    with pytest.raises(WireError):
        save_charter(household.folder, SEVERAL[4])
    assert tree(household.folder) == before


def test_a_crash_while_saving_leaves_the_old_charter(
    household: Household, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = join(household, tmp_path / "car").household
    revoke(household, "car", reason="lost", now=NOW + timedelta(hours=1))
    before = tree(member.folder)
    crash(monkeypatch)
    with pytest.raises(SetupError, match="Input/output"):
        save_charter(member.folder, load_charter(household.folder))
    assert tree(member.folder) == before


def test_a_damaged_charter_is_named(household: Household) -> None:
    (household.folder / FILE).write_bytes(b"\x01rubbish")
    with pytest.raises(SetupError, match=r"charter\.bin is damaged"):
        own_charter(household.folder)
    (household.folder / FILE).unlink()
    with pytest.raises(SetupError, match="missing"):
        own_charter(household.folder)

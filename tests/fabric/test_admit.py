from __future__ import annotations

import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.fabric.house_stage import NOW, ask, crash, found, join, tree

from trivet.domain import DeviceKind, SetupError, UsageError, WireError
from trivet.fabric.admit import admit, keep
from trivet.fabric.certificate import DEVICE_DAYS
from trivet.fabric.charter import load_charter, own_charter
from trivet.fabric.household import Household
from trivet.fabric.identity import issue, load_identity
from trivet.fabric.request import fingerprint, make_request, new_key, read_request
from trivet.fabric.revocation import revoke

KEY = new_key()


@pytest.fixture
def household(tmp_path: Path) -> Household:
    return found(tmp_path / "ours")


def test_a_device_that_joined_has_a_short_lived_identity_of_its_own(
    household: Household, tmp_path: Path
) -> None:
    joined = join(household, tmp_path / "car")
    identity = joined.identity
    assert (identity.device, identity.kind) == ("car", DeviceKind.CAR)
    assert identity.expires == NOW + timedelta(days=DEVICE_DAYS)
    assert load_identity(joined.household, "car", now=NOW) == identity
    assert stat.S_IMODE(identity.key_path.stat().st_mode) == 0o600
    assert not joined.household.ca_key_path.exists()
    assert "PRIVATE" not in str(tree(household.folder / "devices"))


def test_the_charter_knows_whom_the_issuer_admitted(
    household: Household, tmp_path: Path
) -> None:
    joined = join(household, tmp_path / "car", is_guest=True)
    for folder in (household.folder, joined.household.folder):
        member = own_charter(folder).member("car")
        assert member is not None
        assert member.fingerprint == fingerprint(joined.private.public_key())
        assert (member.is_guest, member.since) == (True, NOW.timestamp())


def test_an_answer_that_was_lost_can_be_asked_for_again(household: Household) -> None:
    private = new_key()
    ask(household, "car", private)
    version = own_charter(household.folder).version
    assert ask(household, "car", private, now=NOW + timedelta(hours=1))
    assert own_charter(household.folder).version == version


def test_attack_ask_for_an_id_that_another_key_has(household: Household) -> None:
    issue(household, "car", DeviceKind.CAR, now=NOW)
    with pytest.raises(UsageError, match="another key"):
        ask(household, "car", new_key())


def test_attack_ask_for_a_second_id_with_one_key(household: Household) -> None:
    private = new_key()
    ask(household, "car", private)
    with pytest.raises(UsageError, match="is that of car"):
        ask(household, "home", private)


def test_attack_come_back_after_a_revocation(household: Household) -> None:
    private = new_key()
    ask(household, "car", private)
    revoke(household, "car", reason="stolen", now=NOW)
    with pytest.raises(UsageError, match=r"id car was revoked: stolen"):
        ask(household, "car", new_key())
    with pytest.raises(UsageError, match="key of bike was revoked"):
        ask(household, "bike", private)


def test_attack_ask_a_household_that_was_not_named(household: Household) -> None:
    request = read_request(make_request(new_key(), "other", "car", DeviceKind.CAR))
    with pytest.raises(UsageError, match="belong to other"):
        admit(household, request, now=NOW)


def test_nothing_is_admitted_where_the_authority_is_not(
    household: Household, tmp_path: Path
) -> None:
    joined = join(household, tmp_path / "car")
    with pytest.raises(SetupError, match=r"ca\.key is missing"):
        ask(joined.household, "bike", new_key())


def test_a_charter_that_cannot_be_written_admits_nobody(
    household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tree(household.folder)
    crash(monkeypatch)
    with pytest.raises(SetupError):
        ask(household, "car", new_key())
    assert tree(household.folder) == before


@pytest.mark.parametrize("where", ["key", "authority", "device", "charter", "time"])
def test_attack_answer_a_newcomer_with_what_it_did_not_ask_for(
    household: Household, tmp_path: Path, where: str
) -> None:
    """A certificate for another key, id, time or authority is not kept."""
    private, other = new_key(), found(tmp_path / "other")
    right: dict[str, Any] = {
        "device": "car",
        "private": private,
        "cert_pem": ask(household, "car", private),
        "ca_pem": household.ca_path.read_bytes(),
        "charter": load_charter(household.folder),
        "now": NOW,
    }
    wrong: dict[str, dict[str, Any]] = {
        "key": {"private": new_key()},
        "authority": {"ca_pem": other.ca_path.read_bytes()},
        "device": {"device": "home"},
        "charter": {"charter": load_charter(other.folder)},
        "time": {"now": NOW + timedelta(days=DEVICE_DAYS + 1)},
    }
    folder = tmp_path / "joiner"
    with pytest.raises(WireError):
        keep(folder, **(right | wrong[where]))
    assert not folder.exists()


def test_attack_pass_a_device_certificate_off_as_an_authority(
    household: Household, tmp_path: Path
) -> None:
    private = new_key()
    pem = ask(household, "car", private)
    with pytest.raises(WireError, match="authority"):
        keep(
            tmp_path / "joiner",
            device="car",
            private=private,
            cert_pem=pem,
            ca_pem=pem,
            charter=load_charter(household.folder),
            now=NOW,
        )


def test_a_second_device_joins_in_the_same_folder(
    household: Household, tmp_path: Path
) -> None:
    join(household, tmp_path / "car")
    join(household, tmp_path / "car", "phone")
    other = found(tmp_path / "other")
    with pytest.raises(UsageError, match="another household"):
        join(other, tmp_path / "car", "home")
    ids = [m.device for m in own_charter(tmp_path / "car").members]
    assert ids == ["car", "phone"]


def test_a_folder_of_something_else_is_left_alone(
    household: Household, tmp_path: Path
) -> None:
    folder = tmp_path / "letters"
    folder.mkdir()
    (folder / "letter.txt").write_text("dear")
    with pytest.raises(UsageError, match="something already"):
        join(household, folder)
    assert [p.name for p in folder.iterdir()] == ["letter.txt"]


@pytest.mark.parametrize("after", [0, 1])
def test_a_crash_while_joining_leaves_nothing_half_joined(
    household: Household,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    after: int,
) -> None:
    """In a new folder and in one that holds the household already."""
    folder = tmp_path / "machine"
    if after:
        join(household, folder)
    with monkeypatch.context() as patch:
        crash(patch, after=after + 1)  # one move is the issuer's own charter
        with pytest.raises(SetupError):
            join(household, folder, "phone")
    assert not (folder / "devices" / "phone").exists()
    assert folder.exists() == bool(after)


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(at=st.floats(0, 0.999), byte=st.integers(0, 255), is_cut=st.booleans())
def test_attack_a_certificate_of_hostile_bytes(
    household: Household, tmp_path: Path, at: float, byte: int, is_cut: bool
) -> None:
    pem = bytearray(ask(household, "car", KEY))
    good = bytes(pem)
    place = int(at * len(pem))
    pem[place] = byte
    text = bytes(pem[:place]) if is_cut else bytes(pem)
    try:
        cert = x509.load_pem_x509_certificate(text)
        if cert == x509.load_pem_x509_certificate(good):
            return  # the change was outside of what the PEM says
    except (ValueError, x509.InvalidVersion):
        pass
    with pytest.raises(WireError):
        keep(
            tmp_path / "hostile",
            device="car",
            private=KEY,
            cert_pem=text,
            ca_pem=household.ca_path.read_bytes(),
            charter=load_charter(household.folder),
            now=NOW,
        )
    assert not (tmp_path / "hostile").exists()

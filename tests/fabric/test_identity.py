from __future__ import annotations

import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from tests.fabric.house_stage import crash, tree

from trivet.domain import DeviceKind, SetupError, UsageError
from trivet.fabric import certificate, disk
from trivet.fabric.charter import own_charter
from trivet.fabric.identity import (
    Household,
    create_household,
    issue,
    load_household,
    load_identity,
    renew,
)
from trivet.fabric.revocation import revoke

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def household(tmp_path: Path) -> Household:
    return create_household(tmp_path / "ours", "ours", now=NOW)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_household_is_read_back_as_it_was_founded(household: Household) -> None:
    assert load_household(household.folder) == household
    made = issue(household, "car", DeviceKind.CAR, now=NOW)
    assert load_identity(household, "car", now=NOW) == made
    assert (made.household, made.device, made.kind) == ("ours", "car", DeviceKind.CAR)
    assert household.devices == ("car",)


def test_private_keys_are_for_their_owner_alone(household: Household) -> None:
    made = issue(household, "car", DeviceKind.CAR, now=NOW)
    assert mode(household.ca_key_path) == mode(made.key_path) == 0o600
    assert mode(household.folder) & 0o077 == 0


def test_a_key_is_never_wider_than_its_owner_even_while_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, int]] = []
    fsync = os.fsync

    def look(handle: int) -> None:
        status = os.fstat(handle)
        name = Path(f"/proc/self/fd/{handle}").readlink().name
        seen.append((name, stat.S_IMODE(status.st_mode)))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", look)
    before = os.umask(0)
    try:
        issue(create_household(tmp_path / "h", "h", now=NOW), "car", DeviceKind.CAR)
    finally:
        os.umask(before)
    assert [m for name, m in seen if name.endswith("key") or name == "key.pem"] == [
        0o600,
        0o600,
        0o600,
    ]


def test_founding_again_in_the_same_folder_is_refused(household: Household) -> None:
    key = household.ca_key_path.read_bytes()
    with pytest.raises(UsageError, match="a household already"):
        create_household(household.folder, "ours", now=NOW)
    assert household.ca_key_path.read_bytes() == key


def test_founding_spares_a_folder_with_something_in_it(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("dear")
    with pytest.raises(UsageError, match="something already"):
        create_household(tmp_path, "ours", now=NOW)
    assert [p.name for p in tmp_path.iterdir()] == ["letter"]


def test_an_identity_is_not_issued_twice(household: Household) -> None:
    made = issue(household, "car", DeviceKind.CAR, now=NOW)
    key = made.key_path.read_bytes()
    with pytest.raises(UsageError, match="already"):
        issue(household, "car", DeviceKind.CAR, now=NOW)
    assert made.key_path.read_bytes() == key


def test_a_crash_leaves_nothing_half_written(
    household: Household, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes, mode: int = 0o644) -> None:
        if path.name in {"ca.key", "key.pem"}:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(disk, "write_new", full)
    with pytest.raises(SetupError, match="No space left"):
        create_household(tmp_path / "new", "new", now=NOW)
    with pytest.raises(SetupError, match="No space left"):
        issue(household, "car", DeviceKind.CAR, now=NOW)
    assert [p.name for p in tmp_path.iterdir()] == ["ours"]
    assert list((household.folder / "devices").iterdir()) == []


def test_the_authority_can_sign_devices_and_nothing_deeper(
    household: Household,
) -> None:
    made = issue(household, "car", DeviceKind.CAR, now=NOW)
    ca = x509.load_pem_x509_certificate(made.ca_path.read_bytes())
    cert = x509.load_pem_x509_certificate(made.cert_path.read_bytes())
    limits = ca.extensions.get_extension_for_class(x509.BasicConstraints)
    assert limits.critical
    assert (limits.value.ca, limits.value.path_length) == (True, 0)
    own = cert.extensions.get_extension_for_class(x509.BasicConstraints)
    assert own.critical
    assert not own.value.ca
    usage = cert.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature
    assert not usage.key_cert_sign


def test_a_certificate_names_its_device_and_where_it_is_dialled(
    household: Household,
) -> None:
    hosts = ["car.local", "192.168.1.7"]
    made = issue(household, "car", DeviceKind.CAR, hosts=hosts, now=NOW)
    cert = x509.load_pem_x509_certificate(made.cert_path.read_bytes())
    assert "CN=car" in cert.subject.rfc4514_string().split(",")
    names = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "car.local"]
    addresses = names.get_values_for_type(x509.IPAddress)
    assert [str(a) for a in addresses] == ["127.0.0.1", "192.168.1.7"]


@pytest.mark.parametrize("host", ["", "tls/home", "home:7447", "a..b", "ü.local", "*"])
def test_a_host_that_is_none_is_refused(household: Household, host: str) -> None:
    with pytest.raises(UsageError, match="neither"):
        issue(household, "car", DeviceKind.CAR, hosts=[host], now=NOW)
    assert household.devices == ()


def test_an_expired_certificate_is_said_to_be_so_and_can_be_renewed(
    household: Household,
) -> None:
    made = issue(household, "car", DeviceKind.CAR, now=NOW, days=30)
    later = NOW + timedelta(days=31)
    with pytest.raises(SetupError, match=r"expired on 2026-05-31.*renew"):
        load_identity(household, "car", now=later)
    key = made.key_path.read_bytes()
    again = renew(household, "car", now=later)
    assert again.expires > later
    assert again.kind is DeviceKind.CAR
    assert again.key_path.read_bytes() == key


def test_a_clock_that_stands_in_the_past_is_named(household: Household) -> None:
    issue(household, "car", DeviceKind.CAR, now=NOW)
    with pytest.raises(SetupError, match="clock"):
        load_identity(household, "car", now=NOW - timedelta(days=400))


def test_a_device_never_outlives_its_authority(household: Household) -> None:
    made = issue(household, "car", DeviceKind.CAR, now=NOW, days=100_000)
    ca = x509.load_pem_x509_certificate(made.ca_path.read_bytes())
    assert made.expires <= ca.not_valid_after_utc


def test_a_time_without_a_zone_is_refused(household: Household) -> None:
    with pytest.raises(UsageError, match="zone"):
        issue(household, "car", DeviceKind.CAR, now=datetime(2026, 5, 1))


def test_a_key_that_others_can_read_is_refused(household: Household) -> None:
    made = issue(household, "car", DeviceKind.CAR, now=NOW)
    made.key_path.chmod(0o640)
    with pytest.raises(SetupError, match="chmod 600"):
        load_identity(household, "car", now=NOW)
    household.ca_key_path.chmod(0o644)
    with pytest.raises(SetupError, match="chmod 600"):
        issue(household, "phone", DeviceKind.PHONE, now=NOW)


def test_missing_and_damaged_files_are_named(household: Household) -> None:
    made = issue(household, "car", DeviceKind.CAR, now=NOW)
    with pytest.raises(SetupError, match=r"phone.*missing.*admit phone"):
        load_identity(household, "phone", now=NOW)
    made.key_path.write_text("rubbish")
    with pytest.raises(SetupError, match="no private key"):
        load_identity(household, "car", now=NOW)
    made.key_path.unlink()
    with pytest.raises(SetupError, match="missing"):
        load_identity(household, "car", now=NOW)
    household.ca_key_path.unlink()
    with pytest.raises(SetupError, match="founded"):
        issue(household, "phone", DeviceKind.PHONE, now=NOW)


def test_keys_and_certificates_that_do_not_belong_together_are_refused(
    household: Household, tmp_path: Path
) -> None:
    car = issue(household, "car", DeviceKind.CAR, now=NOW)
    phone = issue(household, "phone", DeviceKind.PHONE, now=NOW)
    other = create_household(tmp_path / "other", "ours", now=NOW)
    foreign = issue(other, "car", DeviceKind.CAR, now=NOW)
    mine = car.cert_path.read_bytes(), car.key_path.read_bytes()

    car.cert_path.write_bytes(phone.cert_path.read_bytes())
    with pytest.raises(SetupError, match="is not the key of"):
        load_identity(household, "car", now=NOW)
    car.key_path.write_bytes(phone.key_path.read_bytes())
    with pytest.raises(SetupError, match="certificate of 'phone'"):
        load_identity(household, "car", now=NOW)
    car.cert_path.write_bytes(foreign.cert_path.read_bytes())
    car.key_path.write_bytes(foreign.key_path.read_bytes())
    with pytest.raises(SetupError, match="was not issued by"):
        load_identity(household, "car", now=NOW)
    car.cert_path.write_bytes(mine[0])
    car.key_path.write_bytes(mine[1])
    assert load_identity(household, "car", now=NOW) == car


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"version": 1, "name": "../x"}', '{"version": 1}', "\xff"]
)
def test_a_damaged_household_file_is_named(household: Household, text: str) -> None:
    (household.folder / "household.json").write_text(text, encoding="latin-1")
    with pytest.raises(SetupError, match="damaged"):
        load_household(household.folder)


def test_a_household_of_the_future_asks_for_an_update(household: Household) -> None:
    path = household.folder / "household.json"
    path.write_text(path.read_text().replace("1", "2"))
    with pytest.raises(SetupError, match="update trivet"):
        load_household(household.folder)


def test_there_is_no_household_in_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="missing"):
        load_household(tmp_path)


def test_a_renewed_certificate_names_the_hosts_of_the_old_one(
    household: Household,
) -> None:
    made = issue(household, "car", DeviceKind.CAR, hosts=["car.local"], now=NOW)
    renew(household, "car", now=NOW + timedelta(days=9))
    cert = certificate.from_pem(made.cert_path.read_bytes())
    assert certificate.hosts_of(cert) == ("car.local",)
    renew(household, "car", hosts=["10.0.0.7"], now=NOW + timedelta(days=9))
    cert = certificate.from_pem(made.cert_path.read_bytes())
    assert certificate.hosts_of(cert) == ("10.0.0.7",)


def test_the_longest_names_have_certificates(tmp_path: Path) -> None:
    name = "h" * 63
    made = issue(
        create_household(tmp_path / "h", name, now=NOW),
        "d" * 63,
        DeviceKind.HOME,
        now=NOW,
    )
    assert (made.household, made.device) == (name, "d" * 63)


def test_an_identity_shows_its_key_to_nobody_who_prints_it(
    household: Household,
) -> None:
    made = issue(household, "car", DeviceKind.CAR, now=NOW)
    assert made.private_pem() == made.key_path.read_bytes()
    assert "PRIVATE" not in f"{made!r} {made}"


def test_a_device_is_a_member_from_its_issue_on(household: Household) -> None:
    issue(household, "car", DeviceKind.CAR, now=NOW)
    member = own_charter(household.folder).member("car")
    assert member is not None
    assert (member.kind, member.since) == (DeviceKind.CAR, NOW.timestamp())


def test_attack_renew_a_revoked_device_on_the_issuer_itself(
    household: Household,
) -> None:
    issue(household, "car", DeviceKind.CAR, now=NOW)
    revoke(household, "car", reason="sold", now=NOW)
    with pytest.raises(UsageError, match="revoked"):
        renew(household, "car", now=NOW)


def test_a_charter_that_cannot_be_written_issues_nothing(
    household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tree(household.folder)
    crash(monkeypatch, after=1)  # the identity is moved into place, the charter not
    with pytest.raises(SetupError):
        issue(household, "car", DeviceKind.CAR, now=NOW)
    assert tree(household.folder) == before

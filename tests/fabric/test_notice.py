"""A device learns that it was shut out, and nobody but an issuer can tell it so."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trivet.domain import DeviceKind, RevokedError, WireError
from trivet.fabric import charter
from trivet.fabric.admit import admit, keep
from trivet.fabric.charter import load_charter, own_charter, sign_revocation
from trivet.fabric.household import (
    Household,
    authority,
    create_household,
    load_household,
)
from trivet.fabric.notice import (
    MAX_BYTES,
    check_standing,
    read_notice,
    take_notice,
    write_notice,
)
from trivet.fabric.request import fingerprint, make_request, new_key, read_request
from trivet.fabric.revocation import revoke
from trivet.fabric.signature import seal

NONE = "0" * 64


def joined(home: Household, folder: Path, device: str) -> Household:
    """A device with a folder of its own."""
    private = new_key()
    request = make_request(private, home.name, device, DeviceKind.PHONE)
    keep(
        folder,
        device=device,
        private=private,
        cert_pem=admit(home, read_request(request)),
        ca_pem=home.ca_path.read_bytes(),
        charter=load_charter(home.folder),
    )
    return load_household(folder)


@pytest.fixture
def home(tmp_path: Path) -> Household:
    return create_household(tmp_path / "home", "ours")


@pytest.fixture
def phone(home: Household, tmp_path: Path) -> Household:
    return joined(home, tmp_path / "phone", "phone")


def test_a_notice_stops_the_device_that_it_names_and_says_who_when_and_why(
    home: Household, phone: Household
) -> None:
    made = revoke(home, "phone", reason="stolen [2J")
    notice = write_notice(own_charter(home.folder), "phone", NONE)
    with pytest.raises(RevokedError) as caught:
        take_notice(phone.folder, "phone", notice)
    message = caught.value.message
    assert f"revoked by an issuer of ours (key {made.signer[:8]}) on 20" in message
    assert message.endswith(": stolen [2J")
    assert "its own data stay" in caught.value.hint
    assert caught.value.exit_code == 8
    # it is kept: the device does not start again either
    with pytest.raises(RevokedError):
        check_standing(own_charter(phone.folder), "phone")


def test_a_notice_about_another_device_is_kept_and_stops_nobody(
    home: Household, phone: Household, tmp_path: Path
) -> None:
    joined(home, tmp_path / "car", "car")
    revoke(home, "car", reason="sold")
    take_notice(
        phone.folder, "phone", write_notice(own_charter(home.folder), "car", NONE)
    )
    agreed = own_charter(phone.folder)
    assert [r.device for r in agreed.revoked] == ["car"]
    check_standing(agreed, "phone")


def test_who_is_out_hears_of_nothing_else_that_was_agreed_since(
    home: Household, phone: Household, tmp_path: Path
) -> None:
    old = load_charter(phone.folder)
    joined(home, tmp_path / "car", "car")
    revoke(home, "phone", reason="stolen")
    agreed = own_charter(home.folder)
    last = charter.carry(old, agreed.revoked)
    charter.save_charter(phone.folder, last)
    kept = own_charter(phone.folder)
    assert kept.member("car") is None
    assert kept.version < agreed.version
    with pytest.raises(RevokedError):
        check_standing(kept, "phone")


def test_who_is_in_good_standing_has_no_notice(home: Household) -> None:
    assert write_notice(own_charter(home.folder), "phone", NONE) == b""
    assert read_notice(b"") is None
    assert read_notice(b"-----BEGIN CERTIFICATE-----") is None


def test_a_key_that_was_shut_out_has_a_notice_under_any_id(
    home: Household, phone: Household
) -> None:
    made = revoke(home, "phone", reason="stolen")
    notice = write_notice(own_charter(home.folder), "bike", made.fingerprint)
    assert read_notice(notice) == made


def test_attack_a_notice_is_made_up_by_a_member(
    home: Household, phone: Household
) -> None:
    """It is signed, by somebody who is no issuer of the device's own charter."""
    before = load_charter(phone.folder)
    member = new_key()
    forged = sign_revocation(member, "ours", "phone", NONE, 1.8e9, "because")
    with pytest.raises(WireError, match="not signed"):
        charter.save_charter(phone.folder, charter.carry(before, (forged,)))
    agreed = own_charter(home.folder)
    with pytest.raises(WireError, match="not signed"):
        take_notice(
            phone.folder,
            "phone",
            write_notice(
                charter.Charter("ours", 1, issuers=agreed.issuers, revoked=(forged,)),
                "phone",
                NONE,
            ),
        )
    assert load_charter(phone.folder) == before
    check_standing(own_charter(phone.folder), "phone")


def test_attack_a_notice_of_another_household_of_that_name(
    phone: Household, tmp_path: Path
) -> None:
    other = create_household(tmp_path / "other", "ours")
    joined(other, tmp_path / "their-phone", "phone")
    revoke(other, "phone", reason="stolen")
    before = load_charter(phone.folder)
    notice = write_notice(own_charter(other.folder), "phone", NONE)
    with pytest.raises(WireError, match="not signed"):
        take_notice(phone.folder, "phone", notice)
    assert load_charter(phone.folder) == before


def test_attack_a_charters_signature_is_no_revocations(
    home: Household, phone: Household
) -> None:
    """What an issuer signed as something else does not shut anybody out."""
    private = authority(home).private
    signer = fingerprint(private.public_key())
    text = charter._said(
        "ours", charter.Revocation("phone", NONE, 1.0, "x", signer, b"")
    )
    wrong = charter.Revocation(
        "phone", NONE, 1.0, "x", signer, seal(private, "charter", text)
    )
    with pytest.raises(WireError):
        charter.save_charter(
            phone.folder, charter.carry(load_charter(phone.folder), (wrong,))
        )


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.booleans())
def test_attack_any_bytes_are_a_notice_or_none_or_an_error(
    data: bytes, is_headed: bool
) -> None:
    data = b"trivet revoked 1\0" + data if is_headed else data
    try:
        assert read_notice(data) is None or is_headed
    except WireError:
        assert data.startswith(b"trivet revoked 1\0")


def test_a_notice_that_is_too_long_is_refused_unread() -> None:
    with pytest.raises(WireError, match="the most is"):
        read_notice(b"trivet revoked 1\0" + bytes(MAX_BYTES))


def test_a_second_word_on_a_device_changes_nothing(
    home: Household, phone: Household
) -> None:
    revoke(home, "phone", reason="stolen")
    notice = write_notice(own_charter(home.folder), "phone", NONE)
    for _ in range(2):
        with pytest.raises(RevokedError):
            take_notice(phone.folder, "phone", notice)
    assert len(own_charter(phone.folder).revoked) == 1

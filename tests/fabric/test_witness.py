"""Whether a ledger goes on from what is kept of it, and what is kept."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from trivet.domain import SetupError, UsageError, WireError
from trivet.fabric import ledger_chain as chain
from trivet.fabric.event import Event, EventKind
from trivet.fabric.ledger import Ledger
from trivet.fabric.ledger_chain import SignedHead
from trivet.fabric.witness import (
    MAX_BYTES,
    Asked,
    Shown,
    fault_of,
    own_fault,
    read_asked,
    read_shown,
    write,
)
from trivet.fabric.witness_file import MAX_DEVICES, WitnessFile

KEY, OTHER = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
NOW = 1_800_000_000.0


def head(
    seq: int, fill: int = 1, device: str = "phone", key: chain.Key = KEY
) -> SignedHead:
    """A device's word on an entry whose hash is one byte over and over."""
    digest = bytes([fill]) * 32
    return SignedHead(device, seq, digest, chain.sign_head(key, device, seq, digest))


def judged(kept: SignedHead | None, *shown: SignedHead) -> str:
    return fault_of("phone", kept, Shown(*shown), KEY.public_key())[0]


def test_a_ledger_that_grew_or_stayed_goes_on() -> None:
    assert judged(None, head(5)) == ""
    assert judged(head(5), head(5)) == ""
    assert judged(head(5), head(9, 2), head(5)) == ""


def test_a_ledgers_word_is_its_own_entry_and_its_head_holds_it() -> None:
    with Ledger(":memory:", "phone", key=KEY) as ledger:
        ledger.append_many(Event(EventKind.GRANT, NOW + n) for n in range(5))
        end, third = ledger.sign_at(5), ledger.sign_at(3)
        assert end is not None
        assert third is not None
        assert end.head == ledger.head
        assert third.is_by(KEY.public_key())
        assert not third.is_by(OTHER.public_key())
        assert ledger.sign_at(6) is None
        assert ledger.verify(third.head, end.head).is_sound
        assert judged(third, end, third) == ""


def test_a_ledger_without_a_private_key_says_no_word() -> None:
    with Ledger(":memory:", "phone") as ledger, pytest.raises(UsageError):
        ledger.sign_at(0)


def test_attack_a_ledger_is_rolled_back() -> None:
    assert "ends at entry 4 and ended at 5 before" in judged(head(5), head(4))
    # it grew again past the place, and what is there now is another entry
    fault, against = fault_of(
        "phone", head(5), Shown(head(9, 2), head(5, 3)), KEY.public_key()
    )
    assert "entry 5 of its ledger is not the one that it showed" in fault
    assert against is not None
    assert against.hash == bytes([3]) * 32


def test_attack_a_ledger_forks_at_the_same_length() -> None:
    assert "entry 5" in judged(head(5), head(5, 2))
    assert "entry 5" in judged(head(5), head(5, 2), head(5))


def test_attack_what_is_asked_for_is_left_out() -> None:
    assert "no longer shows entry 5" in judged(head(5), head(9, 2))


@pytest.mark.parametrize(
    "shown",
    [
        Shown(head(9, 2, key=OTHER), head(5)),
        Shown(head(9, 2), head(5, key=OTHER)),
        Shown(head(9, 2), head(6)),
        Shown(head(9, 2, "car"), head(5)),
        Shown(head(9, 2), head(5, 1, "car")),
        Shown(SignedHead("phone", 9, bytes(32), b"no signature"), head(5)),
    ],
)
def test_attack_a_head_is_forged_or_of_another_and_accuses_nobody(shown: Shown) -> None:
    with pytest.raises(WireError):
        fault_of("phone", head(5), shown, KEY.public_key())


def test_nobodys_key_signed_nothing() -> None:
    with pytest.raises(WireError):
        fault_of("phone", None, Shown(head(5)), None)


def test_a_device_sees_by_what_another_keeps_that_its_own_ledger_was_put_back() -> None:
    public = KEY.public_key()
    assert own_fault("phone", head(5), head(5), public) == ""
    assert "entry 5 is missing" in own_fault("phone", head(5), None, public)
    assert "entry 5 of it is not" in own_fault("phone", head(5), head(5, 2), public)
    with pytest.raises(WireError):
        own_fault("phone", head(5, key=OTHER), None, public)


# --- the wire ----------------------------------------------------------------------

MESSAGES = (
    Asked(None),
    Asked(head(5), 7),
    Shown(head(5)),
    Shown(head(5), head(3, 2), head(8, 3, "car", OTHER)),
)


@pytest.mark.parametrize("message", MESSAGES)
def test_what_is_written_is_read(message: Asked | Shown) -> None:
    read = read_asked if isinstance(message, Asked) else read_shown
    assert read(write(message)) == message
    assert len(write(message)) < MAX_BYTES


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(MESSAGES), st.randoms(use_true_random=False), st.binary(max_size=9)
)
def test_attack_any_bytes_are_words_or_a_wire_error(
    message: Asked | Shown, chance: random.Random, more: bytes
) -> None:
    data = bytearray(write(message) + more)
    for _ in range(chance.randrange(4)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    for read in (read_asked, read_shown):
        try:
            read(bytes(data))
        except WireError:
            continue


def test_what_is_too_long_is_refused_unread() -> None:
    with pytest.raises(WireError, match="the most is"):
        read_asked(bytes(MAX_BYTES + 1))


# --- the file ----------------------------------------------------------------------


def test_the_greatest_head_of_each_device_is_kept_on_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "witness-home.bin"
    file = WitnessFile(path)
    assert file.all() == ()
    for one in (head(5), head(9, 2), head(7, 3), head(1, 4, "car", OTHER)):
        file.keep(one, NOW)
    assert [(k.device, k.head.seq) for k in WitnessFile(path).all()] == [
        ("car", 1),
        ("phone", 9),
    ]
    assert path.stat().st_mode & 0o777 == 0o600


def test_evidence_stays_until_a_person_accepts_the_ledger(tmp_path: Path) -> None:
    file = WitnessFile(tmp_path / "witness-home.bin")
    file.accuse("phone", "nothing is kept, so nothing contradicts", None)
    assert file.all() == ()
    first = head(5)
    file.keep(first, NOW)
    file.accuse("phone", "the first", head(5, 2))
    file.accuse("phone", "the second", None)
    file.keep(head(9, 2), NOW)
    kept = file.kept("phone")
    assert kept is not None
    assert (kept.head, kept.fault) == (first, "the first")
    assert kept.against is not None
    assert kept.against.hash == bytes([2]) * 32
    assert file.accept("phone") == kept
    file.keep(head(2, 7), NOW)
    assert [k.head.seq for k in file.all()] == [2]
    with pytest.raises(UsageError, match="nothing is kept"):
        file.accept("car")


def test_no_more_devices_are_kept_than_a_household_has(tmp_path: Path) -> None:
    file = WitnessFile(tmp_path / "witness-home.bin")
    signature = head(1).signature
    for number in range(MAX_DEVICES):
        file.keep(SignedHead(f"d{number}", 1, bytes(32), signature), NOW)
    with pytest.raises(UsageError):
        file.keep(head(1), NOW)
    file.keep(SignedHead("d0", 2, bytes(32), signature), NOW)


@pytest.mark.parametrize("data", [b"", b"\x02\x90", b"\x01\x91", b"\x01\x81\x01\x01"])
def test_a_damaged_file_is_said_and_never_mended(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "witness-home.bin"
    path.write_bytes(data)
    file = WitnessFile(path)
    with pytest.raises(SetupError, match="damaged"):
        file.all()
    with pytest.raises(SetupError, match="damaged"):
        file.keep(head(5), NOW)
    assert path.read_bytes() == data

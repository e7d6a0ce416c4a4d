"""What a third device passes on is what its owner sealed, for whom, and taken once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import msgspec
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st

from trivet.domain import RefusedError, UsageError, WireError
from trivet.domain.wire import MAX_BYTES, Document, decode, encode
from trivet.fabric.envelope import MAX_ADDED, MAX_DATA, REORDER, Opened, Opener, Sealer

PHONE = ec.generate_private_key(ec.SECP256R1())
CAR = ec.generate_private_key(ec.SECP256R1())
few = settings(max_examples=60, deadline=None)
PATH = "location"


@dataclass
class House:
    """Whom the home trusts."""

    keys: dict[str, ec.EllipticCurvePublicKey] = field(
        default_factory=lambda: {"phone": PHONE.public_key(), "car": CAR.public_key()}
    )

    def opener(self, recipient: str = "home", **options: float) -> Opener:
        return Opener(recipient, key_of=self.keys.get, household="ours", **options)


def sealer(boot: int = 1, household: str = "ours") -> Sealer:
    return Sealer(PHONE, "phone", boot=boot, household=household)


@few
@given(st.binary(max_size=300), st.floats(0, 7e9))
def test_what_is_sealed_is_opened(data: bytes, time: float) -> None:
    sealed = sealer().seal("home", "Vehicle.Speed", data, time)
    opened = House().opener().open(sealed, time)
    assert opened == Opened("phone", "Vehicle.Speed", data, time, 1)
    assert len(sealed) - len(data) <= MAX_ADDED


def test_the_longest_that_can_be_sealed_fits_into_a_message() -> None:
    name = "a" * 63
    seals = Sealer(PHONE, name, boot=(1 << 63) - 1)
    sealed = seals.seal("b" * 63, "c" * 200, b"x" * MAX_DATA, 1e9)
    assert len(sealed) <= MAX_DATA + MAX_ADDED
    assert len(encode(Document("sealed", sealed))) <= MAX_BYTES
    opener = Opener("b" * 63, key_of=lambda owner: PHONE.public_key())
    assert len(opener.open(sealed, 1e9).data) == MAX_DATA
    with pytest.raises(UsageError, match="most"):
        seals.seal("home", PATH, b"x" * (MAX_DATA + 1), 1e9)


def test_messages_may_come_in_another_order() -> None:
    seals, opener = sealer(), House().opener()
    sent = [seals.seal("home", PATH, b"", 5.0) for _ in range(REORDER)]
    assert [opener.open(m, 5.0).seq for m in reversed(sent)] == list(
        range(REORDER, 0, -1)
    )


def test_a_device_that_starts_again_is_heard_again() -> None:
    opener = House().opener()
    for boot in (1, 2, 7):
        assert opener.open(sealer(boot).seal("home", PATH, b"", 5.0), 5.0).seq == 1


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 9), max_size=30))
def test_each_message_is_taken_at_most_once(order: list[int]) -> None:
    seals, opener = sealer(), House().opener()
    sent = [seals.seal("home", PATH, b"", 5.0) for _ in range(10)]
    taken = []
    for which in order:
        with suppress(RefusedError):
            taken.append(opener.open(sent[which], 5.0).seq)
    assert sorted(taken) == sorted({which + 1 for which in order})


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: sealer(boot=-1),
        lambda: sealer(boot=1 << 63),
        lambda: sealer(household="No!"),
        lambda: Sealer(PHONE, "Phone", boot=1),
        lambda: Sealer(ec.generate_private_key(ec.SECP384R1()), "phone", boot=1),
        lambda: Opener("*", key_of=lambda owner: None),
        lambda: sealer().seal("*", PATH, b"", 5.0),
        lambda: sealer().seal("home", "a/b", b"", 5.0),
        lambda: sealer().seal("home", PATH, b"", float("nan")),
        lambda: sealer().seal("home", PATH, b"", -1.0),
    ],
)
def test_a_wrong_argument_is_the_callers_mistake(wrong: Callable[[], object]) -> None:
    with pytest.raises(UsageError):
        wrong()


# --- what the device in between may try ----------------------------------------------


def test_attack_sends_a_message_again() -> None:
    opener = House().opener()
    sealed = sealer().seal("home", PATH, b"", 5.0)
    opener.open(sealed, 5.0)
    for now in (5.0, 6.0, 14.0):
        with pytest.raises(RefusedError, match="taken before"):
            opener.open(sealed, now)


def test_attack_sends_a_message_again_with_the_other_valid_signature() -> None:
    """(r, n - s) is as valid as (r, s): being new bytes makes no new message."""
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    opener = House().opener()
    sealed = sealer().seal("home", PATH, b"", 5.0)
    s = order - int.from_bytes(sealed[-32:], "big")
    twin = sealed[:-32] + s.to_bytes(32, "big")
    assert House().opener().open(twin, 5.0).seq == 1
    opener.open(sealed, 5.0)
    with pytest.raises(RefusedError, match="taken before"):
        opener.open(twin, 5.0)


def test_attack_holds_a_message_back_behind_the_window() -> None:
    seals, opener = sealer(), House().opener()
    first = seals.seal("home", PATH, b"", 5.0)
    for _ in range(REORDER):
        opener.open(seals.seal("home", PATH, b"", 5.0), 5.0)
    with pytest.raises(RefusedError, match="behind the newest"):
        opener.open(first, 5.0)


def test_attack_sends_again_what_was_sent_before_the_owner_started_anew() -> None:
    opener = House().opener()
    old = sealer(1).seal("home", PATH, b"", 5.0)
    opener.open(sealer(2).seal("home", PATH, b"", 5.0), 5.0)
    with pytest.raises(RefusedError, match="before its last start"):
        opener.open(old, 5.0)


def test_attack_sends_again_after_the_recipient_started_anew() -> None:
    sealed = sealer().seal("home", PATH, b"", 5.0)
    House().opener().open(sealed, 5.0)
    restarted = House().opener(not_before=6.0 + 5.0)
    with pytest.raises(RefusedError, match="held back"):
        restarted.open(sealed, 6.0)


@pytest.mark.parametrize(("now", "word"), [(15.1, "held back"), (-0.1, "ahead")])
def test_attack_sends_an_old_message_or_one_of_tomorrow(now: float, word: str) -> None:
    sealed = sealer().seal("home", PATH, b"", 5.0)
    with pytest.raises(RefusedError, match=word):
        House().opener().open(sealed, now)


def test_attack_sends_a_message_to_another_recipient() -> None:
    sealed = sealer().seal("car", PATH, b"", 5.0)
    with pytest.raises(RefusedError, match="astray"):
        House().opener().open(sealed, 5.0)


@pytest.mark.parametrize(
    ("index", "value"),
    [(0, "car"), (1, "home"), (2, "batt"), (3, 9), (4, 9), (5, 6.0), (6, b"other")],
    ids=["owner", "recipient", "path", "boot", "seq", "time", "data"],
)
def test_attack_alters_what_stands_in_a_message(index: int, value: object) -> None:
    sealed = sealer().seal("away", PATH, b"data", 5.0)
    letter = msgspec.msgpack.decode(sealed[1:-64])
    letter[1] = "home" if index == 1 else "away"
    letter[index] = value
    forged = sealed[:1] + msgspec.msgpack.encode(letter) + sealed[-64:]
    opener = House().opener("home" if index == 1 else "away")
    with pytest.raises(WireError, match="not as"):
        opener.open(forged, 5.0)
    assert House().opener("away").open(sealed, 5.0).seq == 1


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_attack_alters_any_bits(data: st.DataObject) -> None:
    sealed = bytearray(sealer().seal("home", PATH, b"data", 5.0))
    at = data.draw(st.integers(0, len(sealed) - 1))
    sealed[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises((WireError, RefusedError)):
        House().opener().open(bytes(sealed), 5.0)


def test_attack_takes_a_message_to_another_household() -> None:
    sealed = sealer(household="theirs").seal("home", PATH, b"", 5.0)
    with pytest.raises(WireError, match="household"):
        House().opener().open(sealed, 5.0)


def test_attack_speaks_for_a_device_that_nobody_knows() -> None:
    stranger = Sealer(PHONE, "toaster", boot=1, household="ours")
    with pytest.raises(RefusedError, match="not trusted"):
        House().opener().open(stranger.seal("home", PATH, b"", 5.0), 5.0)


def test_attack_speaks_for_another_device_of_the_household() -> None:
    as_phone = Sealer(CAR, "phone", boot=1, household="ours")
    with pytest.raises(WireError, match="not as phone sealed it"):
        House().opener().open(as_phone.seal("home", PATH, b"", 5.0), 5.0)


def test_attack_goes_on_after_it_was_revoked() -> None:
    house = House()
    opener, seals = house.opener(), sealer()
    opener.open(seals.seal("home", PATH, b"", 5.0), 5.0)
    del house.keys["phone"]
    with pytest.raises(RefusedError, match="not trusted"):
        opener.open(seals.seal("home", PATH, b"", 5.0), 5.0)


def test_attack_makes_an_owner_mute_with_a_number_far_ahead() -> None:
    """What is not the owner's moves no window."""
    opener, seals = House().opener(), sealer()
    sealed = seals.seal("home", PATH, b"", 5.0)
    letter = msgspec.msgpack.decode(sealed[1:-64])
    letter[3:5] = [1 << 60, 1 << 60]
    forged = sealed[:1] + msgspec.msgpack.encode(letter) + sealed[-64:]
    with pytest.raises(WireError):
        opener.open(forged, 5.0)
    assert opener.open(sealed, 5.0).seq == 1


def test_attack_uses_a_signature_that_was_made_for_something_else() -> None:
    sealed = sealer().seal("home", PATH, b"", 5.0)
    body = sealed[:-64]
    r, s = decode_dss_signature(PHONE.sign(body, ec.ECDSA(hashes.SHA256())))
    forged = body + r.to_bytes(32, "big") + s.to_bytes(32, "big")
    with pytest.raises(WireError):
        House().opener().open(forged, 5.0)


def test_attack_fills_the_memory_with_owners() -> None:
    opener = House().opener()
    for number in range(50):
        stranger = Sealer(CAR, f"d{number}", boot=1, household="ours")
        with suppress(RefusedError):
            opener.open(stranger.seal("home", PATH, b"", 5.0), 5.0)
    assert not opener._taken


def test_attack_sends_what_is_too_long() -> None:
    with pytest.raises(WireError, match="too long"):
        House().opener().open(b"\x01" * (MAX_DATA + MAX_ADDED + 1), 5.0)


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=200)
    | st.binary(min_size=66, max_size=200).map(lambda b: b"\x01" + b)
    | st.lists(
        st.none()
        | st.text(max_size=5)
        | st.binary(max_size=5)
        | st.integers()
        | st.floats(),
        max_size=9,
    ).map(lambda x: b"\x01" + _packed(x) + bytes(64))
)
def test_attack_sends_hostile_bytes(data: bytes) -> None:
    with pytest.raises((WireError, RefusedError)):
        House().opener().open(data, 5.0)


def test_attack_sends_numbers_that_are_none() -> None:
    for time in (float("nan"), float("inf"), -1.0, 1e300, "5"):
        for count in (-1, 1 << 63, 1.5):
            letter = ["phone", "home", PATH, 1, count, time, b""]
            data = b"\x01" + _packed(letter) + bytes(64)
            with pytest.raises(WireError):
                House().opener().open(data, 5.0)


def _packed(value: object) -> bytes:
    with suppress(OverflowError):
        return msgspec.msgpack.encode(value)
    return b""


def test_a_sealed_message_is_no_message_of_the_wire() -> None:
    with pytest.raises(WireError):
        decode(sealer().seal("home", PATH, b"", 5.0))

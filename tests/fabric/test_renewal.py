from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fabric.house_stage import NOW, Joined, crash, found, join, tree

from trivet.domain import DeviceKind, RefusedError, SetupError, WireError
from trivet.fabric import certificate
from trivet.fabric.certificate import DEVICE_DAYS
from trivet.fabric.charter import Charter, Member, own_charter
from trivet.fabric.household import Household, authority
from trivet.fabric.identity import issue, load_identity
from trivet.fabric.notice import read_notice
from trivet.fabric.renewal import (
    CHALLENGE_S,
    LATE,
    MAX_BYTES,
    LateDesk,
    answer_member,
    check_answer,
    due,
    prove,
)
from trivet.fabric.renewer import RETRY, Renewer, renew_here
from trivet.fabric.request import fingerprint, make_request, new_key
from trivet.fabric.revocation import revoke
from trivet.fabric.roll import Authority

LIFE = timedelta(days=DEVICE_DAYS)


class Stage:
    """An issuer, a car that belongs to it, and the words between them."""

    def __init__(self, folder: Path) -> None:
        self.house: Household = found(folder / "ours")
        self.car: Joined = join(self.house, folder / "car")
        self.desk = LateDesk()
        self.pem = self.car.identity.cert_path.read_bytes()
        self.request = make_request(
            self.car.private, "ours", "car", DeviceKind.CAR, ["car.local"]
        )

    def answer(self, data: bytes, asker: str = "car", now: datetime = NOW) -> bytes:
        charter = own_charter(self.house.folder)
        return answer_member(authority(self.house, NOW), charter, asker, data, now=now)

    def late(self, proof: bytes, now: datetime) -> bytes:
        charter = own_charter(self.house.folder)
        return self.desk.answer(authority(self.house, NOW), charter, proof, now=now)

    def proof(self, now: datetime) -> bytes:
        challenge = self.desk.challenge(now)
        return prove(self.car.private, "ours", self.request, self.pem, challenge)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


# --- over a link of the household -----------------------------------------------------


def test_a_member_gets_a_certificate_for_the_key_that_it_has(stage: Stage) -> None:
    later = NOW + LIFE * 2 / 3
    new = certificate.from_pem(stage.answer(stage.request, now=later))
    assert new.not_valid_after_utc == later + LIFE
    assert new.public_key() == stage.car.private.public_key()
    assert certificate.hosts_of(new) == ("car.local",)


def test_a_certificate_is_due_at_two_thirds_of_its_life(stage: Stage) -> None:
    cert = certificate.from_pem(stage.pem)
    begin, end = cert.not_valid_before_utc, cert.not_valid_after_utc
    assert due(cert) - begin == 2 * (end - due(cert))


def test_attack_renew_the_certificate_of_another_device(stage: Stage) -> None:
    with pytest.raises(RefusedError, match="home asks for a certificate of car"):
        stage.answer(stage.request, asker="home")
    forged = make_request(stage.car.private, "ours", "home", DeviceKind.HOME)
    with pytest.raises(RefusedError, match="car asks for a certificate of home"):
        stage.answer(forged)


def test_attack_renew_with_a_key_that_nobody_admitted(stage: Stage) -> None:
    forged = make_request(new_key(), "ours", "car", DeviceKind.CAR)
    with pytest.raises(RefusedError, match="another key"):
        stage.answer(forged)


def test_attack_become_a_home_by_renewal(stage: Stage) -> None:
    forged = make_request(stage.car.private, "ours", "car", DeviceKind.HOME)
    with pytest.raises(RefusedError, match="is a car, not a home"):
        stage.answer(forged)


def test_attack_renew_after_a_revocation(stage: Stage) -> None:
    revoke(stage.house, "car", reason="stolen", now=NOW)
    with pytest.raises(RefusedError, match="revoked"):
        stage.answer(stage.request)
    answer = stage.late(stage.proof(NOW + LIFE), NOW + LIFE)
    notice = read_notice(answer)  # and no certificate
    assert notice is not None
    assert (notice.device, notice.reason) == ("car", "stolen")


def test_attack_renew_what_was_never_admitted(stage: Stage) -> None:
    forged = make_request(new_key(), "ours", "boat", DeviceKind.OTHER)
    with pytest.raises(RefusedError, match="not a member"):
        stage.answer(forged, asker="boat")
    other = make_request(stage.car.private, "theirs", "car", DeviceKind.CAR)
    with pytest.raises(RefusedError, match="theirs"):
        stage.answer(other)


# --- late, over any link --------------------------------------------------------------


def test_a_device_that_was_away_too_long_proves_its_key(stage: Stage) -> None:
    late = NOW + LIFE + LATE
    new = certificate.from_pem(stage.late(stage.proof(late), late))
    assert new.not_valid_after_utc == late + LIFE


def test_one_that_was_away_longer_takes_a_person(stage: Stage) -> None:
    late = NOW + LIFE + LATE + timedelta(seconds=1)
    with pytest.raises(RefusedError, match="90 days"):
        stage.late(stage.proof(late), late)


def test_attack_renew_with_a_stolen_certificate_but_not_its_key(stage: Stage) -> None:
    """A certificate is public; so is a request that somebody has seen."""
    late, thief = NOW + LIFE, new_key()
    challenge = stage.desk.challenge(late)
    own = make_request(thief, "ours", "car", DeviceKind.CAR)
    with pytest.raises(RefusedError, match="for another key"):
        stage.late(prove(thief, "ours", own, stage.pem, challenge), late)
    seen = prove(thief, "ours", stage.request, stage.pem, challenge)
    with pytest.raises(RefusedError, match="did not prove"):
        stage.late(seen, late)


def test_attack_replay_a_late_proof(stage: Stage) -> None:
    late = NOW + LIFE
    proof = stage.proof(late)
    stage.late(proof, late)
    with pytest.raises(RefusedError, match="answered already"):
        stage.late(proof, late + timedelta(seconds=1))
    with pytest.raises(RefusedError, match="too old"):
        stage.late(proof, late + timedelta(seconds=CHALLENGE_S + 1))
    stage.desk = LateDesk()
    with pytest.raises(RefusedError, match="not of this issuer"):
        stage.late(proof, late)


def test_attack_answer_a_challenge_of_ones_own(stage: Stage) -> None:
    late = NOW + LIFE
    made_up = LateDesk().challenge(late)
    proof = prove(stage.car.private, "ours", stage.request, stage.pem, made_up)
    with pytest.raises(RefusedError, match="not of this issuer"):
        stage.late(proof, late)


def test_attack_fill_the_memory_of_the_desk(stage: Stage) -> None:
    """Asking for challenges costs the desk nothing; answered ones are forgotten."""
    late = NOW + LIFE
    for _ in range(100):
        stage.desk.challenge(late)
    for minute in range(3):
        now = late + timedelta(seconds=minute * (CHALLENGE_S + 1))
        stage.late(stage.proof(now), now)
    assert len(stage.desk._answered) == 1


def test_attack_prove_with_a_certificate_of_another_household(
    stage: Stage, tmp_path: Path
) -> None:
    other = found(tmp_path / "other")
    foreign = certificate.device(
        *authority(other, NOW),
        stage.car.private.public_key(),
        "car",
        DeviceKind.CAR,
        (),
        NOW,
        DEVICE_DAYS,
    )
    late = NOW + LIFE
    challenge, pem = stage.desk.challenge(late), certificate.to_pem(foreign)
    proof = prove(stage.car.private, "ours", stage.request, pem, challenge)
    with pytest.raises(RefusedError, match="not of this household"):
        stage.late(proof, late)


CA_KEY, CAR_KEY = new_key(), new_key()
ISSUER = Authority(certificate.authority(CA_KEY, "ours", NOW), CA_KEY)
CAR_MEMBER = Member("car", DeviceKind.CAR, fingerprint(CAR_KEY.public_key()))
RULES = Charter("ours", 1, (CAR_MEMBER,))
DESK = LateDesk()
LATE_NOW = NOW + LIFE
OLD = certificate.device(
    *ISSUER, CAR_KEY.public_key(), "car", DeviceKind.CAR, (), NOW, DEVICE_DAYS
)
PROOF = prove(
    CAR_KEY,
    "ours",
    make_request(CAR_KEY, "ours", "car", DeviceKind.CAR),
    certificate.to_pem(OLD),
    DESK.challenge(LATE_NOW),
)


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
@settings(max_examples=150, deadline=None)
@given(
    at=st.integers(0, 10_000),
    put=st.binary(min_size=1, max_size=4),
    is_cut=st.booleans(),
)
def test_attack_a_proof_of_hostile_bytes(at: int, put: bytes, is_cut: bool) -> None:
    """Whatever comes is refused or malformed, and nothing else happens."""
    at %= len(PROOF)
    bad = PROOF[:at] if is_cut else PROOF[:at] + put + PROOF[at + len(put) :]
    if bad != PROOF:
        with pytest.raises((WireError, RefusedError)):
            DESK.answer(ISSUER, RULES, bad, now=LATE_NOW)


def test_attack_a_proof_that_never_ends() -> None:
    with pytest.raises(WireError, match="the most is"):
        DESK.answer(ISSUER, RULES, PROOF + bytes(MAX_BYTES), now=LATE_NOW)


@pytest.mark.parametrize("length", [0, 55, 57])
def test_a_challenge_of_another_length_is_none(length: int) -> None:
    with pytest.raises(WireError, match="challenge"):
        prove(CAR_KEY, "ours", b"", certificate.to_pem(OLD), bytes(length))


# --- the device's side ----------------------------------------------------------------


def test_a_device_renews_itself_for_ever(stage: Stage) -> None:
    renewer = Renewer(stage.car.household, "car")
    now = NOW
    for _ in range(4):
        now = renewer.wake_at()
        assert not renewer.is_late(now)
        identity = renewer.take(stage.answer(renewer.request(), now=now), now)
        assert identity.expires == now + LIFE
        assert renewer.wake_at() > now
    assert now > NOW + LIFE
    assert identity.private == stage.car.identity.private


def test_a_device_that_wakes_up_late_says_so_and_proves(stage: Stage) -> None:
    renewer = Renewer(stage.car.household, "car")
    late = NOW + LIFE + timedelta(days=30)
    assert renewer.is_late(late)
    assert renewer.wake_at() < late
    proof = renewer.proof(stage.desk.challenge(late))
    assert renewer.take(stage.late(proof, late), late).expires == late + LIFE
    assert not renewer.is_late(late)


def test_failures_are_retried_ever_more_rarely(stage: Stage) -> None:
    renewer = Renewer(stage.car.household, "car")
    now = renewer.wake_at()
    waits = []
    for _ in range(10):
        renewer.failed(now)
        waits.append(renewer.wake_at() - now)
        now = renewer.wake_at()
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == RETRY
    renewer.take(stage.answer(renewer.request(), now=now), now)
    assert renewer.wake_at() == due(
        certificate.from_pem(stage.car.identity.cert_path.read_bytes())
    )


def test_attack_answer_a_renewal_with_something_else(
    stage: Stage, tmp_path: Path
) -> None:
    """Another device's certificate, another authority's, an older one, or noise."""
    renewer = Renewer(stage.car.household, "car")
    phone = join(stage.house, tmp_path / "phone", "phone")
    other = join(found(tmp_path / "other"), tmp_path / "car2")
    before = tree(stage.car.household.folder)
    for pem in (
        phone.identity.cert_path.read_bytes(),
        other.identity.cert_path.read_bytes(),
        stage.house.ca_path.read_bytes(),
        stage.answer(stage.request, now=NOW - timedelta(hours=1)),
        stage.pem,
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        b"",
    ):
        with pytest.raises(WireError):
            renewer.take(pem, NOW)
    assert tree(stage.car.household.folder) == before


def test_attack_a_certificate_that_is_not_valid_yet(stage: Stage) -> None:
    old = certificate.from_pem(stage.pem)
    far = stage.answer(stage.request, now=NOW + timedelta(days=30))
    ca = authority(stage.house, NOW).cert
    with pytest.raises(WireError, match="not valid now"):
        check_answer(old, far, ca, NOW)


def test_a_crash_while_renewing_leaves_the_old_certificate(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewer = Renewer(stage.car.household, "car")
    before = tree(stage.car.household.folder)
    new = stage.answer(renewer.request(), now=NOW + timedelta(days=9))
    crash(monkeypatch)
    with pytest.raises(SetupError, match="Input/output"):
        renewer.take(new, NOW + timedelta(days=9))
    assert tree(stage.car.household.folder) == before


def test_a_device_without_an_identity_has_nothing_to_renew(stage: Stage) -> None:
    with pytest.raises(SetupError, match="pair this device"):
        Renewer(stage.house, "boat")


def test_an_issuer_renews_what_is_due_in_its_own_folder(stage: Stage) -> None:
    issue(stage.house, "home", DeviceKind.HOME, now=NOW)
    issue(stage.house, "phone", DeviceKind.PHONE, now=NOW)
    revoke(stage.house, "phone", reason="lost", now=NOW)
    assert renew_here(stage.house, NOW + timedelta(days=1)) == ()
    later = NOW + LIFE * 3 / 4
    assert renew_here(stage.house, later) == ("home",)
    assert load_identity(stage.house, "home", now=later).expires == later + LIFE
    assert renew_here(stage.house, later) == ()
    assert renew_here(stage.car.household, later) == ()

"""A new authority in the old one's place: by the founder alone, on every member."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.fabric.house_stage import NOW, Joined, ask, crash, found, join, tree

from trivet.domain import DeviceKind, RefusedError, SetupError, UsageError, WireError
from trivet.fabric import certificate, charter, disk, seal
from trivet.fabric.admit import keep
from trivet.fabric.charter import load_charter, own_charter, save_charter
from trivet.fabric.household import (
    Household,
    authority,
    authority_certificate,
    load_household,
)
from trivet.fabric.identity import issue, load_identity
from trivet.fabric.refounding import adopt, refound, word_for
from trivet.fabric.request import new_key
from trivet.fabric.revocation import revoke
from trivet.fabric.vault import (
    become_issuer,
    export_household,
    import_household,
    make_issuer,
)

LATER = NOW + timedelta(hours=1)


class Stage:
    """A home that founded the household; a car and a phone, which can issue too."""

    def __init__(self, folder: Path) -> None:
        self.house: Household = found(folder / "home")
        issue(self.house, "home", DeviceKind.HOME, now=NOW)
        self.car: Joined = join(self.house, folder / "car")
        self.phone: Joined = join(self.house, folder / "phone", "phone")
        sealed = make_issuer(self.house, "phone")
        become_issuer(self.phone.household, "phone", sealed)
        for joined in (self.car, self.phone):
            save_charter(joined.household.folder, load_charter(self.house.folder))

    def leave_phone(self) -> bytes:
        """The phone is lost; the car's word."""
        revoke(self.house, "phone", reason="stolen", now=NOW)
        assert refound(self.house, now=LATER) == ()
        return word_for(self.house, "car")


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(tmp_path_factory.mktemp("kept"))


@pytest.fixture(scope="module")
def word(kept: Stage) -> bytes:
    return kept.leave_phone()


def test_what_was_agreed_stands_under_a_new_authority(stage: Stage) -> None:
    before = own_charter(stage.house.folder)
    known = authority_certificate(stage.house, NOW)
    stage.leave_phone()
    after = own_charter(stage.house.folder)
    assert authority_certificate(stage.house, LATER) != known
    assert [m.device for m in after.members] == ["car", "home"]
    assert [(r.device, r.reason) for r in after.revoked] == [("phone", "stolen")]
    assert after.version > before.version
    assert load_identity(stage.house, "home", now=LATER).device == "home"
    issue(stage.house, "tablet", DeviceKind.PHONE, now=LATER)


def test_a_member_follows(stage: Stage) -> None:
    word = stage.leave_phone()
    car = stage.car.household
    identity = adopt(car, "car", word, now=LATER)
    assert identity == load_identity(car, "car", now=LATER)
    assert own_charter(car.folder) == own_charter(stage.house.folder)
    assert authority_certificate(car, LATER) == authority_certificate(
        stage.house, LATER
    )
    assert adopt(car, "car", word, now=LATER) is None


def test_who_was_long_away_takes_the_last_of_several(stage: Stage) -> None:
    first = stage.leave_phone()
    refound(stage.house, now=LATER + timedelta(days=1))
    latest = word_for(stage.house, "car")
    car, now = stage.car.household, LATER + timedelta(days=60)
    assert adopt(car, "car", latest, now=now) is not None
    with pytest.raises(RefusedError, match="newer"):
        adopt(car, "car", first, now=now)


def test_two_devices_of_one_machine_follow_one_after_the_other(stage: Stage) -> None:
    folder = stage.car.household.folder
    private = new_key()
    keep(
        folder,
        device="radio",
        private=private,
        cert_pem=ask(stage.house, "radio", private),
        ca_pem=stage.house.ca_path.read_bytes(),
        charter=load_charter(stage.house.folder),
        now=NOW,
    )
    stage.leave_phone()
    for device in ("car", "radio"):
        word = word_for(stage.house, device)
        assert adopt(stage.car.household, device, word, now=LATER) is not None
        assert adopt(stage.car.household, device, word, now=LATER) is None
    for device in ("car", "radio"):
        assert load_identity(stage.car.household, device, now=LATER).device == device


def test_attack_who_is_shut_out_after_it_fetches_its_word(stage: Stage) -> None:
    stage.leave_phone()
    revoke(stage.house, "car", reason="stolen too", now=LATER)
    assert word_for(stage.house, "car") == b""


def test_what_is_left_of_a_stage_is_not_put_in_place_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:  # it ends while it tidies up
        patch.setattr(shutil, "rmtree", lambda *_, **__: None)
        refound(stage.house, now=LATER)
    revoke(stage.house, "phone", reason="stolen", now=LATER)
    load_household(stage.house.folder)
    assert own_charter(stage.house.folder).member("phone") is None
    refound(stage.house, now=LATER + timedelta(hours=1))
    assert own_charter(stage.house.folder).member("phone") is None


def test_another_issuer_is_one_no_more(stage: Stage, tmp_path: Path) -> None:
    become_issuer(stage.car.household, "car", make_issuer(stage.house, "car"))
    word = stage.leave_phone()
    adopt(stage.car.household, "car", word, now=LATER)
    with pytest.raises(SetupError):
        authority(stage.car.household, LATER)
    become_issuer(stage.car.household, "car", make_issuer(stage.house, "car"))
    assert authority(stage.car.household, LATER)


def test_what_issuers_made_of_themselves_is_taken_back(stage: Stage) -> None:
    """A thief with the authority's key has shut the founder's own device out."""
    thief = stage.phone.household
    revoke(thief, "home", reason="mine now", now=NOW)
    save_charter(stage.house.folder, load_charter(thief.folder))
    assert own_charter(stage.house.folder).member("home") is None
    revoke(stage.house, "phone", reason="stolen", now=NOW)
    refound(stage.house, restored=["home"], now=LATER)
    after = own_charter(stage.house.folder)
    assert [m.device for m in after.members] == ["car", "home"]
    assert [r.device for r in after.revoked] == ["phone"]
    with pytest.raises(UsageError, match="was not shut out"):
        refound(stage.house, restored=["car"], now=LATER + timedelta(hours=1))


def test_a_household_from_its_backup_can_be_refounded(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seal, "COST", seal.Cost(4, 8, 1))
    export_household(stage.house, tmp_path / "backup", "four words that fit")
    back = import_household(tmp_path / "backup", tmp_path / "b", "four words that fit")
    refound(back, now=LATER)
    assert adopt(stage.car.household, "car", word_for(back, "car"), now=LATER)


def test_a_household_of_before_says_what_to_do(tmp_path: Path) -> None:
    house = found(tmp_path / "old")
    private = new_key()
    cert = certificate.authority(private, "ours", NOW)
    (house.folder / charter.FILE).unlink()
    disk.replace(house.ca_path, certificate.to_pem(cert))
    disk.replace(house.ca_key_path, certificate.key_to_pem(private), disk.SECRET)
    with pytest.raises(SetupError, match="before a household had a founder's key"):
        refound(house, now=LATER)


@pytest.mark.parametrize("after", range(1, 8))
def test_a_crash_leaves_the_one_or_the_other(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    with monkeypatch.context() as patch:
        crash(patch, after=after)
        with pytest.raises(SetupError):
            refound(stage.house, now=LATER)
    house = load_household(stage.house.folder)
    assert not (house.folder / "staged").exists()
    load_identity(house, "home", now=LATER)
    assert own_charter(house.folder).member("car")
    assert authority(house, LATER)
    word = word_for(house, "car")
    assert adopt(stage.car.household, "car", word, now=LATER) is not None


def test_a_crash_before_anything_is_written_changes_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tree(stage.house.folder)
    with monkeypatch.context() as patch:
        crash(patch)
        with pytest.raises(SetupError):
            refound(stage.house, now=LATER)
    load_household(stage.house.folder)
    assert tree(stage.house.folder) == before


# --- attacks ------------------------------------------------------------------------


def test_attack_a_stolen_issuer_refounds(stage: Stage) -> None:
    with pytest.raises(SetupError, match=r"founder\.key"):
        refound(stage.phone.household, now=LATER)


def test_attack_a_stolen_issuer_founds_with_a_key_of_its_own(stage: Stage) -> None:
    thief = stage.phone.household
    disk.replace(thief.founder_key_path, certificate.key_to_pem(new_key()), disk.SECRET)
    with pytest.raises(SetupError, match="not the key that"):
        refound(thief, now=LATER)
    rogue = found(thief.folder.parent / "rogue")
    other = rogue.founder_key_path.read_bytes()
    disk.replace(thief.founder_key_path, other, disk.SECRET)
    ca = rogue.ca_path.read_bytes()  # an authority that names the thief's own founder
    disk.replace(thief.ca_path, ca)
    disk.replace(thief.ca_key_path, rogue.ca_key_path.read_bytes(), disk.SECRET)
    private = authority(thief, NOW).private
    mine = replace(own_charter(stage.house.folder), issuers=(ca.decode(),), revoked=())
    disk.replace(thief.folder / charter.FILE, charter.sign(mine, private))
    refound(thief, now=LATER)
    with pytest.raises(RefusedError, match="has not signed"):
        adopt(stage.car.household, "car", word_for(thief, "car"), now=LATER)


def test_attack_what_the_old_authority_signs_after_it_was_replaced(
    stage: Stage, tmp_path: Path
) -> None:
    adopt(stage.car.household, "car", stage.leave_phone(), now=LATER)
    thief, car = stage.phone.household, stage.car.household
    old = replace(own_charter(thief.folder), version=1 << 40)
    raised = charter.sign(old, authority(thief, NOW).private)
    for folder in (car.folder, stage.house.folder):
        with pytest.raises(WireError, match="not signed by an issuer"):
            save_charter(folder, raised)
    private = new_key()
    pem = ask(thief, "spy", private)
    ca = authority_certificate(car, LATER)
    assert not certificate.is_issued_by(certificate.from_pem(pem), ca)


def test_attack_a_thief_joins_those_who_followed(stage: Stage, tmp_path: Path) -> None:
    adopt(stage.car.household, "car", stage.leave_phone(), now=LATER)
    private = new_key()
    with pytest.raises((UsageError, WireError)):
        keep(
            stage.car.household.folder,
            device="spy",
            private=private,
            cert_pem=ask(stage.phone.household, "spy", private),
            ca_pem=stage.phone.household.ca_path.read_bytes(),
            charter=load_charter(stage.phone.household.folder),
            now=LATER,
        )


def test_attack_the_word_for_another_device(stage: Stage) -> None:
    refound(stage.house, now=LATER)  # the phone was not shut out
    with pytest.raises(RefusedError, match="has not signed this for car"):
        adopt(stage.car.household, "car", word_for(stage.house, "phone"), now=LATER)


def test_attack_who_was_shut_out_has_no_word(stage: Stage) -> None:
    stage.leave_phone()
    assert word_for(stage.house, "phone") == b""


@settings(max_examples=200, deadline=None)
@given(at=st.floats(0, 0.999), byte=st.integers(0, 255), is_cut=st.booleans())
def test_attack_a_word_of_hostile_bytes(
    kept: Stage, word: bytes, at: float, byte: int, is_cut: bool
) -> None:
    mutated = bytearray(word)
    place = int(at * len(word))
    mutated[place] = byte
    said = bytes(mutated[:place]) if is_cut else bytes(mutated)
    if said == word:
        return
    before = tree(kept.car.household.folder)
    with pytest.raises((WireError, RefusedError)):
        adopt(kept.car.household, "car", said, now=LATER)
    assert tree(kept.car.household.folder) == before


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400))
def test_attack_random_bytes_for_a_word(kept: Stage, word: bytes, data: bytes) -> None:
    with pytest.raises((WireError, RefusedError)):
        adopt(kept.car.household, "car", data, now=LATER)

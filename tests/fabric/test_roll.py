from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.fabric.house_stage import NOW, ask, found, join, tree

from trivet.domain import UsageError, WireError
from trivet.fabric.charter import FILE, load_charter, own_charter, sign
from trivet.fabric.household import Household, authority
from trivet.fabric.request import new_key
from trivet.fabric.revocation import revoke
from trivet.fabric.roll import amend, reconcile
from trivet.fabric.vault import become_issuer, make_issuer


@pytest.fixture
def household(tmp_path: Path) -> Household:
    return found(tmp_path / "ours")


@pytest.fixture
def second(household: Household, tmp_path: Path) -> Household:
    made = join(household, tmp_path / "car").household
    become_issuer(made, "car", make_issuer(household, "car"))
    return made


def ids(household: Household) -> list[str]:
    return [m.device for m in own_charter(household.folder).members]


def take(mine: Household, theirs: Household) -> None:
    reconcile(mine.folder, authority(mine, NOW), load_charter(theirs.folder))


def test_a_change_raises_the_version_and_no_change_does_not(
    household: Household,
) -> None:
    issuer = authority(household, NOW)
    first = own_charter(household.folder)
    before = tree(household.folder)
    assert amend(household.folder, issuer, lambda old: old) == first
    assert tree(household.folder) == before
    after = amend(household.folder, issuer, lambda old: replace(old, policy="p"))
    assert (after.version, after.policy) == (first.version + 1, "p")
    assert own_charter(household.folder) == after


def test_a_change_that_is_refused_changes_nothing(household: Household) -> None:
    before = tree(household.folder)
    with pytest.raises(UsageError):
        amend(
            household.folder,
            authority(household, NOW),
            lambda old: replace(old, policy="x" * 100_000),
        )
    assert tree(household.folder) == before


def test_a_household_without_a_charter_gets_its_first(household: Household) -> None:
    (household.folder / FILE).unlink()
    ask(household, "car", new_key())
    assert own_charter(household.folder).version == 1
    assert ids(household) == ["car"]


def test_whom_two_issuers_admitted_apart_both_stay_admitted(
    household: Household, second: Household
) -> None:
    ask(household, "phone", new_key())
    ask(second, "bike", new_key())
    ask(second, "boat", new_key())
    for _ in range(2):  # who meets whom first, and again
        take(household, second)
        take(second, household)
    assert ids(household) == ids(second) == ["bike", "boat", "car", "phone"]
    assert load_charter(household.folder) == load_charter(second.folder)


def test_issuers_that_agree_sign_nothing_more(
    household: Household, second: Household
) -> None:
    ask(household, "phone", new_key())
    take(second, household)
    before = load_charter(second.folder)
    take(second, household)
    take(household, second)
    assert load_charter(second.folder) == load_charter(household.folder) == before


def test_who_was_revoked_at_either_stays_out(
    household: Household, second: Household
) -> None:
    ask(household, "phone", new_key())
    take(second, household)
    revoke(second, "phone", reason="lost", now=NOW + timedelta(days=1))
    ask(household, "bike", new_key())
    ask(household, "boat", new_key())
    take(household, second)
    take(second, household)
    assert ids(household) == ids(second) == ["bike", "boat", "car"]


def test_attack_bring_a_revoked_member_back_by_an_old_charter(
    household: Household,
) -> None:
    ask(household, "phone", new_key())
    old = load_charter(household.folder)
    revoke(household, "phone", reason="stolen", now=NOW)
    before = load_charter(household.folder)
    reconcile(household.folder, authority(household, NOW), old)
    assert load_charter(household.folder) == before


def test_one_id_that_two_issuers_gave_away_has_one_key(
    household: Household, second: Household
) -> None:
    ask(household, "phone", new_key())
    ask(second, "phone", new_key())
    take(household, second)
    take(second, household)
    assert ids(household) == ids(second) == ["car", "phone"]
    mine = own_charter(household.folder).member("phone")
    assert mine == own_charter(second.folder).member("phone")


def test_attack_reconcile_with_a_charter_of_a_stranger(
    household: Household, tmp_path: Path
) -> None:
    other = found(tmp_path / "other")
    real = own_charter(other.folder)
    theirs = sign(replace(real, version=99), authority(other, NOW).private)
    before = tree(household.folder)
    with pytest.raises(WireError):
        reconcile(household.folder, authority(household, NOW), theirs)
    assert tree(household.folder) == before

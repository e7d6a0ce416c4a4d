from __future__ import annotations

from pathlib import Path

import pytest
from tests.fabric.house_stage import NOW, crash, found, join, tree

from trivet.domain import SetupError, UsageError
from trivet.fabric.charter import load_charter, newer, own_charter, read_charter
from trivet.fabric.household import Household
from trivet.fabric.revocation import is_revoked, revoke


@pytest.fixture
def household(tmp_path: Path) -> Household:
    made = found(tmp_path / "ours")
    join(made, tmp_path / "car")
    return made


def test_a_revoked_device_is_no_member_and_its_id_and_key_are_shut_out(
    household: Household,
) -> None:
    before = own_charter(household.folder)
    member = before.member("car")
    assert member is not None
    made = revoke(household, "car", reason="sold", now=NOW)
    after = own_charter(household.folder)
    assert after.version == before.version + 1
    assert after.members == ()
    assert after.revoked == (made,)
    assert (made.device, made.reason, made.time) == ("car", "sold", NOW.timestamp())
    assert is_revoked(after, "car", "another key")
    assert is_revoked(after, "another id", member.fingerprint)
    assert not is_revoked(after, "another id", "another key")


def test_revoking_twice_changes_nothing(household: Household) -> None:
    made = revoke(household, "car", reason="sold", now=NOW)
    before = load_charter(household.folder)
    assert revoke(household, "car", reason="sold again", now=NOW) == made
    assert load_charter(household.folder) == before


def test_nobody_is_revoked_who_is_not_a_member(household: Household) -> None:
    with pytest.raises(UsageError, match=r"boat is not a member.*members: car"):
        revoke(household, "boat", reason="sunk", now=NOW)


@pytest.mark.parametrize("reason", ["", " ", "two\nlines", "\x1b[2J", "x" * 201])
def test_a_reason_is_one_line_for_a_person(household: Household, reason: str) -> None:
    before = tree(household.folder)
    with pytest.raises(UsageError, match="one line"):
        revoke(household, "car", reason=reason, now=NOW)
    assert tree(household.folder) == before


def test_attack_revoke_another_device_as_a_member(
    household: Household, tmp_path: Path
) -> None:
    """A member that has no authority shuts nobody out, not even on its own machine."""
    member = join(household, tmp_path / "phone", "phone").household
    with pytest.raises(SetupError, match=r"ca\.key is missing"):
        revoke(member, "car", reason="spite", now=NOW)
    assert own_charter(member.folder).revoked == ()


def test_a_revocation_reaches_a_device_that_saw_a_later_charter(
    household: Household, tmp_path: Path
) -> None:
    ca = household.ca_path.read_bytes()
    early = load_charter(household.folder)
    revoke(household, "car", reason="sold", now=NOW)
    shut = load_charter(household.folder)
    join(household, tmp_path / "phone", "phone")
    late = load_charter(household.folder)
    for order in ([early, shut, late], [late, early, shut], [shut, late, early]):
        kept = order[0]
        for one in order[1:]:
            kept = newer(kept, one)
        assert [r.device for r in read_charter(kept, [ca]).revoked] == ["car"]
        assert [m.device for m in read_charter(kept, [ca]).members] == ["phone"]


def test_a_crash_while_revoking_leaves_the_old_charter(
    household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tree(household.folder)
    crash(monkeypatch)
    with pytest.raises(SetupError):
        revoke(household, "car", reason="sold", now=NOW)
    assert tree(household.folder) == before

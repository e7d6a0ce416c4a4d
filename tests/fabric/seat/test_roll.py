"""A majority is one of each roll that those who promised stand by."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from trivet.domain import DeviceKind
from trivet.fabric.access import Party
from trivet.fabric.seat import Roll, order_of, roll_of
from trivet.fabric.seat.roll import is_quorum

OLD = Roll(1, ("car", "home", "phone"))
NEW = Roll(3, ("car", "home", "phone", "tablet", "van"))


def test_a_majority_of_the_new_roll_alone_is_not_enough() -> None:
    """Two tablets join at home while phone and car are away."""
    at_home = {"home": (OLD,), "tablet": (OLD, NEW), "van": (NEW,)}
    assert not is_quorum(NEW, at_home)
    assert is_quorum(NEW, {**at_home, "phone": (OLD,)})


def test_once_it_is_settled_the_new_roll_is_enough() -> None:
    assert is_quorum(NEW, {"home": (), "tablet": (), "van": (NEW,)})


def test_who_was_shut_out_counts_in_no_roll() -> None:
    alone = Roll(5, ("home",))
    assert is_quorum(alone, {"home": (OLD,)})
    assert not is_quorum(Roll(5, ("car", "home")), {"home": (OLD,)})


def test_a_voter_that_stands_by_a_roll_that_is_not_won_does_not_spoil_it() -> None:
    elsewhere = Roll(2, ("tablet", "van", "phone"))
    granted = {"home": (), "car": (), "phone": (), "tablet": (elsewhere,)}
    assert is_quorum(NEW, granted)


@given(
    st.lists(st.sets(st.sampled_from(NEW.devices), min_size=1), min_size=2, max_size=2)
)
def test_any_two_quorums_have_a_voter_in_common(sides: list[set[str]]) -> None:
    """One by the old roll, one by the new one; nobody has settled the new one yet."""
    one, other = sides
    first = is_quorum(OLD, dict.fromkeys(one, (OLD,)))
    second = is_quorum(NEW, dict.fromkeys(other, (OLD,)))
    if first and second:
        assert one & other


def test_any_two_majorities_of_one_roll_have_a_voter_in_common() -> None:
    won = [
        set(side)
        for size in range(6)
        for side in combinations(NEW.devices, size)
        if is_quorum(NEW, dict.fromkeys(side, ()))
    ]
    assert len(won) == 16
    assert all(one & other for one in won for other in won)


def test_guests_neither_vote_nor_stand() -> None:
    members = {
        "home": Party("home", DeviceKind.HOME),
        "phone-b": Party("phone-b", DeviceKind.PHONE),
        "phone-a": Party("phone-a", DeviceKind.PHONE),
        "visitor": Party("visitor", DeviceKind.PHONE, is_guest=True),
    }
    assert roll_of(members, 4) == Roll(4, ("home", "phone-a", "phone-b"))
    names = ("phone-b", "home", "phone", "car")
    assert order_of(members, names) == ("phone-b", "home", "phone-a")
    assert order_of(members, ("visitor",)) == ()

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from trivet.fabric.presence import MAX_DEVICES, Liveness, Presence

acts = st.lists(
    st.tuples(
        st.sampled_from(["up", "down", "silent", "heard"]),
        st.sampled_from(["car", "home", "phone"]),
    ),
    max_size=40,
)


def test_a_token_makes_a_device_come_and_its_fall_makes_it_go() -> None:
    presence = Presence()
    assert presence.token("car", True) == [Liveness("car", True)]
    assert presence.token("car", True) == []
    assert presence.token("car", False) == [Liveness("car", False)]
    assert presence.token("car", False) == []


def test_a_device_that_falls_silent_is_gone_though_its_token_stands() -> None:
    presence = Presence()
    presence.token("car", True)
    assert presence.silence("car", True) == [Liveness("car", False)]
    assert presence.token("car", True) == []
    assert presence.silence("car", False) == [Liveness("car", True)]


def test_a_device_that_fell_silent_is_not_back_before_it_is_heard() -> None:
    presence = Presence()
    presence.token("car", True)
    presence.silence("car", True)
    presence.token("car", False)
    assert presence.token("car", True) == []
    assert presence.silence("car", False) == [Liveness("car", True)]


def test_one_that_is_heard_without_a_token_is_not_believed() -> None:
    presence = Presence()
    assert presence.silence("car", False) == []
    assert presence.alive == frozenset()


def test_one_household_has_a_bounded_number_of_devices() -> None:
    presence = Presence()
    for number in range(MAX_DEVICES + 5):
        presence.token(f"d{number}", True)
    assert len(presence.alive) == MAX_DEVICES


@settings(max_examples=80, deadline=None)
@given(acts)
def test_changes_alternate_and_add_up_to_who_is_there(
    steps: list[tuple[str, str]],
) -> None:
    presence, told = Presence(), dict[str, bool]()
    for act, device in steps:
        if act in ("silent", "heard"):
            changes = presence.silence(device, act == "silent")
        else:
            changes = presence.token(device, act == "up")
        for life in changes:
            assert told.get(life.device, False) is not life.is_alive
            told[life.device] = life.is_alive
        assert presence.alive == {d for d, is_alive in told.items() if is_alive}

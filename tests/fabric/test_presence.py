from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from trivet.fabric.presence import MAX_DEVICES, Liveness, Presence

acts = st.lists(
    st.tuples(
        st.sampled_from(["up", "down", "beat", "tick"]),
        st.sampled_from(["car", "home", "phone"]),
        st.floats(0.0, 3.0),
    ),
    max_size=40,
)


def test_a_token_makes_a_device_come_and_its_fall_makes_it_go() -> None:
    presence = Presence(3.0)
    assert presence.token("car", True, 0.0) == [Liveness("car", True)]
    assert presence.token("car", True, 0.1) == []
    assert presence.token("car", False, 0.2) == [Liveness("car", False)]
    assert presence.token("car", False, 0.3) == []


def test_a_device_that_falls_silent_is_gone_though_its_token_stands() -> None:
    presence = Presence(3.0)
    presence.token("car", True, 0.0)
    presence.heard("car", 2.0)
    assert presence.tick(5.0) == []
    assert presence.tick(5.1) == [Liveness("car", False)]
    assert presence.heard("car", 9.0) == [Liveness("car", True)]


def test_a_heartbeat_without_a_token_is_not_believed() -> None:
    presence = Presence(3.0)
    assert presence.heard("car", 1.0) == []
    assert presence.alive == frozenset()


def test_one_household_has_a_bounded_number_of_devices() -> None:
    presence = Presence(3.0)
    for number in range(MAX_DEVICES + 5):
        presence.token(f"d{number}", True, 0.0)
    assert len(presence.alive) == MAX_DEVICES


@settings(max_examples=80, deadline=None)
@given(acts)
def test_changes_alternate_and_add_up_to_who_is_there(
    steps: list[tuple[str, str, float]],
) -> None:
    presence, time, told = Presence(3.0), 0.0, dict[str, bool]()
    for act, device, wait_s in steps:
        time += wait_s
        if act == "beat":
            changes = presence.heard(device, time)
        elif act == "tick":
            changes = presence.tick(time)
        else:
            changes = presence.token(device, act == "up", time)
        for life in changes:
            assert told.get(life.device, False) is not life.is_alive
            told[life.device] = life.is_alive
        assert presence.alive == {d for d, is_alive in told.items() if is_alive}

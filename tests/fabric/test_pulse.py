"""Whose heart beats: devices, a wire between them, and a clock passed in."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trivet.fabric.beat import Beat
from trivet.fabric.presence import MAX_DEVICES
from trivet.fabric.pulse import BEAT_S, DOUBT_S, HASTE_S, SILENCE_S, STUCK_S, Pulse

#: From the fault to the end of the link.
FOUND_S = 2.0


class Body:
    """A device: its pulse, and what it lost and when."""

    def __init__(self, name: str, run: int) -> None:
        self.name, self.pulse = name, Pulse(run, 0.0)
        self.lost: list[tuple[float, str, bool]] = []
        self.back: list[tuple[float, str]] = []
        self.next, self.is_frozen, self.turns = 0.0, False, True


class World:
    """Devices on one wire, woken when they ask for it."""

    def __init__(self, *names: str) -> None:
        self.time = 0.0
        self.bodies = {n: Body(n, i) for i, n in enumerate(names, 1)}
        self.is_through: Callable[[str, str], bool] = lambda source, target: True
        for one in names:
            for other in names:
                if one != other:
                    self.bodies[one].pulse.token(other, True, 0.0)

    def live(self, seconds: float, step_s: float = 0.01) -> None:
        end = self.time + seconds
        while self.time < end:
            self.time += step_s
            for body in self.bodies.values():
                if not body.is_frozen and self.time >= body.next:
                    self._wake(body)

    def _wake(self, body: Body) -> None:
        if body.turns:
            body.pulse.turn(self.time)
        for device, is_linked in body.pulse.check(self.time):
            body.lost.append((self.time, device, is_linked))
        for recipient, beat in body.pulse.beats(self.time):
            self._carry(body.name, recipient, beat)
        body.next = self.time + body.pulse.wait_s(self.time)

    def _carry(self, source: str, target: str, beat: Beat) -> None:
        body = self.bodies[target]
        if body.is_frozen or not self.is_through(source, target):
            return
        if body.pulse.heard(source, beat, self.time):
            body.back.append((self.time, source))


def test_who_beats_is_never_lost() -> None:
    world = World("home", "car", "phone")
    world.live(60.0)
    assert not any(body.lost for body in world.bodies.values())


@settings(max_examples=30, deadline=None)
@given(st.floats(0.0, 3.0))
def test_who_freezes_is_lost_within_two_seconds_and_once(lived_s: float) -> None:
    world = World("home", "car")
    home, car = world.bodies.values()
    world.live(lived_s)
    car.is_frozen = True
    world.live(20.0)
    [(time, device, is_linked)] = home.lost
    assert device == "car"
    assert is_linked
    assert time - lived_s <= FOUND_S


def test_who_overslept_does_not_accuse_the_others() -> None:
    world = World("home", "car", "phone")
    world.live(3.0)
    world.bodies["car"].is_frozen = True
    world.live(10.0)
    world.bodies["car"].is_frozen = False  # it was suspended, and wakes
    world.live(10.0)
    assert world.bodies["car"].lost == []


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0.0, 0.5), min_size=20, max_size=40))
def test_one_that_is_often_late_by_half_a_second_still_finds_who_is_dead(
    naps_s: list[float],
) -> None:
    world = World("home", "car")
    world.live(2.0)
    world.bodies["car"].is_frozen = True
    began, home = world.time, world.bodies["home"]
    for nap_s in naps_s:  # as when something keeps the interpreter to itself
        home.is_frozen = True
        world.live(nap_s)
        home.is_frozen = False
        world.live(0.05)
    world.live(FOUND_S)
    assert home.lost[0][0] - began <= FOUND_S + 0.5 + 0.25 * len(naps_s)


@pytest.mark.parametrize("deaf", ["home", "car"])
def test_where_one_direction_is_dead_both_sides_end_the_link(deaf: str) -> None:
    world = World("home", "car")
    world.live(5.0)
    world.is_through = lambda source, target: target != deaf
    world.live(4.0)
    for body in world.bodies.values():
        assert len(body.lost) == 1
        assert body.lost[0][0] - 5.0 <= 2 * FOUND_S


def test_who_says_that_it_does_not_hear_us_is_lost_though_we_hear_it() -> None:
    pulse = Pulse(1, 0.0)
    pulse.token("car", True, 0.0)
    time = 0.0
    lost: list[tuple[str, bool]] = []
    while time < 5.0 and not lost:
        pulse.turn(time)
        pulse.heard("car", Beat(7, 1, 0, int(time * 1000)), time)
        pulse.beats(time)
        lost = pulse.check(time)
        time += 0.1
    assert lost == [("car", True)]
    assert SILENCE_S < time <= SILENCE_S + 2 * BEAT_S


def test_attack_a_claim_not_to_hear_us_counts_only_when_we_had_the_time() -> None:
    pulse = Pulse(1, 0.0)
    pulse.token("car", True, 0.0)
    for number in range(15):
        pulse.turn(number / 10)
        pulse.heard("car", Beat(7, 1, 0, 0xFFFF), number / 10)
        assert pulse.check(number / 10) == []


def test_a_loop_that_is_stuck_stops_the_heart_and_accuses_nobody() -> None:
    world = World("home", "car")
    home, car = world.bodies.values()
    world.live(3.0)
    car.turns = False
    world.live(STUCK_S + 10.0)
    [(time, _, _)] = home.lost
    assert STUCK_S < time - 3.0 <= STUCK_S + FOUND_S + BEAT_S
    assert car.lost == []


def test_a_loop_that_is_busy_for_half_a_second_is_not_missed() -> None:
    world = World("home", "car")
    world.live(3.0)
    for _ in range(10):
        world.bodies["car"].turns = False
        world.live(0.5)
        world.bodies["car"].turns = True
        world.live(0.05)
    assert not any(body.lost for body in world.bodies.values())


def test_who_was_lost_is_back_when_its_link_is_made_anew_and_it_is_heard() -> None:
    world = World("home", "car")
    home, car = world.bodies.values()
    world.live(3.0)
    car.is_frozen = True
    world.live(3.0)
    home.pulse.token("car", False, world.time)
    world.live(1.0)
    home.pulse.token("car", True, world.time)
    world.live(1.0)
    assert home.back == []  # its token alone says nothing
    car.is_frozen = False
    car.pulse.token("home", False, world.time)
    car.pulse.token("home", True, world.time)
    world.live(1.0)
    assert [device for _, device in home.back] == ["car"]
    assert car.lost == []


def test_who_beats_on_a_link_that_should_be_dead_is_believed_after_a_while() -> None:
    world = World("home", "car")
    world.live(3.0)
    world.is_through = lambda source, target: False
    world.live(3.0)
    world.is_through = lambda source, target: True
    world.live(DOUBT_S - 3.0)
    assert world.bodies["home"].back == []
    world.live(DOUBT_S)
    assert [device for _, device in world.bodies["home"].back] == ["car"]


def test_who_left_is_not_lost_and_hears_no_more_beats() -> None:
    pulse = Pulse(1, 0.0)
    pulse.token("car", True, 0.0)
    pulse.token("car", False, 0.5)
    assert pulse.check(10.0) == []
    assert pulse.beats(10.0) == []


def test_who_is_not_seen_after_we_opened_anew_is_lost_and_has_no_link_to_cut() -> None:
    pulse = Pulse(1, 0.0)
    pulse.token("car", True, 0.0)
    pulse.token("phone", True, 0.0)
    pulse.reopened(1.0)
    pulse.token("phone", True, 1.1)
    time = 1.0
    lost: list[tuple[str, bool]] = []
    while not lost:
        time += 0.1
        pulse.heard("phone", Beat(7, 1, 0, 100), time)
        lost = pulse.check(time)
    assert lost == [("car", False)]


def test_who_is_asked_beats_at_once_and_no_faster_than_it_must() -> None:
    pulse = Pulse(1, 0.0)
    pulse.token("car", True, 0.0)
    assert len(pulse.beats(0.0)) == 1
    assert pulse.beats(0.1) == []
    pulse.heard("car", Beat(7, is_asking=True), 0.1)
    assert len(pulse.beats(0.1)) == 1
    sent = 0
    for number in range(1000):  # a flood of questions
        time = 0.1 + number / 1000
        pulse.heard("car", Beat(7, is_asking=True), time)
        sent += len(pulse.beats(time))
    assert sent <= 1 + 1 / HASTE_S


def test_messages_are_signs_of_life_too() -> None:
    pulse = Pulse(1, 0.0)
    pulse.token("car", True, 0.0)
    tally = pulse.tally("car")
    assert tally is not None
    for number in range(100):  # its beats wait behind all that it sends
        tally.arrived += 10
        assert pulse.check(number / 10) == []


def test_attack_more_devices_than_a_household_has_are_not_kept() -> None:
    pulse = Pulse(1, 0.0)
    for number in range(3 * MAX_DEVICES):
        pulse.token(f"d{number}", True, 0.0)
    assert len(pulse.beats(0.0)) == MAX_DEVICES
    assert pulse.tally("one-more") is None

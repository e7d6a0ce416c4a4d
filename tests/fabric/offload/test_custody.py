"""An input goes only where the policy would let its signals go, and that is kept."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import pytest

from trivet.domain import (
    DeviceKind,
    Purpose,
    RefusedError,
    Sample,
    SetupError,
    UsageError,
)
from trivet.fabric.access import Access, Circumstances, Decision, Party, Verb
from trivet.fabric.event import Event, EventKind
from trivet.fabric.offload.custody import Custody, Read, check_named, samples_in

CAR, PHONE = Party("car", DeviceKind.CAR), Party("phone", DeviceKind.PHONE)
HOME = Party("home", DeviceKind.HOME)
GUEST = Party("guest", DeviceKind.PHONE, is_guest=True)
PARTIES = {party.device: party for party in (CAR, PHONE, HOME, GUEST)}
SPEED = Read("car", "Vehicle.Speed", Purpose.DIAGNOSTICS)
PLACE = Read("phone", "location", Purpose.NAVIGATION, 500)


class Rules:
    """Allows what is in `allowed`, as (who, path), and keeps what it was asked."""

    def __init__(self, *allowed: tuple[str, str]) -> None:
        self.allowed = set(allowed)
        self.asked: list[Access] = []

    def decide(self, access: Access) -> Decision:
        self.asked.append(access)
        is_allowed = (access.who.device, access.path) in self.allowed
        why = "it is so" if is_allowed else "it is not so"
        return Decision(is_allowed, "rule-1", why)


class Notes(list[tuple[str, str, str, int]]):
    """A witness that keeps all: peer, path, purpose, exactness."""

    is_full = False

    def note(
        self,
        lease: str,
        peer: str,
        path: str,
        purpose: str,
        exact_m: int,
        time: float,
        now: float,
    ) -> None:
        if self.is_full:
            raise SetupError("the ledger cannot be written")
        self.append((peer, path, purpose, exact_m))


class Kept(msgspec.Struct):
    """What was written down, and the time."""

    notes: Notes
    events: list[Event]
    now: float = 7.0


def custody(rules: Rules) -> tuple[Custody, Kept]:
    kept = Kept(Notes(), [])
    made = Custody(
        CAR,
        PARTIES.get,
        lambda: rules,
        lambda: Circumstances(driving=True),
        kept.notes,
        kept.events.append,
        lambda: kept.now,
    )
    return made, kept


def test_the_policy_is_asked_as_for_a_lease() -> None:
    rules = Rules(("home", "location"))
    made, _ = custody(rules)
    assert made.allows("home", (PLACE,))
    assert rules.asked == [
        Access(
            Verb.RECEIVE,
            HOME,
            PHONE,
            "location",
            Circumstances(driving=True),
            "navigation",
            500,
        )
    ]


def test_an_owner_may_always_have_its_own_and_this_device_only_what_it_may() -> None:
    made, _ = custody(Rules(("phone", "Vehicle.Speed")))
    assert made.allows("phone", (SPEED, PLACE))
    assert made.allows("car", (SPEED,))
    assert not made.allows("car", (PLACE,))
    assert not made.allows("home", (SPEED,))


def test_without_reads_only_the_household_may_have_it() -> None:
    made, _ = custody(Rules())
    assert [made.allows(d, ()) for d in ("car", "phone", "guest", "stranger")] == [
        True,
        True,
        False,
        False,
    ]


def test_a_signal_of_a_stranger_goes_nowhere() -> None:
    made, _ = custody(Rules(("home", "x")))
    assert not made.allows("home", (Read("stranger", "x", Purpose.COMFORT),))


def test_what_is_handed_over_is_written_down_before() -> None:
    made, kept = custody(Rules(("home", "location"), ("home", "Vehicle.Speed")))
    made.hand("plan", "car", (SPEED,))
    made.hand("plan", "phone", (PLACE,))
    assert kept.notes == []
    made.hand("plan", "home", (SPEED, PLACE))
    assert kept.notes == [
        ("home", "Vehicle.Speed", "diagnostics", 0),
        ("home", "phone.location", "navigation", 500),
    ]


def test_what_cannot_be_written_down_stays() -> None:
    made, kept = custody(Rules(("home", "location")))
    kept.notes.is_full = True
    with pytest.raises(SetupError):
        made.hand("plan", "home", (PLACE,))


def test_what_is_refused_in_the_last_moment_is_refused() -> None:
    rules = Rules(("home", "Vehicle.Speed"))
    made, kept = custody(rules)
    made.check("plan", ["home"], (SPEED,))
    rules.allowed.clear()
    with pytest.raises(RefusedError, match=r"home may not have Vehicle\.Speed.*rule-1"):
        made.hand("plan", "home", (SPEED,))
    assert [(e.kind, e.rule) for e in kept.events] == [(EventKind.REFUSAL, "rule-1")]


def test_where_nobody_may_have_it_every_reason_is_told() -> None:
    made, kept = custody(Rules())
    with pytest.raises(RefusedError) as caught:
        made.check("plan", ["car", "home", "guest"], (PLACE,))
    for words in ("car may not have location of phone", "home may not", "a guest's"):
        assert words in str(caught.value)
    assert [(e.kind, e.peer, e.paths, e.detail) for e in kept.events] == [
        (
            EventKind.REFUSAL,
            device,
            ("phone.location",),
            "in the input of plan: it is not so",
        )
        for device in ("car", "home")
    ]


def test_a_refusal_again_and_again_is_written_down_once_a_minute() -> None:
    made, kept = custody(Rules())
    for number in range(500):
        kept.now = 7.0 + number * 0.2
        with pytest.raises(RefusedError):
            made.check("plan", ["home"], (PLACE,))
    assert len(kept.events) == 2


class Trip(msgspec.Struct):
    points: list[Sample]
    extra: dict[str, tuple[Sample, ...]]


@dataclass
class Leg:
    start: Sample
    legs: list[Leg]


def test_attack_a_sample_in_a_dataclass_is_found() -> None:
    where = Sample("phone", "location", 1.0, 2.0)
    with pytest.raises(UsageError, match="holds location of phone"):
        check_named(Leg(where, []), (SPEED,))
    speed = Sample("car", "Vehicle.Speed", 1.0, 2.0)
    assert samples_in(Leg(where, [Leg(speed, [])])) == {
        ("phone", "location"),
        ("car", "Vehicle.Speed"),
    }


def test_samples_are_found_however_deep() -> None:
    where = Sample("phone", "location", 1.0, 2.0)
    speed = Sample("car", "Vehicle.Speed", 1.0, 2.0)
    trip = Trip([where], {"a": (speed,)})
    assert samples_in([trip, 1, None]) == {
        ("phone", "location"),
        ("car", "Vehicle.Speed"),
    }
    check_named(trip, (SPEED, PLACE))
    with pytest.raises(UsageError, match="holds location of phone"):
        check_named(trip, (SPEED,))

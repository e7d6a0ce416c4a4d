"""A frozen mind predicts and learns nothing; the person's word on places holds."""

from __future__ import annotations

import pytest
from tests.engine.life import (
    BERLIN,
    FAR,
    HOME,
    SHOP,
    WORK,
    commute,
    drive,
    here,
    learn,
    learner,
    monday,
    stay,
    trips_in,
)

from trivet.domain import PlaceRole, Sample, UsageError
from trivet.engine import Anticipator
from trivet.engine.snapshot import load

KNOWN = learner(commute(14)).snapshot()
TUESDAY = [
    *stay(monday(0, 15), HOME, 8 * 3600, 600),
    *drive(monday(8, 15), HOME, FAR),
    *stay(monday(8.5, 15), FAR, 3600),
    *drive(monday(9.6, 15), FAR, WORK),
    *stay(monday(10.2, 15), WORK, 3600),
]


def mind() -> Anticipator:
    return Anticipator.restore(KNOWN, here())


def memory(anticipator: Anticipator) -> tuple[object, ...]:
    state = load(anticipator.snapshot())
    return state.records, state.past, state.stays, state.calibration, state.made


def test_a_frozen_mind_learns_nothing_and_still_foretells() -> None:
    anticipator = mind()
    anticipator.freeze(monday(0, 14))
    before = memory(anticipator)
    foretold = 0
    for sample in TUESDAY:
        anticipator.learn_one(sample)
        foretold += anticipator.predict_one(sample.time) is not None
    assert foretold > 50
    assert memory(anticipator) == before
    assert anticipator.at(TUESDAY[-1].time) == "p2"


def test_what_was_foretold_of_a_way_home_before_a_freeze_is_not_judged_after() -> None:
    anticipator = mind()
    learn(anticipator, TUESDAY[:140])
    assert load(anticipator.snapshot()).home.checks
    anticipator.freeze(TUESDAY[139].time)
    learn(anticipator, TUESDAY[140:])
    assert not load(anticipator.snapshot()).home.checks


def test_a_frozen_mind_knows_no_new_place() -> None:
    anticipator = mind()
    anticipator.freeze(monday(0, 14))
    learn(anticipator, TUESDAY[:140])
    assert anticipator.at(TUESDAY[139].time) == ""
    assert len(anticipator.places) == 2


def test_freezing_outlasts_a_restart_and_twice_is_once() -> None:
    anticipator = mind()
    assert anticipator.freeze(monday(0, 14))
    assert not anticipator.freeze(monday(1, 14))
    again = Anticipator.restore(anticipator.snapshot(), here())
    assert again.is_frozen
    learn(again, TUESDAY)
    assert memory(again) == memory(anticipator)


def test_after_thawing_it_learns_again_but_not_the_running_trip() -> None:
    anticipator = mind()
    anticipator.freeze(monday(0, 14))
    learn(anticipator, TUESDAY[:60])
    assert anticipator.current_trip is not None
    anticipator.thaw(TUESDAY[59].time)
    trips = len(anticipator.trips)
    learn(anticipator, TUESDAY[60:150])
    assert len(anticipator.trips) == trips
    learn(anticipator, TUESDAY[150:])
    assert len(anticipator.trips) == trips + 1
    assert anticipator.at(TUESDAY[-1].time) == "p2"


def test_thawing_at_a_place_begins_a_stay_there() -> None:
    anticipator = mind()
    anticipator.freeze(monday(0, 14))
    learn(anticipator, stay(monday(0, 15), HOME, 6 * 3600, 600))
    anticipator.thaw(monday(6, 15))
    events = learn(anticipator, stay(monday(6, 15), HOME, 3600, 300))
    assert len(events) == 1
    assert anticipator.stays[-1].arrival >= monday(6, 15)
    out = drive(monday(8, 15), HOME, SHOP) + stay(monday(8.2, 15), SHOP, 3600)
    assert [t.trip.origin for t in trips_in(learn(anticipator, out))] == ["p1"]


def test_a_frozen_mind_learns_no_region() -> None:
    anticipator = Anticipator("ada", "car", here(), zone=BERLIN)
    anticipator.freeze(monday(0))
    for path, hour, name in (("leave", 8.0, "HOME"), ("enter", 9.0, "CLINIC")):
        anticipator.learn_one(Sample("car", f"transition.{path}", monday(hour), name))
    assert not anticipator.places
    assert b"CLINIC" not in anticipator.snapshot()


def test_the_persons_name_goes_before_a_regions() -> None:
    anticipator = mind()
    anticipator.name_place("p2", "The plant")
    learn(anticipator, TUESDAY[:1])
    anticipator.learn_one(Sample("phone", "transition.leave", TUESDAY[0].time, "X"))
    assert anticipator.places["p2"].name == "The plant"
    anticipator.name_place("p2", "")
    assert anticipator.places["p2"].name == ""
    with pytest.raises(UsageError, match="no place 'p99'"):
        anticipator.name_place("p99", "y")


def test_the_persons_role_goes_before_the_one_that_was_found() -> None:
    anticipator = mind()
    anticipator.choose_role("p2", PlaceRole.HOME)
    roles = {place.id: place.role for place in anticipator.places.values()}
    assert roles == {"p1": PlaceRole.OTHER, "p2": PlaceRole.HOME}
    anticipator.choose_role("p2", None)
    assert anticipator.places["p2"].role is PlaceRole.WORK
    assert anticipator.places["p1"].role is PlaceRole.HOME

"""The learner predicts from the past alone, sums to one, and survives a restart."""

from __future__ import annotations

from math import inf, nan
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.engine.life import (
    BERLIN,
    FAR,
    HOME,
    SHOP,
    WORK,
    commute,
    drive,
    fix,
    here,
    learn,
    learner,
    monday,
    stay,
)

from trivet.domain import Forecast, PlaceRole, Sample, UsageError
from trivet.engine import Anticipator
from trivet.engine.snapshot import dump, load

WEEKS = commute(14)
MORNING = [*stay(monday(0, 14), HOME, 8 * 3600, 600), *drive(monday(8, 14), HOME, WORK)]


def on_the_way(anticipator: Anticipator, share: float = 0.5) -> Forecast:
    way = MORNING[: 48 + int(share * (len(MORNING) - 48))]
    learn(anticipator, way)
    forecast = anticipator.predict_one(way[-1].time)
    assert forecast is not None
    return forecast


def test_home_and_work_are_found_by_themselves() -> None:
    roles = {place.role: place for place in learner(WEEKS).places.values()}
    assert roles[PlaceRole.HOME].id == "p1"
    assert roles[PlaceRole.WORK].id == "p2"


def test_a_fortnight_of_commuting_foretells_the_next_one() -> None:
    forecast = on_the_way(learner(WEEKS))
    assert forecast.best.label == "work"
    assert forecast.best.probability > 0.8
    assert forecast.arrival is not None
    assert abs(forecast.arrival.median - MORNING[-1].time) < 120
    assert forecast.arrival.low <= MORNING[-1].time <= forecast.arrival.high


def test_each_reason_counts_trips_that_were_driven() -> None:
    reasons = on_the_way(learner(WEEKS)).best.reasons
    counted = [reason for reason in reasons if reason.count is not None]
    assert any("that came this way ended at work" in r.text for r in counted)
    assert any("on weekdays ended at work" in r.text for r in counted)
    for reason in counted:
        assert reason.of is not None
        assert 0 < (reason.count or 0) <= reason.of <= 20


def test_home_follows_a_move_within_weeks() -> None:
    anticipator = learner(WEEKS)
    learn(anticipator, commute(35, first=14, home=FAR))
    home = next(p for p in anticipator.places.values() if p.role is PlaceRole.HOME)
    away = anticipator.places["p1"]
    assert home.id != away.id
    assert away.role is PlaceRole.OTHER


def test_a_holiday_does_not_move_home() -> None:
    anticipator = learner(commute(35))
    beach = (200_000.0, 0.0)
    learn(anticipator, stay(monday(0, 36), beach, 8 * 86_400, 1800))
    learn(anticipator, stay(monday(0, 45), HOME, 3600))
    assert anticipator.places["p1"].role is PlaceRole.HOME


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Shanghai", "America/New_York"])
def test_nights_are_those_of_the_place(zone: str) -> None:
    there = ZoneInfo(zone)
    shift = there.utcoffset(None) or BERLIN.utcoffset(None)
    assert shift is None
    local = here(there)(0, 0)
    anticipator = learner(WEEKS, there)
    roles = {place.id: place.role for place in anticipator.places.values()}
    # in New York those Berlin working hours are night
    expected = PlaceRole.HOME if zone == "America/New_York" else PlaceRole.WORK
    assert local is there
    assert roles["p2"] is expected


def test_a_trip_over_midnight_is_one_trip() -> None:
    late = [
        *stay(monday(20), WORK, 3.8 * 3600),
        *drive(monday(23.9), WORK, HOME),
        *stay(monday(24.2), HOME, 3600),
    ]
    trips = learner(late).trips
    assert len(trips) == 1
    assert trips[0].departure < monday(24) < trips[0].arrival


def test_probabilities_sum_to_one_and_come_in_order() -> None:
    anticipator = learner(WEEKS)
    for sample in MORNING:
        anticipator.learn_one(sample)
        forecast = anticipator.predict_one(sample.time)
        if forecast is not None:
            shares = [c.probability for c in forecast.candidates]
            assert abs(sum(shares) - 1.0) < 1e-9
            assert shares == sorted(shares, reverse=True)
            assert sum(c.place == "" for c in forecast.candidates) == 1


def test_each_interval_is_in_order_and_not_in_the_past() -> None:
    forecast = on_the_way(learner(WEEKS))
    intervals = [forecast.arrival, *(c.arrival for c in forecast.candidates)]
    for interval in intervals:
        assert interval is not None
        assert forecast.time <= interval.low <= interval.median <= interval.high


def test_somewhere_new_gets_its_share_on_a_way_never_driven() -> None:
    anticipator = learner(WEEKS)
    usual = on_the_way(learner(WEEKS)).probability_of("")
    samples = stay(monday(0, 14), HOME, 8 * 3600, 600)
    samples += drive(monday(8, 14), HOME, (-9000.0, -9000.0))
    learn(anticipator, samples)
    strange = anticipator.predict_one(samples[-1].time)
    assert strange is not None
    assert strange.probability_of("") > max(0.3, 3 * usual)


def test_with_no_history_all_is_new() -> None:
    anticipator = learner()
    learn(anticipator, [fix(monday(8), HOME), *drive(monday(8) + 60, HOME, WORK)])
    forecast = anticipator.predict_one(monday(8.1))
    assert forecast is not None
    assert forecast.best.place == ""
    assert forecast.best.probability == 1.0


@settings(max_examples=6, deadline=None)
@given(st.integers(60, len(MORNING) - 1), st.integers(0, 3))
def test_what_comes_later_changes_no_forecast(cut: int, other: int) -> None:
    """A forecast from a prefix equals the one made while the rest was still to come."""
    spots = (SHOP, FAR, HOME, (300.0, 300.0))
    time = MORNING[cut - 1].time
    short = learner([*WEEKS, *MORNING[:cut]])
    live = learner(WEEKS)
    live_forecast = None
    future = drive(time + 10, WORK, spots[other])
    for sample in [*MORNING[:cut], *future]:
        live.learn_one(sample)
        if sample.time == time:
            live_forecast = live.predict_one(time)
    assert short.predict_one(time) == live_forecast


def test_predicting_changes_nothing() -> None:
    asked, unasked = learner(WEEKS), learner(WEEKS)
    for sample in MORNING:
        asked.learn_one(sample)
        unasked.learn_one(sample)
        asked.predict_one(sample.time)
        asked.predict_departure(sample.time)
    assert asked.snapshot() == unasked.snapshot()
    end = MORNING[-1].time
    assert asked.predict_one(end) == unasked.predict_one(end)


@pytest.mark.parametrize("cut", [30, 60, 75])
def test_a_restart_changes_no_forecast(cut: int) -> None:
    anticipator = learner([*WEEKS, *MORNING[:cut]])
    again = Anticipator.restore(anticipator.snapshot(), here())
    for sample in MORNING[cut:]:
        assert anticipator.learn_one(sample) == again.learn_one(sample)
        assert anticipator.predict_one(sample.time) == again.predict_one(sample.time)
    assert anticipator.snapshot() == again.snapshot()
    assert again.at(monday(3, 14)) == "p1"


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 400))
def test_a_damaged_snapshot_is_refused(junk: bytes, cut: int) -> None:
    whole = learner(MORNING).snapshot()
    for data in (junk, whole[:cut], bytes([99]) + whole[1:]):
        with pytest.raises(UsageError, match="learn again"):
            Anticipator.restore(data, here())


@pytest.mark.parametrize("lat", [inf, nan, 1e300])
def test_attack_a_snapshot_of_a_trip_off_the_earth_is_refused(lat: float) -> None:
    state = load(learner(WEEKS).snapshot())
    past = state.past[-1]
    trace = (replace(past.trip.trace[0], lat=lat), *past.trip.trace[1:])
    state.past[-1] = replace(past, trip=replace(past.trip, trace=trace))
    with pytest.raises(UsageError, match="damaged"):
        Anticipator.restore(dump(state), here())


def test_it_knows_where_the_person_is_and_was() -> None:
    anticipator = learner([*WEEKS, *MORNING[:70]])
    assert anticipator.at(monday(3, 14)) == "p1"
    assert anticipator.at(monday(12, 11)) == "p2"
    assert anticipator.at(MORNING[69].time) == ""
    assert anticipator.at(monday(0, -400)) == ""


def test_a_trip_that_fell_silent_is_no_longer_foretold() -> None:
    anticipator = learner([*WEEKS, *MORNING[:70]])
    time = MORNING[69].time
    assert anticipator.predict_one(time) is not None
    assert anticipator.predict_one(time + 3 * 3600) is None
    assert anticipator.predict_one(float("nan")) is None


def test_before_leaving_it_says_where_a_departure_would_go() -> None:
    anticipator = learner([*WEEKS, *MORNING[:48]])
    assert anticipator.predict_one(monday(8, 14)) is None
    forecast = anticipator.predict_departure(monday(8, 14))
    assert forecast is not None
    assert forecast.origin == "p1"
    assert max(forecast.candidates, key=lambda c: c.probability).place == "p2"


def car(path: str, time: float, value: float | str) -> Sample:
    return Sample("car", path, time, value)


def drive_by_name(
    time: float, a: str, b: str, kmh: float, seconds: int
) -> list[Sample]:
    """A drive of a car without positions: names at its ends, a speed a second."""
    speeds = [car("Vehicle.Speed", time + n, kmh) for n in range(1, seconds)]
    return [
        car("transition.leave", time, a),
        *speeds,
        car("transition.enter", time + seconds, b),
    ]


def named_weeks() -> list[Sample]:
    samples: list[Sample] = []
    for day in range(10):
        town = day % 2 == 0
        there = ("TOWN", 40.0, 900) if town else ("CITY", 100.0, 2400)
        name, kmh, seconds = there
        samples += drive_by_name(monday(8, day), "HOME", name, kmh, seconds)
        samples += drive_by_name(monday(17, day), name, "HOME", kmh, seconds)
    return samples


def test_a_car_without_positions_is_foretold_by_its_pace() -> None:
    anticipator = Anticipator("ada", "car", here(), zone=BERLIN)
    learn(anticipator, named_weeks())
    assert {place.name for place in anticipator.places.values()} == {
        "HOME",
        "TOWN",
        "CITY",
    }
    assert len(anticipator.trips) == 20
    fast = drive_by_name(monday(8, 10), "HOME", "CITY", 100.0, 2400)
    learn(anticipator, fast[:600])
    forecast = anticipator.predict_one(fast[599].time)
    assert forecast is not None
    assert forecast.best.label == "CITY"
    assert forecast.driven_m > 16_000
    assert forecast.arrival is not None
    assert abs(forecast.arrival.median - fast[-1].time) < 400
    assert any("that began so" in reason.text for reason in forecast.best.reasons)


def test_a_way_longer_than_any_to_a_place_speaks_against_it() -> None:
    anticipator = Anticipator("ada", "car", here(), zone=BERLIN)
    learn(anticipator, named_weeks())
    slow = drive_by_name(monday(8, 10), "HOME", "CITY", 40.0, 4000)
    learn(anticipator, slow[:800])
    early = anticipator.predict_one(slow[799].time)
    learn(anticipator, slow[800:2400])
    late = anticipator.predict_one(slow[2399].time)
    assert early is not None
    assert late is not None
    town = "region:TOWN"
    assert early.best.place == town
    assert late.probability_of(town) < 0.5 * early.probability_of(town)
    assert late.probability_of("") > 3 * early.probability_of("")


def test_a_region_beside_positions_gives_its_place_a_name() -> None:
    samples = list(MORNING)
    end = samples[-1].time
    samples.append(Sample("phone", "transition.enter", end + 1, "Office"))
    samples += stay(end + 60, WORK, 3600)
    anticipator = learner(samples)
    assert anticipator.places[anticipator.at(end + 3600)].name == "Office"
    assert len(anticipator.trips) == 1

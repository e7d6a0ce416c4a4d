"""A mind that forgets a span is as one that never saw it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
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

from trivet.domain import Place, PlaceRole, Sample, UsageError
from trivet.engine import Anticipator, Settings
from trivet.engine.snapshot import load


def errand(day: int) -> list[Sample]:
    """A weekend trip to the shop and back."""
    return [
        *stay(monday(0, day), HOME, 15 * 3600, 600),
        *drive(monday(15, day), HOME, SHOP),
        *stay(monday(15.2, day), SHOP, 3000, 60),
        *drive(monday(16.1, day), SHOP, HOME),
        *stay(monday(16.3, day), HOME, 7.6 * 3600, 600),
    ]


def life() -> list[Sample]:
    """Three weeks of commuting with three errands."""
    errands = [sample for day in (5, 12, 19) for sample in errand(day)]
    days = {int((sample.time - monday()) // 86_400) for sample in errands}
    usual = [s for s in commute(21) if int((s.time - monday()) // 86_400) not in days]
    return sorted([*usual, *errands], key=lambda sample: sample.time)


LIFE = life()
NEXT = [*stay(monday(0, 21), HOME, 8 * 3600, 600), *drive(monday(8, 21), HOME, WORK)]


def without(samples: list[Sample], since: float, until: float) -> list[Sample]:
    return [sample for sample in samples if not since <= sample.time < until]


def as_known(anticipator: Anticipator) -> dict[tuple[int, int], Place]:
    """Places by where they are, to some tens of metres."""
    return {
        (round((p.lat or 0) * 2000), round((p.lon or 0) * 2000)): p
        for p in anticipator.places.values()
    }


def assert_alike(forgot: Anticipator, never: Anticipator) -> None:
    """The same places, stays and trips, up to ids and the gap between samples."""
    a, b = as_known(forgot), as_known(never)
    assert a.keys() == b.keys()
    same = {a[where].id: b[where].id for where in a} | {"": ""}
    for where in a:
        assert (a[where].visits, a[where].role) == (b[where].visits, b[where].role)
    assert [same[s.place] for s in forgot.stays] == [s.place for s in never.stays]
    for mine, theirs in zip(forgot.stays, never.stays, strict=True):
        assert abs(mine.arrival - theirs.arrival) <= 1800
        assert abs(mine.departure - theirs.departure) <= 1800
    for one, other in zip(forgot.trips, never.trips, strict=True):
        assert same[one.origin] == other.origin
        assert same[one.destination] == other.destination
        assert one.departure == pytest.approx(other.departure, abs=1800)
        # a stay's centre moves by metres, and so the first fix that is at the place
        assert one.arrival == pytest.approx(other.arrival, abs=60)
        shorter = min(len(one.trace), len(other.trace))
        assert one.trace[1:shorter] == other.trace[1:shorter]
    mine_at = {r.id: (r.night_h, r.office_h) for r in load(forgot.snapshot()).records}
    theirs_at = {r.id: (r.night_h, r.office_h) for r in load(never.snapshot()).records}
    for place, hours in mine_at.items():
        assert hours == pytest.approx(theirs_at[same[place]], abs=1.0)


def assert_no_trace(anticipator: Anticipator, since: float, until: float) -> None:
    """No number in the snapshot is a time within the span."""

    def walk(value: object) -> None:
        if isinstance(value, float):
            assert not since < value < until
        elif isinstance(value, list):
            for item in value:
                walk(item)
        elif isinstance(value, dict):
            for item in value.values():
                walk(item)

    walk(msgspec.msgpack.decode(anticipator.snapshot()[1:]))


WHOLE = learner(LIFE).snapshot()


def mind(samples: Sequence[Sample] = ()) -> Anticipator:
    """A mind that has lived LIFE and then these."""
    anticipator = Anticipator.restore(WHOLE, here())
    learn(anticipator, samples)
    return anticipator


@pytest.mark.parametrize("first", [5, 12, 19, 20])
def test_forgetting_a_day_equals_never_having_seen_it(first: int) -> None:
    since, until = monday(0, first), monday(0, first + 1)
    forgot, never = mind(), learner(without(LIFE, since, until))
    forgot.forget(since, until)
    assert_alike(forgot, never)
    assert_no_trace(forgot, since, until)


def test_the_next_forecast_is_that_of_a_mind_that_never_saw_the_span() -> None:
    since, until = monday(0, 14), monday(0, 21)
    forgot, never = mind(), learner(without(LIFE, since, until))
    forgot.forget(since, until)
    learn(forgot, NEXT[:80])
    learn(never, NEXT[:80])
    mine, theirs = forgot.predict_one(NEXT[79].time), never.predict_one(NEXT[79].time)
    assert mine is not None
    assert theirs is not None
    shares = [c.probability for c in mine.candidates]
    assert shares == pytest.approx(
        [c.probability for c in theirs.candidates], abs=0.005
    )
    assert mine.arrival is not None
    assert theirs.arrival is not None
    assert mine.arrival.median == pytest.approx(theirs.arrival.median, abs=10.0)
    assert mine.arrival.high == pytest.approx(theirs.arrival.high, abs=10.0)


def test_what_was_forgotten_no_longer_speaks() -> None:
    anticipator = mind([*errand(26)[:90]])
    trip = anticipator.predict_departure(monday(15, 26))
    assert trip is not None
    shop = next(p.id for p in anticipator.places.values() if p.visits == 3)
    assert trip.probability_of(shop) > 0.1
    for day in (5, 12, 19):
        anticipator.forget(monday(0, day), monday(0, day + 1))
    assert shop not in anticipator.places
    again = anticipator.predict_departure(monday(15, 26))
    assert again is not None
    assert again.probability_of(shop) == 0.0


def test_a_place_seen_in_the_span_alone_is_gone_and_told() -> None:
    anticipator = learner([*commute(14), *errand(19)])
    known = set(anticipator.places)
    erased = anticipator.forget(monday(0, 19), monday(0, 20))
    assert set(erased.places) == known - set(anticipator.places)
    assert len(erased.places) == 1
    assert erased.trips == 2
    learn(anticipator, errand(26))
    assert not set(erased.places) & set(anticipator.places)


@settings(max_examples=25, deadline=None)
@given(st.floats(0, 22 * 24), st.floats(0.01, 60))
@example(32.125, 9.0)  # it begins seconds after an arrival
def test_no_span_leaves_a_trace(start_h: float, hours: float) -> None:
    anticipator = mind([*NEXT[:70]])
    since = monday() + start_h * 3600
    until = since + hours * 3600
    trips = anticipator.trips
    anticipator.forget(since, until)
    assert_no_trace(anticipator, since, until)
    left = [t for t in trips if t.departure >= until or t.arrival < since]
    assert [t.arrival for t in anticipator.trips] == [t.arrival for t in left]
    again = Anticipator.restore(anticipator.snapshot(), here())
    assert again.snapshot() == anticipator.snapshot()
    for sample in without([*NEXT[70:], *stay(monday(9, 21), WORK, 7200)], since, until):
        anticipator.learn_one(sample)
        forecast = anticipator.predict_one(sample.time)
        if forecast is not None:
            assert math.isclose(sum(c.probability for c in forecast.candidates), 1.0)


def test_a_span_in_which_nothing_was_seen_changes_no_forecast() -> None:
    one, other = mind([*NEXT[:70]]), mind([*NEXT[:70]])
    other.forget(monday(0, -20), monday(0, -10))
    time = NEXT[69].time
    mine, theirs = one.predict_one(time), other.predict_one(time)
    assert mine is not None
    assert theirs is not None
    assert mine.candidates == theirs.candidates
    assert mine.arrival == theirs.arrival
    assert list(one.stays) == list(other.stays)


def test_forgetting_an_evening_at_home_makes_one_stay_of_two() -> None:
    samples = [*commute(5), *errand(5)]
    since, until = monday(14, 5), monday(17, 5)
    forgot, never = learner(samples), learner(without(samples, since, until))
    forgot.forget(since, until)
    assert_alike(forgot, never)


def test_forgetting_up_to_now_leaves_them_where_they_were_before() -> None:
    anticipator = mind([*errand(22)])
    anticipator.forget(monday(10, 22), monday(0, 23))
    assert anticipator.at(monday(0, 23)) == "p1"
    assert_no_trace(anticipator, monday(10, 22), monday(0, 23))
    learn(anticipator, commute(1, first=23))
    assert anticipator.trips[-1].destination == "p1"
    assert anticipator.trips[-1].departure > monday(0, 23)


def test_a_running_trip_that_the_span_touches_is_foretold_no_more() -> None:
    anticipator = mind([*NEXT[:70]])
    anticipator.forget(monday(8, 21), monday(8, 21) + 60)
    assert anticipator.current_trip is None
    assert anticipator.predict_one(NEXT[69].time) is None
    learn(anticipator, stay(monday(8.5, 21), WORK, 3600))
    assert anticipator.at(monday(9.4, 21)) == "p2"


def test_a_place_is_forgotten_with_its_trips_and_its_name() -> None:
    anticipator = mind()
    shop = next(p.id for p in anticipator.places.values() if p.visits == 3)
    anticipator.name_place(shop, "Corner shop")
    erased = anticipator.forget_place(shop)
    assert erased.places == (shop,)
    assert erased.trips == 6
    assert shop not in {stay.place for stay in anticipator.stays}
    assert b"Corner shop" not in anticipator.snapshot()
    assert not [t for t in anticipator.trips if shop in (t.origin, t.destination)]
    assert anticipator.places["p1"].role is PlaceRole.HOME
    with pytest.raises(UsageError, match="no place"):
        anticipator.forget_place(shop)


@pytest.mark.parametrize("number", range(4))
def test_of_a_place_that_is_forgotten_up_to_a_time_what_came_since_stands(
    number: int,
) -> None:
    """As one that forgets those stays one by one, each with its trips."""
    whole, parts = mind(), mind()
    shop = next(p.id for p in whole.places.values() if p.visits == 3)
    there = [each for each in whole.stays if each.place == shop]
    before = [*(each.arrival for each in there), math.inf][number]
    for each in there[:number]:
        parts.forget(each.arrival, each.departure + 1.0)
    whole.forget_place(shop, before)
    assert whole.stays == parts.stays
    assert [t.departure for t in whole.trips] == [t.departure for t in parts.trips]
    assert whole.places == parts.places


def test_forgetting_the_place_they_are_at_finds_it_anew_under_another_id() -> None:
    anticipator = mind([*errand(22)[:150]])
    at = anticipator.at(errand(22)[149].time)
    anticipator.forget_place(at)
    assert anticipator.at(errand(22)[149].time) == ""
    learn(anticipator, errand(22)[150:])
    assert at not in anticipator.places


def test_a_name_that_a_region_told_in_the_span_is_forgotten() -> None:
    samples = [*commute(5), *errand(5)]
    since, until = monday(0, 5), monday(0, 6)
    named = Sample("phone", "transition.enter", monday(15.3, 5), "Secret shop")
    samples = sorted([*samples, named], key=lambda sample: sample.time)
    anticipator = learner(samples)
    anticipator.forget(since, until)
    assert b"Secret" not in anticipator.snapshot()


def test_regions_known_by_name_alone_are_forgotten_too() -> None:
    anticipator = Anticipator("ada", "car", here(), zone=BERLIN)

    def car(path: str, time: float, value: float | str) -> None:
        anticipator.learn_one(Sample("car", path, time, value))

    for day in range(4):
        name = "CLINIC" if day == 2 else "OFFICE"
        car("transition.leave", monday(8, day), "HOME")
        for second in range(1, 1200, 10):
            car("Vehicle.Speed", monday(8, day) + second, 50.0)
        car("transition.enter", monday(8.5, day), name)
        car("transition.leave", monday(16, day), name)
        car("transition.enter", monday(16.5, day), "HOME")
    anticipator.forget(monday(0, 2), monday(0, 3))
    assert b"CLINIC" not in anticipator.snapshot()
    assert len(anticipator.trips) == 6
    assert_no_trace(anticipator, monday(0, 2), monday(0, 3))


def test_what_the_person_said_of_places_outlasts_forgetting() -> None:
    anticipator = mind()
    anticipator.name_place("p2", "The plant")
    anticipator.choose_role("p2", PlaceRole.OTHER)
    anticipator.forget(monday(0, 3), monday(0, 4))
    assert anticipator.places["p2"].name == "The plant"
    assert anticipator.places["p2"].role is PlaceRole.OTHER


def test_a_long_history_forgets_the_sums_of_what_is_older() -> None:
    short = Settings(most_trips=20)
    anticipator = Anticipator("ada", "phone", here(), settings=short)
    learn(anticipator, [*errand(5), *commute(20, first=6)])
    visits = anticipator.places["p1"].visits
    assert load(anticipator.snapshot()).folded
    erased = anticipator.forget(monday(0, 4), monday(12, 5))
    assert not load(anticipator.snapshot()).folded
    assert erased.places == ("p2",)
    assert anticipator.places["p1"].visits < visits


@pytest.mark.parametrize("span", [(5.0, 5.0), (6.0, 5.0), (math.nan, 5.0)])
def test_an_empty_span_is_refused(span: tuple[float, float]) -> None:
    with pytest.raises(UsageError, match="holds nothing"):
        learner().forget(*span)


def test_joined_places_stay_joined() -> None:
    near = (420.0, 0.0)
    samples = [
        *commute(7),
        *stay(monday(0, 7), HOME, 9 * 3600, 600),
        *drive(monday(9, 7), HOME, FAR),
        *stay(monday(9.5, 7), FAR, 3600),
        *drive(monday(10.6, 7), FAR, near),
        *stay(monday(11, 7), near, 7200),
        fix(monday(13, 7), near),
    ]
    anticipator = learner(samples)
    other = anticipator.at(monday(12, 7))
    assert other not in ("p1", "")
    visits = anticipator.places["p1"].visits + anticipator.places[other].visits
    anticipator.join_places("p1", other)
    assert anticipator.at(monday(12, 7)) == "p1"
    assert anticipator.places["p1"].visits == visits
    assert anticipator.trips[-1].destination == "p1"
    anticipator.forget(monday(0, 2), monday(0, 3))
    assert anticipator.at(monday(12, 7)) == "p1"
    assert other not in anticipator.places
    learn(anticipator, drive(monday(13.1, 7), near, FAR))
    learn(anticipator, stay(monday(13.5, 7), FAR, 3600))
    learn(anticipator, drive(monday(15, 7), FAR, near))
    learn(anticipator, stay(monday(15.5, 7), near, 3600))
    assert anticipator.at(monday(16, 7)) == "p1"
    with pytest.raises(UsageError, match="made one"):
        anticipator.join_places("p1", "p1")

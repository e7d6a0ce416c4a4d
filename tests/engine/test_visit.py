from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trivet.domain.geo import offset
from trivet.domain.place import Place, PlaceRole, PointOfInterest, Stay
from trivet.engine.situation import Situation
from trivet.engine.visit import (
    MOST_WAIT_MIN,
    Visit,
    busyness,
    expect_wait,
    is_around,
    visits_of,
)
from trivet.skills.check import LAT, LON, FixedAtlas, example

#: A Friday evening.
FRIDAY = datetime(2026, 1, 16, 19, 0)
ANCHOR = PointOfInterest("node/1", "Anchor", "restaurant", LAT, LON)
KINDS = ("restaurant", "fast_food", "food_court", "cafe", "bar", "pub", "supermarket")


def visits(minutes: float, count: int, moment: datetime = FRIDAY) -> list[Visit]:
    return [
        Visit("node/1", moment - timedelta(weeks=week + 1), minutes)
        for week in range(count)
    ]


@given(
    st.sampled_from([*KINDS, "zoo"]),
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),
)
@settings(max_examples=80, deadline=None)
def test_busyness_is_a_share(kind: str, moment: datetime) -> None:
    assert 0.0 <= busyness(kind, moment) <= 1.0


def test_a_restaurant_is_fullest_on_friday_evening() -> None:
    assert busyness("restaurant", FRIDAY) > busyness(
        "restaurant", FRIDAY - timedelta(days=3)
    )
    assert busyness("restaurant", FRIDAY) > busyness(
        "restaurant", FRIDAY - timedelta(hours=4)
    )


def test_with_no_visits_the_curve_alone_says_it_and_that_is_told() -> None:
    wait = expect_wait(ANCHOR, FRIDAY, [])
    assert 15.0 < wait.minutes <= 20.0
    assert wait.visits == 0
    assert wait.basis == "a usual Friday at 19:00; no visits of yours yet"


def test_longer_stays_than_usual_lengthen_the_wait_and_quick_ones_shorten_it() -> None:
    prior = expect_wait(ANCHOR, FRIDAY, []).minutes
    assert expect_wait(ANCHOR, FRIDAY, visits(110.0, 4)).minutes > prior + 5
    assert expect_wait(ANCHOR, FRIDAY, visits(55.0, 4)).minutes < prior - 5


def test_more_visits_weigh_more() -> None:
    waits = [
        expect_wait(ANCHOR, FRIDAY, visits(100.0, count)).minutes
        for count in (0, 1, 3, 10, 30)
    ]
    assert waits == sorted(set(waits))
    assert waits[-1] == pytest.approx(40.0, abs=2.0)


def test_what_is_usual_at_a_place_is_learnt_from_its_other_hours() -> None:
    slow_place = visits(110.0, 5, FRIDAY - timedelta(hours=6))
    prior = expect_wait(ANCHOR, FRIDAY, slow_place).minutes
    own = expect_wait(ANCHOR, FRIDAY, [*slow_place, *visits(110.0, 6)]).minutes
    assert own < prior


def test_visits_elsewhere_and_at_other_hours_say_nothing_of_the_wait() -> None:
    prior = expect_wait(ANCHOR, FRIDAY, [])
    elsewhere = [msgspec.structs.replace(v, point="node/2") for v in visits(120.0, 5)]
    assert expect_wait(ANCHOR, FRIDAY, elsewhere) == prior
    early = visits(120.0, 5, FRIDAY - timedelta(hours=6))
    assert expect_wait(ANCHOR, FRIDAY, early) == prior


def test_a_bigger_place_waits_less() -> None:
    waits = [
        expect_wait(msgspec.structs.replace(ANCHOR, capacity=seats), FRIDAY, []).minutes
        for seats in (20, 40, 80)
    ]
    assert waits == sorted(set(waits), reverse=True)
    assert waits[1] == expect_wait(ANCHOR, FRIDAY, []).minutes


@given(st.lists(st.floats(10.0, 240.0), max_size=20), st.sampled_from(KINDS))
@settings(max_examples=60, deadline=None)
def test_no_history_makes_an_absurd_wait(lengths: list[float], kind: str) -> None:
    own = [Visit("node/1", FRIDAY, minutes) for minutes in lengths]
    point = msgspec.structs.replace(ANCHOR, kind=kind)
    assert 0.0 <= expect_wait(point, FRIDAY, own).minutes <= MOST_WAIT_MIN


def test_hours_are_near_across_midnight() -> None:
    late, early = FRIDAY.replace(hour=23, minute=30), FRIDAY.replace(hour=0, minute=30)
    assert is_around(late, early)
    assert not is_around(FRIDAY, late)


def stayed(
    *stays: Stay, points: tuple[PointOfInterest, ...] = (ANCHOR,), **place: object
) -> Situation:
    anchor = msgspec.structs.replace(Place("anchor", LAT, LON), **place)
    return msgspec.structs.replace(
        example(12.0, "work"),
        stays=stays,
        places={"anchor": anchor},
        atlas=FixedAtlas(points),
    )


NOW = example(12.0, "work").time
LUNCH = Stay("anchor", NOW - 86400, NOW - 86400 + 3600)


def test_a_stay_at_a_place_to_eat_is_a_visit() -> None:
    (visit,) = visits_of(stayed(LUNCH), ["restaurant"])
    assert (visit.point, visit.arrival.hour, visit.minutes) == ("node/1", 12, 60.0)


def test_a_stay_is_at_the_nearest_thing_of_any_kind() -> None:
    gym = PointOfInterest("node/2", "Gym", "gym", LAT, LON)
    cafe = PointOfInterest("node/3", "Crumb", "cafe", *offset(LAT, LON, 30, 0))
    assert not visits_of(stayed(LUNCH, points=(gym, cafe)), ["cafe"])
    assert not visits_of(stayed(LUNCH), ["cafe"])


@pytest.mark.parametrize("role", [PlaceRole.HOME, PlaceRole.WORK])
def test_home_over_a_restaurant_is_no_meal_out(role: PlaceRole) -> None:
    assert not visits_of(stayed(LUNCH, role=role), ["restaurant"])


@pytest.mark.parametrize(
    ("begin", "length_s"), [(-86400, 300), (-86400, 5 * 3600), (-200 * 86400, 3600)]
)
def test_short_long_and_old_stays_are_no_visits(begin: float, length_s: float) -> None:
    stay = Stay("anchor", NOW + begin, NOW + begin + length_s)
    assert not visits_of(stayed(stay), ["restaurant"])

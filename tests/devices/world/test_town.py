"""Laws of the town: streets, ways, journeys, opening hours, queues, weather."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trivet.devices.world import Mode, World
from trivet.devices.world.chance import stream
from trivet.devices.world.crowd import LONGEST_WAIT_MIN, traffic, wait_min
from trivet.devices.world.journey import Journey
from trivet.devices.world.road import Roads
from trivet.devices.world.street import StreetPlan, build_streets
from trivet.devices.world.weather import Weather
from trivet.domain.error import UsageError
from trivet.domain.geo import distance_m

PLAN = build_streets(7)
ROADS = Roads(PLAN, 7)
CROSSINGS = st.integers(0, len(PLAN.crossings) - 1)


def reachable(plan: StreetPlan) -> set[int]:
    onward: dict[int, list[int]] = {}
    for street in plan.streets:
        onward.setdefault(street.start, []).append(street.end)
        onward.setdefault(street.end, []).append(street.start)
    seen, todo = {0}, [0]
    while todo:
        for there in onward[todo.pop()]:
            if there not in seen:
                seen.add(there)
                todo.append(there)
    return seen


@given(st.integers(0, 2**40))
@settings(max_examples=15, deadline=None)
def test_every_crossing_can_be_reached(seed: int) -> None:
    plan = build_streets(seed)
    assert len(reachable(plan)) == len(plan.crossings)


def test_the_town_is_about_eight_by_ten_kilometres(world: World) -> None:
    town = [p for p in PLAN.crossings if p[0] < 52.8][: 21 * 25]
    lat, lon = np.array(town).T
    north = distance_m(lat.min(), 11.25, lat.max(), 11.25)
    east = distance_m(52.63, lon.min(), 52.63, lon.max())
    assert 8_000 < north < 11_500
    assert 6_500 < east < 9_500


def test_a_map_draws_every_street_once(world: World) -> None:
    drawn = sum(len(line) - 1 for line in world.roads)
    assert drawn == len(PLAN.streets)
    assert len(world.roads) < drawn / 3


@given(a=CROSSINGS, b=CROSSINGS, is_rush=st.booleans(), variant=st.integers(0, 2))
@settings(max_examples=30, deadline=None)
def test_a_way_joins_its_ends(a: int, b: int, is_rush: bool, variant: int) -> None:
    if a == b:
        return
    route = ROADS.route(a, b, Mode.CAR, is_rush, variant)
    assert (route.lat[0], route.lon[0]) == PLAN.crossings[a]
    assert (route.lat[-1], route.lon[-1]) == PLAN.crossings[b]
    walk = ROADS.route(a, b, Mode.WALK, False, 0)
    straight = distance_m(*PLAN.crossings[a], *PLAN.crossings[b])
    assert straight - 1.0 <= walk.length_m <= route.length_m + 1e-6


@given(
    a=CROSSINGS,
    b=CROSSINGS,
    mode=st.sampled_from([Mode.CAR, Mode.WALK]),
    flow=st.floats(0.3, 1.1),
    seed=st.integers(0, 1000),
)
@settings(max_examples=30, deadline=None)
def test_a_journey_is_continuous_and_within_its_powers(
    a: int, b: int, mode: Mode, flow: float, seed: int
) -> None:
    """From standing to standing, with bounded speed and acceleration."""
    if a == b:
        return
    route = ROADS.route(a, b, mode, False, 0)
    way = Journey(mode, route, 1000.0, flow, stream(seed, "test"))
    times = np.arange(way.departure, way.arrival, 0.5)
    _, _, speed, _, along = way.at(np.append(times, way.arrival))
    assert speed[0] == 0.0
    assert speed[-1] == pytest.approx(0.0, abs=1e-6)
    assert along[0] == 0.0
    assert along[-1] == pytest.approx(route.length_m)
    step = np.diff(along)
    assert step.min() >= -1e-6
    assert step.max() <= 0.5 * max(route.limit_mps) * 1.2
    assert np.abs(np.diff(speed[:-1])).max(initial=0.0) <= 2.2 * 0.5 + 1e-6


def test_traffic_is_slowest_at_rush_hour() -> None:
    hours = np.arange(0.0, 24.0, 0.25)
    monday = [traffic(0, h) for h in hours]
    assert 7.0 < hours[int(np.argmin(monday))] < 9.0
    assert min(monday) > 0.5
    assert max(monday) <= 1.0
    assert min(traffic(6, h) for h in hours) > 0.9


def test_queues_follow_hour_weekday_and_hours(world: World) -> None:
    def wait(name: str, day: int, hour: int) -> float:
        poi = next(p for p in world.points_of_interest if p.name == name)
        moment = datetime(2026, 3, day, hour, tzinfo=world.zone)
        return world.queue_min(poi.id, moment.timestamp())

    friday, tuesday, monday = 13, 10, 9
    assert wait("Sakura Garden", friday, 19) > wait("Sakura Garden", tuesday, 19)
    assert wait("Sakura Garden", friday, 19) > wait("Sakura Garden", friday, 22)
    assert wait("Sakura Garden", friday, 19) > wait("Anatolia Grill", friday, 19)
    assert wait("Sakura Garden", monday, 19) == 0.0
    assert wait("Sakura Garden", friday, 3) == 0.0
    with pytest.raises(UsageError):
        world.queue_min("node/1", world.start_time)


@given(
    popularity=st.floats(0.1, 1.3),
    weekday=st.integers(0, 6),
    hour=st.floats(0.0, 23.99),
)
@settings(max_examples=60, deadline=None)
def test_a_more_sought_after_place_has_no_shorter_queue(
    world: World, popularity: float, weekday: int, hour: float
) -> None:
    for poi in world.points_of_interest:
        less = wait_min(poi, popularity, weekday, hour)
        more = wait_min(poi, popularity * 1.1, weekday, hour)
        assert 0.0 <= less <= more <= LONGEST_WAIT_MIN


def test_the_map_has_what_a_town_has(world: World) -> None:
    kinds = {poi.kind for poi in world.points_of_interest}
    assert kinds >= {
        "restaurant", "cafe", "fast_food", "supermarket", "mall", "gym", "school",
        "pharmacy", "cinema", "fuel", "charging_station",
    }  # fmt: skip
    for poi in world.points_of_interest:
        assert world.places[poi.id].lat == poi.lat
        assert poi.opening_hours
        if poi.kind == "restaurant":
            assert poi.cuisine
            assert poi.capacity
    assert len({poi.id for poi in world.points_of_interest}) == len(
        world.points_of_interest
    )


def test_restaurants_stand_near_the_mall(world: World) -> None:
    mall = next(p for p in world.points_of_interest if p.kind == "mall")
    near = [
        p
        for p in world.points_of_interest
        if p.kind == "restaurant"
        and distance_m(p.lat, p.lon, mall.lat, mall.lon) < 1500.0
    ]
    assert len(near) >= 4


def test_weather_has_seasons_days_and_no_leaps(world: World) -> None:
    weather = Weather(7, world.zone)
    course = [weather.outdoor_c(world.start_time + 600.0 * i) for i in range(52_000)]
    assert max(abs(b - a) for a, b in pairwise(course)) < 1.0
    days = np.array(course[: 144 * 361]).reshape(-1, 144)
    assert days[:60].mean() < 6.0
    assert days[170:230].mean() > 14.0
    assert 80 < int(np.argmax(days.mean(axis=0))) < 100

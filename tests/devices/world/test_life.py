"""Laws of the household's days: habits, exceptions, and the truth of what is told."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trivet.devices.world import DayKind, DayPlan, Mode, World
from trivet.devices.world.family import EMPTY_RATES, GARAGE_RATE
from trivet.devices.world.plan import Span
from trivet.devices.world.span import both, join, outside
from trivet.domain.device import DeviceKind

ENTITIES = {
    "cover.garage_door": "open",
    "binary_sensor.kitchen_window": "on",
    "binary_sensor.bedroom_window": "on",
    "switch.stove": "on",
    "lock.front_door": "unlocked",
}


def reasons(year: list[DayPlan]) -> Counter[str]:
    return Counter(e.reason for plan in year for e in plan.episodes)


def test_a_day_is_whole(world: World, year: list[DayPlan]) -> None:
    """Episodes and ways fill the day from midnight to midnight, in order."""
    for plan in year:
        for a, b in pairwise(plan.episodes):
            assert a.arrival < a.departure < b.arrival < b.departure
        hours = (plan.episodes[-1].departure - plan.episodes[0].arrival) / 3600.0
        assert hours in (23.0, 24.0, 25.0)
        assert plan.wake < plan.sleep < plan.episodes[-1].departure
        assert plan.sleep > plan.episodes[-1].arrival


@given(seed=st.integers(0, 2**32), offset=st.integers(-300, 900))
@settings(max_examples=12, deadline=None)
def test_every_seed_has_whole_days(seed: int, offset: int) -> None:
    world = World(seed=seed)
    day = date.fromordinal(date(2026, 1, 5).toordinal() + offset)
    plan = world.plan(day)
    sleeps = world.plan(date.fromordinal(day.toordinal() + 1)).episodes[0].place
    assert plan.episodes[-1].place == sleeps
    for a, b in pairwise(plan.episodes):
        assert a.arrival < a.departure < b.arrival < b.departure
        assert a.place != b.place


def test_school_is_not_visited_on_weekends(world: World, year: list[DayPlan]) -> None:
    school = next(p.id for p in world.points_of_interest if p.kind == "school")
    days = {
        plan.day.weekday()
        for plan in year
        for episode in plan.episodes
        if episode.place == school
    }
    assert days == {0, 1, 2, 3, 4}


def test_exceptions_occur_over_a_year(year: list[DayPlan]) -> None:
    kinds = Counter(plan.kind for plan in year)
    assert kinds[DayKind.WORK] > 140
    assert kinds[DayKind.HOME_OFFICE] > 30
    assert kinds[DayKind.HOLIDAY_OUT] == kinds[DayKind.HOLIDAY_BACK] == 4
    assert kinds[DayKind.SICK] > 0
    assert sum(plan.has_guest for plan in year) > 0
    happened = reasons(year)
    for reason, least in {
        "school run": 60,
        "gym": 50,
        "groceries": 50,
        "shopping": 25,
        "dinner out": 30,
        "friends": 12,
        "errand": 5,
    }.items():
        assert happened[reason] >= least, reason


def test_the_holiday_is_far_away(world: World, year: list[DayPlan]) -> None:
    plan = next(p for p in year if p.kind is DayKind.HOLIDAY_OUT)
    home, flat = plan.episodes[0], plan.episodes[-1]
    hours = (flat.arrival - home.departure) / 3600.0
    assert 2.0 < hours < 5.0
    assert plan.empty[-1].end == flat.departure


def test_mall_shopping_falls_about_dinner_time(
    world: World, year: list[DayPlan]
) -> None:
    for plan in year:
        for episode in plan.episodes:
            if episode.reason == "shopping":
                hour = datetime.fromtimestamp(episode.departure, world.zone).hour
                assert plan.day.weekday() in (4, 5)
                assert 17 <= hour <= 20


def test_nobody_home_means_ada_is_out(year: list[DayPlan]) -> None:
    for plan in year:
        at_home = [
            Span(e.arrival, e.departure) for e in plan.episodes if e.place == "home"
        ]
        assert not both(plan.empty, at_home)


def test_forgetting_keeps_its_rates(year: list[DayPlan]) -> None:
    forgot: Counter[str] = Counter()
    drives = 0
    for plan in year:
        for a, b in pairwise(plan.episodes):
            forgot.update(a.forgotten)
            drives += a.place == "home" and b.mode is Mode.CAR
    # three standard errors about the documented rate
    share = forgot["cover.garage_door"] / drives
    assert abs(share - GARAGE_RATE) < 3.0 * (GARAGE_RATE / drives) ** 0.5
    assert all(forgot[entity] > 0 for entity, _ in EMPTY_RATES)


def test_what_was_forgotten_is_seen_and_nothing_else(
    world: World, year: list[DayPlan]
) -> None:
    """Two minutes after Ada left the home empty, exactly that is open or on."""
    start = world.start_time
    state: dict[str, object] = {}
    samples = world.adapter(DeviceKind.HOME).samples(start + 100 * 86_400.0)
    sample = next(samples)
    seen = 0
    for plan in year[:98]:
        leavings = {span.start for span in plan.empty}
        for a, b in pairwise(plan.episodes):
            if a.departure not in leavings or b.mode is not Mode.CAR:
                continue
            while sample.time <= a.departure + 120.0:
                state[sample.path] = sample.value
                sample = next(samples)
            open_now = {e for e, value in ENTITIES.items() if state[e] == value}
            assert open_now == set(a.forgotten), plan.day
            assert state["binary_sensor.occupancy"] == "off"
            seen += bool(open_now)
    assert seen > 3


def test_a_plan_does_not_depend_on_what_was_asked_before() -> None:
    one, two = World(seed=9), World(seed=9)
    days = [date(2026, 3, d) for d in range(1, 29)]
    forwards = [one.plan(day) for day in days]
    backwards = [two.plan(day) for day in reversed(days)]
    assert forwards == backwards[::-1]


spans = st.lists(
    st.tuples(st.integers(0, 50), st.integers(0, 50)).map(
        lambda t: Span(float(min(t)), float(max(t)))
    ),
    max_size=6,
)


@given(spans, spans)
@settings(max_examples=60, deadline=None)
def test_spans_add_up(a: list[Span], b: list[Span]) -> None:
    def length(some: list[Span]) -> float:
        return sum(s.end - s.start for s in some)

    assert length(join(a)) + length(outside(a, 0.0, 50.0)) == pytest.approx(50.0)
    joined = length(join([*a, *b]))
    assert joined + length(both(join(a), join(b))) == pytest.approx(
        length(join(a)) + length(join(b))
    )

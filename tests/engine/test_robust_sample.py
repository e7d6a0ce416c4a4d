"""Samples that come twice, late, out of order, shaken or from nowhere do no harm."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from math import inf, nan
from random import Random

import pytest
from msgspec.structs import replace
from tests.engine.life import BERLIN
from tests.engine.mishap import (
    AFTER,
    KNOWN,
    SPOTS,
    TOWN,
    City,
    Scores,
    assert_recovers,
    between,
    experienced,
    home_of,
    hurt,
    learn,
    learner,
    live,
    place_at,
    score,
    way,
)

from trivet.domain import Position, Quality, Sample
from trivet.domain.geo import distance_m, offset
from trivet.engine import Anticipator, TripEnded


def lived(samples: Iterable[Sample]) -> Anticipator:
    anticipator = experienced()
    learn(anticipator, samples)
    return anticipator


def ends(anticipator: Anticipator) -> list[tuple[str, str, int]]:
    """Of the trips of the days with a mishap: between which places, in which hour."""
    days = [t for t in anticipator.trips if t.arrival >= TOWN.time(KNOWN, 0)]
    return [(t.origin, t.destination, round(t.departure / 3600)) for t in days]


def at(sample: Sample, lat: float, lon: float, accuracy_m: float = 10.0) -> Sample:
    return replace(sample, value=Position(lat, lon, accuracy_m))


def moved(sample: Sample, rng: Random, metres: float, accuracy_m: float) -> Sample:
    """A fix that is wrong by about so much."""
    where = sample.value
    assert isinstance(where, Position)
    shift = rng.gauss(0.0, metres), rng.gauss(0.0, metres)
    return at(sample, *offset(where.lat, where.lon, *shift), accuracy_m)


# --- twice, late, in another order ------------------------------------------------


def each_twice() -> list[Sample]:
    return [sample for sample in hurt() for _ in range(2)]


def all_again() -> list[Sample]:
    return [*hurt(), *hurt()]


def weeks_again() -> list[Sample]:
    """A file of the weeks before is read once more."""
    return [*live(KNOWN - 7, 7), *hurt()]


def a_fifth_late() -> list[Sample]:
    rng = Random(1)

    def heard(sample: Sample) -> float:
        return sample.time + (rng.random() < 0.2) * rng.expovariate(1 / 1800)

    return sorted(hurt(), key=heard)


@pytest.mark.parametrize("mishap", [each_twice, all_again, weeks_again])
def test_what_is_told_twice_is_learned_once(
    mishap: Callable[[], list[Sample]],
) -> None:
    plain, twice = lived(hurt()), lived(mishap())
    assert twice.trips == plain.trips
    assert twice.stays == plain.stays
    assert_recovers(twice)


def test_single_late_samples_change_no_trip_s_ends() -> None:
    late = lived(a_fifth_late())
    assert ends(late) == ends(lived(hurt()))
    assert_recovers(late)


def test_samples_in_disorder_make_no_place() -> None:
    """Each ten come in any order: the newest is learned, the others are late."""
    rng, samples = Random(2), list(hurt())
    for start in range(0, len(samples), 10):
        ten = samples[start : start + 10]
        rng.shuffle(ten)
        samples[start : start + 10] = ten
    assert_recovers(lived(samples))


def test_of_two_fixes_of_one_time_the_first_counts() -> None:
    """And the second, kilometres off, makes no trip."""
    twins = [
        twin
        for sample in hurt()
        for twin in (sample, at(sample, 49.2, 8.6))
    ]  # fmt: skip
    assert lived(twins).trips == lived(hurt()).trips


# --- shaken, and from nowhere -----------------------------------------------------


@pytest.mark.parametrize("metres", [30.0, 60.0])
def test_noise_makes_no_place_and_no_trip(metres: float) -> None:
    rng = Random(3)
    shaken = lived([moved(sample, rng, metres, metres) for sample in hurt()])
    assert ends(shaken) == ends(lived(hurt()))
    assert_recovers(shaken)


def test_jumps_that_nobody_can_make_change_nothing() -> None:
    """One in twenty is hundreds of kilometres off, and says that it is exact."""
    rng = Random(4)
    jumpy = [
        moved(sample, rng, 5e5, 5.0) if rng.random() < 0.05 else sample
        for sample in hurt()
    ]
    shaken = lived(jumpy)
    assert ends(shaken) == ends(lived(hurt()))
    assert_recovers(shaken)


def test_a_jump_of_kilometres_and_back_is_no_trip() -> None:
    """At home at night, four times, for one fix each: slow enough to be driven."""
    night = {TOWN.time(KNOWN + 1, hour) for hour in (1.0, 2.0, 3.0, 4.0)}
    due = [min(hurt(), key=lambda s: abs(s.time - t)).time for t in night]
    jumpy = [
        at(s, *offset(*TOWN.point("home"), 4000.0, 0.0)) if s.time in due else s
        for s in hurt()
    ]
    assert ends(lived(jumpy)) == ends(lived(hurt()))
    assert_recovers(lived(jumpy))


NOWHERE = [
    Position(nan, 8.4),
    Position(49.0, nan),
    Position(inf, 8.4),
    Position(91.0, 8.4),
    Position(49.0, -180.5),
    Position(49.0, 8.4, nan),
    Position(0.0, 0.0),
    Position(-0.0, 0.0, 5.0),
    Position(49.05, 8.4, 5000.0),
]


@pytest.mark.parametrize("where", NOWHERE, ids=str)
def test_a_position_that_is_none_changes_nothing(where: Position) -> None:
    """Told between all others, or in place of some hours of them."""
    off = (TOWN.time(KNOWN + 1, 2.0), TOWN.time(KNOWN + 1, 6.0))
    samples = [
        told
        for sample in hurt()
        for told in (
            replace(sample, time=sample.time - 0.5, value=where),
            *([] if off[0] <= sample.time < off[1] else [sample]),
        )
    ]
    anticipator = lived(samples)
    assert ends(anticipator) == ends(lived(hurt()))
    assert len(anticipator.places) == 5


def test_what_a_device_itself_calls_wrong_changes_nothing() -> None:
    wrong = replace(hurt()[0], quality=Quality.BAD, time=AFTER)
    anticipator = lived(hurt())
    before = anticipator.snapshot()
    anticipator.learn_one(wrong)
    assert anticipator.snapshot() == before


# --- how often, and where on Earth ------------------------------------------------


def thinned(samples: Iterable[Sample], every_s: float) -> list[Sample]:
    """One fix in so many seconds."""
    kept: list[Sample] = []
    for sample in samples:
        if not kept or sample.time - kept[-1].time >= every_s:
            kept.append(sample)
    return kept


@pytest.mark.parametrize("every_s", [300.0, 900.0, 3600.0])
def test_places_are_the_same_however_seldom_a_fix_comes(every_s: float) -> None:
    anticipator = learner(thinned(live(7, step_s=60.0), every_s))
    found = {name: place_at(anticipator, TOWN.point(name)) for name in SPOTS}
    # with one an hour a stop of half an hour may be missed, and no other is made up
    missed = {name for name, place in found.items() if not place}
    assert missed <= ({"shop"} if every_s == 3600.0 else set())
    assert len(anticipator.places) == len(SPOTS) - len(missed)
    assert home_of(anticipator) == found["home"]


def test_one_fix_a_second_makes_the_places_that_one_in_ten_minutes_makes() -> None:
    """A morning by the second, against the same morning as phones tell it."""
    day = (TOWN.time(0, 7.0), TOWN.time(0, 10.0))
    rough = between(live(1), *day)
    leave = next(s.time for s in rough if s.time > TOWN.time(0, 7.7))
    rng = Random(5)
    home, work = TOWN.point("home"), TOWN.point("work")
    count = int(leave - day[0])
    fine = way(home, home, day[0], rng, 1.0, 1.0)[:0]
    fine += [
        at(rough[0], *offset(*home, rng.gauss(0, 8), rng.gauss(0, 8)))
        for _ in range(count)
    ]
    fine = [replace(s, time=day[0] + n) for n, s in enumerate(fine)]
    fine += way(home, work, leave, rng, 11.0, 1.0)
    end = fine[-1].time
    fine += [
        replace(
            at(rough[0], *offset(*work, rng.gauss(0, 8), rng.gauss(0, 8))),
            time=end + 1.0 + n,
        )
        for n in range(int(day[1] - end))
    ]
    seconds, minutes = learner(fine), learner(rough)
    assert len(seconds.places) == len(minutes.places) == 2
    assert [t.destination for t in seconds.trips] == ["p2"]
    for one, other in zip(
        seconds.places.values(), minutes.places.values(), strict=True
    ):
        assert one.lat is not None
        assert one.lon is not None
        assert other.lat is not None
        assert other.lon is not None
        assert distance_m(one.lat, one.lon, other.lat, other.lon) < 30.0


EDGES = {
    "date line": City(-17.0, 179.99, BERLIN, SPOTS),
    "date line, other side": City(51.9, -179.98, BERLIN, SPOTS),
    "south": City(-33.9, 151.2, BERLIN, SPOTS),
    "near the pole": City(88.0, 30.0, BERLIN, SPOTS),
    "equator": City(0.01, 0.01, BERLIN, SPOTS),
}


@cache
def in_the_middle() -> Scores:
    return score(learner(live(7)), live(3, 7))


@pytest.mark.parametrize("name", EDGES)
def test_a_life_at_the_edge_of_the_map_is_as_one_in_its_middle(name: str) -> None:
    city = EDGES[name]
    anticipator = learner(live(7, city=city))
    assert len(anticipator.places) == len(SPOTS)
    scores = score(anticipator, live(3, 7, city=city))
    assert len(scores.share) == len(in_the_middle().share)
    assert scores.mean == pytest.approx(in_the_middle().mean, abs=0.02)


def test_at_the_pole_itself_nothing_breaks() -> None:
    anticipator, samples = learner(), list[Sample]()
    start = TOWN.time(0, 0)
    for number in range(400):
        lon = (number * 37.0) % 360.0 - 180.0
        where = Position(90.0 if number % 3 else 89.9999, lon, 10.0)
        samples.append(Sample("phone", "location", start + number * 60.0, where))
    events = learn(anticipator, samples)
    assert not any(isinstance(event, TripEnded) for event in events)
    assert len(anticipator.places) == 1
    assert anticipator.predict_departure(samples[-1].time) is not None

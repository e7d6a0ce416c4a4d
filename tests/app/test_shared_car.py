"""A car that two people drive: whose trip it is, the phones tell."""

from __future__ import annotations

from functools import cache
from heapq import merge
from operator import attrgetter

from msgspec.structs import replace
from tests.engine.mishap import (
    KNOWN,
    OVERSEAS,
    TOWN,
    between,
    hurt,
    live,
    zone_of,
)

from trivet.app.mind import Mind, Roles
from trivet.domain import Position, Sample
from trivet.domain.geo import distance_m
from trivet.engine.whereabouts import LATITUDE, LONGITUDE, SPEED, has_car, is_in_car
from trivet.skills.registry import load

#: On Tuesday Ada is at work from a quarter past eight; Ben has the car at eleven.
BEGIN, END = TOWN.time(KNOWN + 1, 11.0), TOWN.time(KNOWN + 1, 11.5)
MIDDLE = TOWN.time(KNOWN + 1, 11.1)
PHONE_OF = {"ada": "phone", "ben": "phone-ben"}


def mind_of(person: str) -> Mind:
    return Mind(Roles(person, PHONE_OF[person]), zone_of, load())


def car_at(time: float, lat: float, lon: float, speed_kph: float) -> list[Sample]:
    return [
        Sample("car", LATITUDE, time, lat),
        Sample("car", LONGITUDE, time, lon),
        Sample("car", SPEED, time, speed_kph),
    ]


def driven(samples: list[Sample], speed_kph: float = 40.0) -> list[Sample]:
    """The car where a phone was: it goes with that phone."""
    told: list[Sample] = []
    for sample in samples:
        where = sample.value
        assert isinstance(where, Position)
        told += car_at(sample.time, where.lat, where.lon, speed_kph)
    return told


def together(*parts: list[Sample]) -> list[Sample]:
    return list(merge(*parts, key=attrgetter("time")))


def as_ben(samples: list[Sample]) -> list[Sample]:
    return [replace(sample, device=PHONE_OF["ben"]) for sample in samples]


def errand() -> list[Sample]:
    """Ben's phone on the way from home to the shop, half an hour, and back."""
    way = [
        s for s in live(1, 5) if TOWN.time(5, 10.0) <= s.time < TOWN.time(5, 13.0)
    ]  # a Saturday's, at half past ten
    start = next(s.time for s in way if is_away(s))
    return [replace(s, time=s.time - start + BEGIN) for s in way if s.time >= start]


def is_away(sample: Sample) -> bool:
    where = sample.value
    assert isinstance(where, Position)
    return distance_m(where.lat, where.lon, *TOWN.point("home")) > 100.0


@cache
def ben_s_errand() -> tuple[Sample, ...]:
    return tuple(errand())


def lived(person: str, samples: list[Sample], until: float) -> Mind:
    """A mind that has heard all of it, stepping every ten minutes."""
    mind = mind_of(person)
    last = 0.0
    for sample in samples:
        if sample.time > until:
            break
        mind.learn(sample)
        if sample.time - last >= 600.0:
            mind.step(sample.time)
            last = sample.time
    mind.step(until)
    return mind


def test_ben_s_drive_is_not_learned_as_ada_s() -> None:
    """Her phone stays at work; what she is thought to do is the same to the byte."""
    ada = between(hurt(), TOWN.time(KNOWN, 0.0), TOWN.time(KNOWN + 2, 0.0))
    ben = as_ben(list(ben_s_errand()))
    until = TOWN.time(KNOWN + 1, 23.0)
    alone = lived("ada", ada, until)
    shared = lived("ada", together(ada, ben, driven(ben)), until)
    assert shared.anticipator.snapshot() == alone.anticipator.snapshot()
    assert len(shared.anticipator.trips) == 5


def test_while_ben_drives_ada_is_not_in_the_car_and_has_none() -> None:
    ada = between(hurt(), TOWN.time(KNOWN, 0.0), TOWN.time(KNOWN + 2, 0.0))
    ben = as_ben(list(ben_s_errand()))
    mind = lived("ada", together(ada, driven(ben)), MIDDLE)
    situation = mind.situation(MIDDLE)
    assert situation.forecast is None
    assert mind.place(MIDDLE) is not None
    assert not is_in_car(situation)
    assert not has_car(situation)


def test_while_ada_walks_and_ben_drives_she_is_not_in_the_car() -> None:
    """Both are on the way; the car is where Ben's phone is."""
    ada = between(hurt(), TOWN.time(KNOWN, 0.0), TOWN.time(KNOWN + 2, 0.0))
    out = [s for s in ada if s.time < TOWN.time(KNOWN + 1, 8.3)]
    on_way = [s for s in out if s.time > TOWN.time(KNOWN + 1, 7.0) and is_away(s)]
    time = on_way[len(on_way) // 2].time
    shop = TOWN.point("shop")
    far = [x for s in on_way for x in car_at(s.time, *shop, 50.0)]
    mind = lived("ada", together(out, far), time)
    situation = mind.situation(time)
    assert situation.forecast is not None
    assert not is_in_car(situation)
    near = lived("ada", together(out, driven(on_way)), time)
    assert is_in_car(near.situation(time))


def test_with_both_phones_in_the_car_both_are_in_it() -> None:
    """The trip is each one's own, and each mind learns it from its own phone."""
    ada = between(hurt(), TOWN.time(KNOWN, 0.0), TOWN.time(KNOWN + 2, 0.0))
    on_way = [s for s in ada if s.time > TOWN.time(KNOWN + 1, 7.0) and is_away(s)]
    time = on_way[20].time
    everything = together(ada, as_ben(ada), driven(on_way))
    minds = [lived(person, everything, time) for person in PHONE_OF]
    for mind in minds:
        assert is_in_car(mind.situation(time))
    ada_s, ben_s = (mind.anticipator for mind in minds)
    assert [t.departure for t in ada_s.trips] == [t.departure for t in ben_s.trips]


def test_the_car_stands_in_for_no_phone_that_is_elsewhere() -> None:
    """Her phone is silent at work for a quarter of an hour while the car drives."""
    ada = between(hurt(), TOWN.time(KNOWN, 0.0), BEGIN)
    ben = as_ben(list(ben_s_errand()))
    mind = lived("ada", together(ada, driven(ben)), MIDDLE)
    assert not is_in_car(mind.situation(MIDDLE))
    assert mind.anticipator.at(MIDDLE) == mind.anticipator.stays[-1].place


def test_hours_are_those_of_where_the_person_is() -> None:
    """A mind's clock goes by the last place they stayed at."""
    mind = mind_of("ada")
    for sample in [*live(1), *live(1, 1, OVERSEAS)]:
        mind.learn(sample)
    assert mind.zone_name == "America/New_York"
    assert mind.clock(OVERSEAS.time(1, 12.5)) == "12:30"

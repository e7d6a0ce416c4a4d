"""Lives that go wrong: weeks with errands and chance, in any city, and their mishaps.

A life is lived by local hours of where it is lived. A mishap takes samples and gives
those that would have been recorded had it happened.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace
from tests.engine.life import BERLIN

from trivet.domain import Forecast, PlaceRole, Position, Sample
from trivet.domain.geo import distance_m, offset
from trivet.engine import Anticipator, Event, TripEnded
from trivet.engine.stay import on_earth

CANARY = ZoneInfo("Atlantic/Canary")
NEW_YORK = ZoneInfo("America/New_York")
_NOISE_M = 8.0


class City(msgspec.Struct, frozen=True):
    """Where a life is lived: its middle in degrees, its time zone, and its spots.

    Attributes:
        spots: east and north in metres of the middle, by name.
    """

    lat: float
    lon: float
    zone: tzinfo
    spots: dict[str, tuple[float, float]]

    def point(self, name: str) -> tuple[float, float]:
        """Latitude and longitude in degrees of a spot."""
        return offset(self.lat, self.lon, *self.spots[name])

    def time(self, day: int, hour: float) -> float:
        """Event time of a local hour, days after Monday 6 January 2025."""
        date = datetime(2025, 1, 6) + timedelta(days=day, hours=hour)
        return date.replace(tzinfo=self.zone).astimezone(UTC).timestamp()


SPOTS = {
    "home": (0.0, 0.0),
    "work": (5000.0, 2000.0),
    "shop": (2000.0, -3000.0),
    "sport": (-2500.0, 1500.0),
    "friend": (-6000.0, -4000.0),
}
TOWN = City(49.0, 8.4, BERLIN, SPOTS)
#: 3,000 km away, an hour behind.
ISLAND = City(28.1, -16.7, CANARY, {"hotel": (0.0, 0.0), "beach": (1500.0, -2000.0)})
#: 6,000 km away, six hours behind.
OVERSEAS = City(40.7, -74.0, NEW_YORK, SPOTS)


def zone_of(lat: float, lon: float) -> tzinfo:
    """The time zones of the cities above."""
    cities = (TOWN, ISLAND, OVERSEAS)
    return min(cities, key=lambda c: distance_m(lat, lon, c.lat, c.lon)).zone


def stay(
    city: City, name: str, start: float, end: float, rng: Random, step_s: float = 600.0
) -> Iterator[Sample]:
    """Fixes of somebody who stays at a spot, with a few metres of noise."""
    time = start
    while time < end:
        yield fix(time, city.point(name), rng)
        time += step_s


def way(
    a: tuple[float, float],
    b: tuple[float, float],
    start: float,
    rng: Random,
    speed_mps: float = 12.0,
    step_s: float = 10.0,
) -> list[Sample]:
    """Fixes on the straight line between two points in degrees."""
    span = distance_m(*a, *b) / speed_mps
    count = max(1, int(span / step_s))
    north, east = b[0] - a[0], on_earth(b[1] - a[1])
    return [
        fix(
            start + n * span / count,
            (a[0] + north * n / count, on_earth(a[1] + east * n / count)),
            rng,
        )
        for n in range(count + 1)
    ]


def fix(time: float, point: tuple[float, float], rng: Random) -> Sample:
    """A fix of the phone with some metres of noise."""
    at = offset(*point, rng.gauss(0.0, _NOISE_M), rng.gauss(0.0, _NOISE_M))
    return Sample("phone", "location", time, Position(*at, 10.0))


def plan(day: int) -> list[tuple[str, float]]:
    """Where to, and at which local hour to set off, on a day."""
    weekday = day % 7
    if weekday == 5:
        return [("shop", 10.5), ("home", 12.0)]
    if weekday == 6:
        return [("friend", 14.0), ("home", 18.0)]
    if weekday in (1, 3):
        return [("work", 8.0), ("shop", 17.0), ("home", 17.8)]
    if weekday == 2:
        return [("work", 8.0), ("home", 17.0), ("sport", 19.0), ("home", 21.0)]
    return [("work", 8.0), ("home", 17.0)]


def live(
    days: int,
    first: int = 0,
    city: City = TOWN,
    seed: int = 1,
    step_s: float = 600.0,
) -> list[Sample]:
    """Whole days of a life, from midnight to midnight."""
    samples: list[Sample] = []
    at = "home"
    for day in range(first, first + days):
        rng = Random(f"{seed} {day}")
        time = city.time(day, 0)
        for goal, hour in plan(day):
            leave = city.time(day, hour) + rng.gauss(0.0, 600.0)
            samples += stay(city, at, time, leave, rng, step_s)
            speed = max(6.0, rng.gauss(11.0, 1.0))
            samples += way(city.point(at), city.point(goal), leave, rng, speed)
            at, time = goal, samples[-1].time + 20.0
        samples += stay(city, at, time, city.time(day + 1, 0), rng, step_s)
    return samples


#: A life is known for four weeks; then come three days with a mishap, and three more.
KNOWN, HURT = 28, 3
BEFORE, AFTER = TOWN.time(KNOWN, 0), TOWN.time(KNOWN + HURT, 0)


@cache
def hurt() -> tuple[Sample, ...]:
    """Three days as they were, Monday to Wednesday: a mishap is made of them."""
    return tuple(live(HURT, KNOWN))


@cache
def later() -> tuple[Sample, ...]:
    """The three days after, with seven trips."""
    return tuple(live(3, KNOWN + HURT))


@cache
def _known() -> bytes:
    return learner(live(KNOWN)).snapshot()


def experienced() -> Anticipator:
    """A learner that has lived for four weeks with nothing odd."""
    return Anticipator.restore(_known(), zone_of, zone=BERLIN)


@cache
def usual() -> float:
    """Mean probability of the truth in the days after, when nothing odd was before."""
    anticipator = experienced()
    learn(anticipator, hurt())
    return score(anticipator, later()).mean


def assert_recovers(anticipator: Anticipator, worse: float = 0.02) -> None:
    """The days after are foretold as they usually are; nothing else is left behind.

    Args:
        anticipator: it has lived through a mishap.
        worse: the mean probability of the truth may be less by this.
    """
    known = set(anticipator.places)
    scores = score(anticipator, later())
    assert len(scores.share) == 7
    assert scores.top1 == 1.0
    assert scores.mean >= usual() - worse
    assert set(anticipator.places) == known == set(experienced().places)
    assert home_of(anticipator) == "p1"
    stays = anticipator.stays
    assert all(s.arrival <= s.departure for s in stays)
    assert all(a.departure <= b.arrival for a, b in pairwise(stays))


class Scores(msgspec.Struct):
    """How good forecasts were, of trips that ended somewhere.

    Attributes:
        share: at half of its time, the probability of where each trip ended.
        first: whether that was the likeliest.
        origins: of each trip, where it began and ended.
    """

    share: list[float] = []
    first: list[bool] = []
    ends: list[TripEnded] = []

    @property
    def mean(self) -> float:
        """Mean probability of the truth."""
        return sum(self.share) / max(1, len(self.share))

    @property
    def top1(self) -> float:
        """Share that was right at the first guess."""
        return sum(self.first) / max(1, len(self.first))


def score(
    anticipator: Anticipator, samples: Iterable[Sample], step_s: float = 60.0
) -> Scores:
    """Predict first, then learn; judge each trip's forecast at half of its time."""
    made, scores = list[Forecast](), Scores()
    for sample in samples:
        for event in anticipator.learn_one(sample):
            if isinstance(event, TripEnded):
                if event.trip.destination:
                    _judge(scores, event, made)
                made = []
        is_due = not made or sample.time - made[-1].time >= step_s
        if is_due and anticipator.current_trip is not None:
            found = anticipator.predict_one(sample.time, explains=False)
            made += [] if found is None else [found]
    return scores


def _judge(scores: Scores, event: TripEnded, made: Sequence[Forecast]) -> None:
    trip = event.trip
    half = trip.departure + 0.5 * (trip.arrival - trip.departure)
    known = [f for f in made if f.time <= half]
    if not known:
        return
    truth = "" if event.is_new else trip.destination
    scores.share.append(known[-1].probability_of(truth))
    scores.first.append(known[-1].best.place == truth)
    scores.ends.append(event)


def learner(samples: Iterable[Sample] = ()) -> Anticipator:
    """A learner that has lived through these samples."""
    anticipator = Anticipator("ada", "phone", zone_of, zone=BERLIN)
    learn(anticipator, samples)
    return anticipator


def learn(anticipator: Anticipator, samples: Iterable[Sample]) -> list[Event]:
    """Take them up; give what was told."""
    return [event for sample in samples for event in anticipator.learn_one(sample)]


def home_of(anticipator: Anticipator) -> str:
    """Id of the place that is home, empty if none is."""
    places = anticipator.places.values()
    return next((p.id for p in places if p.role is PlaceRole.HOME), "")


def place_at(anticipator: Anticipator, point: tuple[float, float]) -> str:
    """Id of the known place around a point in degrees, empty if there is none."""
    for place in anticipator.places.values():
        if place.lat is None or place.lon is None:
            continue
        if distance_m(place.lat, place.lon, *point) <= 200.0:
            return place.id
    return ""


def without(samples: Iterable[Sample], since: float, until: float) -> list[Sample]:
    """The phone was off."""
    return [s for s in samples if not since <= s.time < until]


def shifted(samples: Iterable[Sample], by_s: float) -> list[Sample]:
    """The device's clock was wrong by so much."""
    return [replace(s, time=s.time + by_s) for s in samples]


def between(samples: Iterable[Sample], since: float, until: float) -> list[Sample]:
    """Those of a span of time."""
    return [s for s in samples if since <= s.time < until]

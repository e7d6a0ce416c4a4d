"""Situations to try a skill in: an invented person's life at sea."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo

import msgspec

from trivet.domain.appointment import Appointment
from trivet.domain.forecast import Candidate, Forecast, Interval, Prospect
from trivet.domain.geo import distance_m, offset
from trivet.domain.place import Place, PlaceRole, PointOfInterest, Stay, Trip
from trivet.domain.sample import Position, Sample, Value
from trivet.engine.context import Context
from trivet.engine.situation import Situation

#: Home of the examples, at sea on purpose: nobody lives there.
LAT, LON = 54.5, 4.0
_DAY_S = 86400.0


class FixedAtlas:
    """A map of a few given points, for tests of skills."""

    def __init__(self, points: Iterable[PointOfInterest]) -> None:
        self._points = tuple(points)

    @property
    def attribution(self) -> str:
        """Whom to name wherever its data is shown."""
        return "an invented map"

    def near(
        self,
        lat: float,
        lon: float,
        radius_m: float,
        kinds: Collection[str] = (),
        limit: int = 50,
    ) -> list[PointOfInterest]:
        """Points of interest within `radius_m`, nearest first; no kinds means all."""
        found = [
            msgspec.structs.replace(
                point, distance_m=distance_m(lat, lon, point.lat, point.lon)
            )
            for point in self._points
            if not kinds or point.kind in kinds
        ]
        found.sort(key=lambda point: (point.distance_m, point.id))
        return [point for point in found if point.distance_m <= radius_m][:limit]

    def search(self, name: str, limit: int = 20) -> list[PointOfInterest]:
        """Points whose names have words that begin with the words of `name`."""
        wanted = name.casefold().split()
        return [
            point
            for point in self._points
            if all(
                any(word.startswith(start) for word in point.name.casefold().split())
                for start in wanted
            )
        ][:limit]


def examples(zone: tzinfo | None = None) -> list[Situation]:
    """Situations to try a skill in: leaving home in a hurry, and coming back cold.

    The home is cold with everything open and on; the way leads from home to a mall
    with places to eat, from work home, and nowhere (sitting at work before the usual
    return), each at morning, noon, evening and night of a Friday in winter; then two
    days after leaving for an island, and a trip to a mall at which they never stayed.
    The car's battery is low, there is something to buy, and an appointment at the mall
    in 25 minutes.
    """
    near = [
        example(hour, origin, destination, zone)
        for hour in (3.5, 8.5, 12.5, 16.5, 18.5, 23.5)
        for origin, destination in (("home", "mall"), ("work", "home"), ("work", ""))
    ]
    far = [example_far(10.5, zone), example_far(20.25, zone)]
    return [*near, *far, example_new(18.5, zone)]


def example(
    hour: float, origin: str, destination: str = "", zone: tzinfo | None = None
) -> Situation:
    """One of them: at a local hour, from `home`, `work` or `mall` to another of these.

    With no destination the person is staying at the origin.
    """
    zone = ZoneInfo("Europe/Berlin") if zone is None else zone
    midnight = datetime(2026, 1, 16, tzinfo=zone).timestamp()
    return _example(midnight + hour * 3600, zone, origin, destination)


def example_far(hour: float, zone: tzinfo | None = None) -> Situation:
    """One of them: on an island 190 km away, two days after leaving home."""
    zone = ZoneInfo("Europe/Berlin") if zone is None else zone
    midnight = datetime(2026, 1, 16, tzinfo=zone).timestamp()
    left = midnight - 1.5 * _DAY_S
    near = _example(midnight + hour * 3600, zone, "island", "")
    stays = [stay for stay in near.stays if stay.departure <= left]
    stays.append(Stay("island", left + 4 * 3600.0, near.time))
    changes = tuple(sample for sample in near.changes if sample.time <= left)
    far = msgspec.structs.replace(near, stays=tuple(stays), changes=changes)
    return knowing(far, Sample("home", "climate.living_room", far.time, "heat"))


def example_new(hour: float, zone: tzinfo | None = None) -> Situation:
    """One of them: to somewhere new, by the map likely the mall."""
    known = example(hour, "work", "mall", zone)
    assert known.forecast is not None
    mall = _PLACES["mall"]
    assert mall.lat is not None
    assert mall.lon is not None
    found = Prospect("way/1", "Harbour Mall", "mall", mall.lat, mall.lon, 0.55, 6)
    candidates = (
        Candidate(
            "",
            "somewhere new",
            0.8,
            arrival=known.forecast.arrival,
            prospects=(found,),
        ),
        Candidate("home", "home", 0.2, lat=LAT, lon=LON),
    )
    forecast = msgspec.structs.replace(known.forecast, candidates=candidates)
    places = {id_: place for id_, place in known.places.items() if id_ != "mall"}
    stays = tuple(stay for stay in known.stays if stay.place != "mall")
    return msgspec.structs.replace(known, forecast=forecast, places=places, stays=stays)


def knowing(situation: Situation, *samples: Sample) -> Situation:
    """The situation with further samples; of one signal the latest counts."""
    return with_samples(situation, [*samples_of(situation), *samples])


def samples_of(situation: Situation) -> list[Sample]:
    """The latest samples of all its devices."""
    devices = sorted({situation.phone, situation.car, situation.home})
    return [s for device in devices for s in situation.context.of_device(device)]


def with_samples(situation: Situation, samples: Iterable[Sample]) -> Situation:
    """The situation knowing those samples and nothing else."""
    context = Context()
    for sample in samples:
        context.learn_one(sample)
    return msgspec.structs.replace(situation, context=context)


_PLACES = {
    place.id: place
    for place in (
        Place("home", LAT, LON, role=PlaceRole.HOME, visits=200),
        Place("work", *offset(LAT, LON, 9000, 0), role=PlaceRole.WORK, visits=150),
        Place("mall", *offset(LAT, LON, 4000, 3000), name="Harbour Mall", visits=9),
        Place("island", *offset(LAT, LON, -150_000, 120_000), visits=1),
    )
}


def _points() -> Iterator[PointOfInterest]:
    lat, lon = offset(LAT, LON, 4000, 3000)
    yield PointOfInterest("way/1", "Harbour Mall", "mall", lat, lon)
    for index, (name, kind, hours, cuisine) in enumerate(
        (
            ("Anchor", "restaurant", "Mo-Su 11:00-23:00", "fish"),
            ("Bella", "restaurant", "Mo-Su 17:00-24:00; PH off", "italian;pizza"),
            ("Crumb", "cafe", "Mo-Fr 07:00-18:00", "coffee_shop"),
            ("Depot", "fast_food", "24/7", "burger"),
            ("Eel", "restaurant", "", ""),
        )
    ):
        at = offset(lat, lon, 30.0 * index, 20.0)
        yield PointOfInterest(f"node/{index}", name, kind, *at, hours, cuisine)
    shop, plug = offset(LAT, LON, 5000, 150), offset(LAT, LON, 3000, -250)
    yield PointOfInterest("node/10", "Fret", "supermarket", *shop, "Mo-Sa 06:00-22:00")
    yield PointOfInterest("node/11", "Galvani", "charging_station", *plug, "24/7")


_BATTERY = "Powertrain.TractionBattery"
_HOME_STATES: dict[str, Value] = {
    "climate.living_room": "off",
    "climate.living_room.temperature": 17.0,
    "climate.living_room.current_temperature": 16.5,
    "cover.garage_door": "open",
    "lock.front_door": "unlocked",
    "binary_sensor.front_door": "off",
    "binary_sensor.kitchen_window": "on",
    "binary_sensor.occupancy": "off",
    "switch.stove": "on",
    "light.kitchen": "on",
    "light.living_room": "off",
    "sensor.outdoor_temperature": 2.0,
}


def _example(time: float, zone: tzinfo, origin: str, destination: str) -> Situation:
    start = _PLACES[origin]
    assert start.lat is not None
    assert start.lon is not None
    lat, lon = (
        offset(start.lat, start.lon, 400, 300)
        if destination
        else (start.lat, start.lon)
    )
    context = Context()
    for path, value in _HOME_STATES.items():
        context.learn_one(Sample("home", path, time - 600, value))
    context.learn_one(Sample("phone", "location", time, Position(lat, lon)))
    context.learn_one(Sample("phone", "batt", time, 60))
    for path, told in (
        ("Speed", 45.0 if destination else 0),
        ("CurrentLocation.Latitude", lat),
        ("CurrentLocation.Longitude", lon),
        (f"{_BATTERY}.Range", 30_000),
        (f"{_BATTERY}.StateOfCharge.Current", 14.0),
        (f"{_BATTERY}.Charging.IsCharging", False),
    ):
        context.learn_one(Sample("car", f"Vehicle.{path}", time, told))
    return Situation(
        time,
        zone,
        "ada",
        "phone",
        "car",
        "home",
        context,
        _forecast(time, origin, destination) if destination else None,
        "" if destination else origin,
        _PLACES,
        tuple(_past(time, zone)),
        FixedAtlas(_points()),
        tuple(_trips(time, zone)),
        (Appointment("1", "Fitting", time + 1500, time + 4200, "Harbour Mall"),),
        {"groceries": ("milk", "bread", "apples")},
        tuple(_changes(time, zone)),
    )


def _forecast(time: float, origin: str, destination: str) -> Forecast:
    place = _PLACES[destination]
    arrival = Interval(time + 900, time + 1200, time + 1800)
    likely = Candidate(
        place.id, place.label, 0.8, lat=place.lat, lon=place.lon, arrival=arrival
    )
    new = Candidate("", "somewhere new", 0.2)
    return Forecast("ada", time, time - 300, origin, (likely, new), arrival, 500.0)


def _past(time: float, zone: tzinfo) -> Iterator[Stay]:
    """Nine weeks of working days, with dinner out on Fridays."""
    today = datetime.fromtimestamp(time, UTC).astimezone(zone)
    midnight = today.replace(hour=0, minute=0, second=0).timestamp()
    for day in range(63, 0, -1):
        begin = midnight - day * _DAY_S
        weekday = datetime.fromtimestamp(begin + 43200, UTC).astimezone(zone).weekday()
        if weekday > 4:
            continue
        yield Stay("work", begin + 8.5 * 3600, begin + 17.5 * 3600)
        back_h = 18.0 + 0.1 * (day % 3)
        if weekday == 4:
            yield Stay("mall", begin + back_h * 3600, begin + (back_h + 1.5) * 3600)
            back_h += 2.0
        yield Stay("home", begin + back_h * 3600, begin + 32.0 * 3600)


def _trips(time: float, zone: tzinfo) -> Iterator[Trip]:
    """The ways between those stays."""
    stays = list(_past(time, zone))
    for before, after in pairwise(stays):
        if after.arrival > before.departure:
            yield Trip(
                before.place,
                after.place,
                max(before.departure, after.arrival - 1500.0),
                after.arrival,
                11_000.0,
            )


def _changes(time: float, zone: tzinfo) -> Iterator[Sample]:
    """What is switched: up at seven, out at eight, lamps in the evening."""
    for stay in _past(time, zone):
        if stay.place != "home":
            continue
        begin, end = stay.arrival, stay.departure
        for at, path, value in (
            (begin, "binary_sensor.occupancy", "on"),
            (begin + 60, "light.living_room", "on"),
            (begin + 300, "climate.living_room.temperature", 21.0),
            (begin + 4 * 3600, "light.living_room", "off"),
            (end - 3600, "light.kitchen", "on"),
            (end - 120, "light.kitchen", "off"),
            (end, "binary_sensor.occupancy", "off"),
            (end + 30, "climate.living_room.temperature", 16.0),
        ):
            if at < time - 600:
                yield Sample("home", path, at, value)

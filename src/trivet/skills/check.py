"""A conformance kit for skills, one's own or a third party's: each check is one law.

    import pytest
    from trivet.skills.check import CHECKS, examples

    @pytest.mark.parametrize("check", CHECKS)
    def test_umbrella_keeps_the_laws(check):
        for situation in examples():
            check(Umbrella(), situation)

A check raises AssertionError with the law that is broken. A skill that needs more
than `examples` holds is checked with situations of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import UTC, datetime, tzinfo
from typing import TypeAlias
from zoneinfo import ZoneInfo

import msgspec

from trivet.domain.error import TrivetError
from trivet.domain.forecast import Candidate, Forecast, Interval
from trivet.domain.geo import distance_m, offset
from trivet.domain.place import Place, PlaceRole, PointOfInterest, Stay
from trivet.domain.sample import Position, Quality, Sample, Value
from trivet.domain.suggestion import Suggestion
from trivet.domain.wire import decode, encode
from trivet.engine.context import Context
from trivet.engine.situation import Situation, Skill

Check: TypeAlias = Callable[[Skill, Situation], None]

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


def check_same_situation_same_needs(skill: Skill, situation: Situation) -> None:
    """A skill is pure: asked again, or asked by an equal situation, it says the same.

    It changes nothing of what it was given either.
    """
    before = _known(situation)
    first = list(skill.needs(situation))
    assert first == list(skill.needs(situation)), f"{skill.name} has a memory"
    assert _known(situation) == before, f"{skill.name} changed its situation"
    twin = _with_samples(situation, before)
    assert first == list(skill.needs(twin)), f"{skill.name} looks beyond the situation"


def check_survives_missing_features(skill: Skill, situation: Situation) -> None:
    """Whatever is missing, unavailable or bad: no error, and sound needs or none."""
    for what, poorer in missing(situation):
        try:
            needs = list(skill.needs(poorer))
        except Exception as error:
            raise AssertionError(f"{skill.name} fails without {what}") from error
        for need in needs:
            assert need.expires > poorer.time, f"{skill.name} without {what}: expired"


def check_expires_after_now(skill: Skill, situation: Situation) -> None:
    """A need ends, and not before it was said."""
    for need in skill.needs(situation):
        assert situation.time < need.expires, f"{need.key}: expired when it was made"
        assert need.expires <= situation.time + 7 * _DAY_S, f"{need.key}: never ends"


def check_reasons_have_evidence(skill: Skill, situation: Situation) -> None:
    """Every need says why, and at least one reason gives a number."""
    for need in skill.needs(situation):
        assert need.reasons, f"{need.key}: no reason"
        assert all(reason.text.strip() for reason in need.reasons), need.key
        assert any(
            reason.count is not None or any(map(str.isdigit, reason.text))
            for reason in need.reasons
        ), f"{need.key}: no evidence"


def check_needs_are_named(skill: Skill, situation: Situation) -> None:
    """Needs bear their skill's name, and no two bear one key."""
    needs = list(skill.needs(situation))
    assert all(need.skill == skill.name for need in needs), "somebody else's name"
    keys = [need.key for need in needs]
    assert all(keys), "an empty key"
    assert len(set(keys)) == len(keys), f"one key twice among {keys}"


def check_needs_can_be_shown_and_done(skill: Skill, situation: Situation) -> None:
    """There is a surface to show it on, and actions are for devices that exist."""
    devices = {situation.phone, situation.car, situation.home} - {""}
    for need in skill.needs(situation):
        assert need.title.strip(), f"{need.key}: no title"
        assert need.surfaces, f"{need.key}: no surface"
        for action in need.actions:
            assert action.device in devices, f"{need.key}: {action.device} is unknown"
            assert action.label.strip(), f"{need.key}: an action with no label"


def check_needs_fit_the_wire(skill: Skill, situation: Situation) -> None:
    """A need survives the way to another device: limits of the domain are kept."""
    for need in skill.needs(situation):
        for surface in need.surfaces:
            said = Suggestion("id", situation.person, situation.time, need, surface)
            try:
                received = decode(encode(said))
            except TrivetError as error:
                raise AssertionError(f"{need.key}: {error}") from error
            assert received == said, f"{need.key}: changed on the wire"


def check_silent_when_nothing_is_known(skill: Skill, situation: Situation) -> None:
    """With nothing known at all there is nothing to say."""
    empty = Situation(
        situation.time,
        situation.zone,
        situation.person,
        phone="",
        car="",
        home="",
        context=Context(),
        forecast=None,
        at="",
        places={},
        stays=(),
    )
    assert not list(skill.needs(empty)), f"{skill.name} speaks of nothing"


CHECKS: tuple[Check, ...] = (
    check_same_situation_same_needs,
    check_survives_missing_features,
    check_expires_after_now,
    check_reasons_have_evidence,
    check_needs_are_named,
    check_needs_can_be_shown_and_done,
    check_needs_fit_the_wire,
    check_silent_when_nothing_is_known,
)


def missing(situation: Situation) -> Iterator[tuple[str, Situation]]:
    """The situation again and again, each time with something less, and what it is."""
    fields: dict[str, object] = {
        "phone": "",
        "car": "",
        "home": "",
        "context": Context(),
        "forecast": None,
        "at": "",
        "places": {},
        "stays": (),
        "atlas": None,
    }
    for name, nothing in fields.items():
        yield name, msgspec.structs.replace(situation, **{name: nothing})
    unplaced = {
        id_: msgspec.structs.replace(place, lat=None, lon=None)
        for id_, place in situation.places.items()
    }
    yield "coordinates", msgspec.structs.replace(situation, places=unplaced)
    if situation.forecast is not None:
        yield from _poorer_forecasts(situation, situation.forecast)
    samples = _known(situation)
    replace = msgspec.structs.replace
    for index, sample in enumerate(samples):
        others = samples[:index] + samples[index + 1 :]
        yield sample.path, _with_samples(situation, others)
        for value in ("unavailable", True, -1e9):
            odd = replace(sample, value=value)
            yield f"{sample.path} ({value!r})", _with_samples(situation, [*others, odd])
        bad = replace(sample, quality=Quality.BAD)
        yield f"{sample.path} (bad)", _with_samples(situation, [*others, bad])


def examples(zone: tzinfo | None = None) -> list[Situation]:
    """Situations to try a skill in: leaving home in a hurry, and coming back cold.

    The home is cold with everything open and on; the way leads from home to a mall
    with places to eat, from work home, and nowhere (sitting at work before the usual
    return), each at morning, noon, evening and night of a Friday in winter.
    """
    return [
        example(hour, origin, destination, zone)
        for hour in (3.5, 8.5, 12.5, 16.5, 18.5, 23.5)
        for origin, destination in (("home", "mall"), ("work", "home"), ("work", ""))
    ]


def example(
    hour: float, origin: str, destination: str = "", zone: tzinfo | None = None
) -> Situation:
    """One of them: at a local hour, from `home`, `work` or `mall` to another of these.

    With no destination the person is staying at the origin.
    """
    zone = ZoneInfo("Europe/Berlin") if zone is None else zone
    midnight = datetime(2026, 1, 16, tzinfo=zone).timestamp()
    return _example(midnight + hour * 3600, zone, origin, destination)


def knowing(situation: Situation, *samples: Sample) -> Situation:
    """The situation with further samples; of one signal the latest counts."""
    return _with_samples(situation, [*_known(situation), *samples])


def _poorer_forecasts(
    situation: Situation, forecast: Forecast
) -> Iterator[tuple[str, Situation]]:
    replace = msgspec.structs.replace
    bare = tuple(
        replace(candidate, lat=None, lon=None, arrival=None, reasons=())
        for candidate in forecast.candidates
    )
    for what, poorer in (
        ("candidates", replace(forecast, candidates=())),
        ("arrival", replace(forecast, arrival=None)),
        ("origin", replace(forecast, origin="")),
        ("anything of the candidates", replace(forecast, candidates=bare)),
    ):
        yield what, replace(situation, forecast=poorer)


def _known(situation: Situation) -> list[Sample]:
    devices = sorted({situation.phone, situation.car, situation.home})
    return [s for device in devices for s in situation.context.of_device(device)]


def _with_samples(situation: Situation, samples: Iterable[Sample]) -> Situation:
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
    context.learn_one(Sample("car", "Vehicle.Speed", time, 45.0 if destination else 0))
    context.learn_one(Sample("car", "Vehicle.CurrentLocation.Latitude", time, lat))
    context.learn_one(Sample("car", "Vehicle.CurrentLocation.Longitude", time, lon))
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

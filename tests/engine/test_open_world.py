"""Laws of the open world: what of the map somewhere new may be, and what it is not."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from math import inf, nan
from zoneinfo import ZoneInfo

import msgspec
import pytest

from trivet.domain.forecast import Candidate, Forecast, Interval
from trivet.domain.geo import offset
from trivet.domain.place import Place, PlaceRole, PointOfInterest, Stay
from trivet.domain.wire import decode, encode
from trivet.engine.appeal import DRAW, UNTOLD
from trivet.engine.open_world import LEAST, OpenWorld
from trivet.engine.surroundings import MOST, MOST_FAR, cell
from trivet.engine.trip import RunningTrip
from trivet.skills.check import LAT, LON, FixedAtlas

ZONE = ZoneInfo("Europe/Berlin")
#: Friday 16 January 2026, 18:00.
TIME = datetime(2026, 1, 16, 18, 0, tzinfo=ZONE).timestamp()
HOME = Place("p1", LAT, LON, role=PlaceRole.HOME, visits=40)


def thing(
    name: str, east_m: float, north_m: float, kind: str = "restaurant", hours: str = ""
) -> PointOfInterest:
    at = offset(LAT, LON, east_m, north_m)
    return PointOfInterest(f"node/{name}", name, kind, *at, hours)


def east(length_m: float, lat: float = LAT, lon: float = LON) -> RunningTrip:
    """A drive from home to the east, at 10 m/s, with a fix each ten seconds."""
    trip = RunningTrip("p1", "", TIME - length_m / 10, 17.8, False)
    for step in range(int(length_m // 100) + 1):
        trip.add_fix(trip.departure + 10 * step, *offset(lat, lon, 100.0 * step, 0.0))
    return trip


def forecast(new: float = 0.8) -> Forecast:
    arrival = Interval(TIME + 300, TIME + 600, TIME + 900)
    return Forecast(
        "ada",
        TIME,
        TIME - 300,
        "p1",
        (
            Candidate("", "somewhere new", new, arrival=arrival),
            Candidate("p1", "home", 1.0 - new, LAT, LON),
        ),
        arrival,
    )


def found(
    points: Iterable[PointOfInterest],
    trip: RunningTrip | None = None,
    *,
    new: float = 0.8,
    places: Iterable[Place] = (HOME,),
    stays: Collection[Stay] = (),
) -> dict[str, float]:
    """Names and shares of what is told on a drive of 3 km to the east."""
    told = OpenWorld(FixedAtlas(points)).forecast(
        forecast(new),
        trip or east(3000.0),
        {place.id: place for place in places},
        tuple(stays),
        ZONE,
    )
    assert decode(encode(told)) == told
    total = sum(p.probability for p in told.prospects)
    assert total <= new + 1e-9
    assert all(p.probability >= LEAST for p in told.prospects)
    return {p.name: p.probability for p in told.prospects}


AHEAD, BEHIND = thing("Ahead", 4000.0, 0.0), thing("Behind", -4000.0, 0.0)


def test_what_the_way_leads_to_is_told_and_what_it_leaves_is_not() -> None:
    assert list(found([AHEAD, BEHIND])) == ["Ahead"]


def test_the_nearer_it_comes_the_likelier() -> None:
    shares = [found([AHEAD], east(m)).get("Ahead", 0.0) for m in (1500, 3000, 3800)]
    assert shares == sorted(shares)
    assert shares[0] < shares[2]


def test_where_they_stayed_is_not_new() -> None:
    there = Place("p2", AHEAD.lat, AHEAD.lon, visits=1)
    assert found([AHEAD], places=(HOME, there)) == {}


def test_a_share_is_left_for_what_is_not_on_the_map() -> None:
    assert 0.1 < sum(found([AHEAD, BEHIND]).values()) < 0.7


def test_things_that_stand_together_are_one_and_add_up() -> None:
    alone = found([AHEAD])["Ahead"]
    row = [thing(f"Next {n}", 4000.0, 15.0 * n) for n in range(1, 6)]
    together = found([AHEAD, *row])
    assert len(together) == 1
    assert next(iter(together.values())) > alone + 0.05


def test_a_mall_bears_the_name_of_its_shops_and_draws_more() -> None:
    shops = [thing(f"Shop {n}", 4000.0, 12.0 * n, "clothes") for n in range(1, 5)]
    mall = thing("Mall", 4000.0, 0.0, "mall")
    pub = thing("Pub", 4000.0, 900.0, "pub")
    told = found([*shops, mall, pub])
    assert next(iter(told)) == "Mall"
    assert told["Mall"] > 2 * told.get("Pub", 0.0)


def test_what_is_closed_then_is_hardly_gone_to() -> None:
    shut = thing("Shut", 4000.0, 400.0, hours="Mo-Su 08:00-12:00")
    open_ = thing("Open", 4000.0, -400.0, hours="Mo-Su 08:00-23:00")
    told = found([shut, open_])
    assert told["Open"] > 5 * told.get("Shut", 0.0)


def test_who_likes_a_kind_is_the_sooner_found_at_another_of_it() -> None:
    tried = [thing(f"Tried {n}", -3000.0, 1000.0 * n, "cinema") for n in range(3)]
    places = [
        Place(f"c{n}", point.lat, point.lon, visits=2) for n, point in enumerate(tried)
    ]
    stays = [Stay(place.id, TIME - 9e5, TIME - 8.9e5) for place in places]
    points = [*tried, thing("Film", 4000.0, 400.0, "cinema")]
    before = found(points, places=(HOME, *places))
    after = found(points, places=(HOME, *places), stays=stays)
    assert after["Film"] > before["Film"]


def test_nothing_is_told_where_nothing_stands_out() -> None:
    assert found([AHEAD], new=0.04) == {}
    crowd = [
        thing(f"{x} {y}", 300.0 * x + 150.0, 300.0 * y + 150.0)
        for x in range(0, 20)
        for y in range(-10, 10)
    ]
    assert found(crowd) == {}
    assert found([]) == {}
    assert found([thing("Bench", 4000.0, 0.0, "bench")]) == {}


@pytest.mark.parametrize("kind", sorted(UNTOLD))
def test_health_and_belief_are_never_guessed_aloud(kind: str) -> None:
    assert DRAW[kind]
    house = thing("House", 4000.0, 0.0, kind)
    assert found([house]) == {}
    other = thing("Bella", 4000.0, 60.0)
    alone, beside = found([other])["Bella"], found([other, house])
    assert set(beside) == {"Bella"}
    assert beside["Bella"] < alone  # it is as likely a goal as it was


def test_without_a_map_a_trip_or_a_position_the_forecast_is_as_it_was() -> None:
    said = forecast()
    blind = RunningTrip("p1", "", TIME, 17.8, False)
    for atlas, trip in (
        (None, east(3000.0)),
        (FixedAtlas([AHEAD]), None),
        (FixedAtlas([AHEAD]), blind),
    ):
        assert OpenWorld(atlas).forecast(said, trip, {}, (), ZONE) == said


@pytest.mark.parametrize("lon", [179.97, -179.999, 0.0])
def test_it_is_the_same_across_the_date_line(lon: float) -> None:
    trip = east(3000.0, 10.0, lon)
    at = offset(10.0, lon, 4000.0, 0.0)
    point = PointOfInterest("node/1", "Ahead", "restaurant", *at)
    here = PointOfInterest(
        "node/1", "Ahead", "restaurant", *offset(10.0, 20.0, 4000.0, 0.0)
    )
    share = found([point], trip, places=())["Ahead"]
    assert share == pytest.approx(
        found([here], east(3000.0, 10.0, 20.0), places=())["Ahead"], rel=0.1
    )


def test_it_is_the_same_whenever_it_was_asked_before() -> None:
    points = [AHEAD, BEHIND, thing("Aside", 2500.0, 900.0, "mall")]
    world = OpenWorld(FixedAtlas(points))
    places = {"p1": HOME}
    for length_m in range(500, 3000, 100):
        world.forecast(forecast(), east(length_m), places, (), ZONE)
    often = world.forecast(forecast(), east(3000.0), places, (), ZONE)
    once = OpenWorld(FixedAtlas(points)).forecast(
        forecast(), east(3000.0), places, (), ZONE
    )
    assert often == once


def test_of_forgotten_days_no_taste_is_left_even_on_the_same_trip() -> None:
    points = [thing("Tried", -3000.0, 0.0, "cinema"), thing("Film", 4000.0, 400.0)]
    points = [msgspec.structs.replace(point, kind="cinema") for point in points]
    tried = Place("c", points[0].lat, points[0].lon, visits=2)
    stays, places = (Stay("c", TIME - 9e5, TIME - 8.9e5),), {"p1": HOME, "c": tried}
    world, told = OpenWorld(FixedAtlas(points)), []
    for said in (stays, ()):
        found = world.forecast(forecast(), east(3000.0), places, said, ZONE)
        told.append(found.prospects[0].probability)
        world.forget()
    assert told[1] < told[0]


class Odd(FixedAtlas):
    """A map that heeds no limit and holds what is no point of a map."""

    def __init__(self, points: Iterable[PointOfInterest]) -> None:
        super().__init__(points)
        self.asked: list[int] = []
        self.held = tuple(points)

    def near(
        self,
        lat: float,
        lon: float,
        radius_m: float,
        kinds: Collection[str] = (),
        limit: int = 50,
    ) -> list[PointOfInterest]:
        self.asked.append(limit)
        return list(self.held)


def test_a_hostile_map_does_no_harm() -> None:
    odd = [
        msgspec.structs.replace(
            AHEAD,
            id="x" * 5000,
            name="\x00" * 5000,
            opening_hours="Mo-" * 900,
            capacity=-(10**30),
            distance_m=nan,
        ),
        msgspec.structs.replace(AHEAD, id="", kind="q" * 900),
        *(
            msgspec.structs.replace(AHEAD, id=f"n{n}", lat=lat, lon=lon)
            for n, (lat, lon) in enumerate([(nan, 0.0), (inf, nan), (91.0, 500.0)])
        ),
    ]
    told = OpenWorld(Odd(odd)).forecast(forecast(), east(3000.0), {}, (), ZONE)
    assert decode(encode(told)) == told
    assert len(told.prospects) == 1


def test_of_a_city_no_more_is_looked_at_than_of_a_town() -> None:
    city = Odd([thing(f"{n}", 10.0 * (n % 70), 9.0 * (n // 70)) for n in range(5000)])
    world = OpenWorld(city)
    world.forecast(forecast(), east(3000.0), {"p1": HOME}, (), ZONE)
    assert max(city.asked) <= max(MOST, MOST_FAR)
    asked = len(city.asked)
    world.forecast(forecast(), east(3000.0), {"p1": HOME}, (), ZONE)
    assert len(city.asked) == asked


@pytest.mark.parametrize("at", [(90.0, 180.0), (-90.0, -180.0), (0.0, 179.9999)])
def test_every_position_has_a_cell_on_earth(at: tuple[float, float]) -> None:
    lat, lon = cell(*at)
    assert -90.0 <= lat <= 90.0
    assert -180.0 <= lon <= 180.0

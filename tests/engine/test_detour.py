"""What lies near the way ahead."""

from __future__ import annotations

import msgspec
import pytest

from trivet.domain.geo import offset
from trivet.domain.place import PointOfInterest, TracePoint, Trip
from trivet.domain.sample import Position, Sample
from trivet.engine.detour import Detour, detours, way_to
from trivet.engine.situation import Situation
from trivet.skills.check import LAT, LON, FixedAtlas, example, knowing

#: From work, 9 km east of home, back to it.
HOMEWARD = example(16.5, "work", "home")


def with_shops(situation: Situation, *points: tuple[float, float]) -> Situation:
    """Shops so many metres east and north of home."""
    found = [
        PointOfInterest(f"node/{n}", f"Shop {n}", "supermarket", *offset(LAT, LON, *p))
        for n, p in enumerate(points)
    ]
    return msgspec.structs.replace(situation, atlas=FixedAtlas(found), trips=())


def found(situation: Situation, most_m: float = 2000.0) -> list[Detour]:
    assert situation.forecast is not None
    way = way_to(situation, situation.forecast.best)
    assert way is not None
    return detours(situation, way, ("supermarket",), most_m)


def test_what_is_on_the_way_is_no_detour_and_what_is_beside_it_is_there_and_back() -> (
    None
):
    on, beside = found(with_shops(HOMEWARD, (5000.0, 180.0), (5000.0, 900.0)))
    assert (on.point.name, on.text) == ("Shop 0", "no detour")
    assert beside.extra_m == pytest.approx(1.3 * 2 * 110.0, rel=0.5)
    assert beside.extra_m < 400.0


def test_what_lies_behind_is_turned_back_for() -> None:
    (behind,) = found(with_shops(HOMEWARD, (10_300.0, 300.0)), 4000.0)
    assert behind.extra_m == pytest.approx(1.3 * 2 * 900.0, rel=0.05)


def test_too_far_off_is_left_out() -> None:
    assert not found(with_shops(HOMEWARD, (5000.0, 4000.0)))


def test_one_is_there_when_that_share_of_the_way_is_gone() -> None:
    early, late = found(with_shops(HOMEWARD, (7500.0, 250.0), (1500.0, 60.0)))
    by_name = {one.point.name: one for one in (early, late)}
    left_s = 1200.0  # of the forecast's median
    assert by_name["Shop 0"].time == pytest.approx(HOMEWARD.time + 0.2 * left_s, abs=40)
    assert by_name["Shop 1"].time == pytest.approx(
        HOMEWARD.time + 0.84 * left_s, abs=40
    )


def test_the_way_is_that_of_the_last_such_trip_where_one_drives_it() -> None:
    # last time the way led far north
    bend = [(9000, 0), (9000, 4000), (0, 4000), (0, 0)]
    trace = tuple(
        TracePoint(float(n), *offset(LAT, LON, east, north))
        for n, (east, north) in enumerate(bend)
    )
    trip = Trip("work", "home", 0.0, 1500.0, 17_000.0, trace)
    shop = with_shops(HOMEWARD, (4500.0, 4100.0))
    assert not found(shop)
    known = msgspec.structs.replace(shop, trips=(trip,))
    (on,) = found(known)
    assert on.extra_m < 50.0
    elsewhere = Position(*offset(LAT, LON, 6000.0, -1500.0))
    assert not found(
        knowing(known, Sample("phone", "location", HOMEWARD.time + 1, elsewhere))
    )


def test_with_no_forecast_or_position_there_is_no_way() -> None:
    assert HOMEWARD.forecast is not None
    best = HOMEWARD.forecast.best
    assert way_to(msgspec.structs.replace(HOMEWARD, forecast=None), best) is None
    assert way_to(msgspec.structs.replace(HOMEWARD, phone="", car=""), best) is None
    nowhere = msgspec.structs.replace(best, lat=None)
    assert way_to(HOMEWARD, nowhere) is None

"""What is customary is told of each place by what past trips like this one did."""

from __future__ import annotations

import numpy as np
import pytest

from trivet.domain.place import Place, PlaceRole, Trip
from trivet.engine.custom import CUSTOMS, CUSTOMS_NEW, customs
from trivet.engine.history import History, PastTrip
from trivet.engine.settings import Settings
from trivet.engine.trip import Query

HOUR, DAY = 3600.0, 86_400.0
#: A Monday at midnight, UTC.
MONDAY = 4 * DAY
PLACES = tuple(
    Place(name, 49.0, 8.4, role=role)
    for name, role in (
        ("home", PlaceRole.HOME),
        ("work", PlaceRole.WORK),
        ("gym", PlaceRole.OTHER),
    )
)


def past(
    day: int, hour: float, origin: str, destination: str, *, is_new: bool = False
) -> PastTrip:
    begun = MONDAY + day * DAY + hour * HOUR
    trip = Trip(origin, destination, begun, begun + 0.5 * HOUR, 5000.0, ())
    return PastTrip(trip, "", hour, day % 7 >= 5, is_new)


def table(
    trips: list[PastTrip], day: int, hour: float, origin: str, before: str = ""
) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    """Numbers of each place by name, and of somewhere new."""
    query = Query(MONDAY + day * DAY + hour * HOUR, origin, before, hour, day % 7 >= 5)
    history = History(Settings(), trips)
    names = [place.id for place in PLACES]
    rows = np.array([names.index(one.trip.destination) for one in trips], dtype=int)
    found, new = customs(history, query, rows, PLACES)
    return (
        {
            name: dict(zip(CUSTOMS, row.tolist(), strict=True))
            for name, row in zip(names, found, strict=True)
        },
        dict(zip(CUSTOMS_NEW, new.tolist(), strict=True)),
    )


#: Home to work at eight; after a short stay there to the gym, after a long one home.
DAYS = [
    one
    for day in range(0, 12, 2)
    for one in (
        past(day, 8.0, "home", "work"),
        past(day, 10.0, "work", "gym"),
        past(day, 12.0, "gym", "work"),
        past(day, 21.0, "work", "home"),
    )
]


def test_the_length_of_the_stay_tells_where_they_go() -> None:
    soon, _ = table([*DAYS, past(14, 12.0, "home", "work")], 14, 14.0, "work")
    late, _ = table([*DAYS, past(14, 12.0, "home", "work")], 14, 21.0, "work")
    assert soon["gym"]["stay"] > soon["home"]["stay"] + 1.0
    assert late["home"]["stay"] > late["gym"]["stay"] + 1.0


def test_without_the_arrival_at_the_origin_the_stay_says_nothing() -> None:
    found, _ = table(DAYS, 14, 10.0, "work")
    assert len({places["stay"] for places in found.values()}) == 1


def test_how_many_trips_the_day_has_had_tells_too() -> None:
    first, _ = table(DAYS, 14, 12.0, "home")
    assert first["work"]["turn"] > first["gym"]["turn"] + 1.0
    second, _ = table([*DAYS, past(14, 8.0, "home", "work")], 14, 12.0, "work")
    assert second["gym"]["turn"] > second["work"]["turn"] + 1.0


def test_a_day_of_the_week_has_its_own_customs() -> None:
    weekly = [past(7 * n, 18.0, "work", "gym") for n in range(6)]
    weekly += [past(7 * n + 1, 18.0, "work", "home") for n in range(6)]
    weekly.sort(key=lambda one: one.trip.departure)
    monday, _ = table(weekly, 42, 18.0, "work")
    tuesday, _ = table(weekly, 43, 18.0, "work")
    assert monday["gym"]["weekday"] > monday["home"]["weekday"] + 1.0
    assert tuesday["home"]["weekday"] > tuesday["gym"]["weekday"] + 1.0
    assert monday["gym"]["like_hour"] == pytest.approx(
        monday["home"]["like_hour"], abs=0.1
    )


def test_roles_the_way_back_and_numbers_of_trips_are_told() -> None:
    found, new = table(DAYS, 14, 9.0, "work", before="gym")
    assert [found[n]["home"] for n in ("home", "work", "gym")] == [1.0, 0.0, 0.0]
    assert [found[n]["work"] for n in ("home", "work", "gym")] == [0.0, 1.0, 0.0]
    assert [found[n]["return"] for n in ("home", "work", "gym")] == [0.0, 0.0, 1.0]
    assert found["work"]["often"] == pytest.approx(np.log(13))
    assert new["trips"] == pytest.approx(np.log(25) - 5.0)


def test_somewhere_new_is_likelier_after_many_new_places() -> None:
    calm = table(DAYS, 14, 9.0, "work")[1]
    bold = [past(13, 8.0 + n, "home", "gym", is_new=True) for n in range(6)]
    lively = table([*DAYS, *bold], 14, 9.0, "work")[1]
    assert lively["new_lately"] > calm["new_lately"] + 1.0
    assert lively["new_hour"] > calm["new_hour"] + 0.5


def test_without_a_past_there_are_only_roles() -> None:
    found, new = table([], 0, 9.0, "home")
    assert found["home"]["home"] == 1.0
    assert found["gym"] == dict.fromkeys(CUSTOMS, 0.0)
    assert set(new.values()) == {0.0}

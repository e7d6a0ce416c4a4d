from __future__ import annotations

import msgspec
import pytest

from trivet.domain.geo import offset
from trivet.domain.place import Place, PointOfInterest, Stay, Trip
from trivet.domain.suggestion import Need, Surface
from trivet.engine.situation import Situation
from trivet.engine.suggest import Suggester
from trivet.skills.check import LAT, LON, FixedAtlas, example
from trivet.skills.groceries import Groceries

#: Friday, from work, 9 km east of home, back to it.
HOMEWARD = example(16.5, "work", "home")
DAY_S = 86_400.0


def shops(situation: Situation, *points: tuple[str, float, float, str]) -> Situation:
    """A map of shops: name, metres east and north of home, hours."""
    found = [
        PointOfInterest(
            f"node/{n}", name, "supermarket", *offset(LAT, LON, east, north), hours
        )
        for n, (name, east, north, hours) in enumerate(points)
    ]
    return msgspec.structs.replace(situation, atlas=FixedAtlas(found))


def listed(*items: str, name: str = "groceries") -> Situation:
    return msgspec.structs.replace(HOMEWARD, lists={name: items})


def driving(weeks_shopped: int, weeks: int = 8, days: int = 7) -> Situation:
    """Who drove home on the same weekday, and shopped at Fret on some of these."""
    shop = Place("shop", *offset(LAT, LON, 5000.0, 150.0), visits=weeks_shopped)
    trips, stays = [], [HOMEWARD.stays[0]]
    for week in range(weeks, 0, -1):
        begin = HOMEWARD.time - week * days * DAY_S
        trips.append(Trip("work", "home", begin, begin + 1500.0, 11_000.0))
        if week <= weeks_shopped:
            stays.append(Stay("shop", begin + 900.0, begin + 900.0 + 1500.0))
    places = {**HOMEWARD.places, "shop": shop}
    return msgspec.structs.replace(
        HOMEWARD, trips=tuple(trips), stays=tuple(stays), places=places
    )


def needs(situation: Situation) -> list[Need]:
    return list(Groceries().needs(situation))


def test_it_names_what_is_missing_and_the_shop_on_the_way() -> None:
    (need,) = needs(HOMEWARD)
    assert need.title == "Milk, bread and apples: Fret, no detour"
    assert need.details[0] == "On the list: milk, bread, apples"
    assert need.details[1].startswith(
        "Fret, there at 16:39, no detour, open until 22:00"
    )
    assert need.reasons[0].text == "3 things are on the list"
    assert need.reasons[1].text == "Fret is on the way; you are there at 16:39"


def test_a_long_list_is_told_in_short_and_its_things_once() -> None:
    (need,) = needs(listed("milk", "milk", " bread ", "eggs", "tea", ""))
    assert need.title.startswith("Milk, bread and 2 more: ")
    (one,) = needs(listed("milk"))
    assert one.title.startswith("Milk: Fret")
    assert one.reasons[0].text == "1 thing is on the list"


def test_nothing_on_the_list_or_another_list_says_nothing() -> None:
    assert not needs(listed())
    assert not needs(listed("", "  "))
    assert not needs(listed("drill", name="hardware"))


def test_the_list_may_be_called_what_a_household_calls_it() -> None:
    assert needs(listed("milk", name=" Einkauf "))
    own = Groceries(names=frozenset({"hardware"}))
    assert list(own.needs(listed("drill", name="Hardware")))


def test_a_closed_shop_or_one_about_to_close_is_not_offered() -> None:
    on_the_way = (5000.0, 150.0)
    assert needs(shops(HOMEWARD, ("A", *on_the_way, "Mo-Sa 08:00-20:00")))
    assert not needs(shops(HOMEWARD, ("A", *on_the_way, "Mo-Sa 08:00-16:00")))
    assert not needs(shops(HOMEWARD, ("A", *on_the_way, "Mo-Sa 08:00-16:50")))


def test_unknown_hours_are_said_and_known_ones_go_first() -> None:
    (need,) = needs(
        shops(
            HOMEWARD,
            ("Unknown", 5000.0, 150.0, ""),
            ("Known", 5000.0, 300.0, "24/7"),
        )
    )
    assert "Known" in need.title
    assert "hours not known" in need.details[2]


def test_too_great_a_detour_is_not_offered() -> None:
    assert not needs(shops(HOMEWARD, ("A", 5000.0, 4400.0, "24/7")))


def test_not_at_the_door_of_the_shop() -> None:
    assert not needs(shops(HOMEWARD, ("A", 9300.0, 300.0, "24/7")))


def test_to_work_only_by_habit() -> None:
    assert HOMEWARD.forecast is not None
    work = HOMEWARD.places["work"]
    best = msgspec.structs.replace(
        HOMEWARD.forecast.best, place="work", lat=work.lat, lon=work.lon
    )
    origin = example(16.5, "home", "mall")
    assert origin.forecast is not None
    forecast = msgspec.structs.replace(origin.forecast, candidates=(best,))
    to_work = msgspec.structs.replace(
        origin, forecast=forecast, lists={"groceries": ("milk",)}, trips=()
    )
    assert not needs(to_work)
    habit = driving(4)
    used = msgspec.structs.replace(
        to_work, trips=habit.trips, stays=habit.stays, places=habit.places
    )
    assert needs(used)


def test_own_stops_on_such_drives_make_it_likelier_and_are_counted() -> None:
    (never,), (often,) = needs(driving(0)), needs(driving(6))
    assert often.probability > 2 * never.probability
    text = "You shopped on 6 of 8 drives on a Friday at about this hour"
    assert text in [reason.text for reason in often.reasons]


def test_a_destination_that_is_the_shop_needs_no_guess() -> None:
    there = shops(HOMEWARD, ("A", 40.0, 30.0, "24/7"))
    (need,) = needs(there)
    (other,) = needs(HOMEWARD)
    assert need.probability > other.probability
    assert need.probability == pytest.approx(0.9 * 0.8)


def test_it_is_worth_saying_in_the_car_unless_one_never_does_it() -> None:
    (said,) = Suggester("ada", [Groceries()]).suggest(driving(6))
    assert said.surface is Surface.CAR
    assert not Suggester("ada", [Groceries()]).suggest(driving(0, weeks=50, days=1))

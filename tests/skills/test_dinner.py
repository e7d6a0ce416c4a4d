from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest

from trivet.domain.forecast import Interval
from trivet.domain.geo import offset
from trivet.domain.place import Place, PointOfInterest, Stay
from trivet.domain.sample import Position, Sample
from trivet.domain.suggestion import Need
from trivet.engine.situation import Situation
from trivet.skills.check import (
    LAT,
    LON,
    FixedAtlas,
    example,
    example_new,
    knowing,
)
from trivet.skills.dinner import Dinner

MALL = offset(LAT, LON, 4000, 3000)
DAY_S = 86400.0


def point(
    name: str,
    hours: str = "Mo-Su 10:00-24:00",
    kind: str = "restaurant",
    east_m: float = 100.0,
    cuisine: str = "",
) -> PointOfInterest:
    at = offset(*MALL, east_m, 0.0)
    return PointOfInterest(f"node/{name}", name, kind, *at, hours, cuisine)


def going(
    hour: float,
    *points: PointOfInterest,
    probability: float = 0.8,
    destination: str = "mall",
) -> Situation:
    """On the way from work, with that map, arriving at that hour of a Friday."""
    replace = msgspec.structs.replace
    situation = example(hour - 1 / 3, "work", "mall")
    assert situation.forecast is not None
    best, new = situation.forecast.candidates
    place = situation.places[destination]
    best = replace(
        best,
        place=place.id,
        label=place.label,
        lat=place.lat,
        lon=place.lon,
        probability=probability,
    )
    rest = replace(new, probability=1 - probability)
    forecast = replace(situation.forecast, candidates=(best, rest))
    return replace(situation, forecast=forecast, stays=(), atlas=FixedAtlas(points))


def needs(situation: Situation) -> list[Need]:
    return list(Dinner().needs(situation))


def names(need: Need) -> list[str]:
    return [line.split(",")[0] for line in need.details[:-1]]


def test_on_the_way_at_a_meal_it_offers_what_is_open_with_the_wait() -> None:
    (need,) = needs(going(19.0, point("Anchor", cuisine="fish")))
    assert need.title == "Dinner at Anchor: open at 19:00, wait about 20 min"
    assert need.details[0] == (
        "Anchor, fish, 100 m away, open until 00:00, wait about 20 min "
        "(a usual Friday at 19:00; no visits of yours yet)"
    )
    assert need.reasons[0].text == (
        "80 % you are heading to Harbour Mall, arriving 18:55 to 19:10"
    )
    assert not need.actions


def test_of_where_they_are_heading_anyway_it_tells_the_hours_and_the_wait() -> None:
    (need,) = needs(going(19.0, point("Harbour Mall", east_m=10.0)))
    assert need.details[0].startswith("Harbour Mall, where you are heading, open")
    assert need.title == "Dinner at Harbour Mall: open at 19:00, wait about 20 min"


def test_of_one_whose_hours_nobody_knows_the_title_says_no_more() -> None:
    (need,) = needs(going(19.0, point("Anchor", "")))
    assert need.title.startswith("Dinner at Anchor: hours not known, ")


def test_whose_map_it_is_is_always_named() -> None:
    (need,) = needs(going(19.0, point("Anchor")))
    assert need.details[-1] == "Map: an invented map"


def test_what_is_closed_on_arrival_is_left_out() -> None:
    (need,) = needs(going(19.0, point("Anchor"), point("Shut", "Mo-Su 10:00-18:00")))
    assert names(need) == ["Anchor"]
    assert (need.reasons[2].count, need.reasons[2].of) == (1, 2)


def test_what_closes_before_a_meal_is_over_is_left_out() -> None:
    assert not needs(going(19.0, point("Soon", "Mo-Su 10:00-19:20")))


def test_when_nothing_is_open_it_is_silent() -> None:
    assert not needs(going(19.0, point("Shut", "Sa 10:00-18:00"), point("Off", "off")))
    assert not needs(going(19.0))


def test_unknown_hours_are_said_to_be_unknown_and_come_after_the_open() -> None:
    points = (point("Unknown", "", east_m=10.0), point("Open", east_m=300.0))
    (need,) = needs(going(19.0, *points))
    assert names(need) == ["Open", "Unknown"]
    assert "hours not known" in need.details[1]
    assert need.title.endswith("2 places to eat")


def test_a_text_that_speaks_of_holidays_is_passed_on_with_that_doubt() -> None:
    (need,) = needs(going(19.0, point("Anchor", "Mo-Su 10:00-23:00; PH off")))
    assert "open until 23:00 (unless a holiday)" in need.details[0]


def test_at_most_three_of_different_cuisines() -> None:
    points = [
        point("One", cuisine="italian", east_m=10.0),
        point("Two", cuisine="italian;pizza", east_m=20.0),
        point("Three", cuisine="italian", east_m=30.0),
        point("Four", cuisine="fish", east_m=200.0),
        point("Five", cuisine="thai", east_m=200.0),
    ]
    (need,) = needs(going(19.0, *points))
    assert names(need) == ["One", "Five", "Four"]


def test_one_chain_is_offered_once() -> None:
    twin = msgspec.structs.replace(point("Depot", east_m=50.0), id="node/twin")
    (need,) = needs(going(19.0, point("Depot"), twin))
    assert names(need) == ["Depot"]


def test_the_shorter_wait_comes_first() -> None:
    points = (point("Slow"), point("Fast", kind="fast_food"))
    (need,) = needs(going(19.0, *points))
    assert names(need) == ["Fast", "Slow"]


@pytest.mark.parametrize("hour", [0.5, 3.0, 5.9])
def test_never_in_the_night(hour: float) -> None:
    assert not needs(going(hour, point("Depot", "24/7")))


@pytest.mark.parametrize(
    ("hour", "meal"), [(8.0, ""), (12.5, "lunch"), (15.5, ""), (19.0, "dinner")]
)
def test_it_speaks_at_meals_only(hour: float, meal: str) -> None:
    found = needs(going(hour, point("Depot", "24/7")))
    assert [need.key for need in found] == ([meal] if meal else [])


def test_in_a_shopping_area_an_hour_before_the_meal_is_near_enough() -> None:
    mall = PointOfInterest("way/1", "Harbour Mall", "mall", *MALL)
    assert not needs(going(17.0, point("Anchor")))
    (need,) = needs(going(17.0, point("Anchor"), mall))
    assert need.key == "dinner"
    plain = needs(going(19.0, point("Anchor")))[0].probability
    assert needs(going(19.0, point("Anchor"), mall))[0].probability > plain


@pytest.mark.parametrize(
    ("zone", "hour", "speaks"),
    [
        ("Europe/Madrid", 18.5, False),
        ("Europe/Madrid", 21.5, True),
        ("Europe/Helsinki", 17.0, True),
        ("Europe/Berlin", 21.5, False),
    ],
)
def test_the_hours_of_meals_are_those_of_the_country(
    zone: str, hour: float, speaks: bool
) -> None:
    away = going(hour, point("Depot", "24/7"))
    moved_h = ZoneInfo(zone).utcoffset(datetime(2026, 1, 16, 12))
    here_h = ZoneInfo("Europe/Berlin").utcoffset(datetime(2026, 1, 16, 12))
    assert moved_h is not None
    assert here_h is not None
    shift_s = (here_h - moved_h).total_seconds()
    assert away.forecast is not None
    best, new = away.forecast.candidates
    assert best.arrival is not None
    arrival = Interval(
        best.arrival.low + shift_s,
        best.arrival.median + shift_s,
        best.arrival.high + shift_s,
    )
    replace = msgspec.structs.replace
    best = replace(best, arrival=arrival)
    there = replace(
        away,
        zone=ZoneInfo(zone),
        time=away.time + shift_s,
        forecast=replace(away.forecast, candidates=(best, new)),
    )
    assert bool(needs(there)) is speaks


def test_an_unlikely_destination_is_not_worth_a_word() -> None:
    assert needs(going(19.0, point("Anchor"), probability=0.5))
    assert not needs(going(19.0, point("Anchor"), probability=0.3))


def ate_out(
    situation: Situation, hour: float, weeks: Iterable[int], minutes: float = 60.0
) -> Situation:
    """The same with dinners at `Anchor` on past Fridays at that hour."""
    lat, lon = offset(*MALL, 100.0, 0.0)
    midnight = example(0.0, "work").time
    stays = tuple(
        Stay("anchor", begin, begin + minutes * 60)
        for week in sorted(weeks, reverse=True)
        for begin in [midnight - week * 7 * DAY_S + hour * 3600]
    )
    places = {**situation.places, "anchor": Place("anchor", lat, lon)}
    return msgspec.structs.replace(situation, stays=stays, places=places)


def test_own_habit_makes_an_odd_hour_a_meal_with_its_evidence() -> None:
    odd = going(15.5, point("Anchor"))
    assert not needs(odd)
    (need,) = needs(ate_out(odd, 15.5, range(1, 5)))
    assert (need.reasons[1].count, need.reasons[1].of) == (4, 4)
    assert "4 times in the last half year" in need.reasons[1].text


def test_two_meals_are_not_yet_a_habit() -> None:
    assert not needs(ate_out(going(15.5, point("Anchor")), 15.5, range(1, 3)))


@pytest.mark.parametrize("destination", ["home", "work"])
def test_heading_home_or_to_work_only_own_habit_counts(destination: str) -> None:
    here = example(19.0, "work").places[destination]
    assert here.lat is not None
    assert here.lon is not None
    near = PointOfInterest(
        "node/Near", "Near", "restaurant", here.lat, here.lon, "24/7"
    )
    going_there = going(19.0, near, point("Anchor"), destination=destination)
    assert not needs(going_there)
    assert needs(ate_out(going_there, 19.0, range(1, 6)))


def test_a_habit_of_other_days_does_not_hold_on_the_way_home() -> None:
    here = example(19.0, "work").places["home"]
    assert here.lat is not None
    assert here.lon is not None
    near = PointOfInterest(
        "node/Near", "Near", "restaurant", here.lat, here.lon, "24/7"
    )
    situation = ate_out(
        going(19.0, near, point("Anchor"), destination="home"), 19.0, range(1, 6)
    )
    other_days = tuple(
        Stay(s.place, s.arrival - DAY_S, s.departure - DAY_S) for s in situation.stays
    )
    assert not needs(msgspec.structs.replace(situation, stays=other_days))


def test_after_a_meal_out_nobody_looks_for_the_next() -> None:
    situation = ate_out(going(13.0, point("Anchor")), 13.0, range(1, 5))
    assert needs(situation)
    lunch = situation.time - 5400
    stays = (*situation.stays, Stay("anchor", lunch, lunch + 3000))
    assert not needs(msgspec.structs.replace(situation, stays=stays))


def test_with_the_car_at_hand_a_drive_makes_up_for_too_few_on_foot() -> None:
    far = point("Far", east_m=1500.0)
    driving = going(19.0, far)
    (need,) = needs(driving)
    assert "1.5 km away" in need.details[0]
    on_foot = msgspec.structs.replace(driving, car="")
    assert not needs(on_foot)
    near = [point(name, east_m=50.0) for name in ("One", "Two", "Three")]
    assert "Far" not in names(needs(going(19.0, far, *near))[0])


def test_several_places_to_eat_count_together() -> None:
    bella = msgspec.structs.replace(point("Bella"), lat=LAT - 0.01, lon=LON)
    anchor = msgspec.structs.replace(point("Anchor"), lat=MALL[0], lon=MALL[1])
    situation = going(19.0, anchor, bella, probability=0.25)
    assert not needs(situation)
    assert situation.forecast is not None
    best, new = situation.forecast.candidates
    replace = msgspec.structs.replace
    other = replace(best, place="bella", label="Bella", lat=bella.lat, lon=bella.lon)
    forecast = replace(situation.forecast, candidates=(best, other, new))
    (need,) = needs(replace(situation, forecast=forecast))
    assert need.reasons[0].text.startswith("50 % you are heading to Harbour Mall or")


def test_own_long_stays_lengthen_the_wait_and_are_named() -> None:
    (need,) = needs(
        ate_out(going(13.0, point("Anchor")), 13.0, range(1, 7), minutes=110.0)
    )
    assert "wait about 35 min" in need.details[0]
    assert "6 visits of yours around that hour" in need.details[0]


def staying(since_min: float, hour: float = 19.0) -> Situation:
    situation = example(hour, "mall")
    arrival = situation.time - since_min * 60
    return msgspec.structs.replace(
        situation,
        stays=(Stay("mall", arrival, situation.time),),
        atlas=FixedAtlas([point("Anchor")]),
    )


def test_out_and_just_arrived_counts_too_but_not_for_ever() -> None:
    (need,) = needs(staying(5.0))
    assert need.reasons[0].text == "You came to Harbour Mall at 18:55"
    assert need.expires == staying(5.0).time + 40 * 60
    assert not needs(staying(50.0))


def test_not_at_a_table_already() -> None:
    at_table = msgspec.structs.replace(point("Anchor"), lat=MALL[0], lon=MALL[1])
    situation = msgspec.structs.replace(staying(5.0), atlas=FixedAtlas([at_table]))
    assert not needs(situation)


def test_a_destination_with_no_position_says_nothing() -> None:
    situation = going(19.0, point("Anchor"))
    assert situation.forecast is not None
    replace = msgspec.structs.replace
    bare = tuple(replace(c, lat=None, lon=None) for c in situation.forecast.candidates)
    forecast = replace(situation.forecast, candidates=bare)
    assert not needs(replace(situation, forecast=forecast))


def stopped(situation: Situation, count: int, then_eats: int) -> Situation:
    """The same with past stops at the mall at that hour, some with dinner after."""
    ate = ate_out(situation, 19.5, range(1, then_eats + 1))
    midnight = example(0.0, "work").time
    shopped = [
        Stay("mall", begin, begin + 1800)
        for week in range(count, 0, -1)
        for begin in [midnight - week * 7 * DAY_S + 18.5 * 3600]
    ]
    stays = sorted((*ate.stays, *shopped), key=lambda stay: stay.arrival)
    return msgspec.structs.replace(ate, stays=stays)


def test_who_never_eats_where_they_shop_is_hardly_thought_to() -> None:
    there = going(18.5, point("Anchor"))
    (new,) = needs(there)
    (never,) = needs(stopped(there, 8, 0))
    (often,) = needs(stopped(there, 8, 7))
    assert never.probability < new.probability / 2
    assert new.probability < often.probability
    assert "You ate out on 0 of 8 stops there" in never.reasons[2].text


def test_a_supermarket_is_no_area_to_eat_in_as_a_mall_is() -> None:
    def chance(kind: str) -> float:
        shop = point("Shop", kind=kind, east_m=0.0)
        (need,) = needs(going(19.0, shop, point("Anchor", east_m=160.0)))
        return need.probability

    assert chance("supermarket") < chance("mall")


@pytest.mark.parametrize("kind", ["restaurant", "mall"])
def test_at_the_door_nobody_chooses_any_more_but_in_a_mall(kind: str) -> None:
    """On a trip that is not known to have ended."""
    situation = going(19.0, point("Anchor"), point("Here", kind=kind, east_m=0.0))
    assert needs(situation)
    there = Sample("phone", "location", situation.time, Position(*MALL))
    later = msgspec.structs.replace(situation, time=situation.time + 300)
    standing = (
        Sample("car", path, later.time, value)
        for path, value in (
            ("Vehicle.Speed", 0.0),
            ("Vehicle.CurrentLocation.Latitude", MALL[0] + 0.003),
            ("Vehicle.CurrentLocation.Longitude", MALL[1]),
        )
    )
    arrived = knowing(later, there, *standing)
    assert bool(needs(arrived)) is (kind == "mall")


def test_towards_a_mall_that_is_new_to_them_it_offers_what_is_there() -> None:
    situation = example_new(18.5)
    (need,) = needs(situation)
    assert "near Harbour Mall: 3 places" in need.title
    assert "wait about" in need.details[0]
    assert situation.forecast is not None
    new, home = situation.forecast.candidates
    guess = msgspec.structs.replace(new.prospects[0], probability=0.2)
    unsure = msgspec.structs.replace(
        situation.forecast,
        candidates=(msgspec.structs.replace(new, prospects=(guess,)), home),
    )
    assert not needs(msgspec.structs.replace(situation, forecast=unsure))


def to_anchor(situation: Situation, probability: float) -> Situation:
    """The same on the way to `Anchor`, and with the rest to the mall beside it."""
    replace = msgspec.structs.replace
    assert situation.forecast is not None
    mall, new = situation.forecast.candidates
    lat, lon = offset(*MALL, 100.0, 0.0)
    first = replace(
        mall, place="anchor", label="Anchor", lat=lat, lon=lon, probability=probability
    )
    second = replace(mall, probability=0.95 - probability)
    last = replace(new, probability=0.05)
    forecast = replace(situation.forecast, candidates=(first, second, last))
    return replace(situation, forecast=forecast)


def test_where_they_go_as_always_it_is_worth_little_until_another_saves_a_wait() -> (
    None
):
    around = point("Anchor"), point("Farther", east_m=300.0)
    choosing = needs(to_anchor(going(19.0, *around), 0.9))[0].benefit
    always = to_anchor(ate_out(going(19.0, *around), 19.0, range(1, 6)), 0.9)
    assert needs(always)[0].benefit < choosing / 2
    unsure = to_anchor(ate_out(going(19.0, *around), 19.0, range(1, 6)), 0.45)
    assert needs(unsure)[0].benefit == choosing
    quick = point("Quick", kind="fast_food", east_m=300.0)
    waited = ate_out(going(19.0, point("Anchor"), quick), 19.0, range(1, 9), 150.0)
    (need,) = needs(to_anchor(waited, 0.9))
    assert "Anchor, where you are heading" in " ".join(need.details)
    assert need.benefit == choosing
    shut = going(19.0, point("Anchor", "Sa 10:00-18:00"), quick)
    closed = to_anchor(ate_out(shut, 19.0, range(1, 6)), 0.9)
    assert needs(closed)[0].benefit == choosing


def test_of_several_likely_goals_none_is_named_as_the_one() -> None:
    around = point("Anchor"), point("Farther", east_m=300.0)
    (need,) = needs(to_anchor(going(19.0, *around), 0.5))
    assert need.title == "Dinner near Anchor: 2 places open at 19:00"
    replace = msgspec.structs.replace
    spread = to_anchor(going(19.0, *around), 0.34)
    assert spread.forecast is not None
    first, second, last = spread.forecast.candidates
    less = replace(second, probability=0.3)
    more = replace(last, probability=0.36)
    spread = replace(
        spread, forecast=replace(spread.forecast, candidates=(first, less, more))
    )
    (need,) = needs(spread)
    assert need.title == "Dinner out: 2 places open at 19:00"
    assert need.details[0].startswith("Anchor, where you may be heading, ")
    assert need.details[1].startswith("Farther, 200 m from Anchor, ")

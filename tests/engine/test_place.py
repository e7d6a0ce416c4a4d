"""Places are merged by distance, keep their ids, and take their roles from hours."""

from __future__ import annotations

from tests.engine.life import BERLIN, monday

from trivet.domain import PlaceRole
from trivet.domain.geo import offset
from trivet.engine.place import PlaceBook
from trivet.engine.settings import Settings


def at(east_m: float) -> tuple[float, float]:
    return offset(49.0, 8.4, east_m, 0.0)


def test_near_stays_are_one_place_and_far_ones_two() -> None:
    book = PlaceBook(Settings())
    first = book.visit(*at(0))
    second = book.visit(*at(150))
    third = book.visit(*at(900))
    assert (first.is_new, second.is_new, third.is_new) == (True, False, True)
    assert first.place == second.place != third.place
    assert book.places[first.place].visits == 2


def test_the_centre_is_the_mean_of_the_stays() -> None:
    book = PlaceBook(Settings())
    for east_m in (0, 60, 120):
        book.visit(*at(east_m))
    centre = book.centre("p1")
    assert centre is not None
    assert abs(centre[1] - at(60)[1]) < 1e-6


def test_places_that_grow_together_become_the_visited_one() -> None:
    book = PlaceBook(Settings(place_radius_m=200))
    book.visit(*at(0))
    book.visit(*at(210))
    visits = [book.visit(*at(east_m)) for east_m in (80, 150, 90, 130, 100, 125)]
    absorbed = [visit.absorbed for visit in visits if visit.absorbed]
    assert len(absorbed) == 1
    assert len(book.places) == 1
    assert next(iter(book.places.values())).visits == 8


def test_a_single_night_is_a_home_and_a_single_day_no_work() -> None:
    book = PlaceBook(Settings())
    home, office = book.visit(*at(0)).place, book.visit(*at(5000)).place
    book.add_hours(home, monday(20), monday(32), BERLIN)
    book.add_hours(office, monday(33), monday(41), BERLIN)
    assert book.places[home].role is PlaceRole.HOME
    assert book.places[office].role is PlaceRole.OTHER


def test_a_phone_left_behind_for_weeks_is_no_month_at_home() -> None:
    book = PlaceBook(Settings())
    home, cabin = book.visit(*at(0)).place, book.visit(*at(9000)).place
    for day in range(8):
        book.add_hours(home, monday(20, day), monday(31, day), BERLIN)
    book.add_hours(cabin, monday(12, 9), monday(12, 30), BERLIN)
    assert book.places[home].role is PlaceRole.HOME


def test_a_region_is_a_place_without_a_position() -> None:
    book = PlaceBook(Settings())
    region = book.visit_region("Office").place
    assert book.places[region].label == "Office"
    assert book.places[region].lat is None
    assert book.nearest(49.0, 8.4) == ""
    assert book.find_region("Office") == region
    assert book.find_region("Elsewhere") == ""


def test_across_the_date_line_near_is_near() -> None:
    book = PlaceBook(Settings())
    place = book.visit(10.0, 179.9999).place
    assert book.nearest(10.0, -179.9999) == place

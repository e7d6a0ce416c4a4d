"""Appeal: how much people like to go to a kind of thing on the map that is new to them.

How much a thing draws is this project's own reading, in four steps against a
restaurant, not a measurement: a mall is gone to by far more people than a restaurant;
of those who are in a supermarket few are there for the first time; a shop of one trade
draws fewer. When, is told by the curves of `visit`, and by opening hours where the map
has them. What is not listed here is no destination to speak of, or nobody's choice.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from trivet.domain.place import PointOfInterest
from trivet.engine.opening_hours import parse
from trivet.engine.visit import busyness

_STEPS = (
    (8.0, "mall department_store stadium theme_park zoo hospital aerodrome university"),
    (
        2.0,
        """supermarket furniture doityourself cinema theatre marketplace food_court
        sports_centre swimming_pool water_park museum beach beach_resort wholesale
        garden_centre station exhibition_centre events_venue""",
    ),
    (
        1.0,
        """restaurant fast_food cafe bar pub biergarten ice_cream nightclub gym
        fitness_centre park library community_centre arts_centre clinic hotel
        attraction nature_reserve sports_hall bowling_alley""",
    ),
    (
        0.3,
        """bakery pharmacy doctors dentist hairdresser clothes shoes electronics books
        sports bank post_office townhall school kindergarten college chemist
        convenience butcher florist optician bicycle car_repair car_wash fuel
        charging_station playground place_of_worship variety_store hardware beauty
        veterinary""",
    ),
)
#: How many come to one of a kind on a day, against a restaurant.
DRAW: Mapping[str, float] = {
    kind: draw for draw, kinds in _STEPS for kind in kinds.split()
}
#: So many come that they come from far: looked for further away than the rest.
STRONG = tuple(kind for kind, draw in DRAW.items() if draw > 1.0)
#: Where somebody goes for their health or belief is nothing to be guessed aloud, least
#: of all in a car with others in it. Such things are likely goals, and never told.
UNTOLD = frozenset("hospital clinic doctors dentist pharmacy place_of_worship".split())
#: Kinds that fill as `visit` says; the others are taken to be as full at any hour.
_FILLING = frozenset(
    """restaurant fast_food food_court cafe bar pub biergarten supermarket mall
    department_store furniture doityourself marketplace clothes shoes electronics books
    sports bakery chemist convenience butcher garden_centre variety_store""".split()
)
_AT_ANY_HOUR = 0.5
#: Nobody goes at an empty hour, hardly; nor where it is closed, but hours may be wrong.
_LEAST_FULL, _CLOSED = 0.1, 0.05


def appeal(
    point: PointOfInterest, moment: datetime, tastes: Mapping[str, int]
) -> float:
    """How likely somebody new goes there at a local time, against others; 0 for none.

    Args:
        point: on the map.
        moment: local time of coming.
        tastes: at how many places of each kind the person stayed. Who went to three
            restaurants is the sooner found at a fourth, as in Pitman's process.
    """
    draw = DRAW.get(point.kind, 0.0)
    if not draw:
        return 0.0
    full = _AT_ANY_HOUR
    if point.kind in _FILLING:
        full = max(_LEAST_FULL, busyness(point.kind, moment))
    hours = parse(point.opening_hours)
    if hours is not None and hours.is_open(moment) is False:
        full *= _CLOSED
    return draw * full * (1.0 + tastes.get(point.kind, 0))

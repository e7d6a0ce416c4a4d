"""Crowds: how slow traffic is and how long a queue is, by weekday and hour.

Source: H. Sakasegawa, "An approximation formula L_q = a * rho^b / (1 - rho)" (1977),
for the wait at c servers of equal speed.
"""

from __future__ import annotations

from math import exp, sqrt

from trivet.domain.place import PointOfInterest

#: A party in front of a full house walks away rather than wait longer.
LONGEST_WAIT_MIN = 75.0
#: From here on the queue grows with the patience of people, not with the load alone.
_FULL_MIN, _SHOP_FULL_MIN, _SHOP_LONGEST_MIN = 25.0, 5.0, 12.0
_MEALS = ("restaurant", "fast_food", "cafe")


def _bump(hour: float, centre: float, width: float) -> float:
    return exp(-(((hour - centre) / width) ** 2))


def traffic(weekday: int, hour: float) -> float:
    """Share of the free speed that traffic allows on main roads, 0.5 to 1.0."""
    if weekday == 6:
        return 1.0 - 0.06 * _bump(hour, 15.0, 2.5)
    if weekday == 5:
        return 1.0 - 0.2 * _bump(hour, 12.0, 2.2)
    return (
        1.0
        - 0.40 * _bump(hour, 7.9, 0.7)
        - 0.36 * _bump(hour, 17.2, 1.0)
        - 0.10 * _bump(hour, 13.0, 2.5)
    )


def is_rush(weekday: int, hour: float) -> bool:
    """Whether a driver would think of side streets."""
    return traffic(weekday, hour) < 0.8


def crowd(kind: str, weekday: int, hour: float) -> float:
    """Load of a place of that kind, as a share of what it can hold; may pass 1."""
    weekend = weekday >= 4
    if kind == "cafe":
        return 0.3 + 0.55 * _bump(hour, 15.3, 1.8) * (1.25 if weekday >= 5 else 0.85)
    if kind in _MEALS:
        lunch = 0.75 * _bump(hour, 12.6, 0.8)
        dinner = (1.05 if weekend and weekday != 6 else 0.74) * _bump(hour, 19.3, 1.3)
        return 0.12 + lunch + dinner
    if kind == "cinema":
        return 0.2 + (0.7 if weekday in (4, 5) else 0.35) * _bump(hour, 20.0, 1.2)
    after_work = 0.5 * _bump(hour, 17.7, 1.4)
    saturday = 0.65 * _bump(hour, 11.5, 2.2) if weekday == 5 else 0.0
    return 0.3 + after_work + saturday


def wait_min(
    poi: PointOfInterest, popularity: float, weekday: int, hour: float
) -> float:
    """Mean wait in minutes before being served, 0 where nobody queues.

    Args:
        poi: the place; its capacity sets how many are served at once.
        popularity: 1 is usual; scales the crowd (a place's charm, a day's chance).
        weekday: 0 is Monday.
        hour: local hour.
    """
    if not poi.capacity:
        return 0.0
    if poi.kind in _MEALS:
        # a table seats about three, and is taken for an hour or for half of one
        servers = max(1.0, poi.capacity / 3.0)
        service_min = 62.0 if poi.kind == "restaurant" else 28.0
        full, longest = _FULL_MIN, LONGEST_WAIT_MIN
    else:
        servers, service_min = max(1.0, poi.capacity / 60.0), 3.5
        full, longest = _SHOP_FULL_MIN, _SHOP_LONGEST_MIN
    load = popularity * crowd(poi.kind, weekday, hour)
    if load >= 0.99:
        # more come than can be served: the queue is as long as the patience
        over = min(1.0, (load - 0.99) / 0.35)
        return full + (longest - full) * over
    wait = service_min * float(load ** (sqrt(2.0 * (servers + 1.0)) - 1.0))
    return min(full, wait / (servers * (1.0 - load)))

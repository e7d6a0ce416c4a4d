"""Outings: on how many of a person's own stops around somewhere they ate out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from trivet.domain.clock import local
from trivet.domain.forecast import Reason
from trivet.domain.geo import distance_m
from trivet.domain.place import PlaceRole
from trivet.engine.goal import Goal
from trivet.engine.situation import Situation
from trivet.engine.visit import HISTORY_S, Visit, is_around

#: What is usual weighs as much as so many own stops there around that hour.
PRIOR_STOPS = 4.0
#: A meal begun so long after coming belongs to the stop: first the shops.
MEAL_WITHIN_H = 3.0


class Record(NamedTuple):
    """What the person did on stops there around that hour: on how many they ate out."""

    meals: int
    stops: int

    def share(self, prior: float) -> float:
        """Share of such stops with a meal, `prior` with no history."""
        return (self.meals + PRIOR_STOPS * prior) / (self.stops + PRIOR_STOPS)

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """In words, if there were any."""
        if not self.stops:
            return ()
        text = f"You ate out on {self.meals} of {self.stops} stops there at that hour"
        return (Reason(text, self.meals, self.stops),)


def record_of(
    situation: Situation,
    goal: Goal,
    within_m: float,
    moment: datetime,
    meals: Sequence[Visit],
) -> Record:
    """Own stops around a goal and a local hour; at home and work there are none.

    Args:
        situation: whose stays are looked at, of the last half year.
        goal: where.
        within_m: how near a stop was, in metres.
        moment: local time of getting there.
        meals: the person's past visits where one eats.
    """
    if goal.role is not PlaceRole.OTHER:
        return Record(0, 0)
    there = {
        place.id
        for place in situation.places.values()
        if place.role is PlaceRole.OTHER
        and place.lat is not None
        and place.lon is not None
        and distance_m(place.lat, place.lon, goal.lat, goal.lon) <= within_m
    }
    begun = [visit.arrival for visit in meals]
    within = timedelta(hours=MEAL_WITHIN_H)
    eaten = stops = 0
    for stay in situation.stays:
        is_past = 0.0 < situation.time - stay.departure <= HISTORY_S
        if stay.place not in there or not is_past:
            continue
        came = local(stay.arrival, situation.zone)
        if is_around(came, moment):
            stops += 1
            eaten += any(timedelta(0) <= begin - came <= within for begin in begun)
    return Record(eaten, stops)

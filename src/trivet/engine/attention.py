"""Attention: what it costs a person to be interrupted now, and when it is not allowed.

The driving load is judged from what every car tells: speed, and the wipers or the
rain sensor where there are any. Standing still is the best moment in a car, wet or
fast driving the worst, and then only safety may speak.

Source: NHTSA, "Visual-Manual Driver Distraction Guidelines", 78 FR 24817 (2013), for
the principle that what a task may ask of a driver depends on the vehicle's motion.
The numbers are ours; each is an attribute, so a household can set its own.
"""

from __future__ import annotations

from enum import IntEnum

import msgspec

from trivet.domain.clock import hour_of_day
from trivet.domain.place import PlaceRole
from trivet.domain.suggestion import Need, Surface
from trivet.engine.situation import Situation
from trivet.engine.whereabouts import is_in_car, speed_kph

RAIN = "Vehicle.Body.Raindetection.Intensity"
WIPERS = "Vehicle.Body.Windshield.Front.Wiping.Intensity"
#: Below this a car stands; a person outside it who moves faster is carried.
STANDING_KPH = 3.0
CARRIED_KPH = 20.0


class Load(IntEnum):
    """How much of a person's attention the road takes."""

    #: not moving, or moving on foot
    NONE = 0
    #: driving, with some attention to spare
    LOW = 1
    #: driving fast or in bad weather: only safety may speak
    HIGH = 2


class Attention(msgspec.Struct, frozen=True):
    """The cost of an interruption, in the unit of utility: benefit times probability.

    Attributes:
        quiet_from_h: local hour at which the quiet hours begin.
        quiet_until_h: local hour at which they end.
        base: cost of any interruption.
        quiet: added in the quiet hours, unless on a trip: there the person is awake.
        driving: added while driving at `fast_kph`, in proportion to speed below it.
        unknown: added on a trip whose speed nobody tells.
        again: added for each suggestion already given on that local day.
        fast_kph: from this speed on the load is high.
        wet_kph: likewise with rain or the wipers on.
    """

    quiet_from_h: float = 22.0
    quiet_until_h: float = 7.0
    base: float = 0.04
    quiet: float = 0.3
    driving: float = 0.08
    unknown: float = 0.05
    again: float = 0.015
    fast_kph: float = 110.0
    wet_kph: float = 70.0

    def load(self, situation: Situation) -> Load:
        """The driving load now."""
        speed = speed_kph(situation)
        if situation.forecast is None:
            return Load.NONE
        if speed is None:
            return Load.LOW
        # a passenger of a bus looks like a driver to a phone: the careful reading wins
        if speed < (STANDING_KPH if is_in_car(situation) else CARRIED_KPH):
            return Load.NONE
        limit = self.wet_kph if _is_wet(situation) else self.fast_kph
        return Load.HIGH if speed >= limit else Load.LOW

    def is_quiet(self, situation: Situation) -> bool:
        """Whether it is within the quiet hours where the person is."""
        hour = hour_of_day(situation.time, situation.zone)
        if self.quiet_from_h <= self.quiet_until_h:
            return self.quiet_from_h <= hour < self.quiet_until_h
        return hour >= self.quiet_from_h or hour < self.quiet_until_h

    def cost(self, situation: Situation, given_today: int) -> float:
        """Cost of one more suggestion now, `given_today` having been given already."""
        cost = self.base + self.again * given_today
        if situation.forecast is None and self.is_quiet(situation):
            cost += self.quiet
        if self.load(situation) is not Load.NONE:
            speed = speed_kph(situation)
            if speed is None:
                cost += self.unknown
            else:
                cost += self.driving * min(1.0, speed / self.fast_kph)
        return cost

    def allows(self, need: Need, situation: Situation) -> bool:
        """The driving gate: under high load only safety may speak."""
        return need.is_safety or self.load(situation) is not Load.HIGH

    def surface(self, need: Need, situation: Situation) -> Surface | None:
        """Where to show it now, None when no place that the need allows is safe.

        In the car it is the car's screen and never the phone, unless the car stands.
        Elsewhere it is the first of the need's surfaces that the person is at.
        """
        moving = self.load(situation) is not Load.NONE
        if is_in_car(situation) and moving:
            allowed = [Surface.CAR, Surface.PHONE] if need.is_safety else [Surface.CAR]
            return next((s for s in allowed if s in need.surfaces), None)
        present = _present(situation)
        found = next((s for s in need.surfaces if s in present), None)
        if found is None and need.is_safety:
            return need.surfaces[0] if need.surfaces else Surface.PHONE
        return found


def _present(situation: Situation) -> set[Surface]:
    present = set()
    if situation.phone:
        present.add(Surface.PHONE)
    if is_in_car(situation):
        present.add(Surface.CAR)
    home = situation.place_of(PlaceRole.HOME)
    if situation.home and home is not None and situation.at == home.id:
        present.add(Surface.HOME)
    return present


def _is_wet(situation: Situation) -> bool:
    if not is_in_car(situation):
        return False
    readings = (
        situation.context.number(situation.car, RAIN),
        situation.context.number(situation.car, WIPERS),
    )
    return any(reading is not None and reading > 0 for reading in readings)

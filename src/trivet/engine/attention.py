"""Attention: what it costs a person to be interrupted now, and when it is not allowed.

The driving load is judged from what the car tells: speed, the wipers or the rain
sensor, a turn being steered, and a driver who is watched and distracted; and from the
phone: a call, or a hand on it. Standing still is the best moment in a car; fast or wet
driving, a turn or a call are the worst, and then only safety may speak. What a car does
not tell is left out.

Source: COVESA Vehicle Signal Specification for the car's names, Home Assistant's
companion app for the phone's; NHTSA, "Visual-Manual Driver Distraction Guidelines", 78
FR 24817 (2013), for the principle that what a task may ask of a driver depends on the
vehicle's motion.
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
YAW = "Vehicle.AngularVelocity.Yaw"
STEERING = "Vehicle.Chassis.SteeringWheel.Angle"
DISTRACTION = "Vehicle.Driver.DistractionLevel"
PHONE_STATE, INTERACTIVE = "sensor.phone_state", "binary_sensor.interactive"
#: What a phone says while it is called or calls.
IN_CALL = frozenset({"ringing", "offhook"})
#: A turn: the car turns faster than a lane's bend, or the wheel is turned further.
TURN_DEG_PER_S, TURN_WHEEL_DEG = 9.0, 60.0
#: A turn that was told so long ago is over, and a driver looks up again.
TURN_FRESH_S = 10.0
#: From this level in percent on a driver is distracted.
DISTRACTED = 50.0
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
        call: added while the person is on the telephone.
        again: added for each suggestion already given on that local day.
        wrong: price of saying what is not wanted, beside the interruption.
        fast_kph: from this speed on the load is high.
        wet_kph: likewise with rain or the wipers on.
    """

    quiet_from_h: float = 22.0
    quiet_until_h: float = 7.0
    base: float = 0.04
    quiet: float = 0.3
    driving: float = 0.08
    unknown: float = 0.05
    call: float = 0.25
    again: float = 0.015
    wrong: float = 0.2
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
        if speed >= limit or (is_in_car(situation) and _is_taken(situation)):
            return Load.HIGH
        return Load.LOW

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
        if _is_calling(situation):
            cost += self.call
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


def _is_taken(situation: Situation) -> bool:
    """Whether a turn, a call, or a hand on the phone takes what attention there is."""
    yaw = _fresh(situation, YAW)
    wheel = _fresh(situation, STEERING)
    distraction = _fresh(situation, DISTRACTION)
    return (
        (yaw is not None and abs(yaw) >= TURN_DEG_PER_S)
        or (wheel is not None and abs(wheel) >= TURN_WHEEL_DEG)
        or (distraction is not None and distraction >= DISTRACTED)
        or _is_calling(situation)
        or situation.context.value(situation.phone, INTERACTIVE) == "on"
    )


def _is_calling(situation: Situation) -> bool:
    return situation.context.value(situation.phone, PHONE_STATE) in IN_CALL


def _fresh(situation: Situation, path: str) -> float | None:
    sample = situation.context.sample(situation.car, path)
    if sample is None or not 0.0 <= situation.time - sample.time <= TURN_FRESH_S:
        return None
    return situation.context.number(situation.car, path)

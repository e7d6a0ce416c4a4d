"""Charge: enough in the battery or the tank for where this is going, and for tomorrow.

The range that the car tells is held against the way to the destination, home from
there, and what a day like tomorrow usually takes, with a reserve. What does not reach
is offered on the way, with its detour; what reaches home with nothing left for tomorrow
is offered at home, at the plug, where a battery is charged best.

Source: COVESA Vehicle Signal Specification, `Vehicle.Powertrain`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

import msgspec

from trivet.domain.clock import clock_text, hour_of_day, local
from trivet.domain.forecast import Candidate, Reason
from trivet.domain.geo import distance_m
from trivet.domain.place import Place, PlaceRole
from trivet.domain.sample import Quality
from trivet.domain.suggestion import Need, Surface
from trivet.engine.detour import Detour, detours, way_to
from trivet.engine.explain import percent
from trivet.engine.mileage import DayLength, day_length
from trivet.engine.opening_hours import parse
from trivet.engine.situation import Situation
from trivet.engine.travel import far_text, winding
from trivet.engine.venue import venue_of
from trivet.engine.whereabouts import is_in_car

_POWERTRAIN = "Vehicle.Powertrain."
BATTERY = f"{_POWERTRAIN}TractionBattery."
TANK = f"{_POWERTRAIN}FuelSystem."
CHARGING = f"{BATTERY}Charging.IsCharging"
PLUGS, PUMPS = ("charging_station",), ("fuel",)
#: A destination counts from this probability on.
LIKELY = 0.4
#: How far out of the way a station may be.
MOST_DETOUR_M = 5_000.0
MAX_STATIONS = 3
#: Plugging in at home is asked in these local hours, before whoever asks is asleep.
EVENING_FROM_H, EVENING_TO_H = 17.0, 24.0
#: On the way home it is asked this shortly before coming, not at every crossing.
NEARLY_HOME_S = 6 * 60.0
#: The car, when parked, is at home when it is this near.
PARKED_M = 250.0
#: That a person wants it when the range does not reach; when it only just does.
P_SHORT, P_TOMORROW = 0.9, 0.7
#: What a range is worth in percent is told where the car tells it.
_LEVELS = (f"{BATTERY}StateOfCharge.Current", f"{TANK}RelativeLevel")
_RANGES = (f"{BATTERY}Range", f"{TANK}Range", f"{_POWERTRAIN}Range")


class _Supply(msgspec.Struct, frozen=True):
    """What the car has: metres, whether by a plug, and the words for it."""

    range_m: float
    is_electric: bool
    reason: Reason


class Charge(msgspec.Struct, frozen=True):
    """Suggests a charger or a pump on the way, or the plug at home.

    Attributes:
        reserve_m: nobody likes to arrive with less.
        full_tank_m: range of a full tank, of a car that tells only its level.
        full_battery_m: range of a full battery, of a car that told its own last
            before it was charged, or never.
        charges_at_home: whether there is a plug at home.
    """

    reserve_m: float = 25_000.0
    full_tank_m: float = 550_000.0
    full_battery_m: float = 250_000.0
    charges_at_home: bool = True

    @property
    def name(self) -> str:
        """The skill's name."""
        return "charge"

    def needs(self, situation: Situation) -> Iterable[Need]:
        """One need at most: a station on the way, or the plug at home."""
        supply = self._supply(situation)
        if supply is None or situation.context.value(situation.car, CHARGING) is True:
            return
        if situation.forecast is None:
            yield from self._at_home(situation, supply)
        elif is_in_car(situation):
            yield from self._on_the_way(situation, supply)

    def _supply(self, situation: Situation) -> _Supply | None:
        told = {
            path: value
            for path in (*_RANGES, *_LEVELS)
            if (value := _number(situation, path)) is not None
        }
        if _is_old(situation, f"{BATTERY}Range") and _LEVELS[0] in told:
            told[f"{BATTERY}Range"] = told[_LEVELS[0]] / 100.0 * self.full_battery_m
        battery, tank = f"{BATTERY}Range" in told, f"{TANK}Range" in told
        has_tank = tank or f"{TANK}RelativeLevel" in told
        # of a hybrid the tank decides whether it gets there
        is_electric = not has_tank and (battery or _LEVELS[0] in told)
        if has_tank and tank:
            metres = told[f"{TANK}Range"] + told.get(f"{BATTERY}Range", 0.0)
        elif battery and not has_tank:
            metres = told[f"{BATTERY}Range"]
        elif f"{_POWERTRAIN}Range" in told:
            metres = told[f"{_POWERTRAIN}Range"]
        elif has_tank:
            metres = told[_LEVELS[1]] / 100.0 * self.full_tank_m
        else:
            return None
        level = told.get(_LEVELS[0] if is_electric else _LEVELS[1])
        text = f"The {'battery' if is_electric else 'tank'} is good for"
        text += f" {far_text(metres)}"
        if level is not None:
            text += f" ({level:.0f} %)"
        return _Supply(metres, is_electric, Reason(text))

    def _at_home(self, situation: Situation, supply: _Supply) -> Iterator[Need]:
        """In the evening, with the car before the door."""
        home = situation.place_of(PlaceRole.HOME)
        if home is None or situation.at != home.id or not _is_parked(situation, home):
            return
        yield from self._plug_in(situation, supply, 1.0)

    def _plug_in(
        self, situation: Situation, supply: _Supply, probability: float
    ) -> Iterator[Need]:
        hour = hour_of_day(situation.time, situation.zone)
        if not supply.is_electric or not self.charges_at_home:
            return
        if not EVENING_FROM_H <= hour < EVENING_TO_H:
            return
        tomorrow = _tomorrow(situation)
        if tomorrow is None:
            return
        missing_m = tomorrow.metres + self.reserve_m - supply.range_m
        if missing_m <= 0.0:
            return
        yield Need(
            skill=self.name,
            key="plug",
            title=f"Plug in the car tonight: it has {far_text(supply.range_m)} left",
            probability=P_TOMORROW * probability,
            benefit=min(1.0, 0.5 + missing_m / (2 * self.reserve_m)),
            reasons=(supply.reason, tomorrow.reason, self._reserve()),
            expires=situation.time + max(0.1, EVENING_TO_H - hour) * 3600.0,
            surfaces=(Surface.CAR, Surface.HOME, Surface.PHONE),
        )

    def _on_the_way(self, situation: Situation, supply: _Supply) -> Iterator[Need]:
        forecast = situation.forecast
        if forecast is None or not forecast.candidates:
            return
        best = forecast.best
        if best.probability < LIKELY:
            return
        home = situation.place_of(PlaceRole.HOME)
        way = way_to(situation, best)
        if home is None or way is None:
            return
        left_m = supply.range_m - way.length_m
        is_homeward = best.place == home.id
        back_m = 0.0 if is_homeward else _back_m(situation, best, home)
        can_plug = supply.is_electric and self.charges_at_home
        if is_homeward and can_plug and left_m >= self.reserve_m / 2:
            if way.arrival - situation.time <= NEARLY_HOME_S:
                spent = msgspec.structs.replace(supply, range_m=left_m)
                yield from self._plug_in(situation, spent, best.probability)
            return
        tomorrow = None if can_plug else _tomorrow(situation)
        later_m = 0.0 if tomorrow is None else tomorrow.metres
        if left_m - back_m - later_m >= self.reserve_m:
            return
        kinds = PLUGS if supply.is_electric else PUMPS
        found = [
            detour
            for detour in detours(situation, way, kinds, MOST_DETOUR_M)
            if detour.ahead_m <= supply.range_m and _is_open(situation, detour)
        ]
        if found:
            is_short = left_m - back_m < self.reserve_m
            chance = (P_SHORT if is_short else P_TOMORROW) * best.probability
            yield self._station(
                situation, supply, found, chance, (best, left_m, back_m, tomorrow)
            )

    def _station(
        self,
        situation: Situation,
        supply: _Supply,
        found: Sequence[Detour],
        chance: float,
        ahead: tuple[Candidate, float, float, DayLength | None],
    ) -> Need:
        best, left_m, back_m, tomorrow = ahead
        first = found[0]
        verb = "Charge" if supply.is_electric else "Fill up"
        name = first.point.name or first.point.kind.replace("_", " ")
        text = f"{percent(best.probability)} you are heading to {best.label}"
        if left_m >= 0.0:
            text += f", where {far_text(left_m)} will be left"
        else:
            text += f", {far_text(-left_m)} further than that"
        reasons = [supply.reason, Reason(text[:500])]
        if back_m:
            reasons.append(Reason(f"The way home from there is {far_text(back_m)}"))
        if tomorrow is not None:
            reasons.append(tomorrow.reason)
        atlas = situation.atlas
        lines = [_line(situation, detour) for detour in found[:MAX_STATIONS]]
        named = [] if atlas is None else [f"Map: {atlas.attribution}"]
        return Need(
            skill=self.name,
            key="station",
            title=f"{verb} on the way: {name[:120]}, {first.text}",
            probability=min(1.0, chance),
            benefit=0.9 if left_m < self.reserve_m else 0.6,
            reasons=(*reasons, self._reserve()),
            expires=max(situation.time + 60.0, first.time),
            surfaces=(Surface.CAR, Surface.PHONE),
            details=(*lines, *named),
        )

    def _reserve(self) -> Reason:
        return Reason(f"A reserve of {far_text(self.reserve_m)} is kept")


def _number(situation: Situation, path: str) -> float | None:
    sample = situation.context.sample(situation.car, path)
    value = situation.context.number(situation.car, path)
    if sample is None or sample.quality is Quality.BAD or value is None:
        return None
    most = 100.0 if path in _LEVELS else 3_000_000.0
    return value if 0.0 <= value <= most else None


def _is_old(situation: Situation, path: str) -> bool:
    """Whether a range was told before the car was last at the plug, or never."""
    told = situation.context.sample(situation.car, path)
    plug = situation.context.sample(situation.car, CHARGING)
    return told is None or (plug is not None and plug.time > told.time + 60.0)


def _is_parked(situation: Situation, home: Place) -> bool:
    lat = _coordinate(situation, "Latitude")
    lon = _coordinate(situation, "Longitude")
    if lat is None or lon is None or home.lat is None or home.lon is None:
        return False
    return distance_m(lat, lon, home.lat, home.lon) <= max(PARKED_M, home.radius_m)


def _coordinate(situation: Situation, name: str) -> float | None:
    value = situation.context.number(situation.car, f"Vehicle.CurrentLocation.{name}")
    return value if value is not None and abs(value) <= 180.0 else None


def _back_m(situation: Situation, best: Candidate, home: Place) -> float:
    if best.lat is None or best.lon is None or home.lat is None or home.lon is None:
        return 0.0
    line_m = distance_m(best.lat, best.lon, home.lat, home.lon)
    return winding(situation) * line_m


def _tomorrow(situation: Situation) -> DayLength | None:
    """What tomorrow takes: as such a day does, or by the calendar where that is more.

    The small hours belong to the evening before.
    """
    is_night = hour_of_day(situation.time, situation.zone) < 4.0
    ahead = 0 if is_night else 1
    usual = day_length(situation.trips, situation.zone, situation.time, ahead)
    planned = _planned(situation, ahead)
    if planned is None or (usual is not None and usual.metres >= planned.metres):
        return usual
    return planned


def _planned(situation: Situation, ahead: int) -> DayLength | None:
    """The way to the furthest appointment that begins so many days ahead."""
    wanted = local(situation.time, situation.zone).date() + timedelta(ahead)
    home = situation.place_of(PlaceRole.HOME)
    if home is None or home.lat is None or home.lon is None:
        return None
    found: DayLength | None = None
    for appointment in situation.appointments:
        if local(appointment.start, situation.zone).date() != wanted:
            continue
        venue = venue_of(situation, appointment)
        if venue is None:
            continue
        line_m = distance_m(home.lat, home.lon, venue.lat, venue.lon)
        metres = winding(situation) * line_m
        if found is None or metres > found.metres:
            what = appointment.title[:150]
            if not appointment.is_all_day:
                what += f" at {clock_text(appointment.start, situation.zone)}"
            text = f"{what} on {wanted:%A} is {far_text(metres)} from home"
            found = DayLength(metres, Reason(text))
    return found


def _is_open(situation: Situation, detour: Detour) -> bool:
    """Whether nothing says that it is closed when one gets there."""
    hours = parse(detour.point.opening_hours)
    moment = local(detour.time, situation.zone)
    return hours is None or hours.is_open(moment) is not False


def _line(situation: Situation, detour: Detour) -> str:
    point = detour.point
    name = point.name or point.kind.replace("_", " ")
    at = clock_text(detour.time, situation.zone)
    return f"{name}, {far_text(detour.ahead_m)} ahead at {at}, {detour.text}"

"""Holiday: nobody home for days: heat less, look lived in, be warm on return.

Who is away for days is seen in their own history (longer than nearly all absences), on
the map (further than they go), and in the calendar. While the home says that somebody
is in, it is nobody's holiday.

Lamps are switched as this home's own past evenings were lit: one lamp at a time is
asked, when it would go on or out, and the whole evening stands in the details; a
surface that can plan ahead finds it in `engine.presence`. On the way home the heating
is another skill's: this one asks only while that cannot know, from the calendar's last
day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from trivet.domain.appointment import Appointment
from trivet.domain.clock import clock_text, hour_of_day, local
from trivet.domain.forecast import Reason
from trivet.domain.geo import distance_m
from trivet.domain.place import Place, PlaceRole
from trivet.domain.sample import Quality
from trivet.domain.suggestion import Action, Need, Surface
from trivet.engine.chronicle import OCCUPANCY, TARGET
from trivet.engine.presence import Lit, evening_plan
from trivet.engine.situation import Situation
from trivet.engine.travel import far_text
from trivet.engine.whereabouts import position_of

#: Away for days: at least this long, and longer than this share of own absences.
LONG_S, LONGER_THAN, LEAST_ABSENCES = 20 * 3600.0, 0.98, 20
#: Far: this far from home, and this long since leaving, so that it is no outing.
FAR_M, FAR_S = 60_000.0, 9 * 3600.0
#: An entry of the calendar this long is days away; and one must be this far from home
#: for it to be more than a visitor, or a week's duty.
DAYS_S, AWAY_M = 30 * 3600.0, 20_000.0
#: Beliefs that the home stays empty over the next night, each by itself.
P_LONG, P_FAR, P_PLANNED = 0.7, 0.6, 0.8
#: Heading home: nothing is asked any more, from this probability on.
RETURNING = 0.4
#: A set point closer than this is low enough.
LOW_K = 1.0
#: A setback is asked for so long, and then anew.
ASKED_S = 24 * 3600.0
#: A lamp is asked about this long after its time.
LAMP_S = 45 * 60.0
#: Lamps go out by themselves if nobody answered: asked again in the morning until then.
MORNING_H = 10.0
#: Hour of coming home on a last day that the calendar gives no hour for.
BACK_H = 15.0


class _Away(msgspec.Struct, frozen=True):
    """That nobody is home for days, how sure, why; and until when, if that is known."""

    probability: float
    reasons: tuple[Reason, ...]
    until: float | None


class Holiday(msgspec.Struct, frozen=True):
    """Offers a setback, lamps as on evenings at home, and warmth on return.

    Attributes:
        setback_c: a house left alone is kept at, safe from frost and damp.
        comfort_c: what it is warmed to again.
        warming_kph: how fast it warms, in K/h.
    """

    setback_c: float = 13.0
    comfort_c: float = 21.0
    warming_kph: float = 1.5

    @property
    def name(self) -> str:
        """The skill's name."""
        return "holiday"

    def needs(self, situation: Situation) -> Iterable[Need]:
        """At most three: heat less, one lamp on or out, or heat again."""
        home = situation.place_of(PlaceRole.HOME)
        if home is None or not situation.home or _is_occupied(situation):
            return
        away = _away(situation, home)
        if away is None:
            return
        warm = self._warm(situation, away)
        if warm is not None:
            yield warm
            return
        setback = self._setback(situation, away)
        if setback is not None:
            yield setback
        yield from self._lamps(situation, away)

    def _setback(self, situation: Situation, away: _Away) -> Need | None:
        found = _target(situation)
        if found is None or found[1] <= self.setback_c + LOW_K:
            return None
        path, target = found
        saved_k = target - self.setback_c
        until = "" if away.until is None else f" until {_day(situation, away.until)}"
        text = f"The heating is set to {target:g} °C for nobody"
        return Need(
            skill=self.name,
            key="setback",
            title=f"Away{until}: set the heating back to {self.setback_c:g} °C",
            probability=away.probability,
            benefit=min(0.9, 0.25 + 0.1 * saved_k),
            reasons=(*away.reasons, Reason(text)),
            expires=situation.time + ASKED_S,
            surfaces=(Surface.PHONE, Surface.CAR),
            actions=(
                Action(
                    situation.home,
                    path,
                    float(self.setback_c),
                    f"Set to {self.setback_c:g} °C",
                ),
            ),
        )

    def _lamps(self, situation: Situation, away: _Away) -> Iterator[Need]:
        evening = evening_plan(situation.changes, situation.zone, situation.time)
        if evening is None:
            return
        plan = tuple(_line(situation, lit) for lit in evening.lit)
        noun = "time" if len(evening.lit) == 1 else "times"
        as_on = Reason(
            f"So it was on {evening.of:%A} {evening.of.day} {evening.of:%B}, "
            f"with lamps on {len(evening.lit)} {noun}"
        )
        for lit in evening.lit:
            value = _due(situation, lit)
            now = situation.context.value(situation.home, lit.path)
            if not value or now == value or now not in ("on", "off"):
                continue
            name = lit.path.partition(".")[2].replace("_", " ")
            verb = "Switch on" if value == "on" else "Switch off"
            yield Need(
                skill=self.name,
                key=f"{lit.path}={value}",
                title=f"{verb} the {name} light, as if somebody were in"[:200],
                probability=away.probability,
                benefit=0.5 if value == "on" else 0.6,
                reasons=(as_on, *away.reasons),
                expires=_ends(situation, lit, value),
                surfaces=(Surface.PHONE,),
                actions=(
                    Action(situation.home, lit.path, value, f"{verb} the {name}"[:100]),
                ),
                details=plan,
            )
            return

    def _warm(self, situation: Situation, away: _Away) -> Need | None:
        """Heat again before coming home, when only the calendar knows of that."""
        found = _target(situation)
        if away.until is None or found is None or found[1] >= self.comfort_c - LOW_K:
            return None
        path, target = found
        current = situation.context.number(
            situation.home, f"{path.removesuffix(TARGET)}.current_temperature"
        )
        if current is None or not -20.0 <= current < self.comfort_c - LOW_K:
            return None
        lead_s = (self.comfort_c - current) / self.warming_kph * 3600.0
        if not 0.0 < away.until - situation.time <= lead_s + 1800.0:
            return None
        at = clock_text(away.until, situation.zone)
        text = (
            f"The home is at {current:.1f} °C and needs about "
            f"{max(1, round(lead_s / 3600))} h to {self.comfort_c:g} °C"
        )
        climate = path.removesuffix(TARGET)
        heat = []
        if situation.context.value(situation.home, climate) != "heat":
            heat.append(Action(situation.home, climate, "heat", "Turn the heating on"))
        label = f"Heat to {self.comfort_c:g} °C"
        heat.append(Action(situation.home, path, float(self.comfort_c), label))
        return Need(
            skill=self.name,
            key="return",
            title=f"Home again at about {at}: warm the house from {target:g} °C?",
            probability=0.7,
            benefit=0.7,
            reasons=(*away.reasons, Reason(text)),
            expires=away.until,
            surfaces=(Surface.PHONE, Surface.CAR),
            actions=tuple(heat),
        )


def _away(situation: Situation, home: Place) -> _Away | None:
    """Whether the person is away for days; None when they are not, or come home."""
    forecast = situation.forecast
    if situation.at == home.id or not situation.stays:
        return None
    if forecast is not None and (
        forecast.probability_of(home.id) >= RETURNING or forecast.origin == home.id
    ):
        return None
    left = max((s.departure for s in situation.stays if s.place == home.id), default=0)
    if not left or situation.time <= left:
        return None
    gone_s = situation.time - left
    away_m = _away_m(situation, home)
    doubt, reasons, until = 1.0, [], None
    planned = _planned(situation, gone_s, away_m)
    if planned is not None:
        doubt *= 1.0 - P_PLANNED
        until = _back(situation, planned)
        text = f"Your calendar has {planned.title[:200] or 'an entry'!r}"
        reasons.append(Reason(f"{text} until {_day(situation, until)}"))
    longer = _longer_than(situation, home, gone_s)
    if longer is not None:
        doubt *= 1.0 - P_LONG
        count, of = longer
        text = f"You left home {gone_s / 3600:.0f} h ago: longer than {count} of your"
        reasons.append(Reason(f"{text} last {of} absences", count, of))
    if away_m is not None and away_m >= FAR_M and gone_s >= FAR_S:
        doubt *= 1.0 - P_FAR
        text = f"You are {far_text(away_m)} from home since {gone_s / 3600:.0f} h"
        reasons.append(Reason(text))
    return _Away(1.0 - doubt, tuple(reasons), until) if reasons else None


def _longer_than(
    situation: Situation, home: Place, gone_s: float
) -> tuple[int, int] | None:
    """Of how many own absences this one is longer, when it is of nearly all."""
    if gone_s < LONG_S:
        return None
    lengths: list[float] = []
    left: float | None = None
    for stay in situation.stays:
        if stay.place == home.id:
            if left is not None and stay.arrival > left:
                lengths.append(stay.arrival - left)
            left = stay.departure
    shorter = sum(length < gone_s for length in lengths)
    if len(lengths) < LEAST_ABSENCES or shorter < LONGER_THAN * len(lengths):
        return None
    return shorter, len(lengths)


def _planned(
    situation: Situation, gone_s: float, away_m: float | None
) -> Appointment | None:
    """The entry of days that the person is away by, if one goes on now."""
    is_away = gone_s >= LONG_S or (away_m is not None and away_m >= AWAY_M)
    for appointment in situation.appointments:
        is_now = appointment.start <= situation.time < appointment.end
        if is_now and is_away and appointment.end - appointment.start >= DAYS_S:
            return appointment
    return None


def _back(situation: Situation, planned: Appointment) -> float:
    """When one is home again; a last day with no hour ends in the afternoon."""
    if not planned.is_all_day:
        return planned.end
    last = local(planned.end - 3600.0, situation.zone)
    midnight = last.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight.timestamp() + BACK_H * 3600.0


def _away_m(situation: Situation, home: Place) -> float | None:
    here = position_of(situation)
    if here is None or home.lat is None or home.lon is None:
        return None
    return distance_m(*here, home.lat, home.lon)


def _target(situation: Situation) -> tuple[str, float] | None:
    """The thermostat that is set highest, by its path; None when none heats."""
    found: list[tuple[float, str]] = []
    for sample in situation.context.of_device(situation.home):
        if not sample.path.startswith("climate.") or sample.quality is Quality.BAD:
            continue
        target = situation.context.number(situation.home, sample.path)
        if situation.context.value(
            situation.home, sample.path.removesuffix(TARGET)
        ) in (
            "off",
            "unavailable",
        ):
            continue
        if sample.path.endswith(TARGET) and target is not None and 0.0 < target < 40.0:
            found.append((target, sample.path))
    if not found:
        return None
    target, path = max(found)
    return path, target


def _is_occupied(situation: Situation) -> bool:
    return any(
        sample.path.startswith("binary_sensor.")
        and OCCUPANCY in sample.path
        and sample.value == "on"
        and sample.quality is not Quality.BAD
        for sample in situation.context.of_device(situation.home)
    )


def _due(situation: Situation, lit: Lit) -> str:
    """What a lamp should be now by the plan, empty where nothing is due."""
    if lit.on <= situation.time < min(lit.off, lit.on + LAMP_S):
        return "on"
    if lit.off <= situation.time:
        return "off"
    return ""


def _ends(situation: Situation, lit: Lit, value: str) -> float:
    if value == "on":
        return min(lit.off, lit.on + LAMP_S)
    hour = hour_of_day(situation.time, situation.zone)
    return situation.time + ((MORNING_H - hour) % 24.0 or 24.0) * 3600.0


def _line(situation: Situation, lit: Lit) -> str:
    name = lit.path.partition(".")[2].replace("_", " ")
    on, off = (clock_text(time, situation.zone) for time in (lit.on, lit.off))
    return f"{name[:60]} light: on {on}, off {off}"


def _day(situation: Situation, time: float) -> str:
    return f"{local(time, situation.zone):%A}"

"""Preheat: a warm home on arrival, and no hour of heating for nobody.

On the way home, heating should start so that the target is reached between the early
and the median arrival. Before, it starts once somebody may well be in by the time that
it is warm, as the home's routine foretells; without one, before a usual return. The
room warms as a body with one time constant:

    dT/dt = gain - loss x (T - T_outdoor)

and the time to the target follows in closed form. `loss` is fixed at a usual house's;
`gain` is a careful default until it is measured from the room's own past by
`measure_gain`. While somebody is in, they see to the heating themselves.

Source: P. Bacher and H. Madsen, "Identifying suitable models for the heat dynamics of
buildings", Energy and Buildings 43 (2011), the model of order one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from math import exp, inf, log
from statistics import median

import msgspec

from trivet.domain.clock import clock_text, local
from trivet.domain.forecast import Interval, Reason
from trivet.domain.place import Place, PlaceRole
from trivet.domain.sample import Sample
from trivet.domain.suggestion import Action, Need, Surface
from trivet.engine.explain import interval_text, percent
from trivet.engine.situation import Situation

CLIMATE = "climate.living_room"
TARGET = f"{CLIMATE}.temperature"
CURRENT = f"{CLIMATE}.current_temperature"
OUTDOOR = "sensor.outdoor_temperature"
OCCUPANCY = "binary_sensor.occupancy"

#: Warming by heating with no loss, K/h: slow radiators, so rather early than late.
DEFAULT_GAIN_KPH = 3.0
#: Loss per hour and kelvin of difference to outdoors: a time constant of 25 hours.
LOSS_PER_H = 0.04
#: Outdoor temperature where none is known: a heating day in a temperate winter.
DEFAULT_OUTDOOR_C = 5.0
COMFORT_C = 21.0
#: A room outside of this is a broken sensor.
COLDEST_C, HOTTEST_C = -20.0, 50.0
#: A room this close below the target is warm enough not to ask.
WARM_K = 1.0
#: No use in heating, or asking, for less than this.
LEAST_S = 5 * 60.0
#: Asked this long before the heating must start, so that there is time to answer.
ASK_EARLY_S = 5 * 60.0
LONGEST_S = 6 * 3600.0
#: Heading home counts from this probability on.
LIKELY = 0.4
#: By the home's routine: heating starts from this chance on that somebody is in by the
#: time that it is warm; and how likely they come is told of an hour more.
START = 0.3
SURER_S = 3600.0
QUARTER_S = 900.0
#: A usual return: seen on so many such weekdays, within so wide an interval.
USUAL_DAYS = 4
USUAL_WEEKS = 8
USUAL_WIDTH_S = 2 * 3600.0
#: A measured run of heating: at least this long and this much warmer.
RUN_S = 20 * 60.0
RUN_K = 0.5


class Preheat(msgspec.Struct, frozen=True):
    """Starts the heating before the person is home.

    Attributes:
        comfort_c: target when the thermostat's own is a setback.
        gain_kph: warming of the room by heating in K/h, from `measure_gain`.
    """

    comfort_c: float = COMFORT_C
    gain_kph: float = DEFAULT_GAIN_KPH

    @property
    def name(self) -> str:
        """The skill's name."""
        return "preheat"

    def needs(self, situation: Situation) -> Iterable[Need]:
        """One need at most: heat the living room now."""
        home = situation.place_of(PlaceRole.HOME)
        current = situation.context.number(situation.home, CURRENT)
        if home is None or current is None or situation.at == home.id:
            return
        if not COLDEST_C <= current <= HOTTEST_C:
            return
        if situation.context.value(situation.home, OCCUPANCY) == "on":
            return
        target = self._target_c(situation)
        if current >= target - WARM_K or self._is_heating(situation, target):
            return
        lead_s = self.lead_s(situation, current, target)
        coming = _coming_home(situation, home, lead_s)
        if coming is None:
            return
        arrival = coming.arrival
        starts = coming.ready - min(lead_s, LONGEST_S) - ASK_EARLY_S
        if situation.time < starts or arrival.median - situation.time < LEAST_S:
            return
        room = self._room_reason(situation, current, target, lead_s, arrival.median)
        yield Need(
            skill=self.name,
            key=CLIMATE,
            title=f"Heat the living room to {target:g} °C before {coming.who} home",
            probability=coming.probability,
            benefit=min(1.0, 0.3 + 0.1 * (target - current)),
            reasons=(coming.reason, room),
            expires=coming.until,
            surfaces=(Surface.CAR, Surface.PHONE),
            actions=_actions(situation, target),
            details=_open_windows(situation),
        )

    def lead_s(self, situation: Situation, current_c: float, target_c: float) -> float:
        """Seconds of heating from `current_c` to `target_c`, inf when out of reach."""
        return warm_up_s(current_c, target_c, _outdoor_c(situation), self.gain_kph)

    def _target_c(self, situation: Situation) -> float:
        # a set point well below comfort is a setback for an empty home, not a wish
        wanted = situation.context.number(situation.home, TARGET)
        if wanted is None or wanted < self.comfort_c - 2.0:
            return self.comfort_c
        return wanted

    def _is_heating(self, situation: Situation, target: float) -> bool:
        wanted = situation.context.number(situation.home, TARGET)
        mode = situation.context.value(situation.home, CLIMATE)
        return mode == "heat" and wanted is not None and wanted >= target

    def _room_reason(
        self,
        situation: Situation,
        current: float,
        target: float,
        lead_s: float,
        arrival: float,
    ) -> Reason:
        outdoor = _outdoor_c(situation)
        text = f"The living room is at {current:.1f} °C"
        if lead_s <= LONGEST_S:
            text += f" and needs about {_minutes(lead_s)} min to {target:g} °C"
        else:
            text += f" and needs more than {LONGEST_S / 3600:.0f} h to {target:g} °C"
        if lead_s > arrival - situation.time + LEAST_S:
            final = outdoor + self.gain_kph / LOSS_PER_H
            hours = (arrival - situation.time) / 3600
            reached = final - (final - current) * exp(-LOSS_PER_H * hours)
            text += f"; started now it will be at {reached:.1f} °C when you arrive"
        if situation.context.number(situation.home, OUTDOOR) is not None:
            # adding zero turns -0.0 into 0.0
            text += f" ({round(outdoor, 1) + 0.0:g} °C outside)"
        return Reason(text)


def warm_up_s(
    current_c: float, target_c: float, outdoor_c: float, gain_kph: float
) -> float:
    """Seconds of heating from one temperature to another, inf when out of reach.

    Args:
        current_c: of the room.
        target_c: of the room.
        outdoor_c: of the air outside.
        gain_kph: warming by heating with no loss, from `measure_gain`.
    """
    final = outdoor_c + gain_kph / LOSS_PER_H
    if current_c >= target_c:
        return 0.0
    if final <= target_c:
        return inf
    return log((final - current_c) / (final - target_c)) / LOSS_PER_H * 3600


def measure_gain(samples: Iterable[Sample]) -> float | None:
    """Warming of the living room by heating in K/h, from its own recorded past.

    Args:
        samples: of the home, in order of event time.

    Returns:
        Median over all runs of heating, None when there was none to measure.
    """
    gains: list[float] = []
    outdoor = DEFAULT_OUTDOOR_C
    is_heating = False
    run: list[tuple[float, float]] = []
    for sample in samples:
        value = sample.value
        if sample.path == CLIMATE and (value == "heat") != is_heating:
            gains += _gain_of(run, outdoor)
            run, is_heating = [], value == "heat"
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        if sample.path == OUTDOOR:
            outdoor = float(value)
        elif sample.path == CURRENT and is_heating:
            if run and value < run[-1][1]:
                gains += _gain_of(run, outdoor)
                run = []
            # of a plateau only its beginning counts: there the room is warm already
            if not run or value > run[-1][1]:
                run.append((sample.time, float(value)))
    gains += _gain_of(run, outdoor)
    return median(gains) if gains else None


def _gain_of(run: Sequence[tuple[float, float]], outdoor_c: float) -> list[float]:
    if len(run) < 2:
        return []
    (begin, cold), (end, warm) = run[0], run[-1]
    if end - begin < RUN_S or warm - cold < RUN_K:
        return []
    rate_kph = (warm - cold) / (end - begin) * 3600
    return [rate_kph + LOSS_PER_H * ((cold + warm) / 2 - outdoor_c)]


def by_then(soon: Sequence[float], in_s: float) -> float:
    """Chance that somebody is in at some time up to `in_s` seconds from now.

    Args:
        soon: for each quarter of an hour from now on; the highest is a lower bound.
        in_s: seconds.
    """
    return max(soon[: int(in_s / QUARTER_S) + 1], default=0.0)


class Coming(msgspec.Struct, frozen=True):
    """Somebody comes home.

    Attributes:
        probability: that they do.
        arrival: when.
        ready: event time at which the room should be warm.
        reason: why it is thought.
        until: event time from which on it is asked anew.
        who: comes, and the verb.
    """

    probability: float
    arrival: Interval
    ready: float
    reason: Reason
    until: float
    who: str = "you are"


def _coming_home(situation: Situation, home: Place, lead_s: float) -> Coming | None:
    """How likely, when, and why the person comes home; None when unlikely."""
    forecast = situation.forecast
    if forecast is None and situation.soon:
        return _usually_in(situation, min(lead_s, LONGEST_S) + ASK_EARLY_S)
    if forecast is None:
        return _usual_return(situation, home) if situation.at else None
    probability = forecast.probability_of(home.id)
    arrivals = [c.arrival for c in forecast.candidates if c.place == home.id]
    arrival = next((a for a in arrivals if a is not None), forecast.arrival)
    if probability < LIKELY or arrival is None:
        return None
    text = (
        f"{percent(probability)} you are heading home, "
        f"arriving {interval_text(arrival, situation.zone)}"
    )
    ready = (arrival.low + arrival.median) / 2
    chance, reason = min(1.0, probability), Reason(text)
    return Coming(chance, arrival, ready, reason, arrival.median)


def _usually_in(situation: Situation, lead_s: float) -> Coming | None:
    """Somebody may be in by the time that the room is warm, as the home's days go.

    It is not waited until that is likely: heating early costs little, for a warm room
    loses hardly more than one that cools; being late costs an hour in the cold.
    """
    soon, time = situation.soon, situation.time
    if by_then(soon, lead_s) < START:
        return None
    near = soon[: int((lead_s + SURER_S) / QUARTER_S) + 1]
    first = next(n for n, chance in enumerate(near) if chance >= START)
    surest = max(range(len(near)), key=near.__getitem__)
    low, best = time + first * QUARTER_S, time + surest * QUARTER_S
    median = max(best, time + QUARTER_S)
    arrival = Interval(min(low, median), median, median + SURER_S)
    text = (
        f"{percent(near[surest])} somebody is in at "
        f"{clock_text(best, situation.zone)}, as days like this go"
    )
    # who comes late is not asked about each quarter of an hour
    until = arrival.high
    return Coming(near[surest], arrival, low, Reason(text), until, "somebody is")


def _usual_return(situation: Situation, home: Place) -> Coming | None:
    """The return that is usual on this weekday from this place at this hour.

    From this place: who is out on a holiday does not come home at the usual hour.
    """
    now = local(situation.time, situation.zone)
    here = [stay for stay in situation.stays if stay.place == situation.at]
    returns = [stay.arrival for stay in situation.stays if stay.place == home.id]
    out, waits = 0, []
    for week in range(1, USUAL_WEEKS + 1):
        then = (now - timedelta(weeks=week)).timestamp()
        if not situation.stays or situation.stays[0].arrival > then:
            break
        if not any(stay.arrival <= then < stay.departure for stay in here):
            continue
        out += 1
        later = [arrival - then for arrival in returns if arrival > then]
        if later and later[0] < 2 * LONGEST_S:
            waits.append(later[0])
    if len(waits) < USUAL_DAYS:
        return None
    arrival = _interval(sorted(waits), situation.time)
    if arrival.high - arrival.low > USUAL_WIDTH_S:
        return None
    reason = _usual_reason(situation, now, arrival, len(waits), out)
    # a few weeks without exception do not make the next one sure: Laplace's rule
    probability = (len(waits) + 1) / (out + 2)
    ready = (arrival.low + arrival.median) / 2
    return Coming(probability, arrival, ready, reason, arrival.median)


def _usual_reason(
    situation: Situation,
    now: datetime,
    arrival: Interval,
    count: int,
    out: int,
) -> Reason:
    place = situation.places.get(situation.at)
    where = "this place" if place is None else place.label
    text = (
        f"On {count} of the last {out} {now:%A}s that you were at {where} at "
        f"{now:%H:%M} you came home, "
        f"usually {interval_text(arrival, situation.zone)}"
    )
    return Reason(text, count, out)


def _interval(waits: Sequence[float], time: float) -> Interval:
    last = len(waits) - 1
    low = round(0.1 * last)
    return Interval(time + waits[low], time + median(waits), time + waits[last - low])


def _outdoor_c(situation: Situation) -> float:
    outdoor = situation.context.number(situation.home, OUTDOOR)
    return DEFAULT_OUTDOOR_C if outdoor is None else outdoor


def _actions(situation: Situation, target: float) -> tuple[Action, ...]:
    # the mode goes first: Home Assistant refuses a set point while it is off
    actions = []
    if situation.context.value(situation.home, CLIMATE) != "heat":
        label = "Turn the heating on"
        actions.append(Action(situation.home, CLIMATE, "heat", label))
    label = f"Heat to {target:g} °C"
    actions.append(Action(situation.home, TARGET, float(target), label))
    return tuple(actions)


def _open_windows(situation: Situation) -> tuple[str, ...]:
    return tuple(
        f"The {sample.path.partition('.')[2].replace('_', ' ')} is open"
        for sample in situation.context.of_device(situation.home)
        if sample.path.startswith("binary_sensor.")
        and sample.path.endswith("_window")
        and sample.value == "on"
    )


def _minutes(seconds: float) -> int:
    return max(5, 5 * round(seconds / 300))

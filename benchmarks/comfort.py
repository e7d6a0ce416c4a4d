"""Comfort at equal energy: who is cold when they come home, by how heating is told.

python -m benchmarks.comfort [--dev] [SEED ...]

Simulated households (benchmarks/routine_household.py) in the heat model of
trivet.devices.world.thermal, 240 days from September to April with holidays and a house
move; 28 days are learned and not judged. Who is in wants it warm, day and night, and
the thermostat knows it at once. What differs is what it does with an empty home. Every
way of telling has one dial, from thrift to comfort, and is compared where it costs the
same. Seeds 100 to 104 are for development; 200 to 209, on which nothing was chosen, are
what is reported.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime
from statistics import fmean

import msgspec
import numpy as np
from benchmarks.routine_household import DAYS, PEOPLE, ZONE, Household
from benchmarks.seeded import Row, run
from numpy.typing import NDArray

from trivet.app.heating import Heating
from trivet.devices.world.thermal import (
    CAPACITY_KWH_PER_K,
    GAIN_KW,
    POWER_KW,
    UA_KW_PER_K,
)
from trivet.devices.world.weather import Weather
from trivet.domain import Sample
from trivet.engine.occupancy import DAY, Occupancy
from trivet.skills.preheat import (
    CLIMATE,
    CURRENT,
    OUTDOOR,
    START,
    TARGET,
    Preheat,
    by_then,
    warm_up_s,
)

DEVELOPMENT, REPORTED = range(100, 105), range(200, 210)
WARM_UP_D = 28
COMFORT_C, SETBACK_C = 21.0, 16.0
#: Colder than comfort by so much is missed comfort.
MISSED_K = 0.5
STEP_S, ASK_S, TICK_S = 120.0, 600.0, 360.0
_BAND_K = 0.4

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
DIALS = (0.02, 0.04, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
#: Hours by which a clock is ahead of the hour at which somebody is usually in; None for
#: as long as the room needs.
LEADS_H = (0.5, 1.0, 1.5, 2.0, 3.0, None)
#: A clock with holidays rests when nobody has been in for so long.
AWAY_S = 24 * 3600.0
#: Energy at which ways are compared: shares of what always on costs over on arrival.
COMPARED = (0.1, 0.2, 0.3, 0.5)


class Setting(msgspec.Struct, frozen=True):
    """One way of heating an empty home.

    Attributes:
        way: how it is told when to.
        dial: chance, or share of past weeks, from which on it heats.
        lead_h: hours ahead; None for as long as the room now needs.
    """

    way: str
    dial: float
    lead_h: float | None = None


ENDS = ("always on", "on arrival")
CLOCKS = ("clock", "clock with holidays")
WAYS = (*CLOCKS, "trivet")
SETTINGS = (
    Setting("always on", 0.0),
    Setting("on arrival", 2.0),
    *(Setting(way, d, lead) for way in CLOCKS for lead in LEADS_H for d in DIALS),
    *(Setting("trivet", dial) for dial in DIALS),
)


class Life(msgspec.Struct):
    """One household: the truth, and what was foretold.

    Attributes:
        times: event time of each step.
        occupied: whether somebody is in.
        outdoor_c: the outdoor temperature.
        chances: by number of the step, chance that somebody is in, in each quarter of
            an hour from then on; of the empty home alone.
        shares: likewise, how often somebody was in at that quarter of past weeks.
        away: steps at which nobody has been in for long.
    """

    times: Floats
    occupied: Bools
    outdoor_c: Floats
    chances: dict[int, list[float]]
    shares: dict[int, list[float]]
    away: set[int]


def live(seed: int) -> Life:
    """What is known of the home at each step, from its past alone."""
    house, weather = Household(seed), Weather(seed, ZONE)
    times = np.arange(house.moment(0, 0), house.moment(DAYS - 1, 0), STEP_S)
    occupied = np.zeros(len(times), dtype=bool)
    for name in PEOPLE:
        for truth in house.days[name]:
            for begin, end in truth.home:
                first, last = np.searchsorted(times, (begin, end))
                occupied[first:last] = True
    outdoor = np.array([weather.outdoor_c(time) for time in times.tolist()])
    return Life(times, occupied, outdoor, *_foretold(times, occupied))


def _foretold(
    times: Floats, occupied: Bools
) -> tuple[dict[int, list[float]], dict[int, list[float]], set[int]]:
    occupancy, week = Occupancy(ZONE), Week()
    chances, shares = dict[int, list[float]](), dict[int, list[float]]()
    away = set[int]()
    every, since = round(ASK_S / STEP_S), 0.0
    for number, time in enumerate(times.tolist()):
        is_in = bool(occupied[number])
        if occupancy.is_home is not is_in:
            occupancy.learn_one(time, is_in)
        if number % every:
            continue
        week.learn_one(time, is_in)
        since = time if is_in else since
        if not is_in:
            occupancy.pass_time(time)
            chances[number] = occupancy.predict_slots(time)
            shares[number] = week.shares(time)
            if time - since > AWAY_S:
                away.add(number)
    return chances, shares, away


class Week:
    """A schedule by the clock: how often somebody was in at each quarter of the week.

    Each week counts for three quarters of the next one, so it follows a house move.
    """

    def __init__(self) -> None:
        self._in, self._all = np.zeros((2, 7 * DAY))
        self._now = (-1, 0.0, 0.0)

    def learn_one(self, time: float, is_in: bool) -> None:
        """Somebody is in now, or nobody."""
        label = self._label(time)
        last, inside, whole = self._now
        if label != last:
            if last >= 0:
                self._in[last] = 0.75 * self._in[last] + inside / whole
                self._all[last] = 0.75 * self._all[last] + 1.0
            inside = whole = 0.0
        self._now = (label, inside + is_in, whole + 1.0)

    def shares(self, time: float) -> list[float]:
        """For each quarter of an hour from now on, the share of past weeks."""
        ahead = (self._label(time) + np.arange(DAY)) % (7 * DAY)
        shares: list[float] = (
            self._in[ahead] / np.maximum(self._all[ahead], 1e-9)
        ).tolist()
        return shares

    @staticmethod
    def _label(time: float) -> int:
        there = datetime.fromtimestamp(time, ZONE)
        return there.weekday() * DAY + there.hour * 4 + there.minute // 15


class Score(msgspec.Struct):
    """Of each setting a day: what it cost, and what was missed."""

    energy_kwh: Floats
    missed_min: Floats
    missed_kmin: Floats


def heat(life: Life) -> Score:
    """Heats the home by every setting side by side."""
    room = np.full(len(SETTINGS), COMFORT_C)
    wishes = np.zeros(len(SETTINGS), dtype=bool)
    score = Score(*np.zeros((3, len(SETTINGS))))
    learner, every = Learner(), round(TICK_S / STEP_S)
    judged = life.times[0] + WARM_UP_D * 86_400
    for number, time in enumerate(life.times.tolist()):
        is_in, outdoor = bool(life.occupied[number]), float(life.outdoor_c[number])
        if number in life.chances:
            gain = learner.gain_kph
            wishes = _wishes(life, number, room, outdoor, gain)
        target = np.where(is_in | wishes, COMFORT_C, SETBACK_C)
        if number % every == 0 and time < judged:
            learner.see(time, float(room[1]), float(target[1]), outdoor)
        power = np.clip((target - room) / _BAND_K, 0.0, 1.0) * POWER_KW
        if time >= judged:
            score.energy_kwh += power * STEP_S / 3600
            missed = (room < COMFORT_C - MISSED_K) & is_in
            score.missed_min += missed * STEP_S / 60
            score.missed_kmin += missed * (COMFORT_C - room) * STEP_S / 60
        flow = power + GAIN_KW - UA_KW_PER_K * (room - outdoor)
        room = room + flow / CAPACITY_KWH_PER_K * STEP_S / 3600
    days = (life.times[-1] - judged) / 86_400
    return Score(
        score.energy_kwh / days, score.missed_min / days, score.missed_kmin / days
    )


def unknowable(life: Life) -> float:
    """Minutes missed a day by who knows each coming home but the ends of holidays."""
    comes = np.append(life.times[life.occupied], np.inf)
    room, missed, leaves = COMFORT_C, 0.0, float(life.times[0])
    judged = life.times[0] + WARM_UP_D * 86_400
    gain_kph = POWER_KW / CAPACITY_KWH_PER_K
    for number, time in enumerate(life.times.tolist()):
        is_in, outdoor = bool(life.occupied[number]), float(life.outdoor_c[number])
        leaves = time if is_in else leaves
        back = float(comes[np.searchsorted(comes, time)])
        lead_s = warm_up_s(room, COMFORT_C, outdoor, gain_kph) + ASK_S
        is_due = back - leaves <= AWAY_S and back - time <= lead_s
        target = COMFORT_C if is_in or is_due else SETBACK_C
        power = min(1.0, max(0.0, (target - room) / _BAND_K)) * POWER_KW
        if time >= judged and is_in and room < COMFORT_C - MISSED_K:
            missed += STEP_S / 60
        flow = power + GAIN_KW - UA_KW_PER_K * (room - outdoor)
        room += flow / CAPACITY_KWH_PER_K * STEP_S / 3600
    return float(missed / ((life.times[-1] - judged) / 86_400))


def _wishes(
    life: Life, number: int, room: Floats, outdoor_c: float, gain_kph: float
) -> Bools:
    """Which settings wish the empty home warm."""
    wishes = np.zeros(len(SETTINGS), dtype=bool)
    for column, setting in enumerate(SETTINGS):
        if setting.way == "clock with holidays" and number in life.away:
            continue
        known = life.chances if setting.way == "trivet" else life.shares
        lead_s = 0.0
        if setting.lead_h is not None:
            lead_s = setting.lead_h * 3600
        elif setting.dial <= 1.0:
            warm = float(room[column])
            lead_s = warm_up_s(warm, COMFORT_C, outdoor_c, gain_kph)
        wishes[column] = by_then(known[number], lead_s) >= setting.dial
    return wishes


class Learner:
    """Learns as the app does how fast the home warms, from the plain thermostat."""

    def __init__(self) -> None:
        self._heating = Heating("home")
        self._skill = Preheat()
        self._target = 0.0

    @property
    def gain_kph(self) -> float:
        """Warming by heating, as far as it was seen."""
        return self._skill.gain_kph

    def see(self, time: float, room: float, target: float, outdoor: float) -> None:
        """The thermostat tells its temperatures."""
        said: dict[str, float | str] = {CURRENT: round(room, 2)}
        said[OUTDOOR] = round(outdoor, 1)
        if target != self._target:
            said |= {CLIMATE: "heat", TARGET: target}
            self._target = target
        for path, value in said.items():
            self._heating.learn_one(Sample("home", path, time, value))
        if self._heating.is_news:
            (skill,) = self._heating.fit((self._skill,))
            if isinstance(skill, Preheat):
                self._skill = skill


def frontier(score: Score, way: str, missed: Floats) -> tuple[Floats, Floats]:
    """The least that a way can miss for so much energy, by its best dial and lead.

    Between two settings it may change from day to day, so the frontier is convex. For
    every person it is found with hindsight.
    """
    of = [n for n, s in enumerate(SETTINGS) if s.way in (way, *ENDS)]
    points = sorted((float(score.energy_kwh[n]), float(missed[n])) for n in of)
    hull: list[tuple[float, float]] = []
    for x, y in points:
        if hull and y >= hull[-1][1]:
            continue  # costs more, and misses as much
        while len(hull) > 1:
            (ax, ay), (bx, by) = hull[-2:]
            if (bx - ax) * (y - ay) > (x - ax) * (by - ay):
                break
            hull.pop()
        hull.append((x, y))
    energy, least = np.array(hull).T
    return energy, least


def judge(seeds: list[int]) -> Iterator[Row]:
    """Name, value and unit of each figure, over all households."""
    lives = [live(seed) for seed in seeds]
    scores = [heat(life) for life in lives]
    known = "who knows all but when a holiday ends: missed a day"
    yield known, fmean(map(unknowable, lives)), "min"
    for column, setting in enumerate(SETTINGS[:2]):
        yield from _figures(setting.way, [_at(s, column) for s in scores])
    column = next(n for n, s in enumerate(SETTINGS) if s == Setting("trivet", START))
    yield from _figures("trivet as the skill is set", [_at(s, column) for s in scores])
    own = [(s.energy_kwh[column] - s.energy_kwh[1]) / _span(s) for s in scores]
    yield "trivet as the skill is set: share of the span", fmean(own) * 100, "%"
    yield from _compared(scores, own, "at the energy of the skill")
    for share in COMPARED:
        yield from _compared(scores, [share] * len(scores), f"at {share:.0%}")


def _compared(scores: list[Score], shares: list[float], name: str) -> Iterator[Row]:
    """All ways at the same energy, by households' shares of the span."""
    least = {way: _least(scores, way, shares) for way in WAYS}
    for way, found in least.items():
        yield f"{name}, {way}: missed a day", found[0], "min"
        yield f"{name}, {way}: missed a day", found[1], "K min"
    for way in CLOCKS:
        gained = 1.0 - least["trivet"][0] / least[way][0]
        yield f"{name}, trivet misses less than {way}", gained * 100, "%"


def _span(score: Score) -> float:
    """What always on costs over heating on arrival, a day."""
    return float(score.energy_kwh[0] - score.energy_kwh[1])


def _least(scores: list[Score], way: str, shares: list[float]) -> list[float]:
    """Minutes and kelvin minutes missed a day at those shares of the span."""
    found = []
    for score, share in zip(scores, shares, strict=True):
        spent = float(score.energy_kwh[1]) + share * _span(score)
        found.append(
            [
                float(np.interp(spent, *frontier(score, way, missed)))
                for missed in (score.missed_min, score.missed_kmin)
            ]
        )
    means: list[float] = np.mean(found, axis=0).tolist()
    return means


def _at(score: Score, column: int) -> list[float]:
    kinds = (score.energy_kwh, score.missed_min, score.missed_kmin)
    return [float(kind[column]) for kind in kinds]


def _figures(name: str, found: list[list[float]]) -> Iterator[Row]:
    energy, missed, missed_k = np.mean(found, axis=0).tolist()
    yield f"{name}: energy a day", energy, "kWh"
    yield f"{name}: missed comfort a day", missed, "min"
    yield f"{name}: missed comfort a day", missed_k, "K min"


def rows() -> list[Row]:
    """What is reported."""
    return list(judge(list(REPORTED)))


def main(arguments: list[str]) -> None:
    run(
        arguments,
        judge,
        development=DEVELOPMENT,
        reported=REPORTED,
        lives=f"simulated households, {DAYS} days each",
    )


if __name__ == "__main__":
    main(sys.argv[1:])

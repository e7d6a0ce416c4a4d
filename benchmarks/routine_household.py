"""A simulated household of two: what their home and phones tell, and the truth.

No real person or home. Ada and Ben work on weekdays, some of them at home, with days of
their own for sport and friends; they have weekends, two holidays, days of illness and
odd days. Lamps follow the sun, waking drifts with the season, the heating follows a
clock. On one day in the middle they move house: other entities, a longer way to work,
earlier mornings. A cat sets off the motion sensors, and people do things for no reason.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from math import cos, tau
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from trivet.domain import Sample

ZONE = ZoneInfo("Europe/Berlin")
FIRST = date(2025, 9, 1)
DAYS = 240
PEOPLE = ("ada", "ben")


class Person(msgspec.Struct):
    """The habits of one person; hours are local."""

    name: str
    wake: float
    bed: float
    leave: float
    back: float
    home_office: set[int]
    sport: set[int]
    spread: float


class Truth(msgspec.Struct):
    """One day of one person as it was.

    Attributes:
        wake: event time of getting up.
        bed: event time of going to bed.
        home: spans of event time at home, over the day from midnight to midnight.
    """

    wake: float
    bed: float
    home: list[tuple[float, float]]
    is_away: bool = False


class Household:
    """All days of one seed.

    Attributes:
        samples: of the home, by event time.
        days: the truth by person, one for each day.
        by_chance: what comes at any time for no reason, by event time and path.
        move: number of the day on which they move.
    """

    def __init__(self, seed: int, days: int = DAYS) -> None:
        self._rng = np.random.default_rng([seed, 4711])
        rng = self._rng
        self.move = int(rng.integers(int(days * 0.5), int(days * 0.65)))
        self._holidays = self._draw_holidays(days)
        self._people = [self._draw_person(name) for name in PEOPLE]
        self._acts: list[tuple[float, str, str]] = []
        self.by_chance: set[tuple[float, str]] = set()
        self.days: dict[str, list[Truth]] = {name: [] for name in PEOPLE}
        for number in range(days):
            if number == self.move:
                self._settle_in()
            self._live(number)
        self.samples = list(self._samples())

    def moment(self, number: int, hour: float) -> float:
        """Event time of a local hour of a day; hours past 24 are of the next one."""
        day = FIRST + timedelta(days=number)
        start = datetime(day.year, day.month, day.day, tzinfo=ZONE).astimezone(UTC)
        return start.timestamp() + hour * 3600.0

    def is_home(self, name: str, time: float) -> bool:
        """Whether a person is at home."""
        number = self.day_of(time)
        return any(a <= time < b for a, b in self.days[name][number].home)

    def day_of(self, time: float) -> int:
        """Number of the local day of an event time."""
        there = datetime.fromtimestamp(time, ZONE).date()
        return min((there - FIRST).days, len(self.days[PEOPLE[0]]) - 1)

    # --- people -------------------------------------------------------------------

    def _draw_person(self, name: str) -> Person:
        rng = self._rng
        back = rng.uniform(16.6, 18.3)
        return Person(
            name,
            wake=rng.uniform(5.9, 7.2),
            bed=rng.uniform(22.2, 23.6),
            leave=rng.uniform(7.2, 8.4),
            back=back,
            home_office=set(rng.choice(5, int(rng.integers(0, 3)), False).tolist()),
            sport=set(rng.choice(5, int(rng.integers(0, 3)), False).tolist()),
            spread=rng.uniform(0.15, 0.35),
        )

    def _draw_holidays(self, days: int) -> set[int]:
        rng, found = self._rng, set[int]()
        for half in range(2):
            first = int(rng.integers(25 + half * days // 2, (half + 1) * days // 2 - 9))
            found |= set(range(first, first + int(rng.integers(5, 10))))
        return found - set(range(self.move - 2, self.move + 3))

    def _settle_in(self) -> None:
        for person in self._people:
            person.leave -= 0.4
            person.back += 0.35
            person.wake -= 0.35

    def _live(self, number: int) -> None:
        for person in self._people:
            truth = self._day(person, number)
            self.days[person.name].append(truth)
        self._home_day(number)

    def _day(self, person: Person, number: int) -> Truth:
        rng, weekday = self._rng, (FIRST + timedelta(days=number)).weekday()
        if number in self._holidays:
            start = self.moment(number, 0)
            home: list[tuple[float, float]] = []
            if number - 1 not in self._holidays:
                home = [(start, self.moment(number, 9.5 + rng.normal(0, 0.5)))]
            if number + 1 not in self._holidays:
                home.append(
                    (self.moment(number, 16 + rng.normal(0, 1)), start + 86_400)
                )
            return Truth(
                self.moment(number, 8.0), self.moment(number, 23.0), home, True
            )
        season = 0.25 * cos(tau * (number + 250) / 365)
        works = weekday < 5 and rng.random() > 0.04
        at_home = works and (weekday in person.home_office) == (rng.random() > 0.1)
        wake = person.wake + season + rng.normal(0, person.spread)
        bed = person.bed + rng.normal(0, 0.4) + (0.7 if weekday in (4, 5) else 0)
        out: list[tuple[float, float]] = []
        if works and not at_home:
            leave = max(wake + 0.5, person.leave + season / 2 + rng.normal(0, 0.2))
            back = person.back + rng.normal(0, 0.4) - (0.9 if weekday == 4 else 0)
            if weekday in person.sport and rng.random() < 0.8:
                back += 1.6 + rng.normal(0, 0.2)
            out.append((leave, max(leave + 2, back)))
        elif works:
            wake += 0.4
            if rng.random() < 0.5:
                lunch = 12.3 + rng.normal(0, 0.2)
                out.append((lunch, lunch + 0.6))
        else:
            wake += 1.7 + rng.normal(0, 0.4)
            if rng.random() < 0.7:
                leave = max(wake + 1, 10.5 + rng.normal(0, 0.8))
                out.append((leave, leave + 1.0 + rng.exponential(1.2)))
        if rng.random() < (0.35 if weekday in (4, 5) else 0.08):
            leave = max(19.2 + rng.normal(0, 0.4), out[-1][1] + 0.4 if out else 0)
            out.append((leave, leave + 2.2 + rng.normal(0, 0.5)))
        bed = max(bed, out[-1][1] + 0.5 if out else 0)
        spans = [(0.0, 0.0), *out, (24.0, 24.0)]
        home = [
            (self.moment(number, a[1]), self.moment(number, b[0]))
            for a, b in itertools.pairwise(spans)
            if b[0] > a[1]
        ]
        return Truth(self.moment(number, wake), self.moment(number, bed), home)

    # --- the home -----------------------------------------------------------------

    def _name(self, path: str, number: int) -> str:
        """The new house's entities have other names, some of them."""
        if number < self.move:
            return path
        return path.replace("bedroom", "upstairs").replace("hall", "entrance")

    def _act(self, number: int, time: float, path: str, state: str) -> None:
        if self._rng.random() > 0.03:  # a message in thirty is lost
            self._acts.append((time, self._name(path, number), state))

    def _do(self, number: int, time: float, path: str, for_s: float) -> None:
        self._act(number, time, path, "on")
        self._act(number, time + for_s, path, "off")

    def _do_by_chance(self, number: int, time: float, path: str, for_s: float) -> None:
        self.by_chance.add((time, self._name(path, number)))
        self._do(number, time, path, for_s)

    def _is_dark(self, number: int, time: float) -> bool:
        swing = cos(tau * (number + 72) / 365)
        hour = (time - self.moment(number, 0)) / 3600
        return not 6.6 - 1.6 * swing < hour < 18.8 + 2.2 * swing

    def _home_day(self, number: int) -> None:
        rng = self._rng
        for name in PEOPLE:
            truth = self.days[name][number]
            for begin, end in truth.home:
                if end < self.moment(number, 24):
                    self._leave(number, name, end)
                if begin > self.moment(number, 0):
                    self._come(number, name, begin)
            if not truth.is_away:
                self._wake(number, name, truth)
                self._go_to_bed(number, name, truth)
                self._move_about(number, name, truth)
        if 30 < number < 220:
            climate = "climate.living_room"
            self._act(
                number, self.moment(number, 5.75) + rng.normal(0, 3), climate, "heat"
            )
            self._act(
                number, self.moment(number, 22.5) + rng.normal(0, 3), climate, "off"
            )
        for _ in range(int(rng.poisson(2))):  # the cat
            time = self.moment(number, rng.uniform(0, 24))
            self._do_by_chance(number, time, "binary_sensor.hall_motion", 60)

    def _wake(self, number: int, name: str, truth: Truth) -> None:
        rng, wake = self._rng, truth.wake
        if not self.is_home_at(truth, wake):
            return
        phone = f"binary_sensor.{name}_phone_interactive"
        self._do(number, wake + abs(rng.normal(0, 60)), phone, 120)
        if self._is_dark(number, wake):
            light = "light.bedroom" if name == "ada" else "light.bedroom_left"
            self._do(number, wake + 30, light, 600 + rng.normal(0, 60))
        self._do(number, wake + 240 + rng.normal(0, 40), "light.bathroom", 540)
        self._do(number, wake + 900 + rng.normal(0, 90), "switch.coffee", 420)
        kitchen = wake + 960 + rng.normal(0, 90)
        if self._is_dark(number, kitchen):
            self._do(number, kitchen, "light.kitchen", 1200 + rng.normal(0, 200))
        if rng.random() < 0.4:
            self._do(number, wake + 1500, "binary_sensor.bedroom_window", 900)

    def _go_to_bed(self, number: int, name: str, truth: Truth) -> None:
        rng, bed = self._rng, truth.bed
        other = self.days[PEOPLE[name == "ada"]]
        is_last = len(other) <= number or other[number].bed <= bed
        if is_last:
            self._act(number, bed - 1500 + rng.normal(0, 120), "media_player.tv", "off")
            self._act(
                number, bed - 1320 + rng.normal(0, 60), "light.living_room", "off"
            )
            self._act(number, bed - 1300, "light.kitchen", "off")
            self._act(number, bed - 1250, "lock.front_door", "locked")
        self._do(number, bed - 900 + rng.normal(0, 60), "light.bathroom", 480)
        light = "light.bedroom" if name == "ada" else "light.bedroom_left"
        self._do(number, bed - 360, light, 330 + rng.normal(0, 20))
        phone = f"binary_sensor.{name}_phone_interactive"
        self._do(number, bed - 200 + abs(rng.normal(0, 60)), phone, 100)
        if rng.random() < 0.25:
            night = bed + rng.uniform(1.5, 5) * 3600
            self._do(number, night, "binary_sensor.hall_motion", 60)
            self._do(number, night + 15, "light.bathroom", 150)

    def _leave(self, number: int, name: str, time: float) -> None:
        rng = self._rng
        self._do(
            number, time - 120 + rng.normal(0, 15), "binary_sensor.hall_motion", 60
        )
        self._act(number, time - 70, "lock.front_door", "unlocked")
        self._do(number, time - 60 + rng.normal(0, 5), "binary_sensor.front_door", 12)
        other = self.days[PEOPLE[name == "ada"]]
        if len(other) > number and not self.is_home_at(other[number], time):
            self._act(number, time - 150, "light.kitchen", "off")
            self._act(number, time - 140, "light.living_room", "off")
            self._act(number, time - 30, "lock.front_door", "locked")
        self._act(number, time, f"person.{name}", "not_home")

    def _come(self, number: int, name: str, time: float) -> None:
        rng = self._rng
        self._act(number, time, f"person.{name}", "home")
        self._act(number, time + 20, "lock.front_door", "unlocked")
        self._do(number, time + 28 + rng.normal(0, 3), "binary_sensor.front_door", 14)
        self._do(number, time + 45, "binary_sensor.hall_motion", 75)
        if self._is_dark(number, time):
            self._do(number, time + 55, "light.hall", 240 + rng.normal(0, 30))
            self._act(number, time + 200, "light.living_room", "on")
        hour = (time - self.moment(number, 0)) / 3600
        if 16 < hour < 20 and rng.random() < 0.7:
            cook = time + 1800 + rng.normal(0, 500)
            self._do(number, cook, "switch.stove", 1700 + rng.normal(0, 300))
            if self._is_dark(number, cook):
                self._do(number, cook - 60, "light.kitchen", 3000)

    def _move_about(self, number: int, name: str, truth: Truth) -> None:
        rng = self._rng
        rooms = ("hall", "living_room", "kitchen")
        for begin, end in truth.home:
            begin, end = max(begin, truth.wake), min(end, truth.bed - 1500)
            if end <= begin:
                continue
            for _ in range(int(rng.poisson((end - begin) / 3600 * 1.6))):
                time = rng.uniform(begin, end)
                room = rooms[int(rng.choice(3, p=(0.3, 0.4, 0.3)))]
                self._do_by_chance(number, time, f"binary_sensor.{room}_motion", 60)
            for _ in range(int(rng.poisson((end - begin) / 3600 * 0.8))):
                time = rng.uniform(begin, end)
                phone = f"binary_sensor.{name}_phone_interactive"
                self._do(number, time, phone, rng.exponential(300))
            tv = self.moment(number, 20.2 + rng.normal(0, 0.4))
            if begin < tv < end and rng.random() < 0.75:
                self._act(number, tv, "media_player.tv", "on")
                self._act(number, tv + 40, "light.living_room", "on")
            if rng.random() < 0.3:  # for no reason
                time = rng.uniform(begin, end)
                self._do_by_chance(number, time, "light.hall", 300)

    @staticmethod
    def is_home_at(truth: Truth, time: float) -> bool:
        """Whether they are at home on that day at that time."""
        return any(a <= time < b for a, b in truth.home)

    def _samples(self) -> Iterator[Sample]:
        last: dict[str, str] = {}
        start = self.moment(0, 0)
        paths = {path for _, path, _ in self._acts}
        for path in sorted(paths):
            state = "home" if path.startswith("person.") else "off"
            last[path] = "unlocked" if path.startswith("lock.") else state
            yield Sample("home", path, start, last[path])
        for time, path, state in sorted(self._acts):
            if time > start and last[path] != state:
                last[path] = state
                yield Sample("home", path, time, state)

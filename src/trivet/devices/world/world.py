"""The simulated household: one seed, one town, one family, three devices."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from trivet.devices.world import crowd
from trivet.devices.world.car import Car
from trivet.devices.world.chance import stream
from trivet.devices.world.charge import Charge
from trivet.devices.world.home import Home
from trivet.devices.world.life import Life
from trivet.devices.world.phone import Phone, locate
from trivet.devices.world.plan import DayPlan
from trivet.devices.world.road import Roads, chain
from trivet.devices.world.street import Point, build_streets
from trivet.devices.world.town import Town
from trivet.devices.world.weather import Weather
from trivet.domain.clock import hour_of_day, local
from trivet.domain.device import Adapter, DeviceKind
from trivet.domain.error import UsageError
from trivet.domain.place import Place, PointOfInterest
from trivet.domain.sample import Sample

_ZONE = ZoneInfo("Europe/Berlin")


class World:
    """Ada, Ben and Cleo, their phone, car and home, and the town they live in.

    The same seed gives the same world in every process: three processes may each build
    one and take one device, and the three tell one story. Days are drawn when they are
    asked for, each from a chance of its own.

    Attributes:
        notice: the line to show with every picture that this world feeds.
        zone: the town's time zone.
        start_time: event time at which the world begins, a local midnight.
        end_time: event time at which it ends, a local midnight.
        points_of_interest: what a map of the region would show.
        places: every place that Ada goes to, by the id that plans use.
        roads: streets as polylines of (latitude, longitude) in degrees; the motorway
            and the holiday village are among them, so cut to the town when drawing.
        river: the river's course, likewise.
    """

    def __init__(
        self,
        seed: int = 7,
        start: date = date(2026, 1, 5),
        days: int = 84,
        zone: ZoneInfo = _ZONE,
    ) -> None:
        """Lay out the town; no day is lived yet.

        Args:
            seed: which world, 0 or more.
            start: its first day.
            days: how many days it has, 1 to 10,000.
            zone: the time zone of its clocks.

        Raises:
            UsageError: the seed or the number of days is out of range.
        """
        if seed < 0:
            raise UsageError(f"seed {seed} of the world: the least is 0")
        if not 1 <= days <= 10_000:
            raise UsageError(f"a world of {days} days: it has 1 to 10000")
        self._seed = seed
        self.notice = f"Simulated household (seed {seed}): no real person, place or car"
        self.zone = zone
        plan = build_streets(seed)
        routes = Roads(plan, seed)
        self._town = Town(plan, routes, seed)
        self._life = Life(seed, zone, self._town, routes)
        self._weather = Weather(seed, zone)
        self._charge = Charge(seed, self._life, self._weather, start)
        self.start_time = self._life.midnight(start)
        self.end_time = self._life.midnight(start + timedelta(days=days))
        self.points_of_interest: tuple[PointOfInterest, ...] = (
            self._town.points_of_interest
        )
        self.places: dict[str, Place] = dict(self._town.places)
        self.roads: tuple[tuple[Point, ...], ...] = chain(plan)
        self.river: tuple[Point, ...] = plan.river

    def adapter(self, kind: DeviceKind, start: float | None = None) -> Adapter:
        """A device of the household, alive from event time `start` on.

        It begins with everything that it knows at `start`. Each call gives a device of
        its own: commands to one are not seen by another.

        Raises:
            UsageError: no device of that kind here, or a start outside the world.
        """
        begin = self.start_time if start is None else start
        if not self.start_time <= begin < self.end_time:
            raise UsageError(
                f"a device cannot start at {begin}: this world lasts from "
                f"{self.start_time} to {self.end_time}"
            )
        if kind is DeviceKind.PHONE:
            return Phone(self._seed, self._town, self._life, begin, self.end_time)
        if kind is DeviceKind.CAR:
            return Car(
                self._seed,
                self._town,
                self._life,
                self._weather,
                self._charge,
                begin,
                self.end_time,
            )
        if kind is DeviceKind.HOME:
            return Home(self._seed, self._life, self._weather, begin, self.end_time)
        raise UsageError(
            f"the simulated household has no device of kind {kind}",
            hint="take phone, car or home",
        )

    def history(self, start: float, end: float) -> Iterator[Sample]:
        """The phone's `location` samples from `start` up to, not with, `end`.

        The same as the phone's adapter gives, at the speed of learning.
        """
        start, end = max(start, self.start_time), min(end, self.end_time)
        day = self._life.date_of(start)
        while self._life.midnight(day) < end:
            for sample in locate(self._seed, self._town, self._life.day(day)):
                if start <= sample.time < end:
                    yield sample
            day += timedelta(days=1)

    def plan(self, day: date) -> DayPlan:
        """What truly happens on a day: the truth to measure against."""
        return self._life.day(day).plan

    def queue_min(self, poi_id: str, time: float) -> float:
        """The true wait in minutes at a point of interest, 0 while it is closed.

        Raises:
            UsageError: there is no such point of interest.
        """
        poi = self._town.point_of_interest(poi_id)
        moment = local(time, self.zone)
        weekday, hour = moment.weekday(), hour_of_day(time, self.zone)
        if not self._town.is_open(poi_id, weekday, hour):
            return 0.0
        number = int(poi_id.removeprefix("node/"))
        rng = stream(self._seed, "crowd", moment.date().toordinal(), number)
        popularity = self._town.popularity(poi_id) * float(rng.uniform(0.88, 1.12))
        return round(crowd.wait_min(poi, popularity, weekday, hour), 1)

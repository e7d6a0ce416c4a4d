"""A simulated household lived through with the skills, and what truly happened in it.

What the household does not have is laid over it, each from a chance of its own: a
calendar of what Ada truly goes to, a shopping list, and lamps and heating that she
forgets in one departure of ten.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from heapq import merge

import msgspec

from trivet.app.mind import Mind, Roles
from trivet.app.zone import fixed_zone
from trivet.atlas import MemoryAtlas
from trivet.devices.world import World
from trivet.devices.world.chance import stream
from trivet.devices.world.entity import LIGHTS, TARGET
from trivet.devices.world.plan import DayPlan, Episode
from trivet.devices.world.town import FLAT, HOME
from trivet.domain import DeviceKind, Sample, Suggestion
from trivet.domain.appointment import Appointment
from trivet.domain.clock import local
from trivet.engine.chronicle import Chronicle
from trivet.engine.feedback import Feedback
from trivet.engine.situation import Situation
from trivet.engine.suggest import Suggester
from trivet.skills import load
from trivet.skills.holiday import Holiday

SKILLS = ("leave_now", "charge", "groceries", "departure", "holiday")
DAY_S = 86_400.0
#: Days that are learned before anything is judged.
LEARNED_DAYS = 28
#: Reasons of going somewhere that stand in a calendar, with the place's name.
PLANNED = frozenset({"gym", "cinema", "friends", "dinner out"})
FORGETS = 0.1
ITEMS_A_DAY = 1.5
_TRIP_STEP_S, _STEP_S = 60.0, 240.0


class Way(msgspec.Struct, frozen=True):
    """A way that Ada truly went: from one of her stays to the next."""

    before: Episode
    after: Episode


class Lived(msgspec.Struct):
    """What was said, and what was so."""

    world: World
    said: list[Suggestion]
    ways: list[Way]
    empty: list[float]
    forgotten: dict[float, set[str]]
    appointments: list[Appointment]
    #: event time, range in metres, odometer in metres, whether it charges
    car: list[tuple[float, float, float, bool]]
    #: event times at which the home was known to be left for days, with no calendar
    unplanned: list[float]
    #: whether needs are recorded only; then what no calendar tells is left out
    is_recorded: bool = False


class _Mind(Mind):
    """A mind that knows of a calendar, a list, trips and what was switched."""

    def __init__(self, world: World, lived: Lived, skills: Sequence[str]) -> None:
        atlas = MemoryAtlas(world.points_of_interest, world.notice)
        super().__init__(Roles(), fixed_zone(world.zone), load(skills), atlas)
        self.lived = lived
        self.chronicle = Chronicle("home")
        self.lists: dict[str, list[str]] = {}

    def learn(self, sample: Sample) -> None:
        super().learn(sample)
        self.chronicle.learn_one(sample)

    def situation(self, time: float) -> Situation:
        return msgspec.structs.replace(
            super().situation(time),
            trips=self.anticipator.trips,
            appointments=[
                one
                for one in self.lived.appointments
                if one.end > time - 3600.0 and one.start < time + 1.25 * DAY_S
            ],
            lists=self.lists,
            changes=self.chronicle.changes,
        )


def live(
    seed: int,
    days: int = 84,
    skills: Sequence[str] = SKILLS,
    suggester: Suggester | None = None,
) -> Lived:
    """Live a world; what is said in the first weeks is left away.

    Args:
        seed: of the world, and of what is laid over it.
        days: how long.
        skills: which are asked.
        suggester: judges instead of the mind's own.
    """
    world = World(seed=seed, days=days)
    plans = [world.plan(_day(world, number)) for number in range(days)]
    ways = [way for plan in plans for way in _ways(plan)]
    lived = Lived(world, [], ways, [], {}, [], [], [])
    lived.appointments = [*_appointments(world, seed, ways), *_holidays(world, ways)]
    lived.appointments.sort(key=lambda one: one.start)
    lived.empty = [
        span.start
        for plan in plans
        for span in plan.empty
        for way in _ways(plan)
        if way.before.place == HOME and abs(way.before.departure - span.start) < 1.0
    ]
    mind = _Mind(world, lived, skills)
    if suggester is not None:
        suggester.skills, mind.suggester = mind.suggester.skills, suggester
        lived.is_recorded = True
    for day, plan in enumerate(plans):
        _live_day(mind, lived, seed, day, plan)
    return lived


def _live_day(mind: _Mind, lived: Lived, seed: int, day: int, plan: DayPlan) -> None:
    """One day, with nothing learnt from answers: every suggestion stands alone."""
    world = lived.world
    if not day:
        mind.devices = [  # type: ignore[attr-defined]
            world.adapter(kind)
            for kind in (DeviceKind.PHONE, DeviceKind.CAR, DeviceKind.HOME)
        ]
    time = world.plan(plan.day).episodes[0].arrival
    end = plan.episodes[-1].departure
    mind.suggester.feedback = Feedback()
    _shop(mind, seed, plan)
    while time < end:
        step = _STEP_S if mind.forecast is None else _TRIP_STEP_S
        time = min(end, time + step)
        devices = mind.devices  # type: ignore[attr-defined]
        for sample in merge(*(d.samples(time) for d in devices), key=lambda s: s.time):
            if not _is_forgotten(lived, seed, sample):
                mind.learn(sample)
        _bought(mind, plan, time)
        for suggestion in mind.step(time):
            if day >= LEARNED_DAYS:
                lived.said.append(suggestion)
        _note_car(mind, lived, time)
        if not lived.is_recorded:
            _note_unplanned(mind, lived, time)


def _note_unplanned(mind: _Mind, lived: Lived, time: float) -> None:
    blind = msgspec.structs.replace(mind.situation(time), appointments=())
    if any(True for _ in Holiday().needs(blind)):
        lived.unplanned.append(time)


def _note_car(mind: _Mind, lived: Lived, time: float) -> None:
    battery = "Vehicle.Powertrain.TractionBattery."
    lived.car.append(
        (
            time,
            mind.context.number("car", f"{battery}Range") or 0.0,
            mind.context.number("car", "Vehicle.TraveledDistance") or 0.0,
            mind.context.value("car", f"{battery}Charging.IsCharging") is True,
        )
    )


def _day(world: World, number: int) -> date:
    return local(world.start_time, world.zone).date() + timedelta(number)


def _ways(plan: DayPlan) -> Iterator[Way]:
    for before, after in zip(plan.episodes, plan.episodes[1:], strict=False):
        yield Way(before, after)


def _appointments(world: World, seed: int, ways: list[Way]) -> Iterator[Appointment]:
    """What Ada goes to, as she would write it down: by the next five minutes."""
    for number, way in enumerate(ways):
        there = way.after
        if there.reason not in PLANNED:
            continue
        start = -(-there.arrival // 300.0) * 300.0
        place = world.places[there.place]
        private = there.reason == "friends"
        yield Appointment(
            f"{seed}-{number}",
            there.reason.capitalize(),
            start,
            max(start, there.departure),
            "" if private else there.name,
            place.lat if private else None,
            place.lon if private else None,
        )


def _holidays(world: World, ways: list[Way]) -> Iterator[Appointment]:
    """The holidays, as whole days with the flat's point."""
    flat = world.places[FLAT]
    begins = [w.before for w in ways if w.after.reason == "rest stop"][::2]
    backs = [w.after for w in ways if w.after.reason.startswith("back")]
    for number, (begin, back) in enumerate(zip(begins, backs, strict=False)):
        first, last = (
            local(time, world.zone).replace(hour=0, minute=0, second=0, microsecond=0)
            for time in (begin.departure, back.arrival)
        )
        end = (last + timedelta(days=1)).timestamp()
        yield Appointment(
            f"holiday-{number}",
            "By the sea",
            first.timestamp(),
            end,
            lat=flat.lat,
            lon=flat.lon,
            is_all_day=True,
        )


def _shop(mind: _Mind, seed: int, plan: DayPlan) -> None:
    """In the morning the household thinks of what is missing."""
    rng = stream(seed, "list", plan.day.toordinal())
    items = mind.lists.setdefault("groceries", [])
    for _ in range(int(rng.poisson(ITEMS_A_DAY))):
        items.append(f"thing {plan.day.toordinal() % 97}-{len(items)}")


def _bought(mind: _Mind, plan: DayPlan, time: float) -> None:
    for episode in plan.episodes:
        if episode.reason == "groceries" and 0 <= time - episode.departure < _STEP_S:
            mind.lists["groceries"] = []


def _is_forgotten(lived: Lived, seed: int, sample: Sample) -> bool:
    """Whether a lamp stays on, or the heating up, though the world has it seen to."""
    if sample.device != "home" or sample.path not in (*LIGHTS, TARGET):
        return False
    if sample.value not in ("off", 16.0):
        return False
    for time in lived.empty:
        if -130.0 <= sample.time - time <= 40.0:
            number = (*LIGHTS, TARGET).index(sample.path)
            draw = stream(seed, "forget", int(time), number).random()
            if draw < FORGETS:
                lived.forgotten.setdefault(time, set()).add(sample.path)
            return bool(draw < FORGETS)
    return False

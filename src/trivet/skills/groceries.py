"""Groceries: the household's list, and an open shop near the way.

Speaks on a drive when something is on the list and a shop lies near the way ahead, open
on arrival and for long enough; on the way to work only where it is the person's habit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from trivet.domain.clock import clock_text, local
from trivet.domain.forecast import Candidate, Reason
from trivet.domain.geo import distance_m
from trivet.domain.place import PlaceRole
from trivet.domain.suggestion import Need, Surface
from trivet.engine.detour import SMALL_S, Detour, detours, way_to
from trivet.engine.explain import interval_text, percent
from trivet.engine.opening_hours import parse
from trivet.engine.situation import Situation
from trivet.engine.travel import minutes
from trivet.engine.visit import Visit, Wait, expect_wait, is_around, visits_of

SHOPS = ("supermarket", "convenience", "greengrocer", "marketplace")
#: What a household may call the list.
NAMES = frozenset(
    """einkauf einkaufsliste food groceries lebensmittel list shopping""".split()
)
#: A destination counts from this probability on.
LIKELY = 0.4
#: How far out of the way a shop may be, and how long that may take.
MOST_DETOUR_M, MOST_DETOUR_S = 2_500.0, 6 * 60.0
#: Told before the turning, not at the door.
SOONEST_S = 120.0
#: A destination this near a shop is the shop: one goes there to shop.
THERE_M, P_THERE = 120.0, 0.9
#: Must still be open so long after coming.
SHOPPING_MIN = 20
MAX_SHOPS = 3
#: Own drives at about this hour within so many weeks, and how many stops make a habit.
WEEKS, HABIT_VISITS = 8, 3
#: That somebody with something on the list stops for it, with no history; one thing
#: more makes it likelier, up to a full basket. It weighs as much as so many days, and
#: a day of the same weekday as much as so many others.
P_LIST, P_ITEM, FULL = 0.35, 0.05, 6
PRIOR_DAYS, SAME_DAY = 4.0, 3.0
BENEFIT = 0.6
#: Things of the list that are named in the title.
MAX_NAMED = 3


class _Option(NamedTuple):
    """A shop, as it will be on arrival; `is_open` None: hours not known."""

    detour: Detour
    is_open: bool | None
    closes: datetime | None
    wait: Wait
    visits: int

    @property
    def cost_min(self) -> float:
        """Minutes that it costs, those of doubt and of a strange shop included."""
        doubt = 0.0 if self.is_open else 5.0
        return (
            self.detour.extra_s / 60 + self.wait.minutes + doubt - min(4, self.visits)
        )


class _Habit(NamedTuple):
    """Days with a drive at about this hour, and on how many of them one shopped.

    Of all days, and of those of this weekday.
    """

    stops: int
    drives: int
    same_stops: int
    same_drives: int

    def share(self, prior: float) -> float:
        """Share of such drives with a stop at a shop, `prior` with no history."""
        stops = self.stops + (SAME_DAY - 1.0) * self.same_stops
        drives = self.drives + (SAME_DAY - 1.0) * self.same_drives
        return (stops + PRIOR_DAYS * prior) / (drives + PRIOR_DAYS)


class Groceries(msgspec.Struct, frozen=True):
    """Suggests a stop at a shop for what is on the list.

    Attributes:
        names: what the list may be called, in lower case.
    """

    names: frozenset[str] = NAMES

    @property
    def name(self) -> str:
        """The skill's name."""
        return "groceries"

    def needs(self, situation: Situation) -> Iterable[Need]:
        """One need at most: a stop on the way that is being driven."""
        items = self._items(situation)
        forecast = situation.forecast
        if not items or forecast is None or not forecast.candidates:
            return
        best = forecast.best
        way = way_to(situation, best)
        if best.probability < LIKELY or way is None:
            return
        visits = visits_of(situation, SHOPS)
        habit = _habit(situation, visits)
        place = situation.places.get(best.place)
        is_work = place is not None and place.role is PlaceRole.WORK
        if is_work and habit.stops < HABIT_VISITS:
            return
        options = [
            _option(situation, detour, visits)
            for detour in detours(situation, way, SHOPS, MOST_DETOUR_M)
            if detour.extra_s <= MOST_DETOUR_S
            and detour.time - situation.time >= SOONEST_S
        ]
        options = [option for option in options if option.is_open is not False]
        if options:
            options.sort(key=lambda option: (option.cost_min, option.detour.point.id))
            yield _need(situation, items, options, habit, best)

    def _items(self, situation: Situation) -> list[str]:
        """What is on the list, each thing once."""
        found = (
            " ".join(item.split())
            for name, items in sorted(situation.lists.items())
            if name.strip().casefold() in self.names
            for item in items
        )
        return list(dict.fromkeys(item for item in found if item))


def _need(
    situation: Situation,
    items: Sequence[str],
    options: Sequence[_Option],
    habit: _Habit,
    best: Candidate,
) -> Need:
    first = options[0]
    name = _called(first)
    prior = P_LIST + P_ITEM * (min(FULL, len(items)) - 1)
    wanted = habit.share(prior)
    if _is_there(first, best):
        wanted = max(wanted, P_THERE)
    return Need(
        skill="groceries",
        key="shop",
        title=f"{_things(items)}: {name[:80]}, {first.detour.text}"[:200],
        probability=wanted * min(1.0, best.probability),
        benefit=BENEFIT,
        reasons=_reasons(situation, items, first, habit, best),
        expires=max(situation.time + 60.0, first.detour.time),
        surfaces=(Surface.CAR, Surface.PHONE),
        details=(
            f"On the list: {', '.join(items)}"[:500],
            *(_line(situation, option) for option in options[:MAX_SHOPS]),
            f"Map: {'' if situation.atlas is None else situation.atlas.attribution}",
        ),
    )


def _option(situation: Situation, detour: Detour, visits: Sequence[Visit]) -> _Option:
    moment = local(detour.time, situation.zone)
    hours = parse(detour.point.opening_hours)
    is_open = None if hours is None else hours.is_open(moment)
    if hours is not None and is_open:
        # a shop that closes soon is not worth the way
        is_open = hours.is_open(moment + timedelta(minutes=SHOPPING_MIN))
    closes = hours.closes(moment) if hours is not None and is_open else None
    own = sum(visit.point == detour.point.id for visit in visits)
    wait = expect_wait(detour.point, moment, visits)
    return _Option(detour, is_open, closes, wait, own)


def _habit(situation: Situation, visits: Sequence[Visit]) -> _Habit:
    """How often the person shopped on past weeks' drives at about this hour."""
    now = local(situation.time, situation.zone)
    since = situation.time - WEEKS * 7 * 86_400.0
    drives = set()
    for trip in reversed(situation.trips):
        if trip.departure < since:
            break
        begun = local(trip.departure, situation.zone)
        if is_around(begun, now):
            drives.add(begun.date())
    shopped = {
        visit.arrival.date()
        for visit in visits
        if visit.arrival.timestamp() >= since and is_around(visit.arrival, now)
    }
    # today's own drive has not ended yet
    drives = (drives | shopped) - {now.date()}
    stops = shopped & drives
    same = {day for day in drives if day.weekday() == now.weekday()}
    return _Habit(len(stops), len(drives), len(stops & same), len(same))


def _reasons(
    situation: Situation,
    items: Sequence[str],
    first: _Option,
    habit: _Habit,
    best: Candidate,
) -> tuple[Reason, ...]:
    detour = first.detour
    noun = "thing is" if len(items) == 1 else "things are"
    at = clock_text(detour.time, situation.zone)
    heading = f"{percent(best.probability)} you are heading to {best.label}"
    if best.arrival is not None:
        heading += f", arriving {interval_text(best.arrival, situation.zone)}"
    where = f"{_called(first)} makes it {minutes(detour.extra_s)} min longer"
    if detour.extra_s < SMALL_S:
        where = f"{_called(first)} is on the way"
    reasons = [
        Reason(f"{len(items)} {noun} on the list", len(items)),
        Reason(f"{where}; you are there at {at}"[:500]),
    ]
    if habit.same_stops:
        now, count = local(situation.time, situation.zone), habit.same_stops
        text = (
            f"You shopped on {count} of {habit.same_drives} drives on a {now:%A} at "
            "about this hour"
        )
        reasons.append(Reason(text, count, habit.same_drives))
    elif habit.stops:
        text = (
            f"You shopped on {habit.stops} of {habit.drives} drives at about this hour"
        )
        reasons.append(Reason(text, habit.stops, habit.drives))
    return (*reasons, Reason(heading[:500]))


def _is_there(option: _Option, best: Candidate) -> bool:
    if best.lat is None or best.lon is None:
        return False
    point = option.detour.point
    return distance_m(point.lat, point.lon, best.lat, best.lon) <= THERE_M


def _things(items: Sequence[str]) -> str:
    named = [item[:30] for item in items[:MAX_NAMED]]
    rest = len(items) - len(named)
    if rest:
        named = [*named[: MAX_NAMED - 1], f"{rest + 1} more"]
    if len(named) == 1:
        return named[0][:1].upper() + named[0][1:]
    text = f"{', '.join(named[:-1])} and {named[-1]}"
    return text[:1].upper() + text[1:]


def _line(situation: Situation, option: _Option) -> str:
    detour, parts = option.detour, [_called(option)]
    parts.append(f"there at {clock_text(detour.time, situation.zone)}")
    parts.append(detour.text)
    if option.is_open is None:
        parts.append("hours not known")
    elif option.closes is None:
        parts.append("open")
    else:
        parts.append(f"open until {option.closes:%H:%M}")
    wait = 5 * round(option.wait.minutes / 5)
    parts.append(f"wait about {wait} min" if wait else "hardly a wait")
    return ", ".join(parts)[:500]


def _called(option: _Option) -> str:
    point = option.detour.point
    return point.name or point.kind.replace("_", " ")

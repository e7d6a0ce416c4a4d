"""Dinner: somewhere to eat, open on arrival, with the wait to expect.

Speaks when the person is on the way to an eating or shopping area, or out, and gets
there around a meal: at an hour of their own past meals out, else at the hours that are
usual in that part of the world. On the way home or to work only their own habit counts.
Never in the night, never at a table already, and never when all that is known to be
there is closed. How likely a meal is comes from what the person did on such stops.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

from trivet.domain.clock import local
from trivet.domain.forecast import SURE, Reason
from trivet.domain.geo import distance_m
from trivet.domain.place import PlaceRole, PointOfInterest
from trivet.domain.sample import LOCATION, Position
from trivet.domain.suggestion import Need, Surface
from trivet.engine.goal import Goal, find_goal
from trivet.engine.opening_hours import parse
from trivet.engine.outing import record_of
from trivet.engine.situation import Situation
from trivet.engine.visit import (
    SAME_M,
    Visit,
    Wait,
    expect_wait,
    is_around,
    nearest_hour,
    point_at,
    visits_of,
)
from trivet.engine.whereabouts import has_car

EATING = ("restaurant", "fast_food", "food_court", "cafe", "pub")
SHOPPING = ("mall", "supermarket", "department_store", "marketplace")
#: Of these, where one goes to buy and go home: no area to eat in.
ERRANDS = ("supermarket",)
#: Offered at most, and looked for this far from the destination on foot.
MAX_PLACES = 3
WALK_M = 400.0
#: Looked for with the car at hand where there are fewer on foot, and how many.
DRIVE_M = 3000.0
MAX_DRIVES = 20
#: An area to eat or shop in: a shop of those, or so many places to eat, this near.
AREA_M = 150.0
AREA_PLACES = 6
#: A destination counts from this probability on.
LIKELY = 0.35
#: Within this time after coming somewhere a person still chooses where to eat.
ARRIVED_S = 45 * 60.0
#: Must still be open so long after arriving.
MEAL_MIN = 45
#: Own meals out so near to an hour that make it a usual one.
USUAL_VISITS = 3
HABIT_H = 1.0
#: After a meal nobody looks for the next one so soon.
SATED_H = 3.5
#: Local hours at which nobody is asked to eat.
NIGHT_UNTIL_H = 6.0
#: In a shopping area a meal so much later is near enough: first the shops.
SHOP_FIRST_H = 1.0
#: That a person wants to eat, given that they get there: from their own habit and where
#: it can be had, in a place for it, or by the clock alone.
P_USUAL, P_AREA, P_HOUR = 0.8, 0.65, 0.4
#: Worth to who is to choose; and to who goes where they always go at that hour, and
#: would wait no longer there, by so many minutes, than elsewhere.
BENEFIT, BENEFIT_KNOWN = 0.6, 0.2
SAVED_MIN = 10.0

#: Hours of lunch and of dinner by time zone, where they differ from the rest.
_HOURS = {
    "Europe/Madrid": ((13.5, 16.0), (20.5, 23.5)),
    "Europe/Athens": ((13.5, 16.0), (20.5, 23.5)),
    "Europe/Rome": ((12.5, 14.5), (19.5, 22.0)),
    "Europe/Lisbon": ((12.5, 14.5), (19.5, 22.0)),
    "Europe/Paris": ((12.0, 14.0), (19.0, 21.5)),
    "Europe/Helsinki": ((11.0, 13.5), (16.5, 20.0)),
    "Europe/Stockholm": ((11.5, 13.5), (17.0, 20.0)),
    "Europe/Oslo": ((11.5, 13.5), (16.5, 20.0)),
    "America/Argentina/Buenos_Aires": ((12.5, 15.0), (20.5, 23.5)),
}
_ELSEWHERE = ((11.5, 14.0), (17.5, 21.0))


class _Meal(NamedTuple):
    """Which meal it is time for, and how that is known."""

    name: str
    is_usual: bool
    reason: Reason


class _Option(NamedTuple):
    """A place to eat, as it will be on arrival; `is_open` None: hours not known."""

    point: PointOfInterest
    away_m: float
    is_open: bool | None
    wait: Wait
    visits: int

    @property
    def score(self) -> float:
        """Worth, in tens of minutes saved of waiting and of the way."""
        # walking at 80 m a minute, or driving at 400 and five minutes to park
        way = self.away_m / 800
        if self.away_m > WALK_M:
            way = 0.5 + self.away_m / 4000
        score = -self.wait.minutes / 10 - way
        return score + min(1.5, 0.5 * self.visits) - (0.0 if self.is_open else 1.0)


class Dinner:
    """Offers up to three places to eat around the destination."""

    name = "dinner"

    def needs(self, situation: Situation) -> Iterable[Need]:
        """One need at most: the meal that the arrival falls into."""
        atlas = situation.atlas
        goal = _goal(situation)
        if atlas is None or goal is None:
            return
        arrival = local(goal.arrival, situation.zone)
        if _hour(arrival) < NIGHT_UNTIL_H:
            return
        near = _near(situation, goal)
        area = _area(situation, goal, near)
        visits = visits_of(situation, EATING)
        meal = _meal(situation.zone, arrival, visits, area is not None, goal.role)
        if meal is None or _has_eaten(visits, arrival):
            return
        moment = local(max(goal.arrival, situation.time), situation.zone)
        options = [_option(point, goal, moment, visits) for point in near]
        options = [option for option in options if option.is_open is not False]
        if not options:
            return
        chosen = _choose(options)
        prior = _prior(situation, goal, meal, near)
        record = record_of(situation, goal, AREA_M, arrival, visits)
        yield Need(
            skill=self.name,
            key=meal.name,
            title=_title(meal, area or goal.label, goal, chosen, moment),
            probability=min(1.0, goal.probability * record.share(prior)),
            benefit=_benefit(situation, goal, options, visits, arrival),
            reasons=(
                goal.reason,
                meal.reason,
                *record.reasons,
                _supply(near, options, moment),
            ),
            expires=max(goal.expires, situation.time + 60.0),
            surfaces=(Surface.CAR, Surface.PHONE),
            details=(
                *(_line(option, goal, moment) for option in chosen),
                f"Map: {atlas.attribution}",
            ),
        )


def _goal(situation: Situation) -> Goal | None:
    if situation.forecast is None and point_at(situation, situation.at, EATING):
        return None  # at a table already
    goal = find_goal(situation, EATING + SHOPPING, AREA_M, ARRIVED_S)
    if goal is None or goal.probability < LIKELY or _is_at_the_door(situation, goal):
        return None
    return goal


def _is_at_the_door(situation: Situation, goal: Goal) -> bool:
    """Whether the goal is somewhere to eat and reached: nobody chooses any more.

    That a trip has ended is known only minutes after it has. The phone's word counts
    here: a car that was left tells where it stands, and more often.
    """
    told = situation.context.sample(situation.phone, LOCATION)
    here = told.value if told is not None else None
    atlas = situation.atlas
    if atlas is None or not isinstance(here, Position):
        return False
    if distance_m(here.lat, here.lon, goal.lat, goal.lon) > SAME_M:
        return False
    if atlas.near(goal.lat, goal.lon, AREA_M, SHOPPING, 1):
        return False
    return bool(atlas.near(goal.lat, goal.lon, SAME_M, EATING, 1))


def _benefit(
    situation: Situation,
    goal: Goal,
    options: Sequence[_Option],
    visits: Sequence[Visit],
    arrival: datetime,
) -> float:
    """Worth of being told; little where they go as always, and it is as always."""
    if situation.atlas is None or goal.alone <= SURE:
        return BENEFIT
    there = {p.id for p in situation.atlas.near(goal.lat, goal.lon, SAME_M, EATING)}
    own = [v for v in visits if v.point in there and is_around(v.arrival, arrival)]
    usual_min = [o.wait.minutes for o in options if o.point.id in there]
    if len(own) < USUAL_VISITS or not usual_min:
        return BENEFIT
    least_min = min(option.wait.minutes for option in options)
    return BENEFIT if min(usual_min) - least_min >= SAVED_MIN else BENEFIT_KNOWN


def _near(situation: Situation, goal: Goal) -> list[PointOfInterest]:
    """Places to eat in walking distance; a drive away where those are too few."""
    if situation.atlas is None:
        return []
    near = situation.atlas.near(goal.lat, goal.lon, WALK_M, EATING)
    if len(near) < MAX_PLACES and has_car(situation):
        near = situation.atlas.near(goal.lat, goal.lon, DRIVE_M, EATING, MAX_DRIVES)
    return near


def _area(
    situation: Situation, goal: Goal, near: Sequence[PointOfInterest]
) -> str | None:
    """Name of the eating or shopping area that the goal is in, None if in none."""
    if situation.atlas is not None:
        shops = situation.atlas.near(goal.lat, goal.lon, AREA_M, SHOPPING, 1)
        if shops:
            return shops[0].name or goal.label
    close = [point for point in near if _away_m(point, goal) <= AREA_M]
    return goal.label if len(close) >= AREA_PLACES else None


def _prior(
    situation: Situation, goal: Goal, meal: _Meal, near: Sequence[PointOfInterest]
) -> float:
    """That somebody eats out who gets there, as far as the map and the hour tell."""
    close = sum(_away_m(point, goal) <= AREA_M for point in near)
    if meal.is_usual and (close or goal.role is not PlaceRole.OTHER):
        return P_USUAL
    atlas = situation.atlas
    shops = [] if atlas is None else atlas.near(goal.lat, goal.lon, AREA_M, SHOPPING)
    is_area = any(shop.kind not in ERRANDS for shop in shops)
    return P_AREA if is_area or close >= AREA_PLACES else P_HOUR


def _meal(
    zone: tzinfo,
    moment: datetime,
    visits: Sequence[Visit],
    is_area: bool,
    role: PlaceRole,
) -> _Meal | None:
    hour = _hour(moment)
    name = "breakfast" if hour < 11.0 else "lunch" if hour < 16.0 else "dinner"
    around = [v for v in visits if is_around(v.arrival, moment, HABIT_H)]
    same_day = [v for v in around if v.arrival.weekday() == moment.weekday()]
    habit = around if role is PlaceRole.OTHER else same_day
    if len(habit) >= USUAL_VISITS:
        text = (
            f"You ate out around {nearest_hour(moment)}:00 {len(around)} times in the "
            "last half year"
        )
        if same_day:
            text += f", {len(same_day)} of them on a {moment:%A}"
        return _Meal(name, True, Reason(text, len(same_day), len(around)))
    if role is not PlaceRole.OTHER:
        return None
    hours = _HOURS.get(getattr(zone, "key", ""), _ELSEWHERE)
    early_h = SHOP_FIRST_H if is_area else 0.0
    for meal, (begin, end) in zip(("lunch", "dinner"), hours, strict=True):
        if begin - early_h <= hour <= end:
            usual = f"{_clock(begin)} to {_clock(end)}"
            text = f"{meal.capitalize()} is usual there from {usual}"
            return _Meal(meal, False, Reason(text))
    return None


def _has_eaten(visits: Sequence[Visit], moment: datetime) -> bool:
    """Whether a meal out was begun a short while before a local time."""
    return any(
        timedelta(0) <= moment - visit.arrival < timedelta(hours=SATED_H)
        for visit in visits
    )


def _option(
    point: PointOfInterest, goal: Goal, moment: datetime, visits: Sequence[Visit]
) -> _Option:
    hours = parse(point.opening_hours)
    is_open = None if hours is None else hours.is_open(moment)
    if hours is not None and is_open:
        stays_open = hours.is_open(moment + timedelta(minutes=MEAL_MIN))
        is_open = None if stays_open is None else stays_open
    own = sum(visit.point == point.id for visit in visits)
    wait = expect_wait(point, moment, visits)
    return _Option(point, _away_m(point, goal), is_open, wait, own)


def _choose(options: Sequence[_Option]) -> list[_Option]:
    """The best few, rather of different cuisines, never one chain twice."""
    left = sorted(options, key=lambda option: (-option.score, option.point.id))
    chosen: list[_Option] = []
    while left and len(chosen) < MAX_PLACES:
        taken = {_cuisine(option.point) for option in chosen}
        best = max(
            left, key=lambda o: o.score - (1.0 if _cuisine(o.point) in taken else 0.0)
        )
        chosen.append(best)
        left = [option for option in left if option.point.name != best.point.name]
    return chosen


def _supply(
    near: Sequence[PointOfInterest], options: Sequence[_Option], moment: datetime
) -> Reason:
    known = sum(option.is_open is True for option in options)
    text = (
        f"Of the {len(near)} nearest places to eat {known} "
        f"{'is' if known == 1 else 'are'} known to be open at {moment:%H:%M}"
    )
    return Reason(text, known, len(near))


def _title(
    meal: _Meal, where: str, goal: Goal, chosen: Sequence[_Option], moment: datetime
) -> str:
    name = meal.name.capitalize()
    if len(chosen) == 1:
        (only,) = chosen
        at = _called(only.point)[:100]
        state = f"open at {moment:%H:%M}" if only.is_open else "hours not known"
        return f"{name} at {at}: {state}, {_waiting(only.wait)}"
    known = sum(option.is_open is True for option in chosen)
    state = f"open at {moment:%H:%M}" if known == len(chosen) else "to eat"
    around = f"near {where}" if goal.alone >= LIKELY else "out"
    return f"{name} {around}: {len(chosen)} places {state}"[:200]


def _line(option: _Option, goal: Goal, moment: datetime) -> str:
    point = option.point
    parts = [_called(point)]
    if point.cuisine:
        parts.append(", ".join(_words(point.cuisine)[:2]))
    parts.append(_where(option, goal))
    parts.append(_hours_text(option, moment))
    wait = option.wait
    return f"{', '.join(parts)}, {_waiting(wait)} ({wait.basis})"


def _called(point: PointOfInterest) -> str:
    return point.name or point.kind.replace("_", " ")


def _waiting(wait: Wait) -> str:
    minutes = 5 * round(wait.minutes / 5)
    return f"wait about {minutes} min" if minutes else "hardly a wait"


def _where(option: _Option, goal: Goal) -> str:
    is_likely, away_m = goal.alone >= LIKELY, option.away_m
    if option.point.name == goal.label and away_m <= SAME_M:
        return f"where you {'are' if is_likely else 'may be'} heading"
    far = f"{round(away_m, -1):.0f} m" if away_m < 1000 else f"{away_m / 1000:.1f} km"
    return f"{far} away" if is_likely else f"{far} from {goal.label}"


def _hours_text(option: _Option, moment: datetime) -> str:
    hours = parse(option.point.opening_hours)
    if hours is None or option.is_open is None:
        return "hours not known"
    closing = hours.closes(moment)
    text = "open" if closing is None else f"open until {closing:%H:%M}"
    return f"{text} (unless a holiday)" if hours.has_holidays else text


def _cuisine(point: PointOfInterest) -> str:
    words = _words(point.cuisine)
    return words[0] if words else point.kind


def _words(text: str) -> list[str]:
    return [word.strip().replace("_", " ") for word in text.split(";") if word.strip()]


def _away_m(point: PointOfInterest, goal: Goal) -> float:
    return distance_m(point.lat, point.lon, goal.lat, goal.lon)


def _clock(hour: float) -> str:
    return f"{int(hour):02}:{round(hour % 1 * 60):02}"


def _hour(moment: datetime) -> float:
    return moment.hour + moment.minute / 60

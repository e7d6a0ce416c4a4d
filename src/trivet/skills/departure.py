"""Departure: what is done each time before leaving, and was forgotten this time.

Nothing is a rule here but what this household does: a lamp, a fan, the heating turned
down. It counts from the home's own past who left it how (see `engine.habit`), and
speaks only of what was done eight times of ten, six times at least, and much more often
than it comes to that by itself. Silent while somebody is in.

Doors, gates, locks and stoves are told by another skill, which knows no habit and tells
them always; so that nothing is told twice they are left out here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from trivet.domain.clock import clock_text
from trivet.domain.forecast import Reason
from trivet.domain.place import PlaceRole
from trivet.domain.sample import Quality, Sample, Value
from trivet.domain.suggestion import Action, Need, Surface
from trivet.engine.chronicle import OCCUPANCY, TARGET, is_switched
from trivet.engine.habit import AFTER_S, Habit, Timeline, find_habits
from trivet.engine.situation import Situation

#: A habit: done at least so often, in at least this share of the departures.
LEAST_COUNT, LEAST_SHARE = 6, 0.8
#: And by itself in at most this part of that share.
MOST_USUAL = 0.5
#: How far back habits are looked for.
HISTORY_S = 84 * 86_400.0
#: Told until so long after leaving.
UNTIL_S = 30 * 60.0
#: What is forgotten is worth the more the more of it there is.
BENEFIT, BENEFIT_MORE = 0.55, 0.1
#: With no sensor of who is in, somebody may well be.
P_UNKNOWN = 0.6
MAX_NAMED = 3
#: What is done to bring it to a state: on a button, and when it was done.
_VERBS: Mapping[Value, tuple[str, str]] = {
    "off": ("Switch off", "switched off"),
    "on": ("Switch on", "switched on"),
    "locked": ("Lock", "locked"),
    "closed": ("Close", "closed"),
    "open": ("Open", "opened"),
    "armed_away": ("Arm", "armed"),
}
#: Domain, and endings of names, of what another skill tells of.
_ELSEWHERE = (
    ("cover", ("garage", "gate", "door")),
    ("lock", ("",)),
    ("switch", ("stove", "oven", "hob", "cooktop", "iron")),
)


class _Forgotten(msgspec.Struct, frozen=True):
    """A habit that was not kept this time."""

    habit: Habit
    now: Value

    @property
    def probability(self) -> float:
        """That it was forgotten, not meant: Laplace's rule of succession."""
        return (self.habit.count + 1) / (self.habit.of + 2)


class Departure(msgspec.Struct, frozen=True):
    """Tells what was forgotten on leaving, and offers to do it.

    Attributes:
        told_elsewhere: (domain, endings of names) of what is left to other skills;
            empty to tell everything here.
    """

    told_elsewhere: tuple[tuple[str, tuple[str, ...]], ...] = _ELSEWHERE

    @property
    def name(self) -> str:
        """The skill's name."""
        return "departure"

    def needs(self, situation: Situation) -> Iterable[Need]:
        """One need at most: all that was forgotten, together."""
        forecast, home = situation.forecast, situation.place_of(PlaceRole.HOME)
        if forecast is None or home is None or forecast.origin != home.id:
            return
        gone_s = situation.time - forecast.departure
        if not AFTER_S <= gone_s < UNTIL_S or not situation.home:
            return
        occupied = _is_occupied(situation)
        if occupied or _is_being_left(situation):
            return
        forgotten = _forgotten(situation, home.id, self._states(situation))
        if not forgotten:
            return
        empty = P_UNKNOWN if occupied is None else 1.0
        best = max(one.probability for one in forgotten)
        says = _listed([_says(one) for one in forgotten])
        yield Need(
            skill=self.name,
            key="+".join(one.habit.path for one in forgotten),
            title=f"{says[:1].upper()}{says[1:]} at home"[:200],
            probability=empty * best,
            benefit=min(0.9, BENEFIT + BENEFIT_MORE * (len(forgotten) - 1)),
            reasons=(
                *(_evidence(one) for one in forgotten),
                _leaving(situation, occupied),
            ),
            expires=forecast.departure + UNTIL_S,
            surfaces=(Surface.CAR, Surface.PHONE),
            actions=tuple(_action(situation, one) for one in forgotten),
        )

    def _states(self, situation: Situation) -> dict[str, Sample]:
        """What can be switched, and how it is now; of what is off, no set point."""
        return {
            sample.path: sample
            for sample in situation.context.of_device(situation.home)
            if is_switched(sample)
            and not sample.path.startswith("binary_sensor.")
            and not self._is_told_elsewhere(sample.path)
            and not _is_set_point_of_nothing(situation, sample)
        }

    def _is_told_elsewhere(self, path: str) -> bool:
        domain, _, name = path.partition(".")
        return any(
            domain == other and name.endswith(endings)
            for other, endings in self.told_elsewhere
        )


def _forgotten(
    situation: Situation, home: str, states: Mapping[str, Sample]
) -> list[_Forgotten]:
    """Habits that were not kept, the surest first."""
    forecast = situation.forecast
    if forecast is None or not states or not situation.changes:
        return []
    since = max(situation.changes[0].time, situation.time - HISTORY_S)
    stays = [
        (stay.arrival, stay.departure)
        for stay in situation.stays
        if stay.place == home and stay.departure > since
    ]
    # this departure is the one that is judged
    left = [end for _, end in stays if end < forecast.departure - 2 * AFTER_S]
    if len(left) < LEAST_COUNT:
        return []
    latest = sorted(states.values(), key=lambda sample: sample.time)
    timeline = Timeline([*situation.changes, *latest], states.keys())
    found = []
    least = LEAST_COUNT, LEAST_SHARE
    for habit in find_habits(timeline, states.keys(), left, stays, least):
        was_otherwise = timeline.was_otherwise(
            habit.path, habit.value, forecast.departure
        )
        now = states[habit.path].value
        # what comes to that by itself about as often is nobody's habit
        is_habit = habit.usual <= MOST_USUAL * habit.count / habit.of
        if is_habit and was_otherwise and not _is_kept(now, habit.value):
            found.append(_Forgotten(habit, now))
    found.sort(key=lambda one: (-one.probability, one.habit.path))
    return found


def _is_set_point_of_nothing(situation: Situation, sample: Sample) -> bool:
    if not sample.path.endswith(TARGET):
        return False
    mode = situation.context.value(sample.device, sample.path.removesuffix(TARGET))
    return mode == "off"


def _is_kept(now: Value, usual: Value) -> bool:
    """Whether it is as usual; a heating set lower still is seen to as well."""
    if isinstance(now, int | float) and isinstance(usual, int | float):
        return now <= usual
    return now == usual


def _is_occupied(situation: Situation) -> bool | None:
    """What the home says of people in it; None when it says nothing."""
    said = [
        sample.value == "on"
        for sample in situation.context.of_device(situation.home)
        if sample.path.startswith("binary_sensor.")
        and OCCUPANCY in sample.path
        and sample.value in ("on", "off")
        and sample.quality is not Quality.BAD
    ]
    return any(said) if said else None


def _is_being_left(situation: Situation) -> bool:
    """Whether somebody else has only just gone, and may be seeing to things."""
    for sample in reversed(situation.changes):
        if situation.time - sample.time >= AFTER_S:
            return False
        if OCCUPANCY in sample.path:
            return True
    return False


def _called(path: str) -> str:
    """`light.living_room` is the living room light, for a person."""
    domain, _, rest = path.partition(".")
    name = rest.partition(".")[0].replace("_", " ")
    noun = {"climate": "heating"}.get(domain, domain.replace("_", " "))
    return name if noun in name or domain in ("switch", "lock") else f"{name} {noun}"


def _says(one: _Forgotten) -> str:
    if isinstance(one.now, int | float):
        return f"{_called(one.habit.path)} is still set to {one.now:g} °C"
    return f"{_called(one.habit.path)} is still {str(one.now).replace('_', ' ')}"


def _evidence(one: _Forgotten) -> Reason:
    habit, name = one.habit, _called(one.habit.path)
    times = f"On {habit.count} of {habit.of} departures"
    if habit.value in _VERBS:
        did = f"{_VERBS[habit.value][1]} the {name}"
    else:
        did = f"set the {name} to {_state(habit.value)}"
    text = f"{times} that left the home empty you {did}"
    return Reason(text, habit.count, habit.of)


def _state(value: Value) -> str:
    if isinstance(value, int | float):
        return f"{value:g} °C"
    return str(value).replace("_", " ")


def _leaving(situation: Situation, occupied: bool | None) -> Reason:
    departure = situation.time
    if situation.forecast is not None:
        departure = situation.forecast.departure
    at = clock_text(departure, situation.zone)
    sensor = "nobody is in" if occupied is False else "no sensor says who is in"
    return Reason(f"You left home at {at}, and {sensor}")


def _action(situation: Situation, one: _Forgotten) -> Action:
    value, name = one.habit.value, _called(one.habit.path)
    if value in _VERBS:
        label = f"{_VERBS[value][0]} the {name}"
    else:
        label = f"Set the {name} to {_state(value)}"
    return Action(situation.home, one.habit.path, value, label[:100])


def _listed(texts: Sequence[str]) -> str:
    named = list(texts[:MAX_NAMED])
    if len(texts) > MAX_NAMED:
        named = [*named[: MAX_NAMED - 1], f"{len(texts) - MAX_NAMED + 1} more"]
    if len(named) == 1:
        return named[0]
    return f"{', '.join(named[:-1])} and {named[-1]}"

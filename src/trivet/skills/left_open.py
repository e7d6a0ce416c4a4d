"""Left open: leaving home with something open, unlocked or on.

Silent while the home says that somebody is in, the stove included: a stove that is on
in a home with people in it is being cooked on. When the home says nothing about
people the skill speaks, with less confidence.

What can be closed from afar is one need, what cannot is another, the stove a third:
so a "yes" that closes the garage leaves nothing over that would be told again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from trivet.domain.clock import clock_text
from trivet.domain.forecast import Reason
from trivet.domain.geo import distance_m
from trivet.domain.place import Place, PlaceRole
from trivet.domain.sample import Quality, Sample
from trivet.domain.suggestion import Action, Need, Surface
from trivet.engine.situation import Situation
from trivet.engine.whereabouts import position_of

#: So far from home, or driven, and so long after leaving counts as having left:
#: further than a garden, longer than a garage door takes to close by itself.
LEFT_M = 150.0
LEFT_S = 60.0
#: A door that changed so lately is somebody coming home: they are seen in a moment.
PASSED_S = 60.0
#: A trip back home this likely: what is open is seen to on coming home.
RETURNING = 0.5
#: A need lasts this long from leaving, and at least this long from now.
LASTS_S = 30 * 60.0
AT_LEAST_S = 5 * 60.0
#: Once somewhere else, going back by hand is worth it within this distance.
NEAR_M = 3000.0
#: Belief that nobody is in: as the occupancy sensor says, or without one.
EMPTY_KNOWN = 0.95
EMPTY_UNKNOWN = 0.6


class _Rule(NamedTuple):
    """What is wrong with an entity, and what puts it right.

    Attributes:
        domain: Home Assistant's, the part before the dot.
        endings: of the entity's name, where the domain alone is too wide: blinds are
            covers too, and a lamp may stay on.
        value: the state that is wrong.
        says: its words for a person.
        fixed: the target value that puts it right, empty when it needs a hand.
        verb: on the button.
        is_passed: whether people come in through it.
        is_safety: whether it may burn the house down.
    """

    domain: str
    endings: tuple[str, ...]
    value: str
    says: str
    fixed: str = ""
    verb: str = ""
    is_passed: bool = False
    is_safety: bool = False


_RULES = (
    _Rule("cover", ("garage", "gate", "door"), "open", "open", "closed", "Close", True),
    _Rule("lock", ("",), "unlocked", "unlocked", "locked", "Lock", True),
    _Rule(
        "switch",
        ("stove", "oven", "hob", "cooktop", "iron"),
        "on",
        "on",
        "off",
        "Switch off",
        is_safety=True,
    ),
    _Rule("binary_sensor", ("_door",), "on", "open", is_passed=True),
    _Rule("binary_sensor", ("_window",), "on", "open"),
)


class _Item(NamedTuple):
    path: str
    says: str
    action: Action | None
    is_safety: bool


class LeftOpen:
    """Tells what was left open, unlocked or on, and offers to see to it."""

    name = "left_open"

    def needs(self, situation: Situation) -> Iterable[Need]:
        """At most three: the dangerous, the closable, and what needs a hand."""
        home = situation.place_of(PlaceRole.HOME)
        if home is None or not situation.home or situation.at == home.id:
            return
        leaving = _leaving(situation, home)
        occupied = _is_occupied(situation)
        if leaving is None or occupied:
            return
        empty = EMPTY_UNKNOWN if occupied is None else EMPTY_KNOWN
        items = list(_items(situation))
        closable = [i for i in items if not i.is_safety and i.action]
        by_hand = [i for i in items if not i.is_safety and not i.action]
        for group, benefit in (
            ([i for i in items if i.is_safety], 1.0),
            (closable, 0.8),
            (by_hand if _is_near(situation, home) else [], 0.5),
        ):
            if group:
                yield _need(situation, group, leaving, empty, benefit)


def _need(
    situation: Situation,
    items: list[_Item],
    leaving: Reason,
    empty: float,
    benefit: float,
) -> Need:
    says = _listed([item.says for item in items])
    sensor = "nobody is in" if empty == EMPTY_KNOWN else "no sensor says who is in"
    return Need(
        skill=LeftOpen.name,
        key="+".join(item.path for item in items),
        title=f"{says[0].upper()}{says[1:]} at home"[:200],
        probability=empty,
        benefit=benefit,
        reasons=(
            leaving,
            *(_evidence(situation, item) for item in items),
            Reason(f"At home {sensor}"),
        ),
        expires=max(situation.time + AT_LEAST_S, _departure_of(situation) + LASTS_S),
        surfaces=(Surface.CAR, Surface.PHONE),
        actions=tuple(item.action for item in items if item.action is not None),
        is_safety=any(item.is_safety for item in items),
    )


def _leaving(situation: Situation, home: Place) -> Reason | None:
    """Why the person counts as having left home, None when they have not."""
    forecast = situation.forecast
    away_m = _away_m(situation, home)
    if forecast is not None and forecast.origin == home.id:
        gone_m = forecast.driven_m if away_m is None else away_m
        gone_s = situation.time - forecast.departure
        if gone_m >= LEFT_M and gone_s >= LEFT_S:
            at = clock_text(forecast.departure, situation.zone)
            return Reason(f"You left home at {at} and are {_far(gone_m)} away")
        return None
    if forecast is not None and forecast.probability_of(home.id) >= RETURNING:
        return None
    if away_m is None or away_m < max(LEFT_M, home.radius_m):
        return None
    return Reason(f"You are {_far(away_m)} away from home")


def _away_m(situation: Situation, home: Place) -> float | None:
    here = position_of(situation)
    if here is None or home.lat is None or home.lon is None:
        return None
    return distance_m(*here, home.lat, home.lon)


def _departure_of(situation: Situation) -> float:
    return (
        situation.time if situation.forecast is None else situation.forecast.departure
    )


def _is_near(situation: Situation, home: Place) -> bool:
    """Whether turning back is still an idea: just leaving, or not far."""
    if situation.forecast is not None and situation.forecast.origin == home.id:
        return True
    away_m = _away_m(situation, home)
    return away_m is not None and away_m <= NEAR_M


def _is_occupied(situation: Situation) -> bool | None:
    """What the home says of people in it; None when it says nothing."""
    said = [
        sample.value == "on"
        for sample in situation.context.of_device(situation.home)
        if sample.path.startswith("binary_sensor.")
        and "occupancy" in sample.path
        and sample.value in ("on", "off")
        and sample.quality is not Quality.BAD
    ]
    return any(said) if said else None


def _items(situation: Situation) -> Iterator[_Item]:
    for sample in situation.context.of_device(situation.home):
        if sample.quality is Quality.BAD:
            continue
        item = _item(sample, situation.time - sample.time)
        if item is not None:
            yield item


def _item(sample: Sample, age_s: float) -> _Item | None:
    domain, _, object_id = sample.path.partition(".")
    name = object_id.replace("_", " ")
    for rule in _RULES:
        is_wrong = rule.domain == domain and sample.value == rule.value
        if not is_wrong or not object_id.endswith(rule.endings):
            continue
        if rule.is_passed and age_s < PASSED_S:
            continue
        action = None
        if rule.fixed:
            label = f"{rule.verb} the {name}"[:100]
            action = Action(sample.device, sample.path, rule.fixed, label)
        return _Item(sample.path, f"{name} is {rule.says}", action, rule.is_safety)
    return None


def _evidence(situation: Situation, item: _Item) -> Reason:
    sample = situation.context.sample(situation.home, item.path)
    since = situation.time if sample is None else sample.time
    at = clock_text(since, situation.zone)
    return Reason(f"The {item.says}, last reported at {at}")


def _listed(texts: list[str]) -> str:
    if len(texts) == 1:
        return texts[0]
    return f"{', '.join(texts[:-1])} and {texts[-1]}"


def _far(metres: float) -> str:
    if metres < 1000:
        return f"{round(metres, -1):.0f} m"
    return f"{metres / 1000:.1f} km"

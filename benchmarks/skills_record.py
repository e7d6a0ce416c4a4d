"""A simulated household's needs and its future, recorded once and judged many times.

What Ada does does not depend on what she is told, so one recording serves every way of
choosing among the needs: what the skills found at each moment, with just enough of the
situation to weigh an interruption, beside what then truly happened.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta, tzinfo

import msgspec
from benchmarks.skills_life import DAY_S, LEARNED_DAYS, Way, live

from trivet.devices.world import World
from trivet.domain.clock import local
from trivet.domain.place import Place, PlaceRole
from trivet.domain.sample import LOCATION
from trivet.domain.suggestion import Need, Suggestion
from trivet.engine.attention import RAIN, WIPERS
from trivet.engine.context import Context
from trivet.engine.situation import Situation
from trivet.engine.suggest import Suggester
from trivet.engine.whereabouts import LATITUDE, LONGITUDE, SPEED
from trivet.skills import SKILLS


class Moment(msgspec.Struct, frozen=True):
    """What the skills found at one event time; `situation` is thinned out."""

    situation: Situation
    needs: tuple[Need, ...]


class Recording(msgspec.Struct, frozen=True):
    """A life's moments, and what was so.

    Attributes:
        moments: in order of time.
        ways: that Ada truly went, in order.
        empty: event times at which the home was left empty.
        filled: event times at which somebody came to an empty home.
        forgotten: by event time of a departure, home entities that were left on.
        nights: the car's event time, range and odometer in metres, whether it charges.
        zone: local time zone.
        judged_from: event time from which suggestions are judged.
        until: event time at which the recording ends.
    """

    moments: list[Moment]
    ways: list[Way]
    empty: list[float]
    filled: list[float]
    forgotten: Mapping[float, set[str]]
    nights: list[tuple[float, float, float, bool]]
    zone: tzinfo
    judged_from: float
    until: float


class Watcher(Suggester):
    """Asks the skills, says nothing, and keeps what they found."""

    def __init__(self) -> None:
        super().__init__("ada", ())
        self.moments: list[Moment] = []

    def suggest(self, situation: Situation) -> list[Suggestion]:
        """Nothing; the moment is kept."""
        needs = tuple(n for skill in self.skills for n in skill.needs(situation))
        self.moments.append(Moment(_thin(situation), needs))
        return []


def record(seed: int, days: int = 84) -> Recording:
    """Live the world of `seed` with every built-in skill, a calendar and a list."""
    watcher = Watcher()
    lived = live(seed, days, tuple(SKILLS), watcher)
    world = lived.world
    return Recording(
        watcher.moments,
        lived.ways,
        lived.empty,
        filled(world),
        lived.forgotten,
        lived.car,
        world.zone,
        world.start_time + LEARNED_DAYS * DAY_S,
        world.end_time,
    )


def filled(world: World) -> list[float]:
    """Event times at which somebody came to an empty home; a night's end is none."""
    days = range(int((world.end_time - world.start_time) // DAY_S))
    first = local(world.start_time, world.zone).date()
    spans = [s for n in days for s in world.plan(first + timedelta(n)).empty]
    begins = [span.start for span in spans]
    return [s.end for s in spans if all(abs(s.end - begin) > 1.0 for begin in begins)]


def _thin(situation: Situation) -> Situation:
    """Without the past and the map: all that `engine.attention` looks at."""
    context = Context()
    for device, path in (
        (situation.car, SPEED),
        (situation.car, RAIN),
        (situation.car, WIPERS),
        (situation.car, LATITUDE),
        (situation.car, LONGITUDE),
        (situation.phone, LOCATION),
    ):
        sample = situation.context.sample(device, path)
        if sample is not None:
            context.learn_one(sample)
    home = situation.place_of(PlaceRole.HOME)
    places: dict[str, Place] = {} if home is None else {home.id: home}
    return msgspec.structs.replace(
        situation,
        context=context,
        places=places,
        stays=(),
        atlas=None,
        trips=(),
        appointments=(),
        lists={},
        changes=(),
    )

"""On a holiday 3,000 km away nothing at home is got ready, and nothing is lost."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import merge
from operator import attrgetter

from tests.engine.mishap import KNOWN, TOWN, experienced, hurt, zone_of
from tests.engine.test_robust_travel import BACK, HOLIDAY, RETURN, THERE

from trivet.app.mind import Mind, Roles
from trivet.domain import Sample
from trivet.skills.registry import load

_TOLD_S, _LOOK_S = 1800.0, 600.0


def cold_home(since: float, until: float) -> list[Sample]:
    """An empty house at 14 degrees, with the heating turned down."""
    told, time = list[Sample](), since
    while time < until:
        for path, value in (
            ("climate.living_room", "heat"),
            ("climate.living_room.temperature", 15.0),
            ("climate.living_room.current_temperature", 14.0),
            ("binary_sensor.occupancy", "off"),
        ):
            told.append(Sample("home", path, time, value))
        time += _TOLD_S
    return told


def suggested(mind: Mind, samples: Iterable[Sample]) -> list[tuple[float, str]]:
    """When what was suggested, by skill, looking every ten minutes."""
    found, looked = list[tuple[float, str]](), 0.0
    for sample in samples:
        mind.learn(sample)
        if sample.time - looked >= _LOOK_S:
            looked = sample.time
            new = mind.step(looked)
            found += [(looked, each.need.skill) for each in new]
    return found


def mind_with(days: Iterable[Sample]) -> tuple[Mind, list[Sample]]:
    mind = Mind(Roles(), zone_of, load())
    mind.anticipator = experienced()
    mind.suggester.max_per_day = 20
    lived = list(days)
    home = cold_home(lived[0].time, lived[-1].time)
    return mind, list(merge(lived, home, key=attrgetter("time")))


def test_on_a_usual_day_the_home_is_warmed() -> None:
    """Else the next test would say nothing."""
    mind, samples = mind_with(hurt())
    assert "preheat" in {skill for _, skill in suggested(mind, samples)}


def test_3000_km_away_no_heating_is_suggested() -> None:
    """Neither on the way there nor on any day at the beach."""
    mind, samples = mind_with([*THERE, *HOLIDAY, *RETURN])
    said = suggested(mind, samples)
    gone, back = TOWN.time(KNOWN, 8.0), TOWN.time(BACK, 12.0)
    warmed = [time for time, skill in said if skill == "preheat"]
    assert not [time for time in warmed if gone <= time < back]
    assert mind.zone_name == "Europe/Berlin"

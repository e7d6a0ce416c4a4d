"""A snapshot of a broken disk, or by a hostile hand, is refused or lived with."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import inf, nan
from random import Random

import numpy as np
import pytest
from msgspec.structs import replace
from tests.engine.mishap import TOWN, learn, learner, live, zone_of

from trivet.domain import UsageError
from trivet.domain.place import TracePoint
from trivet.engine import Anticipator
from trivet.engine.current_location import LATITUDE
from trivet.engine.evidence import COLUMNS, NEW_COLUMNS
from trivet.engine.homecoming import Kind
from trivet.engine.residual import Lesson
from trivet.engine.snapshot import State, dump, load


@cache
def on_the_way() -> bytes:
    """Eight days of a life, the last one cut off on the way to work."""
    anticipator = learner(live(7, step_s=1200.0))
    for sample in live(1, 7, step_s=1200.0):
        anticipator.learn_one(sample)
        running = anticipator.current_trip
        if running is not None and len(running.trace) > 5:
            break
    return anticipator.snapshot()


def more_stays(state: State) -> None:
    state.stays.append(state.stays[-1])


def longer_trace(state: State) -> None:
    assert state.running is not None
    state.running.trace.append(TracePoint(1.0, 1.0, 1.0))


def no_hour(state: State) -> None:
    assert state.running is not None
    state.running.hour = 25.0


def fix_of_no_time(state: State) -> None:
    state.stay.time = inf


def window_off_the_earth(state: State) -> None:
    state.stay.window.append(TracePoint(1.0, 91.0, 0.0))


def place_nowhere(state: State) -> None:
    state.records[0].lat = nan


def half_a_place(state: State) -> None:
    state.records[0].lon = None


def hours_without_end(state: State) -> None:
    state.records[0].night_h = inf


def trust_in_nobody(state: State) -> None:
    state.home.blend(Kind.STAY).weights = [0.0, 0.0]


def one_expert_more(state: State) -> None:
    state.home.blend(Kind.STAY).weights.append(0.1)


def a_silence_of_nan(state: State) -> None:
    state.timeline.silences.append((nan, nan))


def a_half_that_waits_and_is_not_known(state: State) -> None:
    state.location.waits = LATITUDE


def lessons_beyond_measure(state: State) -> None:
    steep = (1e308,) * (len(COLUMNS) + len(NEW_COLUMNS))
    state.lessons += [Lesson(1.0, steep, ()), Lesson(2.0, steep, ())]


def an_exhibit_of_nan(state: State) -> None:
    rows = np.full(len(state.exhibits[0].rows) // 4, nan, dtype="<f4").tobytes()
    state.exhibits[0] = replace(state.exhibits[0], rows=rows)


BROKEN = [
    more_stays,
    longer_trace,
    no_hour,
    fix_of_no_time,
    window_off_the_earth,
    place_nowhere,
    half_a_place,
    hours_without_end,
    trust_in_nobody,
    one_expert_more,
    a_silence_of_nan,
    a_half_that_waits_and_is_not_known,
    lessons_beyond_measure,
    an_exhibit_of_nan,
]


@pytest.mark.parametrize("break_it", BROKEN)
def test_attack_a_snapshot_that_no_learner_wrote_is_refused(
    break_it: Callable[[State], None],
) -> None:
    state = load(on_the_way())
    break_it(state)
    with pytest.raises(UsageError, match="learn again"):
        Anticipator.restore(dump(state), zone_of)


@pytest.mark.parametrize("seed", range(4))
def test_attack_bytes_at_random_are_refused(seed: int) -> None:
    rng = Random(seed)
    for length in (0, 1, 2, 40, 4000):
        junk = rng.randbytes(length)
        for data in (junk, on_the_way()[:1] + junk):
            with pytest.raises(UsageError):
                Anticipator.restore(data, zone_of)


@pytest.mark.parametrize("seed", range(40))
def test_attack_a_snapshot_with_bytes_changed_is_refused_or_lived_with(
    seed: int,
) -> None:
    rng, data = Random(seed), bytearray(on_the_way())
    for _ in range(rng.randrange(1, 4)):
        data[rng.randrange(1, len(data))] = rng.randrange(256)
    try:
        anticipator = Anticipator.restore(bytes(data), zone_of)
    except UsageError:
        return
    time = TOWN.time(7, 8.5)
    for found in (anticipator.predict_one(time), anticipator.predict_departure(time)):
        shares = [] if found is None else [c.probability for c in found.candidates]
        assert not shares or abs(sum(shares) - 1.0) < 1e-6
    anticipator.predict_home(time)
    learn(anticipator, [s for s in live(1, 7) if s.time > time][:20])
    Anticipator.restore(anticipator.snapshot(), zone_of)


def test_what_is_sound_comes_back_as_it_was() -> None:
    again = Anticipator.restore(on_the_way(), zone_of)
    assert again.snapshot() == on_the_way()

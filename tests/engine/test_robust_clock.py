"""A device's clock that is wrong costs the time that it was wrong, and no more."""

from __future__ import annotations

from datetime import datetime
from math import inf

import pytest
from msgspec.structs import replace
from tests.engine.mishap import (
    AFTER,
    BEFORE,
    KNOWN,
    TOWN,
    assert_recovers,
    between,
    experienced,
    home_of,
    hurt,
    later,
    learn,
    learner,
    live,
    place_at,
    score,
    shifted,
    usual,
    zone_of,
)

from trivet.domain import Sample, Trip
from trivet.engine import Anticipator
from trivet.engine.snapshot import load
from trivet.engine.timeline import LATEST_S

HOUR, DAY = 3600.0, 86_400.0
NIGHT, NOON = TOWN.time(KNOWN + 1, 3.0), TOWN.time(KNOWN + 1, 12.0)
YEARS = 30 * 365 * DAY
ROLLOVER = 1024 * 7 * DAY


def wrong(by_s: float, since: float = NIGHT, until: float = NOON) -> list[Sample]:
    """Three days of which the clock was wrong by so much for some hours."""
    return [
        replace(s, time=s.time + by_s) if since <= s.time < until else s for s in hurt()
    ]


def ends(trip: Trip) -> tuple[str, str, int, int]:
    return trip.origin, trip.destination, round(trip.departure), round(trip.arrival)


def lived(samples: list[Sample]) -> Anticipator:
    anticipator = experienced()
    learn(anticipator, samples)
    return anticipator


@pytest.mark.parametrize(
    "by_s",
    [HOUR, -HOUR, DAY, -DAY, 7 * DAY, 13 * DAY, 30 * DAY, YEARS, -ROLLOVER],
    ids="hour -hour day -day week fortnight month 30years rollover".split(),
)
def test_a_clock_that_was_wrong_for_hours_spoils_no_later_day(by_s: float) -> None:
    assert_recovers(lived(wrong(by_s)))


@pytest.mark.parametrize("wrong_year", [1970, 1980, 2000])
def test_a_clock_that_starts_anew_at_its_first_year_is_passed_over(
    wrong_year: int,
) -> None:
    start = datetime(wrong_year, 1, 1, tzinfo=TOWN.zone).timestamp() + DAY
    assert_recovers(lived(wrong(start - NIGHT)))


@pytest.mark.parametrize("by_s", [2 * HOUR, 10 * DAY, 20 * DAY, YEARS, -YEARS])
def test_one_fix_of_another_day_changes_no_trip(by_s: float) -> None:
    plain = lived(list(hurt()))
    odd = lived(wrong(by_s, NIGHT, NIGHT + 600.0))
    assert [ends(t) for t in odd.trips] == [ends(t) for t in plain.trips]
    assert_recovers(odd)


def test_attack_fixes_of_a_far_day_that_agree_do_not_shut_today_out() -> None:
    """Three are believed; when today goes on, they are believed no longer."""
    anticipator = lived(between(hurt(), BEFORE, NIGHT))
    ahead = shifted(between(hurt(), NIGHT, NIGHT + 1800.0), YEARS)
    assert len(ahead) == 3
    learn(anticipator, ahead)
    assert anticipator.at(ahead[-1].time) == "p1"
    learn(anticipator, between(hurt(), NIGHT, AFTER))
    assert anticipator.stays[-1].departure < AFTER
    assert_recovers(anticipator)


def test_where_the_clock_went_ahead_on_the_way_one_place_at_most_is_made_up() -> None:
    """A silence of an hour on the way cannot be told from an hour spent there."""
    samples = wrong(HOUR, TOWN.time(KNOWN + 1, 8.0), TOWN.time(KNOWN + 1, 8.3))
    anticipator = lived(samples)
    assert len(anticipator.places) <= 6
    scores = score(anticipator, later())
    assert scores.top1 == 1.0
    assert scores.mean >= usual() - 0.1


def test_a_clock_that_was_ahead_from_the_first_day_is_got_over() -> None:
    """Nothing was seen before it: then the days are learned anew."""
    anticipator = learner(shifted(live(2), YEARS))
    learn(anticipator, live(14, 2))
    assert home_of(anticipator)
    assert place_at(anticipator, TOWN.point("home")) == home_of(anticipator)
    assert anticipator.stays[0].arrival < TOWN.time(5, 0)
    scores = score(anticipator, live(3, 16))
    assert scores.mean > usual() - 0.1


def test_samples_that_were_held_up_for_hours_undo_nothing() -> None:
    """A short silence that is filled in later is no sign of a wrong clock."""
    off = (TOWN.time(KNOWN + 1, 9.0), TOWN.time(KNOWN + 1, 13.0))
    until = TOWN.time(KNOWN + 1, 15.0)
    late = [*between(hurt(), BEFORE, off[0]), *between(hurt(), off[1], until)]
    late += between(hurt(), *off)
    anticipator = lived(late)
    stays = anticipator.stays
    learn(anticipator, between(hurt(), until, AFTER))
    assert anticipator.stays[: len(stays) - 1] == stays[:-1]
    assert_recovers(anticipator)


def test_old_recordings_given_again_undo_nothing() -> None:
    anticipator = lived(list(hurt()))
    before = anticipator.snapshot()
    learn(anticipator, live(14, 7))
    assert Anticipator.restore(before, zone_of).trips == anticipator.trips
    assert_recovers(anticipator)


@pytest.mark.parametrize("sunday", [83, 293], ids=["spring", "autumn"])
def test_when_the_clocks_are_turned_the_day_goes_by_the_new_hour(sunday: int) -> None:
    """Four weeks up to the change are learned; the week from it on is as usual."""
    days = [TOWN.time(sunday + n, 0.0) - TOWN.time(sunday, 0.0) for n in (1, 2)]
    assert {round(days[0] / HOUR), round((days[1] - days[0]) / HOUR)} & {23, 25}
    anticipator = learner(live(28, sunday - 28))
    scores = score(anticipator, live(7, sunday))
    assert scores.top1 == 1.0
    assert scores.mean >= usual() - 0.02


def test_no_time_whatsoever_breaks_the_learner() -> None:
    anticipator = lived(list(hurt()))
    before = anticipator.trips
    for time in (-1.0, LATEST_S + 1.0, 1e300, float("nan"), float("inf")):
        fixes = [replace(s, time=time) for s in hurt()[:5]]
        assert learn(anticipator, fixes) == []
        anticipator.learn_one(Sample("phone", "transition.enter", time, "Office"))
    assert anticipator.trips == before
    assert_recovers(anticipator)


@pytest.mark.parametrize("time", [-1e300, -1.0, 1e18, 1e300, float("inf")])
def test_asked_about_no_time_it_foretells_nothing(time: float) -> None:
    anticipator = lived(list(hurt()))
    assert anticipator.predict_one(time) is None
    assert anticipator.predict_departure(time) is None
    assert anticipator.predict_home(time) is None


def test_a_restart_forgets_no_doubt() -> None:
    """What is known of silences and late runs outlasts a restart."""
    plain, again = experienced(), experienced()
    for number, sample in enumerate(wrong(30 * DAY)):
        assert plain.learn_one(sample) == again.learn_one(sample)
        if number % 20 == 0 or NIGHT <= sample.time < NOON + 3 * HOUR:
            again = Anticipator.restore(again.snapshot(), zone_of)
    assert again.trips == plain.trips
    assert again.stays == plain.stays


def test_a_silence_that_was_forgotten_leaves_no_trace() -> None:
    anticipator = lived([*between(hurt(), BEFORE, NIGHT), *shifted(later(), 30 * DAY)])
    known = load(anticipator.snapshot()).timeline.silences
    assert len(known) == 2
    learn(anticipator, between(hurt(), NIGHT, NOON))
    assert load(anticipator.snapshot()).timeline.late
    anticipator.forget(BEFORE, NOON)
    timeline = load(anticipator.snapshot()).timeline
    assert not timeline.late
    assert timeline.silences == [known[0], (BEFORE, known[1][1])]
    anticipator.forget(BEFORE, inf)
    assert load(anticipator.snapshot()).timeline.silences == known[:1]


def test_to_forget_without_end_forgets_the_stay_that_lasts() -> None:
    anticipator = lived(list(hurt()))
    since = anticipator.stays[-1].arrival - 60.0  # on the way to it
    anticipator.forget(since, inf)
    assert all(s.departure < since for s in anticipator.stays)
    assert anticipator.at(AFTER) == ""

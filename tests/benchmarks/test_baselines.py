"""Each baseline learns what it is there to learn, and only from the past."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.anticipation.baseline import BASELINES, baselines
from benchmarks.anticipation.baseline.duration import median, straight
from benchmarks.anticipation.memory import MARKS_M, Drive, Memory, resample

from trivet.domain.geo import offset
from trivet.domain.place import Place, TracePoint

DAY_S = 86_400.0
SPOTS = {"home": (0, 0), "work": (6000, 0), "shop": (0, 5000), "club": (4000, 4000)}
PLACES = {
    name: Place(name, *offset(50.0, 8.0, east, north))
    for name, (east, north) in SPOTS.items()
}


def way(start: str, end: str, share: float = 1.0) -> list[TracePoint]:
    """Fixes of a straight way at 10 m/s, one each 10 s, up to a share of it."""
    a, b = np.array(SPOTS[start], dtype=float), np.array(SPOTS[end], dtype=float)
    count = max(1, round(float(np.hypot(*(b - a))) / 100))
    return [
        TracePoint(10.0 * n, *offset(50.0, 8.0, *(a + (b - a) * n / count)))
        for n in range(round(count * share) + 1)
    ]


class Life:
    """Trips lived one after another, a memory of them, and questions."""

    def __init__(self) -> None:
        self.memory = Memory()
        self.day = 0.0

    def drive(self, start: str, end: str, share: float, hour: float = 8.0) -> Drive:
        lat, lon = self.memory.look(PLACES)
        trace = way(start, end, share)
        number = self.memory.numbers.get
        length_m = 100.0 * (len(trace) - 1)
        time = self.day * DAY_S + trace[-1].time
        departure = self.day * DAY_S
        shown = trace if share else []
        return Drive(
            number(start, -1),
            -1,
            departure,
            hour,
            False,
            time,
            shown,
            length_m,
            lat,
            lon,
        )

    def live(self, start: str, end: str, hour: float = 8.0, times: int = 1) -> None:
        for _ in range(times):
            drive = self.drive(start, end, 1.0, hour)
            self.memory.learn(drive, self.memory.number(end), drive.time)
            self.day += 0.5

    def best(self, name: str, drive: Drive) -> str:
        guess = baselines()[name](self.memory, drive)
        first = int(np.nanargmax(np.where(np.isfinite(guess.lat), guess.score, -1.0)))
        return {n: p for p, n in self.memory.numbers.items()}.get(first, "a cell")


def test_the_most_frequent_is_said_wherever_they_are() -> None:
    life = Life()
    life.live("home", "work", times=5)
    life.live("work", "home", times=4)
    assert life.best("frequent", life.drive("shop", "home", 0.0)) == "work"


def test_the_chain_knows_the_origin_and_backs_off_without_it() -> None:
    life = Life()
    life.live("home", "work", times=5)
    life.live("work", "shop", times=2)
    assert life.best("markov", life.drive("work", "home", 0.0)) == "shop"
    assert life.best("markov", life.drive("club", "home", 0.0)) == "work"


def test_the_situation_knows_the_hour() -> None:
    life = Life()
    for _ in range(6):
        life.live("home", "work", hour=8.0)
        life.live("home", "club", hour=19.0)
    assert life.best("situation", life.drive("home", "work", 0.0, hour=8.5)) == "work"
    assert life.best("situation", life.drive("home", "work", 0.0, hour=18.5)) == "club"


def test_neighbours_follow_the_way_against_the_odds() -> None:
    life = Life()
    life.live("home", "work", times=12)
    life.live("home", "shop", times=2)
    assert life.best("neighbour", life.drive("home", "shop", 0.0)) == "work"
    assert life.best("neighbour", life.drive("home", "shop", 0.5)) == "shop"


def test_the_near_is_likely_and_the_grid_sees_what_comes_closer() -> None:
    for name in ("closeness", "grid"):
        life = Life()
        life.live("home", "work", times=3)
        life.live("home", "shop", times=2)
        assert life.best(name, life.drive("home", "shop", 0.9)) == "shop", name


def test_the_grid_shares_out_all_probability() -> None:
    life = Life()
    life.live("home", "work", times=3)
    guess = baselines()["grid"](life.memory, life.drive("home", "club", 0.5))
    assert np.nansum(guess.score) == pytest.approx(1.0)
    assert len(guess.score) > len(PLACES)


@pytest.mark.parametrize("name", BASELINES)
def test_nothing_known_is_no_error(name: str) -> None:
    memory = Memory()
    nowhere = np.empty(0)
    drive = Drive(-1, -1, 0.0, 8.0, False, 60.0, [], 0.0, nowhere, nowhere)
    assert len(baselines()[name](memory, drive).score) == 0
    life = Life()
    assert np.isfinite(
        baselines()[name](life.memory, life.drive("home", "work", 0.5)).score
    ).all()


def test_a_place_that_has_gone_is_one_with_the_nearest() -> None:
    life = Life()
    twin = Place("twin", *offset(50.0, 8.0, 6050, 0))
    life.memory.look(PLACES | {"twin": twin})
    drive = life.drive("home", "work", 1.0)
    life.memory.look(PLACES | {"twin": twin})
    life.memory.learn(drive, life.memory.number("twin"), drive.time)
    life.memory.look(PLACES)
    assert life.memory.destination.tolist() == [life.memory.numbers["work"]]


def test_a_trace_is_read_at_equal_lengths_and_ends_where_it_ends() -> None:
    found = resample(way("home", "work"), MARKS_M)
    lon = offset(50.0, 8.0, 1500, 0)[1]
    assert found[MARKS_M == 1500.0][0, 1] == pytest.approx(lon, abs=1e-5)
    assert found[-1].tolist() == pytest.approx(list(offset(50.0, 8.0, 6000, 0)))


def test_such_trips_took_so_long_and_the_rest_of_the_line_takes_so_long() -> None:
    life = Life()
    life.live("home", "work", times=4)
    drive = life.drive("home", "work", 0.5)
    work = life.memory.numbers["work"]
    arrival = drive.departure + 600.0
    assert median(life.memory, drive, work).median == pytest.approx(arrival)
    assert straight(life.memory, drive, work).median == pytest.approx(arrival, abs=15)

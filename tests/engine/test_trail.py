"""Past ways vote by how near their beginning lies to the way so far."""

from __future__ import annotations

from itertools import accumulate, pairwise

import numpy as np
import pytest

from trivet.domain import TracePoint
from trivet.domain.geo import offset
from trivet.engine.route import along
from trivet.engine.trail import MARKS_M, TrailMatch, Trails


def way(*corners_m: tuple[float, float], lon: float = 8.4) -> list[TracePoint]:
    """By the corners, metres east and north, a point each 100 m or less."""
    points = [corners_m[0]]
    for a, b in pairwise(corners_m):
        count = int(np.ceil(np.hypot(b[0] - a[0], b[1] - a[1]) / 100.0))
        for part in (n / count for n in range(1, count + 1)):
            points.append((a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part))
    found = [offset(49.0, lon, *point) for point in points]
    return [TracePoint(10.0 * n, lat, at) for n, (lat, at) in enumerate(found)]


def laid(*ways: list[TracePoint]) -> Trails:
    trails = Trails()
    for row, trace in enumerate(ways):
        trails.add(row, trace, along(trace))
    return trails


def voters(trails: Trails, trace: list[TracePoint]) -> dict[int, float]:
    match, lengths = TrailMatch(), along(trace).tolist()
    match.follow(trails, trace, lengths)
    rows, weight = match.voters(lengths[-1])
    return dict(zip(rows.tolist(), weight.tolist(), strict=True))


NORTH, EAST = way((0, 0), (0, 4000)), way((0, 0), (4000, 0))


def test_the_nearest_beginning_weighs_most() -> None:
    found = voters(laid(NORTH, EAST), way((50, 0), (50, 1500)))
    assert list(found) == [0, 1]
    assert found[0] == pytest.approx(0.9, abs=0.05)
    assert found[1] < 0.1


def test_the_newest_part_counts_most() -> None:
    turned = way((0, 0), (0, 1000), (3000, 1000))
    found = voters(laid(NORTH, turned), way((0, 0), (0, 1000), (1500, 1000)))
    assert found[1] > 0.95
    assert found[0] < 0.15


def test_a_way_that_ended_long_before_votes_no_more() -> None:
    short, so_far = way((0, 0), (0, 1000)), way((0, 0), (0, 2000))
    assert list(voters(laid(short, NORTH), so_far)) == [1]
    assert list(voters(laid(short, NORTH), so_far[:11])) == [1, 0]


def test_a_way_that_was_taken_off_votes_no_more_and_its_room_is_used_again() -> None:
    trails = laid(*(NORTH for _ in range(40)))
    for row in range(39):
        trails.remove(row)
    trails.add(40, EAST, along(EAST))
    assert list(voters(trails, NORTH[:15])) == [39, 40]
    assert len(trails.rows) < 80


def test_step_by_step_is_the_same_as_in_one_go() -> None:
    trails, trace = laid(NORTH, EAST), way((0, 0), (300, 2500))
    lengths = list(accumulate([0.0, *np.diff(along(trace)).tolist()]))
    match = TrailMatch()
    for count in range(1, len(trace) + 1):
        match.follow(trails, trace[:count], lengths[:count])
    rows, weight = match.voters(lengths[-1])
    once = voters(trails, trace)
    assert dict(zip(rows.tolist(), weight.tolist(), strict=True)) == pytest.approx(once)


def test_over_the_date_line_it_is_the_same() -> None:
    there = way((0, 0), (4000, 0), lon=179.98)
    assert voters(laid(there), there[:25])[0] > 0.99


def test_before_any_position_nobody_votes() -> None:
    match = TrailMatch()
    match.follow(laid(NORTH), [], [])
    assert not len(match.voters(0.0)[0])
    assert MARKS_M[0] == 0.0

"""A way is recognised in its own direction, on the grid, and forgotten when removed."""

from __future__ import annotations

from trivet.domain import TracePoint
from trivet.domain.geo import offset
from trivet.engine.route import RouteIndex, RouteMatch


def line(a_m: float, b_m: float, north_m: float = 0.0) -> list[TracePoint]:
    count = int(abs(b_m - a_m) / 200)
    step = (b_m - a_m) / count
    return [
        TracePoint(n * 20.0, *offset(49.0, 8.4, a_m + n * step, north_m))
        for n in range(count + 1)
    ]


def follow(index: RouteIndex, trace: list[TracePoint], rows: int) -> RouteMatch:
    match = RouteMatch(rows)
    match.follow(index, trace, [n * 200.0 for n in range(len(trace))])
    return match


def test_the_same_way_fits_and_others_do_not() -> None:
    index = RouteIndex()
    index.add(0, line(0, 8000))
    index.add(1, line(8000, 0))
    index.add(2, line(0, 8000, 3000.0))
    latest = follow(index, line(0, 4000, 60.0), 3).latest
    assert latest[0] > 0.95
    assert latest[1] < 0.6
    assert latest[2] == 0.0


def test_what_a_past_trip_still_took_from_here_is_known() -> None:
    index = RouteIndex()
    index.add(0, line(0, 8000))
    match = follow(index, line(0, 6000), 1)
    left_s = index.left_s(0, float(match.reached_m[0]))
    assert abs(left_s - 200) < 60


def test_a_removed_way_is_gone() -> None:
    index = RouteIndex()
    index.add(0, line(0, 8000))
    index.add(1, line(0, 8000))
    index.remove(0, line(0, 8000))
    whole = follow(index, line(0, 4000), 2).whole
    assert whole[0] == 0.0
    assert whole[1] > 0.95


def test_following_in_one_go_or_step_by_step_is_the_same() -> None:
    index = RouteIndex()
    index.add(0, line(0, 8000))
    trace = line(0, 5000, 150.0)
    lengths = [n * 200.0 for n in range(len(trace))]
    at_once = follow(index, trace, 1)
    stepwise = RouteMatch(1)
    for count in range(1, len(trace) + 1):
        stepwise.follow(index, trace[:count], lengths[:count])
    assert at_once.latest.tolist() == stepwise.latest.tolist()
    assert at_once.reached_m.tolist() == stepwise.reached_m.tolist()


def test_a_point_at_the_pole_and_at_the_date_line_breaks_nothing() -> None:
    index = RouteIndex()
    trace = [TracePoint(0, 90.0, 180.0), TracePoint(60, -90.0, -180.0)]
    index.add(0, trace)
    assert index.near(90.0, 180.0) is not None


def test_how_far_along_is_where_they_are_not_where_it_came_near() -> None:
    """Cells around a point begin some hundred metres before it; the point does not."""
    index = RouteIndex()
    index.add(0, line(0, 8000))
    for end_m in range(2000, 7600, 400):
        match = follow(index, line(0, end_m), 1)
        assert abs(float(match.along_m[0]) - end_m) <= 160
        assert float(match.reached_m[0]) <= float(match.along_m[0])


def test_a_way_that_comes_by_twice_is_on_its_first_pass_first() -> None:
    loop = [*line(0, 3000), *line(3000, 200, 60.0)]
    trace = [TracePoint(n * 20.0, p.lat, p.lon) for n, p in enumerate(loop)]
    index = RouteIndex()
    index.add(0, trace)
    match = follow(index, line(0, 1000), 1)
    assert abs(float(match.along_m[0]) - 1000) <= 400

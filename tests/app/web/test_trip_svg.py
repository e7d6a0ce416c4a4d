"""Laws of the drawn trip: likely destinations, the open, and what matters."""

from __future__ import annotations

import re

import msgspec
import pytest

from trivet.app.view import Frame, MapView
from trivet.app.web import trip_svg
from trivet.app.web.plane import Plane
from trivet.domain.forecast import Candidate, Forecast, Prospect


@pytest.fixture
def plane(frame: Frame, drawn: MapView) -> Plane:
    return Plane.of(drawn, frame)


def with_candidates(frame: Frame, *candidates: Candidate) -> Frame:
    assert frame.forecast
    forecast = msgspec.structs.replace(frame.forecast, candidates=candidates)
    return msgspec.structs.replace(frame, forecast=forecast)


def test_the_likelier_is_the_wider_and_the_stronger(
    frame: Frame, drawn: MapView, plane: Plane
) -> None:
    ways = trip_svg.way_layer(frame, drawn, plane)
    found = re.findall(
        r'data-p="([\d.]+)" style="stroke-width:([\d.]+)px;opacity:([\d.]+)', ways
    )
    drawn_arcs = [tuple(map(float, arc)) for arc in found]
    assert len(drawn_arcs) == 3
    # least likely first, so that the likelier lies on top
    assert drawn_arcs == sorted(drawn_arcs)
    assert len({width for _, width, _ in drawn_arcs}) == 3


def test_ends_are_listed_likeliest_first_whatever_the_order(
    frame: Frame, drawn: MapView, plane: Plane
) -> None:
    mixed = with_candidates(
        frame,
        Candidate("gym", "Boulder Hall", 0.2, 48.76, 9.225),
        Candidate("mall", "Riverside Mall", 0.8, 48.735, 9.205),
    )
    ends = trip_svg.destinations(mixed, drawn, plane)
    assert [c.place for c, _ in ends] == ["mall", "gym"]


def test_a_candidate_without_position_is_found_by_its_place(
    frame: Frame, drawn: MapView, plane: Plane
) -> None:
    known = with_candidates(frame, Candidate("mall", "Riverside Mall", 1.0))
    unknown = with_candidates(frame, Candidate("moon", "Moon", 1.0))
    assert len(trip_svg.destinations(known, drawn, plane)) == 1
    assert trip_svg.destinations(unknown, drawn, plane) == []
    assert "data-box" in trip_svg.way_layer(unknown, drawn, plane)


def test_somewhere_new_is_drawn_as_a_way_into_the_open(
    frame: Frame, drawn: MapView, plane: Plane
) -> None:
    only = with_candidates(frame, Candidate("", "somewhere new", 1.0))
    assert "Somewhere new 100 %" in trip_svg.end_layer(only, drawn, plane)
    sure = with_candidates(frame, Candidate("mall", "Riverside Mall", 1.0))
    assert "Somewhere new" not in trip_svg.end_layer(sure, drawn, plane)


def test_a_forecast_without_candidates_is_drawn(
    frame: Frame, drawn: MapView, plane: Plane
) -> None:
    none = msgspec.structs.replace(frame, forecast=Forecast("ada", 0.0, 0.0, "", ()))
    assert "arc" not in trip_svg.way_layer(none, drawn, plane)
    assert "destination" not in trip_svg.end_layer(none, drawn, plane)


def test_what_is_spoken_of_is_named_first(
    frame: Frame, drawn: MapView, plane: Plane
) -> None:
    mall = plane.point(48.735, 9.205)
    assert mall
    names = [p.name for p in trip_svg.matters(frame, drawn, plane, [mall])]
    assert names[:2] == ["Trattoria Ponte", "Noodle Bar 8"]
    assert "City Library" not in names


def test_the_trip_and_its_likely_ends_are_in_view(
    frame: Frame, drawn: MapView, plane: Plane
) -> None:
    ways = trip_svg.way_layer(frame, drawn, plane)
    box = re.search(r'data-box="([^"]+)"', ways)
    assert box
    left, top, right, bottom = map(float, box[1].split())
    shown = [plane.point(*at) for at in (frame.trail[0], frame.trail[-1])]
    shown += [end for _, end in trip_svg.destinations(frame, drawn, plane)]
    for point in shown:
        assert point
        assert left - 1 <= point[0] <= right + 1
        assert top - 1 <= point[1] <= bottom + 1


def test_what_somewhere_new_may_be_is_marked_on_the_map(
    frame: Frame, drawn: MapView, plane: Plane
) -> None:
    far = Prospect("way/9", "Harbour <Mall>", "mall", 48.7, 9.3, 0.3)
    off = msgspec.structs.replace(far, point="way/10", lat=-90.0, lon=0.0)
    new = Candidate("", "somewhere new", 0.6, prospects=(far, off))
    marked = with_candidates(frame, new, Candidate("gym", "Gym", 0.4, 48.76, 9.225))
    pins = trip_svg.end_layer(marked, drawn, plane)
    assert pins.count("new prospect") == sum(
        plane.point(p.lat, p.lon) is not None for p in (far, off)
    )
    assert "Harbour &lt;Mall&gt; 30 %" in pins
    assert "new prospect" not in trip_svg.end_layer(frame, drawn, plane)
    assert trip_svg.way_layer(marked, drawn, plane) != trip_svg.way_layer(
        with_candidates(frame, *[msgspec.structs.replace(new, prospects=())]),
        drawn,
        plane,
    )

"""Laws of the drawn map: what stays, devices, and what is said of it."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from trivet.app.view import DeviceView, Frame, MapView
from trivet.app.web import map_svg, trip_svg
from trivet.app.web.plane import Box, Plane, free_angle, length
from trivet.domain.device import DeviceKind
from trivet.domain.place import Place, PointOfInterest

HOSTILE = '<script>alert("1")</script>&\'</text></svg>'
EMPTY = MapView((), (), (), "")


def layers(frame: Frame, drawn: MapView) -> str:
    """Everything the map shows, as one SVG document; fails where it is not one."""
    plane = Plane.of(drawn, frame)
    parts = (
        map_svg.base_layer(drawn, plane),
        map_svg.place_layer(drawn, plane),
        trip_svg.way_layer(frame, drawn, plane),
        trip_svg.end_layer(frame, drawn, plane),
        map_svg.device_layer(frame.devices, drawn, plane),
    )
    document = f"<svg>{''.join(parts)}</svg>"
    ET.fromstring(document)
    return document


def bare(frame: Frame) -> Frame:
    """The frame of a node that knows nothing yet."""
    return msgspec.structs.replace(
        frame, devices=(), forecast=None, at="", trail=(), suggestions=(), flows=()
    )


def test_layers_are_well_formed_and_hold_what_is_known(
    frame: Frame, drawn: MapView
) -> None:
    document = layers(frame, drawn)
    for words in ("Riverside Mall 62 %", "Somewhere new 8 %", "Ada’s phone", "Work"):
        assert words in document


def test_a_node_that_knows_nothing_is_drawn_too(frame: Frame) -> None:
    assert "data-box" in layers(bare(frame), EMPTY)


def test_a_device_without_a_position_is_not_drawn(frame: Frame, drawn: MapView) -> None:
    lost = (DeviceView("car", DeviceKind.CAR, "Lost car", True),)
    assert "Lost car" not in layers(msgspec.structs.replace(frame, devices=lost), drawn)


def test_devices_at_one_spot_share_a_label(frame: Frame, drawn: MapView) -> None:
    assert "Car + Ada’s phone" in layers(frame, drawn)


def test_names_cannot_become_markup(frame: Frame, drawn: MapView) -> None:
    hostile = MapView(
        drawn.roads,
        (Place(HOSTILE, 48.7, 9.1, name=HOSTILE),),
        (PointOfInterest(HOSTILE, HOSTILE, HOSTILE, 48.735, 9.205),),
        HOSTILE,
    )
    devices = tuple(msgspec.structs.replace(d, name=HOSTILE) for d in frame.devices)
    document = layers(msgspec.structs.replace(frame, devices=devices), hostile)
    assert "<script" not in document
    assert "&lt;script&gt;" in document


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.floats(-90, 90) | st.just(math.nan),
            st.floats(-180, 180) | st.just(math.inf),
        ),
        max_size=6,
    )
)
def test_any_positions_are_drawn(positions: list[tuple[float, float]]) -> None:
    devices = tuple(
        DeviceView(f"d{i}", DeviceKind.OTHER, "", i % 2 == 0, lat, lon)
        for i, (lat, lon) in enumerate(positions)
    )
    frame = Frame(
        *(0.0, "UTC", 1.0, False, "", devices, None, "", tuple(positions)),
        *((), (), ()),
    )
    document = layers(frame, MapView((tuple(positions),), (), (), ""))
    assert "nan" not in document
    assert "inf" not in document


def test_the_antimeridian_does_not_tear_a_road() -> None:
    plane = Plane(-17.0, 179.99)
    line = plane.line([(-17.0, 179.98), (-17.0, -179.98)], 1.0)
    assert length(line[0], line[-1]) < 5000.0


def test_thinning_keeps_the_last_point() -> None:
    plane = Plane(48.0, 9.0)
    positions = [(48.0, 9.0 + i * 1e-5) for i in range(30)]
    line = plane.line(positions, 50.0)
    assert len(line) < 8
    assert line[-1] == plane.point(*positions[-1])


def test_the_least_box_is_kept() -> None:
    box = Box.around([(5.0, 5.0)], 900.0)
    assert (box.right - box.left, box.bottom - box.top) == (900.0, 900.0)
    assert Box.around([], 100.0).text == "-50 -50 50 50"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-3.2, 3.2), max_size=3), st.floats(-3.2, 3.2))
def test_the_way_into_the_open_stays_clear(taken: list[float], wanted: float) -> None:
    at = free_angle(taken, wanted)
    for other in taken:
        apart = abs((at - other + math.pi) % math.tau - math.pi)
        assert apart >= math.radians(40) - 1e-6


def test_the_map_is_told_in_words(frame: Frame) -> None:
    words = map_svg.describe(frame)
    assert "Riverside Mall 62 %, Home 21 %" in words
    assert "at home" in map_svg.describe(
        msgspec.structs.replace(bare(frame), at="home")
    )

"""GPX tracks."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from trivet.devices.replay import Report
from trivet.domain import InputError, Position

GPX_1_1 = """<?xml version="1.0" encoding="UTF-8"?>
<gpx version="1.1" creator="x" xmlns="http://www.topografix.com/GPX/1/1"
 xmlns:g="http://www.garmin.com/xmlschemas/TrackPointExtension/v2">
<metadata><time>2020-01-01T00:00:00Z</time></metadata>
<wpt lat="1" lon="2"><time>2020-01-01T00:00:00Z</time></wpt>
<trk><name>n</name><trkseg>
<trkpt lat="48.1" lon="11.5"><ele>520.5</ele><time>2024-05-01T10:00:00Z</time>
<extensions><g:TrackPointExtension><g:speed>12.5</g:speed><g:course>90</g:course>
</g:TrackPointExtension></extensions></trkpt>
<trkpt lat="48.2" lon="11.6"><time>2024-05-01T12:00:01.5+02:00</time></trkpt>
</trkseg></trk></gpx>
"""
GPX_1_0 = """<gpx version="1.0" xmlns="http://www.topografix.com/GPX/1/0"><trk><trkseg>
<trkpt lat="48.1" lon="11.5"><time>2024-05-01T10:00:00Z</time>
<course>45</course><speed>3</speed></trkpt></trkseg></trk></gpx>"""
T = 1714557600.0


def point(lat: str, time: str) -> str:
    return f'<trkpt lat="{lat}" lon="1"><time>{time}</time></trkpt>'


def track(*points: str) -> str:
    return f"<gpx><trk><trkseg>{''.join(points)}</trkseg></trk></gpx>"


def test_track_points_are_positions_and_waypoints_are_not(
    write: Any, lived: Any
) -> None:
    one, two = lived(write("a.gpx", GPX_1_1))
    assert (one.time, two.time) == (T, T + 1.5)
    assert one.value == Position(
        48.1, 11.5, altitude_m=520.5, speed_mps=12.5, course_deg=90.0
    )
    assert two.value == Position(48.2, 11.6)


def test_version_1_0_has_speed_and_course_in_the_point(write: Any, lived: Any) -> None:
    (sample,) = lived(write("a.gpx", GPX_1_0))
    assert sample.value == Position(48.1, 11.5, speed_mps=3.0, course_deg=45.0)


def test_a_time_without_offset_is_utc(write: Any, lived: Any) -> None:
    (sample,) = lived(write("a.gpx", track(point("1", "2024-05-01T10:00:00"))))
    assert sample.time == T


def test_wrong_points_are_skipped(write: Any, lived: Any, report: Report) -> None:
    text = track(
        point("91", "2024-05-01T10:00:00Z"),
        point("nan", "2024-05-01T10:00:00Z"),
        point("1", "yesterday"),
        '<trkpt lat="1" lon="1"/>',
        point("1", "2024-05-01T10:00:00Z"),
    )
    assert len(lived(write("a.gpx", text))) == 1
    assert {reason: skip.times for reason, skip in report.skipped.items()} == {
        "latitude is not between -90 and 90": 1,
        "no latitude or longitude": 1,
        "not a time": 1,
        "no time": 1,
    }


def test_a_doctype_that_defines_nothing_does_no_harm(write: Any, lived: Any) -> None:
    text = "<!DOCTYPE gpx>" + track(point("1", "2024-05-01T10:00:00Z"))
    assert len(lived(write("a.gpx", text))) == 1


BOMB = (
    '<!DOCTYPE gpx [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in pairwise("abcdefghi"))
    + "]><gpx><trk><name>&i;</name></trk></gpx>"
)
OUTSIDE = '<!DOCTYPE gpx [<!ENTITY a SYSTEM "file:///etc/passwd">]><gpx>&a;</gpx>'


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (BOMB, "refused"),
        (OUTSIDE, "refused"),
        (GPX_1_1[:-30], "malformed XML"),
        ("<gpx>" + "<a>" * 100, "elements deep"),
        ("<gpx><trkpt>" + "<a/>" * 2000, "more than 1000 parts"),
        ('<?xml version="1.0" encoding="no-such"?><gpx></gpx>', "XML"),
    ],
)
def test_hostile_xml_is_refused(write: Any, lived: Any, text: str, fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        lived(write("a.gpx", text))


def test_a_text_without_end_is_refused_in_bounded_memory(
    write: Any, lived: Any
) -> None:
    path = write("a.gpx", b"<gpx><trk><name>" + b"n" * (5 << 20))
    with pytest.raises(InputError, match="a record of more than 4 MiB"):
        lived(path)

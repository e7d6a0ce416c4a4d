"""GeoLife tracks."""

from __future__ import annotations

from typing import Any

import pytest

from trivet.devices.replay import Report
from trivet.domain import InputError, Position

HEADER = (
    "Geolife trajectory\r\nWGS 84\r\nAltitude is in Feet\r\nReserved 3\r\n"
    "0,2,255,My Track,0,0,2,8421376\r\n0\r\n"
)
# 2008-10-23 02:53:04 GMT
LINE = "39.984702,116.318417,0,492,39744.1201851852,2008-10-23,02:53:04\r\n"


def at(line: str, **fields: str) -> str:
    """The line with some of its fields replaced."""
    parts = line.split(",")
    for index, value in fields.items():
        parts[int(index.removeprefix("f"))] = value
    return ",".join(parts)


def test_a_line_is_a_position_in_gmt(write: Any, lived: Any) -> None:
    (sample,) = lived(write("a.plt", HEADER + LINE))
    assert (sample.device, sample.path, sample.time) == (
        "phone",
        "location",
        1224730384.0,
    )
    assert sample.value == Position(39.984702, 116.318417, altitude_m=492 * 0.3048)


def test_an_altitude_of_minus_777_is_none(write: Any, lived: Any) -> None:
    (sample,) = lived(write("a.plt", HEADER + at(LINE, f3="-777")))
    assert sample.value.altitude_m is None


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (at(LINE, f0="400.166666"), "latitude is not between -90 and 90"),
        (at(LINE, f0="nan"), "latitude is not between -90 and 90"),
        (at(LINE, f1="inf"), "longitude is not between -180 and 180"),
        (at(LINE, f4="nan"), "time is not between 1990 and 2200"),
        (at(LINE, f4="25569.5"), "time is not between 1990 and 2200"),
        (at(LINE, f4="39744.1"), "time goes back"),
        (at(LINE, f0="39.9"), "a second position at the same time"),
        (at(LINE, f0="0", f1="0", f4="39745"), "position is 0, 0: no fix"),
        ("39.9,116.3,0\n", "not a line of a track"),
        ("a,b,c,d,e\n", "not a line of a track"),
    ],
)
def test_a_wrong_line_is_skipped_with_its_reason_and_place(
    write: Any, lived: Any, report: Report, line: str, reason: str
) -> None:
    samples = lived(write("a.plt", HEADER + LINE + line))
    assert len(samples) == 1
    assert list(report.skipped) == [reason]
    assert report.skipped[reason].times == 1
    assert report.skipped[reason].first.startswith("a.plt:8 ")


def test_a_track_cut_off_in_its_header_is_refused(write: Any, lived: Any) -> None:
    with pytest.raises(InputError, match="cut off in its header"):
        lived(write("a.plt", HEADER[:60]))


def test_a_track_of_a_header_alone_is_empty(write: Any, lived: Any) -> None:
    assert lived(write("a.plt", HEADER)) == []


def test_an_altitude_in_another_unit_is_refused(write: Any, lived: Any) -> None:
    with pytest.raises(InputError, match=r"a\.plt:3: altitude is not in feet"):
        lived(write("a.plt", HEADER.replace("Feet", "Metres") + LINE))

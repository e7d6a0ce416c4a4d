"""CASAS logs."""

from __future__ import annotations

from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from trivet.devices.replay import Report
from trivet.domain import InputError

PACIFIC = ZoneInfo("America/Los_Angeles")
LOG = """2010-11-04 00:03:50.209589 M003 ON Sleeping begin
2010-11-04\t00:03:57.399391\tM003\tOFF
2010-11-04 02:32:33.351906 T002 21.5
2010-11-04 05:40:51 D001 OPEN
2010-11-04 05:40:52 D001 CLOSE
"""


def test_events_are_home_assistant_states(write: Any, lived: Any) -> None:
    samples = lived(write("data", LOG), zone=PACIFIC)
    assert [(s.device, s.path, s.value) for s in samples] == [
        ("home", "binary_sensor.m003", "on"),
        ("home", "binary_sensor.m003", "off"),
        ("home", "sensor.t002", 21.5),
        ("home", "binary_sensor.d001", "on"),
        ("home", "binary_sensor.d001", "off"),
    ]
    assert samples[0].time == pytest.approx(1288854230.209589)


def test_without_a_zone_it_says_which_option(write: Any, lived: Any) -> None:
    with pytest.raises(InputError, match="give the option zone"):
        lived(write("data", LOG))


def test_the_hour_that_autumn_repeats_goes_on(write: Any, lived: Any) -> None:
    """2010-11-07 01:00 to 02:00 came twice on the Pacific coast."""
    clocks = ["00:59:59", "01:00:00", "01:59:59", "01:00:00", "01:59:59", "02:00:00"]
    text = "".join(f"2010-11-07 {clock} M001 ON\n" for clock in clocks)
    times = [s.time for s in lived(write("data", text), zone=PACIFIC)]
    assert [b - a for a, b in pairwise(times)] == [1, 3599, 1, 3599, 1]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("2010-11-04 00:03:51 M003", "fewer than four fields"),
        ("2010-13-04 00:03:51 M003 ON", "not a date and time"),
        ("2010-11-04 00:03:51 M*3 ON", "not a sensor's name"),
        ("2010-11-04 00:03:51 M003 ONN", "neither a state nor a number"),
        ("2010-11-04 00:03:51 T003 nan", "neither a state nor a number"),
        ("1970-01-01 00:03:51 M003 ON", "time is not between 1990 and 2200"),
        ("2010-11-04 00:03:51 M003 \udcff", "not UTF-8 text"),
    ],
)
def test_a_wrong_line_is_skipped(
    write: Any, lived: Any, report: Report, bad: str, reason: str
) -> None:
    text = (LOG + bad + "\n").encode(errors="surrogateescape")
    assert len(lived(write("data", text), zone=PACIFIC)) == 5
    assert list(report.skipped) == [reason]

"""Whatever the bytes: samples that hold their promises, or an InputError."""

from __future__ import annotations

import json
from math import isfinite
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trivet.devices.replay import READERS, Options, Report, detect, read
from trivet.domain import InputError, Sample
from trivet.domain.wire import decode, encode

PLT_HEADER = "Geolife trajectory\nWGS 84\nAltitude is in Feet\nReserved 3\n0,2\n0\n"
TRIPS = "trip,name,start_s,end_s\n0,2017-07-05_Seat_Leon_RT_S_Stau,1,2\n"
POINT = {"latitudeE7": 481000000, "longitudeE7": 115000000}
SPAN = {
    "startTimestamp": "2024-05-01T09:00:00Z",
    "endTimestamp": "2024-05-01T10:00:00Z",
}
STATE = {"entity_id": "light.a", "state": "on", "last_changed": "2024-05-01T10:00:00Z"}
SEGMENT = {
    "startTime": "2024-05-01T10:00:00Z",
    "endTime": "2024-05-01T11:00:00Z",
    "activity": {"start": "geo:48,11", "end": "geo:49,12"},
}
OPTIONS = Options(zone=ZoneInfo("Europe/Berlin"), person="ada")

#: One small good recording for each reader.
SPECIMENS: dict[str, tuple[str, str]] = {
    "geolife": ("a.plt", PLT_HEADER + "39.9,116.3,0,492,39744.1,2008-10-23,02:53:04\n"),
    "gpx": (
        "a.gpx",
        "<gpx><trk><trkseg><trkpt lat='1' lon='2'><time>2024-05-01T10:00:00Z</time>"
        "</trkpt></trkseg></trk></gpx>",
    ),
    "owntracks": (
        "a.rec",
        '2024-05-01T10:00:05Z\t*\t{"_type":"location","lat":1,"lon":2,'
        '"tst":1714557600,"batt":5}\n',
    ),
    "google-records": (
        "Records.json",
        json.dumps({"locations": [POINT | {"timestampMs": "1714557600000"}]}),
    ),
    "google-semantic": (
        "2024_MAY.json",
        json.dumps(
            {"timelineObjects": [{"placeVisit": {"location": POINT, "duration": SPAN}}]}
        ),
    ),
    "google-timeline": ("Timeline.json", json.dumps([SEGMENT])),
    "kit": ("kit_obd_1hz.csv", "trip,s,rpm,speed\n0,26190,800,0\n0,26191,800,5\n"),
    "obd-list": (
        "2024-10-25 x.csv",
        '"SECONDS";"PID";"VALUE";"UNITS";\n"5";"Vehicle speed";"50";"km/h";\n',
    ),
    "obd-table": ("2024-10-25 y.csv", "Time,RPM,Speed (km/h)\n10:00:00.5,800,50\n"),
    "casas": ("data", "2010-11-04 00:03:50.209589 M003 ON\n"),
    "home-assistant-csv": (
        "h.csv",
        "entity_id,state,last_changed\nlight.a,on,2024-05-01T10:00:00Z\n",
    ),
    "home-assistant-json": ("h.json", json.dumps([[STATE]])),
}
FORMATS = sorted(SPECIMENS)
FUZZ = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def survive(path: Path, content: bytes, fmt: str) -> None:
    """Read it by `fmt` and by detection; check the promises of what comes."""
    path.write_bytes(content)
    for samples in (
        READERS[fmt].read(path, Report(), OPTIONS),
        read([path], Report(), OPTIONS),
    ):
        try:
            for sample in samples:
                # the strict decoder of the wire is the judge of a sample
                assert decode(encode(sample)) == sample
                assert isfinite(sample.time)
        except InputError as error:
            fault = str(error)
        else:
            continue
        assert str(path) in fault


def test_there_is_a_specimen_of_each_format() -> None:
    assert sorted(READERS) == FORMATS


@pytest.mark.parametrize("fmt", FORMATS)
def test_a_format_is_recognised_and_no_other_reads_it(write: Any, fmt: str) -> None:
    path = write(*SPECIMENS[fmt])
    write("kit_trips.csv", TRIPS)
    assert detect(path).name == fmt
    report = Report()
    samples = list(read([path], report, OPTIONS))
    assert len(samples) == report.understood > 0
    assert not report.skipped
    for other in set(FORMATS) - {fmt}:
        with pytest.raises(InputError, match="this is no"):
            list(READERS[other].read(path, Report(), OPTIONS))


@pytest.mark.parametrize("fmt", FORMATS)
def test_every_truncation_is_survived(write: Any, fmt: str) -> None:
    name, text = SPECIMENS[fmt]
    path = write(name, text)
    write("kit_trips.csv", TRIPS)
    for length in range(0, len(text), max(1, len(text) // 25)):
        survive(path, text.encode()[:length], fmt)


@pytest.mark.parametrize("fmt", FORMATS)
@FUZZ
@given(data=st.data())
def test_changed_bytes_are_survived(write: Any, fmt: str, data: st.DataObject) -> None:
    name, text = SPECIMENS[fmt]
    write("kit_trips.csv", TRIPS)
    content = bytearray(text.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content)))
        end = at + data.draw(st.integers(0, 6))
        content[at:end] = data.draw(
            st.one_of(
                st.binary(max_size=8),
                st.sampled_from(
                    [b"NaN", b"-1e999", b"9" * 400, b"\0", b"null", b"[", b'"', b"\n"]
                ),
            )
        )
    survive(write(name, b""), bytes(content), fmt)


@pytest.mark.parametrize("fmt", FORMATS)
@settings(FUZZ, max_examples=8)
@given(noise=st.binary(max_size=300))
def test_noise_behind_a_good_begin_is_survived(
    write: Any, fmt: str, noise: bytes
) -> None:
    name, text = SPECIMENS[fmt]
    write("kit_trips.csv", TRIPS)
    survive(write(name, b""), text.encode() + noise, fmt)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [*POINT, *SPAN, *STATE, *SEGMENT, "placeVisit", "location"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("fmt", "frame"),
    [
        ("google-records", '{"locations": [%s]}'),
        ("google-semantic", '{"timelineObjects": [%s]}'),
        ("google-timeline", '{"semanticSegments": [%s], "rawSignals": [%s]}'),
        ("home-assistant-json", '[[{"entity_id": "light.a", "state": 1}, %s]]'),
    ],
)
@FUZZ
@given(value=JSON)
def test_any_json_where_a_record_should_be_is_survived(
    write: Any, fmt: str, frame: str, value: object
) -> None:
    content = frame.replace("%s", json.dumps(value)).encode()
    survive(write("a.json", b""), content, fmt)


def test_a_sample_is_what_msgspec_says_it_is(write: Any) -> None:
    """The specimens' samples are valid by the domain's own constraints."""
    for fmt in FORMATS:
        write("kit_trips.csv", TRIPS)
        for sample in read([write(*SPECIMENS[fmt])], Report(), OPTIONS):
            msgspec.convert(msgspec.to_builtins(sample), Sample)

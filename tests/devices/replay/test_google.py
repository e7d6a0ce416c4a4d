"""Google's three generations of exports."""

from __future__ import annotations

import json
from typing import Any

import pytest

from trivet.devices.replay import Report, detect
from trivet.domain import InputError, Position, Quality

T = 1714557600.0


def records(*items: object) -> str:
    return json.dumps({"locations": items})


def record(**more: object) -> dict[str, object]:
    return {"latitudeE7": 481000000, "longitudeE7": 115000000} | more


def test_records_of_old_and_new_exports_are_the_same(write: Any, lived: Any) -> None:
    text = records(
        record(timestampMs="1714557600500", accuracy=20),
        record(timestamp="2024-05-01T10:00:01Z", altitude=500, velocity=3, heading=90),
        record(timestamp="2024-05-01T10:00:02.250Z"),
    )
    samples = lived(write("Records.json", text))
    assert [s.time - T for s in samples] == [0.5, 1.0, 2.25]
    assert samples[0].value == Position(48.1, 11.5, accuracy_m=20)
    assert samples[1].value == Position(48.1, 11.5, None, 500, 3, 90)


def test_degrees_wrapped_at_32_bits_are_unwrapped(write: Any, lived: Any) -> None:
    text = records(
        {
            "latitudeE7": 2**32 - 338000000,
            "longitudeE7": 2**32 - 700000000,
            "timestampMs": "1714557600000",
        }
    )
    (sample,) = lived(write("Records.json", text))
    assert (sample.value.lat, sample.value.lon) == (-33.8, -70.0)


def test_wrong_records_are_skipped(write: Any, lived: Any, report: Report) -> None:
    text = records(
        "text",
        record(),
        {"timestampMs": "1714557600000"},
        record(timestampMs="-5"),
        record(timestampMs="1714557600000"),
    )
    assert len(lived(write("Records.json", text))) == 1
    assert {r: s.times for r, s in report.skipped.items()} == {
        "not a record": 1,
        "no time": 1,
        "no latitude or longitude": 1,
        "time is not between 1990 and 2200": 1,
    }


SEMANTIC = {
    "timelineObjects": [
        {
            "placeVisit": {
                "location": {"latitudeE7": 481000000, "longitudeE7": 115000000},
                "duration": {
                    "startTimestamp": "2024-05-01T09:00:00Z",
                    "endTimestamp": "2024-05-01T10:00:00Z",
                },
            }
        },
        {
            "activitySegment": {
                "startLocation": {"latitudeE7": 481000000, "longitudeE7": 115000000},
                "endLocation": {"latitudeE7": 482000000, "longitudeE7": 116000000},
                "duration": {
                    "startTimestampMs": "1714557600000",
                    "endTimestampMs": "1714557630000",
                },
                "waypointPath": {
                    "waypoints": [
                        {"latE7": 481300000, "lngE7": 115300000},
                        {"latE7": 481600000, "lngE7": 115600000},
                    ]
                },
            }
        },
    ]
}


def test_a_visit_is_its_begin_and_end_and_a_way_is_spread(
    write: Any, lived: Any
) -> None:
    samples = lived(write("2024_MAY.json", json.dumps(SEMANTIC)))
    # the way begins at the moment and place at which the visit ends
    assert [(s.time - T, s.value.lat) for s in samples] == [
        (-3600.0, 48.1),
        (0.0, 48.1),
        (10.0, 48.13),
        (20.0, 48.16),
        (30.0, 48.2),
    ]
    assert {s.quality for s in samples} == {Quality.ESTIMATED}


def test_points_with_times_are_as_measured(write: Any, lived: Any) -> None:
    way = dict(SEMANTIC["timelineObjects"][1]["activitySegment"])
    way["simplifiedRawPath"] = {
        "points": [
            {
                "latE7": 481500000,
                "lngE7": 115500000,
                "timestamp": "2024-05-01T10:00:07Z",
            }
        ]
    }
    text = json.dumps({"timelineObjects": [{"activitySegment": way}, {}]})
    samples = lived(write("2024_MAY.json", text))
    assert [(s.time - T, s.quality) for s in samples] == [
        (0.0, Quality.ESTIMATED),
        (7.0, Quality.GOOD),
        (30.0, Quality.ESTIMATED),
    ]


SEGMENTS: list[dict[str, object]] = [
    {
        "startTime": "2024-05-01T12:00:00.000+02:00",
        "endTime": "2024-05-01T14:00:00.000+02:00",
        "timelinePath": [
            {"point": "48.1°, 11.5°", "time": "2024-05-01T12:01:00.000+02:00"},
            {"point": "geo:48.2,-11.6", "durationMinutesOffsetFromStartTime": "5"},
        ],
    },
    {
        "startTime": "2024-05-01T14:00:00.000+02:00",
        "endTime": "2024-05-01T15:00:00.000+02:00",
        "visit": {"topCandidate": {"placeLocation": {"latLng": "48.3°, 11.7°"}}},
    },
    {
        "startTime": "2024-05-01T14:00:00.000+02:00",
        "endTime": "2024-05-01T14:30:00.000+02:00",
        "visit": {
            "hierarchyLevel": "1",
            "topCandidate": {"placeLocation": "geo:48.3,11.7"},
        },
    },
    {
        "startTime": "2024-05-01T15:00:00.000+02:00",
        "endTime": "2024-05-01T16:00:00.000+02:00",
        "activity": {"start": "geo:48.3,11.7", "end": "geo:48.4,11.8"},
    },
]
ANDROID = {
    "semanticSegments": SEGMENTS,
    "rawSignals": [
        {
            "position": {
                "LatLng": "48.5°, 11.9°",
                "accuracyMeters": 13,
                "timestamp": "2024-05-01T17:00:00.000+02:00",
                "speedMetersPerSecond": 1.5,
            }
        },
        {"wifiScan": {"deliveryTime": "2024-05-01T17:00:00.000+02:00"}},
    ],
    "userLocationProfile": {"frequentPlaces": []},
}


@pytest.mark.parametrize("document", [ANDROID, SEGMENTS], ids=["android", "ios"])
def test_segments_of_both_phones_are_positions(
    write: Any, lived: Any, document: Any
) -> None:
    path = write("Timeline.json", json.dumps(document, ensure_ascii=False))
    assert detect(path).name == "google-timeline"
    samples = lived(path)
    assert [(s.time - T, s.value.lat, s.value.lon) for s in samples[:5]] == [
        (60.0, 48.1, 11.5),
        (300.0, 48.2, -11.6),
        (7200.0, 48.3, 11.7),
        (10800.0, 48.3, 11.7),
        (14400.0, 48.4, 11.8),
    ]
    raw = [s.value for s in samples[5:]]
    assert raw == (
        [Position(48.5, 11.9, accuracy_m=13, speed_mps=1.5)]
        if document is ANDROID
        else []
    )


def test_a_segment_without_place_is_skipped(
    write: Any, lived: Any, report: Report
) -> None:
    text = json.dumps(
        [{**SEGMENTS[3], "activity": {"start": "here", "end": "geo:1,2"}}]
    )
    assert len(lived(write("Timeline.json", text))) == 1
    assert report.skipped["no place"].times == 1


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (records(record(timestampMs="1714557600000"))[:-5], "cut off"),
        ('{"locations": [' + "[" * 500, "levels"),
        ('{"locations": [[' + "1," * 300_000 + "1]]}", "more than 200000 values"),
        ('{"locations": ["' + "x" * (5 << 20), "a record of more than 4 MiB"),
        ('{"locations": [nonsense', "malformed"),
    ],
)
def test_hostile_json_is_refused(write: Any, lived: Any, text: str, fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        lived(write("Records.json", text))

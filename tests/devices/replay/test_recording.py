"""Many files as one life."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trivet.devices.replay import Options, Report, read
from trivet.domain import Sample

HEADER = "Geolife trajectory\nWGS 84\nAltitude is in Feet\nReserved 3\n0,2\n0\n"
T = 1_700_000_000


def plt(*minutes: int, lat: float = 39.9) -> str:
    lines = (
        f"{lat},116.3,0,0,{25569 + (T + 60 * m) / 86400:.10f},d,t\n" for m in minutes
    )
    return HEADER + "".join(lines)


def rec(*minutes: int) -> str:
    return "".join(
        "2023-11-14T22:13:20Z\t*\t"
        f'{{"_type":"location","lat":48,"lon":11,"tst":{T + 60 * m}}}\n'
        for m in minutes
    )


def minutes(samples: Any) -> list[float]:
    return [round((s.time - T) / 60) for s in samples]


def test_files_are_read_by_the_time_of_their_first_sample(write: Any) -> None:
    paths = [write("a.plt", plt(10, 11)), write("b.plt", plt(1, 2))]
    assert minutes(read(paths, Report())) == [1, 2, 10, 11]


def test_files_that_overlap_are_interleaved(write: Any) -> None:
    paths = [
        write("a.plt", plt(1, 5, 9)),
        write("b.plt", plt(2, 6, lat=40.0)),
        write("c.rec", rec(8, 3, 7)),
    ]
    assert minutes(read(paths, Report())) == [1, 2, 3, 5, 6, 7, 8, 9]


def test_what_is_in_two_files_is_given_once(write: Any) -> None:
    report = Report()
    paths = [write("a.plt", plt(1, 2, 3)), write("b.plt", plt(2, 3, 4))]
    assert minutes(read(paths, report)) == [1, 2, 3, 4]
    assert report.understood == 4
    assert report.skipped["the same sample twice"].times == 2


def test_the_report_tells_of_all_files(write: Any) -> None:
    report = Report()
    paths = [
        write("a.plt", plt(1, 2) + "bad\n"),
        write("b.plt", HEADER + "worse\n"),
        write("c.rec", rec(30)),
    ]
    assert len(list(read(paths, report))) == 3
    told = report.to_dict()
    assert told["files"] == 3
    assert told["understood"] == 3
    assert told["counts"] == {"phone": {"location": 3}}
    assert told["skipped"]["not a line of a track"] == {
        "count": 2,
        "first": "b.plt:7 worse",
    }
    assert (told["first_time"], told["last_time"]) == (T + 60, T + 1800)


def test_the_device_can_be_named(write: Any) -> None:
    samples = read([write("a.plt", plt(1))], Report(), Options(device="tablet"))
    assert [s.device for s in samples] == ["tablet"]


def test_no_files_are_no_samples() -> None:
    assert list(read([], Report())) == []


def test_no_more_files_are_open_than_overlap(write: Any, monkeypatch: Any) -> None:
    paths = [write(f"{n}.plt", plt(2 * n, 2 * n + 1)) for n in range(20)]
    opened: list[Path] = []
    most = 0
    for sample in read(paths, Report()):
        assert isinstance(sample, Sample)
        opened = [
            Path(link).resolve()
            for link in Path("/proc/self/fd").iterdir()
            if Path(link).resolve().suffix == ".plt"
        ]
        most = max(most, len(opened))
    assert most == 1


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.lists(st.integers(0, 50), max_size=8), max_size=5))
def test_time_never_goes_back_and_nothing_is_lost(
    write: Any, files: list[list[int]]
) -> None:
    paths = []
    for n, times in enumerate(files):
        if n % 2:
            paths.append(write(f"{n}.rec", rec(0, *times)))
        else:
            # each file elsewhere, so that none is the double of another
            paths.append(write(f"{n}.plt", plt(*sorted(set(times)), lat=30.0 + n)))
    report = Report()
    samples = list(read(paths, report))
    assert [s.time for s in samples] == sorted(s.time for s in samples)
    assert len(samples) == report.understood
    expected = {(n, t) for n, ts in enumerate(files) if n % 2 == 0 for t in ts}
    assert {
        (round(s.value.lat) - 30, round((s.time - T) / 60))  # type: ignore[union-attr]
        for s in samples
        if s.value.lat != 48  # type: ignore[union-attr]
    } == expected

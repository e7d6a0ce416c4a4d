"""What may be read is read, what two people share is counted once."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.anticipation.people import (
    CLOSED,
    REPORTED,
    compare,
    everybody,
    recordings,
)

from trivet.domain import UsageError

_HEAD = "Geolife trajectory\nWGS 84\nAltitude is in Feet\nReserved 3\n0,2\n0\n"


def write(folder: Path, person: str, day: int, lat: float) -> Path:
    """One file of one fix."""
    file = folder / person / "Trajectory" / f"200901{day:02}080000.plt"
    file.parent.mkdir(parents=True, exist_ok=True)
    line = f"{lat},116.3,0,0,39814.3,2009-01-{day:02},08:00:00\n"
    file.write_text(_HEAD + line)
    return file


def test_the_last_quarter_of_a_reported_persons_days_is_not_opened(
    tmp_path: Path,
) -> None:
    files = [write(tmp_path, REPORTED[0], day, 39.9) for day in range(1, 9)]
    assert recordings(tmp_path, REPORTED[0]) == files[:6]
    others = [write(tmp_path, "010", day, 39.9) for day in range(1, 9)]
    assert recordings(tmp_path, "010") == others


def test_a_closed_person_is_refused_by_name_and_passed_over_otherwise(
    tmp_path: Path,
) -> None:
    closed = min(CLOSED)
    write(tmp_path, closed, 1, 39.9)
    write(tmp_path, "010", 1, 39.9)
    assert everybody(tmp_path) == ["010"]
    with pytest.raises(UsageError, match="kept closed"):
        recordings(tmp_path, closed)


def test_a_file_of_two_people_stays_with_the_reported_one(tmp_path: Path) -> None:
    write(tmp_path, "000", 1, 39.9)
    write(tmp_path, "003", 1, 39.9)
    write(tmp_path, "003", 2, 39.8)
    write(tmp_path, "003", 3, 39.7)
    shared = compare(tmp_path, ["000", "003"])
    assert shared.copies == 1
    assert [f.parts[-3] for f in shared.dropped["000"]] == ["000"]
    assert not shared.dropped["003"]


def test_of_two_reported_people_the_first_keeps_it(tmp_path: Path) -> None:
    for person in ("128", "153"):
        for day in (1, 2):
            write(tmp_path, person, day, 39.9 + day)
    shared = compare(tmp_path, ["153", "128"])
    assert not shared.dropped["128"]
    assert len(shared.dropped["153"]) == shared.copies == 1


def test_a_folder_of_nobody_is_the_callers_fault(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no folder a person"):
        everybody(tmp_path)
    with pytest.raises(UsageError, match="no person '777'"):
        recordings(tmp_path, "777")

"""Recorded data, where it is to be had."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import trivet
from trivet.devices.replay import Report, find_recordings, read
from trivet.domain.vss import SIGNALS

REPOSITORY = Path(trivet.__file__).parent.parent.parent
DATA = Path(os.environ.get("TRIVET_DATA") or REPOSITORY.parent / "shared" / "data")

pytestmark = pytest.mark.real


@pytest.fixture
def kit() -> Path:
    path = DATA / "kit_obd_1hz.csv.xz"
    if not path.is_file():
        pytest.skip(f"no {path.name} in {DATA}: name its folder in TRIVET_DATA")
    return path


def test_sixty_drives_of_the_kit_car_come_in_order(kit: Path) -> None:
    report = Report()
    last, at, drives = 0.0, None, 0
    for sample in read(find_recordings(kit), report):
        assert sample.time >= last
        last = sample.time
        if sample.path == "transition.leave":
            assert at is None
            at = sample.value
        elif sample.path == "transition.enter":
            assert at is not None
            at, drives = None, drives + 1
        else:
            assert at is not None, "a signal between two drives"
            SIGNALS[sample.path].check(sample.value)
    assert drives == 60
    assert not report.skipped
    assert report.understood > 1_300_000

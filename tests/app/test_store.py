"""An import is whole or not at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from trivet.app.store import SampleStore
from trivet.domain import InputError, Position, Sample, SetupError, UsageError


def drive(count: int = 10) -> list[Sample]:
    return [Sample("car", "Vehicle.Speed", 1000.0 + i, float(i)) for i in range(count)]


def test_what_is_added_is_read_back_in_event_time_order(tmp_path: Path) -> None:
    with SampleStore(tmp_path / "s.db") as store:
        fix = Sample("phone", "location", 1000.5, Position(48.0, 8.0, accuracy_m=5.0))
        assert store.add("a", [*reversed(drive(3)), fix]) == 4
        got = list(store.samples())
    assert [s.time for s in got] == [1000.0, 1000.5, 1001.0, 1002.0]
    assert fix in got


def test_an_import_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def broken() -> Iterator[Sample]:
        yield from drive(20_000)
        raise InputError("bad record", path="x.csv", line=20_002)

    with SampleStore(tmp_path / "s.db") as store:
        with pytest.raises(InputError):
            store.add("x.csv", broken())
        assert store.recordings() == []
        assert list(store.samples()) == []
        assert store.add("x.csv", drive()) == 10


def test_a_recording_is_taken_up_once(tmp_path: Path) -> None:
    with SampleStore(tmp_path / "s.db") as store:
        store.add("a", drive())
        with pytest.raises(UsageError, match="before"):
            store.add("a", drive())
        assert store.add("b", drive()) == 0


def test_a_doubled_sample_is_kept_once(tmp_path: Path) -> None:
    with SampleStore(tmp_path / "s.db") as store:
        assert store.add("a", drive(5) + drive(5)) == 5


def test_it_survives_closing(tmp_path: Path) -> None:
    with SampleStore(tmp_path / "s.db") as store:
        store.add("a", drive())
    with SampleStore(tmp_path / "s.db") as store:
        assert store.span() == (1000.0, 1009.0)
        assert store.devices() == ["car"]


def test_a_file_of_another_program_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE mine (x)")
    other.commit()
    other.close()
    before = path.read_bytes()
    with pytest.raises(SetupError, match="another program"):
        SampleStore(path)
    assert path.read_bytes() == before


def test_noise_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    path.write_bytes(bytes(range(256)) * 64)
    with pytest.raises(SetupError, match="cannot be used"):
        SampleStore(path)


def test_a_store_of_a_newer_trivet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    SampleStore(path).close()
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(SetupError, match="update trivet"):
        SampleStore(path)

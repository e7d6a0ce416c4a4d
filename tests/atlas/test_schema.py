"""The index file: ours, of a known version, whole; anything else is refused."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from trivet.atlas import AtlasIndex, import_points, schema
from trivet.domain.error import SetupError
from trivet.domain.place import PointOfInterest

POINTS = [
    PointOfInterest(f"{n}", f"Place {n}", "cafe", n / 100, n / 100) for n in range(200)
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "the map?#%20.atlas"
    import_points(POINTS, path, "town")
    return path


def pragma(path: Path, name: str, value: int) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA {name} = {value}")


def refused(path: Path) -> Iterator[str]:
    """What reading and writing say of the file; neither changes it."""
    before = path.read_bytes()
    with pytest.raises(SetupError) as reading:
        AtlasIndex(path)
    with pytest.raises(SetupError) as writing:
        import_points(POINTS, path, "more")
    assert path.read_bytes() == before
    yield str(reading.value)
    yield str(writing.value)


def test_a_newer_version_says_to_update(path: Path) -> None:
    pragma(path, "user_version", schema.VERSION + 1)
    for said in refused(path):
        assert f"version {schema.VERSION + 1}" in said
        assert "update trivet" in said


def test_a_version_that_never_was_is_refused(path: Path) -> None:
    pragma(path, "user_version", 0)
    for said in refused(path):
        assert "never wrote" in said


def test_another_programs_database_is_refused(path: Path) -> None:
    pragma(path, "application_id", 42)
    for said in refused(path):
        assert "is not a map index" in said


@pytest.mark.parametrize("data", [b"hello", b"", bytes(range(256)) * 40])
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, data: bytes) -> None:
    other = tmp_path / "notes.txt"
    other.write_bytes(data)
    for said in refused(other):
        assert "is not a map index" in said


def test_a_missing_index_says_to_import(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="import a map first"):
        AtlasIndex(tmp_path / "none")
    with pytest.raises(SetupError):
        AtlasIndex(tmp_path)


def test_a_damaged_index_is_a_setup_error(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\x55" * (len(whole) - 4096))
    with pytest.raises(SetupError, match="cannot be used"), AtlasIndex(path) as index:
        index.near(0.0, 0.0, 1e6)


def test_without_an_rtree_it_says_so(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An SQLite without the module, as its authorizer can play it."""
    connect = sqlite3.connect

    def bare(*args: Any, **options: Any) -> sqlite3.Connection:
        return connect(*args, **options, factory=NoRtree)

    class NoRtree(sqlite3.Connection):
        def execute(self, query: str, *values: Any) -> sqlite3.Cursor:
            if "rtree" in query or "FROM box" in query:
                raise sqlite3.OperationalError("no such module: rtree")
            return super().execute(query, *values)

    monkeypatch.setattr(sqlite3, "connect", bare)
    with pytest.raises(SetupError, match=r"no R\*Tree"):
        AtlasIndex(path)
    with pytest.raises(SetupError, match=r"no R\*Tree"):
        import_points(POINTS, tmp_path / "new", "town")
    assert not (tmp_path / "new").exists()


def test_readers_cannot_write(path: Path) -> None:
    with (
        closing(schema.open_reader(path)) as database,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        database.execute("DELETE FROM point")


def test_threads_may_ask_one_map(path: Path) -> None:
    with AtlasIndex(path) as index, ThreadPoolExecutor(4) as pool:
        answers = pool.map(
            lambda point: index.near(point.lat, point.lon, 1.0), POINTS, timeout=60
        )
        assert [found[0].id for found in answers] == [point.id for point in POINTS]


def test_closing_twice_is_allowed_and_asking_later_is_told(path: Path) -> None:
    index = AtlasIndex(path)
    index.close()
    index.close()
    with pytest.raises(SetupError):
        index.near(0.0, 0.0, 1.0)


def test_power_lost_within_a_commit_loses_nothing(path: Path, tmp_path: Path) -> None:
    """A half-written file with its journal beside it is the map as it was before."""
    left, journal = tmp_path / "left", tmp_path / "left-journal"
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        # so small a cache writes to the file before the commit
        database.execute("PRAGMA cache_size = 1")
        database.execute("BEGIN IMMEDIATE")
        database.execute("UPDATE point SET name = 'lost', kind = 'lost'")
        left.write_bytes(path.read_bytes())
        journal.write_bytes(Path(f"{path}-journal").read_bytes())
        database.execute("ROLLBACK")
    assert left.read_bytes() != path.read_bytes()
    with AtlasIndex(left) as index:
        assert index.count == len(POINTS)
        assert index.kinds() == {"cafe": len(POINTS)}
        assert index.get("7") == POINTS[7]

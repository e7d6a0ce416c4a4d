"""Imports: whole or not at all, side by side, and again."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from trivet.atlas import AtlasIndex, import_map, import_points
from trivet.atlas.point import Extent
from trivet.atlas.schema import writing
from trivet.domain.error import InputError, SetupError, UsageError
from trivet.domain.place import PointOfInterest

HEAD = "osm_id,name,fclass,lon,lat\n"


def poi(
    id: str, lat: float = 1.0, lon: float = 2.0, kind: str = "cafe"
) -> PointOfInterest:
    return PointOfInterest(id, f"Place {id}", kind, lat, lon)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "map.atlas"


def shadow(path: Path) -> tuple[int, int, int]:
    """Rows in the three tables that must agree."""
    database = sqlite3.connect(path)
    try:
        points, boxes, words = (
            database.execute(f"SELECT count({column}) FROM {table}").fetchone()[0]
            for table, column in (
                ("point", "*"),
                ("box", "*"),
                ("word", "DISTINCT number"),
            )
        )
        assert database.execute("SELECT rtreecheck('box')").fetchone()[0] == "ok"
        assert database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    finally:
        database.close()
    return points, boxes, words


def test_sources_stand_side_by_side_with_their_attributions(
    tmp_path: Path, path: Path
) -> None:
    table = tmp_path / "york.csv"
    table.write_text(HEAD + "1,A,bar,-74,40\n2,B,pub,-73,41\n")
    os.utime(table, (1e9, 1e9))
    import_map(table, path)
    import_points([poi("p1")], path, "town", attribution="nobody", time=5.0)
    import_points([], path, "void")
    with AtlasIndex(path) as index:
        york, town, void = index.sources
        assert index.count == 3
        assert index.attribution == (
            "© OpenStreetMap contributors (ODbL 1.0); nobody; "
            "simulated places, not a real map"
        )
    assert (york.name, york.time, york.count) == ("york.csv", 1e9, 2)
    assert york.extent == Extent(south=40, west=-74, north=41, east=-73)
    assert (town.time, town.attribution) == (5.0, "nobody")
    assert (void.count, void.extent) == (0, None)


def test_importing_again_replaces_the_source_and_only_it(path: Path) -> None:
    import_points([poi("a1"), poi("a2")], path, "a")
    import_points([poi("b1")], path, "b")
    report = import_points([poi("a2", kind="zoo"), poi("a3")], path, "a")
    assert (report.count, report.removed, report.replaced) == (2, 2, 0)
    with AtlasIndex(path) as index:
        assert [p.id for p in index.near(1.0, 2.0, 1.0)] == ["a2", "a3", "b1"]
        assert index.kinds() == {"cafe": 2, "zoo": 1}
        assert index.search("a1") == []
        assert [p.id for p in index.search("a2")] == ["a2"]
    assert shadow(path) == (3, 3, 3)


def test_of_one_id_in_two_sources_the_later_import_says_what_is(path: Path) -> None:
    import_points([poi("node/1", kind="cafe"), poi("node/2")], path, "old")
    report = import_points([poi("node/1", 9.0, 9.0, kind="bank")], path, "new")
    assert report.replaced == 1
    with AtlasIndex(path) as index:
        assert [p.id for p in index.near(1.0, 2.0, 1.0)] == ["node/2"]
        point = index.get("node/1")
        assert point is not None
        assert point.kind == "bank"
        assert [source.count for source in index.sources] == [1, 1]
    assert shadow(path) == (2, 2, 2)


def test_a_failed_import_changes_nothing(path: Path) -> None:
    def broken() -> Iterator[PointOfInterest]:
        yield poi("new")
        yield poi("a1", kind="zoo")
        raise InputError("the disk hums", path="x")

    with pytest.raises(InputError):
        import_points(broken(), path, "a")
    assert list(path.parent.iterdir()) == []
    import_points([poi("a1"), poi("a2")], path, "a")
    before = path.read_bytes()
    for source in ("a", "b"):
        with pytest.raises(InputError):
            import_points(broken(), path, source)
        with pytest.raises(UsageError):
            import_points([poi("x"), poi("y", lat=float("nan"))], path, source)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_an_open_map_goes_on_during_an_import_and_then_sees_it(path: Path) -> None:
    import_points([poi("a")], path, "a")
    with AtlasIndex(path) as index:

        def points() -> Iterator[PointOfInterest]:
            for number in range(3000):
                yield poi(f"b{number}")
            assert index.count == 1

        import_points(points(), path, "b")
        assert index.count == 3001


def test_a_second_import_at_the_same_time_is_told(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trivet.atlas.schema.BUSY_S", 0.01)
    import_points([poi("a")], path, "a")
    with writing(path), pytest.raises(SetupError, match="locked"):
        import_points([poi("b")], path, "b")
    import_points([poi("b")], path, "b")
    with AtlasIndex(path) as index:
        assert index.count == 2


def test_progress_is_told_and_ends_with_the_count(path: Path) -> None:
    told: list[int] = []
    import_points((poi(f"{n}") for n in range(2500)), path, "a", progress=told.append)
    assert told == [1000, 2000, 2500]


@pytest.mark.parametrize("name", ["map.gpx", "map", "map.pbf.txt"])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, name: str) -> None:
    other = tmp_path / name
    other.write_text("x")
    with pytest.raises(InputError, match="its name ends in"):
        import_map(other, tmp_path / "index")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        import_map(tmp_path / "gone.csv", tmp_path / "index")
    with pytest.raises(InputError, match="no such file"):
        import_map(tmp_path, tmp_path / "index")


def test_an_index_in_no_folder_is_a_setup_error(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="cannot be made"):
        import_points([poi("a")], tmp_path / "no" / "index", "a")


@pytest.mark.parametrize("source", ["", " a", "a\nb"])
def test_a_source_has_a_name(path: Path, source: str) -> None:
    with pytest.raises(UsageError):
        import_points([poi("a")], path, source)

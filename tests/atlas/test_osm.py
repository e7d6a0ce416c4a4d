"""OpenStreetMap extracts: what becomes a place, where it stands, what is refused."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trivet.atlas import AtlasIndex, ImportReport, import_map
from trivet.atlas.kind import kind_of
from trivet.atlas.osm import OsmFile, centroid
from trivet.domain.error import InputError, SetupError
from trivet.domain.place import PointOfInterest

VILLAGE = Path(__file__).with_name("village.osm")


@pytest.fixture
def index_path(tmp_path: Path) -> Path:
    return tmp_path / "map.atlas"


@pytest.fixture
def report(index_path: Path) -> ImportReport:
    return import_map(VILLAGE, index_path)


def test_named_nodes_ways_and_relations_are_taken(report: ImportReport) -> None:
    assert report.taken == {
        "cafe": 1,
        "shop": 1,
        "station": 1,
        "mall": 1,
        "college": 1,
    }
    assert report.source == "village.osm"
    assert "OpenStreetMap" in report.attribution


def test_what_is_left_out_is_told_with_its_reason(report: ImportReport) -> None:
    assert report.skipped == {
        "no name": 2,
        "bad coordinate": 1,
        "not a whole area": 1,
    }
    assert set(report.examples) == {
        "no name: node/2",
        "no name: way/4",
        "bad coordinate: node/7",
        "not a whole area: way/2",
    }


def test_tags_that_matter_are_kept(report: ImportReport, index_path: Path) -> None:
    with AtlasIndex(index_path) as index:
        assert index.get("node/1") == PointOfInterest(
            "node/1",
            "Café Åse",
            "cafe",
            0.5,
            0.5,
            "Mo-Fr 08:00-17:00",
            "coffee_shop",
            24,
        )
        store = index.get("node/4")
        assert store is not None
        assert store.capacity == 0


def test_an_area_stands_at_the_centroid_of_its_largest_outline(
    report: ImportReport, index_path: Path
) -> None:
    with AtlasIndex(index_path) as index:
        for id in ("way/1", "relation/1"):
            area = index.get(id)
            assert area is not None
            assert (area.lat, area.lon) == pytest.approx((0.601, 0.601), abs=1e-7)


def square(south: float, west: float, side: float) -> list[tuple[float, float]]:
    edges = [(0.0, 0.0), (0.0, side), (side, side), (side, 0.0), (0.0, 0.0)]
    return [(south + lat, (west + lon + 180.0) % 360.0 - 180.0) for lat, lon in edges]


@pytest.mark.parametrize(
    ("ring", "middle"),
    [
        (square(10.0, 20.0, 0.01), (10.005, 20.005)),
        (square(10.0, 20.0, 0.01)[::-1], (10.005, 20.005)),
        # from one side of the antimeridian to the other
        (square(-17.0, 179.996, 0.01), (-16.995, -179.999)),
        # extra nodes on one edge do not pull it
        (
            [(0, 0), (0, 1e-3), (0, 2e-3), (0, 0.01), (0.01, 0.01), (0.01, 0), (0, 0)],
            (0.005, 0.005),
        ),
        # no area at all: a line there and back
        ([(1.0, 1.0), (1.0, 1.02), (1.0, 1.0)], (1.0, 1.0 + 0.02 / 3)),
    ],
)
def test_centroid(
    ring: Sequence[tuple[float, float]], middle: tuple[float, float]
) -> None:
    assert centroid([ring]) == pytest.approx(middle, abs=1e-6)


def test_centroid_of_an_l_leans_to_its_larger_arm() -> None:
    ring = [(0, 0), (0, 3), (1, 3), (1, 1), (2, 1), (2, 0), (0, 0)]
    lat, lon = centroid([[(lat / 1000, lon / 1000) for lat, lon in ring]])
    # arms of 3 and 1 units: (3 * 0.5 + 1 * 1.5) / 4 and (3 * 1.5 + 1 * 0.5) / 4
    assert (lat * 1000, lon * 1000) == pytest.approx((0.75, 1.25), abs=1e-6)


@pytest.mark.parametrize(
    ("tags", "kind"),
    [
        ({"amenity": "fast_food"}, "fast_food"),
        ({"amenity": "restaurant", "tourism": "hotel"}, "restaurant"),
        ({"amenity": "bench", "shop": "books"}, "books"),
        ({"shop": "yes"}, "shop"),
        ({"shop": "vacant"}, ""),
        ({"amenity": "Fast Food"}, "fast_food"),
        ({"amenity": "cafe; bar"}, "cafe"),
        ({"railway": "rail"}, ""),
        ({"aeroway": "terminal"}, "terminal"),
        ({"highway": "bus_stop"}, ""),
        ({}, ""),
    ],
)
def test_kind(tags: dict[str, str], kind: str) -> None:
    assert kind_of(tags) == kind


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("empty.osm.pbf", b""),
        ("empty.osm", b""),
        ("noise.osm.pbf", bytes(range(256)) * 40),
        ("noise.osm", b"\x00\xff\xfe" * 40),
        ("other.osm", b"<gpx version='1.1'><trk/></gpx>"),
        ("zip.osm.gz", b"PK\x03\x04 not gzip"),
        ("bomb.osm", b'<!DOCTYPE o [<!ENTITY a "b">]><osm version="0.6">&a;</osm>'),
        ("nan.osm", b'<osm version="0.6"><node id="1" lat="NaN" lon="5"/></osm>'),
        ("id.osm", b'<osm version="0.6"><node id="9e99" lat="5" lon="5"/></osm>'),
        ("bare.osm", b'<osm version="0.6"><node id="1" lat="5" lon="5"/></osm>'),
    ],
)
def test_what_is_no_extract_is_refused_by_name(
    tmp_path: Path, index_path: Path, name: str, data: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        import_map(path, index_path)
    assert caught.value.path == str(path)
    assert not index_path.exists()


def test_truncated_xml_names_its_last_line(tmp_path: Path, index_path: Path) -> None:
    path = tmp_path / "cut.osm"
    text = VILLAGE.read_text(encoding="utf-8")
    path.write_text(text[: text.index("<way")], encoding="utf-8")
    with pytest.raises(InputError, match=r"cut\.osm:") as caught:
        import_map(path, index_path)
    assert caught.value.line > 30
    assert not index_path.exists()


@given(cut=st.integers(1, 2000), flips=st.lists(st.integers(0, 5000), max_size=6))
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_a_damaged_extract_is_refused_or_read_never_worse(
    tmp_path: Path, cut: int, flips: list[int]
) -> None:
    data = bytearray(VILLAGE.read_bytes()[:-cut])
    for flip in flips:
        data[flip % len(data)] ^= 1 << flip % 8
    path = tmp_path / "damaged.osm"
    path.write_bytes(data)
    with suppress(InputError):
        list(OsmFile(path).places())


def test_without_osmium_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, index_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "osmium", None)
    with pytest.raises(SetupError, match=r"pip install 'trivet\[map\]'"):
        import_map(VILLAGE, index_path)


def test_the_extracts_own_date_is_the_sources(tmp_path: Path) -> None:
    osmium = pytest.importorskip("osmium")
    path = tmp_path / "dated.osm.pbf"
    header = osmium.io.Header()
    header.set("osmosis_replication_timestamp", "2026-01-02T03:04:05Z")
    with osmium.SimpleWriter(str(path), header=header) as writer:
        writer.add_node(
            osmium.osm.mutable.Node(
                id=1, location=(5.0, 6.0), tags={"name": "x", "shop": "toys"}
            )
        )
    import_map(path, tmp_path / "index")
    with AtlasIndex(tmp_path / "index") as index:
        (source,) = index.sources
        assert source.time == 1767323045.0
        assert index.kinds() == {"toys": 1}


def test_every_cut_of_a_pbf_is_refused(tmp_path: Path) -> None:
    """Its last block is not whole: an error, not a smaller map."""
    osmium = pytest.importorskip("osmium")
    whole = tmp_path / "whole.osm.pbf"
    with osmium.SimpleWriter(str(whole)) as writer:
        for id in range(1, 50):
            writer.add_node(
                osmium.osm.mutable.Node(
                    id=id, location=(5.0, 6.0), tags={"name": f"{id}", "shop": "toys"}
                )
            )
    data = whole.read_bytes()
    assert len(list(OsmFile(whole).places())) == 49
    path = tmp_path / "cut.osm.pbf"
    for size in (1, 20, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:size])
        with pytest.raises(InputError):
            list(OsmFile(path).places())

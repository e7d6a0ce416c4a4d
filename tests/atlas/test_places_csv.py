"""Tables of places: columns in any order, faults told by line."""

from __future__ import annotations

import lzma
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trivet.atlas import AtlasIndex, import_map
from trivet.atlas.places_csv import MAX_LINE, read_places
from trivet.atlas.point import Skip
from trivet.domain.error import InputError
from trivet.domain.place import PointOfInterest

HEAD = "osm_id,name,fclass,lon,lat\n"


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8", newline="")
    return path


def test_rows_become_points(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv",
        HEAD
        + '1,"Science, Art",college,-74.1,40.5\n'
        + "2,Stonewall Inn, ,-74.0,40.7\n"
        + "3,Depot,Clothing Store,1e1,-0\n",
    )
    assert list(read_places(path)) == [
        PointOfInterest("osm/1", "Science, Art", "college", 40.5, -74.1),
        PointOfInterest("osm/2", "Stonewall Inn", "unknown", 40.7, -74.0),
        PointOfInterest("osm/3", "Depot", "clothing_store", 0.0, 10.0),
    ]


def test_columns_come_in_any_order_with_more_of_them(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv",
        "\ufefflat, lon ,code,capacity,cuisine,opening_hours,fclass,name,osm_id\r\n"
        "40,-74,2301,30,pizza,24/7,restaurant,Joe's,9\r\n",
    )
    assert list(read_places(path)) == [
        PointOfInterest("osm/9", "Joe's", "restaurant", 40, -74, "24/7", "pizza", 30)
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1,,cafe,1,2", "no name"),
        ("1, \t,cafe,1,2", "no name"),
        (",Joe,cafe,1,2", "no id"),
        ("1,Joe,cafe,NaN,2", "bad coordinate"),
        ("1,Joe,cafe,1,inf", "bad coordinate"),
        ("1,Joe,cafe,1,90.01", "bad coordinate"),
        ("1,Joe,cafe,-180.5,2", "bad coordinate"),
        ("1,Joe,cafe,east,2", "bad coordinate"),
        ("1,Joe,cafe,,", "bad coordinate"),
        ("1,Joe,cafe,1", "not 5 columns"),
        ("1,Joe,cafe,1,2,3", "not 5 columns"),
    ],
)
def test_a_row_that_is_no_place_is_told_with_its_line(
    tmp_path: Path, row: str, reason: str
) -> None:
    good = "7,Ann,bar,1,2\n"
    path = write(tmp_path / "a.csv", HEAD + good + "\n" + row + "\n" + good)
    skips = [thing for thing in read_places(path) if isinstance(thing, Skip)]
    assert [(skip.reason, skip.line) for skip in skips] == [(reason, 4)]
    report = import_map(path, tmp_path / "index")
    assert report.skipped == {reason: 1, "an id seen before": 1}
    assert f"{reason}: line 4" in report.examples
    assert report.count == 1


def test_nothing_but_bad_rows_is_an_error_that_names_the_first(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", HEAD + "1,Joe,cafe,NaN,2\n2,Jim,cafe,3,NaN\n")
    with pytest.raises(InputError, match="bad coordinate") as caught:
        import_map(path, tmp_path / "index")
    assert (caught.value.path, caught.value.line) == (str(path), 2)
    assert not (tmp_path / "index").exists()


@pytest.mark.parametrize(
    ("name", "data", "line"),
    [
        ("empty.csv", b"", 0),
        ("head.csv", HEAD.encode(), 0),
        ("other.csv", b"a,b,c\n1,2,3\n", 1),
        ("no_lat.csv", b"osm_id,name,fclass,lon\n1,x,cafe,3\n", 1),
        ("noise.csv", bytes(range(256)) * 9, 1),
        ("latin.csv", HEAD.encode() + b"1,Caf\xe9,cafe,1,2\n", 2),
        ("open.csv", HEAD.encode() + b'1,Joe,bar,1,2\n2,"Joe,bar,1,2\n', 3),
        ("endless.csv", HEAD.encode() + b"x" * (MAX_LINE + 1), 2),
        ("noise.csv.xz", bytes(range(256)) * 9, 1),
        ("cut.csv.xz", lzma.compress(HEAD.encode() * 99)[:-20], 100),
    ],
)
def test_what_is_no_table_is_refused_by_name_and_line(
    tmp_path: Path, name: str, data: bytes, line: int
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        import_map(path, tmp_path / "index")
    assert caught.value.path == str(path)
    assert caught.value.line == line
    assert not (tmp_path / "index").exists()


def test_compressed_and_plain_are_the_same(tmp_path: Path) -> None:
    text = HEAD + "1,Åse,cafe,1,2\n"
    plain = write(tmp_path / "a.csv", text)
    packed = tmp_path / "a.csv.xz"
    packed.write_bytes(lzma.compress(text.encode()))
    assert list(read_places(packed)) == list(read_places(plain))


@given(
    st.one_of(
        st.binary(max_size=300),
        st.text(alphabet='0123456789.,-"\r\nabc\x00é', max_size=200).map(
            lambda body: (HEAD + body).encode()
        ),
    )
)
@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_bytes_are_read_or_refused_never_worse(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    with suppress(InputError):
        for thing in read_places(path):
            if isinstance(thing, Skip):
                continue
            assert -90 <= thing.lat <= 90
            assert -180 <= thing.lon <= 180
            assert thing.name
            assert thing.kind


def test_names_are_one_line_of_bounded_length(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv", HEAD + f'1," Joe\n\x07 Bar ",pub,1,2\n2,{"x" * 999},pub,1,2'
    )
    report = import_map(path, tmp_path / "index")
    assert report.count == 2
    with AtlasIndex(tmp_path / "index") as index:
        assert [len(p.name) for p in index.near(2.0, 1.0, 1.0)] == [7, 255]

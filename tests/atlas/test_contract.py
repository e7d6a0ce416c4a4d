"""What every map promises, on disk and in memory: one class, two maps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from math import inf, nan
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from trivet.atlas import AtlasIndex, MemoryAtlas, import_points
from trivet.domain.error import UsageError
from trivet.domain.geo import EARTH_RADIUS_M, distance_m, offset
from trivet.domain.place import PointOfInterest
from trivet.engine.situation import Atlas

Map: TypeAlias = AtlasIndex | MemoryAtlas
Build: TypeAlias = Callable[[Sequence[PointOfInterest]], Map]

HELSINKI = (60.1699, 24.9384)


def poi(
    id: str, lat: float, lon: float, kind: str = "cafe", name: str = ""
) -> PointOfInterest:
    return PointOfInterest(id, name or f"Place {id}", kind, lat, lon)


def ids(points: Sequence[PointOfInterest]) -> list[str]:
    return [point.id for point in points]


@pytest.fixture(params=["index", "memory"])
def build(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Build]:
    with ExitStack() as stack:
        made = 0

        def on_disk(points: Sequence[PointOfInterest]) -> Map:
            nonlocal made
            made += 1
            path = tmp_path / f"{made}.atlas"
            import_points(points, path, "town", attribution="the town")
            return stack.enter_context(AtlasIndex(path))

        def in_memory(points: Sequence[PointOfInterest]) -> Map:
            return MemoryAtlas(points, "the town")

        yield on_disk if request.param == "index" else in_memory


class TestNear:
    def test_nearest_comes_first_with_its_distance(self, build: Build) -> None:
        lat, lon = HELSINKI
        spots = {
            name: offset(lat, lon, east, 0.0)
            for name, east in (("c", 900.0), ("a", 100.0), ("b", -500.0))
        }
        found = build([poi(id, *where) for id, where in spots.items()]).near(
            lat, lon, 1000.0
        )
        assert ids(found) == ["a", "b", "c"]
        for point in found:
            assert point.distance_m == distance_m(lat, lon, point.lat, point.lon)

    def test_radius_is_of_a_circle_not_of_a_box(self, build: Build) -> None:
        lat, lon = HELSINKI
        corner = offset(lat, lon, 800.0, 800.0)
        assert build([poi("corner", *corner)]).near(lat, lon, 1000.0) == []

    def test_point_on_the_rim_is_within(self, build: Build) -> None:
        lat, lon = HELSINKI
        there = offset(lat, lon, 300.0, -400.0)
        rim_m = distance_m(lat, lon, *there)
        town = build([poi("rim", *there)])
        assert ids(town.near(lat, lon, rim_m)) == ["rim"]
        assert town.near(lat, lon, rim_m - 0.001) == []

    def test_radius_zero_finds_what_is_exactly_there(self, build: Build) -> None:
        assert ids(build([poi("here", *HELSINKI)]).near(*HELSINKI, 0.0)) == ["here"]

    def test_limit_keeps_the_nearest(self, build: Build) -> None:
        lat, lon = HELSINKI
        row = [poi(f"{n:02}", *offset(lat, lon, 50.0 * n, 0)) for n in range(40)]
        town = build(row[::-1])
        assert ids(town.near(lat, lon, 5000.0, limit=7)) == ids(row[:7])
        assert town.near(lat, lon, 5000.0, limit=0) == []
        assert len(town.near(lat, lon, 5000.0)) == 40

    def test_kinds_choose_and_none_means_all(self, build: Build) -> None:
        lat, lon = HELSINKI
        town = build(
            [
                poi("c", *offset(lat, lon, 10, 0), kind="cafe"),
                poi("r", *offset(lat, lon, 20, 0), kind="restaurant"),
                poi("f", *offset(lat, lon, 4000, 0), kind="fuel"),
            ]
        )
        assert ids(town.near(lat, lon, 9000)) == ["c", "r", "f"]
        assert ids(town.near(lat, lon, 9000, {"fuel", "cafe"})) == ["c", "f"]
        assert ids(town.near(lat, lon, 9000, ("fuel",), limit=1)) == ["f"]
        assert town.near(lat, lon, 9000, ("zoo", "\ud800")) == []

    @pytest.mark.parametrize(
        ("here", "there"),
        [
            ((10.0, 179.9999), (10.0, -179.9999)),
            ((10.0, -179.9999), (10.0, 179.9999)),
            ((-16.5, 180.0), (-16.5, -180.0)),
            ((89.9999, 0.0), (89.9999, 180.0)),
            ((-89.9999, 45.0), (-89.9999, -135.0)),
            ((90.0, 0.0), (89.9999, 77.0)),
        ],
    )
    def test_neighbours_across_the_antimeridian_and_the_poles(
        self, build: Build, here: tuple[float, float], there: tuple[float, float]
    ) -> None:
        town = build([poi("there", *there), poi("far", 0.0, 0.0)])
        assert ids(town.near(*here, 100.0)) == ["there"]
        assert ids(town.near(*here, 100.0, ("cafe",))) == ["there"]

    def test_any_radius_reaches_the_antipode_and_no_further(self, build: Build) -> None:
        town = build([poi("antipode", 0.0, 180.0), poi("pole", 90.0, 0.0)])
        assert ids(town.near(0.0, 0.0, inf)) == ["pole", "antipode"]
        assert ids(town.near(0.0, 0.0, 2.0 * EARTH_RADIUS_M)) == ["pole"]

    @pytest.mark.parametrize(
        "question",
        [
            (nan, 0.0, 10.0),
            (91.0, 0.0, 10.0),
            (0.0, -180.1, 10.0),
            (0.0, inf, 10.0),
            (0.0, 0.0, -1.0),
            (0.0, 0.0, nan),
            (0.0, 0.0, 10.0, "cafe"),
            (0.0, 0.0, 10.0, (), -1),
        ],
    )
    def test_impossible_question_is_the_callers_fault(
        self, build: Build, question: tuple[float, float, float]
    ) -> None:
        with pytest.raises(UsageError):
            build([]).near(*question)


class TestSearch:
    @pytest.mark.parametrize(
        "asked", ["café zoë", "CAFE ZOE", "zoe cafe", "ca zo", " zoe, café! ", "zoes"]
    )
    def test_case_accents_and_order_do_not_matter(
        self, build: Build, asked: str
    ) -> None:
        town = build([poi("1", 0, 0, name="Café Zoë's"), poi("2", 0, 0, name="Zoo")])
        assert ids(town.search(asked)) == ["1"]

    def test_the_shortest_name_comes_first(self, build: Build) -> None:
        names = ["The Park Inn", "Park Lane", "Parking", "Park", "Sparks"]
        town = build([poi(n, 0, 0, name=n) for n in names])
        assert ids(town.search("park")) == [
            "Park",
            "Parking",
            "Park Lane",
            "The Park Inn",
        ]
        assert ids(town.search("park", limit=1)) == ["Park"]

    @pytest.mark.parametrize("asked", ["", "  ", "-&!", "'", "\x00", "\ud800"])
    def test_no_words_find_nothing(self, build: Build, asked: str) -> None:
        assert build([poi("1", 0, 0)]).search(asked) == []

    def test_endless_question_is_answered(self, build: Build) -> None:
        assert build([poi("1", 0, 0)]).search("pl " * 5000) != []

    def test_negative_limit_is_the_callers_fault(self, build: Build) -> None:
        with pytest.raises(UsageError):
            build([]).search("x", -1)


class TestWhole:
    def test_it_is_the_engines_atlas(self, build: Build) -> None:
        town: Atlas = build([poi("1", *HELSINKI)])
        assert town.attribution == "the town"
        assert ids(town.near(*HELSINKI, 1.0)) == ["1"]

    def test_get_gives_back_what_was_put_in(self, build: Build) -> None:
        full = PointOfInterest(
            "node/1", "Ravintola Ö", "restaurant", 60.0, 24.0, "Mo-Su", "sushi", 40
        )
        town = build([full])
        assert town.get("node/1") == full
        assert town.get("node/2") is None
        assert town.get("\ud800") is None

    def test_counts_are_by_kind_most_first(self, build: Build) -> None:
        town = build(
            [poi("1", 0, 0, "bar"), poi("2", 0, 0, "zoo"), poi("3", 0, 0, "zoo")]
        )
        assert list(town.kinds().items()) == [("zoo", 2), ("bar", 1)]
        assert town.count == 3

    def test_empty_map_answers(self, build: Build) -> None:
        town = build([])
        assert (town.count, town.kinds(), town.search("x")) == (0, {}, [])
        assert town.near(0.0, 0.0, inf) == []

    def test_of_two_points_with_one_id_the_first_stays(self, build: Build) -> None:
        town = build([poi("1", 0, 0, name="First"), poi("1", 5, 5, name="Second")])
        assert [p.name for p in town.near(0, 0, inf)] == ["First"]

    @pytest.mark.parametrize(
        "bad",
        [
            poi("1", nan, 0.0),
            poi("1", 0.0, inf),
            poi("1", -90.5, 0.0),
            poi("", 0.0, 0.0),
            poi("1", 0.0, 0.0, kind=""),
            poi("1", 0.0, 0.0, name="\t \x00"),
        ],
    )
    def test_impossible_point_is_refused(
        self, build: Build, bad: PointOfInterest
    ) -> None:
        with pytest.raises(UsageError):
            build([bad])


LATS = st.one_of(st.floats(-90, 90), st.sampled_from([-90.0, -89.99, 0.0, 89.99, 90.0]))
LONS = st.one_of(
    st.floats(-180, 180), st.sampled_from([-180.0, -179.99, 0.0, 179.99, 180.0])
)
KINDS = st.sampled_from(["cafe", "bar", "zoo"])


@given(
    where=st.lists(st.tuples(LATS, LONS, KINDS), max_size=12),
    names=st.lists(st.text(min_size=1, max_size=8), min_size=12, max_size=12),
    here=st.tuples(LATS, LONS),
    radius_m=st.floats(0.0, 2.1e7),
    kinds=st.sets(KINDS),
    limit=st.integers(0, 12),
    asked=st.text(max_size=4),
)
@example([(90.0, 0.0, "zoo")], ["ßa ﬁ"] * 12, (90.0, 180.0), 0.0, set(), 3, "ss FI")
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_the_index_answers_as_a_scan_does(
    tmp_path: Path,
    where: list[tuple[float, float, str]],
    names: list[str],
    here: tuple[float, float],
    radius_m: float,
    kinds: set[str],
    limit: int,
    asked: str,
) -> None:
    points = [
        poi(f"node/{number}", lat, lon, kind, name if name.isprintable() else "x")
        for number, ((lat, lon, kind), name) in enumerate(
            zip(where, names, strict=False)
        )
        if name.strip()
    ]
    path = tmp_path / "law.atlas"
    import_points(points, path, "town")
    scan = MemoryAtlas(points)
    with AtlasIndex(path) as index:
        assert index.near(*here, radius_m, kinds, limit) == scan.near(
            *here, radius_m, kinds, limit
        )
        assert index.search(asked, limit) == scan.search(asked, limit)
        assert index.kinds() == scan.kinds()
        assert [index.get(p.id) for p in points] == [scan.get(p.id) for p in points]

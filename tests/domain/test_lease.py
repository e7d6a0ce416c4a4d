"""A lease's patterns: which paths they stand for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivet.domain.lease import matches

PARTS = st.lists(st.from_regex(r"\A[a-z_-]{1,6}\Z"), min_size=1, max_size=5)


@pytest.mark.parametrize(
    ("pattern", "path", "is_one"),
    [
        ("location", "location", True),
        ("location", "location.x", False),
        ("lock.*", "lock.front_door", True),
        ("lock.*", "lock", False),
        ("lock.*", "lock.front.door", False),
        ("Vehicle.**", "Vehicle.Cabin.Door.IsOpen", True),
        ("Vehicle.**", "Vehicle", False),
        ("Vehicle.**", "VehicleX.Speed", False),
        ("Vehicle.*.Speed", "Vehicle.A.Speed", True),
        ("**", "anything", True),
        ("*", "any.thing", False),
    ],
)
def test_a_pattern_stands_for_its_paths(pattern: str, path: str, is_one: bool) -> None:
    assert matches(pattern, path) is is_one


@given(PARTS)
def test_a_path_stands_for_itself_and_everything_for_it(parts: list[str]) -> None:
    path = ".".join(parts)
    assert matches(path, path)
    assert matches("**", path)
    assert matches(".".join("*" for _ in parts), path)
    assert not matches(f"{path}.**", path)

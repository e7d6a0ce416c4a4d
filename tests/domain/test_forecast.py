"""A forecast says whether it is sure."""

from __future__ import annotations

import pytest

from trivet.domain import Candidate, Forecast


@pytest.mark.parametrize(
    ("place", "probability", "is_sure"),
    [("p1", 0.9, True), ("p1", 0.51, True), ("p1", 0.5, False), ("", 0.9, False)],
)
def test_one_place_is_named_only_when_it_is_likelier_than_all_else(
    place: str, probability: float, is_sure: bool
) -> None:
    rest = Candidate("p2", "there", 1.0 - probability)
    best = Candidate(place, "here", probability)
    assert Forecast("ada", 10.0, 5.0, "", (best, rest)).is_sure is is_sure

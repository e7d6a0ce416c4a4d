"""Laws of moving in time."""

from __future__ import annotations

import pytest

from trivet.app.web.scrubber import moment, steps

SPAN = (1000.0, 1000.0 + 90 * 60.0 + 5.0)


def test_the_slider_covers_the_span() -> None:
    assert steps(SPAN) == 91
    assert steps((5.0, 5.0)) == 1


def test_its_begin_is_the_oldest_and_its_end_the_present() -> None:
    assert moment(0, SPAN) == 1000.0
    assert moment(90, SPAN) == 1000.0 + 5400.0
    assert moment(91, SPAN) is None


@pytest.mark.parametrize("value", [-1, 1e9, float("nan"), "12", None, True, {"a": 1}])
def test_a_value_from_a_browser_gone_wrong_is_the_present(value: object) -> None:
    assert moment(value, SPAN) is None

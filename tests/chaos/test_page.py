"""A run's table goes where the page has room for it, and touches nothing else."""

from __future__ import annotations

import pytest
from scripts.chaos.page import put

PAGE = "# Chaos\n<!-- run -->\nold\n<!-- /run -->\nafter\n"


def test_the_last_run_takes_the_place_of_the_one_before() -> None:
    once = put(PAGE, "new\n")
    assert once == "# Chaos\n<!-- run -->\nnew\n<!-- /run -->\nafter\n"
    assert put(once, "new") == once


def test_a_page_without_room_is_not_touched() -> None:
    with pytest.raises(ValueError, match="has no"):
        put("# Chaos\n<!-- run -->\n", "new")

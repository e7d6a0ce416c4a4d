"""Laws of leaving out: only what is named, only within, and nothing that is in use."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from importlib import import_module

import pytest

from trivet.app.web.absent import absent

PAGE = """
import sys
from trivet.app.web.absent import absent
with absent("aiohttp", "requests"):
    import trivet.app.web.page
assert not {"aiohttp", "requests"} & set(sys.modules)
import aiohttp
"""


def test_what_is_left_out_cannot_be_imported_within_and_can_be_after() -> None:
    sys.modules.pop("colorsys", None)
    with absent("colorsys"), pytest.raises(ImportError):
        import_module("colorsys")
    assert import_module("colorsys").rgb_to_hsv


def test_what_is_in_use_stays() -> None:
    with absent("json"):
        assert import_module("json").dumps([]) == "[]"
    assert "json" in sys.modules


def test_a_failure_within_leaves_nothing_blocked() -> None:
    sys.modules.pop("colorsys", None)
    with suppress(KeyError), absent("colorsys"):
        raise KeyError
    assert import_module("colorsys").rgb_to_hsv


def test_the_page_needs_no_client_of_its_own() -> None:
    subprocess.run([sys.executable, "-c", PAGE], check=True, timeout=60)

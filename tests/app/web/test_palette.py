"""Laws of the palette: whatever stands on something can be read there."""

from __future__ import annotations

import re

import pytest

from trivet.app.web.page import STATIC
from trivet.app.web.palette import DARK, LIGHT, SHAPES, TEXT, contrast, variables


def test_contrast_of_black_on_white_is_21() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_text_meets_aa(palette: dict[str, str]) -> None:
    weak = {
        pair: contrast(palette[pair[0]], palette[pair[1]])
        for pair in TEXT
        if contrast(palette[pair[0]], palette[pair[1]]) < 4.5
    }
    assert not weak


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_shapes_are_told_from_what_is_behind(palette: dict[str, str]) -> None:
    weak = {
        pair: contrast(palette[pair[0]], palette[pair[1]])
        for pair in SHAPES
        if contrast(palette[pair[0]], palette[pair[1]]) < 3.0
    }
    assert not weak


def test_both_palettes_name_the_same_colours() -> None:
    assert LIGHT.keys() == DARK.keys()


def test_the_style_sheet_uses_the_palette_alone() -> None:
    """No colour is written by hand, and every colour is declared and used."""
    css = (STATIC / "page.css").read_text()
    used = {part.split(")")[0] for part in css.split("var(--")[1:]} - {"u"}
    assert used == LIGHT.keys()
    assert not re.findall(r":[^;{}]*#[0-9a-fA-F]{3,8}[;\s}]", css)
    assert variables().count("--ink:") == 4

"""Documents name tests and documents that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md"]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.fixture(scope="module")
def defined() -> set[str]:
    """Names of all test functions."""
    return {
        node.name
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_every_test_that_is_named_exists(path: Path, defined: set[str]) -> None:
    named = set(re.findall(r"`(test_[a-z]\w+)`", path.read_text()))
    assert sorted(named - defined) == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_every_document_that_is_linked_exists(path: Path) -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]+)\)", path.read_text())
    assert [link for link in links if not (path.parent / link).exists()] == []

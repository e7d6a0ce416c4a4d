"""docs/security.md names tests that exist, and enough of them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "security.md").read_text()
NAMED = re.findall(r"`(test_\w+)`", TEXT)


def defined() -> set[str]:
    """Names of all test functions."""
    found = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found.add(node.name)
    return found


def test_every_test_that_is_named_exists() -> None:
    assert sorted(set(NAMED) - defined()) == []


def test_every_threat_names_a_test() -> None:
    section = TEXT.split("## Threats")[1].split("##")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 25
    assert [row for row in rows if "`test_" not in row] == []


def test_at_least_25_attacks_are_named() -> None:
    assert len({name for name in NAMED if name.startswith("test_attack_")}) >= 25


def test_every_document_that_is_linked_exists() -> None:
    links = re.findall(r"\]\((?!https://)([^)#]+)\)", TEXT)
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []

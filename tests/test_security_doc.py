"""docs/security.md names enough tests; that they exist is for test_docs.py."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "security.md").read_text()
NAMED = re.findall(r"`(test_\w+)`", TEXT)


def test_every_threat_names_a_test() -> None:
    section = TEXT.split("## Threats")[1].split("##")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 25
    assert [row for row in rows if "`test_" not in row] == []


def test_at_least_25_attacks_are_named() -> None:
    assert len({name for name in NAMED if name.startswith("test_attack_")}) >= 25

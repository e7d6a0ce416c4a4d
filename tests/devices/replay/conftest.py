"""What every reader's tests start from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from trivet.devices.replay import Options, Report, detect
from trivet.domain import Sample

Write = Callable[[str, str | bytes], Path]
Lived = Callable[..., list[Sample]]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file of that name and content."""

    def make(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return make


@pytest.fixture
def report() -> Report:
    return Report()


@pytest.fixture
def lived(report: Report) -> Lived:
    """All samples of a file in its own order; the test's `report` is filled."""

    def read(path: Path, **options: object) -> list[Sample]:
        chosen = Options(**options)  # type: ignore[arg-type]
        return list(detect(path).read(path, report, chosen))

    return read

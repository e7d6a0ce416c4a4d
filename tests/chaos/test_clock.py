"""A clock of one process is moved while it runs; the monotonic one is left alone."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from scripts.chaos import clock

REPOSITORY = Path(__file__).parent.parent.parent
TELLER = "tests.chaos.teller"


@pytest.mark.parametrize("is_native", [True, False])
def test_a_wall_clock_jumps_and_comes_back(tmp_path: Path, is_native: bool) -> None:
    library = clock.build(tmp_path) if is_native else None
    if is_native and library is None:
        pytest.skip("there is no C compiler")
    file = tmp_path / "offset"
    clock.set_offset(file, 0)
    words, besides = clock.command(TELLER, file, library)
    with subprocess.Popen(
        words,
        cwd=REPOSITORY,
        env={**os.environ, **besides},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as teller:
        assert teller.stdin is not None
        assert teller.stdout is not None
        for offset_s in (0, 3600, -3600, 0):
            clock.set_offset(file, offset_s)
            teller.stdin.write("tell\n")
            teller.stdin.flush()
            wall_s, native_s, monotonic_s = map(float, teller.stdout.readline().split())
            assert abs(wall_s - offset_s) < 60.0
            assert abs(native_s - (offset_s if is_native else 0)) < 60.0
            assert abs(monotonic_s) < 60.0
        teller.stdin.close()

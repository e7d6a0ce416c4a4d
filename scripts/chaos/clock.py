"""A wall clock that can be moved, for one process alone.

The best way is clock.c, preloaded: all of the process sees the jump, TLS and SQLite
too. Where there is no C compiler, `python -m scripts.chaos.clock MODULE ...` runs a
module with a moved `time.time`; `datetime.now` and native code then see the true time.
"""

from __future__ import annotations

import os
import runpy
import shutil
import struct
import subprocess
import sys
import time
from pathlib import Path

VARIABLE = "CHAOS_CLOCK"
_SOURCE = Path(__file__).with_name("clock.c")


def set_offset(path: Path, offset_s: int) -> None:
    """Move the clock that looks at this file, by so much from the true time."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.pwrite(handle, struct.pack("=q", offset_s), 0)
    finally:
        os.close(handle)


def build(folder: Path) -> Path | None:
    """The library to preload, made in a folder; None where there is no compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    made = folder / "clock.so"
    command = [compiler, "-shared", "-fPIC", "-O2", "-o", str(made), str(_SOURCE)]
    done = subprocess.run([*command, "-ldl"], capture_output=True, check=False)
    return made if done.returncode == 0 else None


def command(
    module: str, path: Path, library: Path | None
) -> tuple[list[str], dict[str, str]]:
    """How a module is run under a clock: the command, and its environment besides."""
    here = {VARIABLE: str(path)}
    if library is not None:
        return [sys.executable, "-m", module], here | {"LD_PRELOAD": str(library)}
    return [sys.executable, "-m", "scripts.chaos.clock", module], here


def _install(path: Path) -> None:
    true = time.time

    def moved() -> float:
        return float(true() + struct.unpack("=q", path.read_bytes()[:8])[0])

    time.time = moved


if __name__ == "__main__":
    _install(Path(os.environ[VARIABLE]))
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)

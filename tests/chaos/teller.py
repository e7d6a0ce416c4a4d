"""Tells, for each line that it reads, how far its clocks are from those of a file.

The true time comes from a file's time stamp, which the kernel makes and nobody moves.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import datetime
from pathlib import Path
from time import monotonic, time

BEGAN = monotonic()


def true_time() -> float:
    """Seconds since 1970, by the kernel."""
    with tempfile.NamedTemporaryFile() as file:
        return Path(file.name).stat().st_mtime


if __name__ == "__main__":
    for _ in sys.stdin:
        true = true_time()
        native = datetime.now().timestamp() - true
        sys.stdout.write(f"{time() - true} {native} {monotonic() - BEGAN}\n")
        sys.stdout.flush()

"""What a device must carry: size on disk, time to help."""

from __future__ import annotations

import subprocess
import sys
import time
from importlib.metadata import distribution, requires
from pathlib import Path

from packaging.requirements import Requirement


def rows() -> list[tuple[str, float, str]]:
    """Name, value and unit of each figure."""
    return [
        ("trivet and what it needs on a device", size_mb("trivet", set(), ""), "MB"),
        (
            "  with the page, the map and the readers",
            size_mb("trivet", set(), "all"),
            "MB",
        ),
        ("a bare Python starts in", best_s(["-c", "pass"]), "s"),
        ("trivet --help", best_s(["-m", "trivet.app.cli.main", "--help"]), "s"),
    ]


def size_mb(name: str, seen: set[str], extra: str) -> float:
    """Installed size of a distribution and all that it requires."""
    if name.lower() in seen:
        return 0.0
    seen.add(name.lower())
    files = distribution(name).files or []
    paths = {Path(str(f.locate())) for f in files}
    total = sum(p.stat().st_size for p in paths if p.is_file()) / 1e6
    for line in requires(name) or []:
        need = Requirement(line)
        wanted = need.marker is None or need.marker.evaluate({"extra": extra})
        if wanted:
            extras = next(iter(need.extras), "") if need.name == "trivet" else ""
            if need.name == "trivet":
                seen.discard("trivet")
                for one in need.extras or {""}:
                    seen.discard("trivet")
                    total += size_mb("trivet", seen, one)
            else:
                total += size_mb(need.name, seen, extras)
    return total


def best_s(arguments: list[str]) -> float:
    """Least real seconds of five runs of Python."""
    times = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
        times.append(time.perf_counter() - start)
    return min(times)

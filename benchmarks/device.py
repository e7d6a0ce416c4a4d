"""What a device must carry: size on disk, time to help, memory of a node."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from importlib.metadata import distribution, requires
from pathlib import Path

import psutil
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
        *demo(),
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


def demo() -> list[tuple[str, float, str]]:
    """Time to the page, memory of each node, and time to end."""
    command = [sys.executable, "-m", "trivet.app.cli.main", "demo", "--port", "0"]
    with tempfile.TemporaryFile() as out:
        start = time.perf_counter()
        running = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        while True:
            out.seek(0)
            if b"The page is at" in out.read():
                break
            if running.poll() is not None:
                sys.exit("the demo ended before its page was there")
            time.sleep(0.02)
        page_s = time.perf_counter() - start
        time.sleep(5)
        nodes = psutil.Process(running.pid).children()
        memory = sorted(n.memory_info().rss / 1e6 for n in nodes)
        start = time.perf_counter()
        running.terminate()
        running.wait(10)
        end_s = time.perf_counter() - start
    return [
        ("demo: from the command to the page", page_s, "s"),
        ("demo: memory of the largest node (home, with the page)", memory[-1], "MB"),
        ("demo: memory of the smallest node", memory[0], "MB"),
        ("demo: from Ctrl-C to the end of all processes", end_s, "s"),
    ]

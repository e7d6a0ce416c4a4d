"""What the demo asks of a person: seconds to the first frame, and to the end.

    python -m benchmarks demo

Best of two, for other work on the machine only adds. The first frame has come when
the page that the URL names is read whole: it carries the frame. The past has been
learned when the page says so.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import tempfile
import time
from urllib.request import urlopen

import psutil

RUNS = 2
PATIENCE_S = 60.0
_COMMAND = (sys.executable, "-m", "trivet.app.cli.main", "demo", "--port", "0")


def run() -> tuple[float, float, float, list[float]]:
    """Seconds to the first frame, to the past learned, to the end; MB of each node."""
    with tempfile.TemporaryFile() as out:
        begun = time.perf_counter()
        running = subprocess.Popen(_COMMAND, stdout=out, stderr=subprocess.STDOUT)
        try:
            while True:
                out.seek(0)
                said = out.read().decode()
                if found := re.search(r"The page is at (http\S+)", said):
                    break
                if running.poll() is not None:
                    sys.exit(f"the demo ended before its page was there: {said}")
                time.sleep(0.01)
            page = urlopen(found[1]).read().decode()
            frame_s = time.perf_counter() - begun
            while "days learned" not in page:
                if time.perf_counter() - begun > PATIENCE_S:
                    sys.exit("the demo does not learn its past")
                time.sleep(0.25)
                page = urlopen(found[1]).read().decode()
            learned_s = time.perf_counter() - begun
            time.sleep(1.0)
            nodes = psutil.Process(running.pid).children()
            memory_mb = sorted(node.memory_full_info().uss / 1e6 for node in nodes)
            ending = time.perf_counter()
            running.send_signal(signal.SIGINT)
            running.wait(PATIENCE_S)
            return frame_s, learned_s, time.perf_counter() - ending, memory_mb
        finally:
            running.kill()


def rows() -> list[tuple[str, float, str]]:
    """Name, value and unit of each figure."""
    runs = [run() for _ in range(RUNS)]
    frames, learned, ends, memories = zip(*runs, strict=True)
    return [
        ("demo: from the command to the first frame", min(frames), "s"),
        ("  slowest", max(frames), "s"),
        ("demo: from the command to 53 days learned", min(learned), "s"),
        ("demo: from Ctrl-C to the end of all processes", min(ends), "s"),
        ("demo: own memory of the home, with the page", memories[0][-1], "MB"),
        ("demo: own memory of the smallest node", memories[0][0], "MB"),
    ]

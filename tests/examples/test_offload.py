"""The example of a task that outlives its worker shows what it is there to show."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "offload.py"
SAYS = (
    r"^car asks for the primes below 600000, within 30 s$",
    r"^phone works on it$",
    r"^phone is killed after \d+\.\d s$",
    r"^there are 49098, says car$",
    r"^in time: True; tried: phone, car$",
)


def test_a_task_outlives_the_phone_that_worked_on_it() -> None:
    command = [sys.executable, "-W", "error", str(EXAMPLE)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    for expected in SAYS:
        assert re.search(expected, done.stdout, re.MULTILINE), done.stdout


def test_it_is_short() -> None:
    assert len(EXAMPLE.read_text().splitlines()) < 100

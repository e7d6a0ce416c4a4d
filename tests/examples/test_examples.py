"""Every example runs, and prints what it is there to show."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
SAYS = {
    "own_skill": (r"keeps all \d+ laws", r"^car: Plug in the phone$", r"at 18 %"),
    "replay_a_day": (r"^07:\d\d  \d+% work", r"trips from home .* ended at work"),
    "three_devices": (
        r"home got location of phone: .*52\.6",
        r"home got Vehicle\.Speed of car: 47\.5",
        r"car was asked by home: .* = True",
        r"with the home: car$",
    ),
}


def run(name: str, *words: str) -> str:
    command = [sys.executable, "-W", "error", str(EXAMPLES / f"{name}.py"), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_example_is_checked() -> None:
    for example in EXAMPLES.glob("*.py"):
        own = Path(__file__).parent / f"test_{example.stem}.py"
        assert example.stem in SAYS or own.is_file(), example.name


@pytest.mark.parametrize("name", SAYS)
def test_it_prints_what_it_is_there_to_show(name: str) -> None:
    said = run(name)
    for expected in SAYS[name]:
        assert re.search(expected, said, re.MULTILINE), said


@pytest.mark.parametrize("name", SAYS)
def test_it_is_short(name: str) -> None:
    assert len((EXAMPLES / f"{name}.py").read_text().splitlines()) < 60

"""The example of pairing and leases shows what it is there to show."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "pair.py"
SAYS = (
    r"^home shows \d{4} \d{4}; somebody types it on the phone$",
    r"^home got Position\(lat=52\.61234, lon=8\.05678",
    r"^car got Position\(lat=52\.61\d+, .* accuracy_m=500\.0",
    r"^phone refused .* for navigation: no rule allows it \(its owner can see why: ",
    r"^  home knew where phone was, as exactly as measured, for arrival, .*, 1 sample$",
    r"^  car knew where phone was, to 500 m, for navigation, .*, 1 sample$",
    r"home was refused location of phone for navigation",
)


def test_two_devices_pair_and_get_what_is_leased_and_no_more() -> None:
    command = [sys.executable, "-W", "error", str(EXAMPLE)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    for expected in SAYS:
        assert re.search(expected, done.stdout, re.MULTILINE), done.stdout


def test_it_is_short() -> None:
    assert len(EXAMPLE.read_text().splitlines()) < 90

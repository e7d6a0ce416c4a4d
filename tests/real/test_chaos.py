"""Devices are struck with faults as processes on hosts of their own, for a minute.

The full run is `make chaos`; what it checks is in docs/chaos.md.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.real

REPOSITORY = Path(__file__).parent.parent.parent


def strike(*words: str, limit_s: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "scripts.chaos", *words],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=limit_s,
    )


@pytest.fixture
def hosts() -> None:
    if os.geteuid() != 0 or not Path("/dev/net/tun").exists():
        pytest.skip("hosts are network namespaces with TAP devices: they need root")
    if shutil.which("nft") is None:
        pytest.skip("links are broken with nft, which is not here (package nftables)")


@pytest.mark.usefixtures("hosts")
def test_a_household_keeps_its_promises_while_it_is_struck(tmp_path: Path) -> None:
    words = ("--faults", "18", "--seed", "4", "--nodes", "3", "--keep", str(tmp_path))
    done = strike(*words, limit_s=180.0)
    assert done.returncode == 0, done.stdout + done.stderr
    kept = re.findall(r"^\| (.+?) \| ([\d,]+) \w+ \| 0 \| yes", done.stdout, re.M)
    assert len(kept) == 15, done.stdout
    assert (tmp_path / "table.md").read_text() in done.stdout + "\n"
    for pid in re.findall(r"trivet-chaos-(\d+)-", spaces()):
        assert Path("/proc", pid).exists()  # of another run, which goes on


def spaces() -> str:
    return subprocess.run(
        ["ip", "netns", "list"], capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.usefixtures("hosts")
def test_what_is_done_wrong_on_purpose_is_found(tmp_path: Path) -> None:
    words = ["--faults", "4", "--seed", "1", "--nodes", "3", "--kind", "kill"]
    for wrong in ("forget", "twice", "disclose", "ledger", "token"):
        words += ["--sabotage", wrong]
    done = strike(*words, "--keep", str(tmp_path), limit_s=150.0)
    assert done.returncode == 1, done.stdout + done.stderr
    assert set(re.findall("^BROKEN: (.+)$", done.stdout, re.M)) >= {
        "no acknowledged write lost",
        "no task run twice that must not be",
        "one holder of a token",
        "nothing disclosed before the ledger had it",
        "ledgers whole",
    }
    assert "seed 1: journals and logs are in" in done.stderr

"""One seed, one schedule; what strikes a device does not strike it twice at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from scripts.chaos.schedule import (
    BREATH_EVERY,
    BREATH_S,
    MIX,
    Fault,
    Kind,
    make_schedule,
)

REPOSITORY = Path(__file__).parent.parent.parent
DEVICES = ("home", "phone", "car", "tablet")


def printed(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "scripts.chaos", "--list", *words],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


def test_the_same_seed_prints_the_same_schedule() -> None:
    """Whatever seeds Python's own hashes."""
    words = ("--seed", "11", "--faults", "80")
    assert printed(*words) == printed(*words)
    assert printed(*words) != printed("--seed", "12", "--faults", "80")
    assert len(printed(*words).splitlines()) == 80


@pytest.mark.parametrize("seed", range(20))
def test_no_device_is_struck_twice_at_once_in_one_way(seed: int) -> None:
    free: dict[tuple[str, str], float] = {}
    for fault in make_schedule(seed, 300, DEVICES):
        place = fault.device, MIX[fault.kind].group
        assert fault.at_s >= free.get(place, 0.0), fault
        free[place] = fault.until_s


def test_faults_begin_in_order_and_overlap() -> None:
    faults = make_schedule(7, 500, DEVICES)
    assert [fault.number for fault in faults] == list(range(500))
    begins = [fault.at_s for fault in faults]
    assert begins == sorted(begins)
    assert max(at_once(faults, at_s) for at_s in begins) >= 4
    assert faults[-1].until_s < 12 * 60


def at_once(faults: tuple[Fault, ...], at_s: float) -> int:
    return sum(fault.at_s <= at_s < fault.until_s for fault in faults)


def test_every_kind_strikes_every_device() -> None:
    faults = make_schedule(7, 500, DEVICES)
    struck = {(fault.kind, fault.device) for fault in faults}
    assert struck == {(kind, device) for kind in Kind for device in DEVICES}
    assert {f.amount for f in faults if f.kind is Kind.CLOCK} == {-3600, 3600}
    assert {f.peer for f in faults if f.kind is Kind.DEAF} == {"", *DEVICES}
    assert all(f.peer != f.device for f in faults)
    assert all(5 <= f.amount <= 30 for f in faults if f.kind is Kind.LOSS)


def test_the_household_is_left_alone_now_and_then() -> None:
    faults = make_schedule(7, 3 * BREATH_EVERY, DEVICES)
    for number in (BREATH_EVERY, 2 * BREATH_EVERY):
        over_s = max(fault.until_s for fault in faults[:number])
        assert faults[number].at_s >= over_s + BREATH_S


def test_only_the_kinds_that_are_asked_for_strike() -> None:
    faults = make_schedule(7, 50, DEVICES, frozenset({Kind.KILL}))
    assert {fault.kind for fault in faults} == {Kind.KILL}

"""A clock that goes on while the machine sleeps, and that nobody can set.

`time.monotonic` stands still on Linux and macOS while a machine is suspended: a holder
would wake after an hour and count on.

Source: clock_gettime(2), CLOCK_BOOTTIME; macOS clock_gettime(3), CLOCK_MONOTONIC.
"""

from __future__ import annotations

import sys
import time


def steady_s() -> float:
    """Seconds since some moment of this start of the machine, sleep included."""
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    if sys.platform == "darwin":
        return time.clock_gettime(time.CLOCK_MONOTONIC)
    return time.monotonic()

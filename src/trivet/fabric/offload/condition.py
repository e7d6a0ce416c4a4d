"""How this device is: its processor, memory, battery and heat."""

from __future__ import annotations

import hashlib
from time import perf_counter

import psutil

from trivet.fabric.offload.message import Condition

#: Where a sensor names no temperature at which the device slows down: °C.
USUAL_LIMIT_C = 95.0
_ROUNDS, _TRIES = 20_000, 3
_MIB = 1 << 20


def measure_benchmark() -> float:
    """Seconds that a fixed calculation takes on one core: the best of some tries.

    It mixes what an interpreter and what a library in C do, a fiftieth of a second on
    a desktop processor of 2020.
    """
    return min(_calculate() for _ in range(_TRIES))


def _calculate() -> float:
    began = perf_counter()
    digest, total = b"trivet", 0
    for number in range(_ROUNDS):
        digest = hashlib.sha256(digest).digest()
        total += digest[0] * number % 7
    return perf_counter() - began


def read_condition(benchmark_s: float) -> Condition:
    """How this device is now.

    Args:
        benchmark_s: as measured once.
    """
    is_on_mains, charge = read_battery()
    return Condition(
        benchmark_s=benchmark_s,
        free_mb=int(psutil.virtual_memory().available // _MIB),
        is_on_mains=is_on_mains,
        charge=charge,
        heat=read_heat(),
    )


def read_battery() -> tuple[bool, float | None]:
    """Whether there is mains power, and the share of the battery's charge.

    A device without a battery runs on mains power.
    """
    battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    if battery is None:
        return True, None
    charge = min(1.0, max(0.0, battery.percent / 100.0))
    # None where the system does not know: then it is not relied on
    return bool(battery.power_plugged), charge


def read_heat() -> float | None:
    """The hottest sensor against its own limit, 1.0 there; None without sensors."""
    if not hasattr(psutil, "sensors_temperatures"):
        return None
    heats = [
        reading.current / (reading.high or reading.critical or USUAL_LIMIT_C)
        for readings in psutil.sensors_temperatures().values()
        for reading in readings
        if reading.current and reading.current > 0.0
    ]
    # a limit of a few degrees is a driver's mistake
    return max((heat for heat in heats if heat <= 2.0), default=None)

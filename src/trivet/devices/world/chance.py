"""Chance: a separate stream of random numbers for each purpose and day.

Day N draws from a stream of its own, so it comes out the same whichever days were
looked at before it, in this process or another.

Source: NumPy reference, `numpy.random.SeedSequence` (parallel streams by key).
"""

from __future__ import annotations

from zlib import crc32

from numpy.random import PCG64, Generator, SeedSequence


def stream(seed: int, purpose: str, *keys: int) -> Generator:
    """The random stream of one purpose; `keys` are not negative (day, leg, ...).

    The purpose enters by its CRC-32: Python's own `hash` of a text differs between
    processes.
    """
    return Generator(PCG64(SeedSequence([seed, crc32(purpose.encode()), *keys])))


def near(rng: Generator, mean: float, spread: float) -> float:
    """A normal draw about `mean`, cut at 2.2 spreads so that no day is absurd."""
    return mean + spread * min(2.2, max(-2.2, float(rng.standard_normal())))

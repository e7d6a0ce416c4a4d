"""What trust costs: a leased round trip, a decision, a pairing, a revocation, a record.

    python -m benchmarks trust

Everything stands beside something plain that was measured in the same run: compare
ratios, the times are this machine's.
"""

from __future__ import annotations

from benchmarks import trust_ledger, trust_trip

Row = tuple[str, float, str]


def rows() -> list[Row]:
    """Name, value and unit of each figure."""
    return [*trust_trip.rows(), *trust_ledger.rows()]

"""What trust costs: a leased round trip, a decision, a pairing, a revocation, a record.

    python -m benchmarks trust

Everything stands beside something plain that was measured in the same run: compare
ratios, the times are this machine's.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

from benchmarks import trust_household, trust_ledger, trust_trip

from trivet.domain import DeviceKind, Purpose
from trivet.fabric.access import Access, Party, Verb
from trivet.fabric.policy import shipped_policy

Row = tuple[str, float, str]

#: Decisions in a round, and rounds of which the best counts.
ASKED, ROUNDS = 1000, 5
HOME, CAR = Party("home", DeviceKind.HOME), Party("car", DeviceKind.CAR)


def rows() -> list[Row]:
    """Name, value and unit of each figure."""
    return [
        *trust_trip.rows(),
        *decisions(),
        *trust_household.rows(),
        *trust_ledger.rows(),
    ]


def decisions() -> list[Row]:
    """The shipped policy asked what it was asked before, and what it was not.

    The plain thing beside it is a dict from the question to an answer.
    """
    policy = shipped_policy()
    known = access("Vehicle.Speed")
    policy.decide(known)
    table = {known: policy.decide(known)}
    fresh = iter([access(f"Vehicle.N{n}") for n in range(ROUNDS * ASKED)])
    seen = {
        "dict": per_second(lambda: table[known]),
        "cached": per_second(lambda: policy.decide(known)),
        "anew": per_second(lambda: policy.decide(next(fresh))),
    }
    return [
        ("a dict in the policy's place: answers", seen["dict"], "1/s"),
        ("the shipped policy, asked before: decisions", seen["cached"], "1/s"),
        ("  slower than the dict", seen["dict"] / seen["cached"], "x"),
        ("the shipped policy, asked anew: decisions", seen["anew"], "1/s"),
        ("  slower than asked before", seen["cached"] / seen["anew"], "x"),
    ]


def access(path: str) -> Access:
    """The home wants a signal of the car, to be ready for who comes."""
    return Access(Verb.RECEIVE, HOME, CAR, path, purpose=Purpose.ARRIVAL)


def per_second(call: Callable[[], object]) -> float:
    """How often a second, in the best round."""
    best = 0.0
    for _ in range(ROUNDS):
        began = perf_counter()
        for _ in range(ASKED):
            call()
        best = max(best, ASKED / (perf_counter() - began))
    return best

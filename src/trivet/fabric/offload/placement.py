"""Where a run goes: what each device would need and cost in, a decision out; pure.

The finish of a run on a device is lognormal about queue + transfer + work, and the
device may be lost on the way. A device is *certain* if it makes the deadline with the
wanted certainty. A device that is not may be tried first all the same, if another
certain one can still be started when it is late: the price of that is its own, and the
other's as often as it is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import exp, inf, log
from statistics import NormalDist

import msgspec

#: Wanted chance to make a deadline.
CERTAINTY = 0.9999
#: A device on its battery is not used below this share of its charge.
CHARGE_FLOOR = 0.2
#: A device this hot is not used, and from here on each second costs more.
TOO_HOT, WARM = 0.98, 0.8
#: What a second of waiting is worth against a second of a full battery's work: where
#: nobody set a deadline, and where anything in time will do.
HURRY, EASE = 1.0, 0.1
_BATTERY, _HEAT = 0.5, 10.0
_NORMAL = NormalDist()


class Need(msgspec.Struct, frozen=True):
    """What a task needs of a device; see Task."""

    memory_mb: int = 1
    needs_mains: bool = False


class Candidate(msgspec.Struct, frozen=True):
    """A device that could run it.

    Attributes:
        device: its id.
        is_here: whether it is this one, which no link can lose.
        wait_s: until it could begin, in seconds.
        transfer_s: for input and output.
        work_s: median of the work itself.
        spread: standard deviation of the logarithm of the whole.
        loss_per_s: how often it is lost, in 1/s.
        is_on_mains: whether it is fed from outside.
        charge: share of its battery's charge, None without one.
        heat: 1.0 where it slows down, None if unknown.
        free_mb: memory that can be had, in MiB.
    """

    device: str
    is_here: bool = False
    wait_s: float = 0.0
    transfer_s: float = 0.0
    work_s: float = 0.0
    spread: float = 0.3
    loss_per_s: float = 0.0
    is_on_mains: bool = True
    charge: float | None = None
    heat: float | None = None
    free_mb: int = 1 << 20

    @property
    def finish_s(self) -> float:
        """Seconds until the result is here, half of the time."""
        return max(1e-6, self.wait_s + self.transfer_s + self.work_s)

    def chance(self, left_s: float) -> float:
        """Chance that the result is here in `left_s` seconds."""
        if left_s <= 0.0:
            return 0.0
        in_time = _NORMAL.cdf(log(left_s / self.finish_s) / max(self.spread, 1e-3))
        return in_time * exp(-self.loss_per_s * min(left_s, self.finish_s))

    def needed_s(self, certainty: float = CERTAINTY) -> float:
        """Seconds in which the result is here with that certainty; inf if never."""
        stays = exp(-self.loss_per_s * self.finish_s)
        if stays <= certainty:  # it may be 0, where a device says that it takes months
            return inf
        # the factor here is a bound: a run that is late is also longer at risk
        wanted = certainty / stays
        return self.finish_s * exp(_NORMAL.inv_cdf(wanted) * max(self.spread, 1e-3))

    def price(self, hurry: float) -> float:
        """What using it costs, in seconds of waiting; see HURRY and EASE."""
        each_s = 0.0
        if not self.is_on_mains and self.charge is not None:
            each_s += _BATTERY / max(self.charge, 0.01)
        if self.heat is not None and self.heat > WARM:
            each_s += _HEAT * (self.heat - WARM)
        return hurry * self.finish_s + each_s * self.work_s


class Placement(msgspec.Struct, frozen=True):
    """The decision.

    Attributes:
        ranked: who could run it, best first.
        unfit: why the others cannot, by their ids.
    """

    ranked: tuple[Candidate, ...]
    unfit: dict[str, str]


def unfit_for(need: Need, candidate: Candidate) -> str:
    """Why a device cannot run it, empty if it can."""
    if need.needs_mains and not candidate.is_on_mains:
        return "it is not on mains power"
    charge = candidate.charge
    if not candidate.is_on_mains and charge is not None and charge < CHARGE_FLOOR:
        return f"its battery is at {charge:.0%}, the least is {CHARGE_FLOOR:.0%}"
    if candidate.heat is not None and candidate.heat >= TOO_HOT:
        return "it is too hot"
    if candidate.free_mb < need.memory_mb:
        return f"it has {candidate.free_mb} MiB free of {need.memory_mb}"
    return ""


def place(
    need: Need,
    candidates: Iterable[Candidate],
    left_s: float | None = None,
    certainty: float = CERTAINTY,
) -> Placement:
    """Decide where a run goes.

    Args:
        need: what it needs.
        candidates: the devices that may have it.
        left_s: seconds until its deadline, None without one.
        certainty: wanted chance to make that.
    """
    fit, unfit = [], {}
    for candidate in candidates:
        why = unfit_for(need, candidate)
        if why:
            unfit[candidate.device] = why
        else:
            fit.append(candidate)
    if left_s is None:
        fit.sort(key=lambda c: (c.price(HURRY), c.device))
    else:
        fit.sort(key=_order_within(left_s, certainty, tuple(fit)))
    return Placement(tuple(fit), unfit)


def _order_within(
    left_s: float, certainty: float, all_: Sequence[Candidate]
) -> Callable[[Candidate], tuple[float, float, str]]:
    needs = {c.device: c.needed_s(certainty) for c in all_}

    def order(candidate: Candidate) -> tuple[float, float, str]:
        plans = [
            candidate.price(EASE)
            + (1.0 - candidate.chance(left_s - needs[other.device])) * other.price(EASE)
            for other in all_
            if other is not candidate and needs[other.device] <= left_s
        ]
        if needs[candidate.device] <= left_s:
            plans.append(candidate.price(EASE))
        if plans:
            return 0.0, min(plans), candidate.device
        return 1.0, -candidate.chance(left_s), candidate.device

    return order


def best_hedge(
    candidates: Iterable[Candidate], certainty: float = CERTAINTY
) -> tuple[Candidate, float] | None:
    """The device that can be started latest and still is certain.

    Returns:
        It, and the seconds that it needs; None if none is certain.
    """
    needs = [(c.needed_s(certainty), c.price(EASE), c.device, c) for c in candidates]
    certain = [need for need in needs if need[0] < inf]
    if not certain:
        return None
    needed_s, _, _, candidate = min(certain, key=lambda need: need[:3])
    return candidate, needed_s

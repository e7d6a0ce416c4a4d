"""What a device can expect of each one: offers, loads and estimates as candidates.

No I/O; time is passed in.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf

import msgspec

from trivet.fabric.offload.estimate import LEAST_SPREAD, Estimates, Work
from trivet.fabric.offload.message import Condition, Offer, Offered
from trivet.fabric.offload.placement import Candidate
from trivet.fabric.offload.registry import AnyTask

#: An offer older than this many seconds is asked for anew.
REFRESH_S = 10.0
#: Runs that one device is given ahead of what it runs, so that it need not wait.
AHEAD = 1
#: Seconds for which a device on which a task broke is not asked for it, at first and at
#: most, unless there is no other.
_REST_S, _LONGEST_REST_S = 5.0, 300.0


class Carried(msgspec.Struct, eq=False):
    """A run of ours on a device: since when, and what it is thought to take, in s."""

    device: str
    since: float
    work_s: float


class _Known(msgspec.Struct):
    offer: Offer
    tasks: dict[str, Offered]
    time: float


class Outlook:
    """What one device expects of itself and of the others.

    Args:
        me: its id.
        estimates: what it has learned.
        mine: what it offers itself, now.
    """

    def __init__(
        self, me: str, estimates: Estimates, mine: Callable[[], Offer]
    ) -> None:
        self.estimates = estimates
        self._me = me
        self._mine = mine
        self._known: dict[str, _Known] = {}
        self._carried: list[Carried] = []
        self._broken: dict[tuple[str, str], tuple[int, float]] = {}

    # --- what is known ---------------------------------------------------------

    def learn_offer(self, device: str, offer: Offer, now: float) -> None:
        """A device said what it offers."""
        tasks = {each.name: each for each in offer.tasks}
        self._known[device] = _Known(offer, tasks, now)

    def doubt(self, device: str) -> None:
        """A device went: it is asked anew when it is back, and believed until then."""
        known = self._known.get(device)
        if known is not None:
            known.time = -inf

    def is_due(self, device: str, now: float) -> bool:
        """Whether a device is to be asked what it offers."""
        known = self._known.get(device)
        return known is None or now - known.time > REFRESH_S

    def is_known(self, device: str) -> bool:
        """Whether it is known what a device offers, beyond doubt."""
        known = self._known.get(device)
        return known is not None and known.time > -inf

    def offers(self, alive: frozenset[str]) -> dict[str, Offer]:
        """What each device that is there offered last, this one too."""
        known = {d: each.offer for d, each in self._known.items() if d in alive}
        return {**known, self._me: self._mine()}

    def carry(self, candidate: Candidate, now: float) -> Carried:
        """A run of ours is on its way there; until `put_down`."""
        carried = Carried(candidate.device, now, candidate.work_s)
        self._carried.append(carried)
        return carried

    def put_down(self, carried: Carried) -> None:
        """A run of ours is over there."""
        if carried in self._carried:
            self._carried.remove(carried)

    def learn(
        self,
        device: str,
        task: AnyTask,
        size: int,
        whole_s: float,
        there_s: float,
        took_s: float,
    ) -> None:
        """A run was done by another device.

        Args:
            device: the device.
            task: what was run.
            size: bytes of input and output.
            whole_s: from start to result.
            there_s: of that, in its queue and at work.
            took_s: of that, at work.
        """
        self._broken.pop((device, task.name), None)
        self.estimates.level(device, task.name).see(took_s)
        self.estimates.way(device).see(size, whole_s - there_s)

    def learn_failure(self, device: str, task: AnyTask, now: float) -> None:
        """A task broke on a device: others are tried first, the longer the oftener."""
        count, _ = self._broken.get((device, task.name), (0, 0.0))
        rest_s = min(_REST_S * 2.0**count, _LONGEST_REST_S)
        self._broken[device, task.name] = count + 1, now + rest_s

    # --- what to expect --------------------------------------------------------

    def candidates(
        self,
        task: AnyTask,
        size: int,
        allowed: Callable[[str], bool],
        alive: frozenset[str],
        now: float,
    ) -> tuple[Candidate, ...]:
        """The devices that could run a task on an input of `size` bytes, as of now."""
        found = []
        mine = self._mine()
        if mine.slots and allowed(self._me):
            found.append(self._here(task, mine.condition, mine.slots, now))
        for device, known in self._known.items():
            offered = known.tasks.get(task.name)
            is_same = offered is not None and offered.digest == task.digest
            if offered is None or not is_same or not known.offer.slots:
                continue
            if device in alive and allowed(device):
                found.append(self._there(device, known, offered, task, size, now))
        sound = [
            candidate
            for candidate in found
            if self._broken.get((candidate.device, task.name), (0, 0.0))[1] <= now
        ]
        return tuple(sound or found)

    def has_room(self, device: str) -> bool:
        """Whether a device can be given one more run of ours."""
        count = sum(carried.device == device for carried in self._carried)
        if device == self._me:
            return count < self._mine().slots
        known = self._known.get(device)
        return known is not None and count < known.offer.slots + AHEAD

    def slots(self, device: str) -> int:
        """How many runs a device does at a time."""
        if device == self._me:
            return self._mine().slots
        known = self._known.get(device)
        return known.offer.slots if known is not None else 0

    def _seen(self, task: AnyTask, besides: str) -> list[tuple[Work, float]]:
        """What a task takes on each device on which that is known, with a benchmark."""
        seen = []
        devices: list[tuple[str, float, Work | None]] = [
            (self._me, self._mine().condition.benchmark_s, None)
        ]
        for device, known in self._known.items():
            told = _told(known.tasks.get(task.name))
            devices.append((device, known.offer.condition.benchmark_s, told))
        for device, benchmark_s, told in devices:
            level = self.estimates.level(device, task.name)
            work = Work(level.median, level.spread) if level.count else told
            if work is not None and device != besides:
                seen.append((work, benchmark_s))
        return seen

    def _here(
        self, task: AnyTask, condition: Condition, slots: int, now: float
    ) -> Candidate:
        work = self.estimates.work(
            self._me,
            task.name,
            task.cost,
            condition.benchmark_s,
            elsewhere=self._seen(task, self._me),
        )
        offer_wait_s = self._mine().wait_s
        return _candidate(
            self._me,
            True,
            max(offer_wait_s, self._load(self._me, slots, now)),
            0.002,
            work,
            0.0,
            condition,
        )

    def _there(
        self,
        device: str,
        known: _Known,
        offered: Offered,
        task: AnyTask,
        size: int,
        now: float,
    ) -> Candidate:
        offer, way = known.offer, self.estimates.way(device)
        work = self.estimates.work(
            device,
            task.name,
            task.cost,
            offer.condition.benchmark_s,
            _told(offered),
            self._seen(task, device),
        )
        # what waited there when it said so has gone on since
        others_s = max(0.0, offer.wait_s - (now - known.time))
        wait_s = max(others_s, self._load(device, offer.slots, now))
        return _candidate(
            device,
            False,
            wait_s,
            way.transfer_s(size),
            work,
            way.loss_per_s,
            offer.condition,
        )

    def _load(self, device: str, slots: int, now: float) -> float:
        """Seconds until what we gave a device has left a slot free."""
        ours = [each for each in self._carried if each.device == device]
        if len(ours) < slots:
            return 0.0
        left = sum(max(0.0, each.work_s - (now - each.since)) for each in ours)
        return left / slots


def _told(offered: Offered | None) -> Work | None:
    """What a device says that a task takes there, None if it never ran it."""
    if offered is None or not offered.runs:
        return None
    return Work(max(offered.median_s, 1e-6), max(offered.spread, LEAST_SPREAD))


def _candidate(
    device: str,
    is_here: bool,
    wait_s: float,
    transfer_s: float,
    work: Work,
    loss_per_s: float,
    condition: Condition,
) -> Candidate:
    return Candidate(
        device,
        is_here,
        wait_s,
        transfer_s,
        work.median_s,
        work.spread,
        loss_per_s,
        condition.is_on_mains,
        condition.charge,
        condition.heat,
        condition.free_mb,
    )

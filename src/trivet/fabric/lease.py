"""The lease book: what a device gives to whom, decided by policy; free of I/O.

A request is judged signal by signal, as asked and then ever coarser, until the policy
allows it or there is nothing coarser. A lease ends by time, by its owner, by its
recipient, and as soon as the policy, asked again about changed circumstances or
changed itself, no longer allows all that it gives.

    asked ──► granted as asked, or coarser ──► ended: time, owner, recipient,
      └─────► refused, by which rule           context, policy, revoked, renewed
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from secrets import token_hex
from typing import Protocol

import msgspec

from trivet.domain.error import RefusedError, UsageError
from trivet.domain.lease import (
    EXACTNESS_M,
    EndReason,
    Lease,
    LeaseEnd,
    LeaseRequest,
    matches,
)
from trivet.domain.signal import Signal
from trivet.fabric.access import (
    UNKNOWN,
    Access,
    Circumstances,
    Decision,
    Party,
    Verb,
)
from trivet.fabric.coarse import tells_position
from trivet.fabric.event import Event, EventKind

#: Leases that one recipient may hold at a time.
MAX_LEASES = 64
#: Longest lease, in seconds: who still needs it asks again.
MAX_TERM_S = 7 * 86_400.0


class Policy(Protocol):
    """Whoever answers for the owner."""

    def decide(self, access: Access) -> Decision:
        """Yes or no, and by which rule."""
        ...


class Flow(msgspec.Struct):
    """One signal on its way to one recipient.

    Attributes:
        lease: the lease that lets it; the most exact where several do.
        last: event time of the sample given last.
    """

    lease: Lease
    last: float = float("-inf")


class LeaseBook:
    """The leases that one device has granted.

    Changes belong to one thread; `flow` may be called from any.

    Args:
        me: the owner.
        signals: what it has to give.
        policy: who decides.
        party_of: a device of the household by its id, None for a stranger.
        record: takes what happened; see the ledger.
    """

    def __init__(
        self,
        me: Party,
        signals: Iterable[Signal],
        policy: Policy,
        party_of: Callable[[str], Party | None],
        record: Callable[[Event], object],
    ) -> None:
        self.me = me
        self.circumstances = UNKNOWN
        self._signals = {signal.path: signal for signal in signals}
        self.policy = policy
        self._party_of = party_of
        self._record = record
        self._leases: dict[str, Lease] = {}
        # replaced whole at each change: readers on other threads see one or the other
        self._flows: dict[tuple[str, str], Flow] = {}
        self._recipients: dict[str, tuple[str, ...]] = {}
        # ends that the ledger could not take yet: they are recorded, and then told, as
        # soon as it can
        self._unrecorded: list[Event] = []
        self._untold: list[tuple[Lease, LeaseEnd]] = []

    @property
    def leases(self) -> tuple[Lease, ...]:
        """The leases that run, oldest first."""
        return tuple(self._leases.values())

    @property
    def next_end(self) -> float | None:
        """Event time at which the next lease ends by itself."""
        return min((lease.until for lease in self._leases.values()), default=None)

    def recipients(self, path: str) -> tuple[str, ...]:
        """Ids of the devices that a signal is given to."""
        return self._recipients.get(path, ())

    def flow(self, recipient: str, path: str) -> Flow | None:
        """How a signal flows to a device, None if it does not."""
        return self._flows.get((recipient, path))

    # --- beginning --------------------------------------------------------------

    def request(self, asker: str, wanted: LeaseRequest, now: float) -> Lease:
        """Grant what a device asks for, or as much of it as the policy allows.

        A grant takes the place of the asker's earlier one for the same purpose and
        the same signals.

        Args:
            asker: the device that asks, as the link vouches for it.
            wanted: what for.
            now: event time.

        Raises:
            UsageError: it asks for what there is not, or for no time.
            RefusedError: the policy allows nothing of it; by which rule, if one did.
        """
        try:
            lease = self._granted(asker, wanted, now)
        except (UsageError, RefusedError) as error:
            refusal = Event(
                EventKind.REFUSAL,
                now,
                asker,
                paths=wanted.paths,
                purpose=wanted.purpose,
                exact_m=wanted.exact_m,
                detail=error.message,
            )
            self._record(refusal)
            raise
        self._record(_event(EventKind.GRANT, lease, now, "as asked"))
        before = self._same(lease)
        self._leases[lease.id] = lease
        self._ended(before, now, lambda _: (EndReason.RENEWED, ""), tells=False)
        return lease

    def _granted(self, asker: str, wanted: LeaseRequest, now: float) -> Lease:
        who = self._party_of(asker)
        if who is None:
            raise RefusedError(
                f"{asker} is not of this household", hint="pair it first"
            )
        if wanted.until <= now:
            raise UsageError(
                f"a lease until {wanted.until:.0f} would have ended before it began",
                hint=f"the time here is {now:.0f}: compare the clocks",
            )
        paths = self._named(wanted.paths)
        exact_m, allowed = self._most_exact(who, paths, wanted)
        if not allowed:
            self._refuse(who, paths[0], wanted)
        lease = Lease(
            id=token_hex(8),
            owner=self.me.device,
            recipient=asker,
            paths=tuple(allowed),
            purpose=wanted.purpose,
            since=now,
            until=min(wanted.until, now + MAX_TERM_S),
            every_s=wanted.every_s,
            exact_m=exact_m,
            rule=next(iter(allowed.values())),
            withheld=tuple(path for path in paths if path not in allowed),
        )
        held = [o for o in self._leases.values() if o.recipient == asker]
        if len(held) - len(self._same(lease)) >= MAX_LEASES:
            raise RefusedError(
                f"{asker} holds {MAX_LEASES} leases already", hint="end one first"
            )
        return lease

    def _named(self, patterns: Sequence[str]) -> list[str]:
        """The signals of this device that the patterns stand for."""
        found = {
            path: None
            for pattern in patterns
            for path in self._signals
            if matches(pattern, path)
        }
        if not found:
            raise UsageError(
                f"{self.me.device} has no signal {', '.join(patterns)}",
                hint="trivet device show lists what it has",
            )
        return list(found)[:1024]

    def _most_exact(
        self, who: Party, paths: Sequence[str], wanted: LeaseRequest
    ) -> tuple[int, dict[str, str]]:
        """The best exactness at which anything is allowed, and what is, by rule."""
        steps = [step for step in EXACTNESS_M if step > wanted.exact_m]
        best: tuple[int, dict[str, str]] = (wanted.exact_m, {})
        for exact_m in (wanted.exact_m, *steps):
            allowed = {}
            for path in paths:
                decision = self._decide(who, path, wanted.purpose, exact_m)
                if decision.is_allowed:
                    allowed[path] = decision.rule
            if len(allowed) > len(best[1]):
                best = exact_m, allowed
            if len(best[1]) == len(paths) or not self._any_position(paths):
                break
        return best

    def _any_position(self, paths: Iterable[str]) -> bool:
        return any(tells_position(self._signals[path]) for path in paths)

    def _refuse(self, who: Party, path: str, wanted: LeaseRequest) -> None:
        decision = self._decide(who, path, wanted.purpose, wanted.exact_m)
        rule = f" (rule {decision.rule})" if decision.rule else ""
        raise RefusedError(
            f"{self.me.device} does not give {', '.join(wanted.paths)} to {who.device} "
            f"for {wanted.purpose}: {decision.why}{rule}",
            hint=f"its owner can see why: trivet policy why {who.device} receive "
            f"{self.me.device} {path} --purpose {wanted.purpose}",
        )

    def _decide(self, who: Party, path: str, purpose: str, exact_m: int) -> Decision:
        is_exact = not tells_position(self._signals[path])
        access = Access(
            Verb.RECEIVE,
            who,
            self.me,
            path,
            self.circumstances,
            purpose,
            0 if is_exact else exact_m,
        )
        return self.policy.decide(access)

    def _same(self, lease: Lease) -> list[Lease]:
        return [
            old
            for old in self._leases.values()
            if (old.recipient, old.purpose) == (lease.recipient, lease.purpose)
            and set(old.paths) <= set(lease.paths)
        ]

    # --- ending -----------------------------------------------------------------

    def end(self, lease: str, now: float, reason: EndReason) -> Lease:
        """End a lease; the one that ended.

        Raises:
            UsageError: no such lease runs.
        """
        if lease not in self._leases:
            raise UsageError(f"no lease {lease!r} runs here")
        ended = self._leases[lease]
        self._ended([ended], now, lambda _: (reason, ""), tells=False)
        return ended

    def give_back(self, asker: str, lease: str, now: float) -> Lease:
        """The recipient needs it no more; the lease that ended.

        Raises:
            UsageError: no such lease of that recipient runs.
        """
        held = self._leases.get(lease)
        if held is None or held.recipient != asker:
            raise UsageError(f"{asker} holds no lease {lease!r} here")
        return self.end(lease, now, EndReason.RECIPIENT)

    def tick(self, now: float) -> list[tuple[Lease, LeaseEnd]]:
        """Event time has come to `now`; the leases that ended.

        Those that ended before, when the ledger could not be written, are among them.
        """
        due = [x for x in self._leases.values() if x.until <= now]
        return self._ended(due, now, lambda _: (EndReason.TIME, ""))

    def shut_out(self, device: str, now: float) -> list[tuple[Lease, LeaseEnd]]:
        """A device is of this household no more; the leases that ended by it."""
        due = [x for x in self._leases.values() if x.recipient == device]
        return self._ended(due, now, lambda _: (EndReason.REVOKED, ""))

    def set_circumstances(
        self, circumstances: Circumstances, now: float
    ) -> list[tuple[Lease, LeaseEnd]]:
        """What is so has changed; the leases that ended by it."""
        if circumstances == self.circumstances:
            return []
        self.circumstances = circumstances
        return self._judge_anew(now, EndReason.CONTEXT)

    def set_policy(self, policy: Policy, now: float) -> list[tuple[Lease, LeaseEnd]]:
        """The policy has changed; the leases that ended by it."""
        self.policy = policy
        return self._judge_anew(now, EndReason.POLICY)

    def _judge_anew(
        self, now: float, reason: EndReason
    ) -> list[tuple[Lease, LeaseEnd]]:
        against: dict[str, str] = {}
        for lease in self._leases.values():
            who = self._party_of(lease.recipient)
            for path in lease.paths:
                if who is None:
                    against[lease.id] = ""
                    break
                decision = self._decide(who, path, lease.purpose, lease.exact_m)
                if not decision.is_allowed:
                    against[lease.id] = decision.rule
                    break
        due = [self._leases[lease] for lease in against]
        return self._ended(due, now, lambda lease: (reason, against[lease.id]))

    def _ended(
        self,
        due: Sequence[Lease],
        now: float,
        why: Callable[[Lease], tuple[EndReason, str]],
        *,
        tells: bool = True,
    ) -> list[tuple[Lease, LeaseEnd]]:
        """End leases; all ends to be told, none if their recipients know by now."""
        for lease in due:
            reason, rule = why(lease)
            self._untold.append((lease, LeaseEnd(lease.id, now, reason, rule)))
            event = _event(EventKind.END, lease, now, reason.value, rule)
            self._unrecorded.append(event)
            del self._leases[lease.id]
        # nothing flows from here on, even if the ledger cannot be written
        self._rebuild()
        while self._unrecorded:
            self._record(self._unrecorded[0])
            del self._unrecorded[0]
        if not tells:  # what ended before, and was not told, waits for the next tick
            self._untold = [one for one in self._untold if one[0] not in due]
            return []
        ends, self._untold = self._untold, []
        return ends

    def _rebuild(self) -> None:
        flows: dict[tuple[str, str], Flow] = {}
        recipients: dict[str, list[str]] = {}
        for lease in self._leases.values():
            for path in lease.paths:
                at = lease.recipient, path
                there = flows.get(at)
                if there is None:
                    recipients.setdefault(path, []).append(lease.recipient)
                if there is None or _rank(lease) < _rank(there.lease):
                    before = self._flows.get(at)
                    last = before.last if before is not None else float("-inf")
                    flows[at] = Flow(lease, last)
        self._flows = flows
        self._recipients = {path: tuple(who) for path, who in recipients.items()}


def _rank(lease: Lease) -> tuple[int, float]:
    """Orders leases of the same signal: the one that gives most comes first."""
    return lease.exact_m, lease.every_s


def _event(
    kind: EventKind, lease: Lease, now: float, detail: str, rule: str = ""
) -> Event:
    return Event(
        kind,
        now,
        lease.recipient,
        lease.id,
        lease.paths,
        lease.purpose,
        lease.exact_m,
        rule=rule or lease.rule,
        detail=detail,
    )

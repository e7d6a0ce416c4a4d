"""One run, as its asker sees it: attempts race for it, and the first answer wins.

No I/O and no clock: what happened and the time go in, what to do comes out. One attempt
is the rule. A second one, the hedge, is started where the first is late or its device
is lost. A task that is not idempotent has one attempt that may have begun, and no more.

How one attempt goes is in attempt.py; `wake` says when to call `tick` next.

Source: J. Dean and L. A. Barroso, "The tail at scale", CACM 2013, for hedged requests.
"""

from __future__ import annotations

from math import inf
from typing import TypeAlias

import msgspec

from trivet.domain.error import (
    PeerError,
    RefusedError,
    TaskError,
    UnreachableError,
    UsageError,
)
from trivet.fabric.offload.attempt import Attempt, Step, What
from trivet.fabric.offload.message import Flaw
from trivet.fabric.offload.placement import (
    CERTAINTY,
    Candidate,
    Need,
    best_hedge,
    place,
)

#: Attempts of one run; more would only feed a fault.
MAX_ATTEMPTS = 8
#: Without a deadline a lost device is waited for so long, in seconds.
PATIENCE_S = 10.0
_SOONEST_RETRY_S = 0.02
#: Seconds until it is looked again whether a device is fit, where none is.
_RECHECK_S = 0.5


class Start(msgspec.Struct, frozen=True):
    """Send the run to a device, as this attempt."""

    attempt: Attempt


class Drop(msgspec.Struct, frozen=True):
    """Tell the device that this attempt is needed no more."""

    attempt: Attempt


class Deliver(msgspec.Struct, frozen=True):
    """It is done: this attempt's output."""

    attempt: Attempt
    data: bytes


class Fail(msgspec.Struct, frozen=True):
    """It is over without a result."""

    error: PeerError


Action: TypeAlias = Start | Drop | Deliver | Fail


class Race:
    """One run.

    Args:
        name: of the task, for errors.
        need: what it needs of a device.
        is_idempotent: whether it may be run twice.
        deadline: time by which the result is wanted, None if there is none.
        certainty: wanted chance to make it.
    """

    def __init__(
        self,
        name: str,
        need: Need,
        *,
        is_idempotent: bool = True,
        deadline: float | None = None,
        certainty: float = CERTAINTY,
    ) -> None:
        self._name = name
        self._need = need
        self._is_idempotent = is_idempotent
        self._deadline = deadline
        self._certainty = certainty
        #: devices that may have it, as they are now; keep it current
        self.candidates: tuple[Candidate, ...] = ()
        self.attempts: list[Attempt] = []
        self.is_over = False
        #: time of the next `tick`; inf if only an event can change anything
        self.wake = inf
        self._closed: dict[str, float] = {}  # devices not to be tried before a time
        self._has_failed = False
        self._error: PeerError | None = None

    def begin(self, now: float, first: str = "") -> list[Action]:
        """Start it; on the device `first`, if that is fit."""
        if self.attempts:
            raise UsageError(f"this run of {self._name} has begun already")
        chosen = [each for each in self._ranked(now) if each.device == first]
        if not chosen:
            return self._go_on(now)
        start = self._start(chosen[0], now)
        return [start, *self._go_on(now)]

    def tick(self, now: float) -> list[Action]:
        """Time has come to `now`."""
        return [] if self.is_over else self._go_on(now)

    # --- what happens ----------------------------------------------------------

    def accepted(self, attempt: Attempt, now: float) -> list[Action]:
        """The device has it."""
        attempt.step_on(What.ACCEPTED)
        return self.tick(now)

    def refused(
        self, attempt: Attempt, now: float, error: PeerError, wait_s: float = inf
    ) -> list[Action]:
        """It did not begin there and never will; in `wait_s` there may be room."""
        attempt.step_on(What.REFUSED)
        self._closed[attempt.device] = now + max(wait_s, _SOONEST_RETRY_S)
        self._error = error
        return self.tick(now)

    def lost(self, attempt: Attempt, now: float) -> list[Action]:
        """The device is out of reach."""
        if attempt.step is not Step.AWAY:
            attempt.lost_at = now
        attempt.step_on(What.LOST)
        return self.tick(now)

    def failed(
        self, attempt: Attempt, now: float, flaw: Flaw, error: PeerError
    ) -> list[Action]:
        """It began there and gave no result."""
        was_live = attempt.is_live
        attempt.step_on(What.FAILED)
        self._closed[attempt.device] = inf
        if self.is_over or not was_live:
            return []
        self._error, self._has_failed = error, True
        # what a function raises for an input, it raises everywhere
        if flaw is Flaw.RAISED or not self._is_idempotent:
            return self._end(Fail(self._final(error, flaw)))
        return self.tick(now)

    def finished(self, attempt: Attempt, now: float, data: bytes) -> list[Action]:
        """It is done there."""
        attempt.step_on(What.FINISHED)
        if self.is_over or attempt.step is not Step.WON:
            return []
        return self._end(Deliver(attempt, data))

    def drop(self) -> list[Action]:
        """Nobody wants it any more."""
        self.is_over = True
        self.wake = inf
        return [*self._drop_all()]

    # --- what to do ------------------------------------------------------------

    def _go_on(self, now: float) -> list[Action]:
        if self._deadline is not None and now >= self._deadline:
            return self._end(Fail(self._too_late()))
        live = [a for a in self.attempts if a.is_live]
        here = [a for a in live if a.step is not Step.AWAY]
        actions: list[Action] = []
        if not here and (self._is_idempotent or not self._may_have_run()):
            actions = self._try_next(now)
        elif self._may_hedge(live, here):
            actions = self._hedge(here[0], now)
        if not actions and not live:
            return self._none_left(now)
        if not actions and not here and self._is_hopeless(now):
            return self._end(Fail(self._unreachable()))
        self.wake = self._next_wake(now)
        return actions

    def _open(self, now: float) -> tuple[Candidate, ...]:
        """Devices that it may be tried on now."""
        taken = {a.device for a in self.attempts if a.is_live}
        return tuple(
            c
            for c in self.candidates
            if c.device not in taken and self._closed.get(c.device, -inf) <= now
        )

    def _ranked(self, now: float) -> tuple[Candidate, ...]:
        left_s = None if self._deadline is None else self._deadline - now
        return place(self._need, self._open(now), left_s, self._certainty).ranked

    def _try_next(self, now: float) -> list[Action]:
        ranked = self._ranked(now)
        if not ranked or len(self.attempts) >= MAX_ATTEMPTS:
            return []
        return [self._start(ranked[0], now)]

    def _start(self, candidate: Candidate, now: float) -> Start:
        attempt = Attempt(len(self.attempts), candidate, now)
        self.attempts.append(attempt)
        return Start(attempt)

    def _may_hedge(self, live: list[Attempt], here: list[Attempt]) -> bool:
        return self._is_idempotent and len(here) == 1 and len(live) <= 2

    def _hedge(self, first: Attempt, now: float) -> list[Action]:
        due, candidate = self._hedge_due(first, now)
        if candidate is None or due > now or len(self.attempts) >= MAX_ATTEMPTS:
            return []
        return [self._start(candidate, now)]

    def _hedge_due(self, first: Attempt, now: float) -> tuple[float, Candidate | None]:
        """When a second attempt is to start, and where."""
        if self._deadline is None:
            return inf, None
        ranked = self._ranked(now)
        if not ranked:
            return inf, None
        best = best_hedge(ranked, self._certainty)
        if best is not None and self._deadline - best[1] >= now:
            return self._deadline - best[1], best[0]
        # no second one can be certain any more; is the first one?
        spent_s, whole_s = now - first.since, self._deadline - first.since
        if _chance_yet(first.candidate, spent_s, whole_s) < self._certainty:
            return now, ranked[0]
        return max(now, first.since) + first.candidate.finish_s, ranked[0]

    def _next_wake(self, now: float) -> float:
        times = [inf if self._deadline is None else self._deadline]
        live = [a for a in self.attempts if a.is_live]
        here = [a for a in live if a.step is not Step.AWAY]
        if not here:
            times.append(self._patient_until())
            times += [at for at in self._closed.values() if at > now]
        elif self._may_hedge(live, here):
            times.append(self._hedge_due(here[0], now)[0])
        return max(min(times), now)

    def _is_hopeless(self, now: float) -> bool:
        return self._deadline is None and now >= self._patient_until()

    def _patient_until(self) -> float:
        away = [a.lost_at for a in self.attempts if a.step is Step.AWAY]
        return max(away, default=inf) + PATIENCE_S

    def _may_have_run(self) -> bool:
        return self._has_failed or any(a.is_live for a in self.attempts)

    def _none_left(self, now: float) -> list[Action]:
        """No attempt runs and none can be started now."""
        later = [at for at in self._closed.values() if now < at < inf]
        may_come = self._deadline is not None and not self._is_closed_for_good()
        if (later or may_come) and len(self.attempts) < MAX_ATTEMPTS:
            soon = [] if self._deadline is None else [self._deadline, now + _RECHECK_S]
            self.wake = min(*later, *soon, inf)
            return []
        if self._error is not None:
            return self._end(Fail(self._error))
        error = RefusedError(
            f"no device can run {self._name}: {self._unfit()}",
            hint="start a device that offers it",
        )
        return self._end(Fail(error))

    def _is_closed_for_good(self) -> bool:
        """Whether a device said no, or failed, and there is no other."""
        closed = [self._closed.get(c.device, -inf) for c in self.candidates]
        return bool(closed) and all(at == inf for at in closed)

    def _unfit(self) -> str:
        unfit = place(self._need, self.candidates).unfit
        reasons = "; ".join(f"{device}: {why}" for device, why in unfit.items())
        if reasons or not self.candidates:
            return reasons or "none that is there offers it"
        return "those that offer it had no room"

    def _end(self, last: Deliver | Fail) -> list[Action]:
        self.is_over = True
        self.wake = inf
        return [*self._drop_all(), last]

    def _drop_all(self) -> list[Drop]:
        drops = []
        for attempt in self.attempts:
            if attempt.is_live:
                attempt.step_on(What.DROPPED)
                drops.append(Drop(attempt))
        return drops

    # --- what went wrong -------------------------------------------------------

    def _final(self, error: PeerError, flaw: Flaw) -> PeerError:
        if self._is_idempotent or flaw is Flaw.RAISED:
            return error
        message = f"{error.message}; it may have run, and is not run again"
        if flaw is Flaw.LOST:
            return UnreachableError(message, hint=_LOOK_FIRST)
        return TaskError(message, hint=_LOOK_FIRST)

    def _too_late(self) -> PeerError:
        devices = ", ".join(a.device for a in self.attempts) or "any device"
        begun = [a for a in self.attempts if a.is_live]
        message = f"{self._name} was not done by its deadline on {devices}"
        if not self._is_idempotent and self._may_have_run():
            return UnreachableError(f"{message}; it may have run", hint=_LOOK_FIRST)
        if not begun and self._error is not None:
            return UnreachableError(f"{message}: {self._error.message}")
        if not self.attempts:
            return UnreachableError(f"{message}: {self._unfit()}")
        return UnreachableError(message, hint="allow more time")

    def _unreachable(self) -> PeerError:
        devices = ", ".join(a.device for a in self.attempts if a.step is Step.AWAY)
        message = f"{devices} went in the middle of {self._name}"
        if self._is_idempotent:
            return UnreachableError(message, hint="start another device that offers it")
        return UnreachableError(f"{message}; it may have run", hint=_LOOK_FIRST)


_LOOK_FIRST = "see whether it took effect before you ask again"


def _chance_yet(candidate: Candidate, spent_s: float, whole_s: float) -> float:
    """Chance to be done within `whole_s`, given that it was not within `spent_s`."""
    before, by_then = candidate.chance(spent_s), candidate.chance(whole_s)
    return (by_then - before) / (1.0 - before) if before < 1.0 else 0.0

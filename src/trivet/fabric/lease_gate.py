"""The gate of a device that gives nothing away without a lease.

What tells something about a person or a thing (samples, forecasts, suggestions) leaves
under a lease alone, no more exact and no more often than it says, and only once the
ledger has it. What is asked of the device, commands to its actuators above all, passes
the policy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from trivet.domain.error import RefusedError
from trivet.domain.forecast import Forecast
from trivet.domain.sample import Position, Sample, Value
from trivet.domain.suggestion import Answer, Suggestion
from trivet.domain.wire import Command, Message
from trivet.fabric.access import Access, Decision, Party, Verb
from trivet.fabric.coarse import coarsen
from trivet.fabric.event import Event, EventKind
from trivet.fabric.lease import Flow, LeaseBook

#: Paths of what the home makes of samples, leased like any signal.
FORECAST = "forecast"
SUGGESTION = "suggestion"


class Witness(Protocol):
    """Takes down what is given, before it leaves; see Disclosures."""

    def note(
        self,
        lease: str,
        peer: str,
        path: str,
        purpose: str,
        exact_m: int,
        time: float,
        now: float,
    ) -> None:
        """One message of event time `time` is about to leave."""
        ...


class LeaseGate:
    """The door of one device.

    Args:
        book: the leases it granted; its policy decides on questions too.
        party_of: a device of the household by its id, None for a stranger.
        witness: takes down what is given.
        record: takes what else happened; see the ledger.
        clock: event time now, in seconds.
        home: where the home is, (lat, lon) in degrees, None if that is not known.
    """

    def __init__(
        self,
        book: LeaseBook,
        party_of: Callable[[str], Party | None],
        witness: Witness,
        record: Callable[[Event], object],
        clock: Callable[[], float],
        home: Callable[[], tuple[float, float] | None] = lambda: None,
    ) -> None:
        self._book = book
        self._party_of = party_of
        self._witness = witness
        self._record = record
        self._clock = clock
        self._home = home

    def sends(self, recipient: str, path: str, message: Message) -> Message | None:
        """What the leases let pass of a message; see Gate."""
        if isinstance(message, Sample):
            return self._give(recipient, message)
        if isinstance(message, Forecast):
            self._show(recipient, FORECAST, message.time)
        elif isinstance(message, Suggestion) or (
            # what became of one, told to who was shown it; a person's word is asked
            isinstance(message, Answer) and path == SUGGESTION
        ):
            self._show(recipient, SUGGESTION, message.time)
        return message

    def _show(self, recipient: str, path: str, time: float) -> None:
        now = self._clock()
        self._note(self._flow(recipient, path, now), path, time, now)

    def _give(self, recipient: str, sample: Sample) -> Sample | None:
        owner = self._book.me.device
        if sample.device != owner:
            raise RefusedError(
                f"{owner} does not pass on what {sample.device} told it",
                hint=f"{recipient} can ask {sample.device} itself",
            )
        now = self._clock()
        flow = self._flow(recipient, sample.path, now)
        lease = flow.lease
        if 0.0 <= sample.time - flow.last < lease.every_s:
            return None
        passed: Sample | None = sample
        if lease.exact_m:  # where the home is need not be looked up for the rest
            passed = coarsen(sample, lease.exact_m, self._home())
        if passed is not None:
            self._note(flow, sample.path, sample.time, now)
        return passed

    def _flow(self, recipient: str, path: str, now: float) -> Flow:
        flow = self._book.flow(recipient, path)
        if flow is None or flow.lease.until <= now:
            raise RefusedError(
                f"{recipient} has no lease on {path} of {self._book.me.device}",
                hint=f"{recipient} must ask for one",
            )
        return flow

    def _note(self, flow: Flow, path: str, time: float, now: float) -> None:
        lease = flow.lease
        self._witness.note(
            lease.id,
            lease.recipient,
            path,
            lease.purpose,
            lease.exact_m,
            time,
            now,
        )
        flow.last = time

    def admits(self, asker: str, question: str, message: Message | None) -> None:
        """Let a question through if the policy does; see Gate."""
        who = self._party_of(asker)
        if who is None:
            raise RefusedError(
                f"{asker} is not of this household", hint="pair it first"
            )
        is_command = isinstance(message, Command)
        access = Access(
            verb=Verb.COMMAND if is_command else Verb.ASK,
            who=who,
            owner=self._book.me,
            path=message.path if isinstance(message, Command) else question,
            circumstances=self._book.circumstances,
            value=as_text(message.value) if isinstance(message, Command) else "",
        )
        decision = self._book.policy.decide(access)
        if is_command or not decision.is_allowed:
            self._write(access, decision)
        if not decision.is_allowed:
            wish = f"set {access.path} to {access.value}" if is_command else question
            rule = f" (rule {decision.rule})" if decision.rule else ""
            raise RefusedError(
                f"{asker} may not ask {self._book.me.device} to {wish}: "
                f"{decision.why}{rule}",
                hint=f"its owner can see why: trivet policy why {asker} "
                f"{access.verb} {self._book.me.device} {access.path}",
            )

    def _write(self, access: Access, decision: Decision) -> None:
        answer = "allowed" if decision.is_allowed else "refused"
        self._record(
            Event(
                EventKind.COMMAND if access.verb is Verb.COMMAND else EventKind.REFUSAL,
                self._clock(),
                access.who.device,
                paths=(access.path,),
                rule=decision.rule,
                detail=f"{access.value} {answer}".strip(),
            )
        )


def as_text(value: Value) -> str:
    """A command's target as the policy reads it: `true`, `21.0`, `unlocked`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Position):
        return f"{value.lat},{value.lon}"
    return str(value)

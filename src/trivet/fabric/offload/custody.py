"""Where an input may go: only where its owners' leases could take what is in it.

An input is made of what other devices told this one. Handing it on is telling it on, so
each device that may get it must be one to which the household's policy would give the
same signals, for the same purpose, as exactly, in the same circumstances.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass

import msgspec

from trivet.domain.error import RefusedError, UsageError
from trivet.domain.lease import Purpose
from trivet.domain.sample import Sample
from trivet.fabric.access import Access, Circumstances, Decision, Party, Verb
from trivet.fabric.event import Event, EventKind
from trivet.fabric.lease import Policy
from trivet.fabric.lease_gate import Witness

#: Seconds of event time after which the same refusal is written down again.
REFUSED_AGAIN_S = 60.0
_MAX_REFUSED = 1024


class Read(msgspec.Struct, frozen=True):
    """A signal that is in an input.

    Attributes:
        owner: the device whose it is.
        path: its path there.
        purpose: what for.
        exact_m: how exact a position in it is, in metres; 0 as measured.
    """

    owner: str
    path: str
    purpose: Purpose
    exact_m: int = 0


def decide_reads(
    reads: Iterable[Read],
    who: Party,
    party_of: Callable[[str], Party | None],
    policy: Policy,
    circumstances: Circumstances,
) -> tuple[Read, Decision] | None:
    """The first read that a device may not have, and why; None if it may have all."""
    for read in reads:
        if read.owner == who.device:
            continue
        owner = party_of(read.owner)
        if owner is None:
            why = f"{read.owner} is not of this household"
            return read, Decision(False, "", why)
        decision = policy.decide(
            Access(
                Verb.RECEIVE,
                who,
                owner,
                read.path,
                circumstances,
                read.purpose.value,
                read.exact_m,
            )
        )
        if not decision.is_allowed:
            return read, decision
    return None


def check_named(value: object, reads: Iterable[Read]) -> None:
    """See that every sample in an input is named among what it reads.

    What was taken out of its sample cannot be seen here: that is the caller's to name.

    Raises:
        UsageError: one is not; which.
    """
    named = {(read.owner, read.path) for read in reads}
    for device, path in sorted(samples_in(value) - named):
        raise UsageError(
            f"the input holds {path} of {device}, and does not say so",
            hint=f"add Read({device!r}, {path!r}, purpose) to its reads",
        )


def samples_in(value: object) -> set[tuple[str, str]]:
    """Device and path of every Sample in a value, however deep."""
    found: set[tuple[str, str]] = set()
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Sample):
            found.add((part.device, part.path))
        elif names := _fields_of(part):
            waiting += [getattr(part, name) for name in names]
        elif isinstance(part, Mapping):
            waiting += [*part.keys(), *part.values()]
        elif isinstance(part, list | tuple | set | frozenset):
            waiting += part
    return found


def _fields_of(value: object) -> Iterable[str]:
    """Names of the fields of what is encoded field by field, empty for all else."""
    kind = type(value)
    if isinstance(value, msgspec.Struct):
        return value.__struct_fields__
    if is_dataclass(kind):
        return [field.name for field in fields(kind)]
    return [field.name for field in getattr(kind, "__attrs_attrs__", ())]


class Custody:
    """Says, for one device, who may have an input, and writes down who got it.

    Args:
        me: the device.
        party_of: a device of the household by its id, None for a stranger.
        policy: gives the household's policy as it is now.
        circumstances: gives what is so now.
        witness: takes down what is given; see Disclosures.
        record: takes what is refused; see the ledger.
        clock: event time now, in seconds.
    """

    def __init__(
        self,
        me: Party,
        party_of: Callable[[str], Party | None],
        policy: Callable[[], Policy],
        circumstances: Callable[[], Circumstances],
        witness: Witness,
        record: Callable[[Event], object],
        clock: Callable[[], float],
    ) -> None:
        self._me = me
        self._party_of = party_of
        self._policy = policy
        self._circumstances = circumstances
        self._witness = witness
        self._record = record
        self._clock = clock
        self._refused: dict[tuple[str, str, Read, str], float] = {}

    def allows(self, device: str, reads: tuple[Read, ...]) -> bool:
        """Whether a device may have an input with these signals in it."""
        return self._against(device, reads) is None

    def check(self, task: str, devices: Iterable[str], reads: tuple[Read, ...]) -> None:
        """See that at least one of these devices may have an input.

        Raises:
            RefusedError: none may; by which rules.
        """
        against = {}
        for device in devices:
            why = self._against(device, reads)
            if why is None:
                return
            against[device] = why
        for device, why in against.items():
            self._refuse(task, device, *why)
        reasons = [_in_words(device, *why) for device, why in against.items()]
        raise RefusedError(
            f"no device may have the input of {task}: {'; '.join(reasons)}",
            hint="trivet policy why tells more",
        )

    def hand(self, task: str, device: str, reads: tuple[Read, ...]) -> None:
        """A device is about to get an input: decide anew, and write it down first.

        Raises:
            RefusedError: it may not have it now; by which rule.
            SetupError: it cannot be written down: the input must stay.
        """
        against = self._against(device, reads)
        if against is not None:
            self._refuse(task, device, *against)
            raise RefusedError(_in_words(device, *against))
        now = self._clock()
        for read in reads:
            if device not in (read.owner, self._me.device):
                purpose, exact_m = read.purpose.value, read.exact_m
                path = self._path(read)
                self._witness.note("", device, path, purpose, exact_m, now, now)

    def _against(
        self, device: str, reads: tuple[Read, ...]
    ) -> tuple[Read | None, Decision] | None:
        """What keeps a device from having an input; None if nothing does."""
        who = self._me if device == self._me.device else self._party_of(device)
        if who is None:
            why = f"{device} is not of this household"
            return None, Decision(False, "", why)
        if who.is_guest and who is not self._me:
            return None, Decision(False, "", f"{device} is a guest's")
        return decide_reads(
            reads, who, self._party_of, self._policy(), self._circumstances()
        )

    def _refuse(
        self, task: str, device: str, read: Read | None, decision: Decision
    ) -> None:
        """Write a refusal down, once a while: a loop must not fill the ledger."""
        if read is None:
            return
        now, what = self._clock(), (task, device, read, decision.rule)
        if 0.0 <= now - self._refused.get(what, float("-inf")) < REFUSED_AGAIN_S:
            return
        if len(self._refused) >= _MAX_REFUSED:
            self._refused.clear()
        self._refused[what] = now
        self._record(
            Event(
                EventKind.REFUSAL,
                now,
                device,
                paths=(self._path(read),),
                purpose=read.purpose.value,
                exact_m=read.exact_m,
                rule=decision.rule,
                detail=f"in the input of {task}: {decision.why}",
            )
        )

    def _path(self, read: Read) -> str:
        """A signal's path in this device's ledger: one alone is its own."""
        is_mine = read.owner == self._me.device
        return read.path if is_mine else f"{read.owner}.{read.path}"


def _in_words(device: str, read: Read | None, decision: Decision) -> str:
    if read is None:
        return decision.why
    rule = f" (rule {decision.rule})" if decision.rule else ""
    return (
        f"{device} may not have {read.path} of {read.owner} for {read.purpose}: "
        f"{decision.why}{rule}"
    )

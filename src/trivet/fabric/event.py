"""What the ledger records: who was given, refused, ended or told what, and when."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class EventKind(StrEnum):
    """What happened."""

    GRANT = "grant"
    REFUSAL = "refusal"
    END = "end"
    #: data began to flow under a lease; written before the first sample leaves
    DISCLOSING = "disclosing"
    #: how much flowed since, of one signal under one lease
    DISCLOSED = "disclosed"
    #: an actuator was given a target, or that was refused
    COMMAND = "command"
    #: the policy changed
    POLICY = "policy"
    #: a device was admitted, renewed or revoked
    MEMBER = "member"
    #: the end of the ledger was given to others to keep, or theirs was found wrong
    WITNESS = "witness"
    #: samples were deleted here, or by a device that held copies, at their owner's wish
    FORGET = "forget"


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that happened, as the ledger keeps it.

    Attributes:
        kind: what happened.
        time: event time in seconds since 1970-01-01 UTC.
        peer: the other device, empty where there is none.
        lease: id of the lease, empty where there is none.
        paths: signals concerned.
        purpose: what for, as in the lease.
        exact_m: exactness of positions given, in metres; 0 as measured.
        count: samples given.
        first: event time of the first of them.
        last: event time of the last of them.
        rule: the policy's rule that decided.
        detail: one line for a person.
    """

    kind: EventKind
    time: float
    peer: str = ""
    lease: str = ""
    paths: tuple[str, ...] = ()
    purpose: str = ""
    exact_m: int = 0
    count: int = 0
    first: float = 0.0
    last: float = 0.0
    rule: str = ""
    detail: str = ""

"""A lease: a permission to receive signals, with a purpose and an end."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from trivet.domain.sample import DeviceId, EventTime, SignalPath

#: A signal's path in which `*` stands for one part and `**`, at the end, for the rest:
#: `Vehicle.Cabin.**`, `lock.*`, `location`.
SignalPattern: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^(\*\*|([A-Za-z0-9_-]+|\*)(\.([A-Za-z0-9_-]+|\*))*(\.\*\*)?)\Z",
        max_length=200,
    ),
]
LeaseId: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9a-f]{16}\Z")]
#: Name of a policy's rule, or of one of our own.
RuleName: TypeAlias = Annotated[str, Meta(max_length=100)]

#: The exactness at which a position is only a word: home, near home, away.
ZONE_M = 100_000
#: What a position may be coarsened to, in metres, from as measured to a word.
EXACTNESS_M = (0, 10, 500, ZONE_M)


class Purpose(StrEnum):
    """What the recipient wants signals for; a policy judges each one apart."""

    NAVIGATION = "navigation"
    ARRIVAL = "arrival"
    COMFORT = "comfort"
    SAFETY = "safety"
    ASSISTANT = "assistant"
    DIAGNOSTICS = "diagnostics"
    DISPLAY = "display"


class EndReason(StrEnum):
    """Why a lease ended."""

    TIME = "time"
    OWNER = "owner"
    RECIPIENT = "recipient"
    #: the circumstances changed, so that the policy no longer allows it
    CONTEXT = "context"
    #: the policy itself changed
    POLICY = "policy"
    REVOKED = "revoked"
    #: another lease took its place
    RENEWED = "renewed"


class LeaseRequest(
    msgspec.Struct, frozen=True, omit_defaults=True, tag="lease-request"
):
    """What a device would like to receive from another.

    Attributes:
        paths: which signals of the owner.
        purpose: what for.
        until: event time at which it would end by itself.
        every_s: at most one sample of each signal in so many seconds; 0 for all.
        exact_m: how exact a position need be, one of EXACTNESS_M, in metres.
    """

    paths: Annotated[tuple[SignalPattern, ...], Meta(min_length=1, max_length=64)]
    purpose: Purpose
    until: EventTime
    every_s: Annotated[float, Meta(ge=0.0, le=86_400.0)] = 0.0
    exact_m: Annotated[int, Meta(ge=0, le=ZONE_M)] = 0


class Lease(msgspec.Struct, frozen=True, omit_defaults=True, tag="lease"):
    """What an owner granted.

    Attributes:
        id: unique with its owner.
        owner: the device that gives.
        recipient: the device that receives.
        paths: the signals that are given: only such as the owner has.
        purpose: what for.
        since: event time of the grant.
        until: event time at which it ends by itself.
        every_s: at most one sample of each signal in so many seconds; 0 for all.
        exact_m: how exact a position is given, in metres; see EXACTNESS_M.
        rule: the policy's rule that allowed it.
        withheld: signals that were asked for too and may not be given.
    """

    id: LeaseId
    owner: DeviceId
    recipient: DeviceId
    paths: Annotated[tuple[SignalPath, ...], Meta(min_length=1, max_length=1024)]
    purpose: Purpose
    since: EventTime
    until: EventTime
    every_s: Annotated[float, Meta(ge=0.0, le=86_400.0)] = 0.0
    exact_m: Annotated[int, Meta(ge=0, le=ZONE_M)] = 0
    rule: RuleName = ""
    withheld: Annotated[tuple[SignalPath, ...], Meta(max_length=1024)] = ()


class LeaseEnd(msgspec.Struct, frozen=True, omit_defaults=True, tag="lease-end"):
    """A lease has ended, or is to end.

    Attributes:
        id: the lease.
        time: event time of its end.
        reason: why.
        rule: the policy's rule that ended it, empty for default deny and other reasons.
    """

    id: LeaseId
    time: EventTime
    reason: EndReason
    rule: RuleName = ""


def matches(pattern: str, path: str) -> bool:
    """Whether a signal's path is one of those that `pattern` stands for."""
    wanted, parts = pattern.split("."), path.split(".")
    if wanted[-1] == "**":
        wanted.pop()
        if len(parts) <= len(wanted):
            return False
        parts = parts[: len(wanted)]
    return len(wanted) == len(parts) and all(
        want in ("*", part) for want, part in zip(wanted, parts, strict=True)
    )

"""What the policy is asked, and what it answers."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from trivet.domain.device import DeviceKind


class Verb(StrEnum):
    """What a device wants to do."""

    #: receive a signal of another device
    RECEIVE = "receive"
    #: give an actuator of another device a target value
    COMMAND = "command"
    #: put a question to another device
    ASK = "ask"


class Party(msgspec.Struct, frozen=True):
    """A device as the policy sees it.

    Attributes:
        device: its id.
        kind: what it is to the household.
        is_guest: whether it belongs to somebody who is not of the household.
    """

    device: str
    kind: DeviceKind
    is_guest: bool = False


class Circumstances(msgspec.Struct, frozen=True):
    """What is so now, as far as the deciding device knows.

    Attributes:
        driving: the car is moving.
        at_home: somebody of the household is at home.
        guest_present: a guest is in the house.
        night: it is between ten in the evening and six in the morning, local time.
    """

    driving: bool = False
    at_home: bool = False
    guest_present: bool = False
    night: bool = False


class Access(msgspec.Struct, frozen=True):
    """One question to the policy. Hashable: equal questions have one answer.

    Attributes:
        verb: what is wanted.
        who: the device that wants it.
        owner: the device whose signal, actuator or answer it is.
        path: the signal's path, or the question's name.
        circumstances: what is so now.
        purpose: what for, with `receive`; see Purpose.
        exact_m: exactness of a position, with `receive`; see EXACTNESS_M.
        value: the target as text, with `command`: `true`, `21.0`, `unlocked`.
    """

    verb: Verb
    who: Party
    owner: Party
    path: str
    circumstances: Circumstances = Circumstances()
    purpose: str = ""
    exact_m: int = 0
    value: str = ""


class Decision(msgspec.Struct, frozen=True):
    """The policy's answer.

    Attributes:
        is_allowed: yes or no.
        rule: id of the rule that decided, the first by name where several did; empty
            when no rule allows it.
        why: one line for a person: the rule's own words, or that no rule allows it.
    """

    is_allowed: bool
    rule: str
    why: str

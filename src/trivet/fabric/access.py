"""What the policy is asked, and what it answers."""

from __future__ import annotations

from enum import StrEnum
from itertools import product

import msgspec
from msgspec.structs import astuple

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
    """What is so now, as far as the deciding device knows; None where it does not.

    Attributes:
        driving: the car is moving.
        at_home: somebody of the household is at home.
        guest_present: a guest is in the house.
        night: it is between ten in the evening and six in the morning, local time.
    """

    driving: bool | None = False
    at_home: bool | None = False
    guest_present: bool | None = False
    night: bool | None = False

    @property
    def unknown(self) -> tuple[str, ...]:
        """Names of what is not known."""
        return tuple(
            name for name in self.__struct_fields__ if getattr(self, name) is None
        )

    @property
    def cases(self) -> tuple[Circumstances, ...]:
        """Each way that things can be, by what is known; itself if all of it is."""
        each = [(False, True) if v is None else (v,) for v in astuple(self)]
        return tuple(Circumstances(*case) for case in product(*each))


#: Of a device that has not heard of anything yet.
UNKNOWN = Circumstances(None, None, None, None)


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

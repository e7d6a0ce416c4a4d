"""The key layout: where on the fabric a signal, a question and a life sign live.

    trivet/<household>/to/<recipient>/from/<owner>/<signal path>     a leased stream
    trivet/<household>/ask/<owner>/from/<asker>/<question>           a question
    trivet/<household>/alive/<device>                                a liveliness token
    trivet/<household>/beat/<device>/to/<recipient>                  a heartbeat

Both parties stand in the key, not in the payload, so that a static access rule by
certificate name can say who may write and read it. A signal path's dots become
slashes (`Vehicle.Speed` is `Vehicle/Speed`), so wildcards work on VSS branches.
Segments hold letters, digits, hyphen and underscore only: nothing in them can be
taken for a wildcard.

Source: Zenoh key expressions, https://zenoh.io/docs/manual/abstractions/
"""

from __future__ import annotations

import re
from typing import NamedTuple

from trivet.domain.error import UsageError, WireError

ROOT = "trivet"
#: The one path of a stream that is no signal: the count of what was published.
COUNT_PATH = "_count"
#: Longest key that is read or built, in characters.
MAX_CHARACTERS = 512

# `fullmatch` throughout: a `$` would let a trailing newline pass.
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)
_PATH = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*", re.ASCII)
_SLASHED = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*", re.ASCII)
_MAX_PATH = 200


class Stream(NamedTuple):
    """The parts of a stream's key."""

    household: str
    recipient: str
    owner: str
    path: str


class Pulse(NamedTuple):
    """The parts of a heartbeat's key."""

    household: str
    device: str
    recipient: str


class Question(NamedTuple):
    """The parts of a question's key."""

    household: str
    owner: str
    asker: str
    name: str


def check_id(text: str, what: str = "device id") -> str:
    """Hand back `text` if it can be a device's or household's id.

    Raises:
        UsageError: it cannot.
    """
    if not _ID.fullmatch(text):
        raise UsageError(
            f"{text!r} cannot be a {what}",
            hint="use up to 63 lower case letters, digits and hyphens",
        )
    return text


def check_path(text: str, what: str = "signal path") -> str:
    """Hand back `text` if it can be a signal's path or a question's name.

    Raises:
        UsageError: it cannot.
    """
    if len(text) > _MAX_PATH or not _PATH.fullmatch(text):
        raise UsageError(
            f"{text[:_MAX_PATH]!r} cannot be a {what}",
            hint="use letters, digits, _ and -, with dots between the parts",
        )
    return text


def stream(household: str, recipient: str, owner: str, path: str) -> str:
    """Key of the stream of one signal of `owner` leased to `recipient`.

    Raises:
        UsageError: a part is not an id or a path.
    """
    check_id(household, "household name")
    check_id(recipient)
    check_id(owner)
    slashed = check_path(path).replace(".", "/")
    return f"{ROOT}/{household}/to/{recipient}/from/{owner}/{slashed}"


def question(household: str, owner: str, asker: str, name: str) -> str:
    """Key of the question `name` put to `owner` by `asker`.

    Raises:
        UsageError: a part is not an id or a name.
    """
    check_id(household, "household name")
    check_id(owner)
    check_id(asker)
    slashed = check_path(name, "question").replace(".", "/")
    return f"{ROOT}/{household}/ask/{owner}/from/{asker}/{slashed}"


def alive(household: str, device: str) -> str:
    """Key of a device's liveliness token."""
    return f"{ROOT}/{check_id(household, 'household name')}/alive/{check_id(device)}"


def beat(household: str, device: str, recipient: str) -> str:
    """Key of the heartbeat of `device` for `recipient`."""
    head = f"{ROOT}/{check_id(household, 'household name')}"
    return f"{head}/beat/{check_id(device)}/to/{check_id(recipient)}"


def inbox(household: str, recipient: str) -> str:
    """Key expression of every stream leased to `recipient`."""
    head = f"{ROOT}/{check_id(household, 'household name')}"
    return f"{head}/to/{check_id(recipient)}/from/**"


def desk(household: str, owner: str) -> str:
    """Key expression of every question put to `owner`."""
    head = f"{ROOT}/{check_id(household, 'household name')}"
    return f"{head}/ask/{check_id(owner)}/from/**"


def everyone_alive(household: str) -> str:
    """Key expression of every device's liveliness token."""
    return f"{ROOT}/{check_id(household, 'household name')}/alive/*"


def beats_to(household: str, recipient: str) -> str:
    """Key expression of every heartbeat for `recipient`."""
    head = f"{ROOT}/{check_id(household, 'household name')}"
    return f"{head}/beat/*/to/{check_id(recipient)}"


def parse_stream(key: str) -> Stream:
    """The parts of a stream's key that came from outside.

    Raises:
        WireError: it is not one.
    """
    household, recipient, owner, path = _addressed(key, "to", "a stream's key")
    return Stream(household, recipient, owner, path)


def parse_question(key: str) -> Question:
    """The parts of a question's key that came from outside.

    Raises:
        WireError: it is not one.
    """
    household, owner, asker, name = _addressed(key, "ask", "a question's key")
    return Question(household, owner, asker, name)


def parse_alive(key: str) -> tuple[str, str]:
    """Household and device of a liveliness key that came from outside.

    Raises:
        WireError: it is not one.
    """
    return _single(key, "alive", "a liveliness key")


def parse_beat(key: str) -> Pulse:
    """The parts of a heartbeat's key that came from outside.

    Raises:
        WireError: it is not one.
    """
    parts = key.split("/", 6) if len(key) <= MAX_CHARACTERS else []
    if len(parts) != 6 or (parts[0], parts[2], parts[4]) != (ROOT, "beat", "to"):
        raise WireError(f"{key[:MAX_CHARACTERS]!r} is not a heartbeat's key")
    pulse = Pulse(parts[1], parts[3], parts[5])
    if not all(_ID.fullmatch(part) for part in pulse):
        raise WireError(f"{key!r} is not a heartbeat's key")
    return pulse


def _addressed(key: str, verb: str, what: str) -> tuple[str, str, str, str]:
    parts = key.split("/", 6) if len(key) <= MAX_CHARACTERS else []
    if len(parts) != 7 or (parts[0], parts[2], parts[4]) != (ROOT, verb, "from"):
        raise WireError(f"{key[:MAX_CHARACTERS]!r} is not {what}")
    _, household, _, first, _, second, slashed = parts
    ids = all(_ID.fullmatch(part) for part in (household, first, second))
    if not ids or len(slashed) > _MAX_PATH or not _SLASHED.fullmatch(slashed):
        raise WireError(f"{key!r} is not {what}")
    return household, first, second, slashed.replace("/", ".")


def _single(key: str, verb: str, what: str) -> tuple[str, str]:
    parts = key.split("/") if len(key) <= MAX_CHARACTERS else []
    if len(parts) != 4 or (parts[0], parts[2]) != (ROOT, verb):
        raise WireError(f"{key[:MAX_CHARACTERS]!r} is not {what}")
    if not (_ID.fullmatch(parts[1]) and _ID.fullmatch(parts[3])):
        raise WireError(f"{key!r} is not {what}")
    return parts[1], parts[3]

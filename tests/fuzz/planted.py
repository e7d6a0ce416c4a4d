"""Decoders with planted bugs, for the fuzzer to find: `--module tests.fuzz.planted`."""

from __future__ import annotations

import ctypes
import itertools

import msgspec
from scripts.fuzz.target import Makers, Target
from scripts.fuzz.tree import MSGPACK

from trivet.domain.error import WireError

_CORPUS = (msgspec.msgpack.encode({"type": "a", "count": 3, "deep": [1, 2, [3]]}),)
_kept: list[bytes] = []


def _read(data: bytes) -> object:
    try:
        return msgspec.msgpack.decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, TypeError) as error:
        raise WireError(str(error)) from error


def good(data: bytes) -> None:
    """Has no bug."""
    _read(data)


def forgetful(data: bytes) -> None:
    """Expects a field to be there."""
    found = _read(data)
    if isinstance(found, dict) and found:
        found["count"]


def slow(data: bytes) -> None:
    """Loops where a count is negative."""
    found = _read(data)
    if isinstance(found, dict) and found.get("count") == -1:
        for _ in itertools.count():
            pass


def stuck(data: bytes) -> None:
    """As slow, within C, where no handler of a signal is called."""
    found = _read(data)
    if isinstance(found, dict) and found.get("count") == -1:
        sum(range(1 << 40))


def swallowing(data: bytes) -> None:
    """As slow, and takes the interruption for an answer."""
    try:
        slow(data)
    except BaseException as error:
        raise WireError("something was wrong") from error


def leaking(data: bytes) -> None:
    """Keeps what it was given, and more."""
    _kept.append(data + bytes(100_000))
    _read(data)


def greedy(data: bytes) -> None:
    """Makes room for more than there is."""
    found = _read(data)
    if isinstance(found, dict) and not found.get("count"):
        bytearray(1 << 40)


def fatal(data: bytes) -> None:
    """Ends the process, as a panic in a library would."""
    found = _read(data)
    if isinstance(found, dict) and found.get("count") is None:
        ctypes.string_at(0)


def lenient(data: bytes) -> None:
    """Breaks a law: what it takes is not what it writes."""
    found = _read(data)
    assert msgspec.msgpack.encode(found) == data


TARGETS: Makers = {
    run.__name__: lambda run=run: Target(  # type: ignore[misc]
        run.__name__, _CORPUS, run, (WireError,), codec=MSGPACK
    )
    for run in (
        *(good, forgetful, slow, stuck, swallowing),
        *(leaking, greedy, fatal, lenient),
    )
}

"""Wishes to forget: what another device has deleted here, and the answer to ours."""

from __future__ import annotations

import atexit

import msgspec
from scripts.fuzz.target import Makers, Target
from scripts.fuzz.tree import MSGPACK

from trivet.domain.error import UsageError, WireError
from trivet.domain.lease import Lease, Purpose
from trivet.domain.sample import Sample
from trivet.domain.wire import Document
from trivet.fabric.history.file import MEMORY
from trivet.fabric.history.forget import (
    Forget,
    Forgotten,
    decode_forget,
    encode_forget,
    forget_message,
    forgotten_message,
    read_forget,
    read_forgotten,
)
from trivet.fabric.history.history import History

_TIME = 1_760_000_000.0
_ID = "0123456789abcdef"
_WISHES = (
    Forget(_ID, 0.0, _TIME + 9, ("**",)),
    Forget(_ID, _TIME, _TIME + 2.5, ("location", "lock.*", "Vehicle.Cabin.**")),
    Forget("f" * 16, 0.0, 7_258_118_400.0, tuple(f"a{n}.*" for n in range(64))),
)
_ANSWERS = (Forgotten(_ID, 0, 0, True), Forgotten(_ID, 1 << 40, 3, False))


class _Histories:
    """A history with samples of three devices, at the mercy of one of them."""

    def __init__(self) -> None:
        self._history = History(MEMORY, "home")
        atexit.register(self._history.close)

    def forget(self, data: bytes) -> None:
        """Have the phone wish what `data` says; the others' samples must stay."""
        history = self._history
        for number in range(3):
            history.note(Sample("home", "location", _TIME + number, number))
            for owner in ("phone", "car"):
                lease = Lease(
                    *(_ID, owner, "home", ("location",), Purpose.ARRIVAL),
                    *(_TIME, _TIME + 100),
                )
                sample = Sample(owner, "location", _TIME + number, number)
                history.note_copy(sample, lease)
        history.flush()
        wish = read_forget(Document("forget", data))
        assert decode_forget(encode_forget(wish)) == wish
        try:
            done = history.forget_copies("phone", wish, _TIME)
        finally:
            left = [memory for memory in history.memories() if memory.owner != "phone"]
            counts = dict(
                history._file.rows(
                    "SELECT owner, sum(samples) FROM stream GROUP BY owner"
                )
            )
            history._file.run("DELETE FROM forgotten")
            history._intake.reset()
        others = counts.get("home"), counts.get("car")
        assert others == (3, 3), "another's samples were deleted"
        assert not left
        covered = sum(wish.covers("location", _TIME + n) for n in range(3))
        assert done.samples == covered
        assert counts.get("phone", 0) == 3 - covered


def _answer(data: bytes) -> None:
    wish = _WISHES[0]
    answer = read_forgotten(Document("forgotten", data), wish)
    assert read_forgotten(forgotten_message(answer), wish) == answer


def _make_forget() -> Target:
    return Target(
        "forget",
        tuple(forget_message(wish).body for wish in _WISHES),
        _Histories().forget,
        (WireError, UsageError),
        codec=MSGPACK,
        slowness=10,
    )


TARGETS: Makers = {
    "forget": _make_forget,
    "forgotten": lambda: Target(
        "forgotten",
        tuple(msgspec.msgpack.encode(answer) for answer in _ANSWERS),
        _answer,
        (WireError,),
        codec=MSGPACK,
    ),
}

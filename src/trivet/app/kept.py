"""What a person asks about a device's history, whether the device runs or not."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import msgspec

from trivet.app.control import tell
from trivet.app.folder import control_file, history_file, identity_folder, ledger_file
from trivet.app.keeper import household_of
from trivet.app.keeping import ALL, ForgetWord, Forgot, Live, Living
from trivet.domain import SetupError, TrivetError
from trivet.fabric.charter import own_charter
from trivet.fabric.history import Forget, History
from trivet.fabric.history.erasure import ANSWERED, NOW, Erased, Pending
from trivet.fabric.history.holder import holders
from trivet.fabric.history.reader import Reader
from trivet.fabric.history.row import Stream
from trivet.fabric.history.rule import Rule
from trivet.fabric.ledger import Ledger

_LOOK_S = 0.2


class Account(msgspec.Struct, frozen=True):
    """How it stands with a history.

    Attributes:
        streams: what there is of each signal.
        rules: how long it is kept.
        copies_s: how long copies stay after their lease, in seconds.
        max_bytes: what the file may hold.
        bytes: what it holds.
        pendings: devices that were or are to be asked to forget.
        is_clean: nothing that was to be forgotten is left in the file.
        squeezed: how many went to make room.
        squeezed_until: the event time up to which.
        lost: samples that could not be kept since the device runs.
        error: why the file cannot be written, empty if it can.
        members: devices of the household now; empty where that is not known.
    """

    streams: list[Stream]
    rules: tuple[Rule, ...]
    copies_s: float
    max_bytes: int
    bytes: int
    pendings: list[Pending]
    is_clean: bool
    squeezed: int
    squeezed_until: float
    lost: int
    error: str
    members: frozenset[str]


class Done(msgspec.Struct, frozen=True):
    """What was forgotten.

    Attributes:
        forgot: what was deleted here.
        is_live: whether the device runs: then the others are asked from now on.
    """

    forgot: Forgot
    is_live: bool


def live_state(folder: Path, device: str) -> Living:
    """How it stands with a device; by this machine's clock if it does not run."""
    socket = control_file(folder, device)
    if socket.exists():
        with suppress(SetupError):
            return tell(socket, Live(), Living)
    return Living(time.time())


def stand(folder: Path, device: str) -> Account:
    """How it stands with a device's history.

    Raises:
        SetupError: there is none, or it cannot be used.
    """
    live, path = live_state(folder, device), history_file(folder, device)
    with Reader(path) as reader:
        streams = reader.streams()
    with History(path, device) as history:
        squeezed, until = history.squeezed
        return Account(
            streams,
            history.rules,
            history.copies_s,
            history.max_bytes,
            path.stat().st_size,
            history.pendings(),
            history.owed < NOW,
            squeezed,
            until,
            live.lost,
            live.error,
            _members(folder),
        )


def forget_kept(folder: Path, device: str, wish: Forget, of: str, now: float) -> Done:
    """Forget, as ForgetWord says: by the running device, or in its file.

    In the file the others are asked, and the ledger written, when the device next runs.

    Raises:
        SetupError: the history or the ledger cannot be used.
    """
    socket = control_file(folder, device)
    if socket.exists():
        with suppress(SetupError):  # nobody answers: it does not run
            return Done(tell(socket, ForgetWord(wish, of), Forgot), is_live=True)
    path = history_file(folder, device)
    Reader(path).close()  # what is not there is not begun here
    own, copies = Erased(), dict[str, int]()
    with History(path, device) as history:
        if of in ("", ALL, device):
            own = history.forget(wish, now, _holders(folder, device, wish))
        if of not in ("", device):
            for owner in history.owners() if of == ALL else [of]:
                done = history.forget_copies(owner, wish, now)
                copies[owner] = done.samples + done.intervals
        history.scrub()
    return Done(Forgot(own, copies), is_live=False)


def wait_for(folder: Path, device: str, wish: Forget, seconds: float) -> Account:
    """How it stands when all have forgotten, or after so many seconds."""
    end = time.monotonic() + seconds
    with History(history_file(folder, device), device) as history:
        while time.monotonic() < end:
            asked = [p for p in history.pendings() if p.wish.id == wish.id]
            if history.owed < NOW and all(p.state == ANSWERED for p in asked):
                break
            time.sleep(_LOOK_S)
    return stand(folder, device)


def _holders(folder: Path, device: str, wish: Forget) -> list[str]:
    path = ledger_file(folder, device)
    if not path.exists():
        return []
    with Ledger(path, device) as ledger:  # to read, no key is needed
        return holders(ledger.entries(), wish)


def _members(folder: Path) -> frozenset[str]:
    try:
        return frozenset(household_of(own_charter(identity_folder(folder))).members)
    except TrivetError:
        return frozenset()

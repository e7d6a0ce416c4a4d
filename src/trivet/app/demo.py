"""The demo: a household of three processes that are started and ended together."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType
from typing import TypeAlias

from trivet.app.folder import identity_folder
from trivet.domain import DeviceKind, SetupError
from trivet.fabric.identity import create_household, issue

#: Runs one device in a process of its own, given the words of `trivet up`.
Up: TypeAlias = Callable[[Sequence[str]], None]
#: Real seconds that the processes have to end by themselves.
END_S = 1.5
#: Where phone and car listen, so that they reach each other too.
ANYWHERE = "127.0.0.1:0"


def run_demo(up: Up, home_options: Sequence[str], shared_options: Sequence[str]) -> int:
    """Run phone, car and home until the home ends or the person ends it.

    The three are forks of this process, so that what all need is loaded once.

    Args:
        up: runs one device.
        home_options: options of `trivet up` for the home alone.
        shared_options: options of `trivet up` for all three.

    Returns:
        The home's exit code, 0 when a person ended it.

    Raises:
        SetupError: a device ended before its time.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory("-trivet")))
        household = create_household(identity_folder(folder), "demo")
        for kind in (DeviceKind.PHONE, DeviceKind.CAR, DeviceKind.HOME):
            issue(household, kind.value, kind)
        address = f"127.0.0.1:{_free_port()}"
        common = ["--household", str(folder), *shared_options]
        stack.enter_context(_Interruptible())
        children: dict[str, BaseProcess] = {}
        stack.callback(_end, children)
        try:
            for device, options in {
                "home": ["--listen", address, *home_options],
                "phone": ["--connect", address, "--listen", ANYWHERE, "--quiet"],
                "car": ["--connect", address, "--listen", ANYWHERE, "--quiet"],
            }.items():
                children[device] = _start(up, [device, *common, *options])
            return _await_home(children)
        except KeyboardInterrupt:
            return 0


def _start(up: Up, words: Sequence[str]) -> BaseProcess:
    child = multiprocessing.get_context("fork").Process(target=_be, args=(up, words))
    child.start()
    return child


def _be(up: Up, words: Sequence[str]) -> None:
    os.setsid()  # Ctrl-C is for the demo alone, which then ends its devices
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    up(words)


def _await_home(children: dict[str, BaseProcess]) -> int:
    ended = wait([child.sentinel for child in children.values()])
    # the home comes first: when it ends, the others may have ended by that
    device = next(name for name in children if children[name].sentinel in ended)
    children[device].join()
    code = children[device].exitcode or 0
    if device != "home":
        raise SetupError(
            f"{device} ended before its time, with code {code}",
            hint="what it said is above",
        )
    return code


def _end(children: dict[str, BaseProcess]) -> None:
    for child in children.values():
        child.terminate()
    deadline = time.monotonic() + END_S
    for child in children.values():
        child.join(max(0.0, deadline - time.monotonic()))
        if child.exitcode is None:
            child.kill()
            child.join()
        child.close()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


class _Interruptible:
    """Makes SIGTERM end the demo as Ctrl-C does."""

    def __enter__(self) -> None:
        self._before = signal.signal(signal.SIGTERM, _interrupt)

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGTERM, self._before)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt

"""The demo: a household of three processes that are started and ended together."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from trivet.app.folder import identity_folder
from trivet.domain import DeviceKind, SetupError
from trivet.fabric.identity import create_household, issue

#: Real seconds that the processes have to end by themselves.
END_S = 1.5


def run_demo(home_options: Sequence[str], shared_options: Sequence[str]) -> int:
    """Run phone, car and home until the home ends or the person ends it.

    Args:
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
        children = {
            "home": _start("home", ["--listen", address, *common, *home_options]),
            "phone": _start("phone", ["--connect", address, *common]),
            "car": _start("car", ["--connect", address, *common]),
        }
        stack.callback(_end, children)
        stack.enter_context(_Interruptible())
        try:
            return _await_home(children)
        except KeyboardInterrupt:
            return 0


def _start(device: str, options: Sequence[str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "trivet.app.cli.main", "up", device, "--child"]
    return subprocess.Popen(
        [*command, *options], stdin=subprocess.PIPE, start_new_session=True
    )


def _await_home(children: dict[str, subprocess.Popen[bytes]]) -> int:
    while True:
        code = children["home"].poll()
        if code is not None:
            return code
        for device, child in children.items():
            if child.poll() is not None:
                raise SetupError(
                    f"{device} ended before its time, with code {child.returncode}",
                    hint="what it said is above",
                )
        time.sleep(0.05)


def _end(children: dict[str, subprocess.Popen[bytes]]) -> None:
    for child in children.values():
        child.terminate()
    deadline = time.monotonic() + END_S
    for child in children.values():
        try:
            child.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        if child.stdin is not None:
            child.stdin.close()


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

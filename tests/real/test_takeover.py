"""The home dies, the phone leads, the home comes back: by the command line alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.app.test_keeper import free_port
from tests.real.hosts import Child, eventually

pytestmark = pytest.mark.real

TRIVET = str(Path(sys.executable).with_name("trivet"))
#: Five minutes each second.
LIVE = ("--speed", "300", "--days", "30", "--json")
#: Real seconds within which another device leads; `make bench` says how long it takes.
TAKEN_S = 20.0


class House:
    """A household of three processes on this machine; `live` says at which pace."""

    def __init__(
        self, folder: Path, stack: ExitStack, live: tuple[str, ...] = LIVE
    ) -> None:
        self.folder, self._live = folder, live
        self._environment = {**os.environ, "TRIVET_HOUSEHOLD": str(folder)}
        self._stack = stack
        address, other = free_port(), free_port()
        self._words = {
            "home": ("--listen", f"127.0.0.1:{address}"),
            "phone": (
                *("--connect", f"127.0.0.1:{address}"),
                *("--listen", f"127.0.0.1:{other}"),
            ),
            "car": (
                *("--connect", f"127.0.0.1:{address}"),
                *("--connect", f"127.0.0.1:{other}"),
            ),
        }
        self.say("household", "create", "ours")
        for device in self._words:
            self.say("device", "add", device, "--kind", device)

    def say(self, *words: str) -> str:
        done = subprocess.run(
            [TRIVET, *words],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def up(self, device: str) -> Child:
        command = [TRIVET, "up", device, *self._words[device], *self._live]
        child = Child(command, self._environment)
        self._stack.callback(child.end)
        return child

    def is_up(self) -> bool:
        sockets = [self.folder / f"control-{device}.sock" for device in self._words]
        return all(socket.exists() for socket in sockets)

    def seat(self, device: str) -> dict[str, Any]:
        said = json.loads(self.say("seat", "show", "--device", device, "--json"))
        row: dict[str, Any] = said["seats"][0]
        return row

    def holder(self, device: str) -> str:
        """Who leads, as a device sees it."""
        return str(self.seat(device)["holder"])


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with ExitStack() as stack:
        yield House(tmp_path / "ours", stack)


def kill(child: Child) -> None:
    os.kill(child._process.pid, signal.SIGKILL)
    child._process.wait()


def test_the_phone_leads_while_the_home_is_dead_and_gives_back(house: House) -> None:
    home, phone, _ = (house.up(device) for device in ("home", "phone", "car"))
    eventually(house.is_up, "all are up")
    eventually(lambda: house.holder("phone") == "home", "the home leads")
    before = house.seat("phone")["token"]
    time.sleep(12.0)  # the phone learns the past only when the others have begun

    killed = time.monotonic()
    kill(home)
    eventually(lambda: house.holder("phone") == "phone", "the phone leads")
    assert time.monotonic() - killed < TAKEN_S
    assert house.seat("phone")["token"] > before
    phone.wait_for("phone leads now")

    again = house.up("home")
    eventually(lambda: house.holder("phone") == "home", "the home leads again")
    phone.wait_for("phone stands by")
    assert again.is_running
    # event time went on under the phone, and goes on from there
    told = [json.loads(line) for _, line in phone.lines if line[:1] == "{"]
    # what is shown on the phone is told at once, the day's lines after each step
    led = [
        each["time"] for each in told if each["kind"] not in ("suggestion", "answer")
    ]
    assert led
    assert led == sorted(led)

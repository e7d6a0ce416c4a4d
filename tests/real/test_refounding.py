"""A phone that can issue is stolen; the household goes on without it, by commands."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.fabric.test_late import free_port
from tests.real.hosts import Child, eventually

from trivet.app.folder import identity_folder

pytestmark = pytest.mark.real

TRIVET = str(Path(sys.executable).with_name("trivet"))


class Machines:
    """Three machines with a folder each, of which home's founded the household."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self._stack = stack
        address = f"127.0.0.1:{free_port()}"
        self._words = {
            "home": ("--listen", address),
            "phone": ("--connect", address),
            "car": ("--connect", address),
        }
        self.say("home", "household", "create", "ours")
        for device in self._words:
            self.say("home", "device", "add", device, "--kind", device)
        for device in ("phone", "car"):
            shutil.copytree(folder / "home", folder / device)
            own = identity_folder(folder / device)
            (own / "founder.key").unlink()
            shutil.rmtree(own / "devices" / "home")
        # the phone is an issuer
        (identity_folder(folder / "car") / "ca.key").unlink()

    def environment(self, machine: str) -> dict[str, str]:
        return {**os.environ, "TRIVET_HOUSEHOLD": str(self.folder / machine)}

    def say(self, machine: str, *words: str) -> str:
        done = subprocess.run(
            [TRIVET, *words],
            env=self.environment(machine),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def up(self, device: str, machine: str = "") -> Child:
        words = ("up", device, *self._words[device], "--json")
        child = Child([TRIVET, *words], self.environment(machine or device))
        self._stack.callback(child.end)
        return child

    def has(self, machine: str, name: str, device: str = "") -> bool:
        words = ("state", "show", "--device", device or machine, "--json")
        try:
            said = self.say(machine, *words)
        except AssertionError:
            return False  # it is not up yet
        return f"settings/{name}" in said


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    with ExitStack() as stack:
        yield Machines(tmp_path, stack)


def test_a_stolen_issuer_is_left_behind(machines: Machines) -> None:
    folder = machines.folder
    shutil.copytree(folder / "phone", folder / "thief")
    home, phone, car = (machines.up(device) for device in ("home", "phone", "car"))
    eventually(lambda: (folder / "home" / "control-home.sock").exists(), "home is up")
    machines.say("home", "state", "set", "settings/before", "1", "--device", "home")
    eventually(lambda: machines.has("car", "before"), "the car has it")
    machines.say("home", "device", "revoke", "phone", "--reason", "stolen")
    assert phone.wait() == 8
    said = machines.say("home", "household", "refound")
    assert "new authority" in said
    car.wait_for("another authority now")
    machines.say("home", "state", "set", "settings/after", "1", "--device", "home")
    eventually(lambda: machines.has("car", "after"), "the car has followed")
    # with what it had the thief gets nothing, though it certifies itself anew
    machines.say("thief", "device", "renew", "phone")
    thief = machines.up("phone", "thief")
    thief.wait_for(r"refuse|not of this household|certificate")
    assert not machines.has("thief", "after", "phone")
    assert home.is_running
    assert car.is_running

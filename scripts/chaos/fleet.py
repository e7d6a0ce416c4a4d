"""All nodes of a run: started, watched, and asked whether all is as it should be."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

from scripts.chaos.founding import HOME, wishes
from scripts.chaos.journal import Book, Sighted, read_book
from scripts.chaos.lan import Host, Lan
from scripts.chaos.machine import Machine
from scripts.chaos.work.charter import version_of
from scripts.chaos.work.sabotage import Sabotage
from scripts.chaos.work.setting import Settings

PORT = 7447
#: Between two looks at the processes, and how many of them make one at the journals.
STEP_S, STEPS = 0.02, 10
#: As much of each journal's end as is read to see how things stand.
TAIL_BYTES = 256 * 1024


class Fleet:
    """The nodes of one run.

    Args:
        lan: their hosts.
        folder: where journals and logs are kept.
        seed: of what they do.
        sabotage: what they do wrong on purpose.
        library: see clock.py.
    """

    def __init__(
        self,
        lan: Lan,
        folder: Path,
        seed: int,
        sabotage: Sequence[Sabotage],
        library: Path | None,
    ) -> None:
        self.journals = folder / "journal"
        for made in (self.journals, folder / "log"):
            made.mkdir(parents=True, exist_ok=True)
        self._hosts = lan.hosts
        self.devices = tuple(lan.hosts)
        self.machines = {
            host.name: Machine(
                host,
                self._settings(host, lan.is_apart, seed, sabotage),
                folder / "log",
                library,
            )
            for host in lan.hosts.values()
        }

    @property
    def lives(self) -> int:
        """How often devices were started, all of them together."""
        return sum(machine.life for machine in self.machines.values())

    @contextmanager
    def ended_at_last(self) -> Iterator[None]:
        """Let no process outlive the `with`."""
        try:
            yield
        finally:
            self.kill()

    def start(self) -> None:
        """Start all."""
        for machine in self.machines.values():
            machine.start()

    def kill(self) -> None:
        """Kill all."""
        for machine in self.machines.values():
            machine.kill(is_all=True)

    def end(self) -> None:
        """End all gently."""
        for machine in self.machines.values():
            machine.end()

    def order(self, word: str, devices: Sequence[str] = ()) -> None:
        """Tell some devices, or all, to be `quiet`, or to `go` on."""
        for name in devices or self.devices:
            self.machines[name].order(word)

    def rest(self, steps: int = 1) -> None:
        """Let time pass; whoever ended by itself is started anew."""
        for _ in range(steps):
            for machine in self.machines.values():
                machine.watch()
            time.sleep(STEP_S)

    def wait(self, limit_s: float, missing: Callable[[], str]) -> float | None:
        """Seconds until nothing is missing any more, None if that never was."""
        began = monotonic()
        while (now := monotonic() - began) < limit_s:
            if not missing():
                return now
            self.rest(STEPS)
        return None

    def look(self) -> Book:
        """What the nodes wrote down lately."""
        return read_book(self.journals, TAIL_BYTES)

    def missing(self, devices: Sequence[str] = ()) -> str:
        """What is not as it should be between some devices, or all; empty for nothing.

        Each sees the others and hears what it wishes to hear of them, all have the same
        state and the same charter.
        """
        devices = devices or self.devices
        sights = self._sights(devices)
        faults = [fault for name in devices if (fault := _fault(name, sights))]
        if len({sight.state for sight in sights.values() if sight}) > 1:
            faults.append("the replicas are not even")
        versions = self.versions(devices)
        if len(set(versions.values())) > 1:
            faults.append(f"charters differ: {versions}")
        return "; ".join(faults)

    def apart(self) -> str:
        """Who does not see the others, or hear them; empty for nobody."""
        sights = self._sights(self.devices)
        return "; ".join(fault for name in sights if (fault := _fault(name, sights)))

    def versions(self, devices: Sequence[str] = ()) -> dict[str, int]:
        """The version of the charter that each device keeps."""
        return {
            name: version_of(self._hosts[name].folder)
            for name in devices or self.devices
        }

    def _sights(self, devices: Sequence[str]) -> dict[str, Sighted | None]:
        """What each device saw last; None if it has seen nothing in this life."""
        book = self.look()
        found: dict[str, Sighted | None] = {}
        for name in devices:
            last = book.of(name, Sighted)[-1:]
            is_of_now = last and last[0].life == self.machines[name].life
            found[name] = last[0] if is_of_now else None
        return found

    def _settings(
        self, host: Host, is_apart: bool, seed: int, sabotage: Sequence[Sabotage]
    ) -> Settings:
        number = self.devices.index(host.name)
        home = self._hosts[HOME].address
        port = PORT if is_apart else PORT + number
        return Settings(
            device=host.name,
            devices=self.devices,
            folder=str(host.folder),
            journal=str(self.journals / f"{host.name}.jsonl"),
            life=0,
            seed=seed * 100 + number,
            listen=(f"{host.address}:{port}",),
            connect=() if host.name == HOME else (f"{home}:{PORT}",),
            sabotage=tuple(sabotage),
        )


def _fault(name: str, sights: dict[str, Sighted | None]) -> str:
    """What one device lacks of the others, empty for nothing."""
    sight, devices = sights[name], tuple(sights)
    if sight is None:
        return f"{name} is not up"
    unseen = set(devices) - {name} - set(sight.alive)
    if unseen:
        return f"{name} does not see {', '.join(sorted(unseen))}"
    silent = {wish.owner for wish in wishes(name, devices)} - set(sight.flowing)
    if silent:
        return f"{name} hears nothing of {', '.join(sorted(silent))}"
    return ""

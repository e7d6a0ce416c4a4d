"""One run: found, start, strike, heal, start anew, wait for quiet, read, judge."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from time import monotonic

from scripts.chaos import clock
from scripts.chaos.check.ledger import (
    check_chains,
    check_disclosures,
    check_shut_out,
    read_entries,
)
from scripts.chaos.check.state import State, check_charters, check_equal, check_writes
from scripts.chaos.check.task import check_answers, check_runs
from scripts.chaos.check.verdict import Verdict
from scripts.chaos.founding import HOME, found, shut_out, wishes
from scripts.chaos.journal import Ran, Shut, Sighted, read_book, read_lines
from scripts.chaos.lan import Lan
from scripts.chaos.machine import Machine, unexpected
from scripts.chaos.schedule import Fault, Kind
from scripts.chaos.strike import Strike
from scripts.chaos.table import Outcome
from scripts.chaos.work.charter import version_of
from scripts.chaos.work.setting import Settings
from scripts.chaos.work.state import open_replica, read_state
from scripts.chaos.work.task import RUNS

from trivet.app.folder import identity_folder, ledger_file
from trivet.fabric.certificate import key_from_pem
from trivet.fabric.household import load_household
from trivet.fabric.identity import load_identity
from trivet.fabric.ledger_chain import Key

PORT = 7447
#: Seconds that devices have to meet at first, to be quiet at last, and to hear that one
#: of them was shut out.
MEET_S, QUIET_S, SHUT_S = 30.0, 60.0, 20.0
#: Between two looks.
STEP_S = 0.02


class Run:
    """One run on hosts that are there.

    Args:
        lan: the hosts.
        folder: where journals and logs are kept.
        schedule: the faults.
        seed: of the load.
        sabotage: what nodes do wrong on purpose; see work/setting.py.
        say: told what happens.
    """

    def __init__(
        self,
        lan: Lan,
        folder: Path,
        schedule: Sequence[Fault],
        seed: int,
        sabotage: str,
        say: Callable[[str], None],
    ) -> None:
        self._lan, self._folder, self._schedule = lan, folder, schedule
        self._seed, self._say = seed, say
        self._journals = folder / "journal"
        self._struck: Counter[Kind] = Counter()
        #: versions when it was quiet: who is shut out later may not hear of it
        self._kept_charters: Mapping[str, int] = {}
        for made in (self._journals, folder / "log"):
            made.mkdir(parents=True, exist_ok=True)
        self._library = clock.build(folder)
        self._devices = tuple(lan.hosts)
        self._machines = {
            name: Machine(
                host, self._settings(name, sabotage), folder / "log", self._library
            )
            for name, host in lan.hosts.items()
        }

    def go(self) -> Outcome:
        """All of it.

        Raises:
            TimeoutError: the devices did not even meet before the first fault.
        """
        hosts = self._lan.hosts.values()
        found({h.name: h.folder for h in hosts}, {h.name: h.address for h in hosts})
        with self._ended_at_last():
            self._start_all()
            if self._wait(MEET_S, self._missing) is None:
                raise TimeoutError(f"never met: {self._missing()}")
            self._say("all met; the faults begin")
            began = monotonic()
            overlapping = self._strike_all()
            took_s = monotonic() - began
            quiet_s, missing = self._heal()
            self._kept_charters = self._versions()
            self._say(f"quiet after {quiet_s} s; the last device is shut out")
            self._shut_out()
            for machine in self._machines.values():
                machine.end()
        return Outcome(
            self._seed,
            len(self._devices),
            Counter(fault.kind for fault in self._schedule),
            self._struck,
            overlapping,
            sum(machine.life for machine in self._machines.values()),
            took_s,
            quiet_s,
            missing,
            self._judge(),
            (clock_note(self._library),),
        )

    def _settings(self, name: str, sabotage: str) -> Settings:
        number = self._devices.index(name)
        address = self._lan.hosts[name].address
        home = self._lan.hosts[HOME].address
        ports = PORT if self._lan.is_apart else PORT + number
        return Settings(
            device=name,
            devices=self._devices,
            folder=str(self._lan.hosts[name].folder),
            journal=str(self._journals / f"{name}.jsonl"),
            life=0,
            seed=self._seed * 100 + number,
            listen=(f"{address}:{ports}",),
            connect=() if name == HOME else (f"{home}:{PORT}",),
            sabotage=sabotage,
        )

    @contextmanager
    def _ended_at_last(self) -> Iterator[None]:
        try:
            yield
        finally:
            for machine in self._machines.values():
                machine.kill()

    def _start_all(self) -> None:
        for machine in self._machines.values():
            machine.start()

    def _strike_all(self) -> int:
        """Let every fault of the schedule happen; the most that there were at once."""
        began, most = monotonic(), 0
        waiting, going = list(self._schedule), list[Strike]()
        while waiting or going:
            now = monotonic() - began
            for strike in [s for s in going if s.fault.until_s <= now]:
                strike.end()
                going.remove(strike)
            while waiting and waiting[0].at_s <= now:
                strike = Strike(waiting.pop(0), self._machines)
                if strike.begin():
                    self._struck[strike.fault.kind] += 1
                    going.append(strike)
                    most = max(most, len(going))
                if strike.fault.number % 50 == 49:
                    self._say(f"{strike.fault.number + 1} faults, {now:.0f} s")
            self._rest()
        return most

    def _heal(self) -> tuple[float | None, str]:
        """All faults are over: start every device anew, and wait until it is quiet."""
        self._say("healed; every device is started anew")
        for machine in self._machines.values():
            machine.kill()
        self._start_all()
        for machine in self._machines.values():
            machine.order("quiet")
        took_s = self._wait(QUIET_S, self._missing)
        return took_s, "" if took_s is not None else self._missing()

    def _shut_out(self) -> None:
        """The last device is lost: the home revokes it, and it stays where it is."""
        last = self._devices[-1]
        shut_out(self._lan.hosts[HOME].folder, last)

        def missing() -> str:
            book = read_book(self._journals)
            heard = {who for who, line in book.all(Shut) if line.device == last}
            return ", ".join(sorted(set(self._devices) - heard - {last}))

        self._wait(SHUT_S, missing)
        self._wait(3.0, lambda: "more time, for what should not come to come")

    def _wait(self, limit_s: float, missing: Callable[[], str]) -> float | None:
        """Seconds until nothing is missing any more, None if that never was."""
        began = monotonic()
        while (now := monotonic() - began) < limit_s:
            if not missing():
                return now
            for _ in range(10):
                self._rest()
        return None

    def _rest(self) -> None:
        for machine in self._machines.values():
            machine.watch()
        time.sleep(STEP_S)

    def _missing(self) -> str:
        """What is not as it should be, empty when all is."""
        book = read_book(self._journals)
        faults = []
        for name, machine in self._machines.items():
            last = [s for s in book.of(name, Sighted)[-1:] if s.life == machine.life]
            others = set(self._devices) - {name}
            owners = {wish.owner for wish in wishes(name, self._devices)}
            if not last or set(last[0].alive) != others:
                faults.append(f"{name} does not see all others")
            elif not owners <= set(last[0].flowing):
                silent = owners - set(last[0].flowing)
                faults.append(f"{name} hears nothing of {', '.join(sorted(silent))}")
        states = {s.state for n in self._devices for s in book.of(n, Sighted)[-1:]}
        if len(states) > 1:
            faults.append("the replicas are not even")
        if len(set(self._versions().values())) > 1:
            faults.append(f"charters differ: {self._versions()}")
        return "; ".join(faults)

    def _judge(self) -> list[Verdict]:
        book = read_book(self._journals)
        hosts = self._lan.hosts
        files = {name: ledger_file(h.folder, name) for name, h in hosts.items()}
        falls = [
            f"{name}, {fall}"
            for name, machine in self._machines.items()
            for fall in unexpected(machine.falls)
        ]
        lives = sum(machine.life for machine in self._machines.values())
        lines = read_lines(self._folder / RUNS)
        ran = [line for line in lines if isinstance(line, Ran)]
        states = self._states()
        return [
            check_writes(book, states),
            check_equal(states),
            check_runs(book, ran),
            check_answers(book, ran),
            check_chains(book, files, self._keys()),
            check_disclosures(book, dict(read_entries(files))),
            check_charters(book, self._kept_charters),
            check_shut_out(book, self._devices[-1]),
            Verdict("no device fails but in its own words", lives, "starts", falls),
        ]

    def _states(self) -> dict[str, State]:
        """What each device holds of the state, read from its disk."""
        found = {}
        for name, host in self._lan.hosts.items():
            with closing(open_replica(host.folder, name)) as replica:
                found[name] = read_state(replica)
        return found

    def _versions(self) -> dict[str, int]:
        """The version of the charter that each device keeps."""
        hosts = self._lan.hosts.values()
        return {host.name: version_of(host.folder) for host in hosts}

    def _keys(self) -> Mapping[str, Key]:
        found_keys = {}
        for name, host in self._lan.hosts.items():
            household = load_household(identity_folder(host.folder))
            private = key_from_pem(load_identity(household, name).private_pem())
            found_keys[name] = private
        return found_keys


def clock_note(library: Path | None) -> str:
    """How clocks were moved."""
    how = "by a preloaded library" if library else "in Python alone: there is no cc"
    return f"Clocks were moved {how}."

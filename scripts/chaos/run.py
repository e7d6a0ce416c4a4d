"""One run: found, start, strike, heal, start anew, shut one out, read and judge."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic

from scripts.chaos import clock
from scripts.chaos.fleet import Fleet
from scripts.chaos.founding import HOME, found, shut_out
from scripts.chaos.journal import Shut
from scripts.chaos.judge import Course, judge
from scripts.chaos.lan import Lan
from scripts.chaos.schedule import BREATH_EVERY, Fault, Kind
from scripts.chaos.strike import Strike
from scripts.chaos.table import Outcome
from scripts.chaos.work.sabotage import Sabotage

#: Seconds that devices have to meet at first, to be quiet again, and to hear that one
#: of them was shut out.
MEET_S, QUIET_S, SHUT_S = 30.0, 60.0, 20.0
#: Seconds for which the others go on after that.
GO_ON_S = 5.0


class Run:
    """One run on hosts that are there.

    Args:
        lan: the hosts.
        folder: where journals and logs are kept.
        schedule: the faults.
        seed: of what the nodes do.
        sabotage: what they do wrong on purpose; see work/sabotage.py.
        say: told what happens.
    """

    def __init__(
        self,
        lan: Lan,
        folder: Path,
        schedule: Sequence[Fault],
        seed: int,
        sabotage: Sequence[Sabotage],
        say: Callable[[str], None],
    ) -> None:
        self._lan, self._folder, self._schedule = lan, folder, schedule
        self._seed, self._say = seed, say
        self._struck: Counter[Kind] = Counter()
        self._most = 0
        #: after each lull, who was not together with the others; empty for nobody
        self._lulls: list[str] = []
        self._library = clock.build(folder)
        self._fleet = Fleet(lan, folder, seed, sabotage, self._library)

    def go(self) -> Outcome:
        """All of it.

        Raises:
            TimeoutError: the devices did not even meet before the first fault.
        """
        hosts, fleet = self._lan.hosts, self._fleet
        found(
            {name: host.folder for name, host in hosts.items()},
            {name: host.address for name, host in hosts.items()},
        )
        with fleet.ended_at_last():
            fleet.start()
            if fleet.wait(MEET_S, fleet.apart) is None:
                raise TimeoutError(f"never met: {fleet.apart()}")
            self._say("all met; the faults begin")
            began = monotonic()
            self._strike_all()
            took_s = monotonic() - began
            course = self._heal()
            fleet.end()
        self._say("all ended; what they left is read")
        for host in hosts.values():  # to be looked at when a promise is broken
            copy = self._folder / "disk" / host.name
            shutil.copytree(host.folder, copy, dirs_exist_ok=True)
        return Outcome(
            seed=self._seed,
            devices=len(hosts),
            planned=Counter(fault.kind for fault in self._schedule),
            struck=self._struck,
            overlapping=self._most,
            lives=fleet.lives,
            took_s=took_s,
            quiet_s=course.quiet_s,
            missing=course.missing,
            verdicts=judge(self._folder, hosts, fleet.machines, course),
            notes=(_host_note(self._lan), _clock_note(self._library)),
        )

    def _strike_all(self) -> None:
        """Let every fault of the schedule happen."""
        began = monotonic()
        waiting, going = list(self._schedule), list[Strike]()
        while waiting or going:
            now = monotonic() - began
            for strike in [s for s in going if s.fault.until_s <= now]:
                strike.end()
                going.remove(strike)
            while waiting and waiting[0].at_s <= now:
                self._note_lull(waiting[0])
                strike = Strike(waiting.pop(0), self._fleet.machines)
                if strike.begin():
                    self._struck[strike.fault.kind] += 1
                    going.append(strike)
                    self._most = max(self._most, len(going))
                if strike.fault.number % 50 == 49:
                    self._say(f"{strike.fault.number + 1} faults, {now:.0f} s")
            self._fleet.rest()

    def _note_lull(self, fault: Fault) -> None:
        """Before the first fault after a lull: is everybody together again?"""
        if fault.number and fault.number % BREATH_EVERY == 0:
            apart = self._fleet.apart()
            self._lulls.append(f"before fault {fault.number}, {apart}" if apart else "")

    def _heal(self) -> Course:
        """All faults are over: what becomes of the household now?"""
        fleet = self._fleet
        fleet.order("quiet")
        self._say("healed")
        recovered_s = fleet.wait(QUIET_S, fleet.missing)
        before = fleet.missing() if recovered_s is None else ""
        self._say(
            f"recovered in {_seconds(recovered_s)}{before}; all are killed and started"
        )
        fleet.kill()
        fleet.start()
        quiet_s = fleet.wait(QUIET_S, fleet.missing)
        after = fleet.missing() if quiet_s is None else ""
        self._say(f"quiet in {_seconds(quiet_s)}{after}; the last device is shut out")
        at = monotonic()
        went_on = self._shut_out()
        charters = fleet.versions(fleet.devices[:-1])
        return Course(
            recovered_s=recovered_s,
            quiet_s=quiet_s,
            missing=before or after,
            charters=charters,
            shut_out_at=at,
            went_on=went_on,
            lulls=self._lulls,
        )

    def _shut_out(self) -> str:
        """The last device is lost, the home revokes it; what the others then lack."""
        fleet = self._fleet
        *others, last = fleet.devices
        fleet.machines[last].leave_alone()
        shut_out(self._lan.hosts[HOME].folder, last)

        def missing() -> str:
            shut = fleet.look().all(Shut)
            heard = {name for name, line in shut if line.device == last}
            return ", ".join(sorted(set(others) - heard))

        if fleet.wait(SHUT_S, missing) is None:
            return f"not told that {last} is shut out: {missing()}"
        fleet.order("go", others)
        fleet.wait(GO_ON_S, lambda: "more time")
        fleet.order("quiet", others)
        if fleet.wait(QUIET_S, lambda: fleet.missing(others)) is None:
            return fleet.missing(others)
        return ""


def _seconds(took_s: float | None) -> str:
    return "never: " if took_s is None else f"{took_s:.1f} s"


def _host_note(lan: Lan) -> str:
    if lan.is_apart:
        return "Each device had a host of its own, a network namespace with its disk."
    return "All devices were on the loopback: no network and no disk was struck."


def _clock_note(library: Path | None) -> str:
    how = "by a preloaded library" if library else "in Python alone: there is no cc"
    return f"Clocks were moved {how}."

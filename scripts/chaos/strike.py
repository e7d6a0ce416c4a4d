"""One fault as it happens: its beginning and its end."""

from __future__ import annotations

from collections.abc import Mapping

from scripts.chaos.machine import Machine
from scripts.chaos.schedule import Fault, Kind


class Strike:
    """A fault on the machines that are there.

    Args:
        fault: what, to whom.
        machines: all of them, by device.
    """

    def __init__(self, fault: Fault, machines: Mapping[str, Machine]) -> None:
        self.fault = fault
        self._machine = machines[fault.device]
        self._host = self._machine.host
        self._others = {name: machine.host for name, machine in machines.items()}
        self._table = f"fault{fault.number}"

    def begin(self) -> bool:
        """Let it begin; False if there was nothing to strike."""
        fault, machine, host = self.fault, self._machine, self._host
        match fault.kind:
            case Kind.KILL:
                return machine.kill(is_all=bool(fault.amount))
            case Kind.FREEZE:
                return machine.freeze()
            case Kind.CUT:
                host.set_cable(is_in=False)
            case Kind.DEAF:
                host.drop(self._table, self._addresses(fault.peer))
            case Kind.LOSS:
                host.drop(self._table, self._addresses(""), fault.amount)
            case Kind.DELAY:
                host.slow(fault.amount, 0)
            case Kind.REORDER:
                host.slow(0, fault.amount)
            case Kind.CLOCK:
                machine.set_clock(fault.amount)
            case Kind.DISK:
                machine.fill_disk()
        return True

    def end(self) -> None:
        """Let it end."""
        match self.fault.kind:
            case Kind.KILL:
                self._machine.start()
            case Kind.FREEZE:
                self._machine.thaw()
            case Kind.CUT:
                self._host.set_cable(is_in=True)
            case Kind.DEAF | Kind.LOSS:
                self._host.undrop(self._table)
            case Kind.DELAY | Kind.REORDER:
                self._host.slow(0, 0)
            case Kind.CLOCK:
                self._machine.set_clock(0)
            case Kind.DISK:
                self._machine.empty_disk()

    def _addresses(self, peer: str) -> list[str]:
        return [
            host.address
            for name, host in self._others.items()
            if name != self.fault.device and peer in ("", name)
        ]

"""Reads what all devices have on their disks, and holds it against the journals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import msgspec
from scripts.chaos.check.ledger import (
    check_chains,
    check_disclosures,
    check_shut_out,
    check_witnesses,
    read_entries,
)
from scripts.chaos.check.seat import check_acts, check_holders, check_tokens
from scripts.chaos.check.state import State, check_charters, check_equal, check_writes
from scripts.chaos.check.task import check_answers, check_runs
from scripts.chaos.check.verdict import Verdict
from scripts.chaos.journal import Acked, Book, Ran, read_book, read_lines
from scripts.chaos.lan import Host
from scripts.chaos.machine import Machine, unexpected
from scripts.chaos.schedule import BREATH_S
from scripts.chaos.work.state import open_replica, read_state
from scripts.chaos.work.task import RUNS

from trivet.app.folder import identity_folder, ledger_file, witness_file
from trivet.fabric.certificate import key_from_pem
from trivet.fabric.household import load_household
from trivet.fabric.identity import load_identity
from trivet.fabric.ledger_chain import Key
from trivet.fabric.witness_file import Kept, WitnessFile


class Course(msgspec.Struct, frozen=True):
    """What came of a run, step by step.

    Attributes:
        recovered_s: seconds until devices were as they should be, with none started
            anew; None if they never were.
        quiet_s: the same after all of them were started anew.
        missing: what was not as it should be then, empty for nothing.
        charters: the version of the charter that each of the others keeps at last.
        shut_out_at: monotonic seconds at which the last device was shut out.
        went_on: what was not as it should be between the others after that.
        lulls: for each lull, who was not together with the others at its end.
    """

    recovered_s: float | None
    quiet_s: float | None
    missing: str
    charters: Mapping[str, int]
    shut_out_at: float
    went_on: str
    lulls: Sequence[str] = ()


def judge(
    folder: Path,
    hosts: Mapping[str, Host],
    machines: Mapping[str, Machine],
    course: Course,
) -> list[Verdict]:
    """Hold every promise against what is there now.

    Args:
        folder: where journals are kept.
        hosts: with the devices' disks; no device runs any more.
        machines: for how they ended by themselves.
        course: what came of the run.
    """
    book = read_book(folder / "journal")
    ran = [line for line in read_lines(folder / RUNS) if isinstance(line, Ran)]
    states = {name: _state(host) for name, host in hosts.items()}
    *others, last = hosts
    files = {name: ledger_file(host.folder, name) for name, host in hosts.items()}
    entries = dict(read_entries(files))
    keys = {name: _key(host) for name, host in hosts.items()}
    lulls = [_check_lulls(course)] if course.lulls else []
    return [
        check_writes(book, states, {last: course.shut_out_at}),
        check_equal({name: states[name] for name in others}),
        check_runs(book, ran),
        check_answers(book, ran),
        check_tokens(book),
        check_holders(book),
        check_acts(book),
        check_chains(book, files, keys),
        check_witnesses({name: _kept(host) for name, host in hosts.items()}, entries),
        check_disclosures(book, entries),
        check_charters(book, course.charters),
        check_shut_out(book, last),
        *lulls,
        _check_recovery(others, course),
        _check_going_on(book, others, course),
        _check_falls(machines),
    ]


def _check_recovery(others: Sequence[str], course: Course) -> Verdict:
    broken = [] if course.recovered_s is not None else [course.missing or "never even"]
    note = "" if course.recovered_s is None else f"in {course.recovered_s:.1f} s"
    count = len(others) + 1
    return Verdict("all recover by themselves", count, "devices", broken, note)


def _check_lulls(course: Course) -> Verdict:
    broken = [lull for lull in course.lulls if lull]
    promise = f"all together after {BREATH_S:.0f} s without faults"
    return Verdict(promise, len(course.lulls), "lulls", broken)


def _check_going_on(book: Book, others: Sequence[str], course: Course) -> Verdict:
    writes = [
        line
        for name in others
        for line in book.of(name, Acked)
        if line.at > course.shut_out_at
    ]
    broken = [course.went_on] if course.went_on else []
    promise = "the others go on without who was shut out"
    return Verdict(promise, len(writes), "writes", broken)


def _check_falls(machines: Mapping[str, Machine]) -> Verdict:
    falls = [
        f"{name}, {fall}"
        for name, machine in machines.items()
        for fall in unexpected(machine.falls)
    ]
    lives = sum(machine.life for machine in machines.values())
    return Verdict("no device fails but in its own words", lives, "starts", falls)


def _state(host: Host) -> State:
    with closing(open_replica(host.folder, host.name)) as replica:
        return read_state(replica)


def _kept(host: Host) -> Sequence[Kept]:
    return WitnessFile(witness_file(host.folder, host.name)).all()


def _key(host: Host) -> Key:
    household = load_household(identity_folder(host.folder))
    return key_from_pem(load_identity(household, host.name).private_pem())

"""What a run has to say, as a table of text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec
from scripts.chaos.check.verdict import Verdict
from scripts.chaos.schedule import Kind

#: Of each broken promise so many violations are printed; all are in a file.
SHOWN = 10


class Outcome(msgspec.Struct, frozen=True):
    """A run.

    Attributes:
        seed: of its schedule.
        devices: how many took part.
        planned: how many faults of a kind there were to be.
        struck: how many of them met a device that could be struck.
        overlapping: the most faults at one time.
        lives: how many times devices were started.
        took_s: seconds from the first fault to the last.
        quiet_s: seconds from the healing until all was as it should be, None if never.
        missing: what was not as it should be, empty if all was.
        verdicts: what was checked.
        notes: how this machine did it.
    """

    seed: int
    devices: int
    planned: Counter[Kind]
    struck: Counter[Kind]
    overlapping: int
    lives: int
    took_s: float
    quiet_s: float | None
    missing: str
    verdicts: Sequence[Verdict]
    notes: Sequence[str] = ()

    @property
    def holds(self) -> bool:
        """Whether every promise was kept."""
        return self.quiet_s is not None and all(v.holds for v in self.verdicts)


def draw(outcome: Outcome) -> str:
    """The tables of a run, in Markdown, and the violations."""
    lines = [*_faults(outcome), "", *_checks(outcome)]
    for verdict in outcome.verdicts:
        if verdict.broken:
            lines += ["", f"BROKEN: {verdict.promise}", *verdict.broken[:SHOWN]]
    return "\n".join(lines)


def _faults(outcome: Outcome) -> list[str]:
    struck = outcome.struck.total()
    head = (
        f"Seed {outcome.seed}: {struck} faults on {outcome.devices} devices in "
        f"{outcome.took_s:.0f} s, up to {outcome.overlapping} at once; "
        f"devices were started {outcome.lives} times."
    )
    rows = [
        f"| {kind} | {outcome.struck[kind]} | {outcome.planned[kind]} |"
        for kind in Kind
        if outcome.planned[kind]
    ]
    table = ["| fault | struck | planned |", "|---|---|---|", *rows]
    return [head, *outcome.notes, "", *table]


def _checks(outcome: Outcome) -> list[str]:
    rows = [
        f"| {v.promise} | {v.basis:,} {v.of_what} | {len(v.broken)} | "
        f"{'yes' if v.holds else 'NO'}{_aside(v)} |"
        for v in outcome.verdicts
    ]
    quiet = (
        f"All as it should be {outcome.quiet_s:.1f} s after the last fault, when every "
        "device was started anew."
        if outcome.quiet_s is not None
        else f"NEVER QUIET: {outcome.missing}"
    )
    head = ["| promise | rests on | broken | kept |", "|---|---|---|---|"]
    return [*head, *rows, "", quiet]


def _aside(verdict: Verdict) -> str:
    if verdict.note:
        return f"; {verdict.note}"
    return "" if verdict.basis else "; a check on nothing"

"""Strikes a household with faults, and checks that it keeps what it promised.

    python -m scripts.chaos [--faults 500] [--seed 7] [--nodes 4]
    python -m scripts.chaos --seed 7 --list                       the schedule alone

Ends with 1 when a promise was broken, or a check had nothing to look at. See
docs/chaos.md.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from time import monotonic

from scripts.chaos import page
from scripts.chaos.founding import KINDS
from scripts.chaos.lan import PREFIX, network
from scripts.chaos.run import Run
from scripts.chaos.schedule import MIX, NETWORK, Fault, Kind, make_schedule
from scripts.chaos.table import draw
from scripts.chaos.work.sabotage import Sabotage


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--faults", type=int, default=500)
    add("--seed", type=int, default=7)
    add("--nodes", type=int, default=4, choices=range(3, len(KINDS) + 1))
    add("--kind", action="append", choices=list(Kind), help="only these; all, if none")
    add("--list", action="store_true", help="print the schedule, and do nothing")
    add("--loopback", action="store_true", help="no namespaces, no faults of a network")
    add("--sabotage", action="append", choices=list(Sabotage), help="let nodes err so")
    add("--keep", type=Path, help="folder for journals and logs, kept in any case")
    add("--write", type=Path, metavar="PAGE", help="put the table into this page too")
    asked = parser.parse_args()
    kinds = frozenset(Kind(kind) for kind in asked.kind or MIX)
    is_apart = not asked.loopback and _is_allowed()
    if not is_apart:
        kinds -= NETWORK | {Kind.DISK}
    names = tuple(KINDS)[: asked.nodes]
    schedule = make_schedule(asked.seed, asked.faults, names, kinds)
    if asked.keep is not None and asked.keep.exists() and any(asked.keep.iterdir()):
        parser.error(f"{asked.keep} is not empty: the journals of two runs would mix")
    if asked.list:
        print("\n".join(str(fault) for fault in schedule))
        return 0
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        return _run(asked, names, schedule, is_apart=is_apart)
    except KeyboardInterrupt:
        return 130


def _run(
    asked: argparse.Namespace,
    names: tuple[str, ...],
    schedule: tuple[Fault, ...],
    *,
    is_apart: bool,
) -> int:
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    kept = asked.keep or folder / "kept"
    kept.mkdir(parents=True, exist_ok=True)
    began, holds = monotonic(), False

    def say(text: str) -> None:
        print(f"[{monotonic() - began:6.1f} s] {text}", file=sys.stderr, flush=True)

    try:
        with network(folder / "host", names, is_apart=is_apart) as lan:
            wrongs = [Sabotage(word) for word in asked.sabotage or ()]
            outcome = Run(lan, kept, schedule, asked.seed, wrongs, say).go()
        holds = outcome.holds
        print(draw(outcome), flush=True)
        (kept / "table.md").write_text(draw(outcome) + "\n")
        if asked.write is not None:
            page.write(asked.write, draw(outcome))
    finally:
        is_kept_here = asked.keep is None and not holds
        shutil.rmtree(folder / "host" if is_kept_here else folder, ignore_errors=True)
        if kept.exists():
            say(f"seed {asked.seed}: journals and logs are in {kept}")
    return 0 if holds else 1


def _is_allowed() -> bool:
    return os.geteuid() == 0 and Path("/dev/net/tun").exists()


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())

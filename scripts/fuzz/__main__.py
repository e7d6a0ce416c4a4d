"""Gives every decoder inputs that nobody meant to send: see docs/fuzzing.md.

    python -m scripts.fuzz [--runs 1000000] [--target NAME ...] [--seed 1]
    python -m scripts.fuzz --target NAME --seed SEED --number NUMBER    one input again
    python -m scripts.fuzz --target NAME --file PATH                    a file's bytes
    python -m scripts.fuzz --target NAME --atheris                      by coverage

Ends with 1 when something was found.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from scripts.fuzz import atheris_run, campaign
from scripts.fuzz.target import Makers, Target


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--runs", type=int, default=10_000, help="inputs of a target (default 10000)")
    add("--target", action="append", default=[], metavar="NAME", help="all, if none")
    add("--seed", type=int, default=1)
    add("--number", type=int, help="give this one input only")
    add("--file", type=Path, help="give what is in this file only")
    add("--limit-s", type=float, default=campaign.LIMIT_S, help="of an input's time")
    add("--list", action="store_true", help="print the names of the targets")
    add("--atheris", action="store_true", help="let coverage guide one target")
    add("--module", default="scripts.fuzz.targets", help="where TARGETS is")
    asked = parser.parse_args()
    if asked.atheris:
        if len(asked.target) != 1:
            parser.error("--atheris takes one --target")
        return atheris_run.run(asked.module, asked.target[0], asked.runs, asked.seed)
    makers: Makers = import_module(asked.module).TARGETS
    unknown = [name for name in asked.target if name not in makers]
    if unknown:
        parser.error(f"no target {unknown[0]!r}; there are: {', '.join(makers)}")
    if asked.list:
        print("\n".join(makers))
        return 0
    names = asked.target or list(makers)
    if asked.file is not None:
        corpus = (asked.file.read_bytes(),)
        found = [_again(replace(makers[name](), corpus=corpus), 0, 0) for name in names]
    elif asked.number is not None:
        found = [_again(makers[name](), asked.seed, asked.number) for name in names]
    else:
        found = [
            _attack(makers[name](), asked.seed, asked.runs, asked.limit_s)
            for name in names
        ]
    return any(found)


def _attack(target: Target, seed: int, runs: int, limit_s: float) -> bool:
    count, begin = target.share(runs), time.monotonic()
    found = campaign.attack(target, seed, range(count), limit_s)
    took = time.monotonic() - begin
    done = count if found is None else found.number + 1
    word = "ok" if found is None else "FOUND"
    rate = done / took if took else 0.0
    print(
        f"{target.name:20} {done:>9} inputs {took:8.1f} s {rate:>8.0f}/s  {word}",
        flush=True,
    )
    if found is not None:
        print(found, flush=True)
    return found is not None


def _again(target: Target, seed: int, number: int) -> bool:
    data = target.input(seed, number)
    print(f"{target.name} seed {seed} number {number}: {data.hex()}", flush=True)
    found = campaign.attack(target, seed, range(number, number + 1))
    print(found or "ok", flush=True)
    return found is not None


if __name__ == "__main__":
    sys.exit(main())

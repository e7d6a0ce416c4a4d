"""Forecasts on recorded lives: where trips went and when, against what was foretold.

FOLDER holds one folder a person, as GeoLife's `Data` does. Without names the reported
people are judged, of each the first three quarters of the days; the rest is kept for a
last judgement, and so are four people whole.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import msgspec
from benchmarks.anticipation.live import Order, kept
from benchmarks.anticipation.people import REPORTED, compare, everybody
from benchmarks.anticipation.report import lines
from benchmarks.anticipation.result import Result
from benchmarks.anticipation.simulated import DAYS, SEEDS
from benchmarks.anticipation.summary import Source, summarise
from benchmarks.anticipation.table import Table

from trivet.domain import TrivetError
from trivet.engine.student import Student, default


def main(arguments: Sequence[str]) -> None:
    """Judge, print, and keep aggregates if asked."""
    chosen = _parser().parse_args(arguments)
    try:
        result = run(chosen)
    except TrivetError as error:
        sys.exit(str(error))
    if chosen.out is not None:
        chosen.out.write_bytes(msgspec.json.format(msgspec.json.encode(result)))
    for line in lines(result):
        print(line)


def judged(arguments: Sequence[str]) -> Result:
    """What the command of these arguments would print, as values."""
    return run(_parser().parse_args(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.anticipation", description=__doc__
    )
    parser.add_argument("folder", nargs="?", type=Path, metavar="FOLDER")
    parser.add_argument("people", nargs="*", metavar="PERSON")
    parser.add_argument("--jobs", type=int, default=1, help="processes, a person each")
    parser.add_argument("--out", type=Path, help="keep the aggregates in this file")
    parser.add_argument(
        "--keep", type=Path, help="a folder for each one's table, to go on from there"
    )
    parser.add_argument("--student", type=Path, help="weights other than trivet's")
    parser.add_argument(
        "--simulated", action="store_true", help="simulated households, no FOLDER"
    )
    parser.add_argument("--days", type=int, default=DAYS, help="of each household")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    return parser


def run(chosen: argparse.Namespace) -> Result:
    """Judge whom the arguments name."""
    if chosen.simulated:
        orders = [
            Order(None, str(seed), days=chosen.days, student=chosen.student)
            for seed in chosen.seeds
        ]
        text = f"{len(orders)} simulated households, {chosen.days} days each"
        shared = "no real person, place or car"
    elif chosen.folder is None:
        _parser().error("name a FOLDER of recorded people, or --simulated")
    else:
        orders, shared = _recorded(chosen)
        text = f"{len(orders)} people: {' '.join(order.person for order in orders)}"
    student = default() if chosen.student is None else Student.load(chosen.student)
    source = Source(text, shared, f"{student.trained_on}", _count(student))
    return summarise(source, _live(orders, chosen.jobs, chosen.keep))


def _recorded(chosen: argparse.Namespace) -> tuple[list[Order], str]:
    people = chosen.people or list(REPORTED)
    common = compare(chosen.folder, {*everybody(chosen.folder), *people})
    orders = [
        Order(chosen.folder, p, common.dropped[p], student=chosen.student)
        for p in people
    ]
    own = sum(len(order.dropped) for order in orders)
    shared = (
        f"{common.copies} of {common.looked_at:,} files are somebody else's too and "
        f"kept by one; {own} were left out of these people's"
    )
    return orders, shared


def _live(orders: Sequence[Order], jobs: int, keep: Path | None) -> dict[str, Table]:
    """Each one's table, as they come told on the error stream."""
    judge = partial(kept, folder=keep)
    if jobs < 2:
        return _told(zip(orders, map(judge, orders), strict=True))
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        return _told(zip(orders, pool.map(judge, orders), strict=True))


def _told(found: Iterable[tuple[Order, Table]]) -> dict[str, Table]:
    tables = {}
    for order, table in found:
        tables[order.person] = table
        print(f"{order.person}: {len(table):,} forecasts", file=sys.stderr, flush=True)
    return tables


def _count(student: Student) -> int:
    numbers = [*student.way.places, *student.way.new]
    numbers += [*student.blind.places, *student.blind.new]
    if student.network is not None:
        numbers += [w for row in student.network.hidden for w in row]
        numbers += [*student.network.bias, *student.network.out]
    return len(numbers)


if __name__ == "__main__":
    main(sys.argv[1:])

"""Prints figures that the documents quote, all of them by `make bench`.

python -m benchmarks [--all] [--json] [NAME ...]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable
from importlib import import_module

from benchmarks.seeded import Row, show

from trivet.domain import TrivetError

#: Name -> module and function that gives rows of name, value and unit.
BENCHMARKS = {
    "device": ("device", "rows"),
    "demo": ("demo", "rows"),
    "screen": ("screen", "rows"),
    "replay": ("replay", "rows"),
    "atlas": ("atlas", "rows"),
    "fabric": ("fabric", "rows"),
    "link": ("link", "rows"),
    "trust": ("trust", "rows"),
    "seat": ("seat", "rows"),
    "state": ("state", "rows"),
    "history": ("history", "rows"),
    "offload": ("offload", "rows"),
    "anticipation": ("anticipation.simulated", "rows"),
}
#: Only by name, or with --all: they take long, or more than trivet.
LONG = {
    "browser": ("screen", "browser_rows"),
    "million": ("atlas", "million_rows"),
    "fleet": ("fleet", "rows"),
    "years": ("anticipation.cost", "rows"),
    "homecoming": ("homecoming", "rows"),
    "routine": ("routine", "rows"),
    "comfort": ("comfort", "rows"),
    "open_world": ("anticipation.open_world", "rows"),
    "open_world_dinner": ("anticipation.open_world_dinner", "rows"),
    "skills": ("skills", "rows"),
    "skills_each": ("skills_each", "rows"),
    "homes": ("recorded", "homes"),
    "lives": ("recorded", "lives"),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks")
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--all", action="store_true", help="those that take long too")
    parser.add_argument("--json", action="store_true", help="one line a figure")
    chosen = parser.parse_args()
    known = BENCHMARKS | LONG
    unknown = [name for name in chosen.names if name not in known]
    if unknown:
        parser.error(f"no benchmark {unknown[0]!r}; there are: {', '.join(known)}")
    tell = _print_json if chosen.json else _print
    for name in chosen.names or (known if chosen.all else BENCHMARKS):
        module, function = known[name]
        rows = getattr(import_module(f"benchmarks.{module}"), function)
        try:
            tell(name, rows)
        except TrivetError as error:
            if name in chosen.names:
                sys.exit(f"{name}: {error}")
            print(f"{name}: not measured: {error}", file=sys.stderr, flush=True)


def _print(name: str, rows: Callable[[], Iterable[Row]]) -> None:
    print(f"\n{name}", flush=True)
    begun = time.monotonic()
    show(rows())
    show([("measured in", time.monotonic() - begun, "s")])


def _print_json(name: str, rows: Callable[[], Iterable[Row]]) -> None:
    for what, value, unit in rows():
        row = {"benchmark": name, "what": what.strip(), "value": value}
        print(json.dumps(row | {"unit": unit}), flush=True)


if __name__ == "__main__":
    main()

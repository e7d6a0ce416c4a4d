"""Prints every figure that the documents quote: `make bench`, or some by name.

python -m benchmarks [--json] [NAME ...]
"""

from __future__ import annotations

import argparse
import json
from importlib import import_module

from benchmarks.seeded import show

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
#: Only by name: they take long, or more than trivet.
LONG = {
    "browser": ("screen", "browser_rows"),
    "million": ("atlas", "million_rows"),
    "skills": ("skills", "rows"),
    "skills_each": ("skills_each", "rows"),
    "fleet": ("fleet", "rows"),
    "routine": ("routine", "rows"),
    "comfort": ("comfort", "rows"),
    "homecoming": ("homecoming", "rows"),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks")
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--json", action="store_true", help="one line a figure")
    chosen = parser.parse_args()
    known = BENCHMARKS | LONG
    unknown = [name for name in chosen.names if name not in known]
    if unknown:
        parser.error(f"no benchmark {unknown[0]!r}; there are: {', '.join(known)}")
    for name in chosen.names or BENCHMARKS:
        module, function = known[name]
        rows = getattr(import_module(f"benchmarks.{module}"), function)
        if not chosen.json:
            print(f"\n{name}", flush=True)
            show(rows())
            continue
        for what, value, unit in rows():
            row = {"benchmark": name, "what": what.strip(), "value": value}
            print(json.dumps(row | {"unit": unit}), flush=True)


if __name__ == "__main__":
    main()

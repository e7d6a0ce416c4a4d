"""Prints every figure that the documents quote: `make bench`, or some by name.

python -m benchmarks device replay
"""

from __future__ import annotations

import sys
from importlib import import_module

BENCHMARKS = ("device", "replay", "atlas", "fabric")


def main(names: list[str]) -> None:
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        sys.exit(f"no benchmark {unknown[0]!r}; there are: {', '.join(BENCHMARKS)}")
    for name in names or BENCHMARKS:
        print(f"\n{name}", flush=True)
        for what, value, unit in import_module(f"benchmarks.{name}").rows():
            print(f"  {what:<64} {value:>12,.3f} {unit}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

"""Forecasts on recorded lives: where trips went and when, against what was foretold.

python -m benchmarks.anticipation FOLDER [PERSON ...]

FOLDER holds one folder a person, as GeoLife's `Data` does. Of each person the first
three quarters of the days are read; the rest is kept for a last judgement.
"""

from __future__ import annotations

import sys
from pathlib import Path
from zoneinfo import ZoneInfo

from trivet.app.zone import fixed_zone
from trivet.devices.replay import Report, find_recordings, read
from trivet.engine import Anticipator
from trivet.engine.evaluate import Row, Score, evaluate, tabulate

#: The people that are reported on; the engine's weights were fitted on others.
PEOPLE = ("003", "004", "017", "030", "068", "128", "153", "167")
ZONE = ZoneInfo("Asia/Shanghai")
_SHARE_OF_DAYS = 0.75
_DEVICE = "phone"


def main(arguments: list[str]) -> None:
    if not arguments:
        sys.exit("usage: python -m benchmarks.anticipation FOLDER [PERSON ...]")
    folder, people = Path(arguments[0]), arguments[1:] or PEOPLE
    scores: list[Score] = []
    for person in people:
        own = judge(folder / person)
        show(person, [row for row in tabulate(own) if row.kind == "known"])
        scores += own
    show(f"{len(people)} people", tabulate(scores))


def judge(folder: Path) -> list[Score]:
    """The scores of one person's first days, after a fortnight of warming up."""
    files = find_recordings(folder)
    days = sorted({file.name[:8] for file in files})
    early = set(days[: int(len(days) * _SHARE_OF_DAYS)])
    chosen = [file for file in files if file.name[:8] in early]
    anticipator = Anticipator("ada", _DEVICE, fixed_zone(ZONE))
    return list(evaluate(read(chosen, Report()), anticipator))


def show(title: str, rows: list[Row]) -> None:
    print(f"\n{title}", flush=True)
    for row in rows:
        print(
            f"  {row.kind:<6} at {row.fraction:4.0%} of {row.trips:5} trips:"
            f" top-1 {row.top1:6.1%}, top-3 {row.top3:6.1%},"
            f" new {row.said_new:4.0%}, median error {row.error_m:6.0f} m;"
            f" arrival off by {row.arrival_error_s / 60:5.1f} min,"
            f" interval holds {row.coverage:4.0%}, is {row.width_s / 60:5.1f} min;"
            f" most frequent {row.top1_frequent:6.1%}, Markov {row.top1_markov:6.1%}"
        )


if __name__ == "__main__":
    main(sys.argv[1:])

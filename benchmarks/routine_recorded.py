"""The next event at home, foretold in recorded homes and then seen.

python -m benchmarks.routine_recorded FOLDER [--dev] [HOME ...]

The folder holds the recordings, in the forms of benchmarks/recorded_home.py. houseB,
houseD and OrdonezB are for development; the others, which no number was chosen on, are
what is reported. Five days of each are learned and not judged.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from statistics import fmean, median

from benchmarks.recorded_home import homes, read
from benchmarks.routine import Rivals, Tally
from benchmarks.seeded import Row, show

from trivet.domain import Sample, TrivetError, UsageError
from trivet.engine.activity import ActivityReader, HomeEvent
from trivet.engine.routine import Routine

DEVELOPMENT = frozenset({"houseB", "houseD", "OrdonezB"})
WARM_UP_S = 5 * 86_400.0
_TOLD = ("routine", "PPM", "PPM, what holds barred", "hour of day", "most frequent")


def judge(samples: list[Sample]) -> Tally:
    """What was foretold of one home.

    Raises:
        UsageError: nothing happens in it once enough is learned.
    """
    tally, rivals, routine = Tally(), Rivals(UTC), Routine("home", UTC)
    reader, last = ActivityReader(), None
    start = samples[0].time + WARM_UP_S
    for sample in samples:
        event = reader.read_one(sample)
        if event is not None:
            if last is not None and event.time >= start:
                _judge(tally, rivals, routine, event, last)
            gap = None if last is None else event.time - last.time
            rivals.learn(event, gap, 0.0 if last is None else last.time)
            last = event
        routine.learn_one(sample)
    if not tally.top1:
        raise UsageError("the recording is too short to judge anything")
    return tally


def _judge(
    tally: Tally, rivals: Rivals, routine: Routine, event: HomeEvent, last: HomeEvent
) -> None:
    what = event.what if event.what in rivals.codes else ""
    chances = routine.chances(last.time)
    tally.add("routine", sorted(chances, key=lambda n: -chances[n]), chances, what)
    for who, (order, shares) in rivals.guess(last.time).items():
        tally.add(who, order, shares, what)
    for level, covered in tally.covered.items():
        when = routine.predict_next(last.time, level)
        if when is not None:
            covered.append(when.low <= event.time <= when.high)
            if level == 0.8:
                error = abs(when.median - event.time)
                tally.late.setdefault("routine", []).append(error)
    error = abs(rivals.time_of(last.time) - event.time)
    tally.late.setdefault("hour of day", []).append(error)


def rows(
    folder: Path, names: list[str], *, of_development: bool = False
) -> Iterator[Row]:
    """Name, value and unit of each figure, of the homes named, else of either kind.

    Raises:
        UsageError: there is no such home, or it cannot be judged.
    """
    known = homes(folder)
    names = names or [n for n in known if (n in DEVELOPMENT) is of_development]
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        which = f"home {unknown[0]!r}" if unknown else "home to report on"
        raise UsageError(
            f"there is no {which} in {folder}", hint=f"there are: {', '.join(known)}"
        )
    gained = []
    for name in names:
        tally = judge(read(known[name]))
        yield f"{name}: next events judged", len(tally.top1["routine"]), ""
        for who in _TOLD:
            yield f"{name}, {who}: top-1", fmean(tally.top1[who]) * 100, "%"
            yield f"{name}, {who}: top-3", fmean(tally.top3[who]) * 100, "%"
            yield f"{name}, {who}: log loss", fmean(tally.loss[who]), "nats"
        gained.append(fmean(tally.top1["routine"]) - fmean(tally.top1["PPM"]))
        for who, late in tally.late.items():
            yield f"{name}, {who}: median error of the time", median(late), "s"
        for level, covered in tally.covered.items():
            held = fmean(covered) * 100
            yield f"{name}: the {level:.0%} interval of the time holds", held, "%"
    yield "all homes alike: top-1 over PPM", fmean(gained) * 100, "points"


def main(arguments: list[str]) -> None:
    words = [a for a in arguments if a != "--dev"]
    if not words:
        sys.exit("name the folder of the recordings; see benchmarks/recorded_home.py")
    folder, names = Path(words[0]), words[1:]
    try:
        show(rows(folder, names, of_development="--dev" in arguments))
    except TrivetError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(sys.argv[1:])

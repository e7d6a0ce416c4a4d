"""What weights learned from made-up people are worth on real ones.

python -m benchmarks.anticipation.training FOLDER [--cases KEPT] [--linear]

FOLDER is GeoLife's `Data`. A student of the FITTED people there, made here in the same
way as the packaged one was of made-up people, is put beside it on the TESTED people, on
whom nothing was fitted and nothing chosen. Each is judged twice: as it is, and with
each person's own trips moving the weights, as they do on a device. KEPT is a folder for
what was gathered of each person, which takes longest. With --linear no torch is needed.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from benchmarks.anticipation.people import REPORTED, compare, recordings

from trivet.app.zone import fixed_zone
from trivet.devices.replay import Report, read
from trivet.engine.evidence import Evidence
from trivet.engine.residual import Exhibit, Lesson, Residual, put_aside, teach
from trivet.engine.route import Floats
from trivet.engine.scorer import Scorer, shares
from trivet.engine.student import Student, default
from trivet.train.case import SHARES, Cases, gather_cases
from trivet.train.training import train

#: Looked at while the made-up population and the rates of the own lessons were chosen.
LOOKED_AT = "002 013 014 020 022 039 041 052 062 065 092 101 104 112 115 142".split()
#: Those of them that a student is fitted on here.
FITTED = "020 022 052 065 092 101 104 142".split()
#: Used for nothing but this comparison.
TESTED = "005 012 015 028 034 035 036 037 038 067 071 091".split()
ZONE = ZoneInfo("Asia/Shanghai")
_SEED, _DAY = 1, "2026-11-28"
_LEAST = 1e-12


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cases", type=Path, default=None)
    parser.add_argument("--linear", action="store_true")
    parser.add_argument("--student", type=Path, action="append", default=[])
    given = parser.parse_args()
    fitted = list(gathered(given.folder, FITTED, given.cases))
    tested = list(gathered(given.folder, TESTED, given.cases))
    words = f"{len(FITTED)} people of GeoLife"
    students = [("packaged", default())]
    students += [(path.stem, Student.load(path)) for path in given.student]
    for linear in (True,) if given.linear else (True, False):
        made = train(fitted, words, _DAY, seed=_SEED, linear=linear).student
        students.append((f"GeoLife's{', linear' if linear else ''}", made))
    moments = sum(len(cases) for cases in tested)
    print(
        f"{len(tested)} people, {moments:,} moments of trips on whom nothing was fitted"
    )
    for name, student in students:
        for own in (False, True):
            show(f"{name}{' + own' if own else ''}", tested, student, own=own)


def gathered(folder: Path, people: Sequence[str], kept: Path | None) -> Iterator[Cases]:
    """The cases of each person, without files that a reported person has too."""
    path = {person: kept / f"{person}.npz" for person in people} if kept else {}
    missing = [p for p in people if p not in path or not path[p].exists()]
    dropped = compare(folder, [*REPORTED, *missing]).dropped if missing else {}
    for number, person in enumerate(people):
        if person in missing:
            files = [f for f in recordings(folder, person) if f not in dropped[person]]
            samples = read(files, Report())
            cases = Cases.of(gather_cases(samples, fixed_zone(ZONE)), number)
            if person in path:
                path[person].parent.mkdir(parents=True, exist_ok=True)
                path[person].write_bytes(cases.dump())
        else:
            cases = Cases.load(path[person])
        yield cases


def show(name: str, people: Sequence[Cases], student: Student, *, own: bool) -> None:
    """One line: the loss of each moment, and top-1 to known places by share."""
    judged = [judge(cases, student, own=own) for cases in people]
    loss = np.concatenate([loss for loss, _ in judged])
    right = np.concatenate([right for _, right in judged])
    share = np.concatenate([cases.share for cases in people])
    known = np.concatenate([cases.truth < cases.sizes for cases in people])
    blind = np.concatenate([cases.blind for cases in people])
    tops = [f"{right[known & (share == s)].mean():6.1%}" for s in SHARES]
    print(
        f"{name:<24} loss {loss.mean():.4f}, on the way {loss[~blind].mean():.4f};"
        f" top-1 at {', '.join(f'{s:.0%}' for s in SHARES)}: {' '.join(tops)}",
        flush=True,
    )


def judge(cases: Cases, student: Student, *, own: bool) -> tuple[Floats, Floats]:
    """Of each moment the loss, and 1 where the likeliest place was the right one.

    With `own` the weights are moved after each trip by what was put aside on it.
    """
    lessons: list[Lesson] = []
    scorer, exhibits = Scorer(student), list[Exhibit]()
    loss, right = np.empty(len(cases)), np.empty(len(cases))
    for number, first in enumerate(cases.starts.tolist()):
        size, truth = int(cases.sizes[number]), int(cases.truth[number])
        table = cases.table[first : first + size].astype(np.float64)
        new, blind = cases.new[number], bool(cases.blind[number])
        places, of_new = shares(scorer.score(table, new, blind=blind))
        said = of_new if truth == size else float(places[truth])
        loss[number] = -np.log(max(said, _LEAST))
        right[number] = float(truth < size and int(places.argmax()) == truth)
        if not own:
            continue
        names = tuple(str(row) for row in range(size))
        evidence = Evidence(names, table, new, np.empty(size))
        exhibits.append(put_aside(evidence, places, of_new, 0.0, blind=blind))
        departure = float(cases.departure[number])
        is_last = number + 1 == len(cases) or cases.departure[number + 1] != departure
        if is_last:
            lesson = teach(exhibits, departure, str(truth), truth == size)
            lessons += [lesson] if lesson is not None else []
            scorer, exhibits = Scorer(student, Residual(student, lessons)), []
    return loss, right


if __name__ == "__main__":
    main()

"""The student: what evidence on the way is worth, the same for everybody at first.

A conditional logit (D. McFadden, 1974): each candidate's score is a weighted sum of its
evidence, and where the student has a network, what that adds of the evidence together.
It was trained on many people elsewhere (`docs/training.md`), fits into a file of some
kilobytes, and says what it was made of.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from math import isfinite
from pathlib import Path
from typing import Self

import msgspec

from trivet.domain.error import InputError
from trivet.engine.evidence import COLUMNS, NEW_COLUMNS

#: Raised with each change that an older version could not read.
FORMAT = 1
MOST_BYTES = 1_000_000
_MOST_UNITS = 256
#: A score is a sum of some ten such weights: beyond this it is no student but noise.
_MOST_WEIGHT = 1000.0
_HINT = "train it again: trivet train FOLDER --out FILE"

_Row = tuple[float, ...]


class Weights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What each number of the evidence is worth.

    Attributes:
        places: of a candidate, by `columns`.
        new: of somewhere new, by `new_columns`.
        steps: how far a person's own slopes, by both, move the weights: the inverse of
            how well others' trips told each of them; empty for not at all.
    """

    places: _Row
    new: _Row
    steps: tuple[_Row, ...] = ()


class Network(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One hidden layer over a candidate's evidence and that of somewhere new.

    Attributes:
        hidden: units by `columns`, then `new_columns`.
        bias: of each unit.
        out: what each unit, its hyperbolic tangent, adds to the score.
    """

    hidden: tuple[_Row, ...]
    bias: _Row
    out: _Row


class Student(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Weights, and where they come from.

    Attributes:
        format: `FORMAT`.
        trained_on: whose lives, in words.
        trained_at: the day, as an ISO date.
        cases: moments of trips that it was trained on.
        columns: names of the evidence of a candidate, `evidence.COLUMNS`.
        new_columns: names of that of somewhere new, `evidence.NEW_COLUMNS`.
        way: with positions of the trip.
        blind: without any, as at the departure.
        network: what the evidence adds together, with positions; None for nothing.
    """

    format: int
    trained_on: str
    trained_at: str
    cases: int
    columns: tuple[str, ...]
    new_columns: tuple[str, ...]
    way: Weights
    blind: Weights
    network: Network | None = None

    @classmethod
    def load(cls, path: Path) -> Self:
        """The student in a file.

        Raises:
            InputError: it cannot be read, is no student, or is one of other evidence.
        """
        try:
            with path.open("rb") as file:
                data = file.read(MOST_BYTES + 1)
        except OSError as error:
            raise InputError(
                f"no student can be read: {error.strerror}", path=str(path)
            ) from error
        if len(data) > MOST_BYTES:
            raise InputError(
                f"too many bytes: a student has at most {MOST_BYTES:,}",
                path=str(path),
                hint=_HINT,
            )
        return cls.parse(data, str(path))

    @classmethod
    def parse(cls, data: bytes, path: str = "") -> Self:
        """The student in these bytes, of the file at `path`.

        Raises:
            InputError: as `load`.
        """
        try:
            student = msgspec.json.decode(data, type=cls)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InputError(
                f"this is no student: {error}", path=path, hint=_HINT
            ) from error
        wrong = _wrong(student)
        if wrong:
            raise InputError(wrong, path=path, hint=_HINT)
        return student

    def dump(self) -> bytes:
        """The student as a file holds it."""
        packed = msgspec.json.encode(self)
        return msgspec.json.format(packed, indent=1) + b"\n"

    @property
    def fingerprint(self) -> str:
        """Tells it from others, by its weights alone."""
        parts = msgspec.json.encode((self.way, self.blind, self.network))
        return sha256(parts).hexdigest()[:16]


@lru_cache(maxsize=1)
def default() -> Student:
    """The student that comes with trivet."""
    packaged = files("trivet.engine").joinpath("student.json")
    return Student.parse(packaged.read_bytes(), str(packaged))


def _wrong(student: Student) -> str:
    """What is wrong with a student, empty if nothing is."""
    if student.format != FORMAT:
        return f"a student of format {student.format}, this trivet reads {FORMAT}"
    if (student.columns, student.new_columns) != (COLUMNS, NEW_COLUMNS):
        odd = {*student.columns, *student.new_columns} ^ {*COLUMNS, *NEW_COLUMNS}
        names = ", ".join(sorted(odd)) or "their order"
        return f"the student knows other evidence than this trivet: {names[:200]}"
    width, rows = len(COLUMNS) + len(NEW_COLUMNS), list[tuple[int, _Row]]()
    for weights in (student.way, student.blind):
        rows += [(len(COLUMNS), weights.places), (len(NEW_COLUMNS), weights.new)]
        rows += [(width, row) for row in weights.steps]
        if len(weights.steps) not in (0, width):
            return f"{len(weights.steps)} rows of steps where {width} are needed"
    if student.network is not None:
        net = student.network
        units = len(net.hidden)
        if units > _MOST_UNITS:
            return f"{units} units are too many, {_MOST_UNITS} are allowed"
        if not units:
            return "a network of no units"
        rows += [(units, net.bias), (units, net.out)]
        rows += [(width, row) for row in net.hidden]
    for width, row in rows:
        if len(row) != width:
            return f"{len(row)} weights where {width} are needed"
        for weight in row:
            if not isfinite(weight) or abs(weight) > _MOST_WEIGHT:
                return f"a weight of {weight:g}, beyond {_MOST_WEIGHT:g}"
    return ""

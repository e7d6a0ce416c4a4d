"""Cases as boxes of one shape, as tensors want them."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from trivet.engine.evidence import COLUMNS
from trivet.engine.route import Ints
from trivet.train.case import Cases

#: Candidates of a box; the last slot of all is somewhere new.
MOST = 31
Small = NDArray[np.float32]


class Padded(msgspec.Struct, frozen=True):
    """Cases, each with as many slots.

    Attributes:
        table: cases by slots by `evidence.COLUMNS`; zeros without a candidate.
        known: cases by slots and somewhere new: whether there is something.
        new: cases by `evidence.NEW_COLUMNS`.
        truth: slot of what came true.
        person: number of the person of each case.
    """

    table: Small
    known: NDArray[np.bool_]
    new: Small
    truth: Ints
    person: Ints

    def __len__(self) -> int:
        return len(self.truth)


def pad(cases: Cases) -> Padded:
    """The first MOST candidates of each case, the truth among them."""
    count = len(cases)
    table = np.zeros((count, MOST, len(COLUMNS)), dtype=np.float32)
    known = np.zeros((count, MOST + 1), dtype=np.bool_)
    known[:, MOST] = True
    truth = np.full(count, MOST, dtype=np.int64)
    for number, first in enumerate(cases.starts.tolist()):
        size, right = int(cases.sizes[number]), int(cases.truth[number])
        kept = min(size, MOST)
        table[number, :kept] = cases.table[first : first + kept]
        known[number, :kept] = True
        if right < size:
            slot = min(right, MOST - 1)
            table[number, slot] = cases.table[first + right]
            truth[number] = slot
    return Padded(table, known, cases.new.astype(np.float32), truth, cases.person)

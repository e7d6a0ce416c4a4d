"""Cases hold what was known at the time, and where the trip went."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from math import inf, nan
from pathlib import Path
from random import Random

import numpy as np
import pytest
from msgspec.structs import replace
from tests.engine.life import commute, here, learner
from tests.train.made import cases as made

from trivet.domain.error import InputError
from trivet.domain.sample import Position
from trivet.engine.evidence import COLUMNS
from trivet.engine.route import Floats
from trivet.train.case import SHARES, Case, Cases, Learner, gather_cases
from trivet.train.fit import fit

LIFE = commute(14)


def gathered(days: int = 14) -> list[Case]:
    return list(gather_cases(commute(days), here()))


def test_each_trip_after_the_warm_up_gives_a_case_a_share_at_most() -> None:
    cases = gathered()
    late = [t for t in learner(LIFE).trips if t.departure >= LIFE[0].time + 7 * 86_400]
    assert sorted({case.departure for case in cases}) == [t.departure for t in late]
    for trip in late:
        own = [case for case in cases if case.departure == trip.departure]
        assert [case.share for case in own] == sorted({case.share for case in own})
        assert own[0].share == SHARES[0]
        assert [case.blind for case in own] == [True, *[False] * (len(own) - 1)]


def test_a_case_is_the_same_whatever_came_after_its_trip() -> None:
    short, long = gathered(11), gathered(14)
    assert short
    for one, other in zip(short, long, strict=False):
        assert np.array_equal(one.table, other.table)
        assert (one.truth, one.share) == (other.truth, other.share)


def test_positions_that_are_none_teach_nothing() -> None:
    odd = [(nan, 13.4), (91.0, 13.4), (0.0, 0.0), (52.5, inf)]
    plain, told = Learner(here()), Learner(here())
    for number, sample in enumerate(commute(3)):
        assert told.learn_one(sample) == plain.learn_one(sample)
        position = Position(*odd[number % len(odd)])
        at = sample.time + 1.0
        assert not told.learn_one(replace(sample, time=at, value=position))
    assert told.running == plain.running


def test_the_truth_is_where_the_trip_ended() -> None:
    last = gathered()[-1]
    assert last.truth < len(last.table)
    near = last.table[:, COLUMNS.index("near")]
    assert int(near.argmin()) == last.truth


def test_cases_are_written_and_read_back_and_parted(tmp_path: Path) -> None:
    cases = Cases.of(gathered())
    (tmp_path / "a.npz").write_bytes(cases.dump())
    again = Cases.load(tmp_path / "a.npz")
    assert np.array_equal(again.table, cases.table)
    assert np.array_equal(again.truth, cases.truth)
    both = Cases.join([cases.where(cases.blind), cases.where(~cases.blind)])
    assert len(both) == len(cases)
    assert int(both.sizes.sum()) == len(both.table) == len(cases.table)
    assert len(Cases.of([])) == 0


def an_array_alone() -> bytes:
    file = BytesIO()
    np.save(file, np.zeros(3))
    return file.getvalue()


@pytest.mark.parametrize(
    "data", [b"", b"PK\x03\x04 not really", b"\x00" * 100, an_array_alone()]
)
def test_a_file_that_holds_no_cases_is_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(data)
    with pytest.raises(InputError, match="no cases"):
        Cases.load(path)


def test_cases_of_other_evidence_are_refused(tmp_path: Path) -> None:
    path, cases = tmp_path / "a.npz", Cases.of(gathered())
    arrays = {name: getattr(cases, name) for name in cases.__struct_fields__}
    np.savez(path, **{**arrays, "table": cases.table[:, 1:]})
    with pytest.raises(InputError, match="other evidence"):
        Cases.load(path)


@pytest.mark.parametrize("seed", range(40))
def test_attack_cases_with_bytes_changed_are_refused_or_read(
    seed: int, tmp_path: Path
) -> None:
    path, rng = tmp_path / "a.npz", Random(seed)
    data = bytearray(made(60).dump())
    for _ in range(3):
        data[rng.randrange(len(data))] = rng.randrange(256)
    path.write_bytes(data)
    try:
        found = Cases.load(path)
    except InputError:
        return
    fit(found, blind=False)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("sizes", lambda sizes: sizes[:-1]),
        ("sizes", lambda sizes: -sizes),
        ("sizes", lambda sizes: sizes + 1),
        ("sizes", lambda sizes: sizes.astype(float)),
        ("truth", lambda truth: truth + 1000),
        ("truth", lambda truth: truth - 1000),
        ("blind", lambda blind: blind.astype(int)),
        ("share", lambda share: share[0]),
        ("person", lambda person: person[:3]),
        ("table", lambda table: table * nan),
    ],
)
def test_attack_columns_that_no_cases_have_are_refused(
    name: str, change: Callable[[Floats], Floats], tmp_path: Path
) -> None:
    path, cases = tmp_path / "a.npz", made(60)
    arrays = {field: getattr(cases, field) for field in cases.__struct_fields__}
    np.savez(path, **{**arrays, name: change(arrays[name])})
    with pytest.raises(InputError, match="no cases"):
        Cases.load(path)

"""What is exported is all of it, exactly, in a file that is whole or not there."""

from __future__ import annotations

import builtins
import csv
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.fabric.history.lives import DAY_S, T0, aged, kept, lease_of

from trivet.domain import Position, Sample, SetupError, UsageError, Value
from trivet.domain.sample import Quality
from trivet.fabric.history import History, make_forget, make_rule
from trivet.fabric.history.export import COLUMNS, REQUIRED, export
from trivet.fabric.history.reader import Reader
from trivet.fabric.history.row import Kept, What

VALUES: tuple[Value, ...] = (
    *(True, False, 0, -7, (1 << 63) - 1, 0.1, -0.0, 1e300),
    *("", "ä,\n\"'", "=1+1"),
    Position(60.1, 24.9),
    Position(-90.0, 180.0, 5.5, -12.0, 33.3, 359.9),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A history with every type of value, own and copied, raw and summed up."""
    file = tmp_path / "history-car.db"
    with History(file, "car") as history:
        history.set_rule(make_rule("old.*", 0, 300, int(DAY_S)))
        for number, value in enumerate(VALUES):
            time = T0 + number + 0.123457
            history.note(Sample("car", f"a.b{number}", time, value, Quality.STALE))
            history.note(Sample("car", "old.one", T0 + number, value))
        history.note_copy(Sample("phone", "location", T0, "home"), lease_of())
        history.flush()
        aged(history, T0 + 3000)
    return file


def from_row(row: dict[str, Any]) -> Kept:
    found = [
        row[n] for n in ("number", "integer", "flag", "text") if row[n] is not None
    ]
    parts = ("lat", "lon", "accuracy_m", "altitude_m", "speed_mps", "course_deg")
    value = found[0] if found else Position(*(row[name] for name in parts))
    same = ("device", "path", "every_s", "count", "low", "high", "changes")
    return Kept(
        time=row["time"].timestamp(),
        value=value,
        quality=Quality[row["quality"].upper()],
        what=What(row["what"]),
        **{name: row[name] for name in (*same, "lease", "purpose")},
    )


def test_parquet_gives_back_every_row_with_its_type(path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    pa = pytest.importorskip("pyarrow")
    out = path.with_name("out.parquet")
    with Reader(path) as reader:
        count = export(out, reader.rows(), "car")
    table = parquet.read_table(out)
    wanted = kept(path)
    assert count == len(wanted) == table.num_rows
    got = [from_row(row) for row in table.to_pylist()]
    for one, other in zip(got, wanted, strict=True):
        assert one.time == pytest.approx(other.time, abs=1e-6)
        assert type(one.value) is type(other.value)
        same = replace(one, time=other.time, purpose=other.purpose)
        assert same == other
    assert {k.what for k in wanted} == set(What)
    schema = table.schema
    assert schema.names == list(COLUMNS)
    assert schema.field("time").type == pa.timestamp("us", tz="UTC")
    assert schema.metadata[b"trivet.history"] == b"1"
    assert schema.metadata[b"trivet.device"] == b"car"
    for name in COLUMNS:
        assert schema.field(name).nullable == (name not in REQUIRED)


def test_csv_says_the_same_in_text_without_pyarrow(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_arrow(monkeypatch)
    out = path.with_name("out.csv")
    with Reader(path) as reader:
        export(out, reader.rows(), "car")
    with out.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    wanted = kept(path)
    assert len(rows) == len(wanted)
    assert list(rows[0]) == list(COLUMNS)
    for row, k in zip(rows, wanted, strict=True):
        moment = datetime.strptime(row["time"], "%Y-%m-%dT%H:%M:%S.%fZ")
        assert moment.replace(tzinfo=UTC).timestamp() == pytest.approx(k.time, abs=1e-6)
        if isinstance(k.value, bool):
            assert row["flag"] == str(k.value).lower()
        elif isinstance(k.value, int):
            assert int(row["integer"]) == k.value
        elif isinstance(k.value, float):
            assert float(row["number"]) == k.value
        elif isinstance(k.value, str):
            assert row["text"] == k.value
        else:
            assert (float(row["lat"]), float(row["lon"])) == (k.value.lat, k.value.lon)


def without_arrow(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *rest: Any) -> Any:
        if name.startswith("pyarrow"):
            raise ModuleNotFoundError("No module named 'pyarrow'", name="pyarrow")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)


def test_without_its_extra_parquet_says_what_to_do(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_arrow(monkeypatch)
    out = path.with_name("out.parquet")
    with Reader(path) as reader, pytest.raises(SetupError, match=r"trivet\[export\]"):
        export(out, reader.rows(), "car")
    assert not out.exists()


def rows(count: int, breaks_at: int = -1) -> Iterator[Kept]:
    for number in range(count):
        if number == breaks_at:
            raise SetupError("the disk is gone")
        yield Kept("car", "a", T0 + number, float(number))


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_a_file_is_whole_or_as_it_was(tmp_path: Path, name: str) -> None:
    out = tmp_path / name
    with pytest.raises(SetupError, match="the disk is gone"):
        export(out, rows(100, breaks_at=50), "car")
    assert list(tmp_path.iterdir()) == []
    export(out, rows(3), "car")
    before = out.read_bytes()
    with pytest.raises(SetupError):
        export(out, rows(100, breaks_at=99), "car")
    assert out.read_bytes() == before
    assert list(tmp_path.iterdir()) == [out]
    assert out.stat().st_mode & 0o077 == 0


def test_more_than_one_group_is_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr("trivet.fabric.history.export.GROUP", 10)
    out = tmp_path / "out.parquet"
    assert export(out, rows(95), "car") == 95
    assert parquet.read_table(out).column("number").to_pylist() == [
        *map(float, range(95))
    ]


def test_only_the_span_and_signals_wanted_are_exported(path: Path) -> None:
    with Reader(path) as reader:
        wish = make_forget(["a.*"], T0 + 1, T0 + 3)
        assert [k.path for k in reader.rows(wish)] == ["a.b1", "a.b2"]
        assert {k.device for k in reader.rows(device="phone")} == {"phone"}
        inside = make_forget(["old.*"], T0 + 100, T0 + 200)
        assert list(reader.rows(inside)), "an interval that reaches into the span"


def test_another_end_of_the_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="neither"):
        export(tmp_path / "out.xls", rows(1), "car")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(SetupError, match="cannot be written"):
        export(tmp_path / "out.csv", rows(1), "car")


def test_a_folder_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="cannot be written"):
        export(tmp_path / "no" / "out.csv", rows(1), "car")


def test_streams_tell_what_there_is(path: Path) -> None:
    with Reader(path) as reader:
        streams = {s.path: s for s in reader.streams()}
    assert streams["location"].lease == "0" * 16
    assert streams["location"].until == T0 + 3600
    old = streams["old.one"]
    assert (old.samples, old.intervals) == (0, 3)
    assert streams["a.b0"].samples == 1
    assert all(s.bytes > 0 and s.first <= s.last for s in streams.values())


def test_there_is_no_history_yet(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="it begins when"):
        Reader(tmp_path / "history-car.db")

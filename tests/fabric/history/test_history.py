"""What is noted is kept, once and durably, and nothing without a right to it."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from math import nan
from pathlib import Path

import msgspec
import pytest
from tests.fabric.history.lives import T0, kept, lease_of, speed

from trivet.domain import Position, Purpose, Sample, SetupError, UsageError
from trivet.domain.sample import Quality
from trivet.fabric.history import History, make_rule
from trivet.fabric.history import shelf as shelf_module
from trivet.fabric.history.reader import Reader


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history-car.db"


def test_what_is_noted_is_there_after_a_new_start(path: Path) -> None:
    position = Position(60.1, 24.9, 5.0)
    samples = [
        speed(T0, 50.0),
        speed(T0 + 1, 51, Quality.STALE),
        Sample("car", "Vehicle.Door", T0, True),
        Sample("car", "Vehicle.Gear", T0, "park"),
        Sample("car", "Vehicle.Place", T0, position),
    ]
    with History(path, "car") as history:
        for sample in samples:
            history.note(sample)
        assert history.waiting == 5
    found = [(k.path, k.time, k.value, k.quality) for k in kept(path)]
    wanted = [(s.path, s.time, s.value, s.quality) for s in samples]
    assert sorted(found, key=str) == sorted(wanted, key=str)
    with History(path, "car") as history:
        history.note(speed(T0 + 2))
        assert history.flush() == 1
        assert history.flush() == 0


def test_a_sample_that_comes_twice_is_kept_once(path: Path) -> None:
    with History(path, "car") as history:
        history.note(speed(T0))
        history.note(speed(T0))
        assert history.flush() == 1
        history.note(speed(T0))
        assert history.flush() == 0
        with Reader(path) as reader:
            assert [stream.samples for stream in reader.streams()] == [1]


def test_copies_are_kept_apart_with_owner_lease_and_purpose(path: Path) -> None:
    with History(path, "car") as history:
        history.note(Sample("car", "location", T0, "here"))
        history.note_copy(Sample("phone", "location", T0, "there"), lease_of())
    own, copy = kept(path)
    assert (own.device, own.lease, own.purpose) == ("car", "", "")
    assert (copy.device, copy.value) == ("phone", "there")
    assert (copy.lease, copy.purpose) == ("0" * 16, "navigation")


def test_attack_what_no_lease_gives_is_not_kept(path: Path) -> None:
    """Another's sample as own, own as another's, another path, another recipient."""
    foreign = Sample("phone", "location", T0, 1)
    with History(path, "car") as history:
        with pytest.raises(UsageError, match="not car's own"):
            history.note(foreign)
        for sample, lease in (
            (foreign, lease_of(paths=("batt",))),
            (foreign, lease_of(recipient="home")),
            (foreign, lease_of(owner="home")),
            (speed(T0), lease_of(owner="car", paths=("Vehicle.Speed",))),
        ):
            with pytest.raises(UsageError, match="does not give"):
                history.note_copy(sample, lease)
        assert history.waiting == 0


@pytest.mark.parametrize(
    "sample",
    [
        speed(nan),
        speed(-1.0),
        speed(8e9),
        speed(T0, nan),
        speed(T0, "\udc00"),
        Sample("car", "a b", T0, 1),
        Sample("car", "\ud800", T0, 1),
    ],
)
def test_a_sample_that_cannot_be_written_holds_up_no_other(
    path: Path, sample: Sample
) -> None:
    with History(path, "car") as history:
        history.note(speed(T0))
        with pytest.raises(UsageError):
            history.note(sample)
        assert history.flush() == 1


def test_what_was_flushed_survives_a_kill(path: Path) -> None:
    script = (
        "import os, signal, sys\n"
        "from trivet.domain import Sample\n"
        "from trivet.fabric.history import History\n"
        "history = History(sys.argv[1], 'car')\n"
        "for n in range(300):\n"
        "    history.note(Sample('car', 'Vehicle.Speed', 1.7e9 + n, n))\n"
        "history.flush()\n"
        "history.note(Sample('car', 'Vehicle.Speed', 1.8e9, 0))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], timeout=60)
    assert done.returncode == -9
    assert [k.value for k in kept(path)] == list(range(300))
    with History(path, "car"):
        pass


def test_a_full_disk_is_told_and_nothing_half_is_written(path: Path) -> None:
    with History(path, "car") as history:
        history.note(speed(T0))
        history.flush()
        pages = history._file.one("PRAGMA page_count")[0]
        history._file.rows(f"PRAGMA max_page_count = {pages}").fetchall()
        for number in range(1, 2000):
            history.note(speed(T0 + number, "x" * 500))
        with pytest.raises(SetupError, match="full"):
            history.flush()
        assert "full" in history.error
        assert len(kept(path)) == 1
        assert history.waiting == 1999
        history._file.rows("PRAGMA max_page_count = 100000").fetchall()
        assert history.flush() == 1999
        assert history.error == ""
    assert len(kept(path)) == 2000


def test_what_cannot_wait_any_more_is_counted(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf_module, "MAX_WAITING", 10)
    with History(path, "car") as history:
        for number in range(15):
            history.note(speed(T0 + number))
        assert (history.waiting, history.lost) == (10, 5)


def test_the_file_is_its_owners_alone(path: Path) -> None:
    with History(path, "car") as history:
        history.note(speed(T0))
        history.flush()
        for file in path.parent.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file


def test_another_programs_file_is_left_alone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE t (a)")
    before = path.read_bytes()
    with pytest.raises(SetupError, match="another program"):
        History(path, "car")
    assert path.read_bytes() == before
    with pytest.raises(SetupError, match="is no history"):
        Reader(path)


def test_another_devices_history_is_left_alone(path: Path) -> None:
    History(path, "car").close()
    with pytest.raises(SetupError, match="history of 'car', not of home"):
        History(path, "home")


def test_a_later_layout_is_not_touched(path: Path) -> None:
    History(path, "car").close()
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(SetupError, match="update trivet"):
        History(path, "car")


def test_a_damaged_file_is_told(path: Path) -> None:
    with History(path, "car") as history:
        for number in range(5000):
            history.note(speed(T0 + number))
    data = bytearray(path.read_bytes())
    data[4096:] = os.urandom(len(data) - 4096)
    path.write_bytes(data)
    with pytest.raises(SetupError, match="a new history is begun"):
        History(path, "car")


def test_a_closed_history_says_so(path: Path) -> None:
    history = History(path, "car")
    history.close()
    history.close()
    with pytest.raises(UsageError, match="closed"):
        history.set_rule(make_rule("**", 1, 0, 0))


# --- leases -----------------------------------------------------------------------


def copy(time: float, path: str = "location") -> Sample:
    return Sample("phone", path, time, 1.0)


def test_a_copy_goes_when_its_lease_ends(path: Path) -> None:
    with History(path, "car") as history:
        history.note(speed(T0))
        history.note_copy(copy(T0), lease_of(until=T0 + 100))
        history.flush()
        assert history.lapse(T0 + 99) == 0
        assert history.lapse(T0 + 100) == 1
        assert history.lapse(T0 + 100) == 0
        assert history.owed
    assert [k.device for k in kept(path)] == ["car"]


def test_a_copy_goes_when_its_owner_ends_the_lease(path: Path) -> None:
    with History(path, "car") as history:
        history.note_copy(copy(T0), lease_of())
        history.flush()
        history.end_lease("home", "0" * 16, T0 + 1)  # another's lease of that id
        assert history.lapse(T0 + 1) == 0
        history.end_lease("phone", "0" * 16, T0 + 1)
        assert history.lapse(T0 + 1) == 1


def test_a_copy_stays_longer_if_the_owner_of_the_device_says_so(path: Path) -> None:
    with History(path, "car") as history:
        history.set_copies(50)
        history.note_copy(copy(T0), lease_of(until=T0 + 100))
        history.flush()
        assert history.lapse(T0 + 149) == 0
        assert history.lapse(T0 + 150) == 1


def test_a_renewed_lease_carries_its_copies_on(path: Path) -> None:
    first = lease_of(until=T0 + 100)
    second = lease_of(until=T0 + 200, id="1" * 16)
    other = lease_of(until=T0 + 900, id="2" * 16, purpose=Purpose.SAFETY)
    less = lease_of(until=T0 + 900, id="3" * 16, paths=("batt",))
    with History(path, "car") as history:
        history.note_copy(copy(T0), first)
        history.note_copy(copy(T0, "batt"), first)
        history.flush()
        for lease in (second, other, less):  # others take no place of it
            history.follow(lease)
        assert history.lapse(T0 + 100) == 0
        history.end_lease("phone", second.id, T0 + 150)
        assert history.lapse(T0 + 150) == 2


def test_a_lease_that_is_over_is_not_brought_back(path: Path) -> None:
    with History(path, "car") as history:
        history.note_copy(copy(T0), lease_of(until=T0 + 100))
        history.flush()
        late = msgspec.structs.replace(
            lease_of(until=T0 + 999, id="1" * 16), since=T0 + 101
        )
        history.follow(late)
        assert history.lapse(T0 + 102) == 1


def test_two_processes_see_each_others_changes(path: Path) -> None:
    with History(path, "car") as one, History(path, "car") as other:
        one.note(speed(T0))
        one.flush()
        other.set_rule(make_rule("Vehicle.**", 60, 0, 0))
        assert [rule.pattern for rule in one.rules] == ["Vehicle.**"]
        assert one.age(T0 + 100).ended == 1  # the stream went with its last sample
        one.note(speed(T0 + 100))
        one.flush()
        assert other.age(T0 + 1000).ended == 1
        one.note(speed(T0 + 1000))
        assert one.flush() == 1
    assert [k.time for k in kept(path)] == [T0 + 1000]

"""What is forgotten is gone from the bytes, and stays so; nothing else is touched."""

from __future__ import annotations

import sqlite3
import struct
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from tests.fabric.history.lives import (
    DAY_S,
    T0,
    aged,
    holds,
    kept,
    lease_of,
    speed,
)

from trivet.domain import Sample, SetupError, UsageError
from trivet.fabric.history import Forget, History, make_forget, make_rule
from trivet.fabric.history import erasure as erasure_module
from trivet.fabric.history.reader import Reader

MARKER = "a-place-that-nobody-may-know"
NUMBER = 1234.5678901
BYTES = (MARKER.encode(), struct.pack(">d", NUMBER))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history-car.db"


def copy(time: float, value: str | float = 1.0, owner: str = "phone") -> Sample:
    return Sample(owner, "location", time, value)


def fill(history: History, count: int, seed: int = 3) -> None:
    """Texts of many lengths in no order, so that pages divide; some hold a marker."""
    rng = Random(seed)
    for number in rng.sample(range(count), count):
        text = "x" * rng.randrange(100)
        value = (MARKER + text, NUMBER, text)[number % 3]
        history.note(Sample("car", f"a.{number % 5}", T0 + number, value))
        if rng.random() < 0.02:
            history.flush()
    history.flush()


def test_what_is_forgotten_is_in_no_byte_of_the_files(path: Path) -> None:
    with History(path, "car") as history:
        fill(history, 6000)
        assert all(holds(path, marker) for marker in BYTES)
        erased = history.forget(make_forget(until=T0 + 6000), T0 + 6000, ())
        assert erased.samples == 6000
        assert history.owed == erasure_module.NOW
        assert history.scrub()
        assert history.owed == erasure_module.CLEAN
        # while it is open, with its log beside it
        assert not any(holds(path, marker) for marker in BYTES)
    assert not any(holds(path, marker) for marker in BYTES)


@pytest.mark.parametrize("seed", range(3))
def test_single_samples_are_gone_from_pages_that_were_divided(
    path: Path, seed: int
) -> None:
    """A divided page keeps an older copy of a row here and there (seed 2, today)."""
    rng = Random(seed)
    with History(path, "car") as history:
        for number in rng.sample(range(20_000), 20_000):
            value = "x" * rng.randrange(200)
            value = MARKER + value if number % 50 == 0 else value
            history.note(Sample("car", "a", T0 + number, value))
            if rng.random() < 0.02:
                history.flush()
        history.flush()
        for number in range(0, 20_000, 50):
            wish = make_forget(since=T0 + number, until=T0 + number + 1)
            assert history.forget(wish, T0, ()).samples == 1
        assert history.scrub()
        assert not holds(path, BYTES[0])
    assert len(kept(path)) == 20_000 - 400


def test_a_span_in_the_middle_goes_and_the_rest_stays(path: Path) -> None:
    with History(path, "car") as history:
        for number in range(3000):
            value = MARKER if 1000 <= number < 2000 else "y"
            history.note(speed(T0 + number, f"{value}{number}"))
        history.flush()
        wish = make_forget(["Vehicle.*"], T0 + 1000, T0 + 2000)
        assert history.forget(wish, T0 + 3000, ()).samples == 1000
        assert history.scrub()
    assert not holds(path, BYTES[0])
    assert [k.value for k in kept(path)] == [
        f"y{n}" for n in range(3000) if not 1000 <= n < 2000
    ]


def test_only_the_signals_named_go(path: Path) -> None:
    with History(path, "car") as history:
        history.note(speed(T0))
        history.note(Sample("car", "lock.front", T0, "locked"))
        history.flush()
        assert history.forget(make_forget(["lock.*"]), T0, ()).samples == 1
    assert [k.path for k in kept(path)] == ["Vehicle.Speed"]


def test_what_was_not_written_yet_is_forgotten_too(path: Path) -> None:
    with History(path, "car") as history:
        history.note(speed(T0))
        assert history.forget(make_forget(), T0, ()).samples == 1


def test_a_summary_that_lies_partly_in_the_span_goes_whole_and_is_told(
    path: Path,
) -> None:
    with History(path, "car") as history:
        history.set_rule(make_rule("**", 0, 300, int(DAY_S)))
        for number in range(1500):
            history.note(speed(T0 + number, NUMBER))
        history.flush()
        aged(history, T0 + 3000)
        wish = make_forget(since=T0 + 450, until=T0 + 1000)
        erased = history.forget(wish, T0 + 3000, ())
        assert (erased.samples, erased.intervals, erased.partly) == (0, 3, 2)
        assert history.scrub()
        assert [k.time - T0 for k in kept(path)] == [0, 1200]
        whole = make_forget(since=T0, until=T0 + 300)
        assert history.forget(whole, T0 + 3000, ()).partly == 0
        assert history.forget(make_forget(), T0 + 3000, ()).intervals == 1
        assert history.scrub()
        # mean, least and greatest were that number
        assert not holds(path, BYTES[1])


@pytest.mark.parametrize("since", [T0 + 299.0, T0 + 299.5, T0 + 300.0])
def test_what_is_shown_and_counted_before_is_what_goes(
    path: Path, since: float
) -> None:
    with History(path, "car") as history:
        history.set_rule(make_rule("**", 0, 300, int(DAY_S)))
        history.note(speed(T0 + 10))
        history.flush()
        aged(history, T0 + 3000)
        wish = make_forget(since=since, until=T0 + 600)
        with Reader(path) as reader:
            counted, shown = reader.count(wish, "car"), len(list(reader.rows(wish)))
        erased = history.forget(wish, T0 + 3000, ())
        assert counted == (erased.samples, erased.intervals) == (0, shown)
        assert shown == (since < T0 + 300)


def test_raw_samples_beside_a_forgotten_summary_make_a_new_one(path: Path) -> None:
    with History(path, "car") as history:
        history.set_rule(make_rule("**", 0, 300, int(DAY_S)))
        history.note(speed(T0 + 10, 1.0))
        history.flush()
        aged(history, T0 + 3000)
        history.note(speed(T0 + 200, 9.0))  # late: raw when the wish comes
        history.flush()
        history.forget(make_forget(since=T0, until=T0 + 100), T0 + 3000, ())
        aged(history, T0 + 3000)
        (left,) = kept(path)
        assert (left.value, left.count) == (9.0, 1)


def test_what_was_forgotten_does_not_come_back_late(path: Path) -> None:
    wish = make_forget(["Vehicle.**"], T0, T0 + 100)
    with History(path, "car") as history:
        history.forget(wish, T0 + 100, ())
        history.note(speed(T0 + 99))
        history.note(speed(T0 + 100))
        history.note(Sample("car", "location", T0 + 50, "z"))
        assert history.flush() == 2
    with History(path, "car") as history:
        history.note(speed(T0 + 1))
        assert history.flush() == 0


def test_a_wish_without_end_is_about_what_there_was(path: Path) -> None:
    with History(path, "car") as history:
        history.forget(make_forget(), T0, ())
        history.note(speed(T0 - 1))
        history.note(speed(T0))
        assert history.flush() == 1
    assert [k.time for k in kept(path)] == [T0]


def test_a_wish_that_is_repeated_counts_once_and_in_all(path: Path) -> None:
    wish = make_forget(until=T0 + 100)
    with History(path, "car") as history:
        history.note_copy(copy(T0), lease_of())
        history.note_copy(copy(T0 + 1), lease_of())
        first = history.forget_copies("phone", wish, T0)
        assert (first.samples, first.is_clean) == (2, False)
        assert history.scrub()
        again = history.forget_copies("phone", wish, T0)
        assert (again.samples, again.is_clean) == (2, True)
        assert len(history.memories()) == 1


def test_memories_end_when_nothing_can_bring_it_back(path: Path) -> None:
    with History(path, "car") as history:
        wish = make_forget()
        history.forget(wish, T0, ())
        long_after = T0 + erasure_module.REMEMBERED_S + 1
        aged(history, long_after)
        assert len(history.memories()) == 1, "the ledger has not got it"
        history.note_recorded("car", wish.id)
        aged(history, long_after)
        assert history.memories() == []


def test_who_is_to_be_asked_is_kept_with_what_is_deleted(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with History(path, "car") as history:
        history.note(speed(T0))
        history.flush()
        monkeypatch.setattr(
            erasure_module, "await_peers", lambda *_: (_ for _ in ()).throw(OSError())
        )
        with pytest.raises(SetupError):
            history.forget(make_forget(), T0, ["phone"])
        assert history.memories() == []
        assert len(kept(path)) == 1
        monkeypatch.undo()
        history.forget(make_forget(), T0, ["phone", "home", "car"])
    with History(path, "car") as history:
        assert [(p.peer, p.state) for p in history.pendings()] == [
            ("home", "waiting"),
            ("phone", "waiting"),
        ]


def test_a_reader_holds_up_the_cleaning_and_it_is_owed_on(path: Path) -> None:
    with History(path, "car") as history:
        history.note(speed(T0, MARKER))
        history.flush()
        history._file.rows("PRAGMA busy_timeout = 0").fetchall()
        with Reader(path) as reader:
            assert next(iter(reader.rows())).value == MARKER
            history.forget(make_forget(), T0, ())
            assert not history.scrub()
            assert history.owed == erasure_module.NOW
        assert history.scrub()
    assert not holds(path, BYTES[0])


def test_a_cleaning_that_was_cut_off_is_owed_at_the_next_start(path: Path) -> None:
    with History(path, "car") as history:
        fill(history, 2000)
        history.forget(make_forget(), T0, ())
    with History(path, "car") as history:
        assert history.owed == erasure_module.NOW
        assert history.scrub()
    assert not any(holds(path, marker) for marker in BYTES)


KILLED = """
import os, signal, sys, threading
from trivet.fabric.history import History, make_forget
history = History(sys.argv[1], "car")
history.forget(make_forget(["a.*"]), 1.8e9, ())
threading.Timer(float(sys.argv[2]), os.kill, (os.getpid(), signal.SIGKILL)).start()
while True:
    history.scrub()
"""


@pytest.mark.parametrize("after_s", [0.0, 0.003, 0.01, 0.03])
def test_a_kill_while_it_cleans_loses_nothing_and_leaves_nothing(
    path: Path, after_s: float
) -> None:
    with History(path, "car") as history:
        fill(history, 6000)
        for number in range(1000):
            history.note(Sample("car", "b", T0 + number, number))
    script = [sys.executable, "-c", KILLED, str(path), str(after_s)]
    assert subprocess.run(script, timeout=60).returncode == -9
    with History(path, "car") as history:
        assert history.scrub()
        assert not any(holds(path, marker) for marker in BYTES)
    assert [k.value for k in kept(path)] == list(range(1000))


# --- attacks ------------------------------------------------------------------------


def test_attack_a_device_deletes_what_is_anothers_or_ours(path: Path) -> None:
    """Whatever it says and calls itself, only copies of the asker's samples go."""
    home = lease_of(owner="home", id="a" * 16, paths=("location",))
    with History(path, "car") as history:
        history.note(Sample("car", "location", T0, "ours"))
        history.note_copy(copy(T0, "theirs", "home"), home)
        history.note_copy(copy(T0, "asker's"), lease_of())
        history.flush()
        # even one that got in under this device's own name deletes nothing of it
        for asker in ("car", "phone", "", "%", "phone' OR '1'='1"):
            history.forget_copies(asker, make_forget(), T0 + 10)
        assert sorted(str(k.value) for k in kept(path)) == ["ours", "theirs"]
        # and its wish holds back nothing of others
        history.note_copy(copy(T0 + 1, "more", "home"), home)
        assert history.flush() == 1


def test_attack_one_id_for_two_wishes(path: Path) -> None:
    wish = make_forget(["location"], T0, T0 + 1)
    with History(path, "car") as history:
        history.forget_copies("phone", wish, T0)
        with pytest.raises(UsageError, match="something else"):
            history.forget_copies("phone", Forget(wish.id, 0.0, 1.0, ("**",)), T0)
        history.forget_copies("home", Forget(wish.id, 0.0, 1.0, ("**",)), T0)


def test_attack_a_flood_of_wishes_is_not_remembered_for_ever(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure_module, "MAX_REMEMBERED", 10)
    with History(path, "car") as history:
        own = make_forget()
        history.forget(own, T0, ())
        for number in range(30):
            wish = make_forget()
            history.forget_copies("phone", wish, T0 + number)
            history.note_recorded("phone", wish.id)
        owners = [memory.owner for memory in history.memories()]
        assert owners.count("phone") <= 11
        assert owners.count("car") == 1


def test_attack_a_file_with_something_else_in_a_cell(path: Path) -> None:
    with History(path, "car") as history:
        history.note(speed(T0))
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE raw SET value = x'ffff'")
        db.commit()
    with pytest.raises(SetupError, match="is no value"):
        kept(path)

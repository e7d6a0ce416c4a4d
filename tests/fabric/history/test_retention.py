"""Growing old goes by event time, in whole intervals, and is the same however done."""

from __future__ import annotations

import logging
from pathlib import Path
from random import Random

import pytest
from tests.fabric.history.lives import DAY_S, T0, aged, kept, lease_of, speed

from trivet.domain import Sample
from trivet.fabric.history import History, make_rule
from trivet.fabric.history import retention as retention_module
from trivet.fabric.history.reader import Reader
from trivet.fabric.history.row import What

#: One day raw, then five minutes, for ten days.
RULE = make_rule("**", int(DAY_S), 300, int(10 * DAY_S))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history-car.db"


def opened(path: Path) -> History:
    history = History(path, "car")
    history.set_rule(RULE)
    return history


def fill(history: History, count: int, step_s: float = 1.0, since: float = T0) -> None:
    for number in range(count):
        history.note(speed(since + number * step_s, float(number)))
    history.flush()


def test_what_is_older_than_the_rule_says_becomes_means(path: Path) -> None:
    with opened(path) as history:
        fill(history, 600)
        assert aged(history, T0 + DAY_S + 300) == (300, 0)
        mean, *raw = kept(path)
        assert (mean.time, mean.every_s, mean.count) == (T0, 300, 300)
        assert (mean.value, mean.low, mean.high) == (149.5, 0.0, 299.0)
        assert [k.value for k in raw] == [float(n) for n in range(300, 600)]


def test_only_whole_intervals_are_taken(path: Path) -> None:
    with opened(path) as history:
        fill(history, 600)
        assert aged(history, T0 + DAY_S + 299.9) == (0, 0)
        assert aged(history, T0 + DAY_S + 599.9) == (300, 0)


def test_it_can_be_done_twice_and_in_any_steps(path: Path) -> None:
    now = T0 + DAY_S + 3600
    with opened(path) as history, opened(path.with_name("b.db")) as other:
        for one in (history, other):
            fill(one, 3000)
        aged(history, now)
        once = kept(path)
        assert aged(history, now) == (0, 0)
        for passed in range(0, 3601, 70):
            aged(other, T0 + DAY_S + passed)
        assert kept(path) == once == kept(path.with_name("b.db"))


def test_a_late_sample_finds_its_summary(path: Path) -> None:
    with opened(path) as history:
        fill(history, 300)
        late = [150.25, 150.5]
        aged(history, T0 + DAY_S + 300)
        for offset in late:
            history.note(speed(T0 + offset, 1000.0))
        history.flush()
        assert aged(history, T0 + DAY_S + 301) == (2, 0)
        (mean,) = kept(path)
        assert mean.count == 302
        assert mean.high == 1000.0
        assert mean.value == pytest.approx((sum(range(300)) + 2000) / 302)


def test_the_order_of_arrival_makes_no_difference(path: Path) -> None:
    samples = [speed(T0 + n, float(n % 7)) for n in range(900)]
    shuffled = samples[:]
    Random(5).shuffle(shuffled)
    other = path.with_name("b.db")
    for file, order in ((path, samples), (other, shuffled)):
        with opened(file) as history:
            for number, sample in enumerate(order):
                history.note(sample)
                if number % 90 == 0:
                    history.flush()
                    aged(history, T0 + DAY_S + 2000)
            history.flush()
            aged(history, T0 + DAY_S + 2000)
    for one, two in zip(kept(path), kept(other), strict=True):
        assert (one.time, one.count, one.low, one.high) == (
            two.time,
            two.count,
            two.low,
            two.high,
        )
        assert one.value == pytest.approx(two.value)


def test_at_the_end_nothing_is_left(path: Path) -> None:
    with opened(path) as history:
        fill(history, 600)
        aged(history, T0 + 2 * DAY_S)
        assert aged(history, T0 + 10 * DAY_S + 300) == (0, 1)
        assert aged(history, T0 + 10 * DAY_S + 600) == (0, 1)
        with Reader(path) as reader:
            assert reader.streams() == []
        assert history._file.one("SELECT count(*) FROM stream") == (0,)


def test_with_no_means_the_raw_just_ends(path: Path) -> None:
    with History(path, "car") as history:
        history.set_rule(make_rule("Vehicle.Speed", 100, 0, 0))
        fill(history, 300)
        assert aged(history, T0 + 200) == (0, 100)


def test_what_may_still_be_late_is_waited_for(path: Path) -> None:
    with History(path, "car") as history:
        history.set_rule(make_rule("**", 0, 60, 3600))
        fill(history, 60)
        assert aged(history, T0 + 60 + retention_module.LATE_S - 1) == (0, 0)
        assert aged(history, T0 + 60 + retention_module.LATE_S) == (60, 0)


def test_a_long_history_is_aged_in_steps_of_whole_intervals(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention_module, "STEP", 100)
    with opened(path) as history:
        fill(history, 900)
        step = history.age(T0 + 2 * DAY_S)
        assert (step.folded, step.is_done) == (300, False)
        assert aged(history, T0 + 2 * DAY_S) == (600, 0)
        assert [k.count for k in kept(path)] == [300, 300, 300]


def test_a_crash_in_a_step_undoes_all_of_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(path) as history:
        fill(history, 900)
        before = kept(path)
        monkeypatch.setattr(
            retention_module, "_subtract", lambda *_: (_ for _ in ()).throw(OSError())
        )
        with pytest.raises(Exception, match="cannot be used"):
            history.age(T0 + 2 * DAY_S)
        assert kept(path) == before
        monkeypatch.undo()
        assert aged(history, T0 + 2 * DAY_S) == (900, 0)


def test_a_door_that_was_open_for_seconds_is_found_after_months(path: Path) -> None:
    states = [(0.0, "closed"), (100.0, "open"), (120.0, "closed"), (290.0, "closed")]
    with opened(path) as history:
        for offset, state in states:
            history.note(Sample("car", "Vehicle.Door", T0 + offset, state))
        history.flush()
        aged(history, T0 + 3 * DAY_S)
        found = [(k.time - T0, k.value, k.what) for k in kept(path)]
    assert found == [
        (0.0, "closed", What.FIRST),
        (100.0, "open", What.CHANGE),
        (120.0, "closed", What.CHANGE),
        (290.0, "closed", What.LAST),
    ]


def test_the_oldest_makes_room_and_it_is_told(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with History(path, "car") as history:
        history.set_max_bytes(1 << 20)
        for number in range(60_000):
            history.note(speed(T0 + number, float(number) + 0.5))
        history.flush()
        history._file.shrink()  # brings the log in
        before = path.stat().st_size
        with caplog.at_level(logging.WARNING):
            gone = history.make_room(T0 + 60_000)
        assert gone > 1000
        assert "of the oldest went" in caplog.text
        assert history._file.used_bytes <= 1 << 20
        assert path.stat().st_size < 0.9 * before
        left = [k.time for k in kept(path)]
        assert left == [T0 + n for n in range(gone, 60_000)]
        assert history.make_room(T0 + 60_000) == 0
        count, until = history.squeezed
        assert count == gone
        assert until == pytest.approx(left[0], abs=1000)


def test_attack_a_flood_of_copies_pushes_out_none_of_ones_own(path: Path) -> None:
    with History(path, "car") as history:
        history.set_max_bytes(1 << 20)
        fill(history, 1000)
        lease = lease_of(until=T0 + 1e6)
        for number in range(60_000):
            time = T0 + 1e5 + number  # newer than all of the owner's
            history.note_copy(Sample("phone", "location", time, number + 0.5), lease)
        history.flush()
        assert history.make_room(T0 + 2e5) > 1000
        own = [k for k in kept(path) if k.device == "car"]
        assert len(own) == 1000


def test_attack_a_time_in_a_far_future_takes_nothing_with_it(path: Path) -> None:
    with History(path, "car") as history:
        history.set_max_bytes(1 << 20)
        fill(history, 60_000)
        history.note(speed(7e9))
        history.flush()
        gone = history.make_room(T0 + 60_000)
        assert gone < 45_000

"""Nothing leaves that is not in the ledger, and what is counted is counted once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from threading import Event as Flag
from threading import Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trivet.domain import SetupError
from trivet.fabric.disclosure import MAX_WINDOW_S, Disclosures
from trivet.fabric.event import Event, EventKind
from trivet.fabric.ledger import Ledger

LEASE = "0123456789abcdef"


class Record:
    """Keeps events in memory; can be made to fail, and to wait in mid-write."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.writes: list[int] = []
        self.is_failing = False
        self.is_writing, self.may_write = Flag(), Flag()
        self.may_write.set()

    def append_many(self, events: Sequence[Event]) -> None:
        self.is_writing.set()
        assert self.may_write.wait(5)
        if self.is_failing:
            raise SetupError("the disk is full")
        self.writes.append(len(events))
        self.events += events

    def of(self, kind: EventKind, lease: str = "") -> list[Event]:
        return [e for e in self.events if e.kind is kind and lease in ("", e.lease)]

    def count(self, lease: str = "") -> int:
        return sum(e.count for e in self.of(EventKind.DISCLOSED, lease))


def note(
    flows: Disclosures, now: float, lease: str = LEASE, path: str = "location"
) -> None:
    flows.note(lease, "car", path, "navigation", 500, now - 1, now)


def test_the_first_sample_is_in_the_ledger_before_it_leaves() -> None:
    record = Record()
    flows = Disclosures(record)
    record.may_write.clear()
    leaving = Thread(target=note, args=(flows, 100.0))
    leaving.start()
    assert record.is_writing.wait(5)
    assert leaving.is_alive()
    record.may_write.set()
    leaving.join(5)
    assert record.events == [
        Event(
            EventKind.DISCLOSING,
            100.0,
            peer="car",
            lease=LEASE,
            paths=("location",),
            purpose="navigation",
            exact_m=500,
            first=99.0,
        )
    ]


def test_what_follows_is_counted_and_written_at_the_end() -> None:
    record = Record()
    flows = Disclosures(record)
    for second in (100.0, 103.0, 101.0):
        note(flows, second)
    assert len(record.events) == 1
    flows.end(LEASE, 110.0)
    (event,) = record.of(EventKind.DISCLOSED)
    assert (event.count, event.first, event.last) == (3, 99.0, 102.0)
    assert (event.time, event.exact_m, event.lease) == (110.0, 500, LEASE)


def test_the_end_of_one_lease_leaves_the_others_counting() -> None:
    record = Record()
    flows = Disclosures(record)
    note(flows, 100.0)
    note(flows, 100.0, lease="f" * 16)
    flows.end(LEASE, 101.0)
    assert [e.lease for e in record.of(EventKind.DISCLOSED)] == [LEASE]
    note(flows, 102.0, lease="f" * 16)
    assert len(record.of(EventKind.DISCLOSING)) == 2


def test_samples_that_differ_in_exactness_are_not_counted_together() -> None:
    record = Record()
    flows = Disclosures(record)
    for exact_m in (500, 0, 500):
        flows.note(LEASE, "car", "location", "navigation", exact_m, 1.0, 1.0)
    flows.flush(2.0)
    counts = {e.exact_m: e.count for e in record.of(EventKind.DISCLOSED)}
    assert counts == {500: 2, 0: 1}


def test_a_stream_that_flows_for_a_day_is_a_few_dozen_entries() -> None:
    record = Record()
    flows = Disclosures(record)
    for second in range(86_400):
        note(flows, float(second))
        if second % 10 == 0:
            flows.tick(float(second))
    flows.flush(86_400.0)
    assert len(record.events) <= 2 * (86_400 / MAX_WINDOW_S + 7)
    assert record.count() == 86_400


def test_a_stream_that_fell_silent_is_written_by_a_tick() -> None:
    record = Record()
    flows = Disclosures(record, window_s=60.0)
    note(flows, 100.0)
    flows.tick(159.0)
    assert record.count() == 0
    flows.tick(220.0)
    assert record.count() == 1


def test_a_clock_that_is_set_back_loses_nothing() -> None:
    record = Record()
    flows = Disclosures(record)
    for now in (1e6, 1e6 + 1, 5.0, 6.0, 1e6):
        note(flows, now)
    flows.tick(7.0)
    flows.flush(8.0)
    assert record.count() == 5


ops = st.lists(
    st.tuples(
        st.sampled_from(["note", "note", "note", "tick", "flush", "end", "fail"]),
        st.sampled_from(["a" * 16, "b" * 16]),
        st.sampled_from(["location", "batt"]),
        st.floats(0, 300),
    ),
    max_size=40,
)


@settings(max_examples=80, deadline=None)
@given(ops)
def test_in_any_course_all_is_announced_and_counted_once(
    course: list[tuple[str, str, str, float]],
) -> None:
    """At each moment what left and is not counted yet was announced."""
    record = Record()
    flows = Disclosures(record, window_s=30.0)
    left: Counter[tuple[str, str]] = Counter()
    now = 0.0
    for what, lease, path, step in course:
        now += step
        record.is_failing = what == "fail"
        try:
            if what in ("note", "fail"):
                note(flows, now, lease, path)
                left[lease, path] += 1
            elif what == "end":
                flows.end(lease, now)
            else:
                (flows.tick if what == "tick" else flows.flush)(now)
        except SetupError:
            assert what == "fail"
        begun = Counter((e.lease, *e.paths) for e in record.of(EventKind.DISCLOSING))
        ended = Counter((e.lease, *e.paths) for e in record.of(EventKind.DISCLOSED))
        for stream, count in left.items():
            counted = sum(
                e.count
                for e in record.of(EventKind.DISCLOSED)
                if (e.lease, *e.paths) == stream
            )
            assert counted <= count
            assert begun[stream] - ended[stream] == 1 or counted == count
    record.is_failing = False
    flows.flush(now)
    for (lease, path), count in left.items():
        told = [e for e in record.of(EventKind.DISCLOSED, lease) if e.paths == (path,)]
        assert sum(e.count for e in told) == count


def test_a_sample_that_cannot_be_taken_down_must_stay() -> None:
    record = Record()
    flows = Disclosures(record)
    record.is_failing = True
    with pytest.raises(SetupError):
        note(flows, 100.0)
    record.is_failing = False
    note(flows, 101.0)
    flows.flush(102.0)
    (event,) = record.of(EventKind.DISCLOSED)
    assert (event.count, event.first) == (1, 100.0)


def test_counts_that_cannot_be_written_wait() -> None:
    record = Record()
    flows = Disclosures(record)
    note(flows, 100.0)
    record.is_failing = True
    for _ in range(3):
        with pytest.raises(SetupError):
            flows.end(LEASE, 101.0)
    record.is_failing = False
    flows.tick(102.0)
    flows.flush(103.0)
    assert [e.count for e in record.of(EventKind.DISCLOSED)] == [1]


def test_first_samples_that_come_together_are_one_write() -> None:
    record = Record()
    flows = Disclosures(record)
    record.may_write.clear()
    threads = [Thread(target=note, args=(flows, 100.0))]
    threads[0].start()
    assert record.is_writing.wait(5)
    threads += [
        Thread(target=note, args=(flows, 100.0, LEASE, f"signal{n}")) for n in range(8)
    ]
    for thread in threads[1:]:
        thread.start()
    while len(flows._begun) < 9:  # all of them wait behind the first
        assert all(thread.is_alive() for thread in threads)
    record.may_write.set()
    for thread in threads:
        thread.join(5)
    assert record.writes == [1, 8]


def test_any_thread_may_note_while_others_flush() -> None:
    with Ledger(":memory:", "phone") as ledger:
        flows = Disclosures(ledger, window_s=50.0)

        def live(number: int) -> None:
            for i in range(400):
                path = f"signal{(number + i) % 3}"
                flows.note(LEASE, "car", path, "navigation", 0, float(i), float(i))
                if i % 100 == number:
                    flows.tick(float(i))
                    flows.flush(float(i))

        threads = [Thread(target=live, args=(n,)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        flows.flush(400.0)
        ended = list(ledger.entries(kind=EventKind.DISCLOSED))
        begun = list(ledger.entries(kind=EventKind.DISCLOSING))
        assert sum(e.event.count for e in ended) == 6 * 400
        assert len(ended) == len(begun)
        assert ledger.verify().is_sound

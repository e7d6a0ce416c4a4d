"""The switch carries each frame where it goes, late when it is told so."""

from __future__ import annotations

from random import Random

import pytest
from scripts.chaos.wire import MAX_WAITING, Queue, goes_to

ONE = bytes([2, 0, 0, 0, 0, 1]) + b"for one"
TWO = bytes([2, 0, 0, 0, 0, 2]) + b"for two"
ALL = bytes([255] * 6) + b"for all"


def test_a_frame_goes_to_the_host_that_it_names_or_to_all_others() -> None:
    assert goes_to(TWO, 1, 3) == [2]
    assert goes_to(ALL, 1, 3) == [2, 3]
    assert goes_to(ONE, 1, 3) == []
    assert goes_to(bytes([2, 0, 0, 0, 0, 9]), 1, 3) == []


def test_a_frame_without_delay_leaves_at_once_and_in_order() -> None:
    queue = Queue(Random(1))
    queue.put(1, b"a", 10.0)
    queue.put(1, b"b", 10.0)
    assert queue.take(10.0) == [(1, b"a"), (1, b"b")]
    assert queue.wait_s(10.0) is None


def test_a_delay_holds_what_comes_from_its_port_alone() -> None:
    queue = Queue(Random(1))
    queue.obey("1 200 0")
    queue.put(1, b"late", 10.0)
    queue.put(2, b"soon", 10.0)
    assert queue.take(10.0) == [(2, b"soon")]
    assert queue.wait_s(10.0) == pytest.approx(0.2)
    assert queue.take(10.1) == []
    assert queue.take(10.2) == [(1, b"late")]


def test_a_spread_mixes_the_order_and_loses_nothing() -> None:
    queue = Queue(Random(1))
    queue.obey("1 0 100")
    frames = [bytes([number]) for number in range(50)]
    for frame in frames:
        queue.put(1, frame, 10.0)
    came = [frame for _, frame in queue.take(10.1)]
    assert came != frames
    assert sorted(came) == frames


def test_what_waits_is_bounded() -> None:
    queue = Queue(Random(1))
    queue.obey("1 1000 0")
    for _ in range(MAX_WAITING + 10):
        queue.put(1, b"", 0.0)
    assert len(queue.take(1.0)) == MAX_WAITING

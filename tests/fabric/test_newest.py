"""What is declared to the carrier is bounded."""

from __future__ import annotations

from trivet.fabric.newest import Newest


def test_the_oldest_goes_and_is_taken_back() -> None:
    gone: list[int] = []
    held = Newest[int](2, gone.append)
    for number in range(5):
        held.add(str(number), number)
    assert dict(held) == {"3": 3, "4": 4}
    assert gone == [0, 1, 2]


def test_what_is_held_already_pushes_nothing_out() -> None:
    gone: list[int] = []
    held = Newest[int](2, gone.append)
    for key in ("a", "b", "b", "a"):
        held.add(key, 1)
    assert list(held) == ["a", "b"]
    assert not gone

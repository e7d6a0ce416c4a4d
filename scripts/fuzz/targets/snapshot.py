"""Snapshots: what a learner remembers, from a disk or from another device."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, tzinfo

from scripts.fuzz.target import Makers, Target
from scripts.fuzz.tree import MSGPACK

from trivet.domain import Position, Sample
from trivet.domain.error import UsageError
from trivet.engine import Anticipator

_START = 1_736_121_600.0
_END = _START + 2 * 86_400.0
_STEP_S = 300.0


def _zone_of(lat: float, lon: float) -> tzinfo:
    return UTC


def _days(device: str) -> Iterator[Sample]:
    """Two days between two places, eight kilometres apart, by fixes."""
    for number in range(int((_END - _START) / _STEP_S)):
        hour = number * _STEP_S / 3600.0 % 24.0
        out = min(1.0, max(0.0, 2 * (hour - 8.0))) - min(
            1.0, max(0.0, 2 * (hour - 17.0))
        )
        at = Position(49.0 + 0.05 * out, 8.4 + 0.08 * out, 10.0)
        yield Sample(device, "location", _START + number * _STEP_S, at)


def _regions(device: str) -> Iterator[Sample]:
    """The same by names and speeds, the last trip still running."""
    for day in range(2):
        for hour, path, name in (
            (8.0, "leave", "HOME"),
            (8.5, "enter", "WORK"),
            (17.0, "leave", "WORK"),
        ):
            time = _START + day * 86_400.0 + hour * 3600.0
            yield Sample(device, f"transition.{path}", time, name)
            if path == "leave":
                for second in range(0, 1200, 60):
                    yield Sample(device, "Vehicle.Speed", time + 30.0 + second, 50.0)


def _snapshots() -> Iterator[bytes]:
    yield Anticipator("ada", "phone", _zone_of).snapshot()
    by_fixes, by_names = list(_days("phone")), list(_regions("car"))
    for samples in (by_fixes, by_fixes[:391], by_names):
        mind = Anticipator("ada", samples[0].device, _zone_of)
        for sample in samples:
            mind.learn_one(sample)
        yield mind.snapshot()
        mind.freeze(samples[-1].time)
        yield mind.snapshot()


def _restore(data: bytes) -> None:
    """What is taken can be kept, taken again, asked, and lived on from."""
    mind = Anticipator.restore(data, _zone_of)
    again = Anticipator.restore(mind.snapshot(), _zone_of)
    for time in (_START, _END - 1800.0, _END + 600.0):
        for found in (again.predict_one(time), again.predict_departure(time)):
            if found is not None:
                shares = [candidate.probability for candidate in found.candidates]
                assert abs(sum(shares) - 1.0) < 1e-6
        again.predict_home(time)
        again.at(time)
    for number in range(4):
        at = Position(49.0 + 0.01 * number, 8.4, 10.0)
        again.learn_one(Sample(again.device, "location", _END + 600.0 * number, at))
    again.forget(_START, _START + 86_400.0)


def _make() -> Target:
    return Target(
        "snapshot",
        tuple(_snapshots()),
        _restore,
        (UsageError,),
        codec=MSGPACK,
        head=1,
        slowness=20,
    )


TARGETS: Makers = {"snapshot": _make}

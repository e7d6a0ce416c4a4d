"""A recording by the door of a live device."""

from __future__ import annotations

from typing import Any

import pytest

from trivet.devices.replay import Options, ReplayAdapter
from trivet.domain import DeviceKind, UsageError

REC = "".join(
    "2024-05-01T10:00:00Z\t*\t"
    f'{{"_type":"location","lat":48,"lon":11,"tst":{1714557600 + n},"batt":50}}\n'
    for n in range(4)
)
T = 1714557600.0
CSV = "entity_id,state,last_changed\nlight.a,on,2024-05-01T10:00:00Z\n"


@pytest.fixture
def phone(write: Any) -> ReplayAdapter:
    return ReplayAdapter([write("a.rec", REC)], Options(person="ada"))


def test_it_is_the_device_that_was_recorded(phone: ReplayAdapter) -> None:
    device = phone.device
    assert (device.id, device.kind, device.name) == (
        "phone",
        DeviceKind.PHONE,
        "ada's phone",
    )
    assert {s.path for s in device.signals} >= {"location", "batt"}


def test_samples_come_up_to_a_time_and_once(phone: ReplayAdapter) -> None:
    assert phone.begins == T
    assert {s.time for s in phone.samples(T + 1)} == {T, T + 1}
    assert list(phone.samples(T + 1)) == []
    assert list(phone.samples(T)) == []
    assert {s.time for s in phone.samples(T + 99)} == {T + 2, T + 3}
    assert phone.begins is None
    assert phone.report.understood == 8


def test_what_is_not_taken_is_not_lost(phone: ReplayAdapter) -> None:
    first = next(phone.samples(T + 99))
    rest = list(phone.samples(T + 99))
    assert (first.path, len(rest)) == ("location", 7)


def test_a_recording_obeys_no_command(phone: ReplayAdapter) -> None:
    with pytest.raises(UsageError, match="phone is a recording"):
        phone.command("batt", 100, T)


def test_after_close_there_is_nothing(phone: ReplayAdapter) -> None:
    next(phone.samples(T))
    phone.close()
    phone.close()
    assert list(phone.samples(T + 99)) == []


def test_one_adapter_is_one_device(write: Any) -> None:
    both = [write("a.rec", REC), write("history.csv", CSV)]
    with pytest.raises(UsageError, match="not of home, phone"):
        ReplayAdapter(both)
    with pytest.raises(UsageError, match="not of none"):
        ReplayAdapter([])


def test_a_device_id_is_checked() -> None:
    with pytest.raises(UsageError, match="no device id"):
        Options(device="My Phone")

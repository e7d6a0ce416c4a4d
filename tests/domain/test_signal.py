"""What may be written to a signal; and the car's catalogue keeps its own rules."""

from __future__ import annotations

import re
from contextlib import suppress
from math import inf, nan
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trivet.domain.error import UsageError
from trivet.domain.sample import Position, SignalPath
from trivet.domain.signal import Signal, SignalKind
from trivet.domain.vss import SIGNALS

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
#: VSS 6.0's datatypes that the catalogue uses.
INTEGERS = {"uint8", "uint16", "uint32", "int8", "int16", "int32"}
DATATYPES = {"boolean", "string", "float", "double", *INTEGERS}
#: VSS 6.0's units, as it writes them, that trivet knows how to show.
UNITS = set(
    "Celsius degrees g/s iso8601 kPa kWh km/h m percent rpm s V A kW km l mm".split()
) | {""}


def allows(signal: Signal, value: Any) -> bool:
    """Whether it may be written; if not, the error must name the signal."""
    with suppress(UsageError):
        signal.check(value)
        return True
    with pytest.raises(UsageError, match=re.escape(signal.path)):
        signal.check(value)
    return False


@given(st.one_of(st.booleans(), st.integers(-9, 9), NUMBERS, st.text(max_size=3)))
@settings(max_examples=60, deadline=None)
def test_a_boolean_is_true_or_false_and_nothing_else(value: Any) -> None:
    assert allows(Signal("a", datatype="boolean"), value) is isinstance(value, bool)


@given(st.one_of(st.booleans(), st.integers(-9, 9), NUMBERS, st.text(max_size=3)))
@settings(max_examples=60, deadline=None)
def test_a_number_is_no_boolean_and_no_text(value: Any) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    assert allows(Signal("a", datatype="float"), value) is is_number


@given(NUMBERS, st.tuples(NUMBERS, NUMBERS).map(sorted))
@settings(max_examples=100, deadline=None)
def test_a_number_keeps_within_its_bounds(value: float, bounds: list[float]) -> None:
    low, high = bounds
    signal = Signal("a", minimum=low, maximum=high)
    assert allows(signal, value) is (low <= value <= high)
    assert allows(signal, low)
    assert allows(signal, high)


@pytest.mark.parametrize("value", [nan, inf, -inf])
@pytest.mark.parametrize("bounds", [(None, None), (0.0, 1.0)])
def test_a_number_is_finite(
    value: float, bounds: tuple[float | None, float | None]
) -> None:
    assert not allows(Signal("a", minimum=bounds[0], maximum=bounds[1]), value)


def test_a_number_past_every_float_is_refused() -> None:
    assert not allows(Signal("a"), 10**400)


@pytest.mark.parametrize(
    ("datatype", "value"),
    [("uint8", 256), ("uint8", -1), ("uint8", 1.5), ("int8", 128), ("uint16", 70_000)],
)
def test_a_number_fits_its_datatype(datatype: str, value: float) -> None:
    assert not allows(Signal("a", datatype=datatype), value)


def test_a_bound_is_told_with_its_unit() -> None:
    signal = Signal("a.b", unit="km/h", minimum=-5, maximum=120)
    with pytest.raises(UsageError, match=r"a\.b cannot be 121: .*120 km/h"):
        signal.check(121)
    with pytest.raises(UsageError, match=r"a\.b cannot be -6: .*-5 km/h"):
        signal.check(-6)


@given(st.text(max_size=3), st.lists(st.text(max_size=3), max_size=4))
@settings(max_examples=100, deadline=None)
def test_a_text_is_one_of_the_allowed(value: str, allowed: list[str]) -> None:
    signal = Signal("a", datatype="string", allowed=tuple(allowed))
    assert allows(signal, value) is (not allowed or value in allowed)
    assert not allows(signal, 1)
    assert not allows(signal, True)


def test_a_position_is_written_as_one() -> None:
    signal = Signal("location", datatype="position")
    assert allows(signal, Position(60.0, 25.0))
    assert not allows(signal, 60.0)
    assert not allows(signal, "60,25")
    assert not allows(Signal("a"), Position(60.0, 25.0))


class TestCatalogue:
    def test_it_is_keyed_by_path(self) -> None:
        assert len(SIGNALS) > 30
        assert all(path == signal.path for path, signal in SIGNALS.items())

    @pytest.mark.parametrize("path", SIGNALS)
    def test_paths_can_be_sent_and_are_the_cars(self, path: str) -> None:
        assert msgspec.convert(path, SignalPath) == path
        assert re.fullmatch(r"Vehicle(\.[A-Z][A-Za-z0-9]*)+", path)

    @pytest.mark.parametrize("signal", SIGNALS.values(), ids=lambda s: str(s.path))
    def test_signals_are_whole(self, signal: Signal) -> None:
        assert signal.datatype in DATATYPES
        assert signal.unit in UNITS
        if signal.minimum is not None and signal.maximum is not None:
            assert signal.minimum < signal.maximum
        if signal.datatype in {"boolean", "string"}:
            assert signal.minimum is signal.maximum is None
            assert signal.unit in {"", "iso8601"}
        if signal.allowed:
            assert signal.datatype == "string"
            assert len(set(signal.allowed)) == len(signal.allowed)

    @pytest.mark.parametrize("signal", SIGNALS.values(), ids=lambda s: str(s.path))
    def test_every_signal_can_be_written(self, signal: Signal) -> None:
        """For each there is a value that it takes, and one that it refuses."""
        if signal.datatype == "boolean":
            good: Any = True
        elif signal.datatype == "string":
            good = signal.allowed[0] if signal.allowed else "x"
        else:
            good = signal.minimum or 0
        assert allows(signal, good)
        assert not allows(signal, Position(0.0, 0.0))

    @pytest.mark.parametrize(
        ("path", "kind", "unit"),
        [
            ("Vehicle.Speed", SignalKind.SENSOR, "km/h"),
            ("Vehicle.CurrentLocation.Latitude", SignalKind.SENSOR, "degrees"),
            ("Vehicle.CurrentLocation.Longitude", SignalKind.SENSOR, "degrees"),
            ("Vehicle.TraveledDistance", SignalKind.SENSOR, "m"),
            ("Vehicle.Powertrain.TractionBattery.Range", SignalKind.SENSOR, "m"),
            ("Vehicle.Exterior.AirTemperature", SignalKind.SENSOR, "Celsius"),
            ("Vehicle.Body.Trunk.Rear.IsOpen", SignalKind.ACTUATOR, ""),
            ("Vehicle.VehicleIdentification.VIN", SignalKind.ATTRIBUTE, ""),
        ],
    )
    def test_what_trivet_relies_on(
        self, path: str, kind: SignalKind, unit: str
    ) -> None:
        assert (SIGNALS[path].kind, SIGNALS[path].unit) == (kind, unit)

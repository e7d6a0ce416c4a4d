"""A signal: what a device offers, in the field's own names.

The car's are COVESA VSS paths, the home's are Home Assistant entity ids, the phone's
are OwnTracks fields.
"""

from __future__ import annotations

import sys
from enum import StrEnum

import msgspec

from trivet.domain.error import UsageError
from trivet.domain.sample import Position, SignalPath, Value

_LARGEST = sys.float_info.max
#: Range of VSS's integer datatypes.
_INTEGERS = {
    f"{sign}int{bits}": (
        -(1 << (bits - 1)) if not sign else 0,
        (1 << (bits - (0 if sign else 1))) - 1,
    )
    for bits in (8, 16, 32, 64)
    for sign in ("", "u")
}


class SignalKind(StrEnum):
    """VSS's three kinds of leaf; a Home Assistant entity maps onto the same three."""

    SENSOR = "sensor"
    ACTUATOR = "actuator"
    ATTRIBUTE = "attribute"


class Signal(msgspec.Struct, frozen=True, omit_defaults=True):
    """A named stream of samples on a device.

    Attributes:
        path: dotted path, unique on its device.
        kind: a sensor is read, an actuator can be given a target value too.
        datatype: VSS's word: boolean, float, uint8, string, ...; `position` for
            a Position.
        unit: the unit of the value as VSS or Home Assistant writes it (`km/h`).
        minimum: least value allowed, in `unit`.
        maximum: greatest value allowed, in `unit`.
        allowed: the only texts allowed, empty when any is.
        description: one line for a person.
    """

    path: SignalPath
    kind: SignalKind = SignalKind.SENSOR
    datatype: str = "float"
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    allowed: tuple[str, ...] = ()
    description: str = ""

    def check(self, value: Value) -> None:
        """Raise UsageError unless `value` may be written to this signal."""
        fault = self._fault(value)
        if fault:
            raise UsageError(f"{self.path} cannot be {value!r}: {fault}")

    def _fault(self, value: Value) -> str:
        if self.datatype == "boolean":
            return "" if isinstance(value, bool) else "it is true or false"
        if self.datatype == "string":
            if not isinstance(value, str):
                return "it is a text"
            fits = not self.allowed or value in self.allowed
            return "" if fits else f"allowed are {', '.join(self.allowed)}"
        if self.datatype == "position":
            return "" if isinstance(value, Position) else "it is a position"
        if isinstance(value, bool) or not isinstance(value, int | float):
            return f"it is a {self.datatype}"
        return self._number_fault(value)

    def _number_fault(self, value: int | float) -> str:
        # comparing is exact for any whole number; converting it would overflow
        if not -_LARGEST <= value <= _LARGEST:
            return "it is a finite number"
        least, greatest = _INTEGERS.get(self.datatype, (None, None))
        if least is not None and greatest is not None:
            if value != int(value):
                return f"it is a whole number, a {self.datatype}"
            if not least <= value <= greatest:
                return f"a {self.datatype} goes from {least} to {greatest}"
        if self.minimum is not None and value < self.minimum:
            return f"the least is {self.minimum:g} {self.unit}".rstrip()
        if self.maximum is not None and value > self.maximum:
            return f"the greatest is {self.maximum:g} {self.unit}".rstrip()
        return ""

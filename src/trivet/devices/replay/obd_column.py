"""OBD-II columns: the header names that logging apps write, as VSS signals.

Source: SAE J1979 names of the PIDs, as written by Torque, Car Scanner, OBD Fusion and
the KIT data set; VSS 6.0 for the signals and their units.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from trivet.domain.sample import TRANSITION_ENTER, TRANSITION_LEAVE
from trivet.domain.signal import Signal
from trivet.domain.vss import SIGNALS

_ENGINE = "Vehicle.Powertrain.CombustionEngine"
_HERE = "Vehicle.CurrentLocation"
LATITUDE, LONGITUDE = f"{_HERE}.Latitude", f"{_HERE}.Longitude"

#: VSS path by names, each in lower case letters and digits only.
_NAMES = {
    "Vehicle.Speed": "speed speedobd obdspeed vehiclespeed vehiclespeedsensor",
    f"{_ENGINE}.Speed": "rpm enginerpm enginespeed",
    f"{_ENGINE}.EngineCoolant.Temperature": "ect enginecoolanttemperature "
    "enginecoolanttemp coolanttemperature",
    f"{_ENGINE}.MAP": "map mapkpa intakemanifoldpressure "
    "intakemanifoldabsolutepressure",
    f"{_ENGINE}.MAF": "maf massairflowrate massairflow mafairflowrate "
    "airflowratefrommassflowsensor",
    f"{_ENGINE}.TPS": "throttle throttleposition throttlepositionmanifold "
    "absolutethrottleposition absolutethrottlepositiona",
    "Vehicle.Exterior.AirTemperature": "amb ambientairtemp ambientairtemperature",
    "Vehicle.Chassis.Accelerator.PedalPosition": "pedd acceleratorpedalpositiond "
    "acceleratorpedalpositiond accelpedalpositiond absolutepedalpositiond",
    "Vehicle.Powertrain.FuelSystem.RelativeLevel": "fuellevel fuellevelinput "
    "fuellevelfromengineecu",
    "Vehicle.Powertrain.TractionBattery.StateOfCharge.Current": "soc stateofcharge "
    "hybridbatterycharge hybridevbatteryremainingcharge",
    LATITUDE: "latitude lat gpslatitude",
    LONGITUDE: "longitude longtitude lon gpslongitude",
    f"{_HERE}.Altitude": "altitude altitudegps gpsaltitude",
    f"{_HERE}.Heading": "bearing bearinggps gpsbearing heading",
}
_PATHS = {name: path for path, names in _NAMES.items() for name in names.split()}

#: Unit as written: the unit of VSS, and what makes it of the other: scale, offset.
_UNITS = {
    "km/h": ("km/h", 1.0, 0.0),
    "kmh": ("km/h", 1.0, 0.0),
    "kph": ("km/h", 1.0, 0.0),
    "mph": ("km/h", 1.609344, 0.0),
    "m/s": ("km/h", 3.6, 0.0),
    "rpm": ("rpm", 1.0, 0.0),
    "1/min": ("rpm", 1.0, 0.0),
    "c": ("Celsius", 1.0, 0.0),
    "f": ("Celsius", 5 / 9, -160 / 9),
    "kpa": ("kPa", 1.0, 0.0),
    "psi": ("kPa", 6.894757, 0.0),
    "bar": ("kPa", 100.0, 0.0),
    "g/s": ("g/s", 1.0, 0.0),
    "lb/min": ("g/s", 7.559873, 0.0),
    "%": ("percent", 1.0, 0.0),
    "m": ("m", 1.0, 0.0),
    "ft": ("m", 0.3048, 0.0),
    "deg": ("degrees", 1.0, 0.0),
}
_HEADER = re.compile(r"(.*?)\s*[(\[]([^()\[\]]{0,20})[)\]]\s*", re.S)
_MAX_HEADER_CHARS = 200


@dataclass(frozen=True)
class Column:
    """How a column's numbers become values of a signal.

    Attributes:
        path: the VSS path.
        scale: times the number,
        offset: plus this, gives the signal's unit.
        is_whole: the signal holds whole numbers.
        minimum: least value of the signal.
        maximum: greatest value of the signal.
    """

    path: str
    scale: float
    offset: float
    is_whole: bool
    minimum: float
    maximum: float

    def value(self, raw: float) -> float | int | None:
        """The signal's value of a finite number, None when it cannot hold it."""
        value = raw * self.scale + self.offset
        if not self.minimum <= value <= self.maximum:
            return None
        return round(value) if self.is_whole else value


@lru_cache(maxsize=1024)
def column_of(name: str, unit: str | None = None) -> Column | None:
    """The column of a header such as `Engine RPM [RPM]`, None if it is not known.

    Args:
        name: the header, or the PID's name.
        unit: the unit, when it is not at the end of the name.
    """
    if len(name) > _MAX_HEADER_CHARS:
        return None
    path = _PATHS.get(plain(name))
    if unit is None and path is None:
        found = _HEADER.fullmatch(name)
        name, unit = found.groups() if found else (name, "")
        path = _PATHS.get(plain(name))
    if path is None:
        return None
    signal = SIGNALS[path]
    scale, offset = 1.0, 0.0
    written = _unit(unit or "")
    if written:
        target, scale, offset = _UNITS.get(written, ("", 1.0, 0.0))
        if target != signal.unit:
            return None
    whole = "int" in signal.datatype
    return Column(
        path,
        scale,
        offset,
        whole,
        signal.minimum if signal.minimum is not None else _least(signal),
        signal.maximum if signal.maximum is not None else _greatest(signal),
    )


def plain(text: str) -> str:
    """Lower case letters and digits alone."""
    return "".join(c for c in text.lower() if c.isascii() and c.isalnum())


def _unit(text: str) -> str:
    text = text.replace("℃", "C").replace("℉", "F").lower()
    return "".join(c for c in text if c.isascii() and (c.isalnum() or c in "/%"))


#: Beyond this a number of a car's sensor is a fault of the log.
_BOUND = 1e6


def _least(signal: Signal) -> float:
    return 0.0 if signal.datatype.startswith("uint") else -_BOUND


def _greatest(signal: Signal) -> float:
    bits = signal.datatype.removeprefix("uint")
    return float(2 ** int(bits) - 1) if bits in ("8", "16") else _BOUND


#: All that a log may give.
CAR_SIGNALS: tuple[Signal, ...] = (
    *(SIGNALS[path] for path in _NAMES),
    Signal(TRANSITION_ENTER, datatype="string", description="region entered"),
    Signal(TRANSITION_LEAVE, datatype="string", description="region left"),
)

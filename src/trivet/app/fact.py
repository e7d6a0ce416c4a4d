"""Signals put in words for a person: labels, units, and what deserves attention."""

from __future__ import annotations

from trivet.app.view import Fact
from trivet.domain.sample import LOCATION, Position, Sample, Value

#: path -> (label, unit as shown, decimals); other signals are not shown as facts.
_NUMBERS: dict[str, tuple[str, str, int]] = {
    "batt": ("Charge", "%", 0),
    "Vehicle.Speed": ("Speed", "km/h", 0),
    "Vehicle.Powertrain.TractionBattery.StateOfCharge.Current": ("Charge", "%", 0),
    "Vehicle.Powertrain.FuelSystem.RelativeLevel": ("Fuel", "%", 0),
    "Vehicle.Cabin.HVAC.AmbientAirTemperature": ("Cabin", "°C", 1),
    "Vehicle.Exterior.AirTemperature": ("Outside", "°C", 0),
    "climate.living_room.current_temperature": ("Living room", "°C", 1),
    "climate.living_room.temperature": ("Heating to", "°C", 1),
    "sensor.outdoor_temperature": ("Outside", "°C", 0),
}
#: path -> (label, words for values, values that deserve attention)
_STATES: dict[str, tuple[str, dict[str, str], frozenset[str]]] = {
    "climate.living_room": ("Heating", {"heat": "on", "off": "off"}, frozenset()),
    "cover.garage_door": ("Garage", {}, frozenset({"open"})),
    "lock.front_door": ("Front door", {}, frozenset({"unlocked"})),
    "binary_sensor.front_door": (
        "Front door",
        {"on": "open", "off": "closed"},
        frozenset({"on"}),
    ),
    "binary_sensor.kitchen_window": (
        "Kitchen window",
        {"on": "open", "off": "closed"},
        frozenset({"on"}),
    ),
    "binary_sensor.bedroom_window": (
        "Bedroom window",
        {"on": "open", "off": "closed"},
        frozenset({"on"}),
    ),
    "switch.stove": ("Stove", {}, frozenset({"on"})),
    "light.living_room": ("Living room light", {}, frozenset()),
    "light.kitchen": ("Kitchen light", {}, frozenset()),
    "binary_sensor.occupancy": (
        "Somebody home",
        {"on": "yes", "off": "no"},
        frozenset(),
    ),
    "Vehicle.Cabin.Door.Row1.DriverSide.IsOpen": (
        "Driver's door",
        {"True": "open", "False": "closed"},
        frozenset(),
    ),
    "Vehicle.Cabin.Door.Row1.DriverSide.IsLocked": (
        "Doors",
        {"True": "locked", "False": "unlocked"},
        frozenset(),
    ),
}
_ORDER = {path: place for place, path in enumerate([*_NUMBERS, *_STATES])}


def fact(sample: Sample, *, is_home_empty: bool = False) -> Fact | None:
    """The sample in words, None for a signal that is not shown.

    An open door only deserves attention while nobody is home.
    """
    if sample.path in _NUMBERS:
        label, unit, decimals = _NUMBERS[sample.path]
        text = _number(sample.value, decimals)
        return Fact(sample.path, label, f"{text} {unit}") if text else None
    if sample.path in _STATES:
        label, words, alerts = _STATES[sample.path]
        state = str(sample.value)
        is_alert = is_home_empty and state in alerts
        return Fact(sample.path, label, words.get(state, state), is_alert)
    return None


def facts(samples: list[Sample], *, is_home_empty: bool = False) -> tuple[Fact, ...]:
    """The samples of one device in words, in the order a person reads them."""
    shown = [fact(s, is_home_empty=is_home_empty) for s in samples]
    found = [f for f in shown if f is not None]
    return tuple(sorted(found, key=lambda f: _ORDER[f.path]))


def label_of(path: str) -> str:
    """What a signal is called, empty for one that is not shown."""
    return _NUMBERS[path][0] if path in _NUMBERS else _STATES.get(path, ("",))[0]


def state_words(what: str) -> str:
    """A path and a state for a person: "Kitchen light on" of `light.kitchen=on`."""
    path, _, state = what.partition("=")
    label, words, _ = _STATES.get(path, ("", {}, frozenset()))
    if not label:
        label = path.partition(".")[2].replace(".", " ").replace("_", " ").capitalize()
    return f"{label or path} {words.get(state, state.replace('_', ' '))}"


def place_of(samples: list[Sample]) -> tuple[float, float] | None:
    """Where the device with these latest samples is, in degrees, if it says so."""
    by_path = {s.path: s.value for s in samples}
    fix = by_path.get(LOCATION)
    if isinstance(fix, Position):
        return fix.lat, fix.lon
    lat = by_path.get("Vehicle.CurrentLocation.Latitude")
    lon = by_path.get("Vehicle.CurrentLocation.Longitude")
    if isinstance(lat, float) and isinstance(lon, float):
        return lat, lon
    return None


def _number(value: Value, decimals: int) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return f"{value:.{decimals}f}"

"""The home's entities, by their Home Assistant names, and how a night leaves them."""

from __future__ import annotations

from trivet.domain.device import Device, DeviceKind
from trivet.domain.sample import Value
from trivet.domain.signal import Signal, SignalKind

CLIMATE = "climate.living_room"
TARGET = "climate.living_room.temperature"
INDOOR = "climate.living_room.current_temperature"
GARAGE, LOCK, STOVE = "cover.garage_door", "lock.front_door", "switch.stove"
FRONT_DOOR = "binary_sensor.front_door"
KITCHEN_WINDOW = "binary_sensor.kitchen_window"
BEDROOM_WINDOW = "binary_sensor.bedroom_window"
LIVING_LIGHT, KITCHEN_LIGHT = "light.living_room", "light.kitchen"
OUTDOOR, OCCUPANCY = "sensor.outdoor_temperature", "binary_sensor.occupancy"
WINDOWS, LIGHTS = (KITCHEN_WINDOW, BEDROOM_WINDOW), (LIVING_LIGHT, KITCHEN_LIGHT)

_ON_OFF = ("on", "off")


def _sensor(path: str) -> Signal:
    return Signal(path, SignalKind.SENSOR, "string", allowed=_ON_OFF)


def _actuator(path: str, *allowed: str) -> Signal:
    return Signal(path, SignalKind.ACTUATOR, "string", allowed=allowed)


#: What the home keeps until it is changed, as on a night with everybody in bed.
NIGHT: dict[str, Value] = {
    CLIMATE: "heat",
    TARGET: 18.0,
    GARAGE: "closed",
    LOCK: "locked",
    STOVE: "off",
    FRONT_DOOR: "off",
    KITCHEN_WINDOW: "off",
    BEDROOM_WINDOW: "off",
    LIVING_LIGHT: "off",
    KITCHEN_LIGHT: "off",
    OCCUPANCY: "on",
}
HOME = Device(
    "home",
    DeviceKind.HOME,
    "The home",
    (
        _actuator(CLIMATE, "off", "heat"),
        Signal(TARGET, SignalKind.ACTUATOR, "float", "°C", minimum=7.0, maximum=25.0),
        Signal(INDOOR, SignalKind.SENSOR, "float", "°C"),
        _actuator(GARAGE, "open", "closed"),
        _actuator(LOCK, "locked", "unlocked"),
        _sensor(FRONT_DOOR),
        _sensor(KITCHEN_WINDOW),
        _sensor(BEDROOM_WINDOW),
        _actuator(STOVE, *_ON_OFF),
        _actuator(LIVING_LIGHT, *_ON_OFF),
        _actuator(KITCHEN_LIGHT, *_ON_OFF),
        Signal(OUTDOOR, SignalKind.SENSOR, "float", "°C"),
        _sensor(OCCUPANCY),
    ),
)

"""The car's signals, by their VSS names, and what each is while the car is parked."""

from __future__ import annotations

from trivet.domain.device import Device, DeviceKind
from trivet.domain.sample import Value
from trivet.domain.vss import SIGNALS

SPEED, MOVING = "Vehicle.Speed", "Vehicle.IsMoving"
LAT = "Vehicle.CurrentLocation.Latitude"
LON = "Vehicle.CurrentLocation.Longitude"
HEADING = "Vehicle.CurrentLocation.Heading"
ODOMETER = "Vehicle.TraveledDistance"
_BATTERY = "Vehicle.Powertrain.TractionBattery."
CHARGE, RANGE = _BATTERY + "StateOfCharge.Current", _BATTERY + "Range"
CHARGING = _BATTERY + "Charging.IsCharging"
CABIN = "Vehicle.Cabin.HVAC.AmbientAirTemperature"
CLIMATE = "Vehicle.Cabin.HVAC.IsAirConditioningActive"
TARGET = "Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature"
OUTDOOR = "Vehicle.Exterior.AirTemperature"
STATE = "Vehicle.LowVoltageSystemState"
_DOOR = "Vehicle.Cabin.Door."
DRIVER, PASSENGER = _DOOR + "Row1.DriverSide.", _DOOR + "Row1.PassengerSide."
REAR = _DOOR + "Row2.PassengerSide."
TRUNK = "Vehicle.Body.Trunk.Rear."
LOCKS = (DRIVER + "IsLocked", PASSENGER + "IsLocked", TRUNK + "IsLocked")

#: Told each ten minutes while parked.
HEARTBEAT = (SPEED, LAT, LON, CHARGE, CABIN, OUTDOOR)
#: Told each ten seconds under way.
UNDER_WAY = (ODOMETER, CHARGE, RANGE)
#: What the car keeps until it is changed, as it is when parked and locked.
PARKED: dict[str, Value] = {
    STATE: "LOCK",
    CHARGING: False,
    CLIMATE: False,
    TARGET: 21.0,
    DRIVER + "IsOpen": False,
    DRIVER + "IsLocked": True,
    PASSENGER + "IsOpen": False,
    PASSENGER + "IsLocked": True,
    _DOOR + "Row2.DriverSide.IsOpen": False,
    REAR + "IsOpen": False,
    DRIVER + "Window.IsOpen": False,
    TRUNK + "IsOpen": False,
    TRUNK + "IsLocked": True,
}
CAR = Device(
    "car",
    DeviceKind.CAR,
    "The car",
    tuple(
        SIGNALS[path]
        for path in (*HEARTBEAT, MOVING, HEADING, ODOMETER, RANGE, *PARKED)
    ),
)

# SPDX-License-Identifier: MPL-2.0
# From the Vehicle Signal Specification 6.0, (c) COVESA contributors.
# Written by scripts/generate_vss.py: change the list there, not this file.
"""The car's signals, by their names in the COVESA Vehicle Signal Specification.

Source: https://covesa.global/vehicle-signal-specification/
"""

from __future__ import annotations

from trivet.domain.signal import Signal, SignalKind

_S, _A, _T = SignalKind.SENSOR, SignalKind.ACTUATOR, SignalKind.ATTRIBUTE

SIGNALS: dict[str, Signal] = {
    signal.path: signal
    for signal in (
        Signal("Vehicle.Speed", _S, "float", "km/h"),
        Signal("Vehicle.IsMoving", _S, "boolean", ""),
        Signal("Vehicle.TraveledDistance", _S, "uint32", "m"),
        Signal("Vehicle.TraveledDistanceSinceStart", _S, "uint32", "m"),
        Signal("Vehicle.TripDuration", _S, "float", "s"),
        Signal("Vehicle.StartTime", _T, "string", "iso8601"),
        Signal("Vehicle.VehicleIdentification.VIN", _T, "string", ""),
        Signal(
            "Vehicle.LowVoltageSystemState",
            _S,
            "string",
            "",
            allowed=("UNDEFINED", "LOCK", "OFF", "ACC", "ON", "START"),
        ),
        Signal(
            "Vehicle.CurrentLocation.Latitude",
            _S,
            "double",
            "degrees",
            minimum=-90,
            maximum=90,
        ),
        Signal(
            "Vehicle.CurrentLocation.Longitude",
            _S,
            "double",
            "degrees",
            minimum=-180,
            maximum=180,
        ),
        Signal(
            "Vehicle.CurrentLocation.Heading",
            _S,
            "double",
            "degrees",
            minimum=0,
            maximum=360,
        ),
        Signal("Vehicle.CurrentLocation.Altitude", _S, "double", "m"),
        Signal("Vehicle.CurrentLocation.HorizontalAccuracy", _S, "double", "m"),
        Signal("Vehicle.Powertrain.Range", _S, "uint32", "m"),
        Signal(
            "Vehicle.Powertrain.FuelSystem.RelativeLevel",
            _S,
            "uint8",
            "percent",
            minimum=0,
            maximum=100,
        ),
        Signal("Vehicle.Powertrain.FuelSystem.Range", _S, "uint32", "m"),
        Signal("Vehicle.Powertrain.FuelSystem.IsFuelLevelLow", _S, "boolean", ""),
        Signal(
            "Vehicle.Powertrain.TractionBattery.StateOfCharge.Current",
            _S,
            "float",
            "percent",
            minimum=0,
            maximum=100.0,
        ),
        Signal(
            "Vehicle.Powertrain.TractionBattery.StateOfCharge.CurrentEnergy",
            _S,
            "float",
            "kWh",
        ),
        Signal("Vehicle.Powertrain.TractionBattery.Range", _S, "uint32", "m"),
        Signal(
            "Vehicle.Powertrain.TractionBattery.Charging.IsCharging", _S, "boolean", ""
        ),
        Signal("Vehicle.Powertrain.CombustionEngine.Speed", _S, "float", "rpm"),
        Signal("Vehicle.Powertrain.CombustionEngine.IsRunning", _S, "boolean", ""),
        Signal(
            "Vehicle.Powertrain.CombustionEngine.EngineCoolant.Temperature",
            _S,
            "float",
            "Celsius",
        ),
        Signal("Vehicle.Powertrain.CombustionEngine.MAP", _S, "uint16", "kPa"),
        Signal("Vehicle.Powertrain.CombustionEngine.MAF", _S, "uint16", "g/s"),
        Signal(
            "Vehicle.Powertrain.CombustionEngine.TPS",
            _S,
            "uint8",
            "percent",
            maximum=100,
        ),
        Signal(
            "Vehicle.Chassis.Accelerator.PedalPosition",
            _S,
            "uint8",
            "percent",
            minimum=0,
            maximum=100,
        ),
        Signal("Vehicle.Chassis.ParkingBrake.IsEngaged", _A, "boolean", ""),
        Signal("Vehicle.Exterior.AirTemperature", _S, "float", "Celsius"),
        Signal("Vehicle.Cabin.IsWindowChildLockEngaged", _A, "boolean", ""),
        Signal("Vehicle.Cabin.Door.Row1.DriverSide.IsOpen", _A, "boolean", ""),
        Signal("Vehicle.Cabin.Door.Row1.DriverSide.IsLocked", _A, "boolean", ""),
        Signal("Vehicle.Cabin.Door.Row1.PassengerSide.IsOpen", _A, "boolean", ""),
        Signal("Vehicle.Cabin.Door.Row1.PassengerSide.IsLocked", _A, "boolean", ""),
        Signal("Vehicle.Cabin.Door.Row2.DriverSide.IsOpen", _A, "boolean", ""),
        Signal("Vehicle.Cabin.Door.Row2.PassengerSide.IsOpen", _A, "boolean", ""),
        Signal("Vehicle.Cabin.Door.Row1.DriverSide.Window.IsOpen", _A, "boolean", ""),
        Signal("Vehicle.Cabin.HVAC.AmbientAirTemperature", _S, "float", "Celsius"),
        Signal("Vehicle.Cabin.HVAC.IsAirConditioningActive", _A, "boolean", ""),
        Signal(
            "Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature", _A, "float", "Celsius"
        ),
        Signal("Vehicle.Body.Trunk.Rear.IsOpen", _A, "boolean", ""),
        Signal("Vehicle.Body.Trunk.Rear.IsLocked", _A, "boolean", ""),
        Signal("Vehicle.Body.Windshield.Front.Wiping.Intensity", _A, "uint8", ""),
        Signal(
            "Vehicle.Body.Raindetection.Intensity", _S, "uint8", "percent", maximum=100
        ),
    )
}

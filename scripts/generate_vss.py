"""Write `src/trivet/domain/vss.py` from a COVESA VSS release.

    python scripts/generate_vss.py vss_release_6.0.json

Only what trivet reads or writes is taken. The catalogue is (c) COVESA, MPL 2.0, and so
is the file that comes of it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

WANTED = """
Vehicle.Speed Vehicle.IsMoving Vehicle.TraveledDistance
Vehicle.TraveledDistanceSinceStart Vehicle.TripDuration Vehicle.StartTime
Vehicle.VehicleIdentification.VIN Vehicle.LowVoltageSystemState
Vehicle.CurrentLocation.Latitude Vehicle.CurrentLocation.Longitude
Vehicle.CurrentLocation.Heading Vehicle.CurrentLocation.Altitude
Vehicle.CurrentLocation.HorizontalAccuracy
Vehicle.Powertrain.Range Vehicle.Powertrain.FuelSystem.RelativeLevel
Vehicle.Powertrain.FuelSystem.Range Vehicle.Powertrain.FuelSystem.IsFuelLevelLow
Vehicle.Powertrain.TractionBattery.StateOfCharge.Current
Vehicle.Powertrain.TractionBattery.StateOfCharge.CurrentEnergy
Vehicle.Powertrain.TractionBattery.Range
Vehicle.Powertrain.TractionBattery.Charging.IsCharging
Vehicle.Powertrain.CombustionEngine.Speed Vehicle.Powertrain.CombustionEngine.IsRunning
Vehicle.Powertrain.CombustionEngine.EngineCoolant.Temperature
Vehicle.Powertrain.CombustionEngine.MAP Vehicle.Powertrain.CombustionEngine.MAF
Vehicle.Powertrain.CombustionEngine.TPS
Vehicle.Chassis.Accelerator.PedalPosition Vehicle.Chassis.ParkingBrake.IsEngaged
Vehicle.Exterior.AirTemperature
Vehicle.Cabin.IsWindowChildLockEngaged
Vehicle.Cabin.Door.Row1.DriverSide.IsOpen Vehicle.Cabin.Door.Row1.DriverSide.IsLocked
Vehicle.Cabin.Door.Row1.PassengerSide.IsOpen
Vehicle.Cabin.Door.Row1.PassengerSide.IsLocked
Vehicle.Cabin.Door.Row2.DriverSide.IsOpen Vehicle.Cabin.Door.Row2.PassengerSide.IsOpen
Vehicle.Cabin.Door.Row1.DriverSide.Window.IsOpen
Vehicle.Cabin.HVAC.AmbientAirTemperature
Vehicle.Cabin.HVAC.IsAirConditioningActive
Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature
Vehicle.Body.Trunk.Rear.IsOpen Vehicle.Body.Trunk.Rear.IsLocked
Vehicle.Body.Windshield.Front.Wiping.Intensity
Vehicle.Body.Raindetection.Intensity
""".split()

HEAD = '''# SPDX-License-Identifier: MPL-2.0
# From the Vehicle Signal Specification {release}, (c) COVESA contributors.
# Written by scripts/generate_vss.py: change the list there, not this file.
"""The car's signals, by their names in the COVESA Vehicle Signal Specification.

Source: https://covesa.global/vehicle-signal-specification/
"""

from __future__ import annotations

from trivet.domain.signal import Signal, SignalKind

_S, _A, _T = SignalKind.SENSOR, SignalKind.ACTUATOR, SignalKind.ATTRIBUTE

SIGNALS: dict[str, Signal] = {{
    signal.path: signal
    for signal in (
'''


def leaves(node: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """All signals below `node`."""
    if node["type"] != "branch":
        yield path, node
        return
    for name, child in node["children"].items():
        yield from leaves(child, f"{path}.{name}")


def line(path: str, leaf: dict[str, Any]) -> str:
    """The source text of one Signal."""
    kind = {"sensor": "_S", "actuator": "_A", "attribute": "_T"}[leaf["type"]]
    parts = [repr(path), kind, repr(leaf["datatype"]), repr(leaf.get("unit", ""))]
    parts += [
        f"{ours}={leaf[theirs]!r}"
        for ours, theirs in (("minimum", "min"), ("maximum", "max"))
        if leaf.get(theirs) is not None
    ]
    if leaf.get("allowed"):
        parts.append(f"allowed={tuple(leaf['allowed'])!r}")
    return f"        Signal({', '.join(parts)}),\n"


def main(source: str) -> None:
    """Write the module."""
    tree = json.loads(Path(source).read_text())
    found = dict(leaves(tree["Vehicle"], "Vehicle"))
    missing = [path for path in WANTED if path not in found]
    if missing:
        print("not in this release, left out:", *missing, sep="\n  ")
    text = HEAD.format(release=Path(source).stem.removeprefix("vss_release_"))
    text += "".join(line(p, found[p]) for p in WANTED if p in found)
    text += "    )\n}\n"
    Path("src/trivet/domain/vss.py").write_text(text)


if __name__ == "__main__":
    main(sys.argv[1])

"""OBD-II logs of the apps, and drives as KIT wrote them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from trivet.devices.replay import Report, detect
from trivet.devices.replay.obd_column import column_of
from trivet.domain import InputError

BERLIN = ZoneInfo("Europe/Berlin")
ENGINE = "Vehicle.Powertrain.CombustionEngine"
KIT = (
    "Time,Engine Coolant Temperature [°C],Engine RPM [RPM],"
    "Vehicle Speed Sensor [km/h]\n"
    "07:16:30.100,31,800,0\n07:16:30.200,,,5\n"
)
TORQUE = (
    "GPS Time, Device Time, Longitude, Latitude,GPS Speed (Meters/second), "
    "Speed (OBD)(km/h), Engine Coolant Temperature(°F)\n"
    "Thu Sep 05 19:31:57 GMT+02:00 2013,05-Sep-2013 19:31:58.500,11.5,48.1,1,36,212\n"
    "GPS Time, Device Time, Longitude, Latitude,GPS Speed (Meters/second), "
    "Speed (OBD)(km/h), Engine Coolant Temperature(°F)\n"
    "Thu Sep 05 19:32:57 GMT+02:00 2013,05-Sep-2013 19:32:58.500,0,0,1,-,212\n"
)
FUSION = (
    "# StartTime = 09/15/2018 10:21:09.5000 PM\n"
    "Time (sec), Engine RPM (RPM), Vehicle speed (MPH), "
    "Intake manifold pressure (psi)\n"
    "0.5,800,10,14.5\n1.5,900,20,14.5\n"
)
SCANNER = (
    '"SECONDS";"PID";"VALUE";"UNITS";"LATITUDE";"LONGTITUDE";\n'
    '"86399.5";"Vehicle speed";"50";"km/h";"48.1";"11.5";\n'
    '"86400.5";"Engine RPM";"1500";"rpm";"48.1";"11.5";\n'
    '"86401.0";"Engine coolant temperature";"90";"℃";"48.2";"11.5";\n'
    '"86401.0";"Fuel used price";"2";"€";"0";"0";\n'
)


def found(samples: Any) -> list[Any]:
    return [(s.path, s.time, s.value) for s in samples]


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def test_a_drive_as_kit_wrote_it(write: Any, lived: Any) -> None:
    samples = lived(write("2017-07-05_Seat_Leon_RT_S_Stau.csv", KIT))
    t = at("2017-07-05T07:16:30+02:00")
    assert found(samples) == [
        ("transition.leave", pytest.approx(t + 0.1), "RT"),
        (f"{ENGINE}.EngineCoolant.Temperature", pytest.approx(t + 0.1), 31.0),
        (f"{ENGINE}.Speed", pytest.approx(t + 0.1), 800.0),
        ("Vehicle.Speed", pytest.approx(t + 0.1), 0.0),
        ("Vehicle.Speed", pytest.approx(t + 0.2), 5.0),
        ("transition.enter", pytest.approx(t + 0.2), "S"),
    ]


def test_torque_by_its_own_offset(write: Any, lived: Any, report: Report) -> None:
    samples = lived(write("trackLog.csv", TORQUE))
    t = at("2013-09-05T19:31:57+02:00")
    here = "Vehicle.CurrentLocation"
    assert found(samples) == [
        (f"{here}.Longitude", t, 11.5),
        (f"{here}.Latitude", t, 48.1),
        ("Vehicle.Speed", t, 36.0),
        (f"{ENGINE}.EngineCoolant.Temperature", t, pytest.approx(100.0)),
        (f"{ENGINE}.EngineCoolant.Temperature", t + 60, pytest.approx(100.0)),
    ]
    assert report.skipped["a column that is not known"].first.endswith(
        "GPS Speed (Meters/second)"
    )


def test_torque_by_the_clock_of_the_phone(write: Any, lived: Any) -> None:
    samples = lived(write("trackLog.csv", TORQUE), zone=BERLIN)
    assert samples[0].time == at("2013-09-05T19:31:58.500+02:00")


def test_obd_fusion_counts_from_its_start(write: Any, lived: Any) -> None:
    samples = lived(write("CSVLog.csv", FUSION), zone=BERLIN)
    t = at("2018-09-15T22:21:10+02:00")
    assert found(samples)[:3] == [
        (f"{ENGINE}.Speed", t, 800.0),
        ("Vehicle.Speed", t, pytest.approx(16.09344)),
        (f"{ENGINE}.MAP", t, 100),
    ]
    assert samples[-1].time == t + 1


def test_car_scanner_goes_on_past_midnight(
    write: Any, lived: Any, report: Report
) -> None:
    samples = lived(write("2024-10-25 23-50-00.csv", SCANNER), zone=BERLIN)
    midnight = at("2024-10-26T00:00:00+02:00")
    here = "Vehicle.CurrentLocation"
    assert found(samples) == [
        (f"{here}.Latitude", midnight - 0.5, 48.1),
        (f"{here}.Longitude", midnight - 0.5, 11.5),
        ("Vehicle.Speed", midnight - 0.5, 50.0),
        (f"{ENGINE}.Speed", midnight + 0.5, 1500.0),
        (f"{here}.Latitude", midnight + 1, 48.2),
        (f"{here}.Longitude", midnight + 1, 11.5),
        (f"{ENGINE}.EngineCoolant.Temperature", midnight + 1, 90.0),
    ]
    assert report.skipped["a PID that is not known"].first.endswith("Fuel used price")


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("log.csv", SCANNER, "begin the file's name with the date"),
        ("2024-10-25 a.csv", SCANNER, "give the option zone"),
        ("log.csv", FUSION, "give the option zone"),
        ("log.csv", KIT, "begin the file's name with the date"),
        ("log.csv", "Time,RPM\n2024-10-25 10:00:00,800\n", "give the option zone"),
    ],
)
def test_what_is_missing_is_named(
    write: Any, lived: Any, name: str, text: str, fault: str
) -> None:
    with pytest.raises(InputError, match=fault):
        lived(write(name, text))


@pytest.mark.parametrize(
    "time", ["1714557600", "1714557600000", "2024-05-01T12:00:00+02:00"]
)
def test_generic_times(write: Any, lived: Any, time: str) -> None:
    path = write("log.csv", f"timestamp;Engine RPM (rpm)\n{time};800\n")
    assert detect(path).name == "obd-table"
    assert found(lived(path)) == [(f"{ENGINE}.Speed", 1714557600.0, 800.0)]


@pytest.mark.parametrize(
    ("header", "raw", "value"),
    [
        ("Vehicle Speed Sensor [km/h]", 50.0, 50.0),
        ("Speed (OBD)(mph)", 50.0, 80.4672),
        ("Ambient Air Temperature (°F)", 32.0, 0.0),
        ("Mass Air Flow Rate(g/s)", 8.83, 9),
        ("Throttle Position(%)", 101.0, None),
        ("Intake Manifold Pressure(kPa)", -1.0, None),
        ("Engine RPM", 800.5, 800.5),
    ],
)
def test_a_column_gives_the_unit_and_type_of_its_signal(
    header: str, raw: float, value: float | None
) -> None:
    column = column_of(header)
    assert column is not None
    assert column.value(raw) == (None if value is None else pytest.approx(value))


@pytest.mark.parametrize("header", ["Engine RPM(°C)", "Horizontal Dilution", "", "(("])
def test_a_column_of_another_unit_or_name_is_not_guessed(header: str) -> None:
    assert column_of(header) is None

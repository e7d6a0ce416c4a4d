"""The KIT table of drives."""

from __future__ import annotations

import lzma
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from trivet.devices.replay import Report
from trivet.domain import InputError

HEADER = "trip,s,ect,map_kpa,rpm,speed,iat,maf,throttle,amb,pedD,pedE\n"
ROW = "31.00,96.00,800.00,12.50,22.00,0.91,89.00,21.00,14.10,14.50"
TRIPS = """trip,name,start_s,end_s
0,2017-07-05_Seat_Leon_RT_S_Stau,26190,26191
1,2017-07-27_Seat_Leon_KA_KA_2_Normal,76278,76278
2,2017-07-27_Seat_Leon_KA_BB_Normal,31406,31406
"""
TABLE = HEADER + f"0,26190,{ROW}\n0,26191,{ROW}\n1,76278,{ROW}\n2,31406,{ROW}\n"


@pytest.fixture
def table(write: Any) -> Any:
    def make(text: str = TABLE, trips: str | None = TRIPS) -> Any:
        if trips is not None:
            write("kit_trips.csv", trips)
        return write("kit_obd_1hz.csv", text)

    return make


def test_a_drive_leaves_its_origin_and_enters_its_destination(
    table: Any, lived: Any
) -> None:
    samples = [s for s in lived(table()) if s.path.startswith("transition")]
    # drives of one day come by time, not as the table has them
    assert [(s.path.partition(".")[2], s.value) for s in samples] == [
        ("leave", "RT"),
        ("enter", "S"),
        ("leave", "KA"),
        ("enter", "BB"),
        ("leave", "KA"),
        ("enter", "KA"),
    ]
    times = [datetime.fromtimestamp(s.time, UTC).isoformat() for s in samples]
    # seconds of the day on Berlin's clock, two hours ahead in summer
    assert times[0] == "2017-07-05T05:16:30+00:00"
    assert times == sorted(times)


def test_columns_are_vss_signals_in_their_own_type(table: Any, lived: Any) -> None:
    engine = "Vehicle.Powertrain.CombustionEngine"
    samples = lived(table())
    assert {s.path: s.value for s in samples[1:9]} == {
        f"{engine}.EngineCoolant.Temperature": 31.0,
        f"{engine}.MAP": 96,
        f"{engine}.Speed": 800.0,
        "Vehicle.Speed": 12.5,
        f"{engine}.MAF": 1,
        f"{engine}.TPS": 89,
        "Vehicle.Exterior.AirTemperature": 21.0,
        "Vehicle.Chassis.Accelerator.PedalPosition": 14,
    }
    assert Counter(s.path for s in samples)["Vehicle.Speed"] == 4


def test_a_packed_table_is_the_same(write: Any, lived: Any) -> None:
    write("kit_trips.csv.xz", lzma.compress(TRIPS.encode()))
    packed = lived(write("kit_obd_1hz.csv.xz", lzma.compress(TABLE.encode())))
    assert len(packed) == 4 * 8 + 6


def test_wrong_rows_are_skipped(table: Any, lived: Any, report: Report) -> None:
    text = HEADER + f"0,26190,{ROW}\n0,noon,{ROW}\n9,1,{ROW}\n"
    bad = ROW.replace("89.00", "101.00").replace("31.00", "nan")
    samples = lived(table(text + f"0,26191,{bad}\n0,26192\n"))
    assert samples[-1].time - samples[0].time == 2
    assert {r: (s.times, s.first) for r, s in report.skipped.items()} == {
        "not a second of the day": (1, f"kit_obd_1hz.csv:3 0,noon,{ROW}"[:77] + "…"),
        "a drive without a name in kit_trips": (
            1,
            report.skipped["a drive without a name in kit_trips"].first,
        ),
        "no value of Vehicle.Powertrain.CombustionEngine.EngineCoolant.Temperature": (
            1,
            "kit_obd_1hz.csv:5 nan",
        ),
        "no value of Vehicle.Powertrain.CombustionEngine.TPS": (
            1,
            "kit_obd_1hz.csv:5 101.00",
        ),
    }


def test_without_the_names_it_is_refused(table: Any, lived: Any) -> None:
    with pytest.raises(InputError, match=r"put kit_trips\.csv beside it"):
        lived(table(trips=None))


def test_a_name_that_tells_nothing_is_refused(table: Any, lived: Any) -> None:
    with pytest.raises(InputError, match=r"kit_trips\.csv:2: not the name of a drive"):
        lived(table(trips="trip,name,start_s,end_s\n0,a drive,1,2\n"))

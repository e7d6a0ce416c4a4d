"""CASAS smart home logs: a line an event of a motion, door or temperature sensor.

Source: CASAS project, Washington State University: date, local time, sensor, value,
parted by blanks or tabs, in some sets followed by an activity label. M is motion, D a
door, T a temperature in °C, L a light switch, I an item (PRESENT, ABSENT).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from trivet.devices.replay.instant import LocalClock
from trivet.devices.replay.reader import Options, Reader
from trivet.devices.replay.source import Source
from trivet.devices.replay.track import number
from trivet.domain.device import DeviceKind
from trivet.domain.sample import Sample, Value

_LINE = re.compile(
    rb"^\d{4}-\d\d-\d\d[ \t]+\d\d:\d\d:\d\d(?:\.\d+)?[ \t]+[A-Za-z][\w-]*[ \t]+\S", re.M
)
_SENSOR = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,40}")
_STATES = {
    "ON": "on", "OFF": "off", "OPEN": "on", "CLOSE": "off", "CLOSED": "off",
    "PRESENT": "on", "ABSENT": "off", "START": "on", "STOP": "off", "END": "off",
}  # fmt: skip


class CasasReader(Reader):
    """Reads CASAS event logs; `Options.zone` must say where the home stands.

    A sensor becomes a Home Assistant entity: `M003 ON` is `binary_sensor.m003` on,
    `D001 OPEN` is `binary_sensor.d001` on, `T001 21.5` is `sensor.t001` 21.5.
    """

    name = "casas"
    title = "CASAS smart home log"
    kind = DeviceKind.HOME

    def recognises(self, path: Path, head: bytes) -> bool:
        """By a line of date, time, sensor and value."""
        return _LINE.search(head) is not None

    def parse(self, source: Source, options: Options) -> Iterator[Sample]:
        """Yield one state an event."""
        clock = LocalClock(options.need_zone(source.path))
        device = self.device_of(options)
        for line in source.text_lines():
            fields = line.split(None, 4)
            if len(fields) < 4:
                if fields:
                    source.skip("fewer than four fields", line)
                continue
            day, hour, sensor, state = fields[:4]
            try:
                time = clock.epoch(datetime.fromisoformat(f"{day} {hour}"))
            except ValueError:
                time = None
            if time is None:
                source.skip("not a date and time", line)
                continue
            if not _SENSOR.fullmatch(sensor):
                source.skip("not a sensor's name", line)
                continue
            value = _value(state)
            if value is None:
                source.skip("neither a state nor a number", line)
                continue
            domain = "binary_sensor" if isinstance(value, str) else "sensor"
            yield Sample(device, f"{domain}.{sensor.lower()}", time, value)


def _value(state: str) -> Value | None:
    known = _STATES.get(state.upper())
    return number(state) if known is None else known

"""Home Assistant's REST history: /api/history/period as saved to a file.

Source: https://developers.home-assistant.io/docs/api/rest/: a list for each entity of
its states; with `minimal_response` only the first and last of a list are complete, the
others have `state` and `last_changed` alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trivet.devices.replay.entity import (
    MAX_STATE_CHARS,
    NO_STATE,
    attributes_of,
    is_entity,
    value_of,
)
from trivet.devices.replay.google_records import is_json
from trivet.devices.replay.instant import epoch
from trivet.devices.replay.json_stream import elements
from trivet.devices.replay.reader import Options, Reader
from trivet.devices.replay.source import Source
from trivet.devices.replay.track import number, position
from trivet.domain.device import DeviceKind
from trivet.domain.sample import LOCATION, Sample


class HomeAssistantJsonReader(Reader):
    """Reads the answer of /api/history/period.

    A thermostat's temperatures and the like become paths below their entity:
    `climate.living_room.current_temperature`. With `Options.person`, the position of
    `person.<person>` becomes the phone's `location`.
    """

    name = "home-assistant-json"
    title = "Home Assistant history (JSON of /api/history/period)"
    kind = DeviceKind.HOME

    def recognises(self, path: Path, head: bytes) -> bool:
        """By a list in a list, with its first record."""
        tight = b"".join(head[:200].split())
        return is_json(tight, b"[[{") and b'"entity_id"' in head and b'"state"' in head

    def parse(self, source: Source, options: Options) -> Iterator[Sample]:
        """Yield the states of each entity in turn."""
        entity = ""
        for _, record in elements(source, {""}, inner=True):
            if not isinstance(record, dict):
                source.skip("not a state", record)
                continue
            if "entity_id" in record:
                name = record["entity_id"]
                entity = name if is_entity(name) else ""
            if not entity:
                source.skip("not an entity id", record.get("entity_id"))
                continue
            yield from self._samples(source, options, entity, record)

    def _samples(
        self, source: Source, options: Options, entity: str, record: dict[str, Any]
    ) -> Iterator[Sample]:
        state = record.get("state")
        if not isinstance(state, str):
            source.skip("no state", entity)
            return
        if state in NO_STATE:
            source.skip(f"state is {state or 'empty'}", entity, is_fault=False)
            return
        if len(state) > MAX_STATE_CHARS:
            source.skip("a state of more than 255 characters", entity)
            return
        changed = record.get("last_changed")
        time = epoch(changed, options.zone) if isinstance(changed, str) else None
        if time is None:
            source.skip("not a time with its offset", changed)
            return
        device = self.device_of(options)
        yield Sample(device, entity, time, value_of(entity, state))
        attributes = record.get("attributes")
        if not isinstance(attributes, dict):
            return
        # attributes may change while the state stays
        updated = record.get("last_updated")
        if isinstance(updated, str):
            time = epoch(updated, options.zone) or time
        for path, number_ in attributes_of(entity, attributes):
            yield Sample(device, path, time, number_)
        if options.person and entity == f"person.{options.person}":
            yield from _person(time, attributes)


def _person(time: float, attributes: dict[str, Any]) -> Iterator[Sample]:
    lat, lon = number(attributes.get("latitude")), number(attributes.get("longitude"))
    if lat is not None and lon is not None:
        accuracy_m = number(attributes.get("gps_accuracy"))
        where = position(lat, lon, accuracy_m=accuracy_m)
        yield Sample(DeviceKind.PHONE.value, LOCATION, time, where)

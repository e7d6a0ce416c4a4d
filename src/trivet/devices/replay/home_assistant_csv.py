"""Home Assistant's history panel: its CSV download.

Source: https://www.home-assistant.io/integrations/history/: the columns entity_id,
state, last_changed; times are ISO 8601 in UTC.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from trivet.devices.replay.entity import (
    MAX_STATE_CHARS,
    NO_STATE,
    is_entity,
    value_of,
)
from trivet.devices.replay.instant import epoch
from trivet.devices.replay.reader import Options, Reader
from trivet.devices.replay.source import Source
from trivet.devices.replay.table import rows
from trivet.domain.device import DeviceKind
from trivet.domain.sample import Sample

_HEADER = b"entity_id,state,last_changed"


class HomeAssistantCsvReader(Reader):
    """Reads the CSV of the history panel."""

    name = "home-assistant-csv"
    title = "Home Assistant history (.csv)"
    kind = DeviceKind.HOME

    def recognises(self, path: Path, head: bytes) -> bool:
        """By its header."""
        return head.removeprefix(b"\xef\xbb\xbf").replace(b'"', b"").startswith(_HEADER)

    def parse(self, source: Source, options: Options) -> Iterator[Sample]:
        """Yield one state a row."""
        device = self.device_of(options)
        for row in rows(source, ","):
            if len(row) < 3:
                source.skip("fewer than three columns", ",".join(row))
                continue
            entity, state, changed = row[:3]
            if source.line == 1 and entity == "entity_id":
                continue
            time = epoch(changed, options.zone)
            if not is_entity(entity):
                source.skip("not an entity id", entity)
            elif state in NO_STATE:
                source.skip(f"state is {state or 'empty'}", entity, is_fault=False)
            elif len(state) > MAX_STATE_CHARS:
                source.skip("a state of more than 255 characters", entity)
            elif time is None:
                source.skip("not a time with its offset", changed)
            else:
                yield Sample(device, entity, time, value_of(entity, state))

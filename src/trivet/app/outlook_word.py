"""What the owner of a machine asks of a device that may lead; see control.py."""

from __future__ import annotations

import msgspec

from trivet.app.control import Control
from trivet.app.hub import Hub
from trivet.app.outlook import Outlook
from trivet.app.place_view import CorrectPlace, PlaceRow


class ShowOutlook(msgspec.Struct, frozen=True, tag="outlook", tag_field="verb"):
    """Ask for the next day at home."""


class ListPlaces(msgspec.Struct, frozen=True, tag="place-list", tag_field="verb"):
    """Ask which places are known."""


class Placed(msgspec.Struct, frozen=True):
    """The places that a device knows.

    Attributes:
        device: the device.
        zone: name of the local time zone.
        places: most visited first.
    """

    device: str
    zone: str
    places: tuple[PlaceRow, ...]


class Corrected(msgspec.Struct, frozen=True):
    """What was said of a place is on the device's disk; `text` says it in words."""

    text: str


def take_outlook_words(control: Control, hub: Hub) -> None:
    """Have the device take the words about the next day, and about places."""

    async def show(_: ShowOutlook) -> Outlook:
        return hub.mind.outlook(hub.time)

    async def places(_: ListPlaces) -> Placed:
        return Placed(hub.device, hub.mind.zone_name, tuple(hub.places()))

    async def correct(word: CorrectPlace) -> Corrected:
        return Corrected(await hub.correct(word))

    control.add(ShowOutlook, show)
    control.add(ListPlaces, places)
    control.add(CorrectPlace, correct)

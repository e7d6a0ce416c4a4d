"""Founds the household that is struck: its devices, each with a folder of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from trivet.app.folder import identity_folder
from trivet.domain import DeviceKind
from trivet.domain.lease import Purpose
from trivet.domain.signal import Signal
from trivet.fabric.admit import admit, keep
from trivet.fabric.charter import load_charter
from trivet.fabric.household import create_household, load_household
from trivet.fabric.identity import issue
from trivet.fabric.lessee import Wish
from trivet.fabric.request import make_request, new_key, read_request
from trivet.fabric.revocation import revoke

HOUSEHOLD = "meadow"
HOME = "home"
KINDS = {
    HOME: DeviceKind.HOME,
    "phone": DeviceKind.PHONE,
    "car": DeviceKind.CAR,
    "tablet": DeviceKind.PHONE,
    "watch": DeviceKind.PHONE,
}
#: Clocks that jump back by an hour must find certificates that held then.
_BEFORE = timedelta(days=2)
#: What each kind offers.
SIGNALS = {
    DeviceKind.HOME: Signal("climate.living_room"),
    DeviceKind.PHONE: Signal("batt"),
    DeviceKind.CAR: Signal("Vehicle.Speed"),
}


def wishes(device: str, devices: Sequence[str]) -> tuple[Wish, ...]:
    """What a device wants of the others: all that the shipped policy lets it have."""
    purposes = {
        (DeviceKind.HOME, DeviceKind.PHONE): Purpose.ARRIVAL,
        (DeviceKind.HOME, DeviceKind.CAR): Purpose.COMFORT,
        (DeviceKind.PHONE, DeviceKind.HOME): Purpose.COMFORT,
        (DeviceKind.PHONE, DeviceKind.CAR): Purpose.SAFETY,
        (DeviceKind.CAR, DeviceKind.HOME): Purpose.COMFORT,
    }
    found = []
    for owner in devices:
        purpose = purposes.get((KINDS[device], KINDS[owner]))
        if owner != device and purpose is not None:
            found.append(Wish(owner, (SIGNALS[KINDS[owner]].path,), purpose))
    return tuple(found)


def found(folders: Mapping[str, Path], addresses: Mapping[str, str]) -> None:
    """Found the household in the home's folder and admit the others into theirs.

    Args:
        folders: the devices' own, empty.
        addresses: at which they are dialled.
    """
    then = datetime.now(UTC) - _BEFORE
    household = create_household(identity_folder(folders[HOME]), HOUSEHOLD, now=then)
    issue(household, HOME, KINDS[HOME], hosts=(addresses[HOME],), now=then)
    asked = {device: new_key() for device in folders if device != HOME}
    certs = {}
    for device, private in asked.items():
        at = (addresses[device],)
        request = make_request(private, HOUSEHOLD, device, KINDS[device], at)
        certs[device] = admit(household, read_request(request), now=then)
    for device, private in asked.items():
        keep(
            identity_folder(folders[device]),
            device=device,
            private=private,
            cert_pem=certs[device],
            ca_pem=household.ca_path.read_bytes(),
            charter=load_charter(household.folder),
        )


def shut_out(home: Path, device: str) -> None:
    """Revoke a device, in the home's folder."""
    revoke(load_household(identity_folder(home)), device, reason="lost")

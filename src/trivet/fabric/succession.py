"""Succession: the authority's key on its way to a second issuer.

An issuer makes an offer where the authority's key can be opened; whichever of the
devices in its folder runs carries it to the recipient, over a link of the household:

    <folder>/offers/<recipient>      an offer that has not been carried over yet

What is in it only the recipient can open. The authority has signed whom it is for and
who may bring it, so that none is made up, passed to another or brought by another.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Meta
from msgspec.structs import replace

from trivet.domain.error import RefusedError, SetupError, UsageError, WireError
from trivet.domain.sample import DeviceId
from trivet.fabric import disk
from trivet.fabric.charter import own_charter
from trivet.fabric.household import Household, authority, authority_certificate
from trivet.fabric.signature import Signature, is_sealed, seal
from trivet.fabric.vault import become_issuer, make_issuer

#: An offer longer than this is refused unread.
MAX_BYTES = 8 * 1024
_FOLDER = "offers"
_WHAT = "offer"


class _Offer(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    household: DeviceId
    recipient: DeviceId
    bearers: Annotated[tuple[DeviceId, ...], Meta(min_length=1, max_length=64)]
    sealed: Annotated[bytes, Meta(max_length=2048)]
    signature: Signature = b""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Offer)


def make_offer(household: Household, device: str) -> tuple[str, ...]:
    """Offer a member the authority's key; it lies in the folder until it is carried.

    Args:
        household: must have the authority's key in its folder.
        device: the member's id.

    Returns:
        Ids of the devices of this folder, which may carry it.

    Raises:
        UsageError: the device is no member, a guest's, of this folder, or was admitted
            without its key; or there is no device here to carry it.
        SetupError: the authority's key is not here, or the folder cannot be written.
    """
    bearers = household.devices
    if device in bearers:
        raise UsageError(f"{device} is on this machine, and can admit devices already")
    if not bearers:
        raise UsageError(
            "no device of this machine could carry it over", hint="use --to FILE"
        )
    offer = _Offer(household.name, device, bearers, make_issuer(household, device))
    private = authority(household).private
    offer = replace(offer, signature=seal(private, _WHAT, _said(offer)))
    path = _path(household, device)
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise SetupError(
            f"{path.parent} cannot be made: {error.strerror}",
            hint="check who owns its parent folder",
        ) from error
    disk.replace(path, _encoder.encode(offer), disk.SECRET)
    return bearers


def open_offers(household: Household) -> tuple[str, ...]:
    """Ids of the members that were offered the key and have not been handed it yet.

    An offer to a device that has been shut out meanwhile is withdrawn.

    Raises:
        SetupError: the charter cannot be read.
    """
    found = sorted(p.name for p in _path(household, "").glob("[!.]*"))
    if not found:
        return ()
    agreed, still = own_charter(household.folder), []
    for device in found:
        member = agreed.member(device)
        if member is None or member.is_guest:
            withdraw_offer(household, device)
        else:
            still.append(device)
    return tuple(still)


def load_offer(household: Household, device: str) -> bytes:
    """What is to be carried to this device.

    Raises:
        SetupError: it is not there any more, or cannot be read.
    """
    return disk.read_secret(_path(household, device), "offer it anew")


def withdraw_offer(household: Household, device: str) -> None:
    """Forget an offer: it was carried over, or is not to be."""
    _path(household, device).unlink(missing_ok=True)


def take_offer(household: Household, device: str, bearer: str, data: bytes) -> None:
    """Keep the authority's key that an issuer offers this device.

    All that costs nothing is checked before the device's own key is opened.

    Args:
        household: the folder on this device's machine.
        device: the id of this device.
        bearer: who brought it, as the link has authenticated it.
        data: the offer.

    Raises:
        WireError: it is no offer, or not sealed to this device.
        RefusedError: no issuer has signed it, it is for another device or household,
            the bearer is none of those it names, or this device cannot be an issuer.
        SetupError: the device's key does not open, or the authority's cannot be kept.
    """
    offer = _read(data)
    public = authority_certificate(household).public_key()
    if not isinstance(public, ec.EllipticCurvePublicKey) or not is_sealed(
        public, offer.signature, _WHAT, _said(offer)
    ):
        raise RefusedError(f"no issuer has signed the offer that {bearer} brings")
    if (offer.household, offer.recipient) != (household.name, device):
        raise RefusedError(f"the offer is for {offer.recipient}, not for {device}")
    if bearer not in offer.bearers:
        raise RefusedError(
            f"{bearer} may not bring an offer of {', '.join(offer.bearers)}"
        )
    agreed = own_charter(household.folder)
    mine, theirs = agreed.member(device), agreed.member(bearer)
    if theirs is None or theirs.is_guest:
        raise RefusedError(f"{bearer} is no device of this household")
    if mine is None or mine.is_guest:
        raise RefusedError(
            f"{device} is no device of this household",
            hint="only the household's own devices can issue",
        )
    become_issuer(household, device, offer.sealed)


def _read(data: bytes) -> _Offer:
    if len(data) > MAX_BYTES:
        raise WireError(f"an offer of {len(data)} bytes: the most is {MAX_BYTES}")
    try:
        return _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise WireError(f"malformed offer: {error}") from error


def _said(offer: _Offer) -> bytes:
    return _encoder.encode(replace(offer, signature=b""))


def _path(household: Household, device: str) -> Path:
    return household.folder / _FOLDER / device

"""A household on one machine and a member that joined on another, for the tests."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from trivet.domain import DeviceKind
from trivet.fabric.admit import admit, keep
from trivet.fabric.charter import load_charter
from trivet.fabric.household import Household, create_household, load_household
from trivet.fabric.identity import Identity
from trivet.fabric.request import make_request, new_key, read_request

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)


class Joined(NamedTuple):
    """A member's machine."""

    household: Household
    identity: Identity
    private: ec.EllipticCurvePrivateKey


def found(folder: Path, name: str = "ours") -> Household:
    return create_household(folder, name, now=NOW)


def ask(
    household: Household,
    device: str,
    private: ec.EllipticCurvePrivateKey,
    *,
    is_guest: bool = False,
    now: datetime = NOW,
) -> bytes:
    """Ask for admission as a car, and be admitted."""
    request = read_request(
        make_request(private, household.name, device, DeviceKind.CAR, ["car.local"])
    )
    return admit(household, request, now=now, is_guest=is_guest)


def join(
    household: Household, folder: Path, device: str = "car", *, is_guest: bool = False
) -> Joined:
    private = new_key()
    identity = keep(
        folder,
        device=device,
        private=private,
        cert_pem=ask(household, device, private, is_guest=is_guest),
        ca_pem=household.ca_path.read_bytes(),
        charter=load_charter(household.folder),
        now=NOW,
    )
    return Joined(load_household(folder), identity, private)


def tree(folder: Path) -> dict[str, bytes]:
    """Every file under a folder, but for its lock."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def crash(monkeypatch: pytest.MonkeyPatch, *, after: int = 0) -> None:
    """From the move after the next `after` ones on, nothing is moved any more."""
    real, left = os.replace, [after]

    def fail(source: Path, target: Path) -> None:
        if left[0] <= 0:
            raise OSError(5, "Input/output error")
        left[0] -= 1
        real(source, target)

    monkeypatch.setattr(os, "replace", fail)

"""Why an address cannot be dialled, told apart."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from trivet.domain import DeviceKind, SetupError
from trivet.fabric import Household, Identity, create_household, issue
from trivet.fabric.probe import Verdict, probe
from trivet.fabric.secret import Secret


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Household:
    made = create_household(tmp_path_factory.mktemp("p") / "ours", "ours")
    for device in ("home", "car"):
        issue(made, device, DeviceKind.OTHER)
    return made


def identity(household: Household, device: str) -> Identity:
    folder = household.folder / "devices" / device
    return Identity(
        household.name,
        device,
        DeviceKind.OTHER,
        household.ca_path,
        folder / "cert.pem",
        folder / "key.pem",
        datetime.now(UTC),
        Secret((folder / "key.pem").read_bytes()),
    )


@asynccontextmanager
async def listening(server: Identity, trusts: Path) -> AsyncIterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server.cert_path, server.key_path)
    context.load_verify_locations(trusts)
    context.verify_mode = ssl.CERT_REQUIRED

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    at = await asyncio.start_server(wait, "127.0.0.1", 0, ssl=context)
    async with at:
        yield f"127.0.0.1:{at.sockets[0].getsockname()[1]}"


async def test_two_of_a_household_trust_each_other(ours: Household) -> None:
    home, car = identity(ours, "home"), identity(ours, "car")
    async with listening(home, ours.ca_path) as address:
        assert (await probe(address, car)).verdict is Verdict.TRUSTED


async def test_a_strangers_certificate_is_not_to_be_trusted(
    ours: Household, tmp_path: Path
) -> None:
    foreign = create_household(tmp_path / "foreign", "ours")
    issue(foreign, "home", DeviceKind.HOME)
    async with listening(identity(foreign, "home"), ours.ca_path) as address:
        found = await probe(address, identity(ours, "car"))
    assert found.verdict is Verdict.THEIRS_REFUSED
    assert found.is_refusal


async def test_ones_own_certificate_is_refused_and_it_is_said(
    ours: Household, tmp_path: Path
) -> None:
    foreign = create_household(tmp_path / "foreign", "ours")
    async with listening(identity(ours, "home"), foreign.ca_path) as address:
        found = await probe(address, identity(ours, "car"))
    assert found.verdict is Verdict.OURS_REFUSED
    assert "refused this device's certificate" in found.why


async def test_a_certificate_that_is_over_is_refused(
    ours: Household, tmp_path: Path
) -> None:
    past = datetime.now(UTC) - timedelta(days=30)
    old = create_household(tmp_path / "old", "old", now=past)
    for device in ("home", "car"):
        issue(old, device, DeviceKind.OTHER, now=past, days=5)
    async with listening(identity(old, "home"), old.ca_path) as address:
        found = await probe(address, identity(old, "car"))
    assert found.verdict is Verdict.THEIRS_REFUSED
    assert "expired" in found.why


async def test_a_host_that_the_certificate_does_not_name(ours: Household) -> None:
    async with listening(identity(ours, "home"), ours.ca_path) as address:
        port = address.rpartition(":")[2]
        found = await probe(f"127.0.0.2:{port}", identity(ours, "car"))
        unchecked = await probe(address, identity(ours, "car"), is_name_checked=False)
    assert found.verdict in (Verdict.THEIRS_REFUSED, Verdict.ABSENT)
    assert unchecked.verdict is Verdict.TRUSTED


async def test_nobody_there_is_no_refusal(ours: Household) -> None:
    found = await probe("127.0.0.1:9", identity(ours, "car"))
    assert found.verdict is Verdict.ABSENT
    assert not found.is_refusal


async def test_unreadable_files_are_this_machines_fault(
    ours: Household, tmp_path: Path
) -> None:
    from_nowhere = Identity(
        "ours",
        "car",
        DeviceKind.CAR,
        tmp_path / "ca.pem",
        tmp_path / "cert.pem",
        tmp_path / "key.pem",
        datetime.now(UTC),
        Secret(b"no key"),
    )
    with pytest.raises(SetupError, match="cannot be used"):
        await probe("127.0.0.1:9", from_nowhere)

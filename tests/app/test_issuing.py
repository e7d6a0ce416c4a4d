"""A second issuer over real sessions: losing the first one loses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.app.test_keeper import (
    House,
    Living,
    an_hour_later,
    eventually,
    free_port,
    sees_two,
    three,
)
from typer.testing import CliRunner

from trivet.app.cli.household import device_app
from trivet.app.issuing import Issuing
from trivet.app.renewing import Renewing
from trivet.domain import DeviceKind, PeerError, RefusedError, SetupError, UsageError
from trivet.domain.wire import Ack, Document
from trivet.fabric.admit import admit, keep
from trivet.fabric.background import cancel
from trivet.fabric.certificate import key_to_pem
from trivet.fabric.charter import load_charter, own_charter
from trivet.fabric.household import Household, authority, load_household
from trivet.fabric.identity import Identity
from trivet.fabric.renewer import Renewer
from trivet.fabric.request import load_public, make_request, new_key, read_request
from trivet.fabric.revocation import revoke
from trivet.fabric.seal import seal_to
from trivet.fabric.succession import load_offer, make_offer, open_offers


def folder_of(house: House, device: str) -> Household:
    return load_household(house.folder / device)


def join(issuer: Household, folder: Path) -> Identity:
    """A new device, admitted by this issuer."""
    private = new_key()
    request = make_request(private, "ours", folder.name, DeviceKind.OTHER)
    return keep(
        folder,
        device=folder.name,
        private=private,
        cert_pem=admit(issuer, read_request(request)),
        ca_pem=issuer.ca_path.read_bytes(),
        charter=load_charter(issuer.folder),
    )


@asynccontextmanager
async def issuing(house: House, *living: Living) -> AsyncIterator[list[Issuing]]:
    """What runs in these devices besides their keepers."""
    made = []
    for one in living:
        device = one.link.device
        made.append(Issuing(folder_of(house, device), device, one.link))
        there = folder_of(house, device)
        Renewing(there, device, one.link, one.keeper.renewed, an_hour_later)
    tasks = [asyncio.ensure_future(one.run()) for one in made]
    try:
        yield made
        assert not any(task.done() for task in tasks), tasks
    finally:
        for task in tasks:
            await cancel(task)


@asynccontextmanager
async def reachable(folder: Path) -> AsyncIterator[tuple[House, list[Living]]]:
    """Home, phone and car, of which the car dials both others."""
    house = House(folder)
    phone, car = house.identities["phone"], house.identities["car"]
    address = f"127.0.0.1:{free_port()}"
    house.identities["phone"] = replace(phone, listen=(address,))
    house.identities["car"] = replace(car, connect=(house.address, address), listen=())
    async with AsyncExitStack() as stack:
        living = [
            await stack.enter_async_context(house.live(device))
            for device in ("home", "phone", "car")
        ]
        for one in living:
            await eventually(partial(sees_two, one))
        await stack.enter_async_context(issuing(house, *living))
        yield house, living


async def test_losing_the_first_issuer_loses_nothing(tmp_path: Path) -> None:
    async with reachable(tmp_path) as (house, (home, phone, car)):
        ours, second = folder_of(house, "home"), folder_of(house, "phone")
        make_offer(ours, "phone")
        await eventually(second.ca_key_path.exists)
        await eventually(lambda: open_offers(ours) == ())
        assert not folder_of(house, "car").ca_key_path.exists()
        await home.link.close()  # the first issuer is lost
        await eventually(lambda: phone.link.alive == {"car"})
        # the second one renews a member,
        renewer = Renewer(folder_of(house, "car"), "car")
        request = Document("renew", renewer.request())
        answer = await car.link.ask("phone", "renew", request)
        assert isinstance(answer, Document)
        await car.keeper.renewed(renewer.take(answer.body, an_hour_later()))
        # shuts the lost one out, and all that are left obey;
        revoke(second, "home", reason="lost")
        await eventually(lambda: "home" not in phone.trust.household.members)
        await eventually(lambda: "home" not in car.trust.household.members)
        # and admits a new device, which the others hear of
        bike = join(second, house.folder / "bike")
        await eventually(lambda: "bike" in phone.trust.household.members)
        await eventually(lambda: "bike" in car.trust.household.members)
        agreed = own_charter(house.folder / "bike")
        assert {m.device for m in agreed.members} == {"bike", "car", "phone"}
        assert bike.expires > datetime.now(UTC)


async def test_an_offer_waits_until_the_two_meet(tmp_path: Path) -> None:
    house = House(tmp_path)
    make_offer(folder_of(house, "home"), "car")
    async with house.live("home") as home, issuing(house, home) as (first,):
        await first.carry()
        assert open_offers(folder_of(house, "home")) == ("car",)
        async with house.live("car") as car, issuing(house, car):
            await eventually(folder_of(house, "car").ca_key_path.exists)
            await eventually(lambda: open_offers(folder_of(house, "home")) == ())


async def test_an_offer_to_who_is_shut_out_meanwhile_is_not_carried(
    tmp_path: Path,
) -> None:
    house = House(tmp_path)
    ours = folder_of(house, "home")
    make_offer(ours, "car")
    revoke(ours, "car", reason="stolen")
    async with (
        house.live("home") as home,
        house.live("car") as car,
        issuing(house, home, car) as (first, _),
    ):
        await first.carry()
        await asyncio.sleep(0.5)
    assert open_offers(ours) == ()
    assert not folder_of(house, "car").ca_key_path.exists()


async def test_what_is_refused_is_kept_and_tried_again_later(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with three(tmp_path) as (house, home, _, car):
        asked = []

        async def refuse(asker: str, message: object) -> Ack:
            asked.append(asker)
            raise RefusedError("not today")

        car.link.answer("issuer", refuse)
        make_offer(folder_of(house, "home"), "car")
        carrier = Issuing(folder_of(house, "home"), "home", home.link)
        await carrier.carry()
        await carrier.carry()
        assert asked == ["home"]
        assert open_offers(folder_of(house, "home")) == ("car",)
        assert "car is no issuer yet" in caplog.text


async def test_attack_a_member_hands_over_what_it_made_up(tmp_path: Path) -> None:
    async with three(tmp_path) as (house, home, phone, car):
        Issuing(folder_of(house, "car"), "car", car.link)
        ours = folder_of(house, "home")
        make_offer(ours, "car")
        member = own_charter(ours.folder).member("car")
        assert member is not None
        private = authority(ours).private
        bare = key_to_pem(private)
        sealed = seal_to(load_public(member.public_key), "issuer of ours", bare)
        stolen = load_offer(ours, "car")
        for body in (b"", bare, sealed, stolen, stolen[:-1]):
            with pytest.raises(PeerError):
                await phone.link.ask("car", "issuer", Document("issuer", body))
        with pytest.raises(RefusedError, match="wants an offer"):
            await phone.link.ask("car", "issuer", Ack(True))
        assert not folder_of(house, "car").ca_key_path.exists()
        # the same offer, by the device that it names
        await home.link.ask("car", "issuer", Document("issuer", stolen))
        assert folder_of(house, "car").ca_key_path.exists()


async def test_attack_a_member_makes_itself_an_issuer(tmp_path: Path) -> None:
    house = House(tmp_path)
    phone = folder_of(house, "phone")
    with pytest.raises(SetupError, match=r"ca\.key is missing"):
        make_offer(phone, "car")
    # a second issuer of another household with the same name is none here
    other = House(tmp_path / "other")
    make_offer(folder_of(other, "home"), "car")
    async with house.live("home") as home, house.live("car") as car:
        Issuing(folder_of(house, "car"), "car", car.link)
        await eventually(lambda: "car" in home.link.alive)
        foreign = load_offer(folder_of(other, "home"), "car")
        with pytest.raises(RefusedError, match="no issuer has signed"):
            await home.link.ask("car", "issuer", Document("issuer", foreign))
    assert not folder_of(house, "car").ca_key_path.exists()
    assert load_charter(house.folder / "car")
    with pytest.raises(UsageError, match="already"):
        make_offer(folder_of(house, "home"), "home")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("phone", "--send"), 0, "as soon as it meets home"),
        (("guest", "--send"), 2, "not a member"),
        (("home", "--send"), 2, "already"),
        (("phone", "--send", "--to", "x"), 2, "either --to or --from"),
    ],
)
def test_it_is_asked_for_at_the_command_line(
    tmp_path: Path, words: tuple[str, ...], code: int, says: str
) -> None:
    house = House(tmp_path)
    (tmp_path / "kept").mkdir()
    (house.folder / "home").rename(tmp_path / "kept" / "identity")
    told = CliRunner().invoke(
        device_app, ["issuer", *words, "--household", str(tmp_path / "kept")]
    )
    assert told.exit_code == code
    assert says in " ".join(told.output.split())
    kept = load_household(tmp_path / "kept" / "identity")
    assert open_offers(kept) == (("phone",) if code == 0 else ())

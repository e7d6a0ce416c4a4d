"""Pairing as persons live it, over real sessions, with real certificates."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from trivet.app.cli.pairing import join_app
from trivet.app.pairing import _Applicant, _Issuer, join_household, pair_device
from trivet.domain import (
    DeviceKind,
    RefusedError,
    SetupError,
    UsageError,
    WireError,
)
from trivet.fabric import create_household, load_identity
from trivet.fabric.charter import own_charter
from trivet.fabric.household import Household
from trivet.fabric.identity import Identity
from trivet.fabric.pairing import Newcomer
from trivet.fabric.pairing_code import Ticket, make_code
from trivet.fabric.pairing_wire import Card

Outcome = tuple[Newcomer | BaseException, Identity | BaseException]


@pytest.fixture
def ours(tmp_path: Path) -> Household:
    return create_household(tmp_path / "ours", "ours")


def yes(question: str) -> bool:
    return True


def no(question: str) -> bool:
    return False


async def meet(
    ours: Household,
    folder: Path,
    *,
    device: str = "phone",
    host_ask: Callable[[str], bool] = yes,
    ask: Callable[[str], bool] = yes,
    hosts: Sequence[str] = (),
    text: Callable[[Ticket], str] = lambda ticket: ticket.url,
    shown: list[str] | None = None,
) -> Outcome:
    """Both persons at once; what each of them got in the end."""
    show = (shown if shown is not None else []).append
    ticket: asyncio.Future[Ticket] = asyncio.get_running_loop().create_future()

    async def join() -> Identity:
        seen = await ticket
        return await join_household(
            text(seen),
            folder,
            device,
            DeviceKind.PHONE,
            ask=ask,
            show=show,
            hosts=hosts,
            connect=seen.addresses,
            is_scouting=False,
        )

    paired, joined = await asyncio.gather(
        pair_device(
            ours,
            ask=host_ask,
            show=show,
            show_ticket=ticket.set_result,
            listen=["127.0.0.1:0"],
            is_scouting=False,
        ),
        join(),
        return_exceptions=True,
    )
    return paired, joined


async def test_a_paired_device_is_a_member(ours: Household, tmp_path: Path) -> None:
    paired, joined = await meet(ours, tmp_path / "phone")
    assert isinstance(paired, Newcomer)
    assert isinstance(joined, Identity)
    kept = Household(tmp_path / "phone", "ours")
    assert load_identity(kept, "phone") == joined
    member = own_charter(ours.folder).member("phone")
    assert member is not None
    assert member.fingerprint == paired.fingerprint
    assert own_charter(kept.folder) == own_charter(ours.folder)


async def test_the_private_key_stays_and_only_its_owner_reads_it(
    ours: Household, tmp_path: Path
) -> None:
    _, joined = await meet(ours, tmp_path / "phone")
    assert isinstance(joined, Identity)
    assert joined.key_path.stat().st_mode & 0o077 == 0
    key = joined.key_path.read_bytes()
    assert all(key != p.read_bytes() for p in ours.folder.rglob("*") if p.is_file())


async def test_a_typed_code_does_as_well(ours: Household, tmp_path: Path) -> None:
    _, joined = await meet(ours, tmp_path / "phone", text=lambda t: t.code.shown)
    assert isinstance(joined, Identity)


async def test_both_persons_see_the_same_key(ours: Household, tmp_path: Path) -> None:
    questions: list[str] = []

    def ask(question: str) -> bool:
        questions.append(question)
        return True

    paired, _ = await meet(
        ours, tmp_path / "phone", ask=ask, host_ask=ask, hosts=["phone.local"]
    )
    assert isinstance(paired, Newcomer)
    groups = paired.fingerprint[:8], paired.fingerprint[-8:]
    assert len(questions) == 2
    assert all(group in question for group in groups for question in questions)
    assert "phone.local" in questions[1]


async def test_a_second_device_joins_the_same_folder(
    ours: Household, tmp_path: Path
) -> None:
    await meet(ours, tmp_path / "here")
    _, joined = await meet(ours, tmp_path / "here", device="tablet")
    assert isinstance(joined, Identity)
    assert Household(tmp_path / "here", "ours").devices == ("phone", "tablet")


@pytest.mark.parametrize("side", ["host", "joiner"])
async def test_nothing_is_kept_where_a_person_says_no(
    ours: Household, tmp_path: Path, side: str
) -> None:
    host_ask, ask = (no, yes) if side == "host" else (yes, no)
    paired, joined = await meet(ours, tmp_path / "p", host_ask=host_ask, ask=ask)
    assert isinstance(paired, RefusedError)
    assert isinstance(joined, RefusedError)
    assert not (tmp_path / "p").exists()
    assert own_charter(ours.folder).member("phone") is None


async def test_who_leaves_while_the_person_thinks_is_not_admitted(
    ours: Household, tmp_path: Path
) -> None:
    """The question does not hold the host up, and a late yes admits nobody."""
    asked, released = Event(), Event()

    def think(question: str) -> bool:
        asked.set()
        return released.wait(5)

    ticket: asyncio.Future[Ticket] = asyncio.get_running_loop().create_future()
    pairing = asyncio.ensure_future(
        pair_device(
            ours,
            ask=think,
            show=lambda text: None,
            show_ticket=ticket.set_result,
            listen=["127.0.0.1:0"],
            is_scouting=False,
        )
    )
    joining = asyncio.ensure_future(
        join_household(
            (await ticket).url,
            tmp_path / "p",
            "phone",
            DeviceKind.PHONE,
            ask=yes,
            show=lambda text: None,
            is_scouting=False,
        )
    )
    await asyncio.to_thread(asked.wait, 5)
    joining.cancel()
    with pytest.raises(RefusedError, match="left"):
        await pairing
    released.set()
    assert own_charter(ours.folder).member("phone") is None


async def test_a_taken_id_is_refused_and_the_reason_stays_here(
    ours: Household, tmp_path: Path
) -> None:
    await meet(ours, tmp_path / "one")
    paired, joined = await meet(ours, tmp_path / "two")
    assert isinstance(paired, UsageError)
    assert isinstance(joined, RefusedError)
    assert "screen says why" in str(joined)
    assert not (tmp_path / "two").exists()


async def test_a_folder_of_another_household_is_refused_before_anything_is_issued(
    ours: Household, tmp_path: Path
) -> None:
    create_household(tmp_path / "theirs", "theirs")
    _, joined = await meet(ours, tmp_path / "theirs")
    assert isinstance(joined, UsageError)
    assert "another household" in str(joined)
    assert own_charter(ours.folder).member("phone") is None


async def test_a_folder_that_holds_something_is_refused(
    ours: Household, tmp_path: Path
) -> None:
    (tmp_path / "notes").write_text("mine")
    with pytest.raises(UsageError, match="holds something"):
        await join_household(
            make_code().digits,
            tmp_path,
            "phone",
            DeviceKind.PHONE,
            ask=yes,
            show=lambda text: None,
        )


async def test_attack_a_ticket_of_another_authority(
    ours: Household, tmp_path: Path
) -> None:
    """The person scanned one household, the code is of another: nothing is kept."""
    paired, joined = await meet(
        ours,
        tmp_path / "phone",
        text=lambda ticket: replace(ticket, authority="00" * 32).url,
    )
    assert isinstance(joined, WireError)
    assert isinstance(paired, RefusedError)
    assert not (tmp_path / "phone").exists()


async def test_attack_hand_out_another_authority_than_was_accepted(
    ours: Household, tmp_path: Path
) -> None:
    """The card's authority is the one that the certificate must be of."""
    applicant = _Applicant(
        tmp_path / "phone", "phone", DeviceKind.PHONE, (), yes, lambda text: None
    )
    request = await applicant.accept(Card("ours", "00" * 32, "home"))
    assert request is not None
    with pytest.raises(WireError, match="not the one"):
        await applicant.keep(_Issuer(ours, is_guest=False).issue(request))
    assert not (tmp_path / "phone").exists()


async def test_a_guest_is_a_member_as_a_guest(ours: Household, tmp_path: Path) -> None:
    applicant = _Applicant(
        tmp_path / "phone", "phone", DeviceKind.PHONE, (), yes, lambda text: None
    )
    issuer = _Issuer(ours, is_guest=True)
    request = await applicant.accept(issuer.card)
    assert request is not None
    issuer.read(request)
    assert "a guest's phone" in issuer.question
    await applicant.keep(issuer.issue(request))
    member = own_charter(tmp_path / "phone").member("phone")
    assert member is not None
    assert member.is_guest


async def test_a_machine_without_the_authoritys_key_shows_no_code(
    ours: Household, tmp_path: Path
) -> None:
    await meet(ours, tmp_path / "phone")
    member = Household(tmp_path / "phone", "ours")
    with pytest.raises(SetupError):
        await pair_device(
            member, ask=yes, show=lambda text: None, show_ticket=lambda ticket: None
        )


def test_two_command_lines_pair(tmp_path: Path) -> None:
    create_household(tmp_path / "home" / "identity", "ours")
    script = "from trivet.app.cli.pairing import pairing_app; pairing_app()"
    options = ["--yes", "--json", "--no-scout", "--listen", "127.0.0.1:0"]
    with subprocess.Popen(
        [sys.executable, "-c", script, *options, "--household", tmp_path / "home"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as host:
        assert host.stdout is not None
        ticket = json.loads(host.stdout.readline())["ticket"]
        joined = CliRunner().invoke(
            join_app,
            [
                *(ticket, "--device", "phone", "--kind", "phone", "--yes", "--json"),
                *("--no-scout", "--household", str(tmp_path / "phone")),
            ],
        )
        paired = json.loads(host.stdout.readline())
    assert joined.exit_code == 0, joined.output
    assert json.loads(joined.stdout)["device"] == paired["device"] == "phone"
    assert host.returncode == 0


def test_a_command_line_says_what_is_wrong_with_a_code(tmp_path: Path) -> None:
    folder = str(tmp_path / "phone")
    said = CliRunner().invoke(
        join_app,
        ["12345", "--device", "phone", "--kind", "phone", "--household", folder],
    )
    assert said.exit_code == UsageError.exit_code
    assert "8 digits" in said.output
    assert "12345" not in said.output

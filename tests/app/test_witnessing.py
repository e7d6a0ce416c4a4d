"""Devices keep where each other's ledgers end, and tell of one that does not go on."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from functools import partial
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tests.app.test_keeper import eventually, three

from trivet.app import witnessing as witnessing_module
from trivet.app.control import Control
from trivet.app.trust import Household, Trust
from trivet.app.witnessing import (
    BURST,
    EVERY,
    GAP_S,
    HEADS,
    PERIOD_S,
    Seen,
    Told,
    Witnesses,
    Witnessing,
    take_witness_words,
)
from trivet.domain import Device, DeviceKind, PeerError, RefusedError, SetupError
from trivet.domain.wire import Document, Message
from trivet.fabric import Link, MemoryFabric, ledger_chain
from trivet.fabric.access import Party
from trivet.fabric.background import cancel
from trivet.fabric.event import Event, EventKind
from trivet.fabric.ledger import Ledger
from trivet.fabric.ledger_chain import Head, SignedHead
from trivet.fabric.policy import shipped_policy
from trivet.fabric.witness import Asked, Shown, read_shown, write
from trivet.fabric.witness_file import WitnessFile

NOW = 1_800_000_000.0
KEYS = {d: ec.generate_private_key(ec.SECP256R1()) for d in ("phone", "car", "home")}
PARTIES = {d: Party(d, DeviceKind(d)) for d in KEYS}


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


class Living(msgspec.Struct):
    """A device that runs."""

    link: Link
    trust: Trust
    witnessing: Witnessing
    file: WitnessFile
    said: list[str]

    def grow(self, entries: int) -> None:
        """Write entries into its ledger."""
        self.trust.ledger.append_many(
            Event(EventKind.GRANT, NOW + n, "home") for n in range(entries)
        )

    def kept_of(self, device: str) -> int:
        """The number that it keeps of a device, -1 for none."""
        kept = self.file.kept(device)
        return -1 if kept is None else kept.head.seq


class House:
    """A household in memory whose ledgers and what is kept of them are on the disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fabric = MemoryFabric()
        self.clock = Clock()
        self.parties = dict(PARTIES)

    def ledger(self, device: str) -> Path:
        return self.folder / f"ledger-{device}.db"

    @asynccontextmanager
    async def live(self, device: str) -> AsyncIterator[Living]:
        keys = {d: key.public_key() for d, key in KEYS.items()}
        household = Household(self.parties, shipped_policy(), keys)
        ledger = Ledger(self.ledger(device), device, key=KEYS[device])
        made = Device(device, DeviceKind(device))
        with closing(Trust(made, household, ledger, NOW)) as trust:
            async with self.fabric.open_session(device, gate=trust.gate) as link:
                path, said = self.folder / f"witness-{device}.bin", list[str]()
                witnessing = Witnessing(link, trust, path, said.append, self.clock)
                yield Living(link, trust, witnessing, WitnessFile(path), said)

    def put_back(self, device: str) -> None:
        """An older copy in the place of a device's ledger."""
        for end in ("", "-wal", "-shm"):
            now = Path(f"{self.ledger(device)}{end}")
            now.unlink(missing_ok=True)
            old = self.folder / f"old{end}"
            if old.exists():
                shutil.copy(old, now)

    def copy(self, device: str) -> None:
        """Keep a copy of a ledger as it is now."""
        shutil.copy(self.ledger(device), self.folder / "old")


def keeps(living: Living, number: int) -> bool:
    """Whether a device keeps this number of the phone."""
    return living.kept_of("phone") == number


def written(living: Living) -> list[str]:
    """What a device wrote into its ledger about others' ledgers, or its own."""
    return [
        f"{entry.event.peer} {entry.event.detail}"
        for entry in living.trust.ledger.entries(kind=EventKind.WITNESS)
        if entry.event.peer
    ]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


async def test_who_meets_keeps_the_others_end_and_hears_what_is_kept_of_it(
    house: House,
) -> None:
    async with house.live("phone") as phone, house.live("home") as home:
        phone.grow(5)
        await home.witnessing.look()
        end = phone.trust.ledger.head
        assert home.kept_of("phone") == end.seq == 6
        # the phone saw that the home has a ledger that it does not keep yet
        await phone.witnessing.look()
        assert phone.kept_of("home") == home.trust.ledger.head.seq
        assert await phone.witnessing.ask_all() == (Seen("home", str(end)),)
        assert phone.trust.ledger.verify(end).is_sound
        assert phone.said == home.said == []


async def test_an_end_is_asked_for_anew_when_it_is_time(house: House) -> None:
    async with house.live("phone") as phone, house.live("home") as home:
        await home.witnessing.look()
        before = home.kept_of("phone")
        phone.grow(3)
        house.clock.time = PERIOD_S / 2
        await home.witnessing.look()
        assert home.kept_of("phone") == before
        house.clock.time = PERIOD_S
        await home.witnessing.look()
        assert home.kept_of("phone") == phone.trust.ledger.head.seq > before + 3


async def test_a_ledger_that_has_grown_much_is_shown_without_waiting(
    house: House,
) -> None:
    async with house.live("phone") as phone, house.live("home") as home:
        for living in (phone, home):
            await living.witnessing.look()
        phone.grow(EVERY)
        house.clock.time += GAP_S
        await phone.witnessing.look()
        await home.witnessing.look()
        assert home.kept_of("phone") >= EVERY


async def test_two_ends_that_are_shown_have_an_entry_between_that_nobody_can_guess(
    house: House,
) -> None:
    async with house.live("phone") as phone, house.live("home") as home:
        for _ in range(3):
            phone.grow(1)
            await home.witnessing.look()
            house.clock.time += PERIOD_S
        shown = phone.trust.ledger.entries(kind=EventKind.WITNESS)
        details = [entry.event.detail for entry in shown]
        assert len(details) == len(set(details)) == 3
        assert all(len(detail.split()[-1]) == 32 for detail in details)
        # nothing has happened since: the same end is shown, and nothing written
        length = phone.trust.ledger.head.seq
        await home.witnessing.look()
        assert phone.trust.ledger.head.seq == length == home.kept_of("phone")


async def test_a_device_that_is_met_again_is_asked_at_once(house: House) -> None:
    async with house.live("home") as home:
        async with house.live("phone"):
            await home.witnessing.look()
        await home.witnessing.look()
        async with house.live("phone") as phone:
            phone.grow(2)
            await home.witnessing.look()
            assert home.kept_of("phone") == phone.trust.ledger.head.seq
            assert home.said == []


async def test_a_device_that_was_gone_for_a_moment_is_asked_at_once_too(
    house: House,
) -> None:
    async with house.live("home") as home:
        running = asyncio.ensure_future(home.witnessing.run())
        try:
            ends = []
            for _ in range(2):
                async with house.live("phone") as phone:
                    phone.grow(2)
                    end = phone.trust.ledger.head.seq + 1
                    await eventually(partial(keeps, home, end))
                    ends.append(end)
            assert ends == [3, 6]
            assert not running.done()
        finally:
            await cancel(running)


async def test_a_guests_device_is_neither_asked_nor_kept(house: House) -> None:
    house.parties["phone"] = Party("phone", DeviceKind.PHONE, is_guest=True)
    async with house.live("phone") as phone, house.live("home") as home:
        await home.witnessing.look()
        assert home.kept_of("phone") == -1
        with pytest.raises(RefusedError):
            await phone.link.ask("home", HEADS, Document(HEADS, write(Asked(None))))


async def test_attack_an_older_copy_is_put_back_and_both_sides_say_so(
    house: House,
) -> None:
    async with house.live("home") as home:
        async with house.live("phone") as phone:
            phone.grow(3)
        house.copy("phone")
        async with house.live("phone") as phone:
            phone.grow(10)
            await home.witnessing.look()
            kept = home.kept_of("phone")
        house.put_back("phone")
        (house.folder / "witness-phone.bin").unlink()  # put back with it
        async with house.live("phone") as phone:
            house.clock.time += PERIOD_S
            for living in (home, phone):
                await living.witnessing.look()
            [warning] = home.said
            assert "do not rely on the ledger of phone: its ledger ends" in warning
            [own] = phone.said
            assert f"the ledger of phone: entry {kept} is missing" in own
            assert own.endswith("as home keeps it")
            assert len(written(home)) == len(written(phone)) == 1
            # it is said once, and what was kept stays as evidence
            phone.grow(99)
            house.clock.time += PERIOD_S
            await home.witnessing.look()
            assert home.kept_of("phone") == kept
            assert len(home.said) == 1


async def test_attack_an_older_copy_is_put_back_and_goes_on_past_the_end(
    house: House,
) -> None:
    async with house.live("home") as home:
        async with house.live("phone") as phone:
            phone.grow(3)
        house.copy("phone")
        async with house.live("phone") as phone:
            phone.grow(10)
            await home.witnessing.look()
            kept = home.kept_of("phone")
        house.put_back("phone")
        await home.witnessing.look()
        async with house.live("phone") as phone:
            phone.grow(50)
            await home.witnessing.look()
            [warning] = home.said
            assert f"entry {kept} of its ledger is not the one" in warning
            evidence = home.file.kept("phone")
            assert evidence is not None
            assert evidence.against is not None
            # two words of the phone on one entry: anybody can check that
            assert evidence.against.seq == evidence.head.seq == kept
            assert evidence.against.hash != evidence.head.hash
            assert evidence.against.is_by(KEYS["phone"].public_key())


async def test_attack_the_file_alone_is_put_back_while_the_device_is_off(
    house: House,
) -> None:
    """The device keeps its own end as well: no other is needed."""
    async with house.live("phone") as phone, house.live("home") as home:
        phone.grow(3)
        await home.witnessing.look()
    house.copy("phone")
    async with house.live("phone") as phone, house.live("home") as home:
        phone.grow(10)
        await home.witnessing.look()
    house.put_back("phone")
    async with house.live("phone") as phone:
        running = asyncio.ensure_future(phone.witnessing.run())
        await asyncio.sleep(0.05)
        await cancel(running)
        [own] = phone.said
        assert own.startswith("phone: do not rely on the ledger of phone: entry")
        assert own.endswith("as it itself keeps it")


async def test_a_new_ledger_is_kept_from_when_on_a_person_has_accepted_it(
    house: House,
) -> None:
    async with house.live("home") as home:
        async with house.live("phone") as phone:
            phone.grow(9)
            await home.witnessing.look()
        house.put_back("phone")  # by nothing: a new one is begun
        await home.witnessing.look()
        async with house.live("phone") as phone:
            await home.witnessing.look()
            assert len(home.said) == 1
            home.file.accept("phone")
            phone.file.accept("phone")
            house.clock.time += PERIOD_S
            await home.witnessing.look()
            assert home.kept_of("phone") == phone.trust.ledger.head.seq < 9
            assert len(home.said) == 1


@asynccontextmanager
async def false_phone(house: House, answer: Shown | bytes) -> AsyncIterator[Link]:
    """A phone that answers what it likes."""

    async def lie(asker: str, message: Message | None) -> Message:
        return Document(HEADS, answer if isinstance(answer, bytes) else write(answer))

    async with house.fabric.open_session("phone", answers={HEADS: lie}) as link:
        yield link


def word(seq: int, fill: int, signer: str = "phone", of: str = "phone") -> SignedHead:
    """Somebody's word on an entry whose hash is one byte over and over."""
    digest = bytes([fill]) * 32
    signature = ledger_chain.sign_head(KEYS[signer], of, seq, digest)
    return SignedHead(of, seq, digest, signature)


@pytest.mark.parametrize(
    "answer",
    [
        Shown(word(9, 1, signer="car")),
        Shown(word(9, 1, signer="car", of="car")),
        b"",
        b"\x93\xc0\xc0\xc0",
        bytes(10_000),
    ],
)
async def test_attack_a_forged_head_is_neither_kept_nor_held_against_anybody(
    house: House, answer: Shown | bytes
) -> None:
    async with house.live("home") as home:
        home.file.keep(word(5, 1), NOW)
        async with false_phone(house, answer):
            await home.witnessing.look()
        assert home.kept_of("phone") == 5
        kept = home.file.kept("phone")
        assert kept is not None
        assert not kept.fault
        assert home.said == written(home) == []


async def test_attack_an_old_head_is_shown_again(house: House) -> None:
    async with house.live("home") as home:
        async with false_phone(house, Shown(word(9, 2))):
            await home.witnessing.look()
        await home.witnessing.look()
        async with false_phone(house, Shown(word(5, 1), word(5, 1))):
            await home.witnessing.look()
        assert home.kept_of("phone") == 9
        [warning] = home.said
        assert "ends at entry 5 and ended at 9 before" in warning


async def test_attack_a_head_in_this_devices_name_is_made_up(house: House) -> None:
    """What it never signed says nothing, and no entry's hash is had for it."""
    made_up = SignedHead("home", 2, bytes(32), word(2, 0, signer="phone").signature)
    async with house.live("home") as home:
        home.grow(5)
        async with house.fabric.open_session("phone") as phone:
            asked = Document(HEADS, write(Asked(made_up)))
            answer = await phone.ask("home", HEADS, asked)
            assert isinstance(answer, Document)
            assert read_shown(answer.body).before is None
        async with false_phone(house, Shown(word(1, 1), kept=made_up)):
            await home.witnessing.look()
        assert home.said == written(home) == []


async def test_attack_a_flood_of_questions_is_refused_and_writes_nothing(
    house: House,
) -> None:
    async with house.live("home") as home:
        async with house.fabric.open_session("phone") as phone:
            refused = 0
            for number in range(BURST * 3):
                asked = Asked(None, number)
                try:
                    await phone.ask("home", HEADS, Document(HEADS, write(asked)))
                except PeerError:
                    refused += 1
            assert refused == BURST * 2
            # nor is the phone asked back for each
            assert home.trust.ledger.head.seq == 1
            await home.witnessing.look()
            await home.witnessing.look()
        assert home.trust.ledger.head.seq == 1


@pytest.mark.parametrize("body", [b"", b"\xc0", b"\x92\xc0\xff", bytes(3000)])
async def test_attack_a_question_of_hostile_bytes(house: House, body: bytes) -> None:
    async with house.live("home") as home, house.live("phone") as phone:
        with pytest.raises(RefusedError):
            await phone.link.ask("home", HEADS, Document(HEADS, body))
        assert home.said == []


async def test_a_device_with_a_damaged_file_of_others_goes_on_without(
    house: House,
) -> None:
    (house.folder / "witness-home.bin").write_bytes(b"\x01nothing")
    async with AsyncExitStack() as stack:
        home = await stack.enter_async_context(house.live("home"))
        await stack.enter_async_context(house.live("phone"))
        running = asyncio.ensure_future(home.witnessing.run())
        await asyncio.sleep(0.05)
        assert not running.done()
        await cancel(running)


async def test_a_device_whose_own_ledger_is_busy_goes_on_and_looks_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_busy(_: Ledger) -> Head:
        raise SetupError("the database is locked")

    monkeypatch.setattr(witnessing_module, "LOOK_S", 0.01)
    async with house.live("phone") as phone, house.live("home") as home:
        await home.witnessing.look()
        before = home.kept_of("phone")
        with monkeypatch.context() as patched:
            patched.setattr(Ledger, "head", property(is_busy))
            running = asyncio.ensure_future(home.witnessing.run())
            await asyncio.sleep(0.05)
            assert not running.done()
        phone.grow(3)
        house.clock.time = PERIOD_S
        await eventually(lambda: home.kept_of("phone") > before)
        await cancel(running)


async def test_the_owner_is_told_what_others_keep(house: House) -> None:
    async with house.live("phone") as phone, house.live("home") as home:
        await home.witnessing.look()
        control = Control()
        take_witness_words(control, phone.witnessing)
        line = await control.answer(msgspec.json.encode(Witnesses()))
        answer = msgspec.json.decode(line, type=dict[str, Told])["answer"]
        [seen] = answer.seen
        assert (seen.peer, seen.error) == ("home", "")
        assert seen.head.startswith("1:")


# --- over real sessions ------------------------------------------------------------


async def test_three_devices_keep_each_others_ends_over_real_sessions(
    tmp_path: Path,
) -> None:
    async with three(tmp_path) as (_, *living), AsyncExitStack() as stack:
        files = {}
        for one in living:
            device = one.link.device
            path = tmp_path / device / f"witness-{device}.bin"
            files[device] = WitnessFile(path)
            witnessing = Witnessing(one.link, one.trust, path)
            running = asyncio.ensure_future(witnessing.run())
            stack.push_async_callback(cancel, running)
        for file in files.values():
            await eventually(partial(keeps_all, file))
        for one in living:
            held = [
                kept.head.head
                for file in files.values()
                for kept in file.all()
                if kept.device == one.link.device and not kept.fault
            ]
            assert len(held) == 3
            assert one.trust.ledger.verify(*held).is_sound


def keeps_all(file: WitnessFile) -> bool:
    """Whether a device keeps the ends of all three ledgers."""
    return {kept.device for kept in file.all()} == {"phone", "car", "home"}

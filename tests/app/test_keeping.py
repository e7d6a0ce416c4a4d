"""What is given is kept under its lease, and forgotten wherever it went."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from trivet.app import forgetting as forgetting_module
from trivet.app.control import Control
from trivet.app.keeping import (
    ALL,
    ForgetWord,
    Forgot,
    Keeping,
    Live,
    Living,
)
from trivet.app.simulation import simulated_household
from trivet.app.trust import Trust
from trivet.domain import (
    Device,
    DeviceKind,
    Purpose,
    RefusedError,
    Sample,
    SetupError,
    Signal,
    UsageError,
)
from trivet.domain.wire import Ack, Document
from trivet.fabric import Link, MemoryFabric
from trivet.fabric.event import Event, EventKind
from trivet.fabric.history import Forget, History, make_forget, make_rule
from trivet.fabric.history.forget import FORGET, encode_forget, forget_message
from trivet.fabric.history.reader import Reader
from trivet.fabric.history.row import Kept
from trivet.fabric.ledger import Ledger
from trivet.fabric.lessee import Wish
from trivet.fabric.letter import Received

NOW = 1_800_000_000.0
MARKER = "where-i-was-last-week"
SIGNALS = {
    "phone": (Signal("location", datatype="string"), Signal("batt")),
    "car": (Signal("Vehicle.Speed"),),
    "home": (Signal("climate.hall"),),
}
WISHES = {
    "home": (Wish("phone", ("location", "batt"), Purpose.ARRIVAL),),
    "car": (),
    "phone": (Wish("car", ("Vehicle.Speed",), Purpose.SAFETY),),
}


class Kin(msgspec.Struct):
    """A device that keeps."""

    link: Link
    trust: Trust
    history: History
    keeping: Keeping
    path: Path
    told: list[tuple[str, Forget]]

    def kept(self) -> list[Kept]:
        self.history.flush()
        with Reader(self.path) as reader:
            return list(reader.rows())

    def events(self) -> list[Event]:
        entries = self.trust.ledger.entries(kind=EventKind.FORGET)
        return [entry.event for entry in entries]

    def holds(self, text: str) -> bool:
        files = self.path.parent.glob(f"{self.path.name}*")
        return any(text.encode() in file.read_bytes() for file in files)

    async def give(self, path: str, value: str | float, time: float) -> list[str]:
        """A sample of its own: kept, and given to whoever has a lease."""
        sample = Sample(self.link.device, path, time, value)
        self.keeping.note_own(sample)
        return await self.trust.lessor.give(sample)


class House:
    """Devices on a fabric in memory, each with its files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fabric = MemoryFabric()

    @asynccontextmanager
    async def live(self, device: str) -> AsyncIterator[Kin]:
        made = Device(device, DeviceKind(device), signals=SIGNALS[device])
        path = self.folder / f"history-{device}.db"
        ledger = Ledger(self.folder / f"ledger-{device}.db", device)
        told: list[tuple[str, Forget]] = []

        async def on_forget(owner: str, wish: Forget) -> None:
            told.append((owner, wish))

        trust = Trust(made, simulated_household(), ledger, NOW)
        async with AsyncExitStack() as stack:
            stack.enter_context(closing(trust))
            history = stack.enter_context(closing(History(path, device)))
            opening = self.fabric.open_session(device, gate=trust.gate)
            link = await stack.enter_async_context(opening)
            trust.attach(link, WISHES[device])
            keeping = Keeping(link, trust, history, on_forget)
            kin = Kin(link, trust, history, keeping, path, told)
            tasks = [
                asyncio.create_task(keeping.run()),
                asyncio.create_task(self.hear(kin)),
            ]
            try:
                yield kin
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    @staticmethod
    async def hear(kin: Kin) -> None:
        async for received in kin.link.subscribe():
            heard = await kin.trust.hear(received)
            if heard is not None:
                kin.keeping.note_received(heard)


@asynccontextmanager
async def phone_and_home(folder: Path) -> AsyncIterator[tuple[House, Kin, Kin]]:
    """The home has a lease on the phone, and was given five samples of it."""
    house = House(folder)
    async with house.live("phone") as phone, house.live("home") as home:
        await give_five(phone, home)
        yield house, phone, home


async def give_five(phone: Kin, home: Kin) -> None:
    await home.trust.tick(NOW)
    for number in range(5):
        assert await phone.give("location", f"{MARKER}-{number}", NOW + number)
    await eventually(lambda: len(home.kept()) == 5)


async def eventually(is_true: Callable[[], bool]) -> None:
    """Wait for what has no event to wait for; fails after 20 s."""
    for _ in range(2000):
        if is_true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came true")


def states(kin: Kin) -> list[tuple[str, str, int]]:
    return [(p.peer, p.state, p.samples) for p in kin.history.pendings()]


# --- keeping ------------------------------------------------------------------------


async def test_what_is_given_is_kept_at_both_ends(tmp_path: Path) -> None:
    async with phone_and_home(tmp_path) as (_, phone, home):
        (lease,) = home.trust.lessee.leases
        assert {k.lease for k in home.kept()} == {lease.id}
        assert {k.purpose for k in home.kept()} == {"arrival"}
        assert {k.lease for k in phone.kept()} == {""}


async def test_what_is_noted_becomes_durable_by_itself(tmp_path: Path) -> None:
    async with House(tmp_path).live("car") as car:
        car.keeping.note_own(Sample("car", "Vehicle.Speed", NOW, 1.0))
        await eventually(lambda: car.history.waiting == 0)
        with Reader(car.path) as reader:
            assert len(list(reader.rows())) == 1


async def test_what_waits_is_written_at_the_end(tmp_path: Path) -> None:
    async with House(tmp_path).live("car") as car:
        car.keeping.note_own(Sample("car", "Vehicle.Speed", NOW, 1.0))
        path = car.path
    with Reader(path) as reader:
        assert len(list(reader.rows())) == 1


async def test_attack_what_no_lease_gives_is_not_kept(tmp_path: Path) -> None:
    """Another's sample, one of nobody's, one under a lease on something else."""
    async with phone_and_home(tmp_path) as (_, _, home):
        for owner, path, device in (
            ("phone", "location", "car"),
            ("phone", "secret", "phone"),
            ("car", "Vehicle.Speed", "car"),
            ("home", "climate.hall", "phone"),
        ):
            received = Received(owner, path, Sample(device, path, NOW, 1.0))
            assert not home.keeping.note_received(received)
        home.keeping.note_own(Sample("phone", "location", NOW + 9, 1.0))
        assert len(home.kept()) == 5


async def test_copies_go_when_the_owner_ends_the_lease(tmp_path: Path) -> None:
    async with phone_and_home(tmp_path) as (_, phone, home):
        (lease,) = home.trust.lessee.leases
        await phone.trust.lessor.end(lease.id)
        await eventually(lambda: home.kept() == [])
        assert len(phone.kept()) == 5


async def test_copies_go_when_the_lease_runs_out(tmp_path: Path) -> None:
    async with phone_and_home(tmp_path) as (_, _, home):
        (lease,) = home.trust.lessee.leases
        home.trust.time = lease.until
        await eventually(lambda: home.kept() == [])


async def test_copies_stay_while_the_lease_is_renewed(tmp_path: Path) -> None:
    async with phone_and_home(tmp_path) as (_, phone, home):
        (first,) = home.trust.lessee.leases
        for kin in (phone, home):
            await kin.trust.tick(NOW + 0.9 * 86_400)
        (second,) = home.trust.lessee.leases
        assert second.id != first.id
        await eventually(lambda: home.history.leases()[-1].lease == second.id)
        home.trust.time = first.until + 1
        await asyncio.sleep(0.05)
        home.keeping._wake.set()
        await asyncio.sleep(0.3)
        assert len(home.kept()) == 5


async def test_copies_stay_while_an_owner_is_started_anew(tmp_path: Path) -> None:
    house = House(tmp_path)
    async with house.live("home") as home:
        async with house.live("phone") as phone:
            await give_five(phone, home)
        home.trust.lessee.forget("phone")  # as at its return
        home.keeping._wake.set()
        await asyncio.sleep(0.3)
        assert len(home.kept()) == 5


async def test_a_fault_of_the_file_is_told_once_and_does_not_end_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with House(tmp_path).live("car") as car:

        def full() -> int:
            raise SetupError("the disk is full")

        with monkeypatch.context() as patched, caplog.at_level(logging.ERROR):
            patched.setattr(car.history, "flush", full)
            for _ in range(3):
                car.keeping._wake.set()
                await asyncio.sleep(0.1)
        assert caplog.text.count("the disk is full") == 1
        car.keeping.note_own(Sample("car", "Vehicle.Speed", NOW, 1.0))
        await eventually(lambda: car.history.waiting == 0)


async def test_it_grows_old_by_itself(tmp_path: Path) -> None:
    async with House(tmp_path).live("car") as car:
        car.history.set_rule(make_rule("**", 60, 0, 0))
        car.keeping.note_own(Sample("car", "Vehicle.Speed", NOW - 61, 1.0))
        car.keeping.note_own(Sample("car", "Vehicle.Speed", NOW, 2.0))
        await eventually(lambda: [k.value for k in car.kept()] == [2.0])


# --- forgetting ---------------------------------------------------------------------


async def test_what_is_forgotten_is_gone_on_every_device_that_held_it(
    tmp_path: Path,
) -> None:
    async with phone_and_home(tmp_path) as (_, phone, home):
        await phone.give("location", "and-since", NOW + 100)
        await eventually(lambda: len(home.kept()) == 6)
        assert len(phone.kept()) == 6
        assert phone.holds(MARKER)
        assert home.holds(MARKER)
        wish = make_forget(["location"], NOW, NOW + 10)
        assert (await phone.keeping.forget(wish)).own.samples == 5
        await eventually(lambda: states(phone) == [("home", "answered", 5)])
        await eventually(lambda: not phone.history.owed)
        assert not phone.holds(MARKER)
        assert not home.holds(MARKER)
        assert [k.value for k in phone.kept()] == ["and-since"]
        assert [k.value for k in home.kept()] == ["and-since"]
        # who learned from it was told, at both ends
        assert phone.told == home.told == [("phone", wish)]
        # both ledgers have it, and say how many and never what
        (mine, theirs) = phone.events()
        assert (mine.peer, mine.count, mine.paths) == ("", 5, ("location",))
        assert (theirs.peer, theirs.count) == ("home", 5)
        (asked,) = home.events()
        assert (asked.peer, asked.count, asked.first) == ("phone", 5, NOW)
        assert MARKER not in repr([mine, theirs, asked])


async def test_who_is_away_is_asked_when_it_comes_even_after_a_new_start(
    tmp_path: Path,
) -> None:
    house = House(tmp_path)
    async with house.live("phone") as phone, house.live("home") as home:
        await give_five(phone, home)
    async with house.live("phone") as phone:
        await phone.keeping.forget(make_forget())
        await asyncio.sleep(0.1)
        assert states(phone) == [("home", "waiting", 0)]
    async with house.live("phone") as phone:
        assert states(phone) == [("home", "waiting", 0)]
        async with house.live("home") as home:
            await eventually(lambda: states(phone) == [("home", "answered", 5)])
            assert home.kept() == []


async def test_who_was_never_given_it_is_not_asked(tmp_path: Path) -> None:
    async with phone_and_home(tmp_path) as (house, phone, _), house.live("car"):
        await phone.keeping.forget(make_forget(["batt"]))
        assert states(phone) == []


async def test_a_late_copy_of_what_was_forgotten_is_not_kept(tmp_path: Path) -> None:
    async with phone_and_home(tmp_path) as (_, phone, home):
        phone.trust.time = home.trust.time = NOW + 1000
        await phone.keeping.forget(make_forget())  # of all there is until now
        await eventually(lambda: states(phone) == [("home", "answered", 5)])
        await phone.trust.lessor.give(Sample("phone", "location", NOW + 50, "late"))
        await phone.trust.lessor.give(Sample("phone", "location", NOW + 1000, "new"))
        await eventually(lambda: [k.value for k in home.kept()] == ["new"])


async def test_an_answer_that_was_lost_is_given_again_with_its_count(
    tmp_path: Path,
) -> None:
    async with phone_and_home(tmp_path) as (_, phone, home):
        wish = make_forget()
        message = forget_message(wish)
        await phone.link.ask("home", FORGET, message)  # and nobody took it down
        home.history.note_recorded("phone", wish.id)
        phone.history.forget(wish, NOW, ["home"])
        phone.keeping._forgetting._to_ask.set()
        await eventually(lambda: states(phone) == [("home", "answered", 5)])


async def test_who_refuses_is_asked_again_and_it_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with phone_and_home(tmp_path) as (_, phone, home):
        with monkeypatch.context() as patched:
            patched.setattr(
                home.history,
                "forget_copies",
                lambda *_: (_ for _ in ()).throw(SetupError("no room")),
            )
            await phone.keeping.forget(make_forget())
            await eventually(lambda: bool(phone.history.pendings()[0].error))
            assert "no room" in phone.history.pendings()[0].error
        phone.keeping._forgetting._to_ask.set()
        await eventually(lambda: states(phone) == [("home", "answered", 5)])
        assert phone.history.pendings()[0].error == ""


async def test_a_file_that_is_not_clean_yet_is_asked_after_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with phone_and_home(tmp_path) as (_, phone, home):
        with monkeypatch.context() as patched:
            patched.setattr(home.history, "scrub", lambda: False)
            await phone.keeping.forget(make_forget())
            await eventually(lambda: states(phone) == [("home", "cleaning", 5)])
            assert [event.peer for event in phone.events()] == [""]
        phone.keeping._forgetting._to_ask.set()
        await eventually(lambda: states(phone) == [("home", "answered", 5)])
        await eventually(lambda: [e.peer for e in phone.events()] == ["", "home"])


async def test_what_is_old_makes_room_though_there_is_none_to_clean_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scrub() -> bool:
        raise SetupError("no room")

    async with House(tmp_path).live("car") as car:
        monkeypatch.setattr(car.history, "scrub", scrub)
        car.history.set_rule(make_rule("**", 100, 0, 0))
        car.keeping.note_own(Sample("car", "Vehicle.Speed", NOW - 50, 50.0))
        car.keeping.note_own(Sample("car", "Vehicle.Speed", NOW - 90, 50.0))
        await car.keeping.forget(make_forget(until=NOW - 60))
        assert len(car.kept()) == 1
        car.trust.time = NOW + 60
        car.keeping._aged = float("-inf")
        car.keeping._wake.set()
        await eventually(lambda: car.kept() == [])


async def test_who_learned_and_could_not_forget_is_told_again(tmp_path: Path) -> None:
    async with House(tmp_path).live("car") as car:
        failures = [SetupError("busy")]

        async def on_forget(owner: str, wish: Forget) -> None:
            if failures:
                raise failures.pop()
            car.told.append((owner, wish))

        car.keeping._forgetting._on_forget = on_forget
        wish = make_forget()
        await car.keeping.forget(wish)
        assert car.events() == []
        car.keeping._wake.set()
        await eventually(lambda: len(car.events()) == 1)
        assert car.told == [("car", wish)]


async def test_copies_here_are_forgotten_by_the_word_of_this_owner(
    tmp_path: Path,
) -> None:
    async with phone_and_home(tmp_path) as (_, phone, home):
        home.keeping.note_own(Sample("home", "climate.hall", NOW, 21.0))
        wish = make_forget()
        done = await home.keeping.forget(wish, "phone")
        assert done.copies == {"phone": 5}
        assert [k.device for k in home.kept()] == ["home"]
        done = await home.keeping.forget(make_forget(), ALL)
        assert done.own.samples == 1
        assert len(phone.kept()) == 5, "a copy's end is not its owner's loss"


# --- attacks ------------------------------------------------------------------------


async def test_attack_a_device_deletes_what_is_not_its_own(tmp_path: Path) -> None:
    """The car asks, and then the home asks the phone, to forget all of everybody's."""
    async with (
        phone_and_home(tmp_path) as (house, phone, home),
        house.live("car") as car,
    ):
        home.keeping.note_own(Sample("home", "climate.hall", NOW, 21.0))
        await car.link.ask("home", FORGET, forget_message(make_forget()))
        await home.link.ask("phone", FORGET, forget_message(make_forget()))
        assert sorted(k.device for k in home.kept()) == ["home"] + 5 * ["phone"]
        assert len(phone.kept()) == 5


async def test_attack_a_question_that_is_none(tmp_path: Path) -> None:
    async with phone_and_home(tmp_path) as (_, phone, home):
        wish = make_forget()
        backwards = replace(wish, since=5.0, until=4.0)
        for message in (
            None,
            Ack(True),
            Document(FORGET, b""),
            Document(FORGET, b"\xc1" * 100),
            Document("charter", encode_forget(wish)),
            Document(FORGET, encode_forget(backwards)),
            Document(FORGET, encode_forget(wish) + b"\0"),
        ):
            with pytest.raises(RefusedError):
                await phone.link.ask("home", FORGET, message)
        assert len(home.kept()) == 5


async def test_attack_a_flood_of_wishes_is_turned_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting_module, "PER_S", 0.0)
    monkeypatch.setattr(forgetting_module, "BURST", 3)
    async with phone_and_home(tmp_path) as (_, phone, _):
        for _ in range(3):
            await phone.link.ask("home", FORGET, forget_message(make_forget()))
        with pytest.raises(RefusedError, match="too often"):
            await phone.link.ask("home", FORGET, forget_message(make_forget()))


async def test_attack_a_stranger_wishes(tmp_path: Path) -> None:
    house = House(tmp_path)
    async with house.live("home") as home:
        home.keeping.note_own(Sample("home", "climate.hall", NOW, 21.0))
        async with house.fabric.open_session("stranger") as link:
            with pytest.raises(RefusedError, match="not of this household"):
                await link.ask("home", FORGET, forget_message(make_forget()))
        assert len(home.kept()) == 1


async def test_attack_an_answer_that_is_a_lie_about_another_wish(
    tmp_path: Path,
) -> None:
    house = House(tmp_path)
    async with house.live("phone") as phone:

        async def lie(asker: str, message: object) -> Document:
            return Document("forgotten", b"\x94\xb00123456789abcdef\x05\x00\xc3")

        phone.history.forget(make_forget(), NOW, ["home"])
        async with house.fabric.open_session("home", answers={FORGET: lie}):
            await eventually(lambda: bool(phone.history.pendings()[0].error))
            (pending,) = phone.history.pendings()
        assert "another wish" in pending.error
        assert pending.state == "waiting"


# --- the owner's words --------------------------------------------------------------


async def test_the_owners_words_reach_it(tmp_path: Path) -> None:
    async with phone_and_home(tmp_path) as (_, phone, home):
        control = Control()
        phone.keeping.take_words(control)
        phone.keeping.note_own(Sample("phone", "batt", NOW, 50))
        line = msgspec.json.encode(Live())
        answer = msgspec.json.decode(await control.answer(line))["answer"]
        assert msgspec.convert(answer, Living) == Living(NOW)
        word = ForgetWord(make_forget(), "")
        answer = msgspec.json.decode(await control.answer(msgspec.json.encode(word)))
        forgot = msgspec.convert(answer["answer"], Forgot)
        assert forgot.own.samples == 6
        await eventually(lambda: home.kept() == [])
        with pytest.raises(UsageError):
            phone.keeping.take_words(control)

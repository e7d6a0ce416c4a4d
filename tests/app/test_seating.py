"""What a device does for the household another does when it dies: over real links."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest
from typer.testing import CliRunner

from trivet.app.cli.seat import seat_app
from trivet.app.control import Control, open_control
from trivet.app.seat_word import Seated, Seats, Yield, Yielded, take_seat_words
from trivet.app.seating import Row, Seating
from trivet.app.trust import Household, Trust
from trivet.domain import (
    Device,
    DeviceKind,
    PeerError,
    RefusedError,
    SetupError,
    UsageError,
    WireError,
)
from trivet.domain.wire import Ack, Document, Message
from trivet.fabric import Gate, Link, MemoryFabric
from trivet.fabric.access import Party
from trivet.fabric.ledger import Ledger
from trivet.fabric.policy import shipped_policy
from trivet.fabric.seat import (
    ENGINE,
    FileBook,
    Plan,
    Roll,
    Standing,
    pack,
    roll_of,
    unpack,
)
from trivet.fabric.seat.book import Page, Record
from trivet.fabric.seat.word import Bid, Denial, Why

DEVICES = ("home", "phone", "car")
T = TypeVar("T")


def household(*devices: str, guests: tuple[str, ...] = ()) -> Household:
    members = {d: Party(d, DeviceKind(d.split("-")[0])) for d in devices}
    members |= {d: Party(d, DeviceKind.PHONE, True) for d in guests}
    return Household(members, shipped_policy())


async def eventually(is_true: Callable[[], bool], limit_s: float = 10.0) -> None:
    """Wait for what has no event to wait for."""
    for _ in range(int(limit_s * 100)):
        if is_true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"not so within {limit_s} s")


def remember(folder: Path, ours: Household) -> None:
    """As after an earlier run, in which the home had the engine."""
    roll = roll_of(ours.members, ours.version)
    record = Record(1, "home", 1, (roll,))
    for device in roll.devices:
        FileBook(folder / f"{device}.json").keep(Page(1, roll, {ENGINE: record}))


class Stage:
    """A household in memory whose devices are put up and killed."""

    def __init__(self, folder: Path, ours: Household, *plans: Plan) -> None:
        self.folder, self.ours = folder, ours
        self.plans = plans or (Plan(ENGINE),)
        self.fabric = MemoryFabric("ours")
        self.seatings: dict[str, Seating] = {}
        self.links: dict[str, Link] = {}
        self._lives: dict[str, asyncio.Task[None]] = {}

    async def start(self, device: str, gate: Gate | None = None) -> Seating:
        ready = asyncio.Event()

        async def live() -> None:
            async with self.fabric.open_session(device, gate=gate) as link:
                path = self.folder / f"{device}.json"
                seating = Seating(link, lambda: self.ours, path, self.plans)
                self.seatings[device], self.links[device] = seating, link
                ready.set()
                await seating.run()

        self._lives[device] = asyncio.create_task(live())
        await ready.wait()
        return self.seatings[device]

    async def end(self, device: str) -> None:
        """As a device that is told to end, and says so."""
        self._lives[device].cancel()
        await asyncio.wait([self._lives[device]])
        del self.seatings[device]

    async def kill(self, device: str) -> None:
        """As a device that says nothing any more, but whose link still seems to be."""
        link = self.links[device]

        async def dead(*_: object, **__: object) -> Message:
            await asyncio.sleep(60)
            raise AssertionError

        link.ask = dead  # type: ignore[method-assign]
        link._desk._handlers["seat"] = dead
        await self.end(device)

    def holder(self) -> str:
        held = [
            device
            for device, seating in self.seatings.items()
            if (hold := seating.holding()) and hold.standing is Standing.HOLDING
        ]
        assert len(held) <= 1
        return held[0] if held else ""

    async def close(self) -> None:
        for life in self._lives.values():
            life.cancel()
        await asyncio.gather(*self._lives.values(), return_exceptions=True)


@asynccontextmanager
async def staged(
    folder: Path,
    ours: Household,
    *plans: Plan,
    start: tuple[str, ...] = DEVICES,
    is_new: bool = False,
) -> AsyncIterator[Stage]:
    stage = Stage(folder, ours, *plans)
    if not is_new:
        remember(folder, ours)
    try:
        for device in start:
            await stage.start(device)
        yield stage
    finally:
        await stage.close()


async def test_a_holder_that_is_killed_is_replaced_and_gets_it_back(
    tmp_path: Path,
) -> None:
    async with staged(tmp_path, household(*DEVICES)) as stage:
        await eventually(lambda: stage.holder() == "home")
        first = stage.seatings["home"].holding()
        await stage.kill("home")
        await eventually(lambda: stage.holder() == "phone")
        second = stage.seatings["phone"].holding()
        await stage.start("home")
        await eventually(lambda: stage.holder() == "home")
        third = stage.seatings["home"].holding()
        assert [hold.token for hold in (first, second, third) if hold] == [1, 2, 3]


async def test_a_new_household_has_a_holder_within_5_s(tmp_path: Path) -> None:
    async with staged(tmp_path, household(*DEVICES), is_new=True) as stage:
        await eventually(lambda: stage.holder() == "home")


async def test_a_holder_that_ends_says_so(tmp_path: Path) -> None:
    async with staged(tmp_path, household(*DEVICES)) as stage:
        await eventually(lambda: stage.holder() == "home")
        await eventually(lambda: stage.seatings["car"].row(ENGINE).holder == "home")
        await stage.end("home")  # returns once its words were heard
        assert stage.seatings["car"].row(ENGINE).holder != "home"
        await eventually(lambda: bool(stage.holder()))


async def test_a_household_of_one_holds_at_once(tmp_path: Path) -> None:
    ours = household("home")
    async with staged(tmp_path, ours, start=("home",), is_new=True) as stage:
        await eventually(lambda: stage.holder() == "home", 1.0)
        async with stage.seatings["home"].acting() as token:
            assert token == 1


async def test_who_held_last_goes_on_alone_on_its_own_things(tmp_path: Path) -> None:
    async with staged(tmp_path, household(*DEVICES)) as stage:
        home = stage.seatings["home"]
        await eventually(lambda: stage.holder() == "home")
        held = home.holding()
        for device in ("phone", "car"):
            await stage.end(device)
        await eventually(lambda: home.row(ENGINE).standing is Standing.ALONE)
        alone = home.holding()
        assert held is not None
        assert alone is not None
        assert alone.token == held.token
        async with home.acting(on="home") as token:
            home.fence.admit(ENGINE, token, "home")
        with pytest.raises(RefusedError, match="1 of 3 devices in reach"):
            async with home.acting():
                pass
        await stage.start("car")
        await eventually(lambda: stage.holder() == "home")


@pytest.mark.parametrize("may", [(), ("phone",)])
async def test_a_standby_acts_alone_only_if_it_is_named(
    tmp_path: Path, may: tuple[str, ...]
) -> None:
    plan = Plan(ENGINE, may_take_over_alone=may)
    ours = household("home", "phone")
    async with staged(tmp_path, ours, plan, start=("home", "phone")) as stage:
        await eventually(lambda: stage.holder() == "home")
        await stage.kill("home")
        phone = stage.seatings["phone"]
        if not may:
            await asyncio.sleep(6)
            assert phone.row(ENGINE).standing is Standing.WAITING
            assert "no majority" in phone.row(ENGINE).why
            return
        await eventually(lambda: phone.row(ENGINE).standing is Standing.ALONE)
        async with phone.acting(on="phone") as token:
            phone.fence.admit(ENGINE, token, "phone")
        await stage.start("home")
        await eventually(lambda: stage.holder() == "home")
        with pytest.raises(RefusedError):
            phone.fence.admit(ENGINE, token, "phone")


async def test_what_is_done_for_a_seat_ends_when_it_is_lost(tmp_path: Path) -> None:
    async with staged(tmp_path, household(*DEVICES)) as stage:
        home = stage.seatings["home"]
        await eventually(lambda: stage.holder() == "home")

        async def act() -> None:
            async with home.acting():
                for device in ("phone", "car"):
                    await stage.end(device)
                await asyncio.sleep(60)

        with pytest.raises(RefusedError, match="lost the seat"):
            await asyncio.wait_for(act(), 8)


async def test_a_time_limit_of_ones_own_stays_ones_own(tmp_path: Path) -> None:
    async with staged(tmp_path, household("home"), start=("home",)) as stage:
        await eventually(lambda: stage.holder() == "home")

        async def act() -> None:
            async with stage.seatings["home"].acting(), asyncio.timeout(0.01):
                await asyncio.sleep(60)

        with pytest.raises(TimeoutError):
            await act()


async def test_a_seat_is_not_handed_over_while_something_is_done_for_it(
    tmp_path: Path,
) -> None:
    async with staged(tmp_path, household(*DEVICES)) as stage:
        home = stage.seatings["home"]
        await eventually(lambda: stage.holder() == "home")
        async with home.acting():
            assert home.give_away(ENGINE) == "phone"
            await asyncio.sleep(1.0)
            assert stage.holder() == "home"
            with pytest.raises(RefusedError):
                async with home.acting():
                    pass
        await eventually(lambda: stage.holder() == "phone")
        await asyncio.sleep(3.5)
        assert stage.holder() == "phone", "who gave it away does not claim it back"


async def test_a_wall_clock_that_jumps_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with staged(tmp_path, household(*DEVICES)) as stage:
        seen: list[Row] = []
        await eventually(lambda: stage.holder() == "home")
        stage.seatings["home"].on_change(seen.append)
        for jump_s in (86_400.0, -86_400.0, 1e9):
            monkeypatch.setattr(time, "time", lambda jump_s=jump_s: 1.8e9 + jump_s)
            await asyncio.sleep(0.7)
        assert stage.holder() == "home"
        assert {row.holder for row in seen} <= {"home", ""}


async def test_changes_are_told(tmp_path: Path) -> None:
    async with staged(tmp_path, household("home"), start=()) as stage:
        home = await stage.start("home")
        seen: list[Row] = []
        home.on_change(seen.append)
        await eventually(lambda: stage.holder() == "home")
        await asyncio.sleep(0.05)
        assert seen[-1].standing is Standing.HOLDING
        assert (seen[-1].holder, seen[-1].token) == ("home", 1)
        await stage.end("home")
        assert seen[-1].standing is not Standing.HOLDING


async def test_a_damaged_book_is_not_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "home.json").write_bytes(b'{"seats": {"engine": {"token": 0}}}')
    fabric = MemoryFabric("ours")
    async with fabric.open_session("home") as link:
        with pytest.raises(SetupError, match="damaged"):
            Seating(link, lambda: household("home"), tmp_path / "home.json")


async def test_a_disk_that_fails_means_no_promise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with staged(tmp_path, household("home", "phone"), start=("home",)) as stage:
        home = stage.seatings["home"]

        def full(*_: object) -> None:
            raise SetupError("no space left")

        monkeypatch.setattr("trivet.fabric.seat.book.disk.replace", full)
        async with stage.fabric.open_session("phone") as phone:
            bid = Bid(ENGINE, 9, 1, 1, Roll(0, ("home", "phone")))
            with pytest.raises(RefusedError, match="no space"):
                await phone.ask("home", "seat", pack(bid))
        record = home.fence  # nothing was promised: the home's own token stands
        record.admit(ENGINE, 1, "home")


# --- attacks --------------------------------------------------------------------------


async def say(link: Link, to: str, bid: Bid) -> Denial | None:
    answer = unpack(await link.ask(to, "seat", pack(bid)))
    return answer if isinstance(answer, Denial) else None


async def test_attack_a_guest_seeks_a_seat_and_a_guest_votes(tmp_path: Path) -> None:
    ours = household("home", "phone", guests=("visitor",))
    async with staged(tmp_path, ours, start=("home",)) as stage:
        home = stage.seatings["home"]
        asked: list[str] = []

        async def vote(asker: str, message: Message | None) -> Message:
            asked.append(asker)
            raise AssertionError

        async with stage.fabric.open_session("visitor") as visitor:
            visitor.answer("seat", vote)
            bid = Bid(ENGINE, 1, 1, 1, Roll(0, ("home", "visitor")))
            with pytest.raises(RefusedError, match="no vote"):
                await say(visitor, "home", bid)
            await asyncio.sleep(1.5)
        # with the guest's vote it would have two of two
        assert home.row(ENGINE).standing is Standing.WAITING
        assert not asked


async def test_attack_a_guest_is_stopped_by_the_policy_too(tmp_path: Path) -> None:
    ours = household("home", "phone", guests=("visitor",))
    made = Device("home", DeviceKind.HOME)
    ledger = Ledger(":memory:", "home")
    trust = Trust(made, ours, ledger)
    stage = Stage(tmp_path, ours)
    try:
        await stage.start("home", trust.gate)
        async with stage.fabric.open_session("visitor") as visitor:
            with pytest.raises(RefusedError, match="may not ask home to seat"):
                await visitor.ask("home", "seat", Document("seat"))
    finally:
        await stage.close()
        ledger.close()


async def test_attack_a_member_acts_for_a_seat_that_nobody_promised_it(
    tmp_path: Path,
) -> None:
    """And the true holder is not shut out by it."""
    async with staged(tmp_path, household(*DEVICES), start=("home", "phone")) as stage:
        home, phone = stage.seatings["home"], stage.seatings["phone"]
        await eventually(lambda: stage.holder() == "home")
        hold = home.holding()
        assert hold
        await eventually(lambda: phone.row(ENGINE).holder == "home")
        for token in (0, hold.token, hold.token + 1, 1 << 53):
            with pytest.raises(RefusedError, match="acts for the seat"):
                phone.fence.admit(ENGINE, token, "car")
        phone.fence.admit(ENGINE, hold.token, "home")
        async with stage.fabric.open_session("car") as car:
            roll = Roll(0, tuple(sorted(DEVICES)))
            denial = await say(car, "phone", Bid(ENGINE, 99, 1, 1, roll))
            assert denial is not None
            assert (denial.why, denial.holder) == (Why.HELD, "home")


async def test_attack_words_that_are_none(tmp_path: Path) -> None:
    async with staged(tmp_path, household(*DEVICES), start=("home",)) as stage:
        async with stage.fabric.open_session("phone") as phone:
            for message in (
                None,
                Ack(True),
                Document("engine", b""),
                Document("seat", b"\x91\xc0"),
                Document("seat", msgspec.msgpack.encode(["bid", "engine"])),
                Document("seat", msgspec.msgpack.encode(["claim", "engine", 1])),
                pack(Denial(ENGINE, 1, 1, Why.OLD)),
            ):
                with pytest.raises(PeerError):
                    await phone.ask("home", "seat", message)
        with pytest.raises(WireError):
            unpack(Document("seat", b"\xc1"))


# --- what its owner says --------------------------------------------------------------


class _Answered(msgspec.Struct):
    answer: msgspec.Raw = msgspec.Raw()
    error: str = ""


async def said_to(control: Control, word: msgspec.Struct, answer: type[T]) -> T:
    said = await control.answer(msgspec.json.encode(word) + b"\n")
    read = msgspec.json.decode(said, type=_Answered)
    if read.error:
        raise UsageError(read.error)
    return msgspec.json.decode(read.answer, type=answer)


async def test_the_owner_sees_the_seats_and_gives_one_away(tmp_path: Path) -> None:
    async with staged(
        tmp_path, household("home", "phone"), start=("home", "phone")
    ) as stage:
        await eventually(lambda: stage.holder() == "home")
        control = Control()
        take_seat_words(control, stage.seatings["home"])
        said = await said_to(control, Seats(), Seated)
        assert said.device == "home"
        assert [(row.seat, row.holder) for row in said.seats] == [(ENGINE, "home")]
        given = await said_to(control, Yield(ENGINE), Yielded)
        assert given.heir == "phone"
        await eventually(lambda: stage.holder() == "phone")
        with pytest.raises(UsageError, match="does not hold"):
            await said_to(control, Yield(ENGINE), Yielded)


async def test_the_command_line_shows_and_gives_away(tmp_path: Path) -> None:
    ours = household("home", "phone")
    async with staged(tmp_path, ours, start=("home", "phone")) as stage:
        await eventually(lambda: stage.holder() == "home")
        control = Control()
        take_seat_words(control, stage.seatings["home"])
        async with open_control(tmp_path / "control-home.sock", control):

            async def run(*words: str) -> str:
                ours = ("--household", str(tmp_path))
                done = await asyncio.to_thread(
                    CliRunner().invoke, seat_app, [*words, *ours]
                )
                assert done.exit_code == 0, done.output
                return done.output

            shown = msgspec.json.decode(await run("show", "--json"), type=Seated)
            assert shown.seats[0].holder == "home"
            assert "phone takes engine" in await run("yield", ENGINE)
            await eventually(lambda: stage.holder() == "phone")
            assert "phone has" in await run("show")

"""Two devices speak about tasks over a link, and one of them is hostile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from tests.fabric.offload import work
from tests.fabric.offload.work import Mark

from trivet.domain import RefusedError, SetupError, WireError
from trivet.domain.wire import Ack, Document, Message
from trivet.fabric import Link, MemoryFabric
from trivet.fabric.offload import TASK, AnyTask
from trivet.fabric.offload.docket import MAX_WAITING
from trivet.fabric.offload.errand import Errands, Finished, NotBegunError
from trivet.fabric.offload.estimate import Estimates
from trivet.fabric.offload.exchange import Exchange
from trivet.fabric.offload.journal import Journal
from trivet.fabric.offload.message import (
    PART_BYTES,
    Cancel,
    Condition,
    Failure,
    Flaw,
    Full,
    Look,
    More,
    Offer,
    Part,
    Result,
    Stage,
    Status,
    Submit,
    Taken,
    Word,
    pack,
    unpack,
)
from trivet.fabric.offload.pool import BrokenError, Pool
from trivet.fabric.offload.registry import Registry
from trivet.fabric.offload.worker import Worker

RUN = "0123456789abcdef0123456789abcdef"
OTHER = "f" * 32
HERE = Condition(benchmark_s=0.02, free_mb=4000)
TASKS = (work.add, work.echo, work.nap, work.mark, work.once)


class Hall:
    """A worker, `phone`; an honest asker, `car`; and a link of a hostile one, `spy`."""

    def __init__(self, phone: Worker, car: Errands, links: dict[str, Link]) -> None:
        self.phone = phone
        self.car = car
        self.links = links

    async def say(self, sender: str, to: str, word: Word) -> Word:
        return unpack(await self.links[sender].ask(to, TASK, pack(word)))

    async def run(self, task: AnyTask, data: bytes, run: str = RUN) -> Finished:
        async with asyncio.timeout(30):
            return await self.car.run("phone", run, task, data, nothing, nothing)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Hall]:
    async with AsyncExitStack() as stack:
        fabric, links = MemoryFabric("ours"), {}
        for name in ("phone", "car", "spy"):
            opened = fabric.open_session(name)
            links[name] = await stack.enter_async_context(opened)
        pool = await stack.enter_async_context(Pool(1, TASKS))
        journal = Journal(tmp_path / "journal.db")
        stack.callback(journal.close)
        workers = [
            Worker(
                links[name],
                Registry(TASKS),
                pool if name == "phone" else Pool(0),
                journal,
                Estimates(),
                lambda: HERE,
            )
            for name in ("phone", "car")
        ]
        errands = Errands(links["car"])
        Exchange(links["phone"], workers[0], Errands(links["phone"]))
        Exchange(links["car"], workers[1], errands)
        living = asyncio.ensure_future(workers[0].run())
        yield Hall(workers[0], errands, links)
        living.cancel()
        await asyncio.gather(living, return_exceptions=True)


def submit(
    task: AnyTask, data: bytes, run: str = RUN, size: int | None = None
) -> Submit:
    return Submit(
        run, task.name, task.digest, len(data) if size is None else size, data
    )


def nothing() -> None:
    """What a run's caller does about it in these tests."""


def lines(path: Path) -> int:
    return len(path.read_text().splitlines()) if path.exists() else 0


async def settle(is_true: Callable[[], bool]) -> None:
    for _ in range(1000):
        if is_true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came true")


async def test_what_is_offered_is_told(stage: Hall) -> None:
    await stage.run(work.add, work.add.encode_input(1))
    offer = await stage.say("car", "phone", Look())
    assert isinstance(offer, Offer)
    assert {each.name for each in offer.tasks} == {each.name for each in TASKS}
    known = {each.name: each.runs for each in offer.tasks}
    assert (known["add"], known["nap"]) == (1, 0)
    assert (offer.slots, offer.condition) == (1, HERE)


async def test_a_device_without_processes_offers_nothing(stage: Hall) -> None:
    offer = await stage.say("phone", "car", Look())
    assert isinstance(offer, Offer)
    assert (offer.tasks, offer.slots) == ((), 0)
    with pytest.raises(RefusedError, match="does not offer add"):
        await stage.say("phone", "car", submit(work.add, b"\x01"))


async def test_a_full_device_says_so(stage: Hall) -> None:
    napping = work.nap.encode_input(20.0)
    await stage.say("spy", "phone", submit(work.nap, napping, f"{0:032x}"))
    for number in range(1, MAX_WAITING):
        word = submit(work.nap, napping, f"{number:032x}")
        await stage.say("spy", "phone", word)
    answer = await stage.say("spy", "phone", submit(work.nap, napping, OTHER))
    assert isinstance(answer, Full)
    for number in range(MAX_WAITING):
        await stage.say("spy", "phone", Cancel(f"{number:032x}"))
    assert (await stage.run(work.add, work.add.encode_input(1))).data == b"\x02"


async def test_input_that_does_not_decode_is_told_to_its_sender(stage: Hall) -> None:
    with pytest.raises(BrokenError, match="what was sent as input of add is none"):
        await stage.run(work.add, b"\xa1x")


async def test_attack_a_result_for_a_run_that_was_never_asked_for(
    stage: Hall,
) -> None:
    for word in (
        Result(RUN, 1, b"\x02"),
        More(RUN, 1, b"\x02"),
        Failure(RUN, Flaw.DIED, "x"),
    ):
        with pytest.raises(RefusedError, match="is awaited of spy"):
            await stage.say("spy", "car", word)


async def test_attack_a_result_in_the_name_of_the_worker(stage: Hall) -> None:
    """The spy knows the run's id, and is quicker than the phone."""
    napping = work.nap.encode_input(0.5)
    running = asyncio.ensure_future(stage.run(work.nap, napping))
    await asyncio.sleep(0.2)
    for word in (Result(RUN, 1, b"\x09"), Failure(RUN, Flaw.RAISED, "no")):
        with pytest.raises(RefusedError, match="is awaited of spy"):
            await stage.say("spy", "car", word)
    assert (await running).data == napping


async def test_attack_anothers_run_is_neither_seen_nor_ended(
    stage: Hall, tmp_path: Path
) -> None:
    file = tmp_path / "marks"
    data = work.mark.encode_input(Mark(str(file), 0.5))
    running = asyncio.ensure_future(stage.run(work.mark, data))
    await settle(lambda: lines(file) == 1)
    for word in (Status(RUN), Cancel(RUN)):
        answer = await stage.say("spy", "phone", word)
        assert isinstance(answer, Taken)
        assert answer.stage is Stage.BARRED
    with pytest.raises(RefusedError, match="spy has no run"):
        await stage.say("spy", "phone", Part(OTHER, 1, b"x"))
    assert (await running).data


async def test_attack_a_request_again_and_again_runs_once(
    stage: Hall, tmp_path: Path
) -> None:
    file = tmp_path / "marks"
    data = work.once.encode_input(Mark(str(file)))
    word = submit(work.once, data)
    await asyncio.gather(*(stage.say("spy", "phone", word) for _ in range(20)))
    await settle(lambda: lines(file) == 1)
    # its memory of the run is gone, as after a restart
    for _ in range(3):
        job = stage.phone.docket.find("spy", RUN)
        if job is not None and job.stage is Stage.ENDED:
            stage.phone.docket.forget(job)
        await stage.say("spy", "phone", word)
        await asyncio.sleep(0.2)
    assert lines(file) == 1


async def test_attack_a_replayed_request_of_an_earlier_life_gets_its_result(
    stage: Hall, tmp_path: Path
) -> None:
    file = tmp_path / "marks"
    data = work.once.encode_input(Mark(str(file)))
    first = await stage.run(work.once, data)
    await asyncio.sleep(0.2)
    job = stage.phone.docket.find("car", RUN)
    assert job is not None
    stage.phone.docket.forget(job)
    assert (await stage.run(work.once, data)).data == first.data
    assert lines(file) == 1


async def test_attack_a_barred_run_never_begins(stage: Hall, tmp_path: Path) -> None:
    """The word that was late on its way comes after the asker had given it up."""
    file = tmp_path / "marks"
    word = submit(work.once, work.once.encode_input(Mark(str(file))))
    answer = await stage.say("spy", "phone", Status(RUN))
    assert answer == Taken(Stage.BARRED)
    job = stage.phone.docket.find("spy", RUN)
    assert job is not None
    stage.phone.docket.forget(job)  # as after a restart
    assert await stage.say("spy", "phone", word) == Taken(Stage.BARRED)
    await asyncio.sleep(0.3)
    assert lines(file) == 0


async def test_attack_parts_that_are_not_due(stage: Hall) -> None:
    head = bytes(PART_BYTES)
    await stage.say("spy", "phone", submit(work.echo, head, size=PART_BYTES + 2))
    for index, data in ((2, b"ab"), (1, b"abc"), (1, bytes(PART_BYTES)), (0, b"")):
        with pytest.raises(RefusedError, match="part"):
            await stage.say("spy", "phone", Part(RUN, index, data))
    answer = await stage.say("spy", "phone", Status(RUN))
    assert isinstance(answer, Taken)
    assert (answer.stage, answer.parts) == (Stage.RECEIVING, 1)


async def test_attack_output_that_is_more_than_announced(stage: Hall) -> None:
    """The worker itself is hostile: what it sends is bounded all the same."""

    async def worker(asker: str, message: Message | None) -> Message:
        return pack(Taken(Stage.QUEUED, parts=1))

    stage.links["spy"].answer(TASK, worker)
    running = asyncio.ensure_future(
        stage.car.run("spy", RUN, work.echo, b"\xc4\x00", nothing, nothing)
    )
    await asyncio.sleep(0.1)
    head = bytes(PART_BYTES)
    with pytest.raises(RefusedError, match="before its first"):
        await stage.say("spy", "car", More(RUN, 1, b"x"))
    with pytest.raises(RefusedError, match="bytes"):
        await stage.say("spy", "car", Result(RUN, 5, head))
    await stage.say("spy", "car", Result(RUN, PART_BYTES + 1, head))
    for index, data in ((1, b"ab"), (2, b"a"), (1, head)):
        with pytest.raises(RefusedError, match="part"):
            await stage.say("spy", "car", More(RUN, index, data))
    await stage.say("spy", "car", More(RUN, 1, b"x"))
    assert len((await running).data) == PART_BYTES + 1
    with pytest.raises(RefusedError, match="is awaited of spy"):
        await stage.say("spy", "car", More(RUN, 2, b"x"))


async def test_attack_words_at_the_wrong_time(stage: Hall) -> None:
    for word in (Taken(Stage.ENDED), Full(1.0), Offer((), HERE, 1, 0.0)):
        with pytest.raises(RefusedError, match="spy asked with a"):
            await stage.say("spy", "phone", word)
    for message in (None, Ack(True), Document("task.submit", b"\x80")):
        with pytest.raises(RefusedError):
            await stage.links["spy"].ask("phone", TASK, message)


async def test_attack_a_device_that_answers_nonsense_is_told_of(stage: Hall) -> None:
    async def nonsense(asker: str, message: Message | None) -> Message:
        return pack(Look())

    stage.links["spy"].answer(TASK, nonsense)
    with pytest.raises(WireError, match="spy answered a look"):
        await stage.car.look("spy")
    with pytest.raises(NotBegunError, match="spy answered a look"):
        await stage.car.run("spy", RUN, work.add, b"\x01", nothing, nothing)


async def test_a_device_that_is_not_there_begins_nothing(stage: Hall) -> None:
    with pytest.raises(NotBegunError, match="home is not there"):
        await stage.car.run("home", RUN, work.add, b"\x01", nothing, nothing)


async def test_a_run_that_could_not_be_written_down_did_not_begin(
    stage: Hall, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(self: Journal, asker: str, run: str) -> bool:
        raise SetupError("the disk is full")

    monkeypatch.setattr(Journal, "begin", fail)
    path = tmp_path / "marks"
    with pytest.raises(NotBegunError, match="the disk is full"):
        await stage.run(work.once, work.once.encode_input(Mark(str(path))))
    assert not path.exists()

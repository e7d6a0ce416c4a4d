"""The past, learned by a fork: as good as lived, and never waited for in vain."""

from __future__ import annotations

import multiprocessing
import os
import time

import pytest
from tests.app.allies import trusted

from trivet.app.past import Past
from trivet.app.simulation import (
    DAY_S,
    first_day,
    learn_past,
    make_young_hub,
    recall,
)
from trivet.devices.world import World
from trivet.domain import DeviceKind, SetupError
from trivet.engine import Anticipator
from trivet.fabric.memory import MemoryFabric

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


async def test_a_past_recalled_is_the_same_as_one_that_was_lived() -> None:
    world = World(seed=7)
    start = world.start_time + 9 * DAY_S
    home = trusted(MemoryFabric("home"), world, DeviceKind.HOME, start)
    async with home as (link, trust):
        hub = make_young_hub(world, link, trust, start)
        assert not hub.mind.anticipator.places
        recall(hub, world, learn_past(world, start), start)
    whole = Anticipator("ada", "phone", lambda lat, lon: world.zone)
    for sample in world.history(world.start_time, start):
        whole.learn_one(sample)
    assert whole.stays  # asking brings the stay that lasts up to date
    assert hub.mind.anticipator.snapshot() == whole.snapshot()
    assert hub.mind.place(start) is not None
    samples = world.adapter(DeviceKind.HOME, world.start_time).samples(start)
    lived = [s for s in samples if hub.mind.foresight.routine.learn_one(s)]
    assert not lived  # each event at home is known already
    assert hub.mind.outlook(start).next
    assert [line.kind for line in hub.timeline()] == ["home"]


async def test_what_a_fork_learns_arrives() -> None:
    past = Past(lambda: b"x" * 1_000_000)
    try:
        assert len(await past.take()) == 1_000_000
    finally:
        past.close()


async def test_a_fork_that_fails_is_told_not_waited_for() -> None:
    past = Past(lambda: first_day(None).to_bytes())  # type: ignore[arg-type, attr-defined]
    try:
        with pytest.raises(SetupError, match="ended without an answer"):
            await past.take()
    finally:
        past.close()


def test_closing_does_not_wait_for_the_fork() -> None:
    past = Past(lambda: time.sleep(60) or b"")  # type: ignore[func-returns-value]
    begun = time.monotonic()
    past.close()
    assert time.monotonic() - begun < 30.0


def test_a_fork_that_nobody_waits_for_ends() -> None:
    """As when the one who waited was killed."""
    fork = multiprocessing.get_context("fork")
    waiting, ours = fork.Pipe(duplex=False)

    def wait_in_vain() -> None:
        Past(lambda: time.sleep(60) or b"")  # type: ignore[func-returns-value]
        os._exit(0)

    with ours:
        middle = fork.Process(target=wait_in_vain)
        middle.start()
        middle.join()
    with waiting:  # open until the last process that inherited its other end is gone
        assert waiting.poll(20.0)
        with pytest.raises(EOFError):
            waiting.recv()

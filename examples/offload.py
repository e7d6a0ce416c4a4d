"""A car has a phone do a heavy task; the phone dies in its midst, the answer comes.

    python examples/offload.py

Two processes, each with an identity of its own, on Zenoh with mutual TLS.
"""

import asyncio
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from time import monotonic

from trivet import fabric
from trivet.app.keeper import household_of
from trivet.app.offloading import Offloader, open_offloader
from trivet.app.trust import Trust
from trivet.domain import Device, DeviceKind
from trivet.fabric.charter import own_charter
from trivet.fabric.ledger import Ledger
from trivet.fabric.lobby_link import with_port
from trivet.fabric.offload.message import Condition
from trivet.fabric.offload.task import Cost, task

BELOW, DEADLINE_S = 600_000, 30.0
#: What a fixed calculation takes on each, in seconds: the car's processor is slow.
BENCHMARK_S = {"car": 0.2, "phone": 0.02}


@task(name="primes", cost=Cost.HEAVY)
def count_primes(below: int) -> int:
    """How many primes there are below a number, the slow way."""
    odd = range(3, below, 2)
    return 1 + sum(all(n % d for d in range(3, int(n**0.5) + 1, 2)) for n in odd)


async def live(
    stack: AsyncExitStack, folder: Path, device: str, address: str
) -> tuple[fabric.Link, Offloader]:
    """Open a device's session, and offer the task."""
    agreed = household_of(own_charter(folder))
    made = Device(device, DeviceKind(device))
    trust = Trust(made, agreed, Ledger(folder / f"{device}.db", device), 0.0)
    stack.callback(trust.close)
    mine = fabric.load_identity(fabric.load_household(folder), device)
    ends = ((address,), ()) if device == "car" else (("127.0.0.1:0",), (address,))
    config = fabric.SessionConfig(mine, *ends, members=tuple(agreed.members))
    link = await stack.enter_async_context(fabric.open_session(config, gate=trust.gate))
    here = Condition(BENCHMARK_S[device], free_mb=2000)
    tasks = open_offloader(link, trust, tasks=(count_primes,), condition=lambda: here)
    return link, await stack.enter_async_context(tasks)


async def be_phone(folder: Path, address: str) -> None:
    """Work for others until the end."""
    async with AsyncExitStack() as stack:
        await live(stack, folder, "phone", address)
        await asyncio.Event().wait()


async def be_car(folder: Path, address: str) -> None:
    """Ask for the task, kill the phone, and tell what comes of it."""
    command = [sys.executable, __file__, "phone", str(folder), address]
    async with AsyncExitStack() as stack:
        phone = await asyncio.create_subprocess_exec(*command)
        link, household = await live(stack, folder, "car", address)
        await link.reach("phone", 30)
        print(f"car asks for the primes below {BELOW}, within {DEADLINE_S:g} s")
        began = monotonic()
        run = household.run(count_primes, BELOW, deadline_s=DEADLINE_S)
        running = asyncio.create_task(run)
        for _ in range(500):  # until somebody has it
            await asyncio.sleep(0.02)
            if household.under_way[0].devices:
                break
        await asyncio.sleep(0.2)
        print(f"{household.under_way[0].devices[0]} works on it")
        phone.kill()
        await phone.wait()
        print(f"phone is killed after {monotonic() - began:.1f} s")
        print(f"there are {await running}, says {household.past[-1].winner}")
        in_time = household.past[-1].seconds < DEADLINE_S
        print(f"in time: {in_time}; tried: {', '.join(household.past[-1].devices)}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["phone"]:
        asyncio.run(be_phone(Path(sys.argv[2]), sys.argv[3]))
    else:
        with tempfile.TemporaryDirectory("-trivet") as name:
            household = fabric.create_household(Path(name), "meadow")
            for kind in (DeviceKind.CAR, DeviceKind.PHONE):
                fabric.issue(household, kind.value, kind)
            asyncio.run(be_car(Path(name), with_port("127.0.0.1:0")))

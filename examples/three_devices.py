"""Three devices share signals: the fabric in one process, without a network.

    python examples/three_devices.py

`trivet.fabric.open_session` puts the same code on Zenoh, with mutual TLS.
"""

import asyncio
from contextlib import AsyncExitStack

from trivet.domain import Position, Sample
from trivet.domain.wire import Ack, Command, Message
from trivet.fabric import Link, MemoryFabric

SPEED = Sample("car", "Vehicle.Speed", 1_772_000_000.0, 47.5)
WHERE = Sample("phone", "location", 1_772_000_000.0, Position(52.6, 8.0))


async def listen(home: Link, count: int) -> None:
    """Print what is given to the home."""
    async for received in home.subscribe():
        sample = received.message
        if isinstance(sample, Sample):
            print(f"home got {received.path} of {received.owner}: {sample.value}")
            count -= 1
        if not count:
            return


async def obey(asker: str, message: Message | None) -> Message:
    """What the car does when it is asked for something."""
    if not isinstance(message, Command):
        return Ack(False, "a command is wanted")
    print(f"car was asked by {asker}: {message.path} = {message.value}")
    return Ack(True)


async def main() -> None:
    """Phone and car tell the home; the home asks the car; the phone goes away."""
    fabric = MemoryFabric("meadow")
    async with AsyncExitStack() as stack:
        home = await stack.enter_async_context(fabric.open_session("home"))
        car = await stack.enter_async_context(fabric.open_session("car"))
        car.answer("command", obey)
        listening = asyncio.create_task(listen(home, count=2))
        async with fabric.open_session("phone") as phone:
            await phone.publish("home", WHERE, WHERE.path)
            await car.publish("home", SPEED, SPEED.path)
            await listening
            print(f"with the home: {', '.join(sorted(home.alive))}")
        warm = Command("Vehicle.Cabin.HVAC.IsAirConditioningActive", True, SPEED.time)
        print(f"car said: {await home.ask('car', 'command', warm)}")
        print(f"with the home: {', '.join(sorted(home.alive))}")


if __name__ == "__main__":
    asyncio.run(main())

from __future__ import annotations

import pytest
from tests.fabric.seat.world import World


@pytest.mark.parametrize("seed", range(20))
def test_first(seed: int) -> None:
    world = World(seed)
    t = world.until(lambda: world.holder == "home", 5)
    t2 = world.run_for(5)
    assert world.holder == "home"
    world.nodes["home"].crash()
    print(t, world.until(lambda: world.holder == "phone", 5))
    world.run_for(3)
    world.nodes["home"].start()
    print(world.until(lambda: world.holder == "home", 6), world.held)

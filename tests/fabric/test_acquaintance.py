"""Those met through a third are looked after, whatever happens meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from trivet.domain import DeviceKind
from trivet.fabric import acquaintance
from trivet.fabric.acquaintance import Acquaintances
from trivet.fabric.cable import Cable, End
from trivet.fabric.config import SessionConfig
from trivet.fabric.household import create_household
from trivet.fabric.identity import issue, load_identity
from trivet.fabric.probe import Finding, Verdict

HOME = End("10.0.0.1", 7447)
CAR, PHONE = End("10.0.0.2", 7447), End("10.0.0.3", 7447)


async def test_one_that_comes_back_by_itself_meanwhile_does_not_end_the_looking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = create_household(tmp_path / "ours", "ours")
    issue(made, "home", DeviceKind.OTHER)
    config = SessionConfig(load_identity(made, "home"), listen=("10.0.0.1:7447",))
    met_anew, asked = 0, []

    async def meet_anew() -> None:
        nonlocal met_anew
        met_anew += 1

    async def find(address: str, *_: object, **__: object) -> Finding:
        asked.append(address)
        # the phone dials us, while we ask after the car
        at.note("phone", Cable(HOME, End("10.0.0.3", 50_000)))
        return Finding(address, Verdict.TRUSTED, "")

    at = Acquaintances(lambda: config, lambda _: False, meet_anew)
    monkeypatch.setattr(acquaintance, "probe", find)
    at.note("car", Cable(End("10.0.0.1", 40_000), CAR))
    at.note("phone", Cable(End("10.0.0.1", 40_001), PHONE))
    for _ in range(2):
        await at._look()
    assert met_anew == 2
    assert asked[0] == "10.0.0.2:7447"
    assert asked.count("10.0.0.3:7447") <= 1

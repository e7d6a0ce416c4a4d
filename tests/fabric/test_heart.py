"""What a heart does about a device that is lost."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from trivet.fabric import heart as heart_module
from trivet.fabric.cable import Cable, End
from trivet.fabric.heart import Heart

#: Of addresses that no host has: there is no such connection to cut.
CABLE = Cable(End(str(ip_address("192.0.2.1")), 7447), End("192.0.2.2", 40_000))


@pytest.mark.parametrize(("linked", "is_uncut"), [("car", True), ("router", False)])
def test_links_are_made_anew_for_who_has_a_link_and_not_for_who_is_behind_a_router(
    monkeypatch: pytest.MonkeyPatch, linked: str, is_uncut: bool
) -> None:
    now = [100.0]
    monkeypatch.setattr(heart_module, "monotonic", lambda: now[0])
    lost: list[tuple[str, bool]] = []
    heart = Heart(
        lambda *_: None, lambda: [(linked, CABLE)], lambda *told: lost.append(told)
    )
    heart._is_beating = True  # without its thread
    heart.token("car", True)
    for _ in range(20):
        now[0] += 0.1
        heart._beat()
    assert lost == [("car", is_uncut)]

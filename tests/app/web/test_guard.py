"""Laws of the guard: another web site can neither read nor drive the page."""

from __future__ import annotations

import pytest

from trivet.app.web.guard import allows, is_private

HOST = "127.0.0.1:8321"


def test_the_page_itself_is_served() -> None:
    assert allows(HOST, f"http://{HOST}", is_loopback=True)
    assert allows("localhost:8321", "", is_loopback=True)
    assert allows("[::1]:8321", "http://[::1]:8321", is_loopback=True)


@pytest.mark.parametrize("host", ["evil.example:8321", "192.168.1.5:8321", "", "a b"])
def test_loopback_answers_to_its_own_names_only(host: str) -> None:
    assert not allows(host, "", is_loopback=True)


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:9", "http://[bad"]
)
def test_a_socket_from_another_origin_is_refused(origin: str) -> None:
    assert not allows(HOST, origin, is_loopback=True)
    assert not allows("kitchen.local:8321", origin, is_loopback=False)


def test_at_home_names_of_the_home_are_served() -> None:
    for host in ("192.168.1.5:8321", "kitchen.local", "kitchen", "[fd00::1]:8321"):
        assert allows(host, f"http://{host}", is_loopback=False), host
    # a public name that was made to lead here is not
    assert not allows(
        "evil.example:8321", "http://evil.example:8321", is_loopback=False
    )


def test_private_names() -> None:
    assert is_private("nas.home.arpa")
    assert not is_private("example.org")
    assert not is_private("local.evil.example")

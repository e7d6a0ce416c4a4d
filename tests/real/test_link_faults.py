"""What becomes of links when hosts, cables and networks fail; each host a namespace.

A home listens; a phone and a car dial it. The phone can also come over a hotspot: a
network of its own, from which the home is reached through a router.
"""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.real.hosts import Child, Host, Lan, eventually, ip, network

from trivet.domain import DeviceKind
from trivet.fabric import create_household, issue

pytestmark = pytest.mark.real

STREAMER = str(Path(__file__).with_name("streamer.py"))
#: A fault is found within 2 s and mended links stand soon after; here on any machine.
FOUND_S, BACK_S = 8.0, 15.0
#: A stream that nothing is wrong with never pauses for so long.
PAUSE_S = 1.5
HOTSPOT = "10.78.0."


class Street(NamedTuple):
    """Hosts and what runs on them."""

    lan: Lan
    children: dict[str, Child]
    say: Callable[[str], None]

    def host(self, name: str) -> Host:
        return self.lan.hosts[name]

    def since(self, name: str, began: float) -> list[tuple[float, str]]:
        """What a device said since then."""
        return [(t, x) for t, x in list(self.children[name].lines) if t >= began]

    def wait(self, name: str, line: str, began: float, limit_s: float) -> float:
        """Seconds from then until a device said so."""

        def found() -> float:
            said = self.since(name, began)
            return next((t for t, x in said if x.startswith(line)), 0.0)

        when: float = eventually(found, f"{name}: {line}", limit_s=limit_s)
        return when - began

    def both_gone(self, device: str, began: float) -> float:
        there = self.wait("home", f"gone {device}", began, FOUND_S)
        return max(there, self.wait(device, "gone home", began, FOUND_S))

    def back(self, device: str, began: float) -> float:
        """Seconds until streams go both ways again."""
        self.wait("home", f"there {device}", began, BACK_S)
        there = self.wait("home", f"got {device}", began, BACK_S)
        return max(there, self.wait(device, "got home", began, BACK_S))

    def pause(self, name: str, source: str, began: float) -> float:
        """Longest pause in a stream since then, in seconds."""
        said = self.since(name, began)
        times = [t for t, x in said if x.startswith(f"got {source}")]
        ends = zip([began, *times], [*times, time.monotonic()], strict=True)
        return max(later - sooner for sooner, later in ends)


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    folder = tmp_path_factory.mktemp("street")
    with ExitStack() as stack:
        try:
            lan = stack.enter_context(network(folder, "home", "phone", "car"))
            add_hotspot(lan)
            nft(lan.hosts["home"], "add table ip faults")
        except OSError as error:
            pytest.skip(f"hosts are network namespaces, which need root: {error}")
        household = create_household(folder / "ours", "ours")
        home = lan.hosts["home"]
        for name in lan.hosts:
            issue(household, name, DeviceKind.OTHER, hosts=(home.address,))
        children = {n: begin(lan, n, household.folder) for n in lan.hosts}
        street = Street(lan, children, print)
        for name in ("phone", "car"):
            street.back(name, 0.0)
        yield street


def begin(lan: Lan, name: str, folder: Path) -> Child:
    way = "listen" if name == "home" else "connect"
    words = (str(folder), name, way, lan.hosts["home"].listen)
    return lan.hosts[name].start_python(STREAMER, *words)


def add_hotspot(lan: Lan) -> None:
    """A second network, and a router between the two: the switch itself."""
    home, phone, at = lan.hosts["home"], lan.hosts["phone"], ("-n", lan.switch)
    ip(*at, "address", "add", "10.77.0.254/24", "dev", "bridge0")
    ip(*at, "link", "add", "hotspot", "type", "veth", "peer", "eth1",
       "netns", phone.space)  # fmt: skip
    ip(*at, "address", "add", f"{HOTSPOT}254/24", "dev", "hotspot")
    ip(*at, "link", "set", "hotspot", "up")
    run("ip", "netns", "exec", lan.switch, "sysctl", "-qw", "net.ipv4.ip_forward=1")
    ip("-n", home.space, "route", "add", f"{HOTSPOT}0/24", "via", "10.77.0.254")


def join_hotspot(phone: Host) -> None:
    at = ("-n", phone.space)
    ip(*at, "link", "set", "eth1", "up")
    ip(*at, "address", "replace", f"{HOTSPOT}9/24", "dev", "eth1")
    ip(*at, "route", "replace", "default", "via", f"{HOTSPOT}254")


def leave(phone: Host, device: str) -> None:
    ip("-n", phone.space, "address", "flush", "dev", device)
    ip("-n", phone.space, "link", "set", device, "down")


def join_wifi(phone: Host) -> None:
    at = ("-n", phone.space)
    ip(*at, "link", "set", "eth0", "up")
    ip(*at, "address", "replace", f"{phone.address}/24", "dev", "eth0")


def run(*words: str) -> None:
    done = subprocess.run(
        words, capture_output=True, text=True, timeout=30, check=False
    )
    if done.returncode:
        raise OSError(f"{' '.join(words)}: {done.stderr.strip()}")


def nft(host: Host, words: str) -> None:
    try:
        run("ip", "netns", "exec", host.space, "nft", words)
    except FileNotFoundError as error:
        raise OSError("nft is not installed (package nftables)") from error


@contextmanager
def dropping(host: Host, hook: str, rule: str) -> Iterator[None]:
    """Drop some of what comes to a host, or leaves it."""
    nft(host, f"add chain ip faults c {{ type filter hook {hook} priority 0; }}")
    nft(host, f"add rule ip faults c {rule} drop")
    try:
        yield
    finally:
        nft(host, "delete chain ip faults c")


def test_a_cable_is_cut_and_mended(street: Street) -> None:
    began = time.monotonic()
    street.host("phone").cut()
    gone_s = street.both_gone("phone", began)
    mended = time.monotonic()
    street.host("phone").mend()
    back_s = street.back("phone", mended)
    assert street.pause("car", "home", began) < PAUSE_S
    assert street.pause("home", "car", began) < PAUSE_S
    street.say(f"\ncable cut: gone {gone_s:.2f} s, back {back_s:.2f} s")


def test_a_phone_goes_from_wifi_to_a_hotspot_to_nothing_and_back(
    street: Street,
) -> None:
    phone, began = street.host("phone"), time.monotonic()
    leave(phone, "eth0")
    join_hotspot(phone)
    first_s = street.back("phone", began + 0.5)
    assert "gone phone" in {x for _, x in street.since("home", began)}
    gone = time.monotonic()
    leave(phone, "eth1")
    gone_s = street.both_gone("phone", gone)
    again = time.monotonic()
    join_wifi(phone)
    back_s = street.back("phone", again)
    assert street.pause("car", "home", began) < PAUSE_S
    street.say(
        f"\nwifi to hotspot: back {first_s + 0.5:.2f} s; to nothing: gone "
        f"{gone_s:.2f} s; to wifi: back {back_s:.2f} s"
    )


@pytest.mark.parametrize("hook", ["input", "output"])
def test_a_link_that_carries_one_way_alone_is_gone_on_both_sides(
    street: Street, hook: str
) -> None:
    home, phone, began = street.host("home"), street.host("phone"), time.monotonic()
    which = "saddr" if hook == "input" else "daddr"
    with dropping(home, hook, f"ip {which} {phone.address}"):
        gone_s = street.both_gone("phone", began)
        mended = time.monotonic()
    back_s = street.back("phone", mended)
    assert street.pause("car", "home", began) < PAUSE_S
    street.say(f"\none way ({hook}): gone {gone_s:.2f} s, back {back_s:.2f} s")


def test_over_a_network_that_loses_a_fifth_the_streams_go_on(street: Street) -> None:
    home, phone, began = street.host("home"), street.host("phone"), time.monotonic()
    rule = f"ip saddr {phone.address} numgen random mod 100 < 20"
    with dropping(home, "input", rule):
        time.sleep(8.0)
        said = street.since("home", began)
        came = sum(x.startswith("got phone") for _, x in said)
        times_gone = sum(x == "gone phone" for _, x in said)
        mended = time.monotonic()
    street.wait("home", "got phone", mended, BACK_S)
    street.wait("phone", "got home", mended, BACK_S)
    assert came > 100  # of 400
    assert street.pause("car", "home", began) < PAUSE_S
    street.say(f"\n20 % loss: {came} of 400 came, {times_gone} times gone")


def test_a_device_that_is_stopped_is_gone_and_back(street: Street) -> None:
    began = time.monotonic()
    street.children["car"].send(signal.SIGSTOP)
    gone_s = street.wait("home", "gone car", began, FOUND_S)
    resumed = time.monotonic()
    street.children["car"].send(signal.SIGCONT)
    back_s = street.back("car", resumed)
    assert street.pause("phone", "home", began) < PAUSE_S
    street.say(f"\nSIGSTOP: gone {gone_s:.2f} s, back {back_s:.2f} s")


def test_a_device_that_is_killed_is_gone_and_another_run_of_it_there(
    street: Street,
) -> None:
    began = time.monotonic()
    street.children["car"].send(signal.SIGKILL)
    gone_s = street.wait("home", "gone car", began, FOUND_S)
    again = time.monotonic()
    folder = street.lan.folder / "ours"
    street.children["car"] = begin(street.lan, "car", folder)
    back_s = street.back("car", again)
    assert street.pause("phone", "home", began) < PAUSE_S
    street.say(f"\nkill -9: gone {gone_s:.2f} s, another run there {back_s:.2f} s")


def test_after_all_of_it_nothing_more_is_lost(street: Street) -> None:
    for name in ("home", "phone", "car"):
        began = time.monotonic() + 1.5
        street.wait(name, "lost", began, 10.0)
    began = time.monotonic()
    time.sleep(3.0)
    for name in street.children:
        lost = [x for _, x in street.since(name, began) if x.startswith("lost")]
        assert len(set(lost)) == 1, (name, lost)

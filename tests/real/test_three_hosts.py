"""A household on three hosts, by its command line alone: what is shared, what refused.

Each host is a network namespace with a folder of its own. They meet as machines on a
home's network do: by multicast, or by address.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.real.hosts import Child, Done, Host, Lan, eventually, network

from trivet.app.account import known
from trivet.domain import RefusedError, RevokedError
from trivet.fabric.event import Event, EventKind
from trivet.fabric.ledger_chain import Entry
from trivet.fabric.pairing_code import make_code

pytestmark = pytest.mark.real

END, REFUSAL = EventKind.END, EventKind.REFUSAL
ASKER = str(Path(__file__).with_name("asker.py"))
#: An hour each second, for as long as the tests may take; event seconds of a while.
LIVE = ("--speed", "3600", "--days", "30")
WHILE_S = 7200.0
NOSY = """
@id("car-is-nosy") @why("The car is nosy.")
forbid (principal, action == Action::"receive", resource)
when { principal.kind == "car" && resource.owner_kind == "phone" };
"""
#: `trivet`, but a code lives for one second.
HASTY = (
    "from trivet.fabric import pairing; pairing.CODE_S = 1.0; "
    "from trivet.app.cli.main import run; run()"
)


@pytest.fixture(scope="module")
def lan(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lan]:
    folder = tmp_path_factory.mktemp("hosts")
    with ExitStack() as stack:
        try:
            made = network(folder, "home", "phone", "car", "outside")
            lan = stack.enter_context(made)
        except OSError as error:
            pytest.skip(f"hosts are network namespaces, which need root: {error}")
        yield lan


class Pairing(NamedTuple):
    """What the two sides of a pairing said."""

    host: Child
    joiner: Done


def shown(hosting: Child, what: str = "code") -> str:
    """What a host shows: the code, or the ticket for a camera to read."""
    _, line = hosting.wait_for('"code"')
    text: str = json.loads(line)[what]
    return text


def pair(
    home: Host,
    newcomer: Host,
    device: str,
    kind: str,
    *words: str,
    folder: Path | None = None,
    host_words: tuple[str, ...] = (),
    what: str = "code",
) -> Pairing:
    """Show a code on one host, join by it on another, and say yes on both."""
    hosting = home.start("device", "pair", "--json", "--yes", *host_words)
    text = shown(hosting, what)
    named = ("--device", device, "--kind", kind, "--host", newcomer.address)
    # the code and the answer are typed
    done = newcomer.run("join", *named, *words, folder=folder, stdin=f"{text}\ny\n")
    return Pairing(hosting, done)


class Meadow(NamedTuple):
    """A household on three hosts."""

    home: Host
    phone: Host
    car: Host
    outside: Host
    paired: tuple[Pairing, ...]


@pytest.fixture(scope="module")
def meadow(lan: Lan) -> Meadow:
    home, phone, car, outside = lan.hosts.values()
    home.ok("household", "create", "meadow")
    home.ok("device", "add", "home", "--kind", "home", "--host", home.address)
    by_multicast = pair(home, phone, "phone", "phone")
    at = f"{home.address}:7450"
    by_address = pair(
        home,
        car,
        "car",
        "car",
        "--no-scout",
        "--connect",
        at,
        host_words=("--no-scout", "--listen", at),
    )
    return Meadow(home, phone, car, outside, (by_multicast, by_address))


class Living(NamedTuple):
    """The processes of a household that lives."""

    home: Child
    phone: Child
    car: Child


@pytest.fixture(scope="module")
def living(meadow: Meadow) -> Living:
    home, phone, car = meadow.home, meadow.phone, meadow.car
    made = Living(
        home.start("up", "home", "--listen", home.listen, *LIVE),
        up(phone, home),
        up(car, home),
    )
    eventually(
        lambda: told(phone, "car") and told(car, "home") and told(car, "phone"),
        "a first disclosure; the home said {}",
        lambda: made.home.said,
    )
    return made


def up(host: Host, home: Host) -> Child:
    words = ("--listen", host.listen, "--connect", home.listen)
    return host.start("up", host.name, *words)


def told(host: Host, peer: str = "") -> set[tuple[str, str, str]]:
    """Who was told what for what, by the host's ledger."""
    rows = {(row.peer, row.path, row.purpose) for row in known(host.entries())}
    return {row for row in rows if peer in ("", row[0])}


def latest(host: Host, peer: str) -> float:
    """Event time of what a device was told last, by the host's ledger."""
    rows = known(host.entries())
    return max((row.until for row in rows if row.peer == peer), default=0.0)


def events(host: Host, kind: EventKind, peer: str) -> list[Event]:
    """What else happened with a device, by the host's ledger, oldest first."""
    found = [entry.event for entry in host.entries()]
    return [e for e in found if e.kind is kind and e.peer == peer]


def live_on(car: Host) -> None:
    """Let the household live for a while, as the car's ledger shows."""
    before = latest(car, "home")
    eventually(lambda: latest(car, "home") > before + WHILE_S, "a later disclosure")


# --- pairing -----------------------------------------------------------------------


def test_devices_join_by_multicast_and_by_address(meadow: Meadow) -> None:
    for pairing, device in zip(meadow.paired, ("phone", "car"), strict=True):
        assert pairing.joiner.code == 0, pairing.joiner.said
        assert pairing.host.wait() == 0, pairing.host.said
        assert f"{device} asks to join meadow" in pairing.host.said
        assert "invites this device to the household meadow" in pairing.joiner.err
    listed = json.loads(meadow.home.ok("device", "list", "--json").out)
    assert [row["device"] for row in listed["devices"]] == ["car", "home", "phone"]


def test_a_private_key_never_leaves_its_host(meadow: Meadow) -> None:
    keys = {
        str(path.relative_to(host.folder))
        for host in (meadow.home, meadow.phone, meadow.car)
        for path in host.folder.rglob("key.pem")
    }
    devices = ("home", "phone", "car")
    assert keys == {f"identity/devices/{device}/key.pem" for device in devices}
    assert not (meadow.phone.folder / "identity" / "ca.key").exists()


def test_attack_guess_the_code_on_the_network(meadow: Meadow) -> None:
    home, outside = meadow.home, meadow.outside
    hosting = home.start("device", "pair", "--json", "--yes")
    code = shown(hosting)
    join = ("--device", "thief", "--kind", "phone", "--yes")
    for left in (2, 1, 0):
        guess = next(g.shown for g in iter(make_code, None) if g.shown != code)
        done = outside.run("join", guess, *join)
        assert done.code, done.said
        assert "the code is wrong" in done.said
        assert f"tries left: {left}" in done.said
    assert hosting.wait() != 0
    assert "a phone that calls itself thief gave a wrong code" in hosting.said
    assert not (outside.folder / "identity").exists()


def test_attack_join_by_a_code_that_has_expired(meadow: Meadow) -> None:
    words = ("device", "pair", "--json", "--yes", "--no-scout")
    hosting = meadow.home.start_python("-c", HASTY, *words)
    assert hosting.wait() != 0
    assert "the code has expired (show a new one)" in hosting.said


def test_attack_join_under_an_id_that_is_taken(meadow: Meadow, tmp_path: Path) -> None:
    home, outside = meadow.home, meadow.outside
    pairing = pair(home, outside, "phone", "phone", folder=tmp_path / "thief")
    assert pairing.joiner.code, pairing.joiner.said
    assert "could not admit this device" in pairing.joiner.said
    assert pairing.host.wait() != 0
    assert "the id phone belongs to another key" in pairing.host.said
    assert not (tmp_path / "thief" / "identity").exists()


def test_who_is_declined_by_a_person_is_not_admitted(
    meadow: Meadow, tmp_path: Path
) -> None:
    hosting = meadow.home.start("device", "pair", "--json")  # nobody there to say yes
    join = ("--device", "visitor", "--kind", "phone", "--yes")
    done = meadow.outside.run("join", shown(hosting), *join, folder=tmp_path)
    assert done.code, done.said
    assert hosting.wait() != 0
    listed = json.loads(meadow.home.ok("device", "list", "--json").out)
    assert "visitor" not in {row["device"] for row in listed["devices"]}


# --- living ------------------------------------------------------------------------


def test_what_is_leased_is_told_and_each_ledger_says_so(
    meadow: Meadow, living: Living
) -> None:
    live_on(meadow.car)
    phone, car = ledger(meadow.phone), ledger(meadow.car)
    assert {(row["peer"], row["path"], row["purpose"]) for row in phone["known"]} == {
        ("home", "location", "arrival"),
        ("home", "batt", "arrival"),
        ("car", "location", "navigation"),
    }
    rules = {e["event"].get("rule") for e in phone["events"]}
    exact = {row["exact_m"] for row in phone["known"] if row["peer"] == "car"}
    assert exact == {500} or "car-navigates" in rules
    to_phone = {row["path"] for row in car["known"] if row["peer"] == "phone"}
    assert to_phone == {"Vehicle.IsMoving"}
    to_home = {row["purpose"] for row in car["known"] if row["peer"] == "home"}
    assert to_home == {"comfort"}
    for host in (meadow.home, meadow.phone, meadow.car):
        verified = host.ok("ledger", "verify", "--device", host.name)
        assert "Sound: " in verified.out
        assert "not checked" not in verified.err


def ledger(host: Host) -> dict[str, Any]:
    """What the command line says of a host's ledger."""
    told: dict[str, Any] = json.loads(host.ok("ledger", "--json").out)
    return told


def test_a_cut_link_ends_what_is_shared_until_it_is_mended(
    meadow: Meadow, living: Living
) -> None:
    phone, car = meadow.phone, meadow.car
    phone.cut()
    try:
        live_on(car)  # home and car go on
        before = latest(phone, "home")
        live_on(car)
        assert latest(phone, "home") == before
    finally:
        phone.mend()
    eventually(lambda: latest(phone, "home") > before, "the phone again")
    eventually(lambda: latest(phone, "car") > before, "the phone at the car again")


def test_a_policy_is_live_on_every_host(
    meadow: Meadow, living: Living, tmp_path: Path
) -> None:
    home, phone, car = meadow.home, meadow.phone, meadow.car
    file = tmp_path / "ours.cedar"
    file.write_text(home.ok("policy", "show", "--text").out + NOSY)
    home.ok("policy", "set", str(file))
    ends = eventually(
        lambda: [e for e in events(phone, END, "car") if e.detail == "policy"],
        "the end of the car's lease",
    )
    assert {end.rule for end in ends} == {"car-is-nosy"}
    refusal = eventually(lambda: events(phone, REFUSAL, "car"), "a refusal")[-1]
    assert "The car is nosy. (rule car-is-nosy)" in refusal.detail
    before = latest(phone, "car")
    live_on(car)
    assert latest(phone, "car") == before
    assert latest(phone, "home") > before  # whom the rule does not mean
    home.ok("policy", "set", "--shipped")
    eventually(lambda: latest(phone, "car") > before, "the phone at the car again")


def test_attack_a_guest_asks_where_the_phone_is(meadow: Meadow, living: Living) -> None:
    home, phone, outside = meadow.home, meadow.phone, meadow.outside
    alone = ("--guest", "--no-scout")  # the ticket says where the host is
    pairing = pair(
        home, outside, "visitor", "phone", "--no-scout", host_words=alone, what="ticket"
    )
    assert pairing.joiner.code == 0, pairing.joiner.said
    assert "as a guest's phone" in pairing.host.said
    for purpose in ("navigation", "arrival"):
        words = ("visitor", home.listen, "phone", "location", purpose)
        said = outside.python(ASKER, *words).said
        assert said.startswith("RefusedError: phone refused 'lease'"), said
        assert "A guest's device learns nothing about you" in said
        assert "(rule guest-learns-no-more)" in said
    refusals = events(phone, REFUSAL, "visitor")
    assert [refusal.purpose for refusal in refusals] == ["navigation", "arrival"]
    assert not told(phone, "visitor")
    words = ("visitor", home.listen, "home", "climate.living_room", "comfort")
    said = outside.python(ASKER, *words).said  # what a guest may know
    assert said.startswith("granted by rule guest-feels-heating"), said


def test_attack_a_device_of_another_household_of_that_name_dials(
    meadow: Meadow, living: Living, tmp_path: Path
) -> None:
    home, outside = meadow.home, meadow.outside
    outside.ok("household", "create", "meadow", folder=tmp_path)
    outside.ok("device", "add", "car", "--kind", "car", folder=tmp_path)
    dialling = outside.start("up", "car", "--connect", home.listen, folder=tmp_path)
    dialling.wait_for(f"the certificate shown at {home.listen} is not to be trusted")
    words = ("car", home.listen, "home", "forecast", "display")
    said = outside.python(ASKER, *words, folder=tmp_path).said
    assert said.startswith("RefusedError: the certificate shown at"), said
    assert dialling.wait() == RefusedError.exit_code, dialling.said
    assert outside.run("ledger", "--json", folder=tmp_path).out in (
        "",
        '{"device":"car","known":[],"events":[]}\n',
    )


# --- the end of it: the phone is shut out for good, so this comes last --------------


def test_attack_a_stolen_phone_stays_and_comes_back_with_its_old_key(
    meadow: Meadow, living: Living, tmp_path: Path
) -> None:
    home, phone, car, outside = meadow[:4]
    copied, no_socket = tmp_path / "copied", shutil.ignore_patterns("*.sock")
    shutil.copytree(phone.folder, copied, ignore=no_socket)  # on a thief's host
    home.ok("device", "revoke", "phone", "--reason", "stolen")
    living.phone.wait_for("this device, phone, was revoked by an issuer of")
    assert living.phone.wait() == RevokedError.exit_code

    def is_ended() -> bool:
        ends = events(car, END, "phone")  # those before were renewed
        return bool(ends) and ends[-1].detail == "revoked"

    eventually(is_ended, "the end of its lease")
    live_on(car)
    before = phone.entries()
    assert is_deaf(phone, car, before)

    again = up(phone, home)  # started anew
    assert again.wait() == RevokedError.exit_code
    assert "stolen" in again.said
    again.end()
    charter = Path("identity") / "charter.bin"  # the thief puts the old one back
    shutil.copy(copied / charter, phone.folder / charter)
    again = up(phone, home)
    assert is_deaf(phone, car, before)
    again.end()

    words = ("phone", home.listen, "home", "forecast", "display", "5")
    said = outside.python(ASKER, *words, folder=copied).said
    assert said.startswith("UnreachableError: home was not seen"), said
    assert "it does not count this device as a member" in said

    pairing = pair(home, outside, "phone", "phone", folder=tmp_path / "new")
    assert pairing.joiner.code, pairing.joiner.said
    assert pairing.host.wait() != 0
    assert "the id phone was revoked: stolen" in pairing.host.said


def is_deaf(phone: Host, car: Host, before: list[Entry]) -> bool:
    """Whether a while of the household's life adds nothing to the phone's ledger.

    What it had begun to count and told nobody since may be counted to its end.
    """
    live_on(car)
    added = [entry.event.kind for entry in phone.entries()[len(before) :]]
    return set(added) <= {EventKind.DISCLOSED}

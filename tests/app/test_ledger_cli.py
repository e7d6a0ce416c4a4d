"""`trivet ledger` says in plain words who knew what, and whether that is whole."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from trivet.app.account import happened, known, sentence
from trivet.app.cli.ledger import ledger_app
from trivet.app.control import Control, open_control
from trivet.app.folder import control_file, identity_folder, ledger_file, witness_file
from trivet.app.terminal import plain
from trivet.app.witnessing import Seen, Told, Witnesses
from trivet.domain import DeviceKind
from trivet.fabric.certificate import key_from_pem
from trivet.fabric.disclosure import Disclosures
from trivet.fabric.event import Event, EventKind
from trivet.fabric.identity import create_household, issue
from trivet.fabric.ledger import Ledger
from trivet.fabric.ledger_chain import Entry, Head, SignedHead
from trivet.fabric.witness_file import WitnessFile

NOON = datetime(2026, 3, 2, 14, 2, tzinfo=UTC).timestamp()
LEASE = "0123456789abcdef"


def ask(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(ledger_app, [*words, "--household", str(folder)])


def said(done: Result) -> str:
    assert done.exit_code == 0, done.output
    return done.output


def answer(done: Result) -> Any:
    return json.loads(said(done))


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A household whose phone told the car where it was for half an hour."""
    folder = tmp_path_factory.mktemp("household")
    home = create_household(identity_folder(folder), "ours")
    identity = issue(home, "phone", DeviceKind.PHONE)
    private = key_from_pem(identity.private_pem())
    with Ledger(ledger_file(folder, "phone"), "phone", key=private) as ledger:
        paths = ("location", "batt")
        grant = Event(EventKind.GRANT, NOON, "car", LEASE, paths, "navigation", 500)
        ledger.append(grant)
        flows = Disclosures(ledger)
        for i in range(812):
            now = NOON + i * 1740 / 811
            flows.note(LEASE, "car", "location", "navigation", 500, now, now)
        flows.note(LEASE, "car", "batt", "navigation", 500, NOON, NOON)
        flows.end(LEASE, NOON + 1800)
        refused = Event(
            EventKind.REFUSAL, NOON + 3600, "home", paths=("location",), detail="no"
        )
        ledger.append(refused)
        flows.note("f" * 16, "home", "batt", "comfort", 0, NOON + 9000, NOON + 9000)
    return folder


def test_it_says_who_knew_what_when_for_what_and_how_exactly(founded: Path) -> None:
    lines = said(ask(founded, "--zone", "UTC")).splitlines()
    assert lines == [
        "car knew where phone was, to 500 m, for navigation, 2026-03-02 14:02–14:31, "
        "812 samples",
        "car knew batt of phone, for navigation, 2026-03-02 14:02, 1 sample",
        "home knew batt of phone, for comfort, 2026-03-02 16:32, "
        "(still counting, or cut off before it was counted)",
        "2026-03-02 14:02 car may know location, batt of phone for navigation",
        "2026-03-02 15:02 home was refused location of phone: no",
    ]


def test_it_answers_about_one_peer_one_path_and_one_time(founded: Path) -> None:
    assert "car" not in said(ask(founded, "--peer", "home"))
    assert "batt of phone, for" not in said(ask(founded, "--path", "location"))
    late = answer(
        ask(founded, "--since", "2026-03-02T15:00", "--zone", "UTC", "--json")
    )
    assert [k["peer"] for k in late["known"]] == ["home"]
    early = answer(ask(founded, "--until", "2026-03-02T14:03Z", "--json"))
    assert [e["event"]["kind"] for e in early["events"]] == ["grant"]
    assert "Nothing" in said(ask(founded, "--peer", "nobody"))


def test_the_time_is_the_one_of_the_zone(founded: Path) -> None:
    assert "15:02–15:31" in said(ask(founded, "--zone", "Europe/Berlin"))


def test_its_json_has_the_same(founded: Path) -> None:
    told = answer(ask(founded, "--json"))
    assert told["device"] == "phone"
    first = told["known"][0]
    assert (first["peer"], first["path"], first["count"]) == ("car", "location", 812)
    assert (first["exact_m"], first["is_counted"]) == (500, True)
    assert told["known"][2]["is_counted"] is False


def test_a_sound_ledger_verifies_and_its_head_is_a_witness(founded: Path) -> None:
    head = said(ask(founded, "head")).strip()
    done = ask(founded, "verify", "--witness", head)
    assert said(done).startswith("Sound: ")
    assert head in done.output
    assert "not checked" not in done.output
    verdict = answer(ask(founded, "verify", "--json"))["verdict"]
    assert verdict["is_sound"] is True


def test_a_witness_of_another_ledger_ends_with_exit_code_1(founded: Path) -> None:
    done = ask(founded, "verify", "--witness", f"2:{'0' * 64}")
    assert done.exit_code == 1
    assert "entry 2 is not the one that the witness saw" in done.output


def copied(founded: Path, folder: Path) -> Path:
    folder.mkdir()
    path = ledger_file(folder, "phone")
    path.write_bytes(ledger_file(founded, "phone").read_bytes())
    return path


def test_attack_edits_an_entry_and_verify_says_which(
    founded: Path, tmp_path: Path
) -> None:
    path = copied(founded, tmp_path / "copy")
    db = sqlite3.connect(path)
    db.execute("DROP TRIGGER entry_update")
    db.execute("UPDATE entry SET event = (SELECT event FROM entry WHERE seq = 1)")
    db.commit()
    db.close()
    done = ask(path.parent, "verify")
    assert done.exit_code == 1
    assert "Unsound: entry 2 is not what was written there" in done.output
    assert ask(path.parent, "verify", "--json").exit_code == 1
    assert "Do not rely on it" in said(ask(path.parent))


def test_without_the_devices_certificate_it_says_what_was_not_checked(
    founded: Path, tmp_path: Path
) -> None:
    path = copied(founded, tmp_path / "copy")
    done = ask(path.parent, "verify")
    assert "Sound" in said(done)
    assert "signature was not checked" in done.output


def test_attack_brings_a_certificate_of_another_household(
    founded: Path, tmp_path: Path
) -> None:
    """A forger's ledger and certificate do not fit the household's authority."""
    path = copied(founded, tmp_path / "copy")
    home = create_household(identity_folder(path.parent), "ours")
    issue(home, "phone", DeviceKind.PHONE)
    done = ask(path.parent, "verify")
    assert done.exit_code == 1
    assert "not signed with the key of phone" in done.output
    forged = identity_folder(founded) / "devices" / "phone" / "cert.pem"
    here = identity_folder(path.parent) / "devices" / "phone" / "cert.pem"
    here.write_bytes(forged.read_bytes())
    assert "is not the certificate of phone" in ask(path.parent, "verify").output


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ((), 3, "no ledger"),
        (("--device", "car"), 3, "no ledger of car"),
        (("--device", "../x"), 2, "device id"),
        (("verify", "--witness", "x"), 2, "SEQ:HASH"),
        (("--since", "noon"), 2, "2026-02-27T18:05"),
        (("--zone", "Mars/Olympus"), 2, "time zone"),
    ],
)
def test_a_mistake_has_its_exit_code_and_says_what_to_do(
    tmp_path: Path, words: tuple[str, ...], code: int, says: str
) -> None:
    done = ask(tmp_path, *words)
    assert done.exit_code == code, done.output
    assert says in " ".join(done.output.split())
    assert not list(tmp_path.iterdir())


def test_of_several_ledgers_one_is_to_be_named(tmp_path: Path) -> None:
    for device in ("car", "phone"):
        Ledger(ledger_file(tmp_path, device), device).close()
    done = ask(tmp_path, "head")
    assert done.exit_code == 2
    assert "car, phone" in done.output
    assert said(ask(tmp_path, "head", "--device", "car")).startswith("0:")


# --- the account -------------------------------------------------------------------


def flow(kind: EventKind, first: float, last: float = 0.0, count: int = 0) -> Event:
    return Event(
        kind,
        first,
        peer="car",
        lease=LEASE,
        paths=("location",),
        exact_m=100_000,
        first=first,
        last=last,
        count=count,
    )


def entries(*events: Event) -> list[Entry]:
    return [Entry(n, event, "") for n, event in enumerate(events, 1)]


def test_windows_of_one_flow_are_told_in_one_line_and_a_pause_parts_them() -> None:
    begin, end = EventKind.DISCLOSING, EventKind.DISCLOSED
    told = known(
        entries(
            flow(begin, 10.0),
            flow(end, 10.0, 60.0, 5),
            flow(begin, 100.0),
            flow(end, 100.0, 200.0, 7),
            flow(begin, 5000.0),
            flow(end, 5000.0, 5001.0, 2),
        )
    )
    assert [(k.since, k.until, k.count) for k in told] == [
        (10.0, 200.0, 12),
        (5000.0, 5001.0, 2),
    ]
    assert all(k.is_counted for k in told)


def test_what_was_cut_off_is_said_to_be_uncounted() -> None:
    begin, end = EventKind.DISCLOSING, EventKind.DISCLOSED
    told = known(
        entries(flow(begin, 10.0), flow(begin, 20.0), flow(end, 20.0, 30.0, 3))
    )
    (span,) = told
    assert (span.count, span.is_counted) == (3, False)
    text = sentence(span, "phone", UTC)
    assert "3 samples, and more" in text
    assert "only whether at home, near it or away" in text


def test_every_kind_of_event_has_its_words() -> None:
    for kind in EventKind:
        event = Event(kind, 0.0, "car", paths=("batt",), detail="for a reason")
        text = happened(event, "phone", UTC)
        assert text.startswith("1970-01-01 00:00 ")
        assert "  " not in text


def test_attack_writes_to_the_terminal_through_a_detail() -> None:
    event = Event(EventKind.MEMBER, 0.0, "car", detail="\x1b[2J\x07\u202egnp\n")
    assert happened(event, "phone", UTC) == "1970-01-01 00:00 car: ?[2J??gnp?"
    assert plain("Grüße") == "Grüße"


# --- witnesses ---------------------------------------------------------------------


def keeps(folder: Path, by: str, head: Head, fault: str = "") -> WitnessFile:
    """What a device of this machine keeps of the phone's ledger."""
    file = WitnessFile(witness_file(folder, by))
    file.keep(SignedHead("phone", head.seq, bytes.fromhex(head.hash), b"-"), NOON)
    if fault:
        file.accuse("phone", fault, None)
    return file


def test_verify_asks_what_the_devices_of_this_machine_keep(
    founded: Path, tmp_path: Path
) -> None:
    path = copied(founded, tmp_path / "copy")
    assert "No witness: an older copy" in said(ask(path.parent, "verify"))
    with Ledger(path, "phone") as ledger:
        head = ledger.head
    keeps(path.parent, "home", head)
    done = ask(path.parent, "verify")
    assert f"Witnesses: home saw entry {head.seq}" in said(done)
    keeps(path.parent, "car", Head(head.seq + 9, "0" * 64, head.seq + 9))
    done = ask(path.parent, "verify", "--json")
    assert done.exit_code == 1
    found = json.loads(done.output)
    assert f"the witness saw {head.seq + 9}" in found["verdict"]["fault"]
    assert [one["by"] for one in found["witnesses"]] == ["car", "home"]


def test_verify_asks_a_running_device_what_the_others_in_reach_keep(
    founded: Path, tmp_path: Path
) -> None:
    path = copied(founded, tmp_path / "c")

    async def seen(_: Witnesses) -> Told:
        return Told((Seen("car", f"2:{'0' * 64}"), Seen("home", error="it is away")))

    async def verified() -> Result:
        control = Control()
        control.add(Witnesses, seen)
        async with open_control(control_file(path.parent, "phone"), control):
            return await asyncio.to_thread(ask, path.parent, "verify")

    done = asyncio.run(verified())
    assert done.exit_code == 1
    assert "entry 2 is not the one that the witness saw" in done.output
    assert "Witnesses: car saw entry 2" in done.output
    assert "No device in reach was asked" not in done.output


def test_what_a_device_keeps_is_shown_and_a_new_ledger_accepted(
    tmp_path: Path,
) -> None:
    keeps(tmp_path, "home", Head(7, "0" * 64, 7), "it ends at 3 and ended at 7 before")
    rows = answer(ask(tmp_path, "witnesses", "--device", "home", "--json"))
    assert [(row["device"], row["head"][:2]) for row in rows] == [("phone", "7:")]
    assert "ended at 7 before" in rows[0]["fault"]
    assert "phone" in said(ask(tmp_path, "witnesses", "--device", "home"))
    done = ask(tmp_path, "accept", "phone", "--device", "home")
    assert "What was kept of phone is forgotten" in said(done)
    assert ask(tmp_path, "accept", "phone", "--device", "home").exit_code == 2
    assert ask(tmp_path, "witnesses", "--device", "car").exit_code == 3


def test_what_was_found_of_other_ledgers_is_told() -> None:
    found = Event(EventKind.WITNESS, NOON, "phone", detail="its end was cut off")
    assert happened(found, "home", UTC).endswith(
        "do not rely on the ledger of phone: its end was cut off"
    )
    shown = Event(EventKind.WITNESS, NOON, detail="shown to who keeps it, with 0a1b")
    assert happened(shown, "home", UTC).endswith(
        "the end of this ledger was shown to who keeps it"
    )

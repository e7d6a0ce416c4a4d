"""The ledger keeps what it acknowledged, and shows what was done to it."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import TypeAlias

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from trivet.domain import SetupError, UsageError
from trivet.fabric import ledger_chain as chain
from trivet.fabric import ledger_file
from trivet.fabric.event import Event, EventKind
from trivet.fabric.ledger import Ledger
from trivet.fabric.ledger_chain import Head, Verdict

KEY = ec.generate_private_key(ec.SECP256R1())
OTHER_KEY = ec.generate_private_key(ec.SECP256R1())
few = settings(max_examples=25, deadline=None)
texts = st.text(max_size=20)
times = st.floats(0, 7e9)
events = st.builds(
    Event,
    kind=st.sampled_from(EventKind),
    time=times,
    peer=texts,
    lease=texts,
    paths=st.lists(texts, max_size=3).map(tuple),
    purpose=texts,
    exact_m=st.integers(0, 100_000),
    count=st.integers(0, 10**9),
    first=times,
    last=times,
    rule=texts,
    detail=texts,
)
Make: TypeAlias = Callable[..., Ledger]


def event(number: int) -> Event:
    return Event(EventKind.GRANT, float(number), peer="car", paths=("location",))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger-phone.db"


def written(path: Path, count: int = 6, *, key: chain.Key | None = KEY) -> Head:
    """A ledger on the disk, closed."""
    with Ledger(path, "phone", key=key) as ledger:
        ledger.append_many(event(n) for n in range(1, count + 1))
        return ledger.head


def tamper(path: Path, *statements: str) -> None:
    """What somebody with the file and SQLite can do: the triggers do not stop them."""
    db = sqlite3.connect(path)
    triggers = db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    for (name,) in triggers.fetchall():
        db.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        db.execute(statement)
    db.commit()
    db.close()


def verdict(path: Path, witness: Head | None = None) -> Verdict:
    with Ledger(path, "phone", key=KEY) as ledger:
        return ledger.verify(*([] if witness is None else [witness]))


# --- what it promises --------------------------------------------------------------


@few
@given(st.lists(events, max_size=6))
def test_what_is_appended_is_read_back_in_its_order(given_events: list[Event]) -> None:
    with Ledger(":memory:", "phone", key=KEY) as ledger:
        made = ledger.append_many(given_events)
        assert [entry.event for entry in made] == given_events
        assert list(ledger.entries()) == made
        assert [entry.seq for entry in made] == list(range(1, len(made) + 1))
        assert ledger.head.count == ledger.head.seq == len(made)
        assert not made or ledger.head.hash == made[-1].hash
        assert ledger.verify(ledger.head).is_sound


def test_a_ledger_goes_on_where_it_stopped(path: Path) -> None:
    first = written(path)
    with Ledger(path, "phone", key=KEY) as ledger:
        assert ledger.head == first
        assert ledger.append(event(7)).seq == 7
        assert ledger.verify(first).is_sound


def test_two_processes_may_append_in_turn(path: Path) -> None:
    with Ledger(path, "phone", key=KEY) as one, Ledger(path, "phone", key=KEY) as two:
        for number in range(10):
            (one, two)[number % 2].append(event(number))
        assert one.verify().entries == two.verify().entries == 10
        assert one.verify().is_sound


def test_any_thread_may_append(path: Path) -> None:
    with Ledger(path, "phone", key=KEY) as ledger:
        threads = [
            Thread(target=lambda: [ledger.append(event(n)) for n in range(15)])
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert ledger.verify() == Verdict(True, 60)


def test_entries_are_found_by_what_they_are_about() -> None:
    with Ledger(":memory:", "phone") as ledger:
        ledger.append_many(
            Event(kind, float(t), peer=peer, paths=(path,))
            for t, (kind, peer, path) in enumerate(
                [
                    (EventKind.GRANT, "car", "location"),
                    (EventKind.REFUSAL, "home", "Vehicle.Speed"),
                    (EventKind.GRANT, "home", "Vehicle.Cabin.Door"),
                ]
                * 400
            )
        )
        assert len(list(ledger.entries(peer="home"))) == 800
        assert len(list(ledger.entries(path="Vehicle.**"))) == 800
        assert len(list(ledger.entries(path="location"))) == 400
        assert len(list(ledger.entries(kind=EventKind.REFUSAL))) == 400
        assert [e.seq for e in ledger.entries(since=5, until=7)] == [6, 7]
        assert [e.seq for e in ledger.entries(after=1198)] == [1199, 1200]


def test_equal_events_have_one_encoding() -> None:
    whole = Event(EventKind.GRANT, 5)
    assert chain.encode_event(whole) == chain.encode_event(Event(EventKind.GRANT, 5.0))


def test_no_two_ledgers_begin_alike() -> None:
    with (
        Ledger(":memory:", "phone", now=1.0) as one,
        Ledger(":memory:", "phone", now=1.0) as two,
    ):
        assert one.head != two.head
        assert not one.verify(two.head).is_sound


@pytest.mark.parametrize(
    "bad",
    [
        Event(EventKind.GRANT, float("nan")),
        Event(EventKind.DISCLOSED, 1.0, last=float("inf")),
        Event(EventKind.GRANT, 1.0, detail="x" * chain.MAX_BYTES),
        Event(EventKind.GRANT, 1.0, count=1 << 70),
        Event(EventKind.GRANT, "noon"),  # type: ignore[arg-type]
        Event(EventKind.GRANT, 1.0, detail="\ud800"),
    ],
    ids=["nan", "inf", "long", "large", "type", "surrogate"],
)
def test_what_is_no_event_is_refused_and_nothing_of_it_kept(bad: Event) -> None:
    with Ledger(":memory:", "phone") as ledger:
        with pytest.raises(UsageError, match="kept"):
            ledger.append_many([event(1), bad])
        assert ledger.head.seq == 0


def test_the_file_is_for_its_owner_alone(path: Path) -> None:
    with Ledger(path, "phone", key=KEY) as ledger:
        ledger.append(event(1))
        for file in path.parent.iterdir():
            assert file.stat().st_mode & 0o077 == 0, file


def test_a_closed_ledger_says_so(path: Path) -> None:
    ledger = Ledger(path, "phone")
    ledger.close()
    ledger.close()
    for use in (
        lambda: ledger.append(event(1)),
        lambda: ledger.verify(),
        lambda: ledger.head,
        lambda: list(ledger.entries()),
    ):
        with pytest.raises(UsageError, match="closed"):
            use()


def test_without_its_key_a_signed_ledger_is_only_read(path: Path) -> None:
    written(path)
    for key in (None, KEY.public_key()):
        with Ledger(path, "phone", key=key) as ledger:
            with pytest.raises(UsageError, match="key"):
                ledger.append(event(7))
            assert ledger.verify().is_sound
    assert verdict(path).entries == 6


def test_an_append_that_cannot_be_written_is_told_and_can_be_tried_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_file, "_BUSY_S", 0.01)
    with Ledger(path, "phone", key=KEY) as ledger:
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(SetupError, match="another program"):
            ledger.append(event(1))
        holder.close()
        assert ledger.append(event(1)).seq == 1
        assert ledger.verify() == Verdict(True, 1)


def test_a_head_is_read_as_it_is_written() -> None:
    with Ledger(":memory:", "phone") as ledger:
        ledger.append(event(1))
        assert chain.parse_head(f" {ledger.head}\n") == ledger.head
    for bad in ("", "1", "1:zz", f"-1:{'0' * 64}", f"1:{'0' * 63}", "1:" + "A" * 64):
        with pytest.raises(UsageError, match="head"):
            chain.parse_head(bad)


# --- a crash -------------------------------------------------------------------------

_KILLED = """
import os, random, signal, sys, time
from pathlib import Path
from trivet.fabric.event import Event, EventKind
from trivet.fabric.ledger import Ledger

path, random_ = Path(sys.argv[1]), random.Random(7)

def live(out):
    with Ledger(path, "phone") as ledger:
        while True:
            made = ledger.append_many(
                Event(EventKind.GRANT, 1.0, detail=str(i)) for i in range(3)
            )
            os.write(out, made[-1].seq.to_bytes(8, "big"))

acknowledged = 0
for _ in range(40):
    back, out = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(back)
        live(out)
    os.close(out)
    time.sleep(random_.uniform(0, 0.03))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(back, "rb") as pipe:
        words = pipe.read()
    if words:
        acknowledged = int.from_bytes(words[-8:], "big")
    with Ledger(path, "phone") as ledger:
        verdict = ledger.verify()
        assert verdict.is_sound, verdict
        assert verdict.entries >= acknowledged, (verdict, acknowledged)
        assert verdict.entries % 3 == 0, verdict
print(acknowledged)
"""


def test_kill_9_at_any_moment_loses_nothing_that_was_acknowledged(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, str(path)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 0


# --- what a slip cannot do ---------------------------------------------------------


@pytest.mark.parametrize(
    "slip",
    [
        "UPDATE entry SET event = x'00' WHERE seq = 2",
        "DELETE FROM entry WHERE seq = 6",
        "INSERT OR REPLACE INTO entry VALUES (3, x'00', x'00')",
        "INSERT INTO entry VALUES (9, x'00', x'00')",
        "UPDATE head SET seq = 3",
        "DELETE FROM head",
        "UPDATE genesis SET device = 'car'",
        "DELETE FROM genesis",
    ],
)
def test_a_slip_in_sql_is_stopped(path: Path, slip: str) -> None:
    written(path)
    db = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match="only ever added to"):
        db.execute(slip)
    db.close()
    assert verdict(path).is_sound


# --- what an attack cannot hide ------------------------------------------------------


def test_attack_edits_an_entry(path: Path) -> None:
    written(path)
    data = chain.encode_event(Event(EventKind.GRANT, 3.0, peer="nobody")).hex()
    tamper(path, f"UPDATE entry SET event = x'{data}' WHERE seq = 3")
    assert verdict(path) == Verdict(
        False, 2, "entry 3 is not what was written there", 3
    )


def test_attack_removes_an_entry(path: Path) -> None:
    written(path)
    tamper(path, "DELETE FROM entry WHERE seq = 3")
    assert verdict(path) == Verdict(False, 2, "entry 3 is missing", 3)


def test_attack_removes_an_entry_and_closes_the_gap(path: Path) -> None:
    written(path)
    tamper(
        path,
        "DELETE FROM entry WHERE seq = 3",
        *(f"UPDATE entry SET seq = {n - 1} WHERE seq = {n}" for n in (4, 5, 6)),
    )
    assert verdict(path).seq == 3
    assert not verdict(path).is_sound


def test_attack_swaps_two_entries(path: Path) -> None:
    written(path)
    tamper(
        path,
        "UPDATE entry SET seq = 100 WHERE seq = 3",
        "UPDATE entry SET seq = 3 WHERE seq = 4",
        "UPDATE entry SET seq = 4 WHERE seq = 100",
    )
    assert not verdict(path).is_sound
    assert verdict(path).seq == 3


@pytest.mark.parametrize("seq", [-5, 0])
def test_attack_puts_an_entry_before_the_first(path: Path, seq: int) -> None:
    written(path)
    tamper(path, f"INSERT INTO entry SELECT {seq}, event, hash FROM entry LIMIT 1")
    assert not verdict(path).is_sound
    assert verdict(path).seq == 1


def test_attack_puts_an_entry_after_the_last(path: Path) -> None:
    head = written(path)
    data = chain.encode_event(event(7))
    digest = chain.link(bytes.fromhex(head.hash), 7, data)
    tamper(path, f"INSERT INTO entry VALUES (7, x'{data.hex()}', x'{digest.hex()}')")
    assert not verdict(path).is_sound
    with (
        Ledger(path, "phone", key=KEY) as ledger,
        pytest.raises(SetupError, match="unsound"),
    ):
        ledger.append(event(8))


def test_attack_cuts_the_tail_off(path: Path) -> None:
    written(path)
    tamper(path, "DELETE FROM entry WHERE seq > 4")
    assert verdict(path) == Verdict(False, 4, "entry 5 is missing: 6 were written", 5)


def test_attack_cuts_the_tail_off_and_moves_the_head(path: Path) -> None:
    written(path)
    tamper(
        path,
        "DELETE FROM entry WHERE seq > 4",
        "UPDATE head SET seq = 4, hash = (SELECT hash FROM entry WHERE seq = 4)",
    )
    assert not verdict(path).is_sound
    assert "not signed" in verdict(path).fault


def test_attack_removes_the_head(path: Path) -> None:
    written(path)
    tamper(path, "DELETE FROM head")
    assert not verdict(path).is_sound


def test_attack_computes_the_chain_anew_without_the_key(path: Path) -> None:
    """Hashes need no secret, so the signature is what shows it."""
    written(path)
    db = sqlite3.connect(path)
    start = chain.genesis(
        *db.execute("SELECT device, created, salt FROM genesis").fetchone()
    )
    db.close()
    statements, digest = [], start
    for seq in range(1, 7):
        data = chain.encode_event(Event(EventKind.GRANT, float(seq), peer="nobody"))
        digest = chain.link(digest, seq, data)
        statements.append(
            f"UPDATE entry SET event = x'{data.hex()}', hash = x'{digest.hex()}' "
            f"WHERE seq = {seq}"
        )
    forged = chain.sign_head(OTHER_KEY, "phone", 6, digest).hex()
    for signature in (forged, ""):
        tamper(
            path,
            *statements,
            f"UPDATE head SET hash = x'{digest.hex()}', signature = x'{signature}'",
        )
        assert verdict(path) == Verdict(
            False, 6, "its end at 6 is not signed with the key of phone", 6
        )
        with Ledger(path, "phone") as without_key:
            assert without_key.verify().is_sound  # what the key is for


def test_attack_puts_an_older_copy_in_its_place(path: Path) -> None:
    """Only a head that another device holds shows a whole copy from before."""
    old = written(path)
    shutil.copy(path, path.with_suffix(".old"))
    with Ledger(path, "phone", key=KEY) as ledger:
        ledger.append(event(7))
        witness = ledger.head
    shutil.copy(path.with_suffix(".old"), path)
    assert verdict(path).is_sound
    assert verdict(path, old).is_sound
    found = verdict(path, witness)
    assert not found.is_sound
    assert (found.seq, "witness saw 7" in found.fault) == (7, True)


def test_attack_puts_an_older_copy_in_its_place_and_goes_on(path: Path) -> None:
    written(path)
    shutil.copy(path, path.with_suffix(".old"))
    with Ledger(path, "phone", key=KEY) as ledger:
        ledger.append(event(7))
        witness = ledger.head
    shutil.copy(path.with_suffix(".old"), path)
    with Ledger(path, "phone", key=KEY) as ledger:
        ledger.append_many([event(70), event(80)])
    found = verdict(path, witness)
    assert (found.is_sound, found.seq) == (False, 7)


def test_attack_begins_a_new_ledger_in_its_place(path: Path) -> None:
    witness = written(path)
    path.unlink()
    written(path, 9)
    assert verdict(path).is_sound
    assert not verdict(path, witness).is_sound


def test_attack_rolls_back_under_a_running_process(path: Path) -> None:
    with Ledger(path, "phone", key=KEY) as ledger:
        ledger.append_many(event(n) for n in range(1, 4))
        old = ledger.head
        db = sqlite3.connect(path)
        (signature,) = db.execute("SELECT signature FROM head").fetchone()
        db.close()
        ledger.append(event(4))
        tamper(
            path,
            "DELETE FROM entry WHERE seq > 3",
            f"UPDATE head SET seq = 3, hash = x'{old.hash}', "
            f"signature = x'{signature.hex()}'",
        )
        with pytest.raises(SetupError, match="entry 4 was there before"):
            ledger.append(event(5))
        assert ledger.fault


@pytest.mark.parametrize("is_replaced", [True, False])
def test_attack_takes_the_file_away_from_a_running_process(
    path: Path, is_replaced: bool
) -> None:
    """What is acknowledged must be in the file that others open."""
    written(path)
    shutil.copy(path, path.with_suffix(".old"))
    with Ledger(path, "phone", key=KEY) as ledger:
        path.unlink()
        if is_replaced:
            path.with_suffix(".old").rename(path)
        with pytest.raises(SetupError, match="moved or replaced"):
            ledger.append(event(7))
        assert ledger.head.seq == 6


def test_attack_gives_a_device_the_ledger_of_another(path: Path) -> None:
    written(path)
    with pytest.raises(SetupError, match="ledger of 'phone'"):
        Ledger(path, "car")
    tamper(path, "UPDATE genesis SET device = 'car'")
    with Ledger(path, "car", key=KEY) as ledger:
        assert not ledger.verify().is_sound
        assert ledger.fault


def test_attack_puts_other_types_where_bytes_belong(path: Path) -> None:
    for value in ("NULL", "'text'", "7"):
        path.unlink(missing_ok=True)
        written(path)
        tamper(
            path,
            "CREATE TABLE loose (seq, event, hash)",
            f"INSERT INTO loose SELECT seq, {value}, {value} FROM entry",
            "DROP TABLE entry",
            "ALTER TABLE loose RENAME TO entry",
        )
        assert not verdict(path).is_sound
        with Ledger(path, "phone", key=KEY) as ledger:
            with pytest.raises(SetupError, match="unsound"):
                ledger.append(event(7))
            with pytest.raises(SetupError, match="no event"):
                list(ledger.entries())


def test_an_unsound_ledger_is_read_but_neither_added_to_nor_mended(path: Path) -> None:
    written(path)
    tamper(path, "DELETE FROM entry WHERE seq > 4")
    before = path.read_bytes()
    with Ledger(path, "phone", key=KEY) as ledger:
        assert ledger.fault
        with pytest.raises(SetupError, match="evidence"):
            ledger.append(event(7))
        assert len(list(ledger.entries())) == 4
    assert path.read_bytes() == before


# --- a damaged file ------------------------------------------------------------------


def test_a_file_of_something_else_is_refused_and_left_alone(path: Path) -> None:
    path.write_bytes(b"not a database " * 500)
    with pytest.raises(SetupError, match="move"):
        Ledger(path, "phone")
    assert path.read_bytes() == b"not a database " * 500
    path.unlink()
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE other (x)")
    db.close()
    with pytest.raises(SetupError, match="is no ledger"):
        Ledger(path, "phone")


def test_a_newer_layout_is_refused(path: Path) -> None:
    written(path)
    tamper(path, "PRAGMA user_version = 99")
    with pytest.raises(SetupError, match="update trivet"):
        Ledger(path, "phone")


def test_a_torn_file_is_told(path: Path) -> None:
    written(path, 400)
    path.write_bytes(path.read_bytes()[:8192])
    with pytest.raises(SetupError, match="evidence"):
        Ledger(path, "phone", key=KEY)


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ledger") / "golden.db"
    written(path, 60)
    return path


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_changed_byte_changes_what_a_sound_ledger_says(
    golden: Path, data: st.DataObject
) -> None:
    changed = bytearray(golden.read_bytes())
    at = data.draw(st.integers(0, len(changed) - 1))
    changed[at] ^= data.draw(st.integers(1, 255))
    path = golden.with_name("changed.db")
    for file in path.parent.glob("changed.db*"):
        file.unlink()
    path.write_bytes(changed)
    try:
        with Ledger(path, "phone", key=KEY) as ledger:
            if ledger.verify().is_sound:
                assert [e.event for e in ledger.entries()] == [
                    event(n) for n in range(1, 61)
                ]
    except SetupError:
        return  # told, and what to do

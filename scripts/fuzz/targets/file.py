"""Files: backups, ledgers, policies and recordings, whoever wrote them."""

from __future__ import annotations

import atexit
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from random import Random
from unittest.mock import patch
from zoneinfo import ZoneInfo

import msgspec
from scripts.fuzz.target import Makers, Target
from scripts.fuzz.targets.charter import SIGNED
from scripts.fuzz.targets.signed import CA, DEVICE, authority, device
from scripts.fuzz.tree import MSGPACK

from trivet.devices.replay.reader import LATEST_TIME, Options
from trivet.devices.replay.registry import READERS
from trivet.devices.replay.report import Report
from trivet.domain.device import DeviceKind
from trivet.domain.error import InputError, SetupError, TrivetError
from trivet.domain.wire import decode, encode
from trivet.fabric import certificate, seal, vault
from trivet.fabric.access import Access, Circumstances, Party, Verb
from trivet.fabric.event import Event, EventKind
from trivet.fabric.ledger import Ledger
from trivet.fabric.policy import Policy, shipped_policy


def scratch() -> Path:
    """A folder in memory where the system has one, gone with this process."""
    shared = Path("/dev/shm")
    is_there = shared.is_dir() and os.access(shared, os.W_OK)
    folder = tempfile.mkdtemp(prefix="trivet-fuzz-", dir=shared if is_there else None)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


# --- backups ----------------------------------------------------------------------

_PASSPHRASE = "correct horse battery"
#: So that a guess takes no third of a second here.
_CHEAP = seal.Cost(1, 1, 1)


def _backup_text() -> bytes:
    ca, cert = certificate.to_pem(authority()), certificate.to_pem(device())
    keys = [certificate.key_to_pem(key.real) for key in (CA, DEVICE)]
    parts = (1, "ours", ca, keys[0], SIGNED, (("car", cert, keys[1]),))
    return msgspec.msgpack.encode(parts)


def _backup(sealing: Callable[[bytes], bytes]) -> Callable[[bytes], None]:
    folder = scratch()
    file, target = folder / "backup", folder / "household"

    def run(data: bytes) -> None:
        # an input that asks for more than this takes its seconds, as it is to
        with patch.object(seal, "_MOST", seal.Cost(3, 8, 2)):
            file.write_bytes(sealing(data))
            try:
                vault.import_household(file, target, _PASSPHRASE)
            except TrivetError:
                assert not target.exists(), "half a household was left"
                raise
            finally:
                shutil.rmtree(target, ignore_errors=True)

    return run


def _sealed(data: bytes) -> bytes:
    random = Random(11).randbytes
    with (
        patch("trivet.fabric.seal.os.urandom", random),
        patch.object(seal, "COST", _CHEAP),
    ):
        return seal.seal(_PASSPHRASE, "backup", data)


# --- the ledger -------------------------------------------------------------------


def _write_ledger(path: Path) -> None:
    with (
        patch("trivet.fabric.ledger_file.secrets.token_bytes", Random(13).randbytes),
        Ledger(path, "phone", key=DEVICE, now=1.7e9) as ledger,
    ):
        ledger.append_many(
            Event(kind, 1.7e9 + n, peer="car", paths=("location",), detail="x" * 90 * n)
            for n, kind in enumerate(EventKind)
        )


def _rows(path: Path) -> list[object]:
    with closing(sqlite3.connect(path)) as db:
        tables = ("genesis", "entry", "head")
        return [db.execute(f"SELECT * FROM {table}").fetchall() for table in tables]


class _Ledgers:
    """A ledger's file, altered byte by byte and by SQL."""

    def __init__(self) -> None:
        self._folder = scratch()
        self._path = self._folder / "ledger.db"
        _write_ledger(self._path)
        self.good = self._path.read_bytes()
        self._rows = _rows(self._path)
        self._script = ""

    def lay(self, data: bytes) -> None:
        """Open the file that `data` is."""
        self._lay(data)
        self._judge()

    def sql(self, data: bytes) -> None:
        """Open the good file after somebody ran `data` on it."""
        self._lay(self.good)
        with closing(sqlite3.connect(self._path)) as db:
            for (name,) in db.execute(
                "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            ).fetchall():
                db.execute(f"DROP TRIGGER {name}")
            db.set_authorizer(_no_other_file)
            db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 1 << 20)
            db.set_progress_handler(lambda: 1, 1_000_000)
            with suppress(sqlite3.Error, UnicodeDecodeError, ValueError):
                db.executescript(data.decode("utf-8", "replace"))
        self._judge()

    def _lay(self, data: bytes) -> None:
        for name in ("ledger.db-wal", "ledger.db-shm", "ledger.db-journal"):
            (self._folder / name).unlink(missing_ok=True)
        self._path.write_bytes(data)

    def _judge(self) -> None:
        """It may be unusable or unsound; sound is only what was written."""
        with Ledger(self._path, "phone", key=DEVICE, now=1.7e9) as ledger:
            verdict = ledger.verify()
            with suppress(SetupError):
                list(ledger.entries())
            with suppress(SetupError):
                str(ledger.head)
            is_new = verdict.is_sound and verdict.entries == 0
        if verdict.is_sound and not is_new:
            rows = _rows(self._path)
            assert rows[:2] == self._rows[:2], "altered, and called sound"


def _no_other_file(action: int, *rest: object) -> int:
    is_attach = action in (sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH)
    return sqlite3.SQLITE_DENY if is_attach else sqlite3.SQLITE_OK


_SQL = (
    "UPDATE entry SET event = x'00' WHERE seq = 2",
    "DELETE FROM entry WHERE seq = 8",
    "INSERT INTO entry VALUES (9, x'80', x'00')",
    "UPDATE head SET seq = 7, hash = (SELECT hash FROM entry WHERE seq = 7)",
    "UPDATE genesis SET device = 'car', created = 1.5, salt = x'00'",
    "DELETE FROM head; DELETE FROM genesis",
    "DROP TABLE head; CREATE TABLE head (one, seq, hash, signature)",
    "ALTER TABLE entry RENAME TO other; CREATE VIEW entry AS SELECT * FROM other",
    "CREATE TABLE e AS SELECT * FROM entry; DROP TABLE entry; "
    "ALTER TABLE e RENAME TO entry; UPDATE entry SET seq = seq + 0.5",
    "DROP TABLE entry; CREATE VIEW entry AS WITH RECURSIVE n(seq) AS (SELECT 1 UNION "
    "ALL SELECT seq + 1 FROM n) SELECT seq, x'80' AS event, x'00' AS hash FROM n",
    "DROP TABLE head; CREATE TABLE head (one, seq INT, "
    "hash AS (zeroblob(900000000)), signature)",
    "CREATE TRIGGER t AFTER INSERT ON entry BEGIN DELETE FROM entry; END",
    "PRAGMA user_version = 2; PRAGMA application_id = 0",
    "UPDATE head SET signature = NULL, seq = 9223372036854775807, one = 1",
)
_SQL_WORDS = (
    b"entry head genesis seq hash event signature salt device created one NULL -1 0 "
    b"1.0 9223372036854775807 1e999 'x' x'ff' x'' max(seq) min(seq) zeroblob(999999) "
    b"SELECT UPDATE DELETE DROP VIEW TABLE WHERE INSERT"
).split()


# --- the policy -------------------------------------------------------------------

_POLICIES = (
    '@id("a")\n@why("Because.")\npermit (principal, action, resource);\n',
    '@id("b.1")\n@why("Never at night.")\nforbid (principal == Device::"car", '
    'action in [Action::"command", Action::"ask"], resource is Signal)\n'
    'when { context.night && resource.path like "lock.*" && '
    "!(principal.is_guest || context.exact_m >= 500) }\n"
    'unless { ["phone", "home"].contains(principal.kind) };\n',
)
_POLICY_WORDS = (
    b"principal action resource context permit forbid when unless == != in like is has "
    b'&& || ! if then else ?principal ?resource @id("a") @why("x") @x ( ) [ ] { } ; , '
    b'Device::"x" Signal Question Action::"ask" .kind .path .contains( .night -1 '
    b'9223372036854775808 "car" "\\u{202e}" "\\" // ip("1") decimal("1.0") like "*"'
).split()


def _accesses() -> tuple[Access, ...]:
    phone = Party("phone", DeviceKind.PHONE)
    car, night = Party("car", DeviceKind.CAR, True), Circumstances(night=True)
    return tuple(
        Access(verb, car, phone, "lock.front", night, "comfort", 500, "open")
        for verb in Verb
    )


_ACCESSES = _accesses()


def _policy(data: bytes) -> None:
    policy = Policy(data.decode("utf-8", "surrogateescape"))
    assert all(rule.id and rule.why for rule in policy.rules)
    for access in _ACCESSES:
        decision = policy.decide(access)
        assert "could not be asked" not in decision.why, decision
        rules = {rule.id for rule in policy.rules}
        assert not decision.is_allowed or decision.rule in rules


# --- recordings -------------------------------------------------------------------

_OPTIONS = Options(zone=ZoneInfo("Europe/Berlin"), person="ada")
#: Reader -> name of the file and what is in it.
_RECORDINGS = {
    "gpx": (
        "a.gpx",
        '<?xml version="1.0"?><gpx xmlns="http://www.topografix.com/GPX/1/1"><trk>'
        '<trkseg><trkpt lat="60.1" lon="24.9"><ele>12.5</ele>'
        "<time>2024-05-01T10:00:00Z</time><extensions><speed>3.5</speed></extensions>"
        '</trkpt><trkpt lat="60.2" lon="24.8"><time>2024-05-01T10:00:05Z</time></trkpt>'
        "</trkseg></trk></gpx>",
    ),
    "owntracks": (
        "a.rec",
        '2024-05-01T10:00:05Z\t*                 \t{"_type":"location","lat":60.1,'
        '"lon":24.9,"tst":1714557600,"batt":55,"vel":50,"cog":271,"acc":5}\n'
        '2024-05-01T10:01:05Z\ttransition        \t{"_type":"transition",'
        '"event":"enter","desc":"Home","tst":1714557660}\n',
    ),
    "geolife": (
        "a.plt",
        "Geolife trajectory\nWGS 84\nAltitude is in Feet\nReserved 3\n0,2\n0\n"
        "39.9,116.3,0,492,39744.1,2008-10-23,02:53:04\n",
    ),
    "obd-table": (
        "2024-10-25 y.csv",
        "Time,RPM,Speed (km/h)\n10:00:00.5,800,50\n10:00:01.5,900,51\n",
    ),
    "obd-list": (
        "2024-10-25 x.csv",
        '"SECONDS";"PID";"VALUE";"UNITS";\n"5";"Vehicle speed";"50";"km/h";\n',
    ),
    "casas": (
        "data",
        "2010-11-04 00:03:50.209589 M003 ON\n2010-11-04 00:04:01 T1 21\n",
    ),
    "home-assistant-csv": (
        "h.csv",
        "entity_id,state,last_changed\nlight.a,on,2024-05-01T10:00:00Z\n"
        'sensor.t,"21.5",2024-05-01T10:00:00+02:00\n',
    ),
}


def _recording(name: str) -> Target:
    file_name, text = _RECORDINGS[name]
    path, reader = scratch() / file_name, READERS[name]

    def run(data: bytes) -> None:
        path.write_bytes(data)
        for sample in reader.read(path, Report(), _OPTIONS):
            assert 0.0 < sample.time <= LATEST_TIME
            assert decode(encode(sample)) == sample

    words = tuple(text.replace(",", " ").encode().split()[:20])
    allowed = (InputError,)
    return Target(
        f"replay-{name}", (text.encode(),), run, allowed, words=words, slowness=10
    )


def _make_policy() -> Target:
    texts = (*_POLICIES, "\n".join(_POLICIES), shipped_policy().text)
    corpus = tuple(text.encode() for text in texts)
    return Target(
        "policy",
        corpus,
        _policy,
        (InputError,),
        words=tuple(_POLICY_WORDS),
        slowness=50,
    )


def _make_ledger() -> Target:
    ledgers = _Ledgers()
    allowed = (SetupError,)
    return Target("ledger", (ledgers.good,), ledgers.lay, allowed, slowness=100)


def _make_ledger_sql() -> Target:
    return Target(
        "ledger-sql",
        tuple(text.encode() for text in _SQL),
        _Ledgers().sql,
        (SetupError,),
        words=tuple(_SQL_WORDS),
        slowness=200,
    )


TARGETS: Makers = {
    "backup": lambda: Target(
        "backup",
        (_sealed(_backup_text()),),
        _backup(lambda data: data),
        (TrivetError,),
        slowness=50,
    ),
    "backup-signed": lambda: Target(
        "backup-signed",
        (_backup_text(),),
        _backup(_sealed),
        (TrivetError,),
        codec=MSGPACK,
        slowness=50,
    ),
    "policy": _make_policy,
    "ledger": _make_ledger,
    "ledger-sql": _make_ledger_sql,
    **{f"replay-{name}": partial(_recording, name) for name in _RECORDINGS},
}

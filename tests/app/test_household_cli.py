from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from trivet.app.cli.household import device_app, household_app
from trivet.fabric import seal

PHRASE = "four words that fit"


class Shell:
    """The two verbs, with one household's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, app: typer.Typer, *words: object, code: int = 0) -> str:
        told = CliRunner().invoke(
            app,
            [str(word) for word in words],
            env={"TRIVET_HOUSEHOLD": str(self.folder)},
        )
        assert told.exit_code == code, told.output
        return told.output

    def household(self, *words: object, code: int = 0) -> str:
        return self.run(household_app, *words, code=code)

    def device(self, *words: object, code: int = 0) -> str:
        return self.run(device_app, *words, code=code)

    def shown(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(self.household("show", "--json"))
        return read


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setattr(seal, "COST", seal.Cost(4, 8, 1))
    monkeypatch.delenv("TRIVET_PASSPHRASE", raising=False)
    monkeypatch.delenv("TRIVET_PASSPHRASE_FILE", raising=False)
    made = Shell(tmp_path / "home")
    made.household("create", "ours")
    made.device("add", "phone", "--kind", "phone")
    made.device("add", "car", "--kind", "car", "--host", "car.local")
    return made


def test_devices_are_listed_and_shown(shell: Shell) -> None:
    read = json.loads(shell.device("list", "--json"))
    assert [(d["device"], d["kind"]) for d in read["devices"]] == [
        ("car", "car"),
        ("phone", "phone"),
    ]
    one = json.loads(shell.device("show", "car", "--json"))
    assert len(one["fingerprint"]) == 64
    assert (one["here"], one["expired"], one["guest"]) == (True, False, False)
    assert "car" in shell.device("list")
    assert "fingerprint" in shell.device("show", "car")
    assert "not a member" in shell.device("show", "boat", code=2)


def test_a_revoked_device_is_shown_as_shut_out(shell: Shell) -> None:
    shell.device("revoke", "car", "--reason", "sold")
    shown = shell.shown()
    assert [d["device"] for d in shown["devices"]] == ["phone"]
    assert [(r["device"], r["reason"]) for r in shown["revoked"]] == [("car", "sold")]
    assert "sold" in shell.household("show")
    assert "revoked" in shell.device("renew", "car", code=2)
    assert "not a member" in shell.device("revoke", "boat", code=2)


def test_a_device_is_renewed(shell: Shell) -> None:
    assert "renewed until" in shell.device("renew", "car")


def test_a_household_moves_by_its_backup(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = tmp_path / "backup"
    assert "passphrase" in shell.household("export", backup, code=3)
    monkeypatch.setenv("TRIVET_PASSPHRASE", PHRASE)
    shell.household("export", backup)
    other = Shell(tmp_path / "other")
    other.household("import", backup)
    assert other.shown() == shell.shown()
    monkeypatch.setenv("TRIVET_PASSPHRASE", "another one")
    third = Shell(tmp_path / "third")
    assert "passphrase is wrong" in " ".join(
        third.household("import", backup, code=4).split()
    )
    assert not (tmp_path / "third").exists()


def test_locked_keys_ask_for_their_passphrase(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIVET_PASSPHRASE", PHRASE)
    assert "4 keys locked" in shell.household("lock")
    assert "0 keys locked" in shell.household("lock")
    shell.device("renew", "car")
    monkeypatch.delenv("TRIVET_PASSPHRASE")
    assert "TRIVET_PASSPHRASE" in shell.device("renew", "car", code=3)


def test_a_household_is_refounded(shell: Shell) -> None:
    shell.device("revoke", "phone", "--reason", "stolen")
    before = (shell.folder / "identity" / "ca.pem").read_bytes()
    said = shell.household("refound")
    assert "ours has a new authority" in said
    assert "phone" not in said
    assert (shell.folder / "identity" / "ca.pem").read_bytes() != before
    assert [row["device"] for row in shell.shown()["devices"]] == ["car"]
    shell.device("renew", "car")
    (shell.folder / "identity" / "founder.key").unlink()
    assert "where its" in shell.household("refound", code=3)  # key is kept


def test_a_second_issuer_is_made_by_hand(shell: Shell, tmp_path: Path) -> None:
    sealed = tmp_path / "sealed"
    assert "either --to or --from" in shell.device("issuer", "car", code=2)
    shell.device("issuer", "car", "--to", sealed)
    assert shell.shown()["issuer"] is True
    authority = shell.folder / "identity" / "ca.key"
    before = authority.read_bytes()
    authority.unlink()
    assert shell.shown()["issuer"] is False
    assert "founded" in shell.device("add", "bike", "--kind", "other", code=3)
    shell.device("issuer", "phone", "--from", sealed, code=5)
    shell.device("issuer", "car", "--from", sealed)
    assert authority.read_bytes() == before
    shell.device("add", "bike", "--kind", "other")

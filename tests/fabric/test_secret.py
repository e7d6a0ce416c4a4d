from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from trivet.domain import SetupError
from trivet.fabric import seal
from trivet.fabric.request import new_key
from trivet.fabric.secret import (
    Secret,
    find_passphrase,
    is_locked,
    lock_key,
    unlock_key,
)

KEY = new_key()


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seal, "COST", seal.Cost(4, 8, 1))
    monkeypatch.delenv("TRIVET_PASSPHRASE", raising=False)
    monkeypatch.delenv("TRIVET_PASSPHRASE_FILE", raising=False)


def test_a_secret_is_never_shown() -> None:
    assert "hidden" not in f"{Secret(b'hidden')!r} {Secret(b'hidden')}"
    assert Secret(b"a") == Secret(b"a") != Secret(b"b")


def test_the_passphrase_given_comes_before_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert find_passphrase() is None
    file = tmp_path / "phrase"
    file.write_text("from the file\nand no more\n")
    file.chmod(0o600)
    monkeypatch.setenv("TRIVET_PASSPHRASE_FILE", str(file))
    assert find_passphrase() == "from the file"
    monkeypatch.setenv("TRIVET_PASSPHRASE", "from the environment")
    assert find_passphrase() == "from the environment"
    assert find_passphrase(Secret(b"given")) == "given"


def test_attack_read_the_passphrase_file_of_somebody_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A file that others can read keeps no passphrase."""
    file = tmp_path / "phrase"
    file.write_text("from the file")
    file.chmod(0o644)
    monkeypatch.setenv("TRIVET_PASSPHRASE_FILE", str(file))
    with pytest.raises(SetupError, match="chmod 600"):
        find_passphrase()
    file.unlink()
    with pytest.raises(SetupError, match="missing"):
        find_passphrase()


def test_a_key_opens_again_locked_or_not() -> None:
    for phrase in (None, "long enough"):
        data = lock_key(KEY, phrase)
        assert is_locked(data) == (phrase is not None)
        assert unlock_key(data, phrase).private_numbers() == KEY.private_numbers()


def test_a_key_locked_by_another_tool_opens_too() -> None:
    data = KEY.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"long enough"),
    )
    assert is_locked(data)
    assert unlock_key(data, "long enough").private_numbers() == KEY.private_numbers()
    with pytest.raises(SetupError, match="does not open"):
        unlock_key(data, "something else")


def test_a_short_passphrase_locks_nothing() -> None:
    with pytest.raises(SetupError, match="7 characters"):
        lock_key(KEY, "1234567")


def test_attack_flip_any_bit_of_a_locked_key() -> None:
    data = lock_key(KEY, "long enough")
    head = len(seal.PASSPHRASE_MAGIC) + 3
    for at in range(head, len(data)):
        bad = bytearray(data)
        bad[at] ^= 1
        with pytest.raises(SetupError, match="does not open"):
            unlock_key(bytes(bad), "long enough")

"""Private keys at rest: locked with a passphrase, where the household has one.

A locked key is sealed with scrypt rather than kept as encrypted PKCS 8, whose usual
2,048 rounds of PBKDF2 make a guess cost a millisecond and no memory. Keys in encrypted
PKCS 8 that somebody else made are read all the same.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from trivet.domain.error import SetupError
from trivet.fabric import certificate, disk, seal

#: Say the passphrase, or the file whose first line it is.
VARIABLE, FILE_VARIABLE = "TRIVET_PASSPHRASE", "TRIVET_PASSPHRASE_FILE"
MIN_CHARACTERS = 8
_HINT = f"set ${VARIABLE}, or ${FILE_VARIABLE} to a file that holds it"


class Secret(msgspec.Struct, frozen=True):
    """Bytes that no log or traceback shows."""

    value: bytes

    def __repr__(self) -> str:
        return "Secret(...)"


def find_passphrase(given: Secret | None = None) -> str | None:
    """The passphrase given, else that of the environment, else None.

    Raises:
        SetupError: its file cannot be read or can be read by others.
    """
    if given is not None:
        return given.value.decode()
    if text := os.environ.get(VARIABLE):
        return text
    if path := os.environ.get(FILE_VARIABLE):
        data = disk.read_secret(Path(path), f"see ${FILE_VARIABLE}")
        try:
            return data.decode().split("\n", 1)[0].rstrip("\r") or None
        except UnicodeDecodeError as error:
            raise SetupError(f"{path} is no text", hint=_HINT) from error
    return None


def lock_key(private: ec.EllipticCurvePrivateKey, passphrase: str | None) -> bytes:
    """A private key for the disk; in plain PEM where there is no passphrase.

    Raises:
        SetupError: the passphrase is shorter than MIN_CHARACTERS.
    """
    text = certificate.key_to_pem(private)
    if passphrase is None:
        return text
    return seal.seal(check_passphrase(passphrase), "key", text)


def unlock_key(data: bytes, passphrase: str | None) -> ec.EllipticCurvePrivateKey:
    """The private key in `data`.

    Raises:
        ValueError: there is none of an elliptic curve, or it is damaged.
        SetupError: it is locked, and the passphrase is missing or wrong.
    """
    if not is_locked(data):
        return certificate.key_from_pem(data)
    if passphrase is None:
        raise SetupError("the key is locked with a passphrase", hint=_HINT)
    try:
        if data.startswith(seal.PASSPHRASE_MAGIC):
            return certificate.key_from_pem(seal.unseal(passphrase, "key", data))
        return certificate.key_from_pem(data, passphrase.encode())
    except ValueError as error:
        raise SetupError(f"the key does not open: {error}", hint=_HINT) from error


def is_locked(data: bytes) -> bool:
    """Whether a private key's file is locked with a passphrase."""
    sealed = data.startswith(seal.PASSPHRASE_MAGIC)
    return sealed or b"-----BEGIN ENCRYPTED PRIVATE KEY-----" in data


def check_passphrase(passphrase: str) -> str:
    """Hand back a passphrase that is long enough.

    Raises:
        SetupError: it is not.
    """
    if len(passphrase) < MIN_CHARACTERS:
        raise SetupError(
            f"the passphrase has {len(passphrase)} characters",
            hint=f"take {MIN_CHARACTERS} or more: four words that belong to nothing",
        )
    return passphrase

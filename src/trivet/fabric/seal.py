"""Sealing: bytes that only a passphrase, or only one device's key, opens again.

    with a passphrase   magic, version, log2 N, r, p, salt 16, nonce 12, ciphertext
    to a device         magic, version, one-time public key 65, ciphertext

Either begins with its header, which is authenticated with the rest, and is bound to
its purpose: what was sealed as a key does not open as a backup.

Source: RFC 7914 (scrypt), NIST SP 800-38D (AES-GCM), RFC 5869 (HKDF); the second as
RFC 9180 does it in its base mode, with P-256.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

PASSPHRASE_MAGIC = b"trivet sealed\0\1"
DEVICE_MAGIC = b"trivet to key\0\1"
#: Longest text that is opened again, in bytes.
MAX_BYTES = 1 << 20
_SALT, _NONCE, _POINT, _TAG = 16, 12, 65, 16


class Cost(NamedTuple):
    """What one guess at a passphrase costs: 128 * 2**log2_n * r bytes, p times over."""

    log2_n: int
    r: int
    p: int


#: 32 MiB and a third of a second on a small processor: what a phone can pay.
COST = Cost(15, 8, 3)
#: A file that asks for more than this is not opened: 256 MiB, 16 times over.
_MOST = Cost(18, 8, 16)


def seal(passphrase: str, purpose: str, text: bytes) -> bytes:
    """`text`, so that only the passphrase opens it, for the same purpose."""
    salt, nonce = os.urandom(_SALT), os.urandom(_NONCE)
    head = PASSPHRASE_MAGIC + bytes(COST) + salt + nonce
    cipher = AESGCM(_stretch(passphrase, salt, COST))
    return head + cipher.encrypt(nonce, text, head + purpose.encode())


def unseal(passphrase: str, purpose: str, data: bytes) -> bytes:
    """What was sealed.

    Raises:
        ValueError: another passphrase or purpose, damaged, cut off, or no such thing.
    """
    length = len(PASSPHRASE_MAGIC) + len(COST) + _SALT + _NONCE
    head, body = data[:length], data[length:]
    if not head.startswith(PASSPHRASE_MAGIC) or not _TAG <= len(body) <= MAX_BYTES:
        raise ValueError("it is not sealed, or cut off")
    rest = head[len(PASSPHRASE_MAGIC) :]
    cost, salt, nonce = Cost(*rest[:3]), rest[3 : 3 + _SALT], rest[-_NONCE:]
    if any(not 1 <= asked <= most for asked, most in zip(cost, _MOST, strict=True)):
        raise ValueError("its header asks for too much memory or time")
    try:
        cipher = AESGCM(_stretch(passphrase, salt, cost))
        return cipher.decrypt(nonce, body, head + purpose.encode())
    except InvalidTag:
        raise ValueError("the passphrase is wrong, or it is damaged") from None


def seal_to(public: ec.EllipticCurvePublicKey, purpose: str, text: bytes) -> bytes:
    """`text`, so that only the holder of this key opens it, for the same purpose."""
    once = ec.generate_private_key(ec.SECP256R1())
    head = DEVICE_MAGIC + _point(once.public_key())
    cipher = _agree(once, public, head + _point(public))
    # the key is used this once, so the nonce may be fixed
    return head + cipher.encrypt(bytes(_NONCE), text, head + purpose.encode())


def unseal_with(
    private: ec.EllipticCurvePrivateKey, purpose: str, data: bytes
) -> bytes:
    """What was sealed to this key.

    Raises:
        ValueError: to another key or for another purpose, damaged, or no such thing.
    """
    length = len(DEVICE_MAGIC) + _POINT
    head, body = data[:length], data[length:]
    if not head.startswith(DEVICE_MAGIC) or not _TAG <= len(body) <= MAX_BYTES:
        raise ValueError("it is not sealed to a device, or cut off")
    once = ec.EllipticCurvePublicKey.from_encoded_point(
        ec.SECP256R1(), head[len(DEVICE_MAGIC) :]
    )
    cipher = _agree(private, once, head + _point(private.public_key()))
    try:
        return cipher.decrypt(bytes(_NONCE), body, head + purpose.encode())
    except InvalidTag:
        raise ValueError("it is sealed to another key, or damaged") from None


def _stretch(passphrase: str, salt: bytes, cost: Cost) -> bytes:
    scrypt = Scrypt(salt=salt, length=32, n=1 << cost.log2_n, r=cost.r, p=cost.p)
    return scrypt.derive(passphrase.encode())


def _agree(
    mine: ec.EllipticCurvePrivateKey, theirs: ec.EllipticCurvePublicKey, info: bytes
) -> AESGCM:
    shared = mine.exchange(ec.ECDH(), theirs)
    return AESGCM(HKDF(hashes.SHA256(), 32, salt=None, info=info).derive(shared))


def _point(public: ec.EllipticCurvePublicKey) -> bytes:
    return public.public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )

"""The keys of a pairing: from a short code to a channel that only the two share.

SPAKE2 turns the code into a key that a listener cannot search for and a guesser can
test once a try. From that key and the transcript of both hellos come four keys: a proof
and a seal for each direction, so nothing that one side said can be sent back to it.

Source: RFC 9382 (SPAKE2; the `spake2` package has the same exchange with its own
encoding), RFC 5869 (HKDF), RFC 2104 (HMAC), RFC 8439 (ChaCha20-Poly1305).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from enum import Enum
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from spake2 import SPAKE2_A, SPAKE2_B
from spake2.ed25519_basic import NotOnCurve, Q
from spake2.spake2 import SPAKEError

from trivet.domain.error import WireError
from trivet.fabric.pairing_code import Code
from trivet.fabric.pairing_wire import VERSION, Inner, decode_inner, encode_inner

_LABEL = b"trivet pairing %d" % VERSION


class Role(Enum):
    """Which end of the pairing a device is."""

    JOINER = b"joiner"
    HOST = b"host"

    @property
    def other(self) -> Role:
        """The other end."""
        return Role.HOST if self is Role.JOINER else Role.JOINER


class Exchange:
    """One side of one key exchange; used once, for one try."""

    def __init__(
        self, role: Role, code: Code, session: str, entropy: Callable[[int], bytes]
    ) -> None:
        """Begin.

        Args:
            role: the side.
            code: the pairing code.
            session: the host's session id, which both sides name.
            entropy: gives so many random bytes.
        """
        side = SPAKE2_A if role is Role.JOINER else SPAKE2_B
        self._role = role
        self._spake = side(
            code.password,
            idA=_LABEL + b" joiner",
            idB=_LABEL + b" host " + session.encode(),
            entropy_f=entropy,
        )
        #: what the other side needs of this one
        self.share: bytes = self._spake.start()

    def finish(self, share: bytes) -> bytes:
        """The key that follows from the other side's share.

        Raises:
            WireError: it is this side's own, or no point of the group's prime order.
        """
        # the package takes numbers past the field's, and so the identity in disguise
        y = int.from_bytes(share[1:], "little") & (2**255 - 1)
        if y == 1 or y >= Q:
            raise WireError("a share that is none: not the one encoding of a point")
        try:
            derived: bytes = self._spake.finish(share)
        except (SPAKEError, NotOnCurve, ValueError) as error:
            reason = str(error) or type(error).__name__
            raise WireError(f"a share that is none: {reason}") from None
        return derived


class Channel:
    """Proofs and sealed messages of one side, each of one use."""

    def __init__(self, role: Role, derived: bytes, hello: bytes, reply: bytes) -> None:
        """Derive the four keys.

        Args:
            role: the side.
            derived: the exchange's key.
            hello: the joiner's hello as it was on the wire.
            reply: the host's, likewise.
        """
        self._role = role
        self._transcript = _hash(_LABEL, hello, reply)
        self._proofs = {r: self._derive(derived, b"proof", r) for r in Role}
        self._seals = {
            r: ChaCha20Poly1305(self._derive(derived, b"seal", r)) for r in Role
        }
        self._used = dict.fromkeys(Role, 0)

    def prove(self) -> bytes:
        """This side's proof that it holds the key and saw the same hellos."""
        return self._proof(self._role)

    def is_proof(self, mac: bytes) -> bool:
        """Whether `mac` is the other side's proof, told in constant time."""
        return hmac.compare_digest(mac, self._proof(self._role.other))

    def seal(self, message: Inner) -> bytes:
        """The message, encrypted for the other side.

        Raises:
            UsageError: it cannot be sent.
        """
        body = encode_inner(message)
        cipher = self._seals[self._role]
        return cipher.encrypt(self._nonce(self._role), body, self._transcript)

    def unseal(self, body: bytes) -> Inner:
        """The other side's next message.

        Raises:
            WireError: it is not the other side's next message.
        """
        cipher = self._seals[self._role.other]
        nonce = self._nonce(self._role.other)
        try:
            text = cipher.decrypt(nonce, body, self._transcript)
        except InvalidTag:
            raise WireError("a sealed message was tampered with or replayed") from None
        return decode_inner(text)

    def _derive(self, derived: bytes, use: bytes, role: Role) -> bytes:
        info = b" ".join((_LABEL, use, role.value))
        return HKDF(SHA256(), 32, salt=self._transcript, info=info).derive(derived)

    def _proof(self, role: Role) -> bytes:
        return hmac.digest(self._proofs[role], self._transcript, "sha256")

    def _nonce(self, role: Role) -> bytes:
        """Counts each direction's messages; a nonce is never used twice."""
        count = self._used[role]
        self._used[role] = count + 1
        return count.to_bytes(12, "big")


def _hash(*parts: bytes) -> bytes:
    """A digest of the parts in which none can be taken for a piece of another."""
    return sha256(b"".join(len(p).to_bytes(4, "big") + p for p in parts)).digest()

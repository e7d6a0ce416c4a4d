"""The code that a person carries from one screen to the other, as digits or as QR.

Seven random digits and a check digit, shown as `1234 5678`. The check digit catches
every single mistyped digit and every swap of neighbours, so that a slip costs no try.
It depends on the others, so a guesser has one in 10^7 with each try, not in 10^8.

A ticket is the same code with what saves the person from typing:

    trivet:pair?at=192.168.1.20:7450&code=12345678&host=0a1b2c3d&ca=<64 digits>

Nothing in a ticket is escaped, so nothing in it is unescaped: whatever is not of the
narrow alphabet above is refused.

Source: H. M. Damm, "Total anti-symmetrische Quasigruppen", Marburg 2004 (check digit);
ISO/IEC 18004 (QR).
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable
from ipaddress import AddressValueError, IPv6Address
from typing import Any

import msgspec
import segno

from trivet.domain.error import UsageError

#: Digits of a code, the check digit among them.
DIGITS = 8
#: As many different codes as there are.
CODES = 10 ** (DIGITS - 1)
#: A ticket with more addresses is refused.
MAX_ADDRESSES = 8
MAX_TICKET = 700
_SCHEME = "trivet:pair?"

#: A totally anti-symmetric quasigroup of order 10 with zeros on its diagonal.
_DAMM = (
    "0317598642",
    "7092154863",
    "4206871359",
    "1750983426",
    "6123045978",
    "3674209581",
    "5869720134",
    "8945362017",
    "9438617205",
    "2581436790",
)
_HOST_PORT = re.compile(
    r"(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[(?P<six>[0-9a-f:.]+)\])"
    r":(?P<port>[0-9]{1,5})",
    re.ASCII,
)
_CODE = re.compile(rf"[0-9]{{{DIGITS}}}", re.ASCII)
_SESSION = re.compile(r"[0-9a-f]{8}", re.ASCII)
_AUTHORITY = re.compile(r"[0-9a-f]{64}", re.ASCII)


class Code(msgspec.Struct, frozen=True):
    """A pairing code. It never shows itself by accident: only `shown` tells it.

    Attributes:
        digits: the eight digits; a secret.
    """

    digits: str

    def __repr__(self) -> str:
        return "Code(…)"

    def __str__(self) -> str:
        return "…"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("digits", "…")]

    @property
    def shown(self) -> str:
        """For a person to read: `1234 5678`."""
        return f"{self.digits[:4]} {self.digits[4:]}"

    @property
    def password(self) -> bytes:
        """For the key exchange."""
        return self.digits.encode()


class Ticket(msgspec.Struct, frozen=True):
    """Everything that joining takes.

    Attributes:
        addresses: `host:port` of the lobby, the likeliest first.
        code: the pairing code.
        host: the host's session id.
        authority: fingerprint of the household's certificate authority.
    """

    addresses: tuple[str, ...]
    code: Code
    host: str
    authority: str

    @property
    def url(self) -> str:
        """For a camera to read. It holds the code: show it, never log it."""
        at = "".join(f"at={address}&" for address in self.addresses)
        rest = f"code={self.code.digits}&host={self.host}&ca={self.authority}"
        return _SCHEME + at + rest


def make_code(entropy: Callable[[int], bytes] = os.urandom) -> Code:
    """A fresh code.

    Args:
        entropy: gives so many random bytes.
    """
    # 64 bits over 10^7 codes: the likeliest is so by less than one part in 10^12
    number = int.from_bytes(entropy(8), "big") % CODES
    digits = f"{number:0{DIGITS - 1}}"
    return Code(digits + _check_digit(digits))


def read_code(text: str) -> Code:
    """The code that a person typed; blanks and hyphens in it are ignored.

    Raises:
        UsageError: it is none, or mistyped. The text is not repeated in the error.
    """
    digits = re.sub(r"[ \t-]", "", text.strip()) if len(text) <= 40 else ""
    if not _CODE.fullmatch(digits):
        raise UsageError(
            f"that is not a pairing code: a code has {DIGITS} digits",
            hint="type it as the other screen shows it: 1234 5678",
        )
    if _check_digit(digits) != "0":
        raise UsageError(
            "the code was mistyped", hint="compare it with the other screen again"
        )
    return Code(digits)


def read_ticket(text: str) -> Ticket:
    """The ticket that a camera read or a person pasted.

    Raises:
        UsageError: it is none. The text is not repeated in the error.
    """
    body = text.strip()
    if len(body) > MAX_TICKET or not body.startswith(_SCHEME):
        raise _no_ticket(f"it begins with {_SCHEME}")
    fields: dict[str, list[str]] = {"at": [], "code": [], "host": [], "ca": []}
    for pair in body.removeprefix(_SCHEME).split("&"):
        name, equals, value = pair.partition("=")
        if not equals or name not in fields:
            raise _no_ticket("it holds at, code, host and ca only")
        fields[name].append(value)
    if not 1 <= len(fields["at"]) <= MAX_ADDRESSES:
        raise _no_ticket(f"it holds 1 to {MAX_ADDRESSES} addresses")
    if [len(fields[name]) for name in ("code", "host", "ca")] != [1, 1, 1]:
        raise _no_ticket("it holds code, host and ca once each")
    (code,), (host,), (authority,) = fields["code"], fields["host"], fields["ca"]
    if not (_SESSION.fullmatch(host) and _AUTHORITY.fullmatch(authority)):
        raise _no_ticket("its host or ca is damaged")
    if not _CODE.fullmatch(code):  # as it is made, not as it may be typed
        raise _no_ticket("its code is damaged")
    addresses = tuple(check_address(address) for address in fields["at"])
    return Ticket(addresses, read_code(code), host, authority)


def is_ticket(text: str) -> bool:
    """Whether a text means to be a ticket, and not a code."""
    return text.strip().startswith("trivet:")


def check_address(text: str) -> str:
    """Hand back `text` if it is `host:port`, an IPv6 address in brackets.

    Raises:
        UsageError: it is not.
    """
    found = _HOST_PORT.fullmatch(text) if len(text) <= 260 else None
    if found is None or int(found["port"]) > 65535 or not _is_six(found["six"]):
        raise UsageError(
            f"{text[:60]!a} is not host:port",
            hint="such as 192.168.1.20:7450, home.local:7450 or [fe80::1]:7450",
        )
    return text


def draw_text(ticket: Ticket) -> str:
    """The ticket's QR code for a terminal, light on dark, two modules a character."""
    out = io.StringIO()
    segno.make(ticket.url, error="m", micro=False).terminal(out, compact=True, border=2)
    return out.getvalue()


def draw_svg(ticket: Ticket) -> str:
    """The ticket's QR code as an SVG element to put into a page."""
    code = segno.make(ticket.url, error="m", micro=False)
    drawn: str = code.svg_inline(scale=4, dark="#000", light="#fff")
    return drawn


def _check_digit(digits: str) -> str:
    """The digit that brings the chain to zero; `0` if `digits` ends with its own."""
    state = "0"
    for digit in digits:
        state = _DAMM[int(state)][int(digit)]
    return state


def _is_six(text: str | None) -> bool:
    if text is None:
        return True
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return True


def _no_ticket(why: str) -> UsageError:
    return UsageError(
        f"that is not a pairing ticket: {why}",
        hint="scan the QR code again, or type the code",
    )

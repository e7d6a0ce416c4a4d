"""Content lines: the text of a calendar, unfolded and taken apart.

Source: RFC 5545, 3.1 "Content Lines" and 3.3.11 "Text".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from trivet.domain.error import InputError

#: A line longer than this, unfolded, is none of a calendar: pictures are not read.
MAX_LINE = 1 << 20
_NAME = re.compile(r"[A-Za-z0-9-]{1,64}")
_PARAMETER = re.compile(r';([A-Za-z0-9-]{1,64})=((?:"[^"]*"|[^";:,]*)(?:,[^";:]*)?)')
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class Line(msgspec.Struct, frozen=True):
    """One property.

    Attributes:
        number: 1-based line of the file on which it begins.
        name: in upper case: `DTSTART`.
        parameters: by name in upper case, without quotes.
        value: as written, escapes and all.
    """

    number: int
    name: str
    parameters: dict[str, str]
    value: str


def lines_of(text: str, path: str) -> Iterator[Line]:
    """Each property of the text; blank lines are left out.

    Raises:
        InputError: a line without a name or a colon, or one too long.
    """
    for number, raw in _unfold(text, path):
        yield _parse(number, raw, path)


def text_of(value: str, most: int) -> str:
    """A TEXT value for a person: escapes undone, on one line, at most so long."""
    plain = _ESCAPE.sub(lambda found: " " if found[1] in "nN" else found[1], value)
    return _CONTROL.sub(" ", plain).strip()[:most]


def _unfold(text: str, path: str) -> Iterator[tuple[int, str]]:
    """Lines with their continuations, which begin with a space or a tab."""
    begun, parts, length = 0, list[str](), 0
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.removesuffix("\r")
        if parts and line[:1] in (" ", "\t"):
            parts.append(line[1:])
            length += len(line)
        else:
            if parts:
                yield begun, "".join(parts)
            begun, parts, length = number, [line] if line.strip() else [], len(line)
        if length > MAX_LINE:
            raise InputError(
                f"a line of more than {MAX_LINE >> 20} MiB: this is no calendar",
                path=path,
                line=number,
            )
    if parts:
        yield begun, "".join(parts)


def _parse(number: int, raw: str, path: str) -> Line:
    name = _NAME.match(raw)
    at = name.end() if name else 0
    parameters: dict[str, str] = {}
    while name and (found := _PARAMETER.match(raw, at)):
        parameters.setdefault(found[1].upper(), found[2].strip('"'))
        at = found.end()
    if name is None or raw[at : at + 1] != ":":
        raise InputError(f"no property: {raw[:40]!r}", path=path, line=number)
    return Line(number, name[0].upper(), parameters, raw[at + 1 :])

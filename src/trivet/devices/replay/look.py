"""What a file looks like: words for a person whose file was not recognised."""

from __future__ import annotations

import re

from trivet.devices.replay.report import shorten

_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_XML_ROOT = re.compile(rb"<([A-Za-z][\w:.-]*)")
_JSON_KEYS = re.compile(rb'"([^"\\]{1,40})"\s*:')


def describe(head: bytes) -> str:
    """What a file with these first bytes looks like.

    Args:
        head: the first bytes of the file, unpacked.
    """
    if not head:
        return "an empty file"
    if _is_binary(head):
        return f"binary data that begins with {head[:8].hex(' ')}"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text:
        return "blank lines"
    if text.startswith(b"<"):
        root = _XML_ROOT.search(text)
        return f"XML of <{root[1].decode()}>" if root else "XML"
    if text[:1] in b"{[":
        keys = list(
            dict.fromkeys(
                key.decode("utf-8", "replace") for key in _JSON_KEYS.findall(text)
            )
        )
        return f"JSON with {shorten(', '.join(keys))}" if keys else "JSON"
    line = text.split(b"\n", 1)[0].rstrip(b"\r")
    if any(line.count(mark) >= 1 for mark in (b",", b";")):
        return f"CSV with the header {shorten(line)}"
    return f"text that begins with {shorten(line)!r}"


def _is_binary(head: bytes) -> bool:
    if _CONTROL.search(head):
        return True
    try:
        head.decode()
    except UnicodeDecodeError as error:
        # the last character may be cut, and old logs are Latin-1
        return len(head) - error.start > 3 and _foreign(head) > 0.3
    return False


def _foreign(head: bytes) -> float:
    return sum(byte >= 0x80 for byte in head) / len(head)

"""Messages as trees that can be altered and written again: MessagePack and DER.

A tree is written with the lengths and counts that it has, so that what was altered is
still well-formed and gets past the outermost check; or with a lie in one of them.

Source: the MessagePack specification, https://github.com/msgpack/msgpack; ITU-T X.690
(DER).
"""

from __future__ import annotations

import math
import struct
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field

#: Written as it stands, without a head of its own.
RAW = -1
#: Deeper than any message is, and than a recursive reader stands.
DEEP = 3000


@dataclass(slots=True)
class Node:
    """One value of a message.

    Attributes:
        tag: its type, in the codec's numbers; RAW for bytes with their own head.
        content: its bytes, where it has no children.
        children: its parts; of a map, keys and values in turn. None in a leaf.
        lie: added to the length or count that is written.
    """

    tag: int
    content: bytes = b""
    children: list[Node] | None = None
    lie: int = field(default=0)

    def walk(self) -> Iterator[Node]:
        """The node and all below it."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(node.children or ())

    def become(self, other: Node) -> None:
        """Take the place of another node in this one's place."""
        self.tag, self.content = other.tag, other.content
        self.children, self.lie = other.children, other.lie


class Codec(ABC):
    """Reads and writes one encoding.

    Attributes:
        tags: types that a leaf may be given in place of its own.
        values: encoded values of every type, the odd ones among them.
    """

    tags: tuple[int, ...]
    values: tuple[bytes, ...]

    def parse(self, data: bytes) -> Node | None:
        """The tree of one value and nothing behind it, None if it is not that."""
        try:
            node, end = self._read(data, 0, 0)
        except (IndexError, ValueError):
            return None
        return node if end == len(data) else None

    @abstractmethod
    def dump(self, node: Node) -> bytes:
        """The bytes of a tree."""

    @abstractmethod
    def _read(self, data: bytes, at: int, depth: int) -> tuple[Node, int]:
        """The value at `at` and where it ends; ValueError or IndexError if none."""


def _piece(data: bytes, at: int, size: int) -> bytes:
    if at + size > len(data):
        raise ValueError("cut off")
    return data[at : at + size]


_MAP, _ARRAY, _STR, _BIN = 0x80, 0x90, 0xA0, 0xC4
#: Head -> type and bytes of its length.
_SIZED = {
    0xC4: (_BIN, 1), 0xC5: (_BIN, 2), 0xC6: (_BIN, 4),
    0xD9: (_STR, 1), 0xDA: (_STR, 2), 0xDB: (_STR, 4),
    0xDC: (_ARRAY, 2), 0xDD: (_ARRAY, 4), 0xDE: (_MAP, 2), 0xDF: (_MAP, 4),
}  # fmt: skip
#: Head -> bytes behind it.
_FIXED = {
    0xCA: 4, 0xCB: 8, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2,
    0xD2: 4, 0xD3: 8, 0xD4: 2, 0xD5: 3, 0xD6: 5, 0xD7: 9, 0xD8: 17,
}  # fmt: skip
#: Type -> heads of its forms with 0, 1, 2 and 4 bytes of length; room of the first.
_HEADS = {
    _MAP: (0x80, None, 0xDE, 0xDF, 16),
    _ARRAY: (0x90, None, 0xDC, 0xDD, 16),
    _STR: (0xA0, 0xD9, 0xDA, 0xDB, 32),
    _BIN: (None, 0xC4, 0xC5, 0xC6, 0),
}


class MsgpackCodec(Codec):
    """MessagePack; a leaf of another type than text and bytes keeps its head as tag."""

    tags = (_STR, _BIN, 0xCA, 0xCB, 0xCC, 0xCD, 0xCF, 0xD0, 0xD3, 0xD6, 0xC0, 0xC1)
    values = (
        *(bytes([head]) for head in (0x00, 0x7F, 0xC0, 0xC1, 0xC2, 0xC3, 0xE0, 0xFF)),
        *(b"\xcb" + struct.pack(">d", x) for x in (math.nan, math.inf, -math.inf)),
        *(b"\xcb" + struct.pack(">d", x) for x in (-0.0, 0.5, 1e9, 1e308, 5e-324)),
        b"\xca\x7f\xc0\x00\x00",
        b"\xcf" + b"\xff" * 8,
        b"\xcf\x80" + bytes(7),
        b"\xd3\x80" + bytes(7),
        b"\xd3" + b"\xff" * 8,
        b"\xa0",
        b"\xa1a",
        b"\xa2\xff\xfe",  # no UTF-8
        b"\xa3\xed\xa0\x80",  # a surrogate
        b"\xa2a\x00",
        b"\xa2a\n",
        b"\xda\x04\x00" + b"a" * 1024,
        b"\xc4\x00",
        b"\xc4\x04\x00\xff\x80a",
        b"\xc7\x00\x05",
        b"\xd6\xff" + bytes(4),  # a time
        b"\xd7\xff" + b"\xff" * 8,
        b"\x80",
        b"\x90",
        b"\x81\xa4type\xa3ack",
        b"\xdb" + b"\xff" * 4,  # more than there is
        b"\xc6\x7f" + b"\xff" * 3,
        b"\xdd" + b"\xff" * 4,
        b"\xdf" + b"\xff" * 4,
        b"\x91" * DEEP + b"\xc0",
        b"\x81\xa1a" * DEEP + b"\xc0",
    )

    def dump(self, node: Node) -> bytes:
        """The bytes of a tree, each head the shortest for its length."""
        if node.tag == RAW:
            return node.content
        forms = _HEADS.get(node.tag)
        if forms is None:
            return bytes([node.tag]) + node.content
        if node.children is None:
            size, body = len(node.content), node.content
        else:
            size = len(node.children) // (2 if node.tag == _MAP else 1)
            body = b"".join(map(self.dump, node.children))
        return self._head(forms, max(0, size + node.lie)) + body

    def _head(self, forms: tuple[int | None, ...], size: int) -> bytes:
        fix, one, two, four, room = forms
        if fix is not None and room and size < room:
            return bytes([fix | size])
        if one is not None and size < 1 << 8:
            return bytes([one, size])
        if two is not None and size < 1 << 16:
            return bytes([two]) + size.to_bytes(2, "big")
        assert four is not None
        return bytes([four]) + (size & 0xFFFFFFFF).to_bytes(4, "big")

    def _read(self, data: bytes, at: int, depth: int) -> tuple[Node, int]:
        head, at = data[at], at + 1
        if head in _SIZED:
            tag, width = _SIZED[head]
            size = int.from_bytes(_piece(data, at, width), "big")
            at += width
        elif 0x80 <= head < 0xC0:
            tag = head & 0xF0 if head < 0xA0 else _STR
            size = head & (0x0F if head < 0xA0 else 0x1F)
        else:
            width = _FIXED.get(head, 0)
            if head in (0xC7, 0xC8, 0xC9):
                raise ValueError("an extension, which no message of ours has")
            return Node(head, _piece(data, at, width)), at + width
        if tag in (_STR, _BIN):
            return Node(tag, _piece(data, at, size)), at + size
        if depth > 50:
            raise ValueError("too deep")
        children = []
        for _ in range(size * (2 if tag == _MAP else 1)):
            child, at = self._read(data, at, depth + 1)
            children.append(child)
        return Node(tag, children=children), at


_OCTETS, _CONSTRUCTED = 0x04, 0x20


class DerCodec(Codec):
    """DER; what an octet string holds is taken for a tree too, where it is one."""

    tags = (
        1,
        2,
        3,
        4,
        5,
        6,
        10,
        12,
        19,
        20,
        22,
        23,
        24,
        28,
        30,
        0x30,
        0x31,
        0x80,
        0xA0,
    )
    values = (
        b"\x01\x01\x00",
        b"\x01\x01\x02",
        b"\x02\x00",
        b"\x02\x01\x00",
        b"\x02\x01\x80",
        b"\x02\x82\x01\x00" + b"\x7f" * 256,
        b"\x03\x01\x00",
        b"\x03\x02\x09\x00",
        b"\x04\x00",
        b"\x05\x00",
        b"\x06\x00",
        b"\x06\x01\x80",
        b"\x06\x0a" + b"\xff" * 9 + b"\x7f",
        b"\x06\x03\x55\x1d\x11",  # subjectAltName
        b"\x06\x03\x55\x1d\x13",  # basicConstraints
        b"\x06\x03\x55\x04\x03",  # commonName
        b"\x06\x05\x2b\x81\x04\x00\x22",  # P-384
        b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01",  # RSA
        b"\x06\x03\x2b\x65\x70",  # Ed25519
        b"\x0c\x02\xff\xfe",
        b"\x0c\x03\xed\xa0\x80",
        b"\x0c\x01\x00",
        b"\x13\x01*",
        b"\x17\x0d991399000000Z",
        b"\x18\x0f99991231235959Z",
        b"\x18\x0f00000101000000Z",
        b"\x1e\x03\x00a\x00",  # half a character
        b"\x1e\x02\xd8\x00",
        b"\x30\x00",
        b"\x31\x00",
        b"\x30\x80\x00\x00",  # of no stated length, which DER has not
        b"\x30\x81\x01\x00",
        b"\x30\x84\xff\xff\xff\xff",
        b"\x30\x89" + b"\xff" * 9,
        b"\x82\x01\xff",
        b"\x87\x03\x01\x02\x03",  # an address of three bytes
        b"\x1f\xff\xff\xff\xff\x7f\x00",
        b"\x30\x80" * DEEP,
    )

    def dump(self, node: Node) -> bytes:
        """The bytes of a tree, each length in its shortest form."""
        if node.tag == RAW:
            return node.content
        body = node.content
        if node.children is not None:
            body += b"".join(map(self.dump, node.children))
        return bytes([node.tag]) + _der_length(max(0, len(body) + node.lie)) + body

    def _read(self, data: bytes, at: int, depth: int) -> tuple[Node, int]:
        tag, size, at = data[at], data[at + 1], at + 2
        if size >= 0x80:
            width = size & 0x7F
            if not 1 <= width <= 4:
                raise ValueError("no length of DER")
            size = int.from_bytes(_piece(data, at, width), "big")
            at += width
        body, end = _piece(data, at, size), at + size
        if depth > 50 or not (tag & _CONSTRUCTED or tag == _OCTETS):
            return Node(tag, body), end
        children, inner = [], 0
        try:
            while inner < len(body):
                child, inner = self._read(body, inner, depth + 1)
                children.append(child)
        except (IndexError, ValueError):
            if tag & _CONSTRUCTED:
                raise
            return Node(tag, body), end
        return Node(tag, children=children), end


def _der_length(size: int) -> bytes:
    if size < 0x80:
        return bytes([size])
    width = (size.bit_length() + 7) // 8
    return bytes([0x80 | width]) + size.to_bytes(width, "big")


MSGPACK: Codec = MsgpackCodec()
DER: Codec = DerCodec()

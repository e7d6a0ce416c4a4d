"""Mutations: from valid messages to those that nobody meant to send.

Everything is drawn from one generator, so that a target, a seed and a number give the
same input on every machine.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Sequence
from copy import deepcopy
from random import Random

from scripts.fuzz.tree import DEEP, DER, RAW, Codec, Node

#: No input is longer: beyond the largest message that is read.
MAX_BYTES = 300_000
#: Values of a message that is not to be made far longer.
_MANY = 200
#: As integers of any width, and lengths, are wrong.
_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
#: What breaks readers of text: controls, look-alikes, other scripts' digits, numbers
#: beyond every type, signs with a meaning to somebody, and what is no UTF-8.
ODD = (
    *(b"\0", b"\n", b"\r", b"\t", b"\x0b", b"\x1b[31m", b"\x7f", b" ", b"\\", b'"'),
    *(b"*", b"**", b"$", b"/", b"//", b"..", b"../", b"%00", b"{}", b"&", b"=", b"'"),
    *(b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xef\xbb\xbf"),
    *(c.encode() for c in "\x85\xa0\u200b\u202e\u2028\u0301\u0130\xdf\u212a\U0001f600"),
    *(c.encode() for c in "\u0663\uff11\xb2\u2167\uff45\uff0d"),
    *(b"-1", b"-0", b"nan", b"inf", b"1e999", b"1e-999", b"0x10", b"1_0", b"9" * 5000),
    *(b"a" * 700, b"a." * 200, b"(" * DEEP, b"[" * DEEP, b'{"a":' * DEEP, bytes(70000)),
)  # fmt: skip
_PEM = re.compile(rb"(-----BEGIN [A-Z ]+-----\n)([A-Za-z0-9+/=\n]+)(-----END)")
_WORD = re.compile(rb"\w+|[^\w\s]")


def mutate(
    rng: Random,
    corpus: Sequence[bytes],
    *,
    codec: Codec | None = None,
    head: int = 0,
    words: Sequence[bytes] = (),
) -> bytes:
    """One input made of the corpus.

    Args:
        rng: what is drawn from.
        corpus: valid messages.
        codec: what they are encoded in; None for text and what has no tree.
        head: bytes before what the codec reads.
        words: what texts of this kind are made of.
    """
    data = rng.choice(corpus)
    # few changes keep most of the message valid, and so get furthest
    rolls = [rng.random() for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5)))]
    if codec is not None and (count := sum(roll < 0.65 for roll in rolls)):
        data = _change_tree(rng, data, corpus, codec, head, count)
    for roll in rolls:
        if codec is None and roll < 0.5:
            data = _change_text(rng, data, words)
        elif codec is None or roll >= 0.65:
            data = rng.choice(_BYTES)(rng, data, corpus)
    return data[:MAX_BYTES]


# --- bytes -------------------------------------------------------------------------


def _flip(rng: Random, data: bytes, corpus: Sequence[bytes]) -> bytes:
    at = _at(rng, data)
    return (
        data[:at]
        + bytes(b ^ 1 << rng.randrange(8) for b in data[at : at + 1])
        + (data[at + 1 :])
    )


def _set(rng: Random, data: bytes, corpus: Sequence[bytes]) -> bytes:
    at = _at(rng, data)
    return data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]


def _insert(rng: Random, data: bytes, corpus: Sequence[bytes]) -> bytes:
    at = rng.randint(0, len(data))
    return data[:at] + rng.randbytes(rng.choice((1, 1, 2, 8, 100))) + data[at:]


def _delete(rng: Random, data: bytes, corpus: Sequence[bytes]) -> bytes:
    start, end = _span(rng, data)
    return data[:start] + data[end:]


def _repeat(rng: Random, data: bytes, corpus: Sequence[bytes]) -> bytes:
    start, end = _span(rng, data)
    return data[:end] + data[start:end] * rng.choice((1, 1, 2, 50)) + data[end:]


def _cut(rng: Random, data: bytes, corpus: Sequence[bytes]) -> bytes:
    return data[: rng.randint(0, len(data))]


def _extend(rng: Random, data: bytes, corpus: Sequence[bytes]) -> bytes:
    return data + rng.choice((rng.randbytes(rng.randint(1, 20)), rng.choice(corpus)))


def _splice(rng: Random, data: bytes, corpus: Sequence[bytes]) -> bytes:
    other = rng.choice(corpus)
    return data[: rng.randint(0, len(data))] + other[rng.randint(0, len(other)) :]


def _number(rng: Random, data: bytes, corpus: Sequence[bytes]) -> bytes:
    width = rng.choice((1, 2, 4, 8))
    number = rng.choice(_NUMBERS) & ((1 << 8 * width) - 1)
    at = _at(rng, data)
    order = "big" if rng.random() < 0.8 else "little"
    packed = int.to_bytes(number, width, "big")
    packed = packed if order == "big" else packed[::-1]
    return data[:at] + packed + data[at + width :]


def _odd(rng: Random, data: bytes, corpus: Sequence[bytes]) -> bytes:
    at = rng.randint(0, len(data))
    return data[:at] + rng.choice(ODD) + data[at:]


_BYTES: tuple[Callable[[Random, bytes, Sequence[bytes]], bytes], ...] = (
    *(_flip, _flip, _set, _insert, _delete, _repeat),
    *(_cut, _extend, _splice, _number, _odd),
)  # fmt: skip


def _at(rng: Random, data: bytes) -> int:
    return rng.randrange(len(data)) if data else 0


def _span(rng: Random, data: bytes) -> tuple[int, int]:
    start = rng.randint(0, len(data))
    return start, min(len(data), start + rng.choice((1, 1, 2, 4, 16, 256, 4096)))


# --- trees ---------------------------------------------------------------------------


def _change_tree(
    rng: Random,
    data: bytes,
    corpus: Sequence[bytes],
    codec: Codec,
    head: int,
    count: int,
) -> bytes:
    root = codec.parse(data[head:])
    if root is None:
        return rng.choice(_BYTES)(rng, data, corpus)
    for _ in range(count):
        _change_node(rng, root, corpus, codec, head)
    return data[:head] + codec.dump(root)


def _change_node(
    rng: Random, root: Node, corpus: Sequence[bytes], codec: Codec, head: int
) -> None:
    nodes = list(root.walk())
    node = rng.choice(nodes)
    match rng.randrange(12):
        case 0 | 1:
            node.become(Node(RAW, rng.choice(codec.values)))
        case 2 if len(nodes) < 10 * _MANY:
            node.become(deepcopy(rng.choice(nodes)))
        case 3:
            other = codec.parse(rng.choice(corpus)[head:])
            node.become(rng.choice(list(other.walk())) if other else node)
        case 4:
            node.lie = rng.choice((-2, -1, 1, 2, 255, 1 << 16, (1 << 31) - 1))
        case 5:
            for _ in range(rng.choice((1, 2, 40))):
                node.become(Node(rng.choice(nodes).tag, children=[_copy(node)]))
        case 6:
            node.tag = rng.choice(codec.tags)
        case 7 | 8:
            # many copies of many copies would take longer to make than to read
            may_grow = len(nodes) < _MANY
            _change_children(rng, [one for one in nodes if one.children], may_grow)
        case _:
            _change_leaf(rng, [one for one in nodes if one.children is None])


def _copy(node: Node) -> Node:
    return Node(node.tag, node.content, node.children, node.lie)


def _change_children(rng: Random, parents: Sequence[Node], may_grow: bool) -> None:
    if not parents:
        return
    parent = rng.choice(parents)
    children = parent.children or []
    at = rng.randrange(len(children))
    match rng.randrange(4):
        case 0:
            del children[at : at + rng.choice((1, 2, 2))]
        case 1:
            copies = rng.choice((1, 1, 1, 300)) if may_grow else 1
            children[at:at] = deepcopy(children[at : at + 2]) * copies
        case 2:
            other = rng.randrange(len(children))
            children[at], children[other] = children[other], children[at]
        case _:
            parent.children = []


def _change_leaf(rng: Random, leaves: Sequence[Node]) -> None:
    if not leaves:
        return
    leaf = rng.choice(leaves)
    found = _PEM.search(leaf.content)
    if found and rng.random() < 0.8:
        leaf.content = _change_pem(rng, leaf.content, found)
    elif rng.random() < 0.3:
        leaf.content = rng.choice(ODD)
    else:
        leaf.content = rng.choice(_BYTES)(rng, leaf.content, (leaf.content,))


def _change_pem(rng: Random, text: bytes, found: re.Match[bytes]) -> bytes:
    try:
        der = b64decode(found[2])
    except Base64Error:
        return text
    der = _change_tree(rng, der, (der,), DER, 0, 1)
    start, end = found.span(2)
    return text[:start] + b64encode(der) + b"\n" + text[end:]


# --- text ----------------------------------------------------------------------------


def _change_text(rng: Random, data: bytes, words: Sequence[bytes]) -> bytes:
    found = [match.span() for match in _WORD.finditer(data)]
    if not found:
        return data + rng.choice((*ODD, *words))
    start, end = rng.choice(found)
    match rng.randrange(6):
        case 0:
            put = rng.choice(words or ODD)
        case 1:
            put = rng.choice(ODD)
        case 2:
            other = rng.choice(found)
            put = data[slice(*other)]
        case 3:
            put = data[start:end] * 2
        case 4:
            put = data[start:end].swapcase()
        case _:
            put = b""
    return data[:start] + put + data[end:]

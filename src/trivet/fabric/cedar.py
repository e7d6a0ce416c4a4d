"""Policy text as Cedar reads it, with what we ask of it besides.

Cedar's parser recurses: a text of a few kilobytes, nested deeply enough, ends the
process. So a text is measured here first, by a scan that does not recurse. Each rule
must then name itself and its reason, and hold against our schema; a kind or purpose
that does not exist is an error, since a `forbid` with a slip in it protects nobody.

Source: Cedar policy syntax and schema, https://docs.cedarpolicy.com/policies/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass

import msgspec
from cedarpy import PolicySet, Schema, pst, validate_policies

from trivet.domain.device import DeviceKind
from trivet.domain.lease import Purpose

#: A longer text is refused unread, in bytes.
MAX_BYTES = 64 * 1024
#: Brackets within brackets, and words and signs in one rule: far within what Cedar's
#: recursion stands on a stack of 2 MiB.
MAX_DEPTH = 16
MAX_TOKENS = 512

SCHEMA = """
entity Device { kind: String, is_guest: Bool };
entity Signal, Question {
  owner: String, owner_kind: String, owner_is_guest: Bool, path: String
};
type Circumstances = {
  purpose: String, exact_m: Long, value: String,
  driving: Bool, at_home: Bool, guest_present: Bool, night: Bool
};
action receive, command appliesTo {
  principal: Device, resource: Signal, context: Circumstances
};
action ask appliesTo {
  principal: Device, resource: Question, context: Circumstances
};
"""
_schema = Schema.from_str(SCHEMA)

_KINDS = frozenset(kind.value for kind in DeviceKind)
#: The only texts that these attributes can be.
_WORDS = {
    "kind": _KINDS,
    "owner_kind": _KINDS,
    # a command or question has no purpose
    "purpose": frozenset(purpose.value for purpose in Purpose) | {""},
}
_TOKEN = re.compile(
    r"(?P<blank>\s+|//[^\n\r]*)"
    r'|(?P<string>"(?:\\.|[^"\\])*")'
    r"|(?P<word>\w+)"
    r"|(?P<sign>&&|\|\||[=!<>]=|::|.)"
)
# what ends or hides a line, or makes a line look other than it reads
_UNREADABLE = re.compile(
    "\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
    "\ud800-\udfff\ufeff]"
)
_OPEN, _CLOSE = frozenset("([{"), frozenset(")]}")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)
_MAX_WHY = 300


class Rule(msgspec.Struct, frozen=True):
    """One rule of a policy.

    Attributes:
        id: its `@id`, unique in the policy.
        effect: `permit` or `forbid`.
        text: its source.
        why: its `@why`: one sentence for the person it serves or protects.
    """

    id: str
    effect: str
    text: str
    why: str


class Problem(msgspec.Struct, frozen=True):
    """What is wrong with a text.

    Attributes:
        message: one line for who wrote it.
        line: 1-based, 0 where it is the whole text.
    """

    message: str
    line: int = 0


class _TextError(Exception):
    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.problem = Problem(message, line)


class _Piece(msgspec.Struct, frozen=True):
    """The text of one rule, and the line it begins on."""

    text: str
    line: int


def read(text: str) -> tuple[tuple[Rule, ...], list[Problem]]:
    """The rules in `text`, and everything that is wrong with it, in its order."""
    try:
        _check_readable(text)
        pieces = _split(text)
    except _TextError as error:
        return (), [error.problem]
    rules: dict[str, Rule] = {}
    problems: list[Problem] = []
    for piece in pieces:
        try:
            rule = _rule(piece)
            if rule.id in rules:
                raise _TextError(f"a second rule with @id({rule.id!r})", piece.line)
            rules[rule.id] = rule
        except _TextError as error:
            problems.append(error.problem)
    return tuple(rules.values()), problems


def _check_readable(text: str) -> None:
    if len(text) > MAX_BYTES or len(text.encode(errors="replace")) > MAX_BYTES:
        raise _TextError(f"it is longer than {MAX_BYTES // 1024} KiB")
    hidden = _UNREADABLE.search(text)
    if hidden:
        line = _line(text, hidden.start())
        raise _TextError(f"the invisible character U+{ord(hidden.group()):04X}", line)


def _split(text: str) -> list[_Piece]:
    """The text cut after each `;`, if no piece is too deep or too long for Cedar."""
    pieces: list[_Piece] = []
    begin, depth, tokens = -1, 0, 0
    for found in _TOKEN.finditer(text):
        if found.lastgroup == "blank":
            continue
        if begin < 0:
            begin, tokens = found.start(), 0
        tokens += 1
        token = found.group()
        # the depth is not begun anew after a `;`: Cedar's parser may not, either
        depth = max(0, depth + (token in _OPEN) - (token in _CLOSE))
        fault = _size_fault(token, depth, tokens)
        if fault:
            raise _TextError(fault, _line(text, found.start()))
        if token == ";":
            pieces.append(_Piece(text[begin : found.end()], _line(text, begin)))
            begin = -1
    if begin >= 0:
        pieces.append(_Piece(text[begin:], _line(text, begin)))
    return pieces


def _size_fault(token: str, depth: int, tokens: int) -> str:
    if token == '"':
        return "a text that is not closed"
    if depth > MAX_DEPTH:
        return f"brackets more than {MAX_DEPTH} deep"
    if tokens > MAX_TOKENS:
        return f"a rule of more than {MAX_TOKENS} words and signs"
    return ""


def _rule(piece: _Piece) -> Rule:
    """The rule in a piece, held against all that we ask of one.

    Raises:
        _TextError: it is none, or lacks something.
    """
    template = _parse(piece)
    name, why = (template.annotations.get(key, "") for key in ("id", "why"))
    if not name:
        raise _TextError('a rule without a name: begin it with @id("...")', piece.line)
    if not _ID.fullmatch(name):
        raise _TextError(
            f"{name[:100]!r} cannot be a rule's @id: use letters, digits, - _ and .",
            piece.line,
        )
    if not why or len(why) > _MAX_WHY or _UNREADABLE.search(why) or "\n" in why:
        raise _TextError(
            f"the rule {name} needs @why: one line of at most {_MAX_WHY} letters "
            "for the person whom it serves or protects",
            piece.line,
        )
    fault = _schema_fault(piece.text) or _word_fault(template)
    if fault:
        raise _TextError(f"the rule {name}: {fault}", piece.line)
    return Rule(name, template.effect, piece.text, why)


def _parse(piece: _Piece) -> pst.Template:
    try:
        parsed = PolicySet.from_str(piece.text).to_pst()
    except ValueError as error:
        raise _TextError(str(error), _line_of(piece, str(error))) from error
    if parsed.templates:
        raise _TextError("a template, which by itself decides nothing", piece.line)
    if len(parsed.static_policies) != 1:
        raise _TextError("not one rule", piece.line)
    return next(iter(parsed.static_policies.values()))


def _line_of(piece: _Piece, message: str) -> int:
    """The line of a syntax error: Cedar names the token, not where it is.

    The first line is looked for at which the text up to it has the same error.
    """
    lines = piece.text.splitlines(keepends=True)
    if message.startswith(("unexpected token", "invalid token")):
        for number in range(1, len(lines)):
            try:
                PolicySet.from_str("".join(lines[:number]))
            except ValueError as error:
                if str(error) == message:
                    return piece.line + number - 1
        return piece.line + len(lines) - 1
    return piece.line


def _schema_fault(text: str) -> str:
    result = validate_policies(text, _schema)
    if result.validation_passed:
        return ""
    first = result.errors[0].error if result.errors else "it does not fit the schema"
    return re.sub(r"^for policy `[^`]*`, ", "", first)


def _word_fault(template: pst.Template) -> str:
    """Says which kind or purpose that a rule compares with does not exist."""
    for node in _nodes(template):
        if not isinstance(node, pst.BinaryOp):
            continue
        for attribute, other in ((node.left, node.right), (node.right, node.left)):
            if not isinstance(attribute, pst.GetAttr):
                continue
            words = _WORDS.get(attribute.attr, frozenset())
            texts = other.elements if isinstance(other, pst.Set) else (other,)
            for text in texts if words else ():
                if isinstance(text, pst.StringLit) and text.value not in words:
                    known = ", ".join(sorted(words - {""}))
                    return f"{text.value!r} is no {attribute.attr}: there are {known}"
    return ""


def _nodes(root: pst.Template) -> Iterator[object]:
    """Everything in a rule's tree, without recursion."""
    stack: list[object] = [root]
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, tuple):
            stack.extend(node)
        elif isinstance(node, Mapping):
            stack.extend(node.values())
        elif is_dataclass(node):
            stack.extend(getattr(node, field.name) for field in fields(node))


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1

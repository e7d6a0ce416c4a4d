"""Texts of a policy: what is wrong is told with its line, and no text does harm."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trivet.domain import InputError, SetupError
from trivet.fabric import cedar
from trivet.fabric.policy import (
    Policy,
    check_text,
    read_policy,
    shipped_policy,
)

HEAD = '@id("a") @why("b")\n'
ALL = "permit(principal, action, resource)"
GOOD = f"{HEAD}{ALL};\n"


def when(condition: str) -> str:
    return f"{HEAD}{ALL}\nwhen {{ {condition} }};\n"


#: A text, the line that is to be told, and a word of what.
WRONG = [
    ("permit(principal action, resource);", 1, "unexpected token `action`"),
    (f"{GOOD}\n@id('c')", 4, "invalid token"),
    (HEAD + "permit(principal,\n  action,\n  resource when { true };", 4, "`when`"),
    (GOOD[:-2], 1, "unexpected end"),
    (GOOD + "// more\n;", 4, "unexpected token `;`"),
    (f'@why("b") {ALL};', 1, "without a name"),
    (f'@id @why("b") {ALL};', 1, "without a name"),
    (f'@id("a\\u{{202e}}") @why("b") {ALL};', 1, "cannot be a rule's @id"),
    (f'@id("{"a" * 101}") @why("b") {ALL};', 1, "cannot be a rule's @id"),
    (f'@id("a") {ALL};', 1, "@why"),
    (f'@id("a") @why("") {ALL};', 1, "@why"),
    (f'@id("a") @why("b\\nc") {ALL};', 1, "@why"),
    (f'@id("a") @why("\\u{{1b}}[2J") {ALL};', 1, "@why"),
    (f'@id("a") @why("{"b" * 301}") {ALL};', 1, "@why"),
    (f'@id("a") @id("a") @why("b") {ALL};', 1, "duplicate annotation"),
    (GOOD + GOOD, 3, "a second rule"),
    (HEAD + "permit(principal == ?principal, action, resource);", 1, "a template"),
    (when("context.speed > 3"), 1, "`speed`"),
    (when("principal.name == 3"), 1, "`name`"),
    (when('context.exact_m >= "500"'), 1, "expected Long but saw String"),
    (when("context.driving && 1"), 1, "expected Bool but saw Long"),
    (when("driving"), 1, "invalid variable"),
    (HEAD + 'permit(principal, action == Action::"recieve", resource);', 1, "recieve"),
    (HEAD + "permit(principal is Phone, action, resource);", 1, "Phone"),
    (when('principal.kind == "fone"'), 1, "'fone' is no kind: there are car, home"),
    (when('"House" != resource.owner_kind'), 1, "'House' is no owner_kind"),
    (when('["display", "fun"].contains(context.purpose)'), 1, "'fun' is no purpose"),
    (GOOD + 'permit("', 3, "not closed"),
    (GOOD + "// \u202e hidden\n", 3, "invisible character U+202E"),
    (GOOD + "// seen\roverwritten\n", 3, "invisible character U+000D"),
    ("\x00", 1, "invisible character U+0000"),
    ("\ufeff" + GOOD, 1, "invisible character U+FEFF"),
    ("// \ud800", 1, "invisible character U+D800"),
    (GOOD + "// é" * 20_000, 0, "longer than 64 KiB"),
    (GOOD + when("(" * 20 + "true" + ")" * 20), 5, "brackets more than 16 deep"),
    (when("true" + " && true" * 300), 3, "more than 512 words"),
    (when("true" + " || context.driving" * 110), 1, "nesting"),
]


@pytest.mark.parametrize(("text", "line", "word"), WRONG, ids=range(len(WRONG)))
def test_what_is_wrong_is_told_with_its_line(text: str, line: int, word: str) -> None:
    with pytest.raises(InputError) as caught:
        Policy(text, source="my.cedar")
    where = f"my.cedar:{line}: " if line else "my.cedar: "
    assert (caught.value.path, caught.value.line) == ("my.cedar", line)
    assert str(caught.value).startswith(where)
    assert word in str(caught.value)
    assert word in check_text(text)[0]


def test_every_rule_that_is_wrong_is_told() -> None:
    text = when("driving") + GOOD.replace('"a"', '"fine"') + "permit();\n"
    assert [problem.split(":")[0] for problem in check_text(text)] == [
        "line 1",
        "line 6",
    ]
    with pytest.raises(InputError, match="and 1 more to put right"):
        Policy(text)


def test_a_right_text_has_no_problem() -> None:
    assert check_text(shipped_policy().text) == []
    assert check_text(shipped_policy().text.replace("\n", "\r\n")) == []
    assert check_text(GOOD.replace('"b"', '"Für die Wärme zuhause 🔥"')) == []


def test_brackets_and_ends_in_words_are_only_words() -> None:
    text = (
        '// ;;; (((((((((((((((((((((((( " \n'
        '@id("a") @why("((((((((((((((((((((((((; \\" // no comment") '
        f'{ALL} when {{ resource.path like "[[[[;\\"*" }}; // ;'
    )
    (rule,) = Policy(text).rules
    assert rule.why.endswith('; " // no comment')


def test_cedar_sees_no_rule_that_was_not_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Were our cut to differ from Cedar's, the text is refused."""
    monkeypatch.setattr(cedar, "_split", lambda text: [])
    with pytest.raises(InputError, match="where its rules end"):
        Policy(GOOD)


# ------------------------------------------------------------------------ hostile texts

SHIPPED = shipped_policy().text


@st.composite
def mutations(draw: st.DrawFn) -> str:
    """The shipped policy's first rules, cut, doubled and sprinkled."""
    text = SHIPPED[:1500]
    for _ in range(draw(st.integers(1, 3))):
        begin = draw(st.integers(0, len(text)))
        end = draw(st.integers(begin, min(len(text), begin + 40)))
        put = draw(st.sampled_from(['"', ";", "//", "(", "}", "\\", "@", "\r", "*/"]))
        text = text[:begin] + put + text[draw(st.sampled_from([begin, end])) :]
    return text


def outcome(make: Callable[[], Policy]) -> Policy | InputError:
    try:
        return make()
    except InputError as error:
        return error


@settings(max_examples=150, deadline=None)
@given(mutations() | st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_attack_any_text_is_a_policy_or_an_input_error(text: str) -> None:
    made = outcome(lambda: Policy(text))
    assert isinstance(made, InputError) == bool(check_text(text))
    if isinstance(made, Policy):
        assert all(rule.id and rule.why for rule in made.rules)


@settings(max_examples=50, deadline=None)
@given(data=st.binary(max_size=200))
def test_attack_any_file_is_a_policy_or_an_input_error(
    data: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("any") / "x.cedar"
    path.write_bytes(data)
    made = outcome(lambda: read_policy(path))
    assert isinstance(made, Policy) or made.path == str(path)


DEEP = """
import sys, threading
from trivet.domain import InputError
from trivet.fabric import cedar
from trivet.fabric.access import *
from trivet.fabric.policy import Policy
from trivet.domain import DeviceKind

D, N = cedar.MAX_DEPTH - 1, cedar.MAX_TOKENS
nest = lambda a, mid, b, n=D: a * n + mid + b * n
BODIES = [
    nest("(", "true", ")"), nest("!!!!(", "true", ")"), nest("!((", "true", "))", 7),
    "-1 == " + nest("----(", "1", ")"), nest("[", "1", "]") + " == [1]",
    nest("{a:", "1", "}") + " == {a: 1}", "true" + " && true" * (N // 2 - 20),
    "1" + " + 1" * (N // 2 - 20) + " == 2", "context" + ".a" * (N // 2 - 20),
    "if true then true else " * (N // 4 - 20) + "true",
    "if " * (N // 4 - 20) + "true" + " then true else true" * (N // 4 - 20),
    "true }" + "when { true }" * (N // 4 - 20) + "when { true",
    nest("(", "true", ")", 230), nest("(", "true", ")", 30_000),
    nest("[", "1", "]", 9_000), "(" * 30_000,
    nest("{a:", "1", "}", 9_000), nest("-(", "1", ")", 9_000), "a." * 30_000,
    "true" + " && true" * 7_000, "if true then true else " * 2_500 + "true",
    ";(" * 9_000, nest("(", ";", ")", 9_000), '"' + "(" * 30_000,
]
one = Party("home", DeviceKind.HOME)
def run():
    for body in BODIES:
        text = '@id("a") @why("b") permit(principal, action, resource) when {'
        try:
            Policy(text + body + "};").decide(Access(Verb.ASK, one, one, "beat"))
        except InputError:
            pass
    print("alive")
threading.stack_size(2 << 20)
thread = threading.Thread(target=run)
thread.start()
thread.join()
"""


def test_attack_nesting_ends_no_process_even_on_a_small_stack() -> None:
    """In a process of its own: Cedar's parser would end it with a signal."""
    done = subprocess.run([sys.executable, "-c", DEEP], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "alive\n"), done.stderr[-500:]


# ------------------------------------------------------------------------ the file


def test_a_file_that_cannot_be_read_is_no_reason_to_allow(tmp_path: Path) -> None:
    path = tmp_path / "policy.cedar"
    path.write_bytes(b"// \xff\n")
    with pytest.raises(InputError, match=r"policy\.cedar:1: it is not UTF-8"):
        read_policy(path)
    path.write_bytes(b"/" * 100_000)
    with pytest.raises(InputError, match="longer than 64 KiB"):
        read_policy(path)
    for unreadable in (tmp_path, tmp_path / "absent"):
        with pytest.raises(SetupError, match="cannot be read"):
            read_policy(unreadable)

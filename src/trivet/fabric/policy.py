"""The policy: what a household's devices may do to each other, and why.

A policy is a text that the person it protects can read: rules in Cedar, each with a
name and a sentence. What no rule allows is refused, and a rule that forbids wins. What
cannot be decided is refused too, and says so. Where a circumstance is not known, only
what the rules allow either way is allowed.

Source: Cedar, https://docs.cedarpolicy.com/auth/authorization.html
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from functools import lru_cache
from importlib import resources
from pathlib import Path

from cedarpy import AuthzResult, Entities, PolicySet, is_authorized
from msgspec.structs import replace

from trivet.domain.error import InputError, SetupError
from trivet.fabric import cedar
from trivet.fabric.access import Access, Circumstances, Decision, Party, Verb
from trivet.fabric.cedar import Rule

__all__ = [
    "Policy",
    "Rule",
    "check_text",
    "read_policy",
    "shipped_policy",
]

#: Answers, and parties with paths, that are kept ready.
_CACHED = 4096
_NO_RULE = "no rule allows it"


class Policy:
    """Rules that decide, the same for equal questions, on any thread.

    Args:
        text: rules in Cedar, each with `@id` and `@why`.
        source: what the text is called in errors: its file.

    Raises:
        InputError: the text is no policy: its syntax, a rule without name or reason or
            with another's name, an attribute, kind or purpose that does not exist, or
            more than 64 KiB of it.
    """

    def __init__(self, text: str, *, source: str = "the policy") -> None:
        self.text = text
        self.rules, problems = cedar.read(text)
        if problems:
            first, more = problems[0], len(problems) - 1
            count = f", and {more} more to put right" if more else ""
            raise InputError(first.message + count, path=source, line=first.line)
        self._rules = {rule.id: rule for rule in self.rules}
        self._set = _compile(text, len(self.rules), source)
        self._known = lru_cache(maxsize=_CACHED)(self._evaluate)

    def decide(self, access: Access) -> Decision:
        """Whether `access` is allowed, by which rule, and why."""
        try:
            return self._known(access)
        except (KeyboardInterrupt, SystemExit):
            raise
        # a panic of Cedar's is a BaseException; whatever went wrong, the answer is no
        except BaseException as error:
            return Decision(False, "", f"the policy could not be asked: {error!s:.300}")

    def _evaluate(self, access: Access) -> Decision:
        """The answer in every case that is possible: yes only if all of them say so."""
        cases = access.circumstances.cases
        if len(cases) == 1:
            return self._judge(access)
        answers = {
            case: self._judge(replace(access, circumstances=case)) for case in cases
        }
        allowed = {case for case, answer in answers.items() if answer.is_allowed}
        if len(allowed) in (0, len(cases)):
            return answers[cases[0]]
        no = min((answers[case] for case in cases if case not in allowed), key=_named)
        matter = ", ".join(_deciding(access.circumstances, allowed))
        why = f"{no.why.rstrip('.')}; not known here: {matter}"
        return Decision(False, no.rule, why)

    def _judge(self, access: Access) -> Decision:
        """The answer where all is known."""
        result = is_authorized(_request(access), self._set, _entities(access))
        deciding = self._deciding(result)
        if deciding and not (result.allowed and result.diagnostics.errors):
            return Decision(result.allowed, deciding[0].id, deciding[0].why)
        if result.diagnostics.errors:
            first = result.diagnostics.errors[0]
            return Decision(False, "", f"the policy fails on this: {first:.300}")
        return Decision(False, "", _NO_RULE)

    def _deciding(self, result: AuthzResult) -> list[Rule]:
        names = result.diagnostics.id_annotations_by_reason.values()
        return [self._rules[name] for name in sorted(names)]


def _named(decision: Decision) -> tuple[bool, str]:
    """Orders answers: who is refused by a rule is told which."""
    return not decision.rule, decision.rule


def _deciding(now: Circumstances, allowed: Collection[Circumstances]) -> Iterator[str]:
    """Names of what is not known and would change the answer."""
    for name in now.unknown:
        pairs = (
            (replace(case, **{name: False}), replace(case, **{name: True}))
            for case in now.cases
        )
        if any((no in allowed) != (yes in allowed) for no, yes in pairs):
            yield name


def check_text(text: str) -> list[str]:
    """All that is wrong with a policy's text, a line each; empty when nothing is."""
    return [
        f"line {problem.line}: {problem.message}" if problem.line else problem.message
        for problem in cedar.read(text)[1]
    ]


@lru_cache(maxsize=1)
def shipped_policy() -> Policy:
    """The policy of a household that has set none of its own."""
    file = resources.files("trivet.fabric") / "policies" / "household.cedar"
    return Policy(file.read_text(encoding="utf-8"), source="household.cedar")


def read_policy(path: Path) -> Policy:
    """The policy in a file.

    Raises:
        SetupError: the file cannot be read.
        InputError: it holds no policy.
    """
    try:
        with path.open("rb") as file:
            data = file.read(cedar.MAX_BYTES + 1)
    except OSError as error:
        raise SetupError(
            f"{path} cannot be read: {error.strerror}", hint="check who owns it"
        ) from error
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError("it is not UTF-8", path=str(path), line=line) from error
    return Policy(text, source=str(path))


def _compile(text: str, count: int, source: str) -> PolicySet:
    """The whole text as Cedar holds it ready.

    Its rules were read one by one: were Cedar to see others in the whole, nothing
    that was checked would hold.
    """
    try:
        compiled = PolicySet.from_str(text)
    except ValueError as error:
        raise InputError(str(error), path=source) from error
    if len(compiled) != count or compiled.templates():
        raise InputError("it cannot be told where its rules end", path=source)
    return compiled


def _request(access: Access) -> dict[str, object]:
    now = access.circumstances
    return {
        "principal": {"type": "Device", "id": access.who.device},
        "action": {"type": "Action", "id": access.verb.value},
        "resource": {"type": _resource_type(access), "id": _resource_id(access)},
        "context": {
            "purpose": access.purpose,
            "exact_m": access.exact_m,
            "value": access.value,
            "driving": now.driving,
            "at_home": now.at_home,
            "guest_present": now.guest_present,
            "night": now.night,
        },
    }


def _resource_type(access: Access) -> str:
    return "Question" if access.verb is Verb.ASK else "Signal"


def _resource_id(access: Access) -> str:
    # an id holds no `/`, so no two signals have one name
    return f"{access.owner.device}/{access.path}"


def _entities(access: Access) -> Entities:
    resource = _resource_type(access), _resource_id(access)
    return _parsed(access.who, access.owner, access.path, *resource)


@lru_cache(maxsize=_CACHED)
def _parsed(who: Party, owner: Party, path: str, resource: str, name: str) -> Entities:
    """A device and a signal or question with the attributes that rules speak of."""
    device = {"kind": who.kind, "is_guest": who.is_guest}
    held = {
        "owner": owner.device,
        "owner_kind": owner.kind,
        "owner_is_guest": owner.is_guest,
        "path": path,
    }
    rows = [
        {"uid": {"type": "Device", "id": who.device}, "attrs": device, "parents": []},
        {"uid": {"type": resource, "id": name}, "attrs": held, "parents": []},
    ]
    return Entities.from_json_str(json.dumps(rows))

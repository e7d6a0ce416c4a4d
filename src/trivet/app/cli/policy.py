"""`trivet policy`: what the devices may do, by which rule, and in whose words."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import msgspec
import typer
from msgspec.structs import replace

from trivet.app.cli.option import HouseholdOption, JsonOption
from trivet.app.cli.output import console, print_json, print_table, told
from trivet.app.folder import household_folder, identity_folder
from trivet.app.keeper import policy_of
from trivet.domain import DeviceKind, InputError, SetupError, UsageError
from trivet.domain.lease import Purpose
from trivet.fabric import charter, key
from trivet.fabric.access import Access, Circumstances, Decision, Party, Verb
from trivet.fabric.household import authority, load_household
from trivet.fabric.policy import Policy, read_policy, shipped_policy
from trivet.fabric.roll import amend

policy_app = typer.Typer(help="What the devices may do, and why.")


class Circumstance(StrEnum):
    """Something that is so, is not so, or is not known."""

    DRIVING = "driving"
    AT_HOME = "at_home"
    GUEST_PRESENT = "guest_present"
    NIGHT = "night"


UnknownOption: TypeAlias = Annotated[
    list[Circumstance] | None,
    typer.Option(help="What the deciding device has not heard of."),
]
FileArgument: TypeAlias = Annotated[Path, typer.Argument(help="The file.")]
#: A file of cases is refused from here on, in bytes.
_MAX_CASES_BYTES = 1024 * 1024


class Expected(StrEnum):
    """What a case says the answer is."""

    ALLOW = "allow"
    DENY = "deny"


#: What a case says of a circumstance that the deciding device has not heard of.
Known: TypeAlias = bool | Literal["unknown"]


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One `[[case]]` of a file: a question to the policy, and the answer it is to give.

    Attributes:
        who: id of the device that wants something.
        path: the signal's path, or the question's name.
        owner: id of the device whose it is.
        expect: the answer.
        verb: what is wanted.
        kind: what `who` is, by default what its id says.
        guest: whether `who` is a guest's.
        owner_kind: what `owner` is, by default what its id says.
        owner_guest: whether `owner` is a guest's.
        purpose: what for.
        exact_m: how exact a position, in metres.
        value: the target of a command, as text.
        driving: a circumstance is true, false, or "unknown" to the deciding device; so
            are those below.
        at_home: see Circumstances.
        guest_present: likewise.
        night: likewise.
        rule: id of the rule that decides, where that matters.
    """

    who: str
    path: str
    owner: str
    expect: Expected
    verb: Verb = Verb.RECEIVE
    kind: DeviceKind | None = None
    guest: bool = False
    owner_kind: DeviceKind | None = None
    owner_guest: bool = False
    purpose: Purpose | None = None
    exact_m: Annotated[int, msgspec.Meta(ge=0)] = 0
    value: str = ""
    driving: Known = False
    at_home: Known = False
    guest_present: Known = False
    night: Known = False
    rule: str | None = None

    @property
    def access(self) -> Access:
        """The question.

        Raises:
            UsageError: an id or path that cannot be one, or a kind that is not known.
        """
        return Access(
            self.verb,
            _party(self.who, self.kind, self.guest),
            _party(self.owner, self.owner_kind, self.owner_guest),
            key.check_path(self.path),
            Circumstances(
                *(
                    None if known == "unknown" else known
                    for known in (
                        self.driving,
                        self.at_home,
                        self.guest_present,
                        self.night,
                    )
                )
            ),
            self.purpose or "",
            self.exact_m,
            self.value,
        )


class _Row(msgspec.Struct, frozen=True):
    """How one case went."""

    case: int
    holds: bool
    asked: str
    expect: Expected
    answer: Expected
    rule: str

    @classmethod
    def of(cls, number: int, case: Case, decision: Decision) -> _Row:
        asked = f"{case.who} {case.verb} {case.owner} {case.path}"
        answer = Expected.ALLOW if decision.is_allowed else Expected.DENY
        holds = answer is case.expect and case.rule in (None, decision.rule)
        return cls(number, holds, asked, case.expect, answer, decision.rule)


def lived_by(folder: Path) -> Policy:
    """The policy in the charter of the household in `folder`, else the shipped one."""
    if not (folder / charter.FILE).exists():
        return shipped_policy()
    return policy_of(charter.own_charter(folder))


@policy_app.command("show")
@told
def show(
    rule: Annotated[str | None, typer.Argument(help="Id of one rule.")] = None,
    household: HouseholdOption = None,
    text: Annotated[
        bool, typer.Option("--text", help="The whole source, to begin your own.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """The rules the household lives by; of one rule, its source."""
    policy = lived_by(identity_folder(household_folder(household)))
    rules = [found for found in policy.rules if rule in (None, found.id)]
    if rule is not None and not rules:
        raise UsageError(f"there is no rule {rule!r}", hint="see: trivet policy show")
    source = "as shipped" if policy is shipped_policy() else "the household's own"
    if as_json:
        print_json({"source": source, "rules": rules})
    elif text:
        typer.echo(policy.text, nl=False)
    elif rule is not None:
        typer.echo(rules[0].text)
    else:
        rows = [(found.id, found.effect, found.why) for found in rules]
        print_table(f"The policy, {source}", ["rule", "effect", "why"], rows)


@policy_app.command("check")
@told
def check(file: FileArgument, as_json: JsonOption = False) -> None:
    """Whether a file is a policy; else which line is wrong."""
    policy = read_policy(file)
    if as_json:
        print_json({"file": str(file), "rules": [rule.id for rule in policy.rules]})
    else:
        console.print(f"{file} is a policy of {len(policy.rules)} rules")


@policy_app.command("test")
@told
def try_cases(
    file: FileArgument,
    household: HouseholdOption = None,
    draft: Annotated[
        Path | None, typer.Option("--policy", help="A policy not yet set.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Put a file's cases to the policy; exit 1 where an answer is not as expected."""
    asked = _accesses(file)
    policy = (
        read_policy(draft)
        if draft
        else lived_by(identity_folder(household_folder(household)))
    )
    rows = [
        _Row.of(number, case, policy.decide(access))
        for number, (case, access) in enumerate(asked, 1)
    ]
    if as_json:
        print_json(rows)
    else:
        table = [msgspec.structs.astuple(row) for row in rows]
        print_table(str(file), _Row.__struct_fields__, table)
    if not all(row.holds for row in rows):
        raise typer.Exit(1)


@policy_app.command("why")
@told
def why(
    who: Annotated[str, typer.Argument(help="Id of the device that wants it.")],
    verb: Annotated[Verb, typer.Argument(help="What it wants to do.")],
    owner: Annotated[str, typer.Argument(help="Id of the device whose it is.")],
    path: Annotated[str, typer.Argument(help="The signal, or the question.")],
    purpose: Annotated[Purpose | None, typer.Option(help="What for.")] = None,
    exact: Annotated[int, typer.Option(min=0, help="Exactness in metres.")] = 0,
    value: Annotated[str, typer.Option(help="Target of a command.")] = "",
    driving: Annotated[bool, typer.Option("--driving", help="The car moves.")] = False,
    at_home: Annotated[bool, typer.Option("--at-home", help="One is home.")] = False,
    guest_present: Annotated[
        bool, typer.Option("--guest-present", help="A guest is in the house.")
    ] = False,
    night: Annotated[bool, typer.Option("--night", help="It is night.")] = False,
    unknown: UnknownOption = None,
    who_guest: Annotated[
        bool, typer.Option("--who-guest", help="WHO is a guest's device.")
    ] = False,
    who_kind: Annotated[DeviceKind | None, typer.Option(help="What WHO is.")] = None,
    owner_kind: Annotated[
        DeviceKind | None, typer.Option(help="What OWNER is.")
    ] = None,
    owner_guest: Annotated[
        bool, typer.Option("--owner-guest", help="OWNER is a guest's device.")
    ] = False,
    household: HouseholdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Whether a device may, by which rule, in the rule's own words."""
    folder = identity_folder(household_folder(household))
    access = Access(
        verb,
        _member(folder, who, who_kind, who_guest),
        _member(folder, owner, owner_kind, owner_guest),
        key.check_path(path),
        _circumstances((driving, at_home, guest_present, night), unknown or []),
        purpose or "",
        exact,
        value,
    )
    decision = lived_by(folder).decide(access)
    if as_json:
        print_json(decision)
        return
    answer = "may" if decision.is_allowed else "may not"
    console.print(f"{who} {answer} {verb} {path} of {owner}")
    console.print(f"{decision.rule or 'no rule'}: {decision.why}")


@policy_app.command("set")
@told
def set_policy(
    file: Annotated[Path | None, typer.Argument(help="The file.")] = None,
    shipped: Annotated[
        bool, typer.Option("--shipped", help="The shipped policy again.")
    ] = False,
    household: HouseholdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a file the household's policy, if it is one: where devices are admitted."""
    if (file is None) is not shipped:
        raise UsageError("name either a file or --shipped")
    policy = shipped_policy() if file is None else read_policy(file)
    text = "" if file is None else policy.text
    founded = load_household(identity_folder(household_folder(household)))
    after = amend(
        founded.folder, authority(founded), lambda old: replace(old, policy=text)
    )
    if as_json:
        print_json({"charter": after.version, "rules": len(policy.rules)})
    else:
        console.print(
            f"The household's policy now has {len(policy.rules)} rules "
            f"(charter {after.version}); devices in reach follow at once"
        )


def _circumstances(
    flags: tuple[bool, bool, bool, bool], unknown: Sequence[Circumstance]
) -> Circumstances:
    """What is so, by the flags in the order of Circumstance.

    Raises:
        UsageError: something is said to be so and not to be known.
    """
    said = dict(zip(Circumstance, flags, strict=True))
    both = next((name for name in unknown if said[name]), None)
    if both is not None:
        flag = f"--{both.replace('_', '-')}"
        raise UsageError(
            f"{both.value} is said to be so and not to be known",
            hint=f"leave out {flag} or --unknown {both.value}",
        )
    return Circumstances(
        *(None if name in unknown else said[name] for name in Circumstance)
    )


def _member(
    folder: Path, device: str, kind: DeviceKind | None, is_guest: bool
) -> Party:
    """A device as it is said to be, else as the household's charter has it."""
    has_charter = (folder / charter.FILE).exists()
    member = charter.own_charter(folder).member(device) if has_charter else None
    if member is None:
        return _party(device, kind, is_guest)
    return _party(device, kind or member.kind, is_guest or member.is_guest)


def _party(device: str, kind: DeviceKind | None, is_guest: bool) -> Party:
    key.check_id(device)
    if kind is None:
        try:
            kind = DeviceKind(device)
        except ValueError:
            raise UsageError(
                f"what kind of device {device!r} is cannot be told from its id",
                hint=f"name its kind, one of {', '.join(DeviceKind)}",
            ) from None
    return Party(device, kind, is_guest)


def _accesses(file: Path) -> list[tuple[Case, Access]]:
    """The cases of a file and what each asks.

    Raises:
        SetupError: it cannot be read.
        InputError: it is no TOML, holds no case, or one that cannot be asked.
    """
    try:
        with file.open("rb") as stream:
            data = stream.read(_MAX_CASES_BYTES + 1)
    except OSError as error:
        raise SetupError(f"{file} cannot be read: {error.strerror}") from error
    if len(data) > _MAX_CASES_BYTES:
        raise InputError(f"longer than {_MAX_CASES_BYTES} bytes", path=str(file))
    try:
        loaded = tomllib.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise InputError(f"it is no TOML: {error}", path=str(file)) from error
    rows = loaded.pop("case", [])
    if loaded or not isinstance(rows, list) or not rows:
        raise InputError(
            "it holds something else than cases",
            path=str(file),
            hint="write [[case]] with who, path, owner and expect",
        )
    asked = []
    for number, row in enumerate(rows, 1):
        try:
            case = msgspec.convert(row, Case)
            asked.append((case, case.access))
        except (msgspec.ValidationError, UsageError) as error:
            raise InputError(f"case {number}: {error}", path=str(file)) from error
    return asked

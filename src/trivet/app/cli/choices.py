"""`trivet choices`: what was weighed and said, and what else would have earned."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from trivet.app.choosing import read_choices
from trivet.app.cli.option import HouseholdOption, JsonOption
from trivet.app.cli.output import console, print_json, print_table, told
from trivet.app.folder import choices_file, household_folder
from trivet.domain import UsageError
from trivet.domain.suggestion import AnswerKind
from trivet.engine.choice import Choice, to_lines
from trivet.engine.offpolicy import Estimate, compare

choices_app = typer.Typer(no_args_is_help=True)
DeviceOption = Annotated[str, typer.Option("--device", help="Whose log: it led.")]


class Row(msgspec.Struct, frozen=True):
    """What became of one skill's needs."""

    skill: str
    weighed: int
    said: int
    yes: int
    refused: int
    ignored: int


@choices_app.command("show")
@told
def show(
    household: HouseholdOption = None,
    device: DeviceOption = "home",
    as_json: JsonOption = False,
) -> None:
    """What was weighed by each skill, said, and answered."""
    rows = [_row(skill, of) for skill, of in _by_skill(_choices(household, device))]
    if as_json:
        print_json(rows)
        return
    if not rows:
        console.print("Nothing was weighed yet.")
        return
    names = list(Row.__struct_fields__)
    print_table(
        "Choices",
        names,
        [[str(each) for each in msgspec.structs.astuple(r)] for r in rows],
    )


@choices_app.command("export")
@told
def export(household: HouseholdOption = None, device: DeviceOption = "home") -> None:
    """The log as JSON lines, one choice a line, to the output."""
    sys.stdout.buffer.write(to_lines(_choices(household, device)))


@choices_app.command("compare")
@told
def compare_command(
    least: Annotated[
        float, typer.Option("--least", help="Says what is claimed as likely, 0 to 1.")
    ] = 0.6,
    household: HouseholdOption = None,
    device: DeviceOption = "home",
    as_json: JsonOption = False,
) -> None:
    """What would have been earned by saying only what a skill is so sure of."""
    if not 0.0 <= least <= 1.0:
        raise UsageError(f"--least {least} is no probability", hint="0 to 1")
    found = compare(
        _choices(household, device), lambda choice: float(choice.chance >= least)
    )
    if as_json:
        print_json(found)
        return
    rows = [
        ("as it was", found.logged),
        ("inverse propensity", found.inverse),
        ("self-normalised", found.normalised),
        ("doubly robust", found.robust),
    ]
    title = f"Earned by a choice, of {found.choices} on {found.days} days"
    print_table(
        title,
        ["estimate", "mean", "95 % limits"],
        [(name, f"{of.mean:.3f}", _limits(of)) for name, of in rows],
    )
    console.print(f"It rests on {found.effective:.0f} of what was said.")


def _choices(household: Path | None, device: str) -> list[Choice]:
    return read_choices(choices_file(household_folder(household), device))


def _by_skill(choices: list[Choice]) -> list[tuple[str, list[Choice]]]:
    skills = sorted({choice.skill for choice in choices})
    return [(name, [c for c in choices if c.skill == name]) for name in skills]


def _row(skill: str, choices: list[Choice]) -> Row:
    refusals = (AnswerKind.NOT_NOW, AnswerKind.UNDONE)
    return Row(
        skill,
        len(choices),
        sum(choice.is_said for choice in choices),
        sum(choice.is_yes for choice in choices),
        sum(choice.answer in refusals for choice in choices),
        sum(choice.answer is AnswerKind.IGNORED for choice in choices),
    )


def _limits(estimate: Estimate) -> str:
    return f"{estimate.low:.3f} to {estimate.high:.3f}"

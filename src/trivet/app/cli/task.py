"""`trivet task`: which tasks the devices of the household offer; have one run."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from trivet.app.cli.option import HereOption, HouseholdOption, JsonOption
from trivet.app.cli.output import console, print_json, print_table, told
from trivet.app.control import tell
from trivet.app.folder import control_file, household_folder
from trivet.app.task_word import MOST_S, Done, Offers, RunTask, Tasks
from trivet.domain import UsageError

task_app = typer.Typer(help="Tasks: which there are, and where; have one run.")


@task_app.command("list")
@told
def list_tasks(
    device: HereOption = "home",
    household: HouseholdOption = None,
    as_json: JsonOption = False,
) -> None:
    """The tasks that devices in reach offer, and what they take there."""
    said = tell(control_file(household_folder(household), device), Tasks(), Offers)
    if as_json:
        print_json(said.places)
        return
    print_table(
        f"Tasks, as {device} knows them",
        ["task", "on", "at a time", "begins in", "takes", "runs", "battery"],
        [
            (
                place.task,
                place.device,
                place.slots,
                f"{place.wait_s:.1f} s",
                f"{place.median_s:.3f} s" if place.runs else "not known",
                place.runs,
                "" if place.charge is None else f"{place.charge:.0%}",
            )
            for place in said.places
        ],
    )


@task_app.command("run")
@told
def run_task(
    task: Annotated[str, typer.Argument(help="Its name; see `trivet task list`.")],
    value: Annotated[str, typer.Argument(help="Its input, as JSON.")],
    deadline: Annotated[
        float, typer.Option(min=0.001, max=MOST_S, help="Seconds that it may take.")
    ] = 60.0,
    device: HereOption = "home",
    household: HouseholdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Have a task run wherever that is best, and print what it gives."""
    try:
        data = value.encode()
        msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise UsageError(f"the input is no JSON: {error}") from error
    path = control_file(household_folder(household), device)
    word = RunTask(task, msgspec.Raw(data), deadline)
    done = tell(path, word, Done, deadline + 5.0)
    if as_json:
        print_json(done)
        return
    console.print(bytes(done.output).decode(), highlight=False, markup=False)
    console.print(f"by {' and '.join(done.devices)}", style="dim")

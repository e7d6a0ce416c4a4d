"""The command line: `trivet VERB`, each verb in a module of its own.

A verb's module is imported only when the verb is called, so that help is quick.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from typing import Annotated

import typer

from trivet import __version__

#: verb -> (module, its Typer, line of help)
VERBS: dict[str, tuple[str, str, str]] = {
    "demo": ("demo", "app", "Watch a simulated household live through its days."),
    "up": ("up", "app", "Run one device of the simulated household."),
    "import": ("imports", "app", "Take up recordings of a phone, a car or a home."),
    "map": ("maps", "app", "The offline map: import one, look around."),
    "household": ("household", "household_app", "Found a household, look at it."),
    "device": ("household", "device_app", "Admit devices, list them."),
    "join": ("pairing", "join_app", "Join a household with its code."),
    "router": (
        "router",
        "router_app",
        "A router: where devices meet that cannot reach each other.",
    ),
    "lease": ("lease", "lease_app", "What a running device gives; end it."),
    "state": ("state", "state_app", "What the household shares; set it, keep lists."),
    "seat": ("seat", "seat_app", "Who does what for the household; give it away."),
    "task": ("task", "task_app", "Tasks: which there are, and where; have one run."),
    "policy": ("policy", "policy_app", "What the devices may do, and why."),
    "ledger": ("ledger", "ledger_app", "Who was told what, when and what for."),
    "history": ("kept", "history_app", "What a device keeps; export it, forget it."),
    "places": ("history", "places_app", "The places that were learned."),
    "place": ("place", "place_app", "The places that are known; set them right."),
    "trips": ("history", "trips_app", "The trips that were learned."),
    "outlook": ("outlook", "app", "The next day at home: who is in, what is next."),
    "forecast": ("now", "forecast_app", "Where the running trip is going."),
    "suggestions": ("now", "suggestions_app", "What is suggested now."),
    "choices": ("choices", "choices_app", "What was weighed and said, and earned."),
    "answer": ("answer", "app", "Answer a suggestion on a running device."),
    "why": ("now", "why_app", "Why trivet thinks so."),
    "replay": ("replay", "app", "Replay recorded lives, judge each forecast."),
    "train": ("train", "app", "Train the student that weighs where a trip goes."),
    "bench": ("bench", "app", "Measure this machine: the figures in the docs."),
    "doctor": ("doctor", "app", "Whether this machine has what trivet needs."),
}
_PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}

# plain help: Rich's takes as long to import as all the rest
app = typer.Typer(
    no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None
)


def _version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Tell the version."
        ),
    ] = False,
) -> None:
    """A phone, a car and a home as one system, with no cloud in between."""


def _verb(verb: str, module: str, name: str) -> Callable[[typer.Context], None]:
    def call(context: typer.Context) -> None:
        inner: typer.Typer = getattr(import_module(f"trivet.app.cli.{module}"), name)
        inner(args=context.args, prog_name=f"trivet {verb}")

    return call


for _name, (_module, _app, _help) in VERBS.items():
    app.command(_name, help=_help, context_settings=_PASS_ON, add_help_option=False)(
        _verb(_name, _module, _app)
    )


def run() -> None:
    """Run the command line of this process."""
    # its matrices are small, and a process of one thread can be forked
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    app(prog_name="trivet")


if __name__ == "__main__":
    run()

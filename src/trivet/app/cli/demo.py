"""`trivet demo`: three devices live a simulated household's days."""

from __future__ import annotations

from typing import Annotated

import typer

from trivet.app.cli.option import JsonOption
from trivet.app.cli.output import told
from trivet.app.cli.up import run_words
from trivet.app.demo import run_demo

app = typer.Typer()


@app.command("demo")
@told
def demo(
    days: Annotated[float, typer.Option(min=0.01, help="Days to live.")] = 7.0,
    speed: Annotated[
        float, typer.Option(min=0.1, max=3600, help="Event seconds a second.")
    ] = 60.0,
    seed: Annotated[int, typer.Option(min=0, help="Which household.")] = 7,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="TCP port of the page.")
    ] = 8321,
    headless: Annotated[
        bool,
        typer.Option(
            "--headless", help="No page: print the days, with yes to everything."
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Watch a simulated household live: a phone, a car and a home, three processes."""
    home = ["--days", str(days), "--speed", str(speed)]
    home += ["--headless"] if headless else ["--page", str(port)]
    home += ["--json"] if as_json else []
    raise typer.Exit(run_demo(run_words, home, ["--seed", str(seed)]))

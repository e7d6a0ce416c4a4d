"""`trivet outlook`: the next day at home, told by a running device or by imports."""

from __future__ import annotations

from datetime import tzinfo
from typing import Annotated

import typer

from trivet.app.cli.now import AtOption, asked, known
from trivet.app.cli.option import (
    HereOption,
    HouseholdOption,
    JsonOption,
    PersonOption,
    ZoneOption,
)
from trivet.app.cli.output import console, print_json, told
from trivet.app.cli.running import ask_first
from trivet.app.moment import span_text
from trivet.app.outlook import Coming, Outlook
from trivet.app.outlook_word import ShowOutlook
from trivet.app.terminal import plain
from trivet.app.zone import named_zone
from trivet.domain.clock import clock_text, local
from trivet.domain.forecast import Interval

app = typer.Typer()
#: How sure it is that somebody is in, an hour each.
_BARS = " ▁▂▃▄▅▆▇█"


@app.command("outlook")
@told
def outlook(
    at: AtOption = "",
    household: HouseholdOption = None,
    device: HereOption = "home",
    phone: Annotated[
        str, typer.Option(help="Of imported samples: whose positions.")
    ] = "phone",
    person: PersonOption = "ada",
    zone: ZoneOption = "",
    as_json: JsonOption = False,
) -> None:
    """The next day at home: who is in when, what is done next, bed and waking.

    A running device is asked; with --at, or where none runs, it is told from imported
    samples.
    """
    found = ask_first(asked(household, device, at), ShowOutlook(), Outlook)
    if found is None:
        with known(household, at, person, phone, zone) as (mind, time):
            found = mind.outlook(time)
    if as_json:
        print_json(found)
    else:
        _print(found, named_zone(found.zone))


def _print(found: Outlook, zone: tzinfo) -> None:
    moment = local(found.time, zone)
    console.print(f"The next day at home, {moment:%A %H:%M}", style="bold")
    if found.is_empty:
        console.print("Nothing can be foretold yet.")
    for each in (*found.coming, *((found.first,) if found.first else ())):
        _say(_coming(each, found.time, zone), each.rests)
    for row in found.presence:
        bars = "".join(_BARS[round(chance * 8)] for chance in row.is_home)
        begin = clock_text(found.time + 3600.0, zone)
        console.print(f"{plain(row.who) or 'Somebody'} in, from {begin}: {bars}|")
    if found.presence:
        _rest(found.presence_rests)
    if found.next:
        words = ", ".join(
            f"{plain(each.label)} {each.probability:.0%}{_about(each.time, zone)}"
            for each in found.next
        )
        _say(f"Next: {words}", found.next_rests)
    nights = [
        f"{word} about {span_text(when, found.time, zone)}"
        for word, when in (("bed", found.bed), ("up", found.wake))
        if when is not None
    ]
    if nights:
        said = ", ".join(nights)
        _say(said[:1].upper() + said[1:], found.night_rests)
    if not found.is_learning:
        console.print("Nothing is learned at the moment.")
    if not found.is_on:
        console.print("The home's routine is off: settings/routine/on is false.")


def _say(text: str, rests: str) -> None:
    console.print(text)
    _rest(rests)


def _rest(rests: str) -> None:
    if rests:
        console.print(f"  from {plain(rests)}", style="dim", highlight=False)


def _coming(each: Coming, now: float, zone: tzinfo) -> str:
    who = plain(each.who)
    if each.is_home or each.arrival is None:
        return f"{who} is home"
    when = span_text(each.arrival, now, zone, each.middle)
    return f"{who} is home about {when}"


def _about(when: Interval | None, zone: tzinfo) -> str:
    return "" if when is None else f" about {clock_text(when.median, zone)}"

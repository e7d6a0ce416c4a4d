"""`trivet history`: what a device keeps, for how long; take it out, or forget it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from trivet.app.cli.option import HereOption, HouseholdOption, JsonOption
from trivet.app.cli.output import console, errors, print_json, print_table, told
from trivet.app.folder import history_file, household_folder, samples_file
from trivet.app.keeping import ALL, Forgot
from trivet.app.kept import Account, forget_kept, live_state, stand, wait_for
from trivet.app.terminal import plain
from trivet.domain import UsageError
from trivet.fabric.history import Forget, History, make_forget, make_rule
from trivet.fabric.history.erasure import ANSWERED, CLEANING, Pending
from trivet.fabric.history.export import export as write_export
from trivet.fabric.history.forget import END_OF_TIME
from trivet.fabric.history.reader import Reader
from trivet.fabric.history.row import Stream
from trivet.fabric.history.rule import DEFAULT, Rule, duration_text, parse_duration
from trivet.fabric.key import check_id

history_app = typer.Typer(help="What a device keeps, and for how long; forget it.")
_MIB = 1024 * 1024

PatternsArgument: TypeAlias = Annotated[
    list[str] | None,
    typer.Argument(metavar="[PATTERN]...", help="Signals: location, Vehicle.**."),
]
SinceOption: TypeAlias = Annotated[str, typer.Option(help="Since: 2026-02-27T18:05.")]
UntilOption: TypeAlias = Annotated[str, typer.Option(help="Before: 2026-02-28.")]
LastOption: TypeAlias = Annotated[str, typer.Option(help="The last 12h, 7d, 1y.")]


@history_app.command("show")
@told
def show(
    device: HereOption = "home",
    household: HouseholdOption = None,
    as_json: JsonOption = False,
) -> None:
    """What is kept of each signal, by which rules, and who is still to forget."""
    account = stand(household_folder(household), check_id(device))
    if as_json:
        print_json(account)
        return
    print_table(
        f"What {device} keeps, {account.bytes / _MIB:.1f} MiB",
        ["device", "signal", "samples", "summaries", "from", "to", "size", "lease"],
        [_row(stream) for stream in account.streams],
    )
    _say_rules(account.rules, account.copies_s, account.max_bytes)
    for pending in account.pendings:
        _say(_line(pending, account.members))
    _say_troubles(account)


@history_app.command("keep")
@told
def keep(
    pattern: Annotated[
        str, typer.Argument(help="Signals: location, Vehicle.**; none to list.")
    ] = "",
    raw: Annotated[str, typer.Option(help="As it was for so long: 30d.")] = "",
    every: Annotated[str, typer.Option(help="Then a summary of each: 5m.")] = "",
    for_: Annotated[
        str, typer.Option("--for", help="Until it is so old, then nothing: 365d.")
    ] = "",
    drop: Annotated[bool, typer.Option("--drop", help="Drop the rule.")] = False,
    copies: Annotated[
        str, typer.Option(help="Keep copies so long after their lease has ended.")
    ] = "",
    most: Annotated[
        int, typer.Option(min=0, help="The file's size in MiB, at the most.")
    ] = 0,
    device: HereOption = "home",
    household: HouseholdOption = None,
    as_json: JsonOption = False,
) -> None:
    """How long signals are kept, as they were and summed up; change it."""
    path = history_file(household_folder(household), check_id(device))
    rule = _rule(pattern, raw, every, for_) if raw or every or for_ else None
    if pattern and rule is None and not drop:
        raise UsageError(
            f"how long is {pattern} to be kept?", hint="such as --raw 30d, or --drop"
        )
    with History(path, device) as history:
        if drop:
            history.drop_rule(pattern)
        elif rule is not None:
            history.set_rule(rule)
        if copies:
            history.set_copies(parse_duration(copies))
        if most:
            history.set_max_bytes(most * _MIB)
        rules, copies_s, limit = history.rules, history.copies_s, history.max_bytes
    if as_json:
        print_json({"rules": rules, "copies_s": copies_s, "max_bytes": limit})
    else:
        _say_rules(rules, copies_s, limit)


@history_app.command("export")
@told
def export(
    file: Annotated[Path, typer.Argument(help="Ends in .parquet or .csv.")],
    patterns: PatternsArgument = None,
    since: SinceOption = "",
    until: UntilOption = "",
    last: LastOption = "",
    of: Annotated[str, typer.Option(help="Only what is this device's.")] = "",
    device: HereOption = "home",
    household: HouseholdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write what is kept into one file, for other programs to read."""
    folder = household_folder(household)
    now = live_state(folder, device).time
    wanted = _wish(patterns or ["**"], since, until, last, now, END_OF_TIME)
    with Reader(history_file(folder, check_id(device))) as reader:
        count = write_export(file, reader.rows(wanted, of), device)
    if as_json:
        print_json({"file": str(file), "rows": count})
    else:
        _say(f"{count} rows are in {file}")


@history_app.command("forget")
@told
def forget(
    patterns: PatternsArgument = None,
    since: SinceOption = "",
    until: UntilOption = "",
    last: LastOption = "",
    of: Annotated[
        str,
        typer.Option(
            help="Copies of this device's samples that are here, in place of the "
            f"device's own; {ALL} for both."
        ),
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds to wait for the others' answers.")
    ] = 10.0,
    device: HereOption = "home",
    household: HouseholdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Delete samples for good: here, and on every device that was given them."""
    folder = household_folder(household)
    now = live_state(folder, check_id(device)).time
    if not patterns and not (since or until or last):
        raise UsageError(
            "what is to be forgotten?",
            hint="name signals or a span, such as --last 7d; '**' is everything",
        )
    with Reader(history_file(folder, device)) as reader:
        # a clock that was wrong, or a simulated one, may be ahead of ours
        end = max(now, reader.last_time() + 1.0)
    wish = _wish(patterns or ["**"], since, until, last, now, end)
    if not yes and not as_json:
        _say(_preview(folder, device, wish, of))
        typer.confirm("Delete that for good?", abort=True)
    done = forget_kept(folder, device, wish, of, now)
    account = wait_for(folder, device, wish, wait if done.is_live else 0.0)
    mine = [p for p in account.pendings if p.wish.id == wish.id]
    if as_json:
        print_json({"here": done.forgot, "others": mine, "is_clean": account.is_clean})
        return
    _tell_forgot(done.forgot)
    for pending in mine:
        _say(_line(pending, account.members))
    _say(_CLEAN if account.is_clean else _UNCLEAN)
    if samples_file(folder).exists():
        _say("Imported recordings are another file and stay as they are: samples.db.")


def _tell_forgot(forgot: Forgot) -> None:
    here = forgot.own
    _say(f"Deleted here: {_went(here.samples, here.intervals)}.")
    if here.partly:
        _say(f"{here.partly} of the summaries reached beyond the span.")
    for owner, count in forgot.copies.items():
        _say(f"Deleted here of {owner}: {count} samples and summaries.")


_CLEAN = "Nothing of it is left in the history's file."
_UNCLEAN = "The history's file is still being cleaned: see trivet history show."


def _rule(pattern: str, raw: str, every: str, for_: str) -> Rule:
    if not pattern:
        raise UsageError("which signals are to be kept so?", hint="'**' is all others")
    raw_s = parse_duration(raw or "0")
    every_s, for_s = parse_duration(every or "0"), parse_duration(for_ or "0")
    return make_rule(pattern, raw_s, every_s, for_s)


def _wish(
    patterns: list[str], since: str, until: str, last: str, now: float, end: float
) -> Forget:
    if last and (since or until):
        raise UsageError("--last says since and until already", hint="leave one out")
    if last:
        return make_forget(patterns, max(0.0, now - parse_duration(last)), end)
    begin = _event_time(since) if since else 0.0
    return make_forget(patterns, begin, _event_time(until) if until else end)


def _event_time(text: str) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"{text[:40]!r} is no time", hint="write it as 2026-02-27T18:05"
        ) from error


def _preview(folder: Path, device: str, wish: Forget, of: str) -> str:
    lines = []
    with Reader(history_file(folder, device)) as reader:
        if of in ("", ALL, device):
            count = reader.count(wish, device)
            lines.append(f"{_went(*count)} of {device}, and whoever was given them")
        if of not in ("", device):
            count = reader.count(wish, "" if of == ALL else of, is_own=False)
            lines.append(f"{_went(*count)} that {device} has of others")
    span = f"{_moment(wish.since)} – {_moment(wish.until)}"
    return f"{', '.join(wish.paths)}, {span}: " + "; ".join(lines)


def _row(stream: Stream) -> tuple[str, ...]:
    size = stream.bytes
    lease = f"{stream.purpose}, until {_moment(stream.until)}" if stream.lease else ""
    return (
        stream.device,
        stream.path,
        str(stream.samples),
        str(stream.intervals),
        _moment(stream.first),
        _moment(stream.last),
        f"{size / _MIB:.1f} MiB" if size >= _MIB else f"{size / 1024:.1f} KiB",
        lease,
    )


def _say_rules(rules: tuple[Rule, ...], copies_s: float, max_bytes: int) -> None:
    for rule in (*rules, DEFAULT):
        if rule is not DEFAULT or all(r.pattern != "**" for r in rules):
            text = f"{rule.pattern}: {duration_text(rule.raw_s)} as it was"
            if rule.every_s:
                text += f", then summaries of {duration_text(rule.every_s)}"
            _say(f"{text}, until it is {duration_text(rule.for_s)} old")
    after = duration_text(int(copies_s)) if copies_s else "no longer"
    _say(f"Copies of others' samples: while their lease runs, and {after} after it.")
    _say(f"At the most {max_bytes / _MIB:.0f} MiB; the oldest makes room.")


def _line(pending: Pending, members: frozenset[str]) -> str:
    what = ", ".join(pending.wish.paths)
    went = _went(pending.samples, pending.intervals)
    if pending.state == ANSWERED:
        return f"{pending.peer} deleted its copies of {what}: {went}."
    if pending.state == CLEANING:
        return f"{pending.peer} deleted {went} of {what} and cleans its file."
    if members and pending.peer not in members:
        return (
            f"{pending.peer} was given {what} and is of the household no more: it "
            "cannot be asked."
        )
    why = f" ({plain(pending.error)})" if pending.error else ""
    return f"{pending.peer} is still to forget {what}: it is asked when it comes{why}."


def _say_troubles(account: Account) -> None:
    if account.squeezed:
        until = _moment(account.squeezed_until)
        _say(f"{account.squeezed} of the oldest went to make room, up to {until}.")
    if not account.is_clean:
        _say(_UNCLEAN)
    if account.lost:
        errors.print(f"{account.lost} samples could not be kept.", style="red")
    if account.error:
        errors.print(f"It cannot be written: {plain(account.error)}", style="red")


def _went(samples: int, intervals: int) -> str:
    return f"{samples} samples, {intervals} summaries"


def _moment(when: float) -> str:
    moment = datetime.fromtimestamp(when, UTC).astimezone()
    return f"{moment:%Y-%m-%d %H:%M}"


def _say(text: str) -> None:
    console.print(text, highlight=False, soft_wrap=True)

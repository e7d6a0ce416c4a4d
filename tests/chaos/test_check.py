"""Each check finds what it is there to find, and fails when it has nothing to look at.

What the nodes wrote down is made up here, record by record.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from scripts.chaos.check.ledger import (
    check_chains,
    check_disclosures,
    check_shut_out,
    check_witnesses,
    read_entries,
)
from scripts.chaos.check.seat import check_acts, check_holders, check_tokens
from scripts.chaos.check.state import check_charters, check_equal, check_writes
from scripts.chaos.check.task import ONCE, check_answers, check_runs
from scripts.chaos.check.verdict import Verdict
from scripts.chaos.journal import (
    Acked,
    Acted,
    Answered,
    Asked,
    Began,
    Book,
    Heard,
    Held,
    Line,
    Ran,
    Shut,
    Witnessed,
)

from trivet.fabric.event import Event, EventKind
from trivet.fabric.ledger import Ledger
from trivet.fabric.ledger_chain import SignedHead
from trivet.fabric.request import new_key
from trivet.fabric.witness_file import Kept

KEY = new_key()
LIFE = 1_000_000


def book(**lines: Sequence[Line]) -> Book:
    return Book({device: list(records) for device, records in lines.items()})


@pytest.mark.parametrize(
    "verdict",
    [
        check_writes(book(), {"home": {}}),
        check_equal({"home": {}, "car": {}}),
        check_charters(book(), {"home": 1}),
        check_runs(book(), []),
        check_answers(book(), []),
        check_tokens(book()),
        check_holders(book()),
        check_acts(book(home=[])),
        check_chains(book(), {}, {}),
        check_witnesses({"home": ()}, {}),
        check_disclosures(book(), {}),
        check_shut_out(book(), "car"),
    ],
    ids=lambda verdict: verdict.promise,
)
def test_a_check_on_nothing_fails(verdict: Verdict) -> None:
    assert not verdict.broken
    assert not verdict.holds


# --- the state ---------------------------------------------------------------------

WRITTEN = book(
    home=[
        Acked(key="each.home.1", value="1"),
        Acked(key="last.home", value="2"),
        Acked(key="last.home", value="5"),
    ]
)
WHOLE = {"each.home.1": "1", "last.home": "5"}


def test_what_was_acknowledged_and_is_everywhere_is_kept() -> None:
    verdict = check_writes(WRITTEN, {"home": WHOLE, "car": WHOLE})
    assert verdict.holds
    assert verdict.basis == 3


@pytest.mark.parametrize(
    "held",
    [
        {"last.home": "5"},
        {"each.home.1": "7", "last.home": "5"},
        {"each.home.1": "1"},
        {"each.home.1": "1", "last.home": "2"},
    ],
)
def test_a_write_that_is_lost_at_one_device_is_found(held: dict[str, str]) -> None:
    verdict = check_writes(WRITTEN, {"home": WHOLE, "car": held})
    assert len(verdict.broken) == 1
    assert "car" in verdict.broken[0]


def test_a_later_write_that_was_never_acknowledged_is_no_loss() -> None:
    held = {**WHOLE, "last.home": "6"}
    assert check_writes(WRITTEN, {"home": held}).holds


def test_replicas_that_differ_are_found() -> None:
    assert check_equal({"home": WHOLE, "car": WHOLE}).holds
    other = {**WHOLE, "shared.1": "x"}
    verdict = check_equal({"car": WHOLE, "home": other})
    assert verdict.broken == ["shared.1 is None at car, 'x' at home"]


def test_a_charter_that_stayed_behind_or_lost_a_change_is_found() -> None:
    changed = book(home=[Acked(key="charter", value="4")])
    assert check_charters(changed, {"home": 4, "car": 4}).holds
    assert check_charters(changed, {"home": 4, "car": 3}).broken
    assert check_charters(changed, {"home": 3, "car": 3}).broken


# --- tasks -------------------------------------------------------------------------


def test_a_run_that_was_doubled_is_found() -> None:
    asked = book(car=[Asked(run="car.1.1", task=ONCE), Answered(run="car.1.1", by="x")])
    ran = [Ran(run="car.1.1", task=ONCE, by="home")]
    assert check_runs(asked, ran).holds
    assert check_answers(asked, ran).holds
    verdict = check_runs(asked, [*ran, Ran(run="car.1.1", task=ONCE, by="car")])
    assert verdict.broken == ["car.1.1, asked by car, ran 2 times"]


def test_a_task_that_may_run_again_may() -> None:
    again = [Ran(run="car.1.2", task="chaos.again", by="home")] * 2
    once = Ran(run="car.1.1", task=ONCE, by="home")
    assert check_runs(book(), [*again, once]).holds


def test_an_answer_to_what_never_ran_is_found() -> None:
    assert check_answers(book(car=[Answered(run="car.1.1", by="home")]), []).broken


# --- seats -------------------------------------------------------------------------


def test_two_holders_of_one_token_are_found() -> None:
    fine = book(home=[Held(seat="lead", token=3)], car=[Held(seat="lead", token=4)])
    assert check_tokens(fine).holds
    doubled = book(home=[Held(seat="lead", token=3)], car=[Held(seat="lead", token=3)])
    verdict = check_tokens(doubled)
    assert verdict.broken == ["lead: token 3 was held by car and home"]


def test_one_token_of_two_seats_is_not_one_token() -> None:
    fine = book(home=[Held(seat="lead", token=3)], car=[Held(seat="voice", token=3)])
    assert check_tokens(fine).holds


def test_two_holders_at_one_time_are_found() -> None:
    home = [Held(seat="lead", token=3, seen=seen) for seen in (1.0, 2.0)]
    car = [Held(seat="lead", token=4, seen=seen) for seen in (3.0, 4.0)]
    assert check_holders(book(home=home, car=car)).holds
    late = Held(seat="lead", token=3, seen=3.5)
    verdict = check_holders(book(home=[*home, late], car=car))
    assert len(verdict.broken) == 1
    assert "home held lead with token 3 at 3.500" in verdict.broken[0]


def test_one_device_may_go_back_to_a_token_of_its_own() -> None:
    lines = [Held(seat="lead", token=token, seen=token % 3) for token in (3, 5, 4)]
    assert check_holders(book(home=lines)).holds


def acts(*tokens: int) -> Book:
    holders = {3: "phone", 4: "car"}
    return book(
        home=[
            Acted(seat="lead", token=token, holder=holders[token], at=float(number))
            for number, token in enumerate(tokens)
        ]
    )


def test_acts_that_interleave_at_a_resource_are_found() -> None:
    assert check_acts(acts(3, 3, 4, 4)).holds
    verdict = check_acts(acts(3, 4, 3, 4))
    assert len(verdict.broken) == 1
    assert "phone acted for lead with token 3" in verdict.broken[0]


def test_an_act_under_the_token_of_another_is_found() -> None:
    stolen = book(
        home=[
            Acted(seat="lead", token=3, holder="phone"),
            Acted(seat="lead", token=3, holder="car"),
        ]
    )
    assert check_tokens(stolen).broken


# --- ledgers -----------------------------------------------------------------------


def event(kind: EventKind, time: float, lease: str = "a") -> Event:
    return Event(kind, time, "car", lease, ("batt",), "arrival", first=time)


def write_ledger(path: Path, *events: Event) -> list[Line]:
    """A phone's ledger, and what its node says of it."""
    with Ledger(path, "phone", key=KEY) as ledger:
        began = Began(seq=ledger.head.seq, life=1)
        ledger.append_many(events)
        return [began, Witnessed(head=str(ledger.head))]


GIVEN = (
    event(EventKind.GRANT, 10.0),
    event(EventKind.DISCLOSING, 11.0),
    event(EventKind.END, 20.0),
)


def heard(time: float, life: int = 1, path: str = "batt") -> Heard:
    return Heard(owner="phone", path=path, time=time, value=float(life * LIFE + 1))


def judge(path: Path, *records: Heard) -> Verdict:
    lines = write_ledger(path, *GIVEN)
    entries = dict(read_entries({"phone": path}))
    return check_disclosures(book(phone=lines, car=records), entries)


def test_what_the_ledger_had_before_is_in_order(tmp_path: Path) -> None:
    verdict = judge(tmp_path / "l.db", heard(11.0), heard(15.0), heard(20.0))
    assert verdict.holds
    assert verdict.basis == 3


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (heard(10.5), "no such disclosure"),
        (heard(20.5), "had ended"),
        (heard(12.0, path="location"), "no such disclosure"),
        (heard(12.0, life=2), "no such disclosure"),
    ],
    ids=["before", "after", "another signal", "another life"],
)
def test_what_was_heard_and_is_not_in_the_ledger_is_found(
    tmp_path: Path, record: Heard, why: str
) -> None:
    verdict = judge(tmp_path / "l.db", record)
    assert len(verdict.broken) == 1
    assert why in verdict.broken[0]


def test_a_ledger_that_is_whole_is_found_so(tmp_path: Path) -> None:
    lines = write_ledger(tmp_path / "l.db", *GIVEN)
    verdict = check_chains(
        book(phone=lines), {"phone": tmp_path / "l.db"}, {"phone": KEY}
    )
    assert verdict.holds
    assert verdict.basis == 3


def test_a_ledger_that_was_cut_is_found(tmp_path: Path) -> None:
    """Its last entry is taken off, and its head put back, signed by its own key."""
    path, older = tmp_path / "l.db", tmp_path / "older.db"
    write_ledger(path, GIVEN[0])
    with closing(sqlite3.connect(path)) as now, closing(sqlite3.connect(older)) as copy:
        now.backup(copy)
    lines = write_ledger(path, GIVEN[1])
    verdict = check_chains(book(phone=lines), {"phone": older}, {"phone": KEY})
    assert verdict.broken


def test_a_ledger_that_was_cut_and_went_on_is_found(tmp_path: Path) -> None:
    """The end that was seen last is there again, the one before is not."""
    path, older = tmp_path / "l.db", tmp_path / "older.db"
    write_ledger(path, GIVEN[0])
    with closing(sqlite3.connect(path)) as now, closing(sqlite3.connect(older)) as copy:
        now.backup(copy)
    before = write_ledger(path, GIVEN[1])
    after = write_ledger(older, GIVEN[2])
    verdict = check_chains(
        book(phone=[*before, *after]), {"phone": older}, {"phone": KEY}
    )
    assert len(verdict.broken) == 1
    assert "no more goes through 2:" in verdict.broken[0]


def test_a_ledger_with_an_altered_entry_is_found(tmp_path: Path) -> None:
    path = tmp_path / "l.db"
    lines = write_ledger(path, *GIVEN)
    with closing(sqlite3.connect(path)) as base:
        base.execute("DROP TRIGGER entry_update")
        base.execute("UPDATE entry SET event = x'80' WHERE seq = 2")
        base.commit()
    verdict = check_chains(book(phone=lines), {"phone": path}, {"phone": KEY})
    assert verdict.broken


def test_what_others_keep_of_a_ledger_is_held_against_it(tmp_path: Path) -> None:
    path = tmp_path / "l.db"
    write_ledger(path, *GIVEN)
    entries = dict(read_entries({"phone": path}))
    digest = bytes.fromhex(entries["phone"][1].hash)
    fine = Kept("phone", SignedHead("phone", 2, digest, b"signed"), 1.0)
    assert check_witnesses({"car": [fine]}, entries).holds
    for wrong in (
        Kept("phone", SignedHead("phone", 3, digest, b"signed"), 1.0),
        Kept("phone", SignedHead("phone", 9, digest, b"signed"), 1.0),
        Kept("phone", fine.head, 1.0, fault="it went back"),
    ):
        assert len(check_witnesses({"car": [wrong]}, entries).broken) == 1


def test_what_reaches_a_device_after_it_was_shut_out_is_found() -> None:
    shut = [Shut(device="car", value=100.0)]
    early = Heard(owner="phone", path="batt", time=1.0, value=100.0)
    late = Heard(owner="phone", path="batt", time=1.0, value=101.0)
    assert check_shut_out(book(phone=shut, car=[early]), "car").holds
    assert check_shut_out(book(phone=shut, car=[early, late]), "car").broken

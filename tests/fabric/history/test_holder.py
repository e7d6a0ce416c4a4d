"""Whoever was given something that is to be forgotten is found in the ledger."""

from __future__ import annotations

from trivet.fabric.disclosure import Disclosures
from trivet.fabric.event import Event, EventKind
from trivet.fabric.history import make_forget
from trivet.fabric.history.holder import holders
from trivet.fabric.ledger import Ledger

LEASE = "0" * 16
NOON = 1_760_000_000.0


def given_to(flows: Disclosures, peer: str, path: str, time: float) -> None:
    flows.note(LEASE, peer, path, "arrival", 0, time, time)


def test_it_names_who_was_given_it_in_the_span_and_nobody_else() -> None:
    with Ledger(":memory:", "phone") as ledger:
        flows = Disclosures(ledger)
        for peer, path, time in (
            ("home", "location", NOON),
            ("car", "batt", NOON),
            ("watch", "location", NOON + 5000),
            ("old", "location", NOON - 5000),
        ):
            given_to(flows, peer, path, time)
            flows.flush(time)
        ledger.append(Event(EventKind.GRANT, NOON, "never", LEASE, ("location",)))
        ledger.append(Event(EventKind.REFUSAL, NOON, "no", LEASE, ("location",)))
        wish = make_forget(["location"], NOON - 100, NOON + 100)
        assert holders(ledger.entries(), wish) == ["home"]
        assert holders(ledger.entries(), make_forget()) == [
            "car",
            "home",
            "old",
            "watch",
        ]
        nothing = make_forget(["lock.*"])
        assert holders(ledger.entries(), nothing) == []


def test_what_was_never_counted_may_have_gone_on() -> None:
    """A crash loses a count; a stream that flows still has none yet."""
    with Ledger(":memory:", "phone") as ledger:
        given_to(Disclosures(ledger), "home", "location", NOON)  # then killed
        later = make_forget(since=NOON + 1000, until=NOON + 2000)
        assert holders(ledger.entries(), later) == ["home"]
        again = Disclosures(ledger)
        given_to(again, "home", "location", NOON + 5000)
        again.flush(NOON + 5000)
        assert holders(ledger.entries(), later) == ["home"]
        before = make_forget(since=NOON - 1000, until=NOON)
        assert holders(ledger.entries(), before) == []

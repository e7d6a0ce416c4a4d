"""The lease book: what is granted, how exactly, and when it ends."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trivet.domain import (
    DeviceKind,
    EndReason,
    LeaseRequest,
    Purpose,
    RefusedError,
    SetupError,
    Signal,
    UsageError,
)
from trivet.domain.lease import EXACTNESS_M, ZONE_M
from trivet.fabric.access import Access, Circumstances, Decision, Party
from trivet.fabric.event import Event, EventKind
from trivet.fabric.lease import MAX_LEASES, MAX_TERM_S, LeaseBook

NOW = 1_772_000_000.0
SIGNALS = (
    Signal("location", datatype="position"),
    Signal("batt"),
    Signal("screen.locked", datatype="boolean"),
)
HOME = Party("home", DeviceKind.HOME)
CAR = Party("car", DeviceKind.CAR)
PHONE = Party("phone", DeviceKind.PHONE)
PARTIES = {"home": HOME, "car": CAR, "phone": PHONE}


class Rules:
    """A policy by a function: the id of the rule that allows it, or None."""

    def __init__(self, allows: Callable[[Access], str | None]) -> None:
        self.allows = allows
        self.asked: list[Access] = []

    def decide(self, access: Access) -> Decision:
        self.asked.append(access)
        rule = self.allows(access)
        return Decision(rule is not None, rule or "", "it is a test")


def book(
    allows: Callable[[Access], str | None], events: list[Event] | None = None
) -> LeaseBook:
    kept: list[Event] = [] if events is None else events
    return LeaseBook(PHONE, SIGNALS, Rules(allows), PARTIES.get, kept.append)


def wish(
    *paths: str, exact_m: int = 0, every_s: float = 0.0, term_s: float = 600.0
) -> LeaseRequest:
    return LeaseRequest(paths, Purpose.ARRIVAL, NOW + term_s, every_s, exact_m)


def anything(access: Access) -> str:
    return "all"


def test_what_is_allowed_is_granted_as_asked() -> None:
    events: list[Event] = []
    phone = book(anything, events)
    lease = phone.request("home", wish("**"), NOW)
    assert lease.paths == ("location", "batt", "screen.locked")
    assert (lease.owner, lease.recipient, lease.rule) == ("phone", "home", "all")
    assert (lease.exact_m, lease.withheld) == (0, ())
    assert phone.recipients("batt") == ("home",)
    assert [event.kind for event in events] == [EventKind.GRANT]
    assert events[0].lease == lease.id


@pytest.mark.parametrize("least", EXACTNESS_M)
def test_a_position_is_granted_as_exact_as_the_policy_lets(least: int) -> None:
    phone = book(lambda access: "coarse" if access.exact_m >= least else None)
    assert phone.request("home", wish("location"), NOW).exact_m == least
    assert phone.request("home", wish("location", exact_m=ZONE_M), NOW).exact_m == (
        ZONE_M
    )


def test_exactness_is_asked_of_positions_alone() -> None:
    """A coarser grant of the position must not lose what is no position."""

    def coarse(access: Access) -> str | None:
        if access.path == "location":
            return "coarse" if access.exact_m >= 500 else None
        return "exact" if access.exact_m == 0 else None

    lease = book(coarse).request("home", wish("location", "batt"), NOW)
    assert (lease.exact_m, lease.paths) == (500, ("location", "batt"))


def test_what_is_not_allowed_is_withheld_and_named() -> None:
    phone = book(lambda access: "b" if access.path == "batt" else None)
    lease = phone.request("home", wish("**"), NOW)
    assert lease.paths == ("batt",)
    assert set(lease.withheld) == {"location", "screen.locked"}
    assert phone.flow("home", "location") is None


def test_a_refusal_says_by_which_rule_and_is_recorded() -> None:
    events: list[Event] = []
    phone = book(lambda access: None, events)
    with pytest.raises(RefusedError, match="it is a test") as caught:
        phone.request("car", wish("location"), NOW)
    assert "trivet policy why car receive phone location" in caught.value.hint
    assert [(event.kind, event.peer) for event in events] == [
        (EventKind.REFUSAL, "car")
    ]
    assert phone.leases == ()


def test_attack_a_stranger_asks_for_a_lease() -> None:
    with pytest.raises(RefusedError, match="not of this household"):
        book(anything).request("thief", wish("**"), NOW)


def test_attack_asking_for_signals_until_memory_is_full() -> None:
    many = tuple(Signal(f"x.{number}") for number in range(MAX_LEASES + 1))
    phone = LeaseBook(PHONE, (*SIGNALS, *many), Rules(anything), PARTIES.get, repr)
    for signal in many[:-1]:
        phone.request("car", wish(signal.path), NOW)
    with pytest.raises(RefusedError, match="holds 64 leases"):
        phone.request("car", wish(many[-1].path), NOW)
    assert phone.request("home", wish("batt"), NOW).recipient == "home"


def test_attack_a_lease_for_ever() -> None:
    lease = book(anything).request("home", wish("batt", term_s=1e9), NOW)
    assert lease.until == NOW + MAX_TERM_S


@pytest.mark.parametrize("until", [NOW, NOW - 1, 0.0])
def test_a_lease_that_ended_before_it_began_is_a_mistake(until: float) -> None:
    request = LeaseRequest(("batt",), Purpose.ARRIVAL, until)
    with pytest.raises(UsageError, match="before it began"):
        book(anything).request("home", request, NOW)


def test_what_there_is_not_cannot_be_leased() -> None:
    with pytest.raises(UsageError, match=r"no signal Vehicle\.\*\*"):
        book(anything).request("home", wish("Vehicle.**"), NOW)


def test_a_lease_ends_by_time_and_flows_no_more() -> None:
    phone = book(anything)
    lease = phone.request("home", wish("batt", term_s=10), NOW)
    assert phone.next_end == NOW + 10
    assert phone.tick(NOW + 9.9) == []
    [(ended, end)] = phone.tick(NOW + 10)
    assert (ended, end.id, end.reason) == (lease, lease.id, EndReason.TIME)
    assert phone.flow("home", "batt") is None
    assert phone.next_end is None


def test_a_lease_ends_when_the_circumstances_no_longer_allow_it() -> None:
    events: list[Event] = []
    phone = book(lambda a: "drive" if a.circumstances.driving else None, events)
    assert phone.set_circumstances(Circumstances(driving=True), NOW) == []
    lease = phone.request("car", wish("location"), NOW)
    assert phone.set_circumstances(Circumstances(driving=True), NOW + 1) == []
    [(ended, end)] = phone.set_circumstances(Circumstances(), NOW + 2)
    assert (ended.id, end.reason) == (lease.id, EndReason.CONTEXT)
    assert events[-1].kind is EventKind.END
    assert events[-1].detail == "context"


def test_a_new_policy_holds_for_running_leases() -> None:
    phone = book(anything)
    phone.request("home", wish("location", "batt"), NOW)
    phone.request("car", wish("batt"), NOW)
    stricter = Rules(lambda a: "b" if a.path == "batt" else None)
    ends = phone.set_policy(stricter, NOW + 1)
    assert [lease.recipient for lease, _ in ends] == ["home"]
    assert ends[0][1].reason is EndReason.POLICY
    assert phone.recipients("batt") == ("car",)


def test_who_is_shut_out_loses_every_lease() -> None:
    phone = book(anything)
    for purpose in (Purpose.ARRIVAL, Purpose.COMFORT):
        phone.request("home", LeaseRequest(("batt",), purpose, NOW + 60), NOW)
    phone.request("car", wish("batt"), NOW)
    assert len(phone.shut_out("home", NOW)) == 2
    assert [lease.recipient for lease in phone.leases] == ["car"]


def test_a_recipient_gives_back_its_own_lease_alone() -> None:
    phone = book(anything)
    lease = phone.request("home", wish("batt"), NOW)
    with pytest.raises(UsageError, match="car holds no lease"):
        phone.give_back("car", lease.id, NOW)
    assert phone.give_back("home", lease.id, NOW) == lease
    with pytest.raises(UsageError):
        phone.give_back("home", lease.id, NOW)


def test_asking_again_takes_the_place_of_what_was_held() -> None:
    phone = book(anything)
    phone.request("home", wish("batt"), NOW)
    newer = phone.request("home", wish("batt", term_s=900), NOW + 1)
    assert phone.leases == (newer,)


def test_of_two_leases_on_a_signal_the_one_that_gives_more_counts() -> None:
    phone = book(anything)
    coarse = LeaseRequest(("location",), Purpose.COMFORT, NOW + 60, exact_m=500)
    phone.request("home", coarse, NOW)
    exact = phone.request("home", wish("location"), NOW)
    flow = phone.flow("home", "location")
    assert flow is not None
    assert flow.lease == exact
    phone.end(exact.id, NOW, EndReason.OWNER)
    flow = phone.flow("home", "location")
    assert flow is not None
    assert flow.lease.exact_m == 500
    assert phone.recipients("location") == ("home",)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ask", "back", "tick", "drive", "stop", "out"]),
        st.sampled_from(["home", "car"]),
        st.sampled_from(["location", "batt", "**"]),
        st.sampled_from(list(Purpose)),
    ),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_nothing_flows_without_a_running_lease_that_is_allowed(
    steps: list[tuple[str, str, str, Purpose]],
) -> None:
    def rule(access: Access) -> str | None:
        is_fit = access.path == "batt" or access.circumstances.driving
        return "r" if is_fit else None

    phone, now = book(rule), NOW
    for what, who, path, purpose in steps:
        now += 7
        if what == "ask":
            try:
                phone.request(who, LeaseRequest((path,), purpose, now + 30), now)
            except RefusedError:
                assert path == "location"
        elif what == "back":
            for lease in phone.leases[:1]:
                phone.give_back(lease.recipient, lease.id, now)
        elif what == "out":
            phone.shut_out(who, now)
        elif what != "tick":
            phone.set_circumstances(Circumstances(driving=what == "drive"), now)
        phone.tick(now)
        running = {(x.recipient, p) for x in phone.leases for p in x.paths}
        assert all(lease.until > now for lease in phone.leases)
        for signal in SIGNALS:
            for who_ in ("home", "car"):
                flows = phone.flow(who_, signal.path) is not None
                assert flows is ((who_, signal.path) in running)
                assert flows is (who_ in phone.recipients(signal.path))
        if not phone.circumstances.driving:
            assert phone.recipients("location") == ()


def test_what_ended_flows_no_more_even_if_it_cannot_be_recorded() -> None:
    def fail_at_end(event: Event) -> None:
        if event.kind is EventKind.END:
            raise SetupError("the disk is full")

    phone = LeaseBook(PHONE, SIGNALS, Rules(anything), PARTIES.get, fail_at_end)
    phone.request("home", wish("batt"), NOW)
    phone.request("car", wish("batt"), NOW)
    with pytest.raises(SetupError):
        phone.shut_out("home", NOW)
    assert phone.recipients("batt") == ("car",)
    with pytest.raises(SetupError):
        phone.tick(NOW + 600)
    assert phone.recipients("batt") == ()
    assert phone.flow("car", "batt") is None


def test_an_end_is_recorded_and_told_once_the_ledger_can_be_written_again() -> None:
    events: list[Event] = []
    full = True

    def record(event: Event) -> None:
        if full and event.kind is EventKind.END:
            raise SetupError("the disk is full")
        events.append(event)

    phone = LeaseBook(PHONE, SIGNALS, Rules(anything), PARTIES.get, record)
    home = phone.request("home", wish("batt"), NOW)
    car = phone.request("car", wish("batt"), NOW)
    with pytest.raises(SetupError):
        phone.end(home.id, NOW + 1, EndReason.OWNER)
    with pytest.raises(SetupError):
        phone.tick(NOW + 600)
    full = False
    told = phone.tick(NOW + 700)
    assert [(lease.id, end.time) for lease, end in told] == [
        (home.id, NOW + 1),
        (car.id, NOW + 600),
    ]
    ends = [e for e in events if e.kind is EventKind.END]
    assert [(e.lease, e.time) for e in ends] == [
        (home.id, NOW + 1),
        (car.id, NOW + 600),
    ]
    assert phone.tick(NOW + 701) == []


def test_an_end_that_waited_for_the_ledger_is_told_whatever_happens_first() -> None:
    events: list[Event] = []
    full = True

    def record(event: Event) -> None:
        if full and event.kind is EventKind.END:
            raise SetupError("the disk is full")
        events.append(event)

    phone = LeaseBook(PHONE, SIGNALS, Rules(anything), PARTIES.get, record)
    late = phone.request("home", wish("batt"), NOW)
    long = phone.request("car", wish("batt", term_s=6000.0), NOW)
    with pytest.raises(SetupError):
        phone.tick(NOW + 600)
    full = False
    renewed = phone.request("car", wish("batt", term_s=6000.0), NOW + 601)
    phone.end(renewed.id, NOW + 602, EndReason.OWNER)
    recorded = [e.lease for e in events if e.kind is EventKind.END]
    assert recorded == [late.id, long.id, renewed.id]
    assert [lease.id for lease, _ in phone.tick(NOW + 603)] == [late.id]

"""Pairing: the way that it goes, each cell of both tables, and every end of time."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fabric.pairing_stage import (
    CARD,
    GRANT,
    INNER,
    NAMES,
    OUTER,
    PHONE,
    REQUEST,
    STRANGER,
    Pair,
    QuickExchange,
    other_code,
    why_of,
)

from trivet.domain import (
    PeerError,
    RefusedError,
    UnreachableError,
    UsageError,
    WireError,
)
from trivet.fabric.pairing import (
    CODE_S,
    PEOPLE_S,
    SILENCE_S,
    TRIES,
    HostState,
)
from trivet.fabric.pairing_joiner import JoinerState
from trivet.fabric.pairing_wire import (
    MAX_BYTES,
    MAX_GRANT_BYTES,
    Card,
    Grant,
    Hello,
    Message,
    Refusal,
    Sealed,
    Why,
    decode,
    decode_inner,
    encode,
    encode_inner,
)

H, J = HostState, JoinerState


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trivet.fabric.pairing.Exchange", QuickExchange)
    monkeypatch.setattr("trivet.fabric.pairing_joiner.Exchange", QuickExchange)


# --- the way that it goes --------------------------------------------------------


def test_who_knows_the_code_is_admitted() -> None:
    pair = Pair()
    pair.run()
    assert (pair.host.state, pair.joiner.state) == (H.DONE, J.DONE)
    assert pair.joiner.card == CARD
    assert pair.joiner.grant == GRANT
    assert pair.host.newcomer == PHONE
    assert pair.faults == []


def test_the_issuer_is_handed_the_joiners_own_request(quick: None) -> None:
    pair, seen = Pair(), []
    pair.bring_host(H.ASKING)

    def issue(request: bytes) -> Grant:
        seen.append(request)
        return GRANT

    pair.host.accept(issue, pair.now)
    assert seen == [REQUEST]


def test_the_household_is_not_told_before_the_code_is_verified(quick: None) -> None:
    pair = Pair()
    pair.run()
    assert all(CARD.household.encode() not in data for data in pair.said + pair.heard)


def test_a_grant_may_be_as_long_as_a_charter(quick: None) -> None:
    pair = Pair()
    pair.bring_host(H.ASKING)
    grant = Grant(b"certificate", bytes(MAX_GRANT_BYTES - 1024))
    pair.joiner.receive(pair.host.accept(lambda request: grant, pair.now))
    assert pair.joiner.grant == grant


# --- states and messages ---------------------------------------------------------

#: What the right message leads to; every other cell is filled from WRONG.
HOST_RIGHT = {
    (H.WAITING, "hello"): H.ANSWERED,
    (H.ANSWERED, "confirm"): H.VERIFIED,
    (H.VERIFIED, "petition"): H.ASKING,
    (H.ISSUED, "stored"): H.DONE,
}
HOST_WRONG = {
    H.WAITING: H.WAITING,
    H.ANSWERED: H.WAITING,
    H.VERIFIED: H.ENDED,
    H.ASKING: H.ENDED,
    H.ISSUED: H.ENDED,
    H.DONE: H.DONE,
    H.ENDED: H.ENDED,
}


SEATED = (H.ANSWERED, H.VERIFIED, H.ASKING, H.ISSUED)


def from_joiner(pair: Pair, name: str) -> bytes:
    """A message as the joiner would send it now, the best there is of its kind."""
    if name in INNER:
        channel = pair.joiner._channel
        return encode(Sealed(channel.seal(INNER[name]))) if channel else _sealed()
    if name == "hello":
        joiner = pair.joiner
        return (
            joiner.start(pair.host.session) if joiner.state is J.NEW else pair.said[0]
        )
    if name == "confirm" and pair.host.state is H.ANSWERED:
        pair.hear()
        return pair.said[-1]
    return OUTER[name]


def _sealed() -> bytes:
    return OUTER["sealed noise"]


@pytest.mark.parametrize(
    ("state", "name"), list(itertools.product(HOST_WRONG, NAMES)), ids=str
)
def test_each_message_has_one_meaning_to_a_host(
    quick: None, state: HostState, name: str
) -> None:
    pair = Pair()
    pair.bring_host(state)
    before = len(pair.faults)
    answer = pair.send(from_joiner(pair, name))
    right = HOST_RIGHT.get((state, name))
    assert pair.host.state is (right or HOST_WRONG[state])
    lost = state is H.ANSWERED and right is None
    assert pair.host.tries_left == TRIES - lost
    if right is not None:
        assert why_of(answer) is None
        assert pair.faults == []
        return
    assert why_of(answer) is not None
    ends = HOST_WRONG[state] is not state
    assert len(pair.faults) == before + ends


@pytest.mark.parametrize(
    ("state", "name"),
    list(itertools.product(SEATED, NAMES)),
    ids=str,
)
def test_a_stranger_is_told_busy_and_disturbs_nobody(
    quick: None, state: HostState, name: str
) -> None:
    pair = Pair()
    pair.bring_host(state)
    data = OUTER.get(name, OUTER["sealed noise"])
    assert why_of(pair.send(data, STRANGER)) is Why.BUSY
    assert (pair.host.state, pair.host.tries_left) == (state, TRIES)
    assert pair.faults == []


JOINER_RIGHT = {
    (J.GREETED, "reply"): J.CONFIRMING,
    (J.CONFIRMING, "confirm"): J.DECIDING,
    (J.REQUESTED, "grant"): J.STORING,
    (J.CLOSING, "done"): J.DONE,
}
AWAITING = {state for state, _ in JOINER_RIGHT}


def from_host(pair: Pair, name: str) -> bytes:
    """A message as the host would send it now, the best there is of its kind."""
    if JOINER_RIGHT.get((pair.joiner.state, name)):
        return pair.heard[-1]
    if name in INNER:
        channel = pair.host._channel
        return encode(Sealed(channel.seal(INNER[name]))) if channel else _sealed()
    return OUTER[name]


@pytest.mark.parametrize(("state", "name"), list(itertools.product(J, NAMES)), ids=str)
def test_each_message_has_one_meaning_to_a_joiner(
    quick: None, state: JoinerState, name: str
) -> None:
    pair = Pair()
    pair.bring_joiner(state)
    data = from_host(pair, name)
    right = JOINER_RIGHT.get((state, name))
    if right is not None:
        pair.joiner.receive(data)
        assert pair.joiner.state is right
        return
    wrong = PeerError if state in AWAITING else UsageError
    with pytest.raises(wrong):
        pair.joiner.receive(data)
    assert pair.joiner.state is (J.ENDED if state in AWAITING else state)


@pytest.mark.parametrize("state", H)
def test_a_host_accepts_only_who_asks(quick: None, state: HostState) -> None:
    pair = Pair()
    pair.bring_host(state)
    if state is H.ASKING:
        pair.host.accept(lambda request: GRANT, pair.now)
        return
    with pytest.raises(UsageError, match="nobody is to be accepted"):
        pair.host.decline(pair.now)
    with pytest.raises(UsageError, match="nobody is to be accepted"):
        pair.host.accept(lambda request: GRANT, pair.now)
    assert pair.host.state is state


@pytest.mark.parametrize("state", J)
def test_a_joiner_does_nothing_out_of_turn(quick: None, state: JoinerState) -> None:
    pair = Pair()
    pair.bring_joiner(state)
    acts: dict[JoinerState, Callable[[], bytes]] = {
        J.NEW: lambda: pair.joiner.start("0" * 8),
        J.DECIDING: lambda: pair.joiner.accept(REQUEST),
        J.STORING: lambda: pair.joiner.stored(),
    }
    for own, act in acts.items():
        if own is not state:
            with pytest.raises(UsageError, match="not now"):
                act()
    assert pair.joiner.state is state


# --- persons and machines that say no --------------------------------------------


def test_the_hosts_person_declines(quick: None) -> None:
    pair = Pair()
    pair.bring_host(H.ASKING)
    data = pair.host.decline(pair.now)
    with pytest.raises(RefusedError, match="person said no"):
        pair.joiner.receive(data)
    assert pair.joiner.leave() is None


@pytest.mark.parametrize("state", [J.DECIDING, J.REQUESTED, J.STORING])
def test_a_joiner_that_leaves_ends_it_at_once(quick: None, state: JoinerState) -> None:
    pair = Pair()
    pair.bring_joiner(state)
    farewell = pair.joiner.leave()
    assert farewell is not None
    assert why_of(pair.send(farewell)) is Why.DECLINED
    assert pair.host.state is H.ENDED
    was_issued = state in (J.REQUESTED, J.STORING)
    assert ("revoke" in str(pair.host.fault)) is was_issued


@pytest.mark.parametrize("state", [J.NEW, J.CLOSING, J.DONE, J.ENDED])
def test_a_joiner_has_no_word_where_none_is_needed(
    quick: None, state: JoinerState
) -> None:
    pair = Pair()
    pair.bring_joiner(state)
    assert pair.joiner.leave() is None


def test_a_failed_admission_ends_it_and_says_why_here_only(quick: None) -> None:
    pair = Pair()
    pair.bring_host(H.ASKING)

    def issue(request: bytes) -> Grant:
        raise UsageError("phone was revoked in May")

    with pytest.raises(UsageError, match="in May"):
        pair.host.accept(issue, pair.now)
    assert why_of(pair.host.parting) is Why.NOT_ADMITTED
    with pytest.raises(RefusedError) as caught:
        pair.joiner.receive(pair.host.parting)
    assert "May" not in str(caught.value)


def test_a_grant_that_is_too_long_ends_it(quick: None) -> None:
    pair = Pair()
    pair.bring_host(H.ASKING)
    grant = Grant(b"certificate", bytes(MAX_GRANT_BYTES - 16))
    with pytest.raises(UsageError, match="cannot be sent"):
        pair.host.accept(lambda request: grant, pair.now)
    assert pair.host.state is H.ENDED


def test_a_ticket_of_another_household_is_found_out(quick: None) -> None:
    pair = Pair(authority="00" * 32)
    with pytest.raises(WireError, match="another household"):
        pair.run()
    right = Pair(authority=CARD.authority)
    right.run()
    assert right.joiner.state is J.DONE


@pytest.mark.parametrize("why", Why)
def test_every_refusal_has_words_and_a_hint(quick: None, why: Why) -> None:
    pair = Pair()
    pair.start()
    with pytest.raises(RefusedError) as caught:
        pair.joiner.receive(encode(Refusal(why, 2)))
    assert caught.value.message
    assert caught.value.hint


# --- time ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "seconds", "after", "tries_left"),
    [
        (H.WAITING, CODE_S, H.ENDED, TRIES),
        (H.ANSWERED, SILENCE_S, H.WAITING, TRIES - 1),
        (H.VERIFIED, PEOPLE_S, H.ENDED, TRIES),
        (H.ASKING, PEOPLE_S, H.ENDED, TRIES),
        (H.ISSUED, SILENCE_S, H.ENDED, TRIES),
    ],
)
def test_silence_ends_each_state_at_its_own_time(
    quick: None, state: HostState, seconds: float, after: HostState, tries_left: int
) -> None:
    pair = Pair()
    pair.bring_host(state)
    assert pair.host.deadline == pair.now + seconds
    pair.host.tick(pair.now + seconds - 0.001)
    assert (pair.host.state, pair.faults) == (state, [])
    pair.host.tick(pair.now + seconds)
    assert (pair.host.state, pair.host.tries_left) == (after, tries_left)
    assert len(pair.faults) == 1
    assert isinstance(pair.faults[0], UnreachableError)


@pytest.mark.parametrize("state", [H.DONE, H.ENDED])
def test_what_is_over_stays_over(quick: None, state: HostState) -> None:
    pair = Pair()
    pair.bring_host(state)
    assert pair.host.deadline is None
    pair.host.tick(pair.now + 1e6)
    pair.host.close()
    assert pair.host.state is state


def test_a_code_expires_between_reply_and_confirm(quick: None) -> None:
    pair = Pair()
    pair.now += CODE_S - 1
    pair.bring_host(H.ANSWERED)
    pair.hear()
    pair.now += 1
    assert why_of(pair.send(pair.said[-1])) is Why.EXPIRED
    assert pair.host.state is H.ENDED


def test_the_persons_have_their_time_from_the_moment_the_code_is_verified(
    quick: None,
) -> None:
    pair = Pair()
    pair.now += CODE_S - 1
    pair.bring_host(H.VERIFIED)
    pair.now += PEOPLE_S - 1
    for step in pair.steps[4:]:
        step()
    assert pair.host.state is H.DONE


def test_a_person_who_says_yes_too_late_admits_nobody(quick: None) -> None:
    pair, issued = Pair(), []
    pair.bring_host(H.ASKING)

    def issue(request: bytes) -> Grant:
        issued.append(request)
        return GRANT

    with pytest.raises(UsageError):
        pair.host.accept(issue, pair.now + PEOPLE_S)
    assert issued == []


# --- several at once -------------------------------------------------------------


@pytest.mark.parametrize("at", range(1, 11))
def test_a_second_joiner_at_any_moment_changes_nothing(quick: None, at: int) -> None:
    pair = Pair()
    second = pair.new_joiner()
    for number, step in enumerate(pair.steps):
        if number == at and pair.host.state is not H.WAITING:
            hello = second.start(pair.host.session)
            busy = Why.SPENT if pair.host.state is H.DONE else Why.BUSY
            assert why_of(pair.send(hello, second.seat)) is busy
        step()
    assert (pair.host.state, pair.joiner.state) == (H.DONE, J.DONE)


def test_after_a_wrong_code_another_device_gets_the_seat(quick: None) -> None:
    pair = Pair()
    pair.joiner = pair.new_joiner(other_code(pair.code))
    with pytest.raises(RefusedError, match="wrong") as caught:
        pair.run()
    assert "tries left: 2" in str(caught.value)
    pair.joiner = pair.new_joiner()
    pair.run()
    assert pair.host.state is H.DONE


def test_who_fell_silent_is_a_stranger_when_it_comes_back(quick: None) -> None:
    pair = Pair()
    pair.bring_host(H.ANSWERED)
    pair.hear()
    late, first = pair.said[-1], pair.joiner.seat
    pair.now += SILENCE_S
    pair.joiner = pair.new_joiner()
    pair.start()
    pair.answer()
    assert why_of(pair.send(late, first)) is Why.BUSY
    for step in pair.steps[2:]:
        step()
    assert pair.host.state is H.DONE


# --- bytes -----------------------------------------------------------------------


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_hostile_bytes_are_a_wire_error(data: bytes) -> None:
    for read in (decode, decode_inner, lambda d: decode(b"\x01" + d)):
        try:
            message: object = read(data)
        except WireError:
            continue
        assert message is not None


@pytest.mark.parametrize("message", INNER.values(), ids=INNER)
def test_an_inner_message_comes_back_as_it_was(message: Card) -> None:
    assert decode_inner(encode_inner(message)) == message


def test_a_message_has_its_own_fields_and_no_others() -> None:
    data = encode(Refusal(Why.BUSY))
    more = data[:1] + b"\x83" + data[2:] + b"\xa4more\x01"
    with pytest.raises(WireError, match="malformed"):
        decode(more)


def test_a_message_out_of_bounds_is_not_sent() -> None:
    bad: list[Message] = [
        Hello(b"short", "phone", PHONE.kind, PHONE.fingerprint, bytes(33)),
        Refusal(Why.BUSY, 10),
        Sealed(b""),
    ]
    for message in bad:
        with pytest.raises(UsageError, match="cannot be sent"):
            encode(message)


def test_what_is_too_long_is_refused_unread() -> None:
    with pytest.raises(WireError, match="the most is"):
        decode(bytes(MAX_BYTES + 1))

"""Nothing reaches the state but what a member signed, as its own, in its order."""

from __future__ import annotations

from pathlib import Path
from random import Random

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.fabric.replica.household import (
    NAME,
    House,
    content,
    exchange,
    give,
    key_of,
    roll_of,
)

from trivet.domain import RefusedError, WireError
from trivet.fabric.replica import Add, Carried, Put, Receipt, Replica
from trivet.fabric.replica.document import StateDocument, guarded
from trivet.fabric.replica.intake import vouch
from trivet.fabric.replica.operation import Group, Operation, Span
from trivet.fabric.replica.update import (
    _ORDER,
    BEGINNING,
    Claim,
    Update,
    fingerprint_bytes,
    peer_of,
    read_update,
    sign_update,
)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def print_of(device: str) -> bytes:
    return fingerprint_bytes(key_of(device).public_key())


Content = dict[str, object]


def group_of(
    *contents: Content,
    container: str = "cid:root-settings:Map",
    needs: tuple[tuple[int, int], ...] = (),
    lamport: int = 0,
) -> Group:
    return Group(
        tuple((peer.to_bytes(8, "big"), n) for peer, n in needs),
        lamport,
        tuple(Operation(container, content) for content in contents),
    )


def data_of(*groups: Group) -> bytes:
    """Operations as a member can make them, good or bad."""
    return msgspec.msgpack.encode(groups)


def sets(*values: object, key: str = "k") -> tuple[Content, ...]:
    return tuple({"type": "insert", "key": key, "value": value} for value in values)


def forge(
    data: bytes,
    *,
    author: str = "phone",
    signer: str = "",
    fingerprint: bytes = b"",
    incarnation: int = 7,
    start: int = 0,
    end: int = 1,
    previous: bytes = BEGINNING,
    household: str = NAME,
) -> Update:
    claim = Claim(
        author,
        fingerprint or print_of(author),
        incarnation,
        start,
        end,
        previous,
        data,
    )
    return sign_update(key_of(signer or author), household, claim)


def own(value: int = 1, incarnation: int = 7) -> Update:
    """A good update of the phone's."""
    return forge(data_of(group_of(*sets(value))), incarnation=incarnation)


def show(replica: Replica, update: Update, giver: str = "phone") -> Receipt:
    return replica.receive(giver, [Carried(update.raw)])


def refused(receipt: Receipt, kind: type[Exception], words: str) -> None:
    assert receipt.taken == 0
    [fault] = receipt.faults
    assert isinstance(fault, kind)
    assert words in str(fault)


def test_a_good_update_is_taken_once(house: House) -> None:
    with house.open("home") as home:
        assert show(home, own()).taken == 1
        assert show(home, own(2)).faults  # it is another's: signatures differ
        assert show(home, own(3, incarnation=8)).taken == 1


def test_doubled_and_shuffled_updates_converge(house: House) -> None:
    with house.open("home") as home, house.open("phone") as phone:
        for n in range(12):
            home.write(Put(f"settings/k{n}", n), Add("log", str(n)))
        given = list(home.lacking({}).carried) * 3
        Random(3).shuffle(given)
        behind = False
        while content(phone) != content(home):
            receipt = phone.receive("home", given)
            behind = behind or receipt.is_behind
            assert not receipt.faults
        assert behind
        assert phone.vector == home.vector
        assert phone.size == home.size


def test_an_update_waits_for_what_it_builds_on(house: House) -> None:
    with (
        house.open("home") as home,
        house.open("phone") as phone,
        house.open("car") as car,
    ):
        home.write(Put("settings/a", 1))
        give(home, phone)
        phone.write(Put("settings/a", 2))
        of_phone = phone.lacking(home.vector).carried
        receipt = car.receive("phone", of_phone)
        assert (receipt.taken, receipt.is_behind, receipt.faults) == (0, True, ())
        assert car.state.is_empty
        car.receive("home", home.lacking({}).carried)
        assert car.receive("phone", of_phone).taken == 1
        assert car.state.settings == {"a": 2}


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_attack_an_altered_update_is_refused(data: st.DataObject) -> None:
    raw = bytearray(own().raw)
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    roll = roll_of("home", "phone")
    try:
        update = read_update(bytes(raw))
    except WireError:
        return
    assert not update.is_signed_by(roll.keys["phone"], NAME)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_attack_bytes_that_are_no_update_are_refused(raw: bytes) -> None:
    with pytest.raises(WireError):
        read_update(raw)


def test_attack_an_update_of_another_household(house: House) -> None:
    data = data_of(group_of(*sets(1)))
    with house.open("home") as home:
        update = forge(data, household="theirs")
        refused(show(home, update), WireError, "not as phone signed it")


def test_attack_a_signature_turned_over_is_no_second_update(house: House) -> None:
    """With (r, s) goes (r, n - s): taken, it would look like a fork of the author's."""
    update = own()
    s = int.from_bytes(update.raw[-32:], "big")
    turned = read_update(update.raw[:-32] + (_ORDER - s).to_bytes(32, "big"))
    with house.open("home") as home:
        refused(show(home, turned), WireError, "not as phone signed it")
        assert show(home, update).taken == 1
        assert home.forks == {}


def test_attack_a_member_writes_as_another(house: House) -> None:
    """The car signs what it says that the phone wrote."""
    data = data_of(group_of(*sets(1)))
    with house.open("home") as home:
        update = forge(data, signer="car")
        refused(show(home, update, "car"), WireError, "not as phone signed it")
        update = forge(data, signer="car", fingerprint=print_of("car"))
        refused(show(home, update, "car"), WireError, "not as phone signed it")
        assert home.state.is_empty


def test_attack_a_member_writes_under_another_s_number(house: House) -> None:
    """What an update holds has no peer of its own: it is whose signature is on it."""
    with house.open("home") as home:
        update = forge(data_of(group_of(*sets(1))), author="car", incarnation=7)
        assert show(home, update, "car").taken == 1
        assert list(home.vector) == [peer_of(print_of("car"), 7)]


@pytest.mark.parametrize(("start", "end"), [(0, 2), (0, 9), (1, 3)])
def test_attack_a_span_that_is_not_what_is_in_it(
    house: House, start: int, end: int
) -> None:
    data = data_of(group_of(*sets(1)))
    previous = bytes(range(32)) if start else BEGINNING
    with house.open("home") as home:
        update = forge(data, start=start, end=end, previous=previous)
        refused(show(home, update), WireError, "other operations")


def deep(levels: int) -> object:
    return [deep(levels - 1)] if levels else 1


PHONE = peer_of(print_of("phone"), 7)
BAD_OPERATIONS: dict[str, tuple[Group, ...]] = {
    "no kind": (group_of({"type": "zzz", "key": "a", "value": 1}),),
    "no type": (group_of({"key": "a", "value": 1}),),
    "no content": (group_of({}),),
    "no container": (group_of(*sets(1), container="settings"),),
    "another container": (group_of(*sets(1), container="cid:root-settings:Zap"),),
    "no root": (group_of(*sets(1), container="cid:root-a/b:Map"),),
    "a list's in a map": (
        group_of({"type": "delete", "pos": 0, "len": 1, "start_id": "0@5"}),
    ),
    "a delete of nothing": (
        group_of(
            {"type": "delete", "pos": 7, "len": 1, "start_id": "0@5"},
            container="cid:root-list:g:MovableList",
        ),
    ),
    "an insert far out": (
        group_of(
            {"type": "insert", "pos": 1 << 40, "value": [1]},
            container="cid:root-list:g:MovableList",
        ),
    ),
    "a move of nothing": (
        group_of(
            {"type": "move", "from": 0, "to": 1, "elem_id": "L3@5"},
            container="cid:root-list:g:MovableList",
        ),
    ),
    "a container made by another": (group_of(*sets("\U0001f99c:cid:4@5:Map")),),
    "the far future": (group_of(*sets(1), lamport=(1 << 31) - 1),),
    "needs itself": (group_of(*sets(1), needs=((PHONE, 0),), lamport=1),),
    "not in order": (group_of(*sets(1)), group_of(*sets(2), lamport=1)),
    "deep": (group_of(*sets(deep(40))),),
    "too large a number": (group_of(*sets((1 << 64) - 1)),),
    "no number": (group_of(*sets(float("nan"))),),
    "bytes": (group_of(*sets(b"bytes")),),
}


@pytest.mark.parametrize("name", BAD_OPERATIONS)
def test_attack_what_is_no_operation_leaves_the_state_as_it_was(
    house: House, name: str
) -> None:
    """A member signs rubbish."""
    groups = BAD_OPERATIONS[name]
    with house.open("home") as home, house.open("car") as car:
        home.write(Put("settings/mine", 1), Add("groceries", "milk"))
        before, vector = content(home), home.vector
        count = sum(len(group.operations) for group in groups)
        receipt = show(home, forge(data_of(*groups), end=count))
        assert receipt.taken == 0
        [fault] = receipt.faults
        assert isinstance(fault, WireError)
        assert content(home) == before
        assert home.vector == vector
        home.write(Put("settings/mine", 2))
        exchange(home, car)
        assert content(car) == content(home)
    with house.open("home") as home:
        assert home.state.settings == {"mine": 2}


def test_attack_what_loro_fails_on_halfway_leaves_the_state_as_it_was(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if it has changed its document before it fails, as a panic of its may."""
    honest = StateDocument.take

    def fail_halfway(self: StateDocument, span: Span) -> None:
        honest(self, span)
        with guarded("an update"):
            raise BaseException("a panic")

    with house.open("home") as home:
        home.write(Put("settings/mine", 1))
        before, vector = content(home), home.vector
        with monkeypatch.context() as patch:
            patch.setattr(StateDocument, "take", fail_halfway)
            refused(show(home, own()), WireError, "a panic")
        assert content(home) == before
        assert home.vector == vector
        # no more of it is tried: a document made anew each time would be costly
        refused(show(home, own()), RefusedError, "cannot be read")
        assert show(home, own(incarnation=8)).taken == 1
    with house.open("home") as home:
        assert show(home, own()).taken == 1


def test_what_is_written_into_a_container_that_is_not_there_is_kept(
    house: House,
) -> None:
    """It may be one that was deleted meanwhile."""
    with house.open("home") as home, house.open("car") as car:
        home.write(Put("settings/mine", 1))
        before = content(home)
        lost = group_of(*sets(1), container="cid:9@5:Map")
        assert show(home, forge(data_of(lost))).taken == 1
        assert content(home) == before
        exchange(home, car)
    with house.open("car") as car:
        assert content(car) == before


@pytest.mark.parametrize(
    ("lamport", "taken"), [(0, 0), (1, 1), (2, 0), (5, 0), ((1 << 31) - 1, 0)]
)
def test_attack_a_time_in_the_far_future_wins_nothing(
    house: House, lamport: int, taken: int
) -> None:
    """A group's time follows from what it needs; else it would win for good."""
    with house.open("home") as home:
        home.write(Put("settings/k", "home"))
        [(peer, head)] = home.vector.items()
        group = group_of(*sets(1), needs=((peer, head.end - 1),), lamport=lamport)
        assert show(home, forge(data_of(group))).taken == taken
        home.write(Put("settings/k", "last"))
        assert home.state.settings == {"k": "last"}


def test_attack_a_stranger_and_a_guest_give_in_vain(house: House) -> None:
    house.roll = roll_of("home", guests=("phone",))
    with house.open("home") as home:
        for giver in ("phone", "car"):
            with pytest.raises(RefusedError, match="no part"):
                show(home, own(), giver)
        assert home.state.is_empty


def test_attack_a_guest_s_write_through_a_member(house: House) -> None:
    house.roll = roll_of("home", "car", guests=("phone",))
    with house.open("home") as home:
        refused(show(home, own(), "car"), RefusedError, "guest")


# --- forks --------------------------------------------------------------------------


def test_attack_a_fork_is_refused_and_told_in_either_order(house: House) -> None:
    one, other = own(1), own(2)
    for first, second in ((one, other), (other, one)):
        house.path("home").unlink(missing_ok=True)
        with house.open("home") as home:
            assert show(home, first).taken == 1
            before = content(home)
            receipt = show(home, second, "car")
            refused(receipt, RefusedError, "two things")
            [fork] = receipt.forks
            assert (fork.author, fork.start, fork.giver) == ("phone", 0, "car")
            assert home.forks == {fork.peer: fork}
            assert content(home) == before


def test_attack_a_fork_shows_where_one_goes_on(house: House) -> None:
    """The next update names what it follows: it fits on one branch alone."""
    one, other = own(1), own(2)
    data = data_of(group_of(*sets(3), needs=((PHONE, 0),), lamport=1))
    after = forge(data, start=1, end=2, previous=other.digest)
    with house.open("home") as home:
        show(home, one)
        refused(show(home, after), RefusedError, "two things")


def test_attack_a_fork_of_equal_length_is_seen_when_vectors_meet(house: House) -> None:
    with house.open("home") as home, house.open("car") as car:
        show(home, own(1))
        show(car, own(2))
        assert home.lacking(car.vector).forked == (PHONE,)
        assert car.lacking(home.vector).forked == (PHONE,)


# --- runs ---------------------------------------------------------------------------


def test_one_signature_is_verified_for_a_run(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    with house.open("home") as home, house.open("phone") as phone:
        for n in range(50):
            home.write(Put(f"settings/k{n}", n))
        given = home.lacking({}).carried
        verified = []
        honest = Update.is_signed_by

        def counting(self: Update, *args: object) -> bool:
            verified.append(self)
            return honest(self, *args)  # type: ignore[arg-type]

        monkeypatch.setattr(Update, "is_signed_by", counting)
        assert phone.receive("home", given).taken == 50
        assert len(verified) == 1


def test_attack_a_run_with_one_altered_in_it(house: House) -> None:
    """What is before the altered one has no signature that stands for it."""
    with house.open("home") as home, house.open("phone") as phone:
        for n in range(10):
            home.write(Put(f"settings/k{n}", n))
        given = list(home.lacking({}).carried)
        raw = bytearray(given[4].raw)
        raw[-1] ^= 1  # its signature
        given[4] = Carried(bytes(raw))
        receipt = phone.receive("car", given)
        assert receipt.taken == 4  # each by the signature of the fourth
        [fault] = receipt.faults
        assert "not as home signed it" in str(fault)
        give(home, phone)
        assert content(phone) == content(home)


def chain(values: int) -> list[Update]:
    """Updates of the phone's, each but the last with rubbish for a signature."""
    made: list[Update] = []
    for n in range(values):
        needs = ((PHONE, n - 1),) if n else ()
        group = group_of(*sets(n, key=f"k{n}"), needs=needs, lamport=n)
        previous = made[-1].digest if made else BEGINNING
        update = forge(data_of(group), start=n, end=n + 1, previous=previous)
        if n < values - 1:
            update = read_update(update.raw[:-64] + bytes([1]) * 64)
        made.append(update)
    return made


def test_attack_rubbish_for_signatures_in_a_run_holds_up_nobody(house: House) -> None:
    """What one takes by the last signature, the next one must be able to take."""
    made = chain(12)
    with house.open("home") as home, house.open("car") as car:
        home.receive("phone", [Carried(update.raw) for update in made])
        assert len(home.state.settings) == 12
        # in parts too small for the run, nothing is given that would be refused
        assert home.lacking(car.vector, 1000).carried == ()
        give(home, car)
        assert content(car) == content(home)


# --- revocation ---------------------------------------------------------------------


def test_what_was_taken_before_a_revocation_stays_and_is_vouched_for(
    house: House,
) -> None:
    with house.open("home") as home, house.open("phone") as phone:
        phone.write(Put("settings/a", 1))
        phone.write(Put("settings/b", 2))
        give(phone, home)
        house.roll = roll_of("home", "car", "later")  # the phone is out
        assert home.state.settings == {"a": 1, "b": 2}
        with house.open("car") as car, house.open("later") as later:
            assert [r.taken for r in give(home, car)] == [2]
            [one, two] = car.lacking({}).carried
            assert (bool(one.voucher), bool(two.voucher)) == (False, True)
            give(car, later)  # vouched for by the car in turn
            assert content(later) == content(home)


def test_attack_what_comes_after_a_revocation_is_refused(house: House) -> None:
    with house.open("home") as home, house.open("phone") as phone:
        phone.write(Put("settings/a", 1))
        give(phone, home)
        phone.write(Put("settings/a", 2))
        late = phone.lacking(home.vector).carried
        house.roll = roll_of("home", "car")
        with pytest.raises(RefusedError, match="no more"):
            home.receive("phone", late)
        receipt = home.receive("car", late)
        refused(receipt, RefusedError, "no more")
        assert home.state.settings == {"a": 1}


def test_attack_a_voucher_of_who_is_out_is_worth_nothing(house: House) -> None:
    with house.open("home") as home:
        house.roll = roll_of("home", "car")
        update = own()
        for signer in ("phone", "thief"):
            carried = Carried(update.raw, vouch(key_of(signer), NAME, update))
            refused(home.receive("car", [carried]), RefusedError, "no more")


def test_attack_a_member_vouches_for_what_a_member_did_not_write(house: House) -> None:
    data = data_of(group_of(*sets(1)))
    forged = forge(data, signer="car")
    carried = Carried(forged.raw, vouch(key_of("car"), NAME, forged))
    with house.open("home") as home, house.open("phone") as phone:
        refused(home.receive("car", [carried]), WireError, "not as phone signed it")
        refused(phone.receive("car", [carried]), WireError, "not as phone signed it")


def test_attack_too_many_incarnations(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trivet.fabric.replica.intake.MAX_INCARNATIONS", 3)
    with house.open("home") as home:
        for n in range(3):
            assert show(home, own(n, incarnation=n)).taken == 1
        refused(show(home, own(9, incarnation=9)), RefusedError, "too many numbers")

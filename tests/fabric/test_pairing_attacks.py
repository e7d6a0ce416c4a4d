"""What somebody without the code may try, and what it gets them.

The key exchange is the real one throughout.
"""

from __future__ import annotations

import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from spake2.ed25519_basic import Base, L
from tests.fabric.pairing_stage import (
    CARD,
    GRANT,
    PHONE,
    REQUEST,
    Pair,
    other_code,
    why_of,
)

from trivet.domain import (
    DeviceKind,
    PeerError,
    RefusedError,
    TrivetError,
    UsageError,
    WireError,
)
from trivet.fabric import pairing_key
from trivet.fabric.pairing import (
    CODE_S,
    SILENCE_S,
    TRIES,
    Host,
    HostState,
    Newcomer,
)
from trivet.fabric.pairing_code import make_code, read_ticket
from trivet.fabric.pairing_joiner import Joiner, JoinerState
from trivet.fabric.pairing_key import Channel, Exchange, Role
from trivet.fabric.pairing_wire import (
    MAX_BYTES,
    VERSION,
    Card,
    Confirm,
    Hello,
    Petition,
    Refusal,
    Reply,
    Sealed,
    Why,
    decode,
    encode,
)

H, J = HostState, JoinerState
#: Ed25519's prime.
Q = 2**255 - 19


def guess(pair: Pair, joiner: Joiner) -> bytes | None:
    """Try a joiner's code on the host; the host's last answer."""
    answer = pair.send(joiner.start(pair.host.session), joiner.seat)
    assert answer is not None
    if why_of(answer) is not None:
        return answer
    proof = joiner.receive(answer)
    assert proof is not None
    return pair.send(proof, joiner.seat)


# --- guessing --------------------------------------------------------------------


def test_attack_guess_until_it_fits() -> None:
    """Three wrong codes, and the right one does not serve any more."""
    pair = Pair()
    for tries_left in (2, 1):
        answer = guess(pair, pair.new_joiner(other_code(pair.code)))
        assert answer is not None
        assert decode(answer) == Refusal(Why.WRONG_CODE, tries_left)
    assert why_of(guess(pair, pair.new_joiner(other_code(pair.code)))) is Why.WRONG_CODE
    assert pair.host.state is H.ENDED
    assert len(pair.faults) == TRIES
    assert why_of(guess(pair, pair.new_joiner())) is Why.SPENT


def test_attack_guess_in_parallel() -> None:
    """However many knock at once, one is answered; and three in a host's life."""
    pair, answered = Pair(), 0
    for _ in range(4):
        crowd = [pair.new_joiner(other_code(pair.code)) for _ in range(5)]
        hellos = [joiner.start(pair.host.session) for joiner in crowd]
        replies = [
            pair.send(hello, joiner.seat)
            for hello, joiner in zip(hellos, crowd, strict=True)
        ]
        answered += sum(why_of(reply) is None for reply in replies)
        pair.now += SILENCE_S
    assert answered == TRIES
    assert pair.host.state is H.ENDED


def test_attack_guess_by_silence() -> None:
    """To hear the host's share and hang up costs a try, as a wrong code does."""
    pair = Pair()
    for _ in range(TRIES):
        joiner = pair.new_joiner()
        assert why_of(pair.send(joiner.start(pair.host.session), joiner.seat)) is None
        pair.now += SILENCE_S
        pair.host.tick(pair.now)
    assert pair.host.state is H.ENDED
    assert why_of(guess(pair, pair.new_joiner())) is Why.SPENT


def test_attack_guess_by_hanging_up() -> None:
    """Nor is it free to say goodbye."""
    pair = Pair()
    for _ in range(TRIES):
        joiner = pair.new_joiner()
        pair.send(joiner.start(pair.host.session), joiner.seat)
        pair.send(encode(Refusal(Why.DECLINED)), joiner.seat)
    assert pair.host.state is H.ENDED


def test_attack_two_proofs_for_one_share() -> None:
    """One exchange tests one code: after a wrong proof the right one is too late."""
    pair = Pair()
    pair.start()
    pair.answer()
    pair.hear()
    assert why_of(pair.send(encode(Confirm(bytes(32))))) is Why.WRONG_CODE
    assert why_of(pair.send(pair.said[-1])) is Why.UNEXPECTED
    assert pair.host.state is H.WAITING


def test_attack_use_an_expired_code() -> None:
    pair = Pair()
    pair.now += CODE_S
    assert why_of(guess(pair, pair.new_joiner())) is Why.EXPIRED
    assert pair.host.state is H.ENDED


def test_attack_use_a_code_twice() -> None:
    """Who looked over a shoulder comes too late, even a moment after."""
    pair = Pair()
    pair.run()
    assert why_of(guess(pair, pair.new_joiner())) is Why.SPENT
    assert pair.host.state is H.DONE


def test_attack_use_a_code_again_after_a_failure() -> None:
    """A code that was once verified has served, whatever came after."""
    pair = Pair()
    pair.bring_host(H.VERIFIED)
    pair.send(b"")
    assert pair.host.state is H.ENDED
    assert why_of(guess(pair, pair.new_joiner())) is Why.MALFORMED


def test_attack_guess_as_a_false_host() -> None:
    """A false host gets one proof to test one guess on; the joiner gives no other."""
    pair = Pair()
    false = Host(other_code(pair.code), CARD, pair.read, pair.now)
    pair.said.append(pair.joiner.start(false.session))
    reply = false.receive(pair.joiner.seat, pair.said[-1], pair.now)
    assert reply is not None
    proof = pair.joiner.receive(reply)
    assert proof is not None
    with pytest.raises(WireError):
        pair.joiner.receive(encode(Confirm(bytes(32), bytes(64))))
    with pytest.raises(UsageError):
        pair.joiner.start(false.session)


# --- in the middle ---------------------------------------------------------------


def test_attack_swap_the_shares_without_the_code() -> None:
    """Two exchanges, one to each side: each side finds the other's proof wrong."""
    pair = Pair()
    wrong = other_code(pair.code)
    middle = pair.new_joiner(wrong)
    assert why_of(guess(pair, middle)) is Why.WRONG_CODE
    false = Host(wrong, CARD, pair.read, pair.now)
    reply = false.receive(pair.joiner.seat, pair.joiner.start(false.session), pair.now)
    assert reply is not None
    proof = pair.joiner.receive(reply)
    assert proof is not None
    refused = false.receive(pair.joiner.seat, proof, pair.now)
    assert why_of(refused) is Why.WRONG_CODE
    assert pair.joiner.state is J.CONFIRMING


@pytest.mark.parametrize(
    "change",
    [
        {"fingerprint": "00" * 32},
        {"device": "home"},
        {"kind": DeviceKind.HOME},
    ],
    ids=str,
)
def test_attack_swap_who_it_is_in_the_hello(change: dict[str, object]) -> None:
    """A relay that alters a word of the hello is found out by the proof."""
    pair = Pair()
    hello = decode(pair.joiner.start(pair.host.session))
    assert isinstance(hello, Hello)
    reply = pair.send(encode(replace(hello, **change)))
    assert reply is not None
    proof = pair.joiner.receive(reply)
    assert proof is not None
    assert why_of(pair.send(proof)) is Why.WRONG_CODE


def test_attack_swap_the_hosts_nonce() -> None:
    pair = Pair()
    pair.start()
    pair.answer()
    reply = decode(pair.heard[-1])
    assert isinstance(reply, Reply)
    proof = pair.joiner.receive(encode(replace(reply, nonce=bytes(16))))
    assert proof is not None
    assert why_of(pair.send(proof)) is Why.WRONG_CODE


def test_attack_answer_as_another_host() -> None:
    """A share of another session is refused before anything is proved to it."""
    pair, other = Pair(), Pair()
    pair.start()
    reply = other.host.receive(pair.joiner.seat, pair.said[-1], 0.0)
    assert reply is not None
    with pytest.raises(WireError, match="in the place of"):
        pair.joiner.receive(reply)


@pytest.mark.parametrize(
    "other",
    [
        replace(PHONE, fingerprint="00" * 32),
        replace(PHONE, device="home"),
        replace(PHONE, kind=DeviceKind.HOME),
    ],
    ids=str,
)
def test_attack_ask_for_another_certificate_than_was_said(other: Newcomer) -> None:
    """The person accepts what was said; the request has to be for the very same."""
    pair = Pair()
    pair.host = Host(
        pair.code, CARD, lambda data: other, pair.now, on_fault=pair.faults.append
    )
    pair.bring_host(H.VERIFIED)
    pair.hear()
    assert why_of(pair.send(pair.joiner.accept(REQUEST))) is Why.MALFORMED
    assert pair.host.state is H.ENDED
    assert "but a phone that calls itself phone" in str(pair.faults[-1])


def test_attack_send_no_request_at_all() -> None:
    pair = Pair()

    def read(data: bytes) -> Newcomer:
        raise WireError("malformed certificate request")

    pair.host = Host(pair.code, CARD, read, pair.now)
    pair.bring_host(H.VERIFIED)
    pair.hear()
    assert why_of(pair.send(pair.joiner.accept(b"noise"))) is Why.MALFORMED
    assert pair.host.state is H.ENDED


def test_attack_take_the_seat_after_the_code_was_verified() -> None:
    """Who knows the seat but not the key can end a pairing, and no more."""
    pair = Pair()
    pair.bring_host(H.VERIFIED)
    thief = Channel(Role.JOINER, bytes(32), pair.said[0], pair.heard[0])
    petition = encode(Sealed(thief.seal(Petition(b"mine"))))
    assert why_of(pair.send(petition)) is Why.MALFORMED
    assert pair.host.state is H.ENDED


def test_attack_put_another_household_in_the_card() -> None:
    pair = Pair()
    pair.bring_host(H.VERIFIED)
    confirm = decode(pair.heard[-1])
    assert isinstance(confirm, Confirm)
    thief = Channel(Role.HOST, bytes(32), pair.said[0], pair.heard[0])
    card = thief.seal(Card("theirs", "ee" * 32, "home"))
    with pytest.raises(WireError, match="tampered"):
        pair.joiner.receive(encode(replace(confirm, sealed=card)))


# --- replay and reflection -------------------------------------------------------


@pytest.mark.parametrize("number", range(4))
def test_attack_replay_a_message_to_the_same_host(number: int) -> None:
    """A message said twice does not count twice, and gets nothing issued."""
    pair = Pair()
    for step in pair.steps:
        before = len(pair.said)
        step()
        if step == pair.answer and before == number + 1:
            break
    assert why_of(pair.send(pair.said[number])) is not None
    assert pair.host.state in (H.WAITING, H.ENDED, H.DONE)
    if pair.host.state is H.ENDED:
        with pytest.raises(UsageError):
            pair.host.accept(lambda request: GRANT, pair.now)


def test_attack_replay_a_whole_pairing() -> None:
    """Neither a new host with the same code nor a new joiner is taken in by it."""
    pair = Pair()
    pair.run()
    again = Host(pair.code, CARD, pair.read, pair.now)
    words = [why_of(again.receive(pair.joiner.seat, m, pair.now)) for m in pair.said]
    assert words == [None, Why.WRONG_CODE, Why.UNEXPECTED, Why.UNEXPECTED]
    assert (again.state, again.tries_left) == (H.WAITING, TRIES - 1)
    fresh = pair.new_joiner()
    fresh.start(pair.host.session)
    fresh.receive(pair.heard[0])
    with pytest.raises(WireError, match="does not know the code"):
        fresh.receive(pair.heard[1])


def test_attack_reflect_messages_to_their_sender() -> None:
    """What a side said proves nothing to that side."""
    pair = Pair()
    for step in pair.steps:
        step()
        if step in (pair.start, pair.hear, pair.accept, pair.store) and (
            pair.joiner.state in (J.GREETED, J.CONFIRMING, J.REQUESTED, J.CLOSING)
        ):
            break
    with pytest.raises(WireError):
        pair.joiner.receive(pair.said[-1])
    for state in (H.ANSWERED, H.VERIFIED, H.ISSUED):
        mirror = Pair()
        mirror.bring_host(state)
        assert why_of(mirror.send(mirror.heard[-1])) is not None
        assert mirror.host.state in (H.WAITING, H.ENDED)


def test_attack_reflect_a_sealed_message() -> None:
    """Each direction has its own key: a seal does not open at the side that made it."""
    derived = bytes(32)
    joiner = Channel(Role.JOINER, derived, b"hello", b"reply")
    with pytest.raises(WireError, match="tampered"):
        joiner.unseal(joiner.seal(Petition(REQUEST)))
    assert not joiner.is_proof(joiner.prove())


@pytest.mark.parametrize("side", [b"A", b"B"])
def test_attack_reflect_the_share(side: bytes) -> None:
    """A share that comes back is refused, whatever side it says it is of."""
    for role in Role:
        exchange = Exchange(role, make_code(), "0" * 8, lambda n: bytes(range(n)))
        with pytest.raises(WireError, match="share"):
            exchange.finish(side + exchange.share[1:])


def test_attack_reorder_sealed_messages() -> None:
    """A seal opens in its own place only."""
    one, two = (Channel(role, bytes(32), b"h", b"r") for role in Role)
    first, second = one.seal(Petition(b"1")), one.seal(Petition(b"2"))
    with pytest.raises(WireError):
        two.unseal(second)
    with pytest.raises(WireError):  # its place has gone by
        two.unseal(first)


# --- bytes -----------------------------------------------------------------------


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_attack_mutate_what_the_joiner_says(data: st.DataObject) -> None:
    """No altered message gets a host further than the message itself would."""
    number = data.draw(st.integers(0, 3), label="message")
    pair, at = Pair(), (H.WAITING, H.ANSWERED, H.VERIFIED, H.ISSUED)[number]
    pair.bring_host(at)
    said = {0: [pair.start], 1: [pair.hear], 2: [pair.hear, pair.accept]}
    for step in said.get(number, [pair.hear, pair.store]):
        step()
    altered = data.draw(mutations(pair.said[-1]), label="altered")
    answer = pair.send(altered)
    if number == 0 and why_of(answer) is None:
        # only another hello than was said; the proof is over both
        assert answer is not None
        proof = pair.joiner.receive(answer)
        assert proof is not None
        assert why_of(pair.send(proof)) is Why.WRONG_CODE
        return
    assert why_of(answer) is not None
    assert pair.host.state in (H.WAITING, H.ENDED)


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_attack_mutate_what_the_host_says(data: st.DataObject) -> None:
    """No altered message makes a joiner believe anything."""
    number = data.draw(st.integers(0, 3), label="message")
    pair = Pair()
    pair.bring_joiner((J.GREETED, J.CONFIRMING, J.REQUESTED, J.CLOSING)[number])
    altered = data.draw(mutations(pair.heard[-1]), label="altered")
    if number == 0:
        try:
            proof = pair.joiner.receive(altered)
        except PeerError:
            assert pair.joiner.state is J.ENDED
            return
        assert proof is not None
        assert why_of(pair.send(proof)) is Why.WRONG_CODE
        return
    with pytest.raises(PeerError):
        pair.joiner.receive(altered)
    assert pair.joiner.state is J.ENDED


@st.composite
def mutations(draw: st.DrawFn, data: bytes) -> bytes:
    """The data cut short, lengthened, or with some bytes altered; never as it was."""
    kind = draw(st.sampled_from(["cut", "more", "alter"]))
    if kind == "cut":
        return data[: draw(st.integers(0, len(data) - 1))]
    if kind == "more":
        return data + draw(st.binary(min_size=1, max_size=20))
    altered = bytearray(data)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(data) - 1))
        altered[place] ^= draw(st.integers(1, 255))
    return bytes(altered) if bytes(altered) != data else data[:-1]


@pytest.mark.parametrize("state", [H.WAITING, H.ANSWERED, H.VERIFIED, H.ISSUED])
def test_attack_send_more_than_is_read(state: HostState) -> None:
    pair = Pair()
    pair.bring_host(state)
    head = bytes([VERSION])
    assert why_of(pair.send(head + bytes(MAX_BYTES))) is Why.MALFORMED


def test_attack_send_a_long_answer_before_the_proof() -> None:
    """Only a host that has proved the code may send as much as a grant."""
    for state in (J.GREETED, J.CONFIRMING):
        pair = Pair()
        pair.bring_joiner(state)
        with pytest.raises(WireError, match="the most is"):
            pair.joiner.receive(bytes([VERSION]) + bytes(MAX_BYTES))


# --- versions --------------------------------------------------------------------


@pytest.mark.parametrize("version", [0, VERSION + 1, 255])
def test_attack_speak_another_version(version: int) -> None:
    """It is refused with its own word, on both sides, and costs the owner nothing."""
    pair = Pair()
    pair.start()
    hello = bytes([version]) + pair.said[0][1:]
    assert why_of(pair.send(hello)) is Why.VERSION
    assert (pair.host.state, pair.host.tries_left) == (H.WAITING, TRIES)
    with pytest.raises(WireError, match=f"version {version}"):
        pair.joiner.receive(bytes([version]) + b"\x80")


def test_attack_talk_both_down_to_another_version(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two that believe in different versions never share a key."""
    code, session = make_code(), "0" * 8
    new = Exchange(Role.JOINER, code, session, lambda n: bytes(range(n)))
    monkeypatch.setattr(pairing_key, "_LABEL", b"trivet pairing 0")
    old = Exchange(Role.HOST, code, session, lambda n: bytes(range(1, n + 1)))
    assert new.finish(old.share) != old.finish(new.share)


# --- points ----------------------------------------------------------------------


def _root(square: int) -> int:
    """A square root modulo Q, which is 5 modulo 8."""
    root = pow(square, (Q + 3) // 8, Q)
    return root if root * root % Q == square % Q else root * pow(2, (Q - 1) // 4, Q) % Q


def low_order_points() -> dict[str, bytes]:
    """Points of the curve outside its prime-order group, by their orders."""
    eighth = bytes.fromhex(
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"
    )
    return {
        "the identity": (1).to_bytes(32, "little"),
        "of order 2": (Q - 1).to_bytes(32, "little"),
        "of order 4": bytes(32),
        "of order 8": eighth,
    }


BAD_POINTS = {
    **low_order_points(),
    "no point": (2).to_bytes(32, "little"),
    "the identity, written otherwise": (Q + 1).to_bytes(32, "little"),
    "all ones": b"\xff" * 32,
    "mixed order": Base.add(
        type(Base).__mro__[1]((0, Q - 1, 1, 0))  # the point of order 2
    ).to_bytes(),
}


@pytest.mark.parametrize("point", BAD_POINTS.values(), ids=BAD_POINTS)
def test_attack_send_a_point_of_another_group(point: bytes) -> None:
    """It is refused before the host says a word that depends on the code."""
    pair = Pair()
    hello = decode(pair.joiner.start(pair.host.session))
    assert isinstance(hello, Hello)
    bad = encode(replace(hello, share=b"A" + point))
    assert why_of(pair.send(bad)) is Why.MALFORMED
    assert (pair.host.state, pair.host.tries_left) == (H.WAITING, TRIES)
    reply = encode(Reply(bytes(16), pair.host.session, b"B" + point))
    with pytest.raises(WireError, match="share"):
        pair.joiner.receive(reply)


def test_a_point_of_the_group_is_taken() -> None:
    """The test above refuses points for what they are."""
    exchange = Exchange(Role.HOST, make_code(), "0" * 8, lambda n: bytes(range(n)))
    assert len(exchange.finish(b"A" + Base.scalarmult(L - 7).to_bytes())) == 32


# --- what is shown ---------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "trivet:pair?",
        "trivet:pair?at=a:1&code=12345678",
        "https://evil.example/?trivet:pair?at=a:1",
        "trivet:pair?at=a:1&code={code}&code={code}&host=00000000&ca={ca}",
        "trivet:pair?at=a:1&code={code}&host=00000000&ca={ca}&more=1",
        "trivet:pair?at=a%3A1&code={code}&host=00000000&ca={ca}",
        "trivet:pair?at=a:1&code={code}&host=0000000g&ca={ca}",
        "trivet:pair?at=a:1&code={code}&host=00000000&ca={ca}0",
        "trivet:pair?at=a:1&code={code}&host=00000000&ca={ca}\nat=b:2",
        "trivet:pair?at=tcp/a:1&code={code}&host=00000000&ca={ca}",
        "trivet:pair?at=a:1?x&code={code}&host=00000000&ca={ca}",
        "trivet:pair?at=\x1b[2J:1&code={code}&host=00000000&ca={ca}",
        "trivet:pair?" + "at=a:1&" * 9 + "code={code}&host=00000000&ca={ca}",
        "trivet:pair?at=" + "a" * 800 + ":1&code={code}&host=00000000&ca={ca}",
    ],
)
def test_attack_show_a_hostile_ticket(text: str) -> None:
    """It is refused; and what a code may be in it is not said again."""
    code = make_code().digits
    with pytest.raises(UsageError) as caught:
        read_ticket(text.format(code=code, ca="ab" * 32))
    assert code not in str(caught.value)
    assert str(caught.value).isprintable()


@given(st.text(max_size=300))
@settings(max_examples=100, deadline=None)
def test_attack_show_a_ticket_of_noise(text: str) -> None:
    for body in (text, "trivet:pair?" + text):
        with pytest.raises(UsageError):
            read_ticket(body)


def test_attack_read_the_code_in_errors_and_logs(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whatever goes wrong, the code is in no error, no representation and no log."""
    caplog.set_level(logging.DEBUG)
    texts: list[str] = []
    for wrong in (b"\x01\x93", encode(Confirm(bytes(32)))):
        for state in H:
            pair = Pair()
            pair.bring_host(state)
            pair.send(wrong)
            errors: list[TrivetError] = list(pair.faults)
            try:
                pair.joiner.receive(wrong)
            except TrivetError as error:
                errors.append(error)
            texts += [f"{error!r} {error}" for error in errors]
            texts += [f"{vars(pair.host)}", f"{vars(pair.joiner)}"]
            digits = pair.code.digits
            assert all(digits not in text for text in [*texts, caplog.text])


def test_attack_write_on_the_hosts_screen() -> None:
    """A stranger's words are of a narrow alphabet; a refusal is a word of a list."""
    pair = Pair()
    hello = decode(pair.joiner.start(pair.host.session))
    assert isinstance(hello, Hello)
    for device in ("\x1b[2Jphone", "phone\n", "Phone", "my phone", "a" * 64, "", "‮"):
        with pytest.raises(UsageError):
            encode(replace(hello, device=device))
        assert why_of(pair.send(_forged(hello, device))) is Why.MALFORMED
    with pytest.raises(RefusedError, match="code is wrong"):
        pair.joiner.receive(encode(Refusal(Why.WRONG_CODE)))


def _forged(hello: Hello, device: str) -> bytes:
    """A hello with a device's id that our own code would not send."""
    name = device.encode()
    data = encode(hello)
    own = b"\xa5phone"
    assert data.count(own) == 2  # the kind is of the same name; the id comes first
    return data.replace(own, b"\xd9" + bytes([len(name)]) + name, 1)

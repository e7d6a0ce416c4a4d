"""The code that a person types, the ticket that a camera reads."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trivet.domain import UsageError
from trivet.fabric.pairing_code import (
    CODES,
    Ticket,
    check_address,
    draw_svg,
    draw_text,
    is_ticket,
    make_code,
    read_code,
    read_ticket,
)


def test_each_number_has_its_own_code() -> None:
    def coded(number: int) -> str:
        return make_code(lambda n: number.to_bytes(n, "big")).digits

    assert len({coded(number) for number in range(1000)}) == 1000
    assert all(read_code(coded(number)).digits for number in range(0, CODES, 99_991))


@given(st.binary(min_size=8, max_size=8), st.integers(0, 7), st.integers(1, 9))
@settings(max_examples=60, deadline=None)
def test_one_wrong_digit_is_noticed(seed: bytes, place: int, by: int) -> None:
    digits = make_code(lambda n: seed).digits
    wrong = str((int(digits[place]) + by) % 10)
    with pytest.raises(UsageError, match="mistyped"):
        read_code(digits[:place] + wrong + digits[place + 1 :])


@given(st.binary(min_size=8, max_size=8), st.integers(0, 6))
@settings(max_examples=60, deadline=None)
def test_two_swapped_digits_are_noticed(seed: bytes, place: int) -> None:
    digits = list(make_code(lambda n: seed).digits)
    if digits[place] != digits[place + 1]:
        digits[place], digits[place + 1] = digits[place + 1], digits[place]
        with pytest.raises(UsageError, match="mistyped"):
            read_code("".join(digits))


def test_a_code_reads_as_it_is_shown() -> None:
    code = make_code()
    for text in (
        code.shown,
        code.digits,
        f" {code.shown}\n",
        code.shown.replace(" ", "-"),
    ):
        assert read_code(text) == code


@pytest.mark.parametrize(
    "text",
    ["", "1234", "123456789", "١٢٣٤٥٦٧٨", "1234 567x", "0" * 10_000, "12345678\x00"],
)
def test_what_is_no_code_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not a pairing code"):
        read_code(text)


def test_a_code_does_not_show_itself() -> None:
    code = make_code()
    ticket = Ticket(("127.0.0.1:1",), code, "0" * 8, "ab" * 32)
    for text in (repr(code), str(code), f"{code}", repr(ticket), str(ticket)):
        assert code.digits not in text
        assert code.digits[:4] not in text


addresses = st.one_of(
    st.from_regex(r"\A[a-z0-9]([a-z0-9.-]{0,20}[a-z0-9])?:[1-9][0-9]{0,3}\Z"),
    st.ip_addresses(v=6).map(lambda six: f"[{six}]:7450"),
    st.ip_addresses(v=4).map(lambda four: f"{four}:7450"),
)


@given(st.lists(addresses, min_size=1, max_size=8), st.binary(min_size=44, max_size=44))
@settings(max_examples=40, deadline=None)
def test_a_ticket_reads_as_it_was_made(at: list[str], noise: bytes) -> None:
    code = make_code(lambda n: noise[:n])
    ticket = Ticket(tuple(at), code, noise[8:12].hex(), noise[12:].hex())
    assert is_ticket(ticket.url)
    assert read_ticket(ticket.url) == ticket


def test_a_ticket_is_drawn_for_a_terminal_and_for_a_page() -> None:
    ticket = Ticket(("127.0.0.1:7450",), make_code(), "0" * 8, "ab" * 32)
    assert len({len(line) for line in draw_text(ticket).splitlines()}) == 1
    assert draw_svg(ticket).startswith("<svg")


@pytest.mark.parametrize(
    "text",
    ["", ":1", "a:", "a:b", "a b:1", "a:65536", "[::1:1", "::1:1", "[g::]:1", "a/b:1"],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="host:port"):
        check_address(text)

"""Who may say and hear what over a link, as Zenoh itself would match it."""

from __future__ import annotations

from typing import Any

import pytest
import zenoh
from hypothesis import given
from hypothesis import strategies as st

from trivet.domain import UsageError
from trivet.fabric import key
from trivet.fabric.rule import Neighbourhood, access_control

MEMBERS = ("car", "home", "phone", "router")
IDS = st.sampled_from(MEMBERS)


def allowed(rules: dict[str, Any], other: str, flow: str, what: str, text: str) -> bool:
    """Whether a message under this key passes the link with `other`."""
    granted = {
        name
        for policy in rules["policies"]
        if other in policy["subjects"]
        for name in policy["rules"]
    }
    return any(
        zenoh.KeyExpr(each).includes(zenoh.KeyExpr(text))
        for rule in rules["rules"]
        if rule["id"] in granted and flow in rule["flows"] and what in rule["messages"]
        for each in rule["key_exprs"]
    )


def at(me: str, *, is_router: bool = False, routers: tuple[str, ...] = ()) -> Any:
    return access_control(Neighbourhood("ours", me, MEMBERS, routers, is_router))


@given(IDS, IDS, IDS)
def test_at_a_router_a_device_speaks_in_its_own_name_alone(
    neighbour: str, owner: str, recipient: str
) -> None:
    rules = at("router", is_router=True)
    is_own = neighbour == owner and neighbour != "router"
    texts = {
        "put": key.stream("ours", recipient, owner, "Vehicle.Speed"),
        "query": key.question("ours", recipient, owner, "lease"),
        "reply": key.question("ours", owner, recipient, "lease"),
        "liveliness_token": key.alive("ours", owner),
        "declare_subscriber": key.inbox("ours", owner),
        "declare_queryable": key.desk("ours", owner),
    }
    for what, text in texts.items():
        assert allowed(rules, neighbour, "ingress", what, text) is is_own, what
    beat = key.beat("ours", owner, recipient)
    assert allowed(rules, neighbour, "ingress", "put", beat) is is_own


@given(IDS, IDS, IDS)
def test_a_router_gives_a_device_what_is_addressed_to_it_alone(
    neighbour: str, owner: str, recipient: str
) -> None:
    rules = at("router", is_router=True)
    is_its = neighbour == recipient and neighbour != "router"
    texts = {
        "put": key.stream("ours", recipient, owner, "Vehicle.Speed"),
        "query": key.question("ours", recipient, owner, "lease"),
        "reply": key.question("ours", owner, recipient, "lease"),
    }
    for what, text in texts.items():
        assert allowed(rules, neighbour, "egress", what, text) is is_its, what


@pytest.mark.parametrize(
    "text",
    [
        "**",
        "trivet/**",
        "trivet/ours/**",
        "trivet/ours/to/**",
        "trivet/ours/to/*/from/*/Vehicle/Speed",
        "trivet/ours/to/phone/from/*/Vehicle/Speed",
        "trivet/*/to/phone/from/car/Vehicle/Speed",
        "trivet/theirs/to/phone/from/car/Vehicle/Speed",
        "trivet/ours/to/phone/from/home/Vehicle/Speed",
    ],
)
def test_attack_a_key_with_wildcards_gets_past_no_router(text: str) -> None:
    rules = at("router", is_router=True)
    for what in ("put", "declare_subscriber", "query", "declare_queryable"):
        assert not allowed(rules, "car", "ingress", what, text), what


@given(IDS, IDS)
def test_a_device_hears_members_through_its_router_and_itself_of_others(
    owner: str, recipient: str
) -> None:
    rules = at("phone", routers=("router",))
    text = key.stream("ours", recipient, owner, "Vehicle.Speed")
    through = allowed(rules, "router", "ingress", "put", text)
    assert through is (recipient == "phone" and owner != "phone")
    direct = allowed(rules, "car", "ingress", "put", text)
    assert direct is (recipient == "phone" and owner == "car")


def test_attack_a_router_speaks_for_who_is_no_member() -> None:
    rules = at("phone", routers=("router",))
    text = key.stream("ours", "phone", "thief", "Vehicle.Speed")
    assert not allowed(rules, "router", "ingress", "put", text)


def test_attack_a_member_that_is_no_router_passes_something_on() -> None:
    """What a router may do is no member's for the asking."""
    rules = at("phone")
    text = key.stream("ours", "phone", "car", "Vehicle.Speed")
    assert not allowed(rules, "router", "ingress", "put", text)


def test_of_another_router_a_router_takes_what_members_say_to_each_other() -> None:
    rules = at("router", is_router=True, routers=("far-router",))
    ours = key.stream("ours", "phone", "car", "Vehicle.Speed")
    assert allowed(rules, "far-router", "ingress", "put", ours)
    assert allowed(rules, "far-router", "egress", "put", ours)
    for text in (
        key.stream("theirs", "phone", "car", "Vehicle.Speed"),
        key.stream("ours", "phone", "thief", "Vehicle.Speed"),
    ):
        assert not allowed(rules, "far-router", "ingress", "put", text)


def test_a_bad_id_is_refused_and_makes_no_rule() -> None:
    with pytest.raises(UsageError, match="cannot be a device id"):
        access_control(Neighbourhood("ours", "home", ("home", "**")))

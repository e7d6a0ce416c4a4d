"""The policy: what the shipped rules say, and that no question breaks it."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from trivet.domain import DeviceKind
from trivet.domain.lease import EXACTNESS_M, Purpose
from trivet.fabric import policy
from trivet.fabric.access import Access, Circumstances, Decision, Party, Verb
from trivet.fabric.policy import (
    Policy,
    shipped_policy,
)

PHONE = Party("phone", DeviceKind.PHONE)
CAR = Party("car", DeviceKind.CAR)
HOME = Party("home", DeviceKind.HOME)
TABLET = Party("tablet", DeviceKind.OTHER)
GUEST = Party("visitor", DeviceKind.PHONE, is_guest=True)
GUEST_CAR = Party("hire", DeviceKind.CAR, is_guest=True)
GUEST_HOME = Party("hub", DeviceKind.HOME, is_guest=True)

RECEIVE, COMMAND, ASK = Verb.RECEIVE, Verb.COMMAND, Verb.ASK
LAT, HVAC = "Vehicle.CurrentLocation.Latitude", "Vehicle.Cabin.HVAC.IsAirOn"
LOCK, GARAGE, LIGHT = "lock.front_door", "cover.garage_door", "light.kitchen"
HEAT = "climate.living_room.temperature"
DRIVING, NIGHT = {"driving": True}, {"night": True}
BOTH, IN = {"driving": True, "night": True}, {"at_home": True}

RULE = '@id("{0}") @why("because")\n'
ALLOW_ALL = RULE.format("all") + "permit(principal, action, resource);\n"


def access(verb: Verb, who: Party, owner: Party, path: str, **more: Any) -> Access:
    """An access; `purpose`, `exact_m` and `value` apart, `more` is circumstances."""
    given = {k: more.pop(k) for k in ("purpose", "exact_m", "value") if k in more}
    return Access(verb, who, owner, path, Circumstances(**more), **given)


def receive(who: Party, owner: Party, path: str, purpose: str, **more: Any) -> Access:
    return access(RECEIVE, who, owner, path, purpose=purpose, **more)


def command(who: Party, owner: Party, path: str, value: str, **more: Any) -> Access:
    return access(COMMAND, who, owner, path, value=value, **more)


def ask(who: Party, owner: Party, question: str) -> Access:
    return access(ASK, who, owner, question)


#: What the shipped rules say. First the rule that is to decide, "" for none.
ALLOWED = [
    ("home-knows-phone", receive(HOME, PHONE, "location", "arrival")),
    ("home-knows-phone", receive(HOME, PHONE, "location", "assistant")),
    ("home-knows-phone", receive(HOME, PHONE, "batt", "arrival")),
    ("home-knows-phone", receive(HOME, PHONE, "transition.enter", "arrival")),
    ("home-knows-car", receive(HOME, CAR, "Vehicle.Speed", "arrival")),
    ("home-knows-car", receive(HOME, CAR, LAT, "assistant")),
    ("home-knows-car", receive(HOME, CAR, HVAC, "comfort")),
    ("home-knows-car", receive(HOME, CAR, "Vehicle.Powertrain.Range", "diagnostics")),
    ("car-navigates", receive(CAR, PHONE, "location", "navigation", **DRIVING)),
    ("car-knows-roughly", receive(CAR, PHONE, "location", "comfort", exact_m=500)),
    ("car-knows-roughly", receive(CAR, PHONE, "location", "arrival", exact_m=100_000)),
    ("advice-reaches-you", receive(PHONE, HOME, "forecast", "display")),
    ("advice-reaches-you", receive(CAR, HOME, "suggestion", "assistant", **DRIVING)),
    ("advice-reaches-you", receive(CAR, PHONE, "forecast", "display")),
    ("car-sees-home", receive(CAR, HOME, GARAGE, "comfort")),
    ("car-sees-home", receive(CAR, HOME, HEAT, "comfort", **DRIVING)),
    ("phone-sees-home", receive(PHONE, HOME, LOCK, "safety")),
    ("phone-sees-home", receive(PHONE, HOME, "binary_sensor.front_door", "display")),
    ("phone-sees-home", receive(PHONE, HOME, "switch.stove", "comfort")),
    ("phone-sees-car", receive(PHONE, CAR, LAT, "navigation")),
    ("phone-sees-car", receive(PHONE, CAR, "Vehicle.Speed", "safety", **DRIVING)),
    ("guest-feels-heating", receive(GUEST, HOME, HEAT, "comfort")),
    ("home-tempers-car", command(HOME, CAR, HVAC, "true")),
    ("phone-commands-home", command(PHONE, HOME, LIGHT, "on")),
    ("phone-commands-home", command(PHONE, HOME, HEAT, "21.0", **NIGHT)),
    ("phone-commands-home", command(PHONE, HOME, LOCK, "unlocked", **BOTH)),
    ("car-closes-home", command(CAR, HOME, LOCK, "locked", **BOTH)),
    ("car-closes-home", command(CAR, HOME, GARAGE, "closed", **BOTH)),
    ("car-opens-garage", command(CAR, HOME, GARAGE, "open")),
    ("guest-switches-lights", command(GUEST, HOME, LIGHT, "on", **IN)),
    ("household-asks", ask(TABLET, HOME, "lease")),
    ("household-asks", ask(CAR, PHONE, "renew")),
    ("household-asks", ask(HOME, PHONE, "issuer")),
    ("household-asks", ask(PHONE, HOME, "command")),
    ("household-asks", ask(HOME, CAR, "beat")),
    ("leader-leads-simulation", ask(HOME, PHONE, "advance")),
    ("leader-leads-simulation", ask(PHONE, HOME, "advance")),
    ("answer-reaches-leader", ask(CAR, HOME, "answer")),
    ("answer-reaches-leader", ask(CAR, PHONE, "answer")),
    ("guest-asks", ask(GUEST, HOME, "lease")),
    ("guest-asks", ask(GUEST, HOME, "lease-end")),
]
REFUSED = [
    ("", receive(HOME, PHONE, "location", "display")),
    ("", receive(HOME, PHONE, "contacts", "arrival")),
    ("", receive(HOME, CAR, LAT, "display")),
    ("", receive(PHONE, PHONE, "location", "navigation")),
    ("", receive(TABLET, PHONE, "location", "arrival", exact_m=100_000)),
    ("", receive(CAR, PHONE, "location", "navigation")),
    ("", receive(CAR, PHONE, "location", "comfort", **DRIVING)),
    ("", receive(CAR, PHONE, "location", "comfort", exact_m=10)),
    ("", receive(CAR, PHONE, "batt", "navigation", exact_m=500, **DRIVING)),
    ("", receive(CAR, HOME, LOCK, "comfort")),
    ("", receive(CAR, HOME, GARAGE, "assistant")),
    ("", receive(PHONE, HOME, "forecast", "diagnostics")),
    ("", receive(PHONE, HOME, "camera.porch", "safety")),
    ("", receive(TABLET, HOME, LIGHT, "display")),
    ("", receive(PHONE, CAR, LAT, "arrival")),
    ("", command(PHONE, HOME, "alarm_control_panel.home", "disarmed")),
    ("", command(PHONE, CAR, "Vehicle.Cabin.Door.Row1.DriverSide.IsLocked", "false")),
    ("", command(HOME, CAR, "Vehicle.Chassis.ParkingBrake.IsEngaged", "false")),
    ("", command(HOME, PHONE, "ringer", "on")),
    ("", command(CAR, HOME, LOCK, "unlocked")),
    ("", command(CAR, HOME, LIGHT, "on")),
    ("", command(TABLET, HOME, LIGHT, "on")),
    ("moving-car-opens-nothing", command(CAR, HOME, GARAGE, "open", **DRIVING)),
    ("moving-car-opens-nothing", command(CAR, HOME, LOCK, "unlocked", **DRIVING)),
    ("moving-car-opens-nothing", command(CAR, HOME, LOCK, "Unlocked ", **DRIVING)),
    ("moving-car-opens-nothing", command(CAR, HOME, GARAGE, "open", **BOTH)),
    ("night-only-phone-opens", command(CAR, HOME, GARAGE, "open", **NIGHT)),
    ("night-only-phone-opens", command(TABLET, HOME, LOCK, "unlocked", **NIGHT)),
    ("guest-learns-no-more", receive(GUEST, PHONE, "location", "arrival")),
    ("guest-learns-no-more", receive(GUEST_HOME, PHONE, "location", "arrival")),
    ("guest-learns-no-more", receive(GUEST_CAR, HOME, "forecast", "display")),
    ("guest-learns-no-more", receive(GUEST, HOME, LOCK, "safety")),
    ("", receive(GUEST, HOME, HEAT, "display")),
    ("guest-commands-no-more", command(GUEST, HOME, LIGHT, "on")),
    ("guest-commands-no-more", command(GUEST, HOME, LOCK, "unlocked", **IN)),
    ("guest-commands-no-more", command(GUEST, HOME, HEAT, "30.0", **IN)),
    ("guest-device-is-private", receive(HOME, GUEST, "location", "arrival")),
    ("guest-device-is-private", command(HOME, GUEST_CAR, HVAC, "true")),
    ("", ask(GUEST, HOME, "command")),
    ("", ask(GUEST, HOME, "relay")),
    ("", ask(GUEST, HOME, "issuer")),
    ("", ask(CAR, HOME, "advance")),
    ("", ask(TABLET, PHONE, "advance")),
    ("", ask(HOME, PHONE, "answer")),
    ("", ask(PHONE, HOME, "shutdown")),
    ("", ask(PHONE, HOME, "location")),
]


def text_of(case: Any) -> str | None:
    return f"{case.who.device}-{case.path}" if isinstance(case, Access) else None


@pytest.mark.parametrize(("rule", "asked"), ALLOWED, ids=text_of)
def test_the_everyday_is_allowed(rule: str, asked: Access) -> None:
    decision = shipped_policy().decide(asked)
    assert (decision.is_allowed, decision.rule) == (True, rule)
    assert decision.why


@pytest.mark.parametrize(("rule", "asked"), REFUSED, ids=text_of)
def test_the_rest_is_refused(rule: str, asked: Access) -> None:
    decision = shipped_policy().decide(asked)
    assert (decision.is_allowed, decision.rule) == (False, rule)
    assert decision.why


def test_every_shipped_rule_is_needed_by_a_case() -> None:
    named = {rule for rule, _ in ALLOWED + REFUSED}
    assert {rule.id for rule in shipped_policy().rules} == named - {""}


GUIDE = (Path(__file__).parents[2] / "docs" / "policy.md").read_text(encoding="utf-8")


def test_the_guide_tells_of_every_shipped_rule() -> None:
    rules = {f"`{rule.id}` | {rule.effect} |" for rule in shipped_policy().rules}
    assert {rule for rule in rules if rule not in GUIDE} == set()


def test_the_guides_example_does_what_it_says() -> None:
    (example,) = re.findall(r"```cedar\n(.*?)```", GUIDE, re.DOTALL)
    ours = Policy(shipped_policy().text + example)
    roughly = receive(PHONE, PHONE, "location", "display", exact_m=500)
    assert ours.decide(roughly).rule == "we-see-each-other"
    assert not ours.decide(receive(PHONE, PHONE, "location", "display")).is_allowed
    assert not shipped_policy().decide(roughly).is_allowed


# ------------------------------------------------------------- what is not known

#: What rules that speak of circumstances say where these are not known. First the
#: rule that decides and what matters, then whether it is allowed all the same.
UNSURE = [
    (
        "car-knows-roughly",
        "",
        True,
        receive(CAR, PHONE, "location", "navigation", exact_m=500, driving=None),
    ),
    ("", "driving", False, receive(CAR, PHONE, "location", "navigation", driving=None)),
    (
        "moving-car-opens-nothing",
        "driving",
        False,
        command(CAR, HOME, GARAGE, "open", driving=None),
    ),
    (
        "night-only-phone-opens",
        "night",
        False,
        command(CAR, HOME, GARAGE, "open", night=None),
    ),
    (
        "moving-car-opens-nothing",
        "driving, night",
        False,
        command(CAR, HOME, GARAGE, "open", driving=None, night=None),
    ),
    ("", "", False, command(CAR, HOME, LOCK, "unlocked", driving=None)),
    (
        "car-closes-home",
        "",
        True,
        command(CAR, HOME, GARAGE, "closed", driving=None, night=None),
    ),
    (
        "phone-commands-home",
        "",
        True,
        command(PHONE, HOME, LOCK, "unlocked", night=None, driving=None),
    ),
    (
        "guest-commands-no-more",
        "at_home",
        False,
        command(GUEST, HOME, LIGHT, "on", at_home=None),
    ),
    (
        "guest-commands-no-more",
        "",
        False,
        command(GUEST, HOME, LOCK, "unlocked", at_home=None),
    ),
]


@pytest.mark.parametrize(("rule", "matters", "is_allowed", "asked"), UNSURE)
def test_what_is_not_known_is_decided_as_if_it_could_be_either(
    rule: str, matters: str, is_allowed: bool, asked: Access
) -> None:
    decision = shipped_policy().decide(asked)
    assert (decision.is_allowed, decision.rule) == (is_allowed, rule)
    assert decision.why.partition("; not known here: ")[2] == matters


def test_every_shipped_rule_that_speaks_of_circumstances_is_tried_without_them() -> (
    None
):
    """Each decides in one case above in which what it looks at is not known."""
    names = Circumstances.__struct_fields__
    speaking = {
        rule.id: {name for name in names if f"context.{name}" in rule.text}
        for rule in shipped_policy().rules
    }
    tried = {
        rule: any(
            needed & set(asked.circumstances.unknown)
            and any(rule == p for p in _rules_about(asked))
            for _, _, _, asked in UNSURE
        )
        for rule, needed in speaking.items()
        if needed
    }
    assert tried == dict.fromkeys(tried, True)
    assert len(tried) == 6


def _rules_about(asked: Access) -> set[str]:
    """Rules that decide a question in some case that is possible."""
    return {
        shipped_policy().decide(structs.replace(asked, circumstances=case)).rule
        for case in asked.circumstances.cases
    }


OWN = Policy(
    RULE.format("a")
    + "permit(principal, action, resource) when {!context.driving};\n"
    + RULE.format("b")
    + "permit(principal, action, resource) when {context.driving};\n"
    + RULE.format("c")
    + "forbid(principal, action, resource) when {context.night};\n"
)


def test_a_households_own_text_need_not_know_that_things_can_be_unknown() -> None:
    asked = ask(HOME, CAR, "beat")
    either = structs.replace(asked, circumstances=Circumstances(driving=None))
    assert OWN.decide(either) == Decision(True, "a", "because")
    unsure = structs.replace(asked, circumstances=Circumstances(None, night=None))
    decision = OWN.decide(unsure)
    assert (decision.is_allowed, decision.rule) == (False, "c")
    assert decision.why == "because; not known here: night"


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([shipped_policy(), OWN]),
    st.deferred(lambda: questions()),
    st.builds(Circumstances, *[st.none() | st.booleans()] * 4),
)
def test_what_is_allowed_while_unsure_is_allowed_whatever_turns_out(
    rules: Policy, asked: Access, now: Circumstances
) -> None:
    unsure = rules.decide(structs.replace(asked, circumstances=now))
    each = [
        rules.decide(structs.replace(asked, circumstances=case)) for case in now.cases
    ]
    assert len(each) == 2 ** len(now.unknown)
    assert unsure.is_allowed == all(answer.is_allowed for answer in each)


# -------------------------------------------------------------- laws of any question

PATHS = st.sampled_from(
    [*sorted({a.path for _, a in ALLOWED + REFUSED}), "Vehicle.CurrentLocation"]
)
PARTIES = st.sampled_from([PHONE, CAR, HOME, TABLET, GUEST, GUEST_CAR, GUEST_HOME])
MOMENTS = st.builds(Circumstances, *[st.booleans()] * 4)
VALUES = st.sampled_from(["", "open", "closed", "locked", "unlocked", "on"])
PURPOSES = st.sampled_from([*Purpose, ""])


def questions(
    who: st.SearchStrategy[Party] = PARTIES, path: st.SearchStrategy[str] = PATHS
) -> st.SearchStrategy[Access]:
    exact = st.sampled_from(EXACTNESS_M)
    verbs = st.sampled_from(Verb)
    return st.builds(
        Access, verbs, who, PARTIES, path, MOMENTS, PURPOSES, exact, VALUES
    )


GUESTS = st.builds(
    Party, st.sampled_from(["phone", "home", "x"]), st.sampled_from(DeviceKind)
).map(lambda party: Party(party.device, party.kind, is_guest=True))
WHEREABOUTS = st.sampled_from(["location", "transition.enter", "forecast", LAT]) | (
    st.from_regex(r"Vehicle\.CurrentLocation(\.[A-Za-z]{1,8})?", fullmatch=True)
)


@settings(max_examples=300, deadline=None)
@given(questions(GUESTS, WHEREABOUTS))
def test_attack_a_guest_asks_for_a_position_in_every_way(asked: Access) -> None:
    if asked.verb is RECEIVE:
        assert not shipped_policy().decide(asked).is_allowed


FORBIDS = [
    "forbid(principal, action, resource);",
    'forbid(principal, action == Action::"ask", resource) when { context.night };',
    "forbid(principal, action, resource) unless { principal.is_guest };",
    'forbid(principal == Device::"car", action, resource);',
    'forbid(principal, action, resource) when { resource.path like "*o*" };',
]
STRICTER = [
    Policy(shipped_policy().text + RULE.format("mine") + rule) for rule in FORBIDS
]


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(STRICTER), questions())
def test_one_more_forbid_never_allows_more(stricter: Policy, asked: Access) -> None:
    if stricter.decide(asked).is_allowed:
        assert shipped_policy().decide(asked).is_allowed


@settings(max_examples=100, deadline=None)
@given(questions())
def test_an_answer_is_the_same_cached_and_anew(asked: Access) -> None:
    first = shipped_policy().decide(asked)
    assert shipped_policy().decide(asked) == first
    assert shipped_policy()._evaluate(asked) == first
    policy._parsed.cache_clear()
    assert shipped_policy()._evaluate(asked) == first


def test_answers_are_the_same_on_every_thread() -> None:
    fresh = Policy(shipped_policy().text)
    asked = [a for _, a in ALLOWED + REFUSED] * 5
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(fresh.decide, asked))
    assert answers == [shipped_policy().decide(a) for a in asked]


def test_the_cache_is_bounded() -> None:
    fresh = Policy(ALLOW_ALL)
    for number in range(policy._CACHED + 10):
        fresh.decide(receive(PHONE, HOME, f"light.lamp_{number % 7}", str(number)))
    assert fresh._known.cache_info().currsize == policy._CACHED


# ------------------------------------------------------------------ what rules decide


def test_a_forbid_beats_a_permit_and_speaks_first() -> None:
    strict = Policy(ALLOW_ALL + RULE.format("no") + FORBIDS[0])
    decision = strict.decide(receive(HOME, PHONE, "location", "arrival"))
    assert decision == Decision(False, "no", "because")


def test_of_several_rules_the_first_by_name_is_told() -> None:
    twice = Policy(ALLOW_ALL + ALLOW_ALL.replace('"all"', '"a-first"'))
    assert twice.decide(ask(HOME, CAR, "beat")).rule == "a-first"


def test_no_rule_is_no() -> None:
    decision = Policy("// nothing\n").decide(ask(HOME, CAR, "beat"))
    assert decision == Decision(False, "", "no rule allows it")


def test_a_rule_is_shown_as_it_was_written() -> None:
    text = f'// first ; "not a rule"\n{ALLOW_ALL}\n/{"/"} last'
    (rule,) = Policy(text).rules
    assert (rule.id, rule.effect, rule.why) == ("all", "permit", "because")
    assert rule.text == ALLOW_ALL.strip()
    assert "".join(r.text for r in shipped_policy().rules).count("@id(") == len(
        shipped_policy().rules
    )


OVERFLOW = "when { context.exact_m + 9223372036854775807 > 0 };\n"


def test_attack_a_forbid_is_made_to_fail_while_a_permit_holds() -> None:
    broken = Policy(
        ALLOW_ALL
        + RULE.format("no")
        + "forbid(principal, action, resource) "
        + OVERFLOW
    )
    asked = receive(CAR, PHONE, "location", "comfort", exact_m=500)
    decision = broken.decide(asked)
    assert (decision.is_allowed, decision.rule) == (False, "")
    assert "overflow" in decision.why


UNASKABLE: list[Access] = [
    receive(PHONE, HOME, "\ud800", "comfort"),
    receive(PHONE, HOME, LIGHT, "comfort", exact_m=1 << 80),
    receive(PHONE, HOME, LIGHT, "comfort", exact_m=0.5),
    command(PHONE, HOME, LIGHT, ["on"]),  # type: ignore[arg-type]
    command(PHONE, HOME, LIGHT, object()),  # type: ignore[arg-type]
]


@pytest.mark.parametrize("asked", UNASKABLE, ids=range(len(UNASKABLE)))
def test_attack_a_question_that_cannot_be_asked_is_refused_in_words(
    asked: Access,
) -> None:
    decision = Policy(ALLOW_ALL).decide(asked)
    assert not decision.is_allowed
    assert "could not be asked" in decision.why or "fails" in decision.why


def test_a_panic_inside_cedar_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Panic(BaseException):
        pass

    def fail(*_: object) -> None:
        raise Panic("index out of bounds")

    monkeypatch.setattr(policy, "is_authorized", fail)
    decision = Policy(ALLOW_ALL).decide(ask(HOME, CAR, "beat"))
    assert not decision.is_allowed
    assert "index out of bounds" in decision.why


ODD = [
    'light.x" || true || "',
    '", "type": "Device", "is_guest": false, "x": "',
    "*",
    "**",
    "lock*",
    'Signal::"home/lock.front_door"',
    "light.ⅼamp\u202e\x00\n",
    "🔑" * 50,
    "a" * 100_000,
    "",
]


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_attack_ids_paths_and_values_that_read_like_policy(odd: str) -> None:
    asked = [
        receive(Party(odd, DeviceKind.OTHER), PHONE, odd, odd),
        receive(Party("x", odd), PHONE, "location", "arrival"),  # type: ignore[arg-type]
        receive(Party(odd, DeviceKind.PHONE, is_guest=True), HOME, LOCK, "safety"),
        command(CAR, Party(odd, DeviceKind.HOME), LOCK, odd, **DRIVING),
        command(CAR, HOME, odd, "unlocked", **DRIVING),
        ask(PHONE, HOME, odd),
    ]
    for question in asked:
        decision = shipped_policy().decide(question)
        assert not decision.is_allowed
        assert decision.why
        assert "could not" not in decision.why

"""`trivet policy`: exit codes, JSON, and a policy set whole or not at all."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from typer.testing import CliRunner, Result

from trivet.app.cli.policy import lived_by, policy_app
from trivet.app.folder import identity_folder
from trivet.domain import DeviceKind
from trivet.fabric.household import authority
from trivet.fabric.identity import create_household, enrol, load_household
from trivet.fabric.policy import shipped_policy

OWN = '@id("all") @why("All is ours.")\npermit(principal, action, resource);\n'


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    monkeypatch.setenv("TRIVET_HOUSEHOLD", str(folder))
    create_household(identity_folder(folder), "ours")
    return folder


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.cedar"
    path.write_text(OWN)
    return path


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    return tmp_path / "cases.toml"


def policy(*words: object) -> Result:
    return CliRunner().invoke(policy_app, [str(word) for word in words])


def answer(*words: object) -> Any:
    done = policy(*words, "--json")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def test_the_shipped_policy_is_shown_until_one_is_set(home: Path, own: Path) -> None:
    shown = answer("show")
    assert shown["source"] == "as shipped"
    assert [r["id"] for r in shown["rules"]] == [r.id for r in shipped_policy().rules]
    version = answer("set", own)["charter"]
    assert answer("show")["source"] == "the household's own"
    assert policy("show", "all").stdout == OWN
    assert policy("show", "--text").stdout == OWN
    assert answer("set", "--shipped")["charter"] == version + 1
    assert answer("show")["source"] == "as shipped"
    assert policy("set").exit_code == 2
    assert policy("set", own, "--shipped").exit_code == 2


def test_the_shown_text_is_a_policy_to_begin_with(home: Path, own: Path) -> None:
    own.write_text(policy("show", "--text").stdout)
    assert len(answer("check", own)["rules"]) == len(shipped_policy().rules)
    assert "forbid" in policy("show").stdout


def test_a_rule_that_is_not_there_is_the_callers_mistake(home: Path) -> None:
    done = policy("show", "no-such")
    assert (done.exit_code, "no-such" in done.stderr) == (2, True)


def test_a_wrong_file_is_told_with_its_line(own: Path) -> None:
    own.write_text(OWN + "\npermit(principal,\n  action resource);\n")
    done = policy("check", own)
    assert done.exit_code == 4
    assert "own.cedar:5: " in done.stderr.replace("\n", "")
    assert policy("check", own.with_name("absent")).exit_code == 3


def test_a_wrong_policy_is_not_set(home: Path, own: Path) -> None:
    policy("set", own)
    wrong = own.with_name("wrong.cedar")
    wrong.write_text(OWN + OWN)
    assert policy("set", wrong).exit_code == 4
    assert lived_by(identity_folder(home)).text == OWN


def test_a_policy_is_set_only_where_a_household_is(tmp_path: Path, own: Path) -> None:
    done = policy("set", own, "--household", tmp_path / "nowhere")
    assert done.exit_code == 3
    assert not (tmp_path / "nowhere").exists()


def test_why_says_the_rule_and_its_words(home: Path) -> None:
    ask = ("why", "car", "command", "home", "cover.garage", "--value", "open")
    assert answer(*ask)["rule"] == "car-opens-garage"
    moving = answer(*ask, "--driving")
    assert (moving["is_allowed"], moving["rule"]) == (False, "moving-car-opens-nothing")
    assert answer(*ask, "--night")["rule"] == "night-only-phone-opens"
    said = " ".join(policy(*ask, "--driving").stdout.split())
    assert "car may not command cover.garage of home" in said
    assert moving["why"] in said


def test_why_takes_every_circumstance(home: Path) -> None:
    place = ("why", "car", "receive", "phone", "location")
    assert not answer(*place)["is_allowed"]
    assert answer(*place, "--exact", 500)["rule"] == "car-knows-roughly"
    drive = (*place, "--purpose", "navigation", "--driving")
    assert answer(*drive)["rule"] == "car-navigates"
    assert answer(*drive, "--who-guest")["rule"] == "guest-learns-no-more"
    assert answer(*drive, "--owner-guest")["rule"] == "guest-device-is-private"
    light = ("why", "eve", "command", "flat", "light.hall", "--who-kind", "phone")
    guest = (*light, "--owner-kind", "home", "--who-guest", "--guest-present")
    assert not answer(*guest)["is_allowed"]
    assert answer(*guest, "--at-home")["rule"] == "guest-switches-lights"


def test_why_asks_as_one_that_has_not_heard(home: Path) -> None:
    ask = ("why", "car", "command", "home", "cover.garage", "--value", "open")
    deaf = answer(*ask, "--unknown", "driving", "--unknown", "night")
    assert not deaf["is_allowed"]
    assert deaf["why"].endswith("not known here: driving, night")
    assert answer(*ask, "--unknown", "at_home")["rule"] == "car-opens-garage"
    place = ("why", "car", "receive", "phone", "location", "--purpose", "navigation")
    assert not answer(*place, "--unknown", "driving")["is_allowed"]
    both = policy(*ask, "--driving", "--unknown", "driving")
    assert (both.exit_code, "not to be known" in both.stderr) == (2, True)
    assert policy(*ask, "--unknown", "weather").exit_code == 2


def test_why_knows_the_households_own_devices(home: Path) -> None:
    household = load_household(identity_folder(home))
    for device, is_guest in (("eves-phone", False), ("bobs-phone", True)):
        public = ec.generate_private_key(ec.SECP256R1()).public_key()
        issuer, now = authority(household), datetime.now(UTC)
        enrol(household, issuer, device, DeviceKind.PHONE, public, now, is_guest)
    unlock = ("command", "home", "lock.front_door", "--value", "unlocked")
    assert answer("why", "eves-phone", *unlock)["rule"] == "phone-commands-home"
    assert answer("why", "bobs-phone", *unlock)["rule"] == "guest-commands-no-more"


@pytest.mark.parametrize(
    "words",
    [
        ("tablet", "ask", "home", "lease"),
        ("car", "ask", "ho me", "lease"),
        ("car", "ask", "home", 'x" || true'),
        ("car", "ask", "home", "light.*"),
        ("car", "take", "home", "x"),
        ("car", "ask", "home", "x", "--exact", "-1"),
        ("car", "ask", "home", "x", "--purpose", "fun"),
    ],
)
def test_what_cannot_be_asked_is_the_callers_mistake(
    home: Path, words: tuple[str, ...]
) -> None:
    assert policy("why", *words).exit_code == 2


CASE = '[[case]]\nwho = "{}"\npath = "location"\nowner = "phone"\nexpect = "{}"\n'


def test_cases_hold_or_the_exit_says_not(home: Path, cases: Path, own: Path) -> None:
    cases.write_text(
        CASE.format("car", "deny")
        + CASE.format("home", "allow")
        + 'purpose = "arrival"\nrule = "home-knows-phone"\n'
    )
    assert [row["holds"] for row in answer("test", cases)] == [True, True]
    done = policy("test", cases, "--policy", own, "--json")
    assert done.exit_code == 1
    rows = json.loads(done.stdout)
    assert [row["holds"] for row in rows] == [False, False]
    assert {row["rule"] for row in rows} == {"all"}
    assert "home receive phone" in " ".join(policy("test", cases).stdout.split())


def test_the_guides_cases_hold(home: Path, cases: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "policy.md").read_text("utf-8")
    (text,) = re.findall(r"```toml\n(.*?)```", guide, re.DOTALL)
    cases.write_text(text)
    assert [row["holds"] for row in answer("test", cases)] == [True, True, True]


def test_a_case_says_what_is_not_known(home: Path, cases: Path) -> None:
    base = (
        '[[case]]\nwho="car"\nverb="command"\nowner="home"\npath="cover.garage"\n'
        'value="open"\n'
    )
    cases.write_text(
        base
        + 'expect="allow"\nrule="car-opens-garage"\n'
        + base
        + 'driving="unknown"\nexpect="deny"\nrule="moving-car-opens-nothing"\n'
        + base
        + 'at_home="unknown"\nguest_present="unknown"\nexpect="allow"\n'
    )
    assert [row["holds"] for row in answer("test", cases)] == [True, True, True]


def test_a_case_knows_every_circumstance(home: Path, cases: Path) -> None:
    cases.write_text(
        '[[case]]\nwho="eve"\nkind="phone"\nguest=true\nverb="command"\nowner="home"\n'
        'path="light.hall"\nvalue="on"\nat_home=true\nguest_present=true\nnight=true\n'
        'expect="allow"\nrule="guest-switches-lights"\n'
        '[[case]]\nwho="home"\nowner="eve"\nowner_kind="phone"\nowner_guest=true\n'
        'path="location"\npurpose="arrival"\nexact_m=100000\nexpect="deny"\n'
        '[[case]]\nwho="car"\nowner="phone"\npath="location"\npurpose="navigation"\n'
        'driving=true\nexpect="allow"\nrule="car-navigates"\n'
    )
    assert all(row["holds"] for row in answer("test", cases))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "something else than cases"),
        ("case = 3\n", "something else than cases"),
        ("[[cases]]\n", "something else than cases"),
        ("[[case]\n", "no TOML"),
        ("x = " + "[" * 100_000, "no TOML"),
        ("[[case]]\n", "case 1: Object missing required field"),
        (CASE.format("car", "maybe"), "case 1: Invalid enum value 'maybe'"),
        (CASE.format("car", "deny") + "speed = 3\n", "case 1: Object contains unknown"),
        (
            CASE.format("car", "deny") + 'night = "perhaps"\n',
            "case 1: Invalid enum value 'perhaps'",
        ),
        (CASE.format("car", "deny") * 2 + "exact_m = -1\n", "case 2: "),
        (CASE.format("tablet", "deny"), "case 1: what kind of device 'tablet' is"),
        (CASE.format("*", "deny"), "case 1: '*' cannot be a device id"),
        ("#" * 1_100_000, "longer than"),
        ("# \udcff", "no TOML"),
    ],
)
def test_cases_that_cannot_be_asked_are_told(
    home: Path, cases: Path, text: str, word: str
) -> None:
    cases.write_bytes(text.encode(errors="surrogateescape"))
    done = policy("test", cases)
    assert done.exit_code == 4
    assert word in " ".join(done.stderr.split())
    assert "cases.toml" in done.stderr.replace("\n", "")

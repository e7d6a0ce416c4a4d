"""Laws of the next day on the page: said in words, never as markup, nor by colour."""

from __future__ import annotations

import msgspec
import pytest
from tests.app.web.conftest import NOW, make_outlook, make_rows
from tests.app.web.test_panel import HOSTILE, assert_harmless

from trivet.app.outlook import Coming, Next, Outlook, Presence
from trivet.app.view import DeviceView
from trivet.app.web.outlook import occupancy_words, outlook_html, strip_html
from trivet.app.web.panel import devices_html
from trivet.app.web.places import place_html
from trivet.domain.device import DeviceKind
from trivet.domain.forecast import Interval

ZONE = "Europe/Berlin"


def test_all_that_is_foretold_is_said_with_what_it_rests_on() -> None:
    html = outlook_html(make_outlook())
    for words in (
        "Ada home about <strong>18:21</strong>",
        "<span>50 % 18:11–18:41</span>, <span>80 % 18:01–19:11</span>",
        "Kitchen light on, about <strong>18:21</strong>",
        "71&nbsp;%",
        "or Garage open 12 %",
        "Bed about <strong>23:11</strong>",
        "Up about <strong>06:41</strong>",
        "From 61 nights since 2 January",
        "From who was in since 2 January",
        "From 1,204 things done at home",
    ):
        assert words in html
    assert html.index("Bed about") < html.index("Up about")


def test_who_is_home_is_said_to_be() -> None:
    home = msgspec.structs.replace(
        make_outlook(), coming=(Coming("Ada", True, rests="where the phone is"),)
    )
    assert "Ada is home" in outlook_html(home)


def test_nothing_foretold_is_said_in_words() -> None:
    for outlook in (None, Outlook(NOW)):
        assert "Nothing can be foretold" in outlook_html(outlook)


def test_the_strip_is_told_in_words_too() -> None:
    chances = (0.9, 0.9, 0.5, 0.1, 0.1, 0.9)
    assert occupancy_words(chances, NOW, ZONE) == (
        "likely until 19:41, perhaps until 20:41, unlikely until 22:41,"
        " likely until 23:41"
    )
    html = strip_html(Presence("", chances), NOW, ZONE)
    assert 'aria-label="Somebody in: likely until 19:41' in html
    assert html.count("<rect") == len(chances)


@pytest.mark.parametrize("chance", [0.0, 1.0])
def test_bars_stay_within_the_strip(chance: float) -> None:
    html = strip_html(Presence("", (chance,) * 24), NOW, ZONE)
    assert f'height="{28 * chance:.1f}"' in html
    assert f'y="{30 - 28 * chance:.1f}"' in html


def test_no_text_becomes_markup() -> None:
    when = Interval(NOW, NOW + 60, NOW + 120)
    hostile = Outlook(
        NOW,
        ZONE,
        coming=(Coming(HOSTILE, False, when, when, HOSTILE),),
        presence=(Presence(HOSTILE, (0.5,) * 24),),
        presence_rests=HOSTILE,
        next=(Next(HOSTILE, HOSTILE, 0.5, when), Next(HOSTILE, HOSTILE, 0.2)),
        next_rests=HOSTILE,
        bed=when,
        night_rests=HOSTILE,
    )
    assert_harmless(outlook_html(hostile))
    row = msgspec.structs.replace(make_rows()[0], label=HOSTILE)
    assert_harmless(place_html(row, ZONE))


def test_a_place_says_how_often_and_when_they_were_there() -> None:
    home, *_, once = make_rows()
    assert "210 visits, last on 6 March" in place_html(home, ZONE)
    assert "<strong>A place near Boulder Hall</strong>" in place_html(once, ZONE)
    assert "1 visit, last on 24 February" in place_html(once, ZONE)
    never = msgspec.structs.replace(once, last=0.0)
    assert "1 visit<" in place_html(never, ZONE)


def test_who_leads_is_said_where_it_can_be_reached() -> None:
    home = DeviceView("home", DeviceKind.HOME, "Home", True)
    assert "leads" in devices_html([home], "home")
    assert "leads" not in devices_html([home], "phone")
    gone = msgspec.structs.replace(home, is_alive=False)
    assert "leads" not in devices_html([gone], "home")

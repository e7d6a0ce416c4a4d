"""Laws of the panels: all that is known is shown, and no text becomes markup."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import msgspec
import pytest

from trivet.app.view import DeviceView, Fact, Flow, Frame, TimelineEntry
from trivet.app.web import panel, trip
from trivet.app.web.announce import announcement
from trivet.app.web.why import why_html
from trivet.app.web.words import percent, span, zone_of
from trivet.domain.device import DeviceKind
from trivet.domain.forecast import Candidate, Forecast, Interval, Prospect
from trivet.domain.why import Why

HOSTILE = '<script src="//x">1</script><img onerror=x>"\''


class Tags(HTMLParser):
    """Collects the tags and the attributes of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.names: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.names += [name for name, _ in attrs]


def assert_harmless(html: str) -> None:
    seen = Tags(html)
    assert not {"script", "img"} & set(seen.tags)
    assert not [name for name in seen.names if name.startswith("on")]
    assert "//x" in html


def test_no_text_becomes_markup(frame: Frame) -> None:
    device = DeviceView(
        HOSTILE,
        DeviceKind.HOME,
        HOSTILE,
        True,
        facts=(Fact("a", HOSTILE, HOSTILE), Fact("b", HOSTILE, HOSTILE, True)),
    )
    entry = TimelineEntry(0.0, HOSTILE, HOSTILE, (HOSTILE,))
    flow = Flow(HOSTILE, HOSTILE, HOSTILE, 1, 0.0)
    need = msgspec.structs.replace(frame.suggestions[0].need, details=(HOSTILE,))
    suggestion = msgspec.structs.replace(frame.suggestions[0], need=need)
    odd = Prospect(HOSTILE, '<a href="//x">', HOSTILE, 0.0, 0.0, 0.4)
    new = Candidate("", "somewhere new", 0.5, prospects=(odd,))
    forecast = Forecast("ada", 0.0, 0.0, "", (Candidate("x", HOSTILE, 0.5), new))
    for html in (
        panel.devices_html([device]),
        panel.alerts_html([device]),
        panel.timeline_html([entry], 1.0, "UTC"),
        panel.flows_html([flow], [device], "UTC"),
        panel.card_html(suggestion, "UTC"),
        trip.candidates_html(forecast),
        why_html(Why((HOSTILE,), (HOSTILE,), (HOSTILE,), (HOSTILE,))),
    ):
        assert_harmless(html)
    assert HOSTILE not in panel.marks_svg([entry], 0.0, 1.0)


def test_an_alert_is_told_by_word_and_icon_not_colour_alone(frame: Frame) -> None:
    html = panel.alerts_html(frame.devices)
    assert "Alert: " in html
    assert "<svg" in html
    assert html.count("<li>") == 1
    assert panel.alerts_html(frame.devices[:2]) == ""


def test_nothing_known_is_said_in_words() -> None:
    for html in (
        panel.devices_html([]),
        panel.flows_html([], [], "UTC"),
        panel.timeline_html([], 0.0, "UTC"),
    ):
        assert "yet" in html


def test_the_day_is_newest_first_and_tells_nothing_later() -> None:
    entries = [TimelineEntry(float(i * 60), "home", f"line {i}") for i in range(4)]
    html = panel.timeline_html(entries, 130.0, "UTC")
    assert re.findall(r"line \d", html) == ["line 2", "line 1", "line 0"]


def test_every_flow_is_a_row_with_its_count(frame: Frame) -> None:
    html = panel.flows_html(frame.flows, frame.devices, frame.zone)
    assert html.count("<tr>") == len(frame.flows) + 1
    assert "541" in html
    assert "Ada’s phone" in html


def test_candidates_are_listed_likeliest_first(frame: Frame) -> None:
    assert frame.forecast
    shares = re.findall(r"(\d+) %", trip.candidates_html(frame.forecast))
    assert shares == ["62", "21", "9", "8"]


def test_many_candidates_end_in_one_line_for_the_rest() -> None:
    many = tuple(Candidate(f"p{i}", f"Place {i}", 0.1) for i in range(10))
    html = trip.candidates_html(Forecast("ada", 0.0, 0.0, "", many))
    assert "5 others, 50 %" in html


def test_the_arrival_is_an_interval_with_its_median(frame: Frame) -> None:
    html = trip.trip_html(frame)
    assert '<span class="quiet">80 %</span> 17:50–18:10' in html
    assert '<span class="quiet">50 %</span> 17:55–18:03' in html
    assert "<strong>17:59</strong>" in html


def test_an_arrival_without_its_middle_is_told_by_the_wide_interval(
    frame: Frame,
) -> None:
    assert frame.forecast
    older = msgspec.structs.replace(frame.forecast, middle=None)
    html = trip.arrival_html(frame.time, older, frame.zone)
    assert "17:50–18:10" in html
    assert "50 %" not in html
    assert 'class="half"' not in html


def test_the_bar_has_the_middle_within_the_whole() -> None:
    bar = trip.arrival_bar(
        0.0, Interval(600.0, 1200.0, 1800.0), Interval(900.0, 1200.0, 1500.0, 0.5)
    )
    (low, width), (half_low, half_width) = (
        (float(x), float(w))
        for x, w in re.findall(
            r'class="(?:likely|half)" x="([\d.]+)" y="2" width="([\d.]+)"', bar
        )
    )
    assert low < half_low
    assert half_low + half_width < low + width


def test_the_bar_stays_within_its_track_for_an_overdue_trip() -> None:
    bar = trip.arrival_bar(5000.0, Interval(1000.0, 2000.0, 3000.0))
    numbers = [float(n) for n in re.findall(r'(?:x|width)="(-?[\d.]+)"', bar)]
    assert all(-0.5 <= n <= 100.0 for n in numbers)


@pytest.mark.parametrize(
    ("probability", "words"), [(0.62, "To Mall"), (0.48, "Perhaps to Mall")]
)
def test_no_place_is_named_for_sure_that_is_not(
    frame: Frame, probability: float, words: str
) -> None:
    places = (
        Candidate("p1", "Mall", probability),
        Candidate("", "somewhere new", 1.0 - probability),
    )
    forecast = Forecast("ada", 0.0, 0.0, "", places)
    changed = msgspec.structs.replace(frame, forecast=forecast)
    assert trip.headline(changed) == words


def test_no_trip_is_told_in_words(frame: Frame) -> None:
    still = msgspec.structs.replace(frame, forecast=None, at="home", trail=())
    assert trip.headline(still) == "At home"
    assert "next trip" in trip.trip_html(still)
    lost = msgspec.structs.replace(still, at="")
    assert trip.headline(lost) == "No trip under way"
    moving = msgspec.structs.replace(frame, forecast=None)
    assert "No forecast yet" in trip.trip_html(moving)


def test_time_passing_is_no_news(frame: Frame) -> None:
    later = msgspec.structs.replace(frame, time=frame.time + 60)
    assert announcement(frame, later) == ""
    assert announcement(None, frame) == ""


def test_news_is_announced_once(frame: Frame) -> None:
    before = msgspec.structs.replace(
        frame, suggestions=frame.suggestions[1:], devices=()
    )
    news = announcement(before, frame)
    assert "New suggestion: Dinner near Riverside Mall?" in news
    assert "Alert: Garage" in news
    assert "garage is open" not in news


def test_another_destination_is_announced(frame: Frame) -> None:
    assert frame.forecast
    turned = msgspec.structs.replace(
        frame.forecast, candidates=frame.forecast.candidates[1:]
    )
    news = announcement(frame, msgspec.structs.replace(frame, forecast=turned))
    assert "Most likely destination: home, 21 %, arrival 17:50–18:10." in news
    ended = msgspec.structs.replace(frame, forecast=None, at="home")
    assert announcement(frame, ended) == "Arrived at home."


def test_shares_are_never_falsely_certain() -> None:
    assert percent(0.001) == "<1 %"
    assert percent(0.999) == ">99 %"
    assert (percent(0.0), percent(1.0)) == ("0 %", "100 %")


def test_an_unknown_zone_is_utc() -> None:
    assert str(zone_of("Mars/Olympus")) == "UTC"
    assert str(zone_of("../etc/passwd")) == "UTC"
    assert span(Interval(0.0, 0.0, 0.0), "UTC") == "00:00"


def test_why_tells_reasons_what_would_change_it_and_what_was_not_used() -> None:
    whole = why_html(Why(("Often.",), ("A turn.",), ("The range.",), ("72 %.",)))
    order = ["Often.", "72 %.", "What would change it", "A turn.", "Not used", "The r"]
    assert [whole.index(part) for part in order] == sorted(map(whole.index, order))
    bare = why_html(Why(("Often.",)))
    assert ("change it" in bare, "Not used" in bare) == (False, False)
    assert "No reason was kept" in why_html(Why())


def test_what_somewhere_new_may_be_is_told_where_anything_stands_out() -> None:
    found = Prospect("node/1", "Harbour Mall", "mall", 0.0, 0.0, 0.24)
    for prospects, told in (((found,), True), ((), False)):
        new = Candidate("", "somewhere new", 1.0, prospects=prospects)
        html = trip.candidates_html(Forecast("ada", 0.0, 0.0, "", (new,)))
        assert ("perhaps Harbour Mall 24\u00a0%" in html) is told
        assert ("perhaps" in html) is told

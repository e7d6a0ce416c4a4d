"""The next day at home as HTML: who is in when, what is next, bed and waking."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from html import escape
from itertools import groupby

from trivet.app.moment import ranges, when_text
from trivet.app.outlook import Coming, Next, Outlook, Presence
from trivet.app.web.icon import icon
from trivet.app.web.words import hours, percent, zone_of
from trivet.domain.clock import hour_of_day
from trivet.domain.forecast import Interval

_HOUR_S = 3600.0
#: Somebody is in, or is not, where the chance is beyond these.
_LIKELY, _UNLIKELY = 0.65, 0.35
#: Hours of the clock that are written below the strip.
_MARKED = (0, 6, 12, 18)
#: Further things that may come next, beside the likeliest.
_MOST_OTHERS = 2


def outlook_html(outlook: Outlook | None) -> str:
    """All that is foretold of home; says so where nothing is."""
    if outlook is None or outlook.is_empty:
        return '<p class="quiet">Nothing can be foretold of home yet.</p>'
    zone, now = zone_of(outlook.zone), outlook.time
    rows = [_coming(each, now, zone) for each in outlook.coming]
    if outlook.first is not None and not outlook.first.is_home:
        rows.append(_coming(outlook.first, now, zone))
    if outlook.presence:
        rows.append(_presence(outlook))
    if outlook.next:
        rows.append(_next(outlook.next, now, zone, outlook.next_rests))
    rows += _night(outlook, now, zone)
    return f'<ul class="ahead">{"".join(rows)}</ul>'


def strip_html(presence: Presence, time: float, zone: str) -> str:
    """The chance of being in as 24 bars, an hour each, with the hours below."""
    bars = "".join(
        f'<rect x="{10 * hour + 0.75}" y="{30 - 28 * chance:.1f}" width="8.5"'
        f' height="{28 * chance:.1f}"/>'
        for hour, chance in enumerate(presence.is_home)
    )
    who = presence.who or "Somebody"
    told = escape(f"{who} in: {occupancy_words(presence.is_home, time, zone)}")
    return (
        f'<div class="strip"><p><span>{escape(who)} in</span></p>'
        f'<svg viewBox="0 0 240 30" preserveAspectRatio="none" role="img"'
        f' aria-label="{told}"><path class="base" d="M0 29.5h240"/>{bars}</svg></div>'
    )


def occupancy_words(chances: Sequence[float], time: float, zone: str) -> str:
    """Who is in when, for those who do not see the strip: in words, hour by hour."""
    begins = [time + _HOUR_S * hour for hour in range(len(chances))]
    told = []
    for word, group in groupby(zip(begins, chances, strict=True), key=_word):
        spell = list(group)
        until = hours(spell[-1][0] + _HOUR_S, zone)
        told.append(f"{word} until {until}")
    return ", ".join(told)


def _word(hour: tuple[float, float]) -> str:
    chance = hour[1]
    if chance >= _LIKELY:
        return "likely"
    return "unlikely" if chance <= _UNLIKELY else "perhaps"


def _presence(outlook: Outlook) -> str:
    time, zone = outlook.time, outlook.zone
    strips = "".join(strip_html(each, time, zone) for each in outlook.presence)
    first = hour_of_day(time, zone_of(zone))
    marks = "".join(
        f'<span style="left:{(hour - first) % 24 / 0.24:.1f}%">{hour:02d}</span>'
        for hour in _MARKED
        if (hour - first) % 24 <= 23.0
    )
    return (
        f'<li class="who">{icon("home")}<div>{strips}'
        f'<p class="hours quiet" aria-hidden="true">{marks}</p>'
        f"{_rests(outlook.presence_rests)}</div></li>"
    )


def _coming(each: Coming, now: float, zone: tzinfo) -> str:
    who = escape(each.who)
    if each.is_home or each.arrival is None:
        words = f"<p>{who} is home</p>"
    else:
        words = f"<p>{who} home about {_when(each.arrival, now, zone, each.middle)}</p>"
    return f"<li>{icon('arrival')}<div>{words}{_rests(each.rests)}</div></li>"


def _next(expected: Sequence[Next], now: float, zone: tzinfo, rests: str) -> str:
    best, *others = expected
    words = f"<p>Next: {escape(best.label)}{_about(best, now, zone)}</p>"
    if others:
        told = ", ".join(
            f"{escape(each.label)} {percent(each.probability)}"
            for each in others[:_MOST_OTHERS]
        )
        words += f'<p class="others">or {told}</p>'
    return f"<li>{icon('next')}<div>{words}{_rests(rests)}</div></li>"


def _about(each: Next, now: float, zone: tzinfo) -> str:
    words = percent(each.probability).replace(" ", "&nbsp;")
    share = f' <span class="quiet">{words}</span>'
    if each.time is None:
        return share
    return f", about <strong>{when_text(each.time.median, now, zone)}</strong>{share}"


def _night(outlook: Outlook, now: float, zone: tzinfo) -> list[str]:
    told = [
        (when.median, f"<p>{word} about {_when(when, now, zone)}</p>")
        for word, when in (("Bed", outlook.bed), ("Up", outlook.wake))
        if when is not None
    ]
    if not told:
        return []
    words = "".join(text for _, text in sorted(told))
    return [f"<li>{icon('night')}<div>{words}{_rests(outlook.night_rests)}</div></li>"]


def _when(
    when: Interval, now: float, zone: tzinfo, middle: Interval | None = None
) -> str:
    told = ", ".join(
        f"<span>{each.share} {each.low}–{each.high}</span>"
        for each in ranges(when, now, zone, middle)
    )
    spread = f' <span class="quiet">{told}</span>' if told else ""
    return f"<strong>{when_text(when.median, now, zone)}</strong>{spread}"


def _rests(text: str) -> str:
    return f'<p class="rests quiet">From {escape(text)}</p>' if text else ""

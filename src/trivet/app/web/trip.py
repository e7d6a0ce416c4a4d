"""The running trip in words and bars: where to, how sure, and when."""

from __future__ import annotations

from html import escape

from trivet.app.moment import ranges
from trivet.app.view import Frame
from trivet.app.web.words import headed, hours, percent, short, zone_of
from trivet.domain.forecast import Candidate, Forecast, Interval

#: So many candidates are listed; the rest is one line.
MOST_LISTED = 5


def headline(frame: Frame) -> str:
    """Where the trip goes, or where the person is; plain text."""
    if frame.forecast and frame.forecast.candidates:
        best = frame.forecast.best
        if not best.place:
            return "Somewhere new"
        # no place is named as the one while all else together is as likely
        return f"{'To' if frame.forecast.is_sure else 'Perhaps to'} {best.label}"
    if frame.at:
        return f"At {frame.at}"
    return "On the move" if frame.trail else "No trip under way"


def has_forecast(frame: Frame) -> bool:
    """Whether there is a trip with somewhere to go."""
    return frame.forecast is not None and bool(frame.forecast.candidates)


def trip_html(frame: Frame) -> str:
    """Arrival and candidates; says so where there is nothing to tell."""
    forecast = frame.forecast
    if forecast is None or not forecast.candidates:
        words = (
            "No forecast yet for this trip."
            if frame.trail
            else "The next trip is forecast as soon as it begins."
        )
        return f'<p class="quiet">{words}</p>'
    return arrival_html(frame.time, forecast, frame.zone) + candidates_html(forecast)


def arrival_html(time: float, forecast: Forecast, zone: str) -> str:
    """The arrival as intervals: figures first, and a bar from now on."""
    arrival = forecast.arrival
    if arrival is None:
        return '<p class="quiet">Arrival not known yet.</p>'
    return (
        '<div class="arrival"><p class="median"><span class="quiet">Arrives about'
        f"</span> <strong>{hours(arrival.median, zone)}</strong></p>"
        f"{_ranges_html(time, arrival, forecast.middle, zone)}"
        f"{arrival_bar(time, arrival, forecast.middle)}"
        '<p class="ends quiet" aria-hidden="true">'
        f"<span>now {hours(time, zone)}</span></p></div>"
    )


def arrival_bar(time: float, arrival: Interval, middle: Interval | None = None) -> str:
    """From now to a little past the latest arrival, 100 units wide."""
    end = arrival.high + 0.12 * max(60.0, arrival.high - time)
    width = max(60.0, end - time)

    def at(moment: float) -> float:
        return min(100.0, max(0.0, 100.0 * (moment - time) / width))

    def part(name: str, of: Interval) -> str:
        low, high = at(of.low), at(of.high)
        return (
            f'<rect class="{name}" x="{low:.1f}" y="2"'
            f' width="{max(0.8, high - low):.1f}" height="6"/>'
        )

    half = "" if middle is None else part("half", middle)
    return (
        '<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none"'
        ' aria-hidden="true"><rect class="track" y="4" width="100" height="2"/>'
        f"{part('likely', arrival)}{half}"
        f'<rect class="median" x="{at(arrival.median) - 0.4:.1f}" width="0.8"'
        ' height="10"/></svg>'
    )


def _ranges_html(
    time: float, arrival: Interval, middle: Interval | None, zone: str
) -> str:
    """The wide one first, in bold; below it the one for half of the cases."""
    told = ranges(arrival, time, zone_of(zone), middle)
    rows = (
        f'<span><span class="quiet">{each.share}</span> {each.low}–{each.high}</span>'
        for each in reversed(told)
    )
    return f'<p class="range">{" ".join(rows)}</p>' if told else ""


def candidates_html(forecast: Forecast) -> str:
    """The candidates, most likely first, each with its share and its own arrival."""
    ranked = sorted(forecast.candidates, key=lambda c: -c.probability)
    rest = sum(c.probability for c in ranked[MOST_LISTED:])
    left = len(ranked) - MOST_LISTED
    more = f'<li class="quiet">{left} others, {percent(rest)}</li>' if left > 0 else ""
    rows = "".join(_row(c) for c in ranked[:MOST_LISTED])
    return f'<ol class="candidates" aria-label="Likely destinations">{rows}{more}</ol>'


def _row(candidate: Candidate) -> str:
    label = headed(candidate.label) if candidate.place else "Somewhere new"
    kind = "known" if candidate.place else "new"
    kind += " wide" if candidate.prospects else ""
    return (
        f'<li class="{kind}"><span class="name">{escape(label)}</span>'
        f'<span class="share">{percent(candidate.probability)}</span>'
        '<span class="meter" aria-hidden="true">'
        f'<i style="width:{100 * candidate.probability:.1f}%"></i></span>'
        f"{_prospects(candidate)}</li>"
    )


def _prospects(candidate: Candidate) -> str:
    """What on the map somewhere new may be; nothing where nothing stands out."""
    found = ", ".join(
        f"{escape(short(p.label))} {percent(p.probability)}".replace(" %", "\u00a0%")
        for p in candidate.prospects
    )
    return f'<span class="prospects quiet">perhaps {found}</span>' if found else ""

"""What a screen reader is told of by itself: news, never the passing of time."""

from __future__ import annotations

from trivet.app.view import Frame
from trivet.app.web.words import percent, span


def announcement(before: Frame | None, after: Frame) -> str:
    """New suggestions, alerts and another likely destination; empty if none is new."""
    if before is None:
        return ""
    news = []
    known = {suggestion.id for suggestion in before.suggestions}
    for suggestion in after.suggestions:
        if suggestion.id not in known:
            news.append(f"New suggestion: {suggestion.need.title}.")
    alerted = _alerts(before)
    for key, text in _alerts(after).items():
        if key not in alerted:
            news.append(f"Alert: {text}.")
    if _best(after) != _best(before):
        news.append(_destination(after))
    return " ".join(news)


def _alerts(frame: Frame) -> dict[tuple[str, str], str]:
    return {
        (device.id, fact.path): f"{fact.label}, {fact.text}"
        for device in frame.devices
        for fact in device.facts
        if fact.is_alert
    }


def _best(frame: Frame) -> str | None:
    has_best = frame.forecast and frame.forecast.candidates
    return frame.forecast.best.place if frame.forecast and has_best else None


def _destination(frame: Frame) -> str:
    forecast = frame.forecast
    if forecast is None or not forecast.candidates:
        return f"Arrived at {frame.at}." if frame.at else "The trip has ended."
    best = forecast.best
    text = f"Most likely destination: {best.label}, {percent(best.probability)}"
    if forecast.arrival:
        text += f", arrival {span(forecast.arrival, frame.zone)}"
    return text + "."

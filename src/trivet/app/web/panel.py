"""Devices, the day and the ledger of flows as HTML; every text is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from trivet.app.view import DeviceView, Fact, Flow, TimelineEntry
from trivet.app.web.icon import icon
from trivet.app.web.words import hours
from trivet.domain.lease import ZONE_M
from trivet.domain.suggestion import Suggestion

_KINDS = frozenset(
    {"departure", "arrival", "suggestion", "answer", "home", "notice", "phone", "car"}
)


def devices_html(devices: Sequence[DeviceView], leader: str = "") -> str:
    """Each device with its facts, alerts first; and which of them leads."""
    if not devices:
        return '<p class="quiet">No device has joined yet.</p>'
    return "".join(_device(device, leader) for device in devices)


def alerts_html(devices: Sequence[DeviceView]) -> str:
    """Only what a person would want to know now; empty when nothing is."""
    rows = "".join(
        _alert(fact) for device in devices for fact in device.facts if fact.is_alert
    )
    return f'<ul class="alerts">{rows}</ul>' if rows else ""


def card_html(suggestion: Suggestion, zone: str) -> str:
    """What a suggestion says, below its title: its lines and until when it holds."""
    lines = "".join(f"<li>{escape(line)}</li>" for line in suggestion.need.details)
    details = f'<ul class="details">{lines}</ul>' if lines else ""
    return (
        f'{details}<p class="quiet until">Until {hours(suggestion.need.expires, zone)}'
        f" · {percent_words(suggestion.need.probability)}</p>"
    )


def percent_words(probability: float) -> str:
    """How likely it is wanted: a word, for a card is no place for figures."""
    if probability >= 0.8:
        return "very likely wanted"
    return "likely wanted" if probability >= 0.5 else "perhaps wanted"


def timeline_html(entries: Sequence[TimelineEntry], time: float, zone: str) -> str:
    """The day, newest first; what is later than `time` is not told."""
    told = [entry for entry in reversed(entries) if entry.time <= time]
    if not told:
        return '<p class="quiet">Nothing has happened yet.</p>'
    return f'<ol class="day">{"".join(_entry(entry, zone) for entry in told)}</ol>'


def marks_svg(entries: Sequence[TimelineEntry], since: float, until: float) -> str:
    """Marks over the scrubber where something happened, 1000 units wide."""
    width = max(1.0, until - since)
    lines = "".join(
        f'<path class="{_kind(entry.kind)}"'
        f' d="M{1000 * (entry.time - since) / width:.0f} 0v10"/>'
        for entry in entries
        if since <= entry.time <= until
    )
    return (
        '<svg class="marks" viewBox="0 0 1000 10" preserveAspectRatio="none"'
        f' aria-hidden="true">{lines}</svg>'
    )


def flows_html(flows: Sequence[Flow], devices: Sequence[DeviceView], zone: str) -> str:
    """Which device gave which signal to which other, how often and when last."""
    if not flows:
        return '<p class="quiet">Nothing has been shared yet.</p>'
    names = {device.id: device.name or device.id for device in devices}
    rows = "".join(
        f'<tr><td class="way">{escape(names.get(flow.owner, flow.owner))}'
        f' <span aria-hidden="true">→</span><span class="unseen"> to </span> '
        f"{escape(names.get(flow.recipient, flow.recipient))}</td>"
        f'<td class="path">{_breakable(flow.path)}{_terms(flow)}</td>'
        f'<td class="figure">{flow.count:,}</td>'
        f'<td class="figure">{hours(flow.last, zone)}</td></tr>'
        for flow in sorted(
            flows, key=lambda f: (-f.count, f.owner, f.recipient, f.path)
        )
    )
    heads = "".join(
        f'<th scope="col"{kind}>{head}</th>'
        for head, kind in (
            ("From → to", ""),
            ("Signal", ""),
            ("Samples", ' class="figure"'),
            ("Last", ' class="figure"'),
        )
    )
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"


def _terms(flow: Flow) -> str:
    """What for, and how exactly, as the lease says."""
    if not flow.purpose:
        return ""
    exact = {0: "", ZONE_M: ", as a word"}.get(flow.exact_m, f", to {flow.exact_m} m")
    return f'<br><span class="quiet">for {escape(flow.purpose)}{exact}</span>'


def _device(device: DeviceView, leader: str) -> str:
    kind, name = device.kind.value, device.name or device.id
    state = '<span class="leads quiet">leads</span>' if device.id == leader else ""
    if not device.is_alive:
        state = '<span class="away">not reachable</span>'
    facts = [fact for fact in device.facts if not fact.is_alert]
    alerts = "".join(_alert(fact) for fact in device.facts if fact.is_alert)
    rows = "".join(
        f"<div><dt>{escape(f.label)}</dt><dd>{escape(f.text)}</dd></div>" for f in facts
    )
    nothing = (
        "" if device.facts else '<p class="quiet">Nothing shared with you yet.</p>'
    )
    return (
        f'<section class="device {kind}"><h3>{icon(kind)}<span>{escape(name)}</span>'
        f"{state}</h3>"
        + (f'<ul class="alerts">{alerts}</ul>' if alerts else "")
        + (f'<dl class="facts">{rows}</dl>' if rows else nothing)
        + "</section>"
    )


def _alert(fact: Fact) -> str:
    return (
        f'<li>{icon("alert")}<span><span class="unseen">Alert: </span>'
        f"{escape(fact.label)}: <strong>{escape(fact.text)}</strong></span></li>"
    )


def _entry(entry: TimelineEntry, zone: str) -> str:
    kind = _kind(entry.kind)
    more = "".join(f"<li>{escape(line)}</li>" for line in entry.details)
    return (
        f'<li class="{kind}"><time>{hours(entry.time, zone)}</time>{icon(kind)}'
        f"<div><p>{escape(entry.text)}</p>"
        + (f'<ul class="quiet">{more}</ul>' if more else "")
        + "</div></li>"
    )


def _kind(kind: str) -> str:
    """A kind that has an icon and a style; never a text that came from outside."""
    return kind if kind in _KINDS else "notice"


def _breakable(path: str) -> str:
    """A dotted path that may break after a dot in a narrow column."""
    return escape(path).replace(".", ".<wbr>").replace("_", "_<wbr>")

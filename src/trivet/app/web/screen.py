"""What one browser sees: the frame of now, or of a moment it went back to."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from nicegui import ui

from trivet.app.view import Frame, MapView, Viewed
from trivet.app.web import map_svg, panel, trip
from trivet.app.web.announce import announcement
from trivet.app.web.card import Cards, Why
from trivet.app.web.icon import icon
from trivet.app.web.moment import day, hours
from trivet.app.web.plane import Plane
from trivet.app.web.scrubber import Scrubber
from trivet.app.web.tag import button, html, tag, text
from trivet.domain.suggestion import AnswerKind

#: The node is asked for a new frame this often; asking is cheap, drawing is not.
TICK_S = 0.04
#: What nobody watches by the second is drawn once in so many ticks.
SLOW = 25


class Screen:
    """The page of one browser; builds its elements where it is made.

    Args:
        viewed: the node that is shown.
    """

    def __init__(self, viewed: Viewed) -> None:
        self._viewed = viewed
        self._at: float | None = None
        self._ticks = 0
        self._shown: Frame | None = None
        self._drawn: MapView = viewed.map()
        self._plane = Plane.of(self._drawn, viewed.frame())
        self._build()
        self.refresh()

    def refresh(self) -> None:
        """Draw what has changed since the last call."""
        self._ticks += 1
        frame = self._frame()
        is_slow = self._ticks % SLOW == 1
        if is_slow:
            self._draw_base(frame)
        if frame is not self._shown:
            if self._at is None:
                self._said.set_content(
                    escape(announcement(self._shown, frame)) or self._said.content
                )
            self._draw(frame)
        if is_slow or self._at is not None:
            self._draw_slow(frame)
        self._shown = frame

    def _frame(self) -> Frame:
        if self._at is None:
            return self._viewed.frame()
        return self._viewed.frame_at(self._at)

    def _draw(self, frame: Frame) -> None:
        """What follows every frame."""
        is_past = self._at is not None
        self._clock.set_content(hours(frame.time, frame.zone))
        self._day.set_content(day(frame.time, frame.zone))
        self._notice.set_content(escape(frame.notice))
        self._notice.set_visibility(bool(frame.notice))
        self._past.set_visibility(is_past)
        self._headline.set_content(escape(trip.headline(frame)))
        self._trip.set_content(trip.trip_html(frame))
        self._alerts.set_content(panel.alerts_html(frame.devices))
        self._trip_layer.set_content(
            map_svg.trip_layer(frame, self._drawn, self._plane)
        )
        self._device_layer.set_content(map_svg.device_layer(frame.devices, self._plane))
        self._map_words.set_content(escape(map_svg.describe(frame)))
        self._devices.set_content(panel.devices_html(frame.devices))
        self._cards.show(frame.suggestions, frame.zone, is_past)
        has_trip = bool(frame.forecast and frame.forecast.candidates)
        self._why.button.set_visibility(has_trip)
        self._scrubber.show(frame, self._viewed.span(), self._at)

    def _draw_slow(self, frame: Frame) -> None:
        entries = self._viewed.timeline()
        self._scrubber.mark(entries, self._viewed.span())
        self._day_list.set_content(panel.timeline_html(entries, frame.time, frame.zone))
        self._flows.set_content(
            panel.flows_html(frame.flows, frame.devices, frame.zone)
        )

    def _draw_base(self, frame: Frame) -> None:
        drawn = self._viewed.map()
        if drawn is self._drawn and self._shown is not None:
            return
        self._drawn = drawn
        self._plane = Plane.of(drawn, frame)
        self._base_layer.set_content(map_svg.base_layer(drawn, self._plane))
        self._attribution.set_content(escape(drawn.attribution))
        self._shown = None

    def _go(self, time: float | None) -> None:
        self._at = time
        self._shown = None
        self.refresh()

    async def _tell(self, suggestion: str, kind: AnswerKind) -> None:
        await self._viewed.answer(suggestion, kind)
        words = "Yes" if kind is AnswerKind.YES else "Not now"
        self._said.set_content(f"Answered: {words}.")

    def _trip_reasons(self) -> Sequence[str]:
        if self._at is None and (reasons := self._viewed.why("")):
            return reasons
        frame = self._frame()
        if frame.forecast is None or not frame.forecast.candidates:
            return ()
        return [reason.text for reason in frame.forecast.best.reasons]

    def _build(self) -> None:
        html(
            '<a class="skip" href="#suggestions">Go to the suggestions</a>',
            classes="to",
        )
        self._build_header()
        with tag("main", "rooms"):
            self._build_trip()
            with tag("section", "room suggest", aria_labelledby="suggestions"):
                self._cards = Cards(self._viewed.why, self._tell)
            self._build_map()
            self._scrubber = Scrubber(self._viewed, self._go)
            with _room("devices", "Devices"):
                self._devices = html()
            with _room("timeline", "The day"):
                self._day_list = html(
                    classes="scroll", tabindex="0", role="region", aria_label="The day"
                )
            with _room("flows", "Shared between devices"):
                self._flows = html(
                    classes="scroll", tabindex="0", role="region", aria_label="Shared"
                )
        self._said = html(classes="unseen", role="status", aria_live="polite")
        ui.timer(TICK_S, self.refresh)

    def _build_header(self) -> None:
        with tag("header", "top"):
            html(f"{icon('trivet')}<span>trivet</span>", "h1", "mark")
            with tag("p", "now"):
                self._clock = html(name="strong")
                self._day = html(name="span", classes="quiet")
            self._past = html(
                f"{icon('notice')}<span>This is the past</span>", "p", "chip past"
            )
            self._notice = html(name="p", classes="chip", role="note")
            button(
                icon("theme"),
                None,
                "plain theme",
                aria_label="Light or dark",
                data_do="theme",
            )

    def _build_trip(self) -> None:
        with tag("section", "room trip", aria_labelledby="trip-head"):
            self._headline = html(name="h2", id="trip-head")
            self._trip = html()
            self._why = Why(self._trip_reasons, "why-trip", "this forecast")
            self._alerts = html(classes="alert-strip")

    def _build_map(self) -> None:
        with tag("section", "room map", aria_labelledby="map-head"):
            text("Map", "h2", "unseen", id="map-head")
            with tag(
                "div",
                "canvas",
                tabindex="0",
                role="group",
                aria_label="Map: arrow keys move it, plus and minus zoom, 0 fits",
            ):
                with tag("svg", role="img", aria_labelledby="map-title map-words"):
                    html("Map of the household", "title", id="map-title")
                    self._map_words = html(name="desc", id="map-words")
                    self._base_layer = html(name="g", classes="base")
                    self._trip_layer = html(name="g", classes="trip-layer")
                    self._device_layer = html(name="g", classes="device-layer")
                html("<i></i><span></span>", classes="scale", aria_hidden="true")
            with tag("div", "zoom"):
                for name, label in (
                    ("plus", "Zoom in"),
                    ("minus", "Zoom out"),
                    ("fit", "Fit the trip"),
                ):
                    button(icon(name), None, "", aria_label=label, data_do=name)
            self._attribution = html(name="p", classes="attribution")


def _room(name: str, heading: str) -> ui.element:
    """A section of the page with its heading, to be filled by `with`."""
    section = tag("section", f"room {name}", aria_labelledby=f"{name}-head")
    with section:
        text(heading, "h2", id=f"{name}-head")
    return section

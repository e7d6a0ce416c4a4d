"""What one browser sees: the frame of now, or of a moment it went back to."""

from __future__ import annotations

from html import escape

from nicegui import ui

from trivet.app.view import Frame, MapView, Viewed
from trivet.app.web import panel, trip
from trivet.app.web.announce import announcement
from trivet.app.web.card import Cards
from trivet.app.web.icon import icon
from trivet.app.web.learning import LearnSwitch
from trivet.app.web.map import Map
from trivet.app.web.outlook import outlook_html
from trivet.app.web.places import Places
from trivet.app.web.plane import Plane
from trivet.app.web.scrubber import Scrubber
from trivet.app.web.tag import button, html, tag, text
from trivet.app.web.why import WhyButton
from trivet.app.web.words import day, hours
from trivet.domain.suggestion import AnswerKind
from trivet.domain.why import Why
from trivet.engine.explain import reason_lines

#: The node is asked for a new frame this often; asking is cheap, drawing is not.
TICK_S = 0.03
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
        self._drawn: MapView | None = None
        self._plane = Plane()
        self._build()
        self.refresh()

    def refresh(self) -> None:
        """Draw what has changed since the last call."""
        is_slow = self._ticks % SLOW == 0
        self._ticks += 1
        present = self._viewed.frame()
        if is_slow:
            self._draw_base(present)
        frame = self._frame(present)
        if self._shown is None or frame != self._shown:
            if self._at is None and (news := announcement(self._shown, frame)):
                self._said.set_content(escape(news))
            is_slow = is_slow or self._shown is None
            self._draw(frame)
        self._scrubber.show(frame, present, self._viewed.span(), self._at)
        if is_slow:
            self._draw_slow(frame)
        self._shown = frame

    def _frame(self, present: Frame) -> Frame:
        """The present, or the moment gone back to: that one does not change."""
        if self._at is None:
            return present
        return self._shown or self._viewed.frame_at(self._at)

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
        self._why.button.set_visibility(trip.has_forecast(frame))
        self._alerts.set_content(panel.alerts_html(frame.devices))
        self._devices.set_content(panel.devices_html(frame.devices, frame.leader))
        if self._shown is None or frame.outlook is not self._shown.outlook:
            self._outlook.set_content(outlook_html(frame.outlook))
        is_learning = frame.outlook is None or frame.outlook.is_learning
        self._learn.show(is_learning, is_past)
        self._cards.show(frame.suggestions, frame.zone, is_past)
        self._map.draw(frame, self._drawn, self._plane)

    def _draw_slow(self, frame: Frame) -> None:
        entries = self._viewed.timeline()
        self._scrubber.mark(entries, self._viewed.span())
        self._day_list.set_content(panel.timeline_html(entries, frame.time, frame.zone))
        self._flows.set_content(
            panel.flows_html(frame.flows, frame.devices, frame.zone)
        )
        self._places.show(self._viewed.places(), frame.zone)
        self._why.refresh()

    def _draw_base(self, present: Frame) -> None:
        drawn = self._viewed.map()
        if self._drawn is not None and drawn == self._drawn:
            return
        self._drawn = drawn
        self._plane = Plane.of(drawn, present)
        self._map.draw_base(drawn, self._plane)
        self._shown = None

    def _go(self, time: float | None) -> None:
        self._at = time
        self._shown = None
        self.refresh()
        self._why.refresh(is_other=True)

    def _say(self, words: str) -> None:
        self._said.set_content(escape(words))

    async def _tell(self, suggestion: str, kind: AnswerKind) -> None:
        failed = await self._viewed.answer(suggestion, kind)
        words = "Yes" if kind is AnswerKind.YES else "Not now"
        self._say(" ".join((f"Answered: {words}.", *failed)))

    def _trip_why(self) -> Why:
        if self._at is None:
            return self._viewed.why("")
        frame = self._frame(self._viewed.frame())
        if frame.forecast is None or not frame.forecast.candidates:
            return Why()
        return Why(reason_lines(frame.forecast.best.reasons))

    def _build(self) -> None:
        html(
            '<a class="skip" href="#suggestions">Go to the suggestions</a>',
            classes="to",
        )
        self._build_header()
        with tag("main", "rooms"):
            with tag("div", "stage"):
                self._map = Map()
                with tag("div", "side"):
                    self._build_trip()
                    with tag("section", "room suggest", aria_labelledby="suggestions"):
                        self._cards = Cards(self._viewed.why, self._tell)
                    with _room("outlook", "The next day at home"):
                        self._outlook = html()
                        self._learn = LearnSwitch(self._viewed.set_learning)
                    with _room("devices", "Devices"):
                        self._devices = html()
                self._scrubber = Scrubber(self._viewed, self._go)
            with _room("timeline", "The day"):
                self._day_list = html(
                    classes="scroll", tabindex="0", role="region", aria_label="The day"
                )
            with _room("flows", "Shared between devices"):
                self._flows = html(
                    classes="scroll", tabindex="0", role="region", aria_label="Shared"
                )
            with _room("known-places", "Places"), tag("div", "scroll"):
                self._places = Places(self._viewed.correct, self._say)
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
            with tag("div", "head") as head:
                self._headline = html(name="h2", id="trip-head")
            self._why = WhyButton(self._trip_why, "why-trip", "this forecast")
            self._why.button.move(head)
            self._trip = html()
            self._alerts = html(classes="alert-strip")


def _room(name: str, heading: str) -> ui.element:
    """A section of the page with its heading, to be filled by `with`."""
    section = tag("section", f"room {name}", aria_labelledby=f"{name}-head")
    with section:
        text(heading, "h2", id=f"{name}-head")
    return section
